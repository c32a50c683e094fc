"""The leading edge of Jacobians along chaotic trajectories where the update gate moves."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np
from scipy.optimize import brentq

from ..case import Case, Measured, Panel, Series, Settings
from ..compare import LEVEL, Row, extrapolate, over_networks
from ..eigenvalues import jacobian
from ..ensemble import Ensemble, settle
from ..ensemble_case import Task, networks_of, numbers_of_networks, row
from ..journal import Journal
from ..spectrum_edge import UnitJacobians, unit_jacobians
from ..watch import Watch

if TYPE_CHECKING:
    from dmft.results.solution import Solution
    from dmft.solvers.slow_modes import SlowModes

MODEL = "gated"
#: All but the gain of the update gate. With it at 10 and more the start is remembered too long.
BASE = {
    "g_h": 3.0,
    "alpha_r": 5.0,
    "beta_h": 0.1,
    "beta_z": -0.5,
    "beta_r": 0.2,
    "tau_z": 2.0,
    "tau_r": 0.5,
}
#: Share of eigenvalues beyond this multiple of the theory's edge at most ...
BEYOND, OUTSIDE = 1.25, 0.002
#: ... and at most this share of Jacobians without any beyond this one: the edge is not drawn around nothing.
WITHIN, EMPTY = 0.4, 0.25
#: Widest standard error of the edge, relative.
WIDEST = 0.05
#: How many leading eigenvalues of a Jacobian are kept.
_KEPT = 60


@dataclass(frozen=True, slots=True)
class Plan:
    """States after a transient, ``moments`` of each of ``starts``, ``spacing`` leak times apart.

    Eigenvalues are those of one start at the last moment of the first ``spectra`` networks of ``size``.
    """

    size: int
    spectra: int
    starts: int
    transient: float
    spacing: float
    moments: int


@dataclass(frozen=True)
class _Found:
    """Theory at one gain of the gate."""

    solution: Solution
    modes: SlowModes


def _predict(wrong: Mapping[str, Any], settings: Settings, workers: int = 1) -> dict[str, _Found]:
    """``wrong``: changed parameters, and options of `dmft.solve`."""
    from dmft.api import solve
    from dmft.find_slow_modes import slow_modes

    changes = {k: v for k, v in wrong.items() if k != "method"}
    options = {"precision": settings["precision"]}
    if "method" in wrong:
        options["method"] = wrong["method"]
    found = {}
    for gain in settings["gains"]:
        p = {**BASE, "alpha_z": float(gain), **changes}
        solution = solve(MODEL, p, lyapunov=False, workers=workers, **options)
        found[f"alpha_z = {gain:g}"] = _Found(solution, slow_modes(MODEL, at=solution)[0])
    return found


def _numbers(ensemble: Ensemble, plan: Plan, n: int, realization: int) -> Mapping[str, Any]:
    """The edge on the real axis at the network's own states, and leading real parts."""
    run = ensemble.begin(n, realization, batch=plan.starts)
    network, p = run.network, run.network.parameters
    settle(run, plan.transient)
    edges = []
    for _ in range(plan.moments):
        settle(run, plan.spacing)
        outputs = network.right.outputs(run.x, p)
        currents = [psi @ j for psi, j in zip(outputs, network.transposed, strict=True)]
        for start in range(plan.starts):
            x, xi = ([f[start] for f in fields] for fields in (run.x, currents))
            edges.append(_edge(unit_jacobians(network.right, p, x, xi)))
    leading: list[float] = []
    if n == plan.size and realization < plan.spectra:
        values = np.linalg.eigvals(jacobian(network, [f[:1] for f in run.x])).real
        leading = np.sort(values)[::-1][:_KEPT].round(5).tolist()
    return {"edge": float(np.mean(edges)), "leading": leading}


def _edge(units: UnitJacobians) -> float:
    """Where the radius of M falls through one; zero if it does so on the negative axis."""

    def excess(log_rate: float) -> float:
        return float(np.log(units.radius(np.exp(log_rate))))

    low, high = -12.0, 2.0
    return float(np.exp(brentq(excess, low, high, xtol=1e-4))) if excess(low) > 0 else 0.0


def _measure(
    theory: Mapping[str, _Found],
    settings: Settings,
    seed: int,
    workers: int,
    journal: Journal,
    watch: Watch,
) -> Measured:
    counts = {int(n): count for n, count in settings["counts"].items()}
    plan = Plan(
        settings["spectrum_n"],
        settings["spectra"],
        settings["starts"],
        settings["transient"],
        settings["spacing"],
        settings["moments"],
    )
    task = Task(counts, _numbers, plan)
    return {
        point: numbers_of_networks(MODEL, found.solution, task, seed, workers, journal)
        for point, found in theory.items()
    }


def _judge(theory: Mapping[str, _Found], measured: Measured) -> Sequence[Row]:
    rows = []
    for point, found in theory.items():
        sizes, edge = networks_of(measured)[point], found.modes.edge
        fit = extrapolate({n: [m["edge"] for m in some] for n, some in sizes.items()})
        bent = "the edge does not lie on a straight line in 1/N"
        objection = bent if fit.straightness < LEVEL else ""
        compared = row(
            f"{point}: leading edge, N = infinity", edge, fit.limit, WIDEST * edge, objection
        )
        rows.append(replace(compared, theory_error=found.modes.error * edge))
        n, leading = _leading(sizes)
        fields = len(found.solution.variance)
        beyond = over_networks([float(np.sum(v > BEYOND * edge)) / (fields * n) for v in leading])
        empty = over_networks([float(v[0] <= WITHIN * edge) for v in leading])
        for what, seen, most in (
            (f"eigenvalues beyond {BEYOND} of it", beyond, OUTSIDE),
            (f"Jacobians with none beyond {WITHIN} of it", empty, EMPTY),
        ):
            shown = row(f"{point}: {what}, N = {n}", 0.0, seen, np.inf)
            rows.append(replace(shown, bound=most))
    return rows


def _leading(sizes: Mapping[int, Sequence[Mapping[str, Any]]]) -> tuple[int, list[Any]]:
    """The size of which there are eigenvalues, and their leading real parts by network."""
    found = [(n, np.array(m["leading"])) for n, some in sizes.items() for m in some if m["leading"]]
    return found[0][0], [values for _, values in found]


def _draw(theory: Mapping[str, _Found], measured: Measured) -> tuple[Panel, ...]:
    """The edge over the gain of the gate."""
    gains = [found.solution.parameters["alpha_z"] for found in theory.values()]
    edges = [found.modes.edge for found in theory.values()]
    bars = [found.modes.edge * found.modes.error for found in theory.values()]
    seen = {point: networks_of(measured)[point] for point in theory}
    limits = [
        extrapolate({n: [m["edge"] for m in some] for n, some in sizes.items()}).limit
        for sizes in seen.values()
    ]
    rightmost = [float(np.mean([v[0] for v in _leading(sizes)[1]])) for sizes in seen.values()]
    return (
        Panel(
            r"$\alpha_z$",
            "leading edge",
            (
                Series("theory", gains, edges, bars),
                Series(
                    "networks, own states, N = infinity",
                    gains,
                    [limit.mean for limit in limits],
                    [limit.standard_error for limit in limits],
                    points=True,
                ),
                Series("networks, rightmost eigenvalue", gains, rightmost, points=True),
            ),
        ),
    )


CASE = Case(
    name="slow-modes",
    title="Leading edge of the Jacobian with a moving update gate",
    claim=(
        "Along chaotic trajectories with a moving update gate the Jacobian's eigenvalues end, on the right, "
        "where random-matrix theory puts the edge at states of units conditioned on the gate's path; taking "
        "gate and gated field as independent is not good enough."
    ),
    equation=(
        "1 = <phi'^2 s^2/(mu+s)^2> (<sigma_r^2> + <phi^2><sigma_r'^2>/(1+tau_r mu)^2) "
        "+ <phi'^2 s'^2 q^2/(mu+s)^2> <sigma_r^2>/(1+tau_z mu)^2 + ...,  s = sigma_z(z), q = -h + xi\n"
        "rule: edge at the networks' own states, at N = infinity, with an error of at most 5%; of the "
        f"eigenvalues at most {OUTSIDE:.1%} beyond {BEYOND} times the edge, and at most {EMPTY:.0%} of the "
        f"Jacobians with none beyond {WITHIN} times"
    ),
    source="Krishnamurthy, Can & Schwab, Phys. Rev. X 12, 011011 (2022)",
    settings={
        "quick": {
            "gains": (5.0,),
            "counts": {"500": 16, "250": 20, "125": 24},
            "spectrum_n": 250,
            "spectra": 6,
            "starts": 6,
            "transient": 70.0,
            "spacing": 20.0,
            "moments": 2,
            "precision": 0.02,
        },
        "full": {
            "gains": (1.0, 2.5, 5.0, 7.5),
            "counts": {"1000": 8, "500": 16, "250": 32},
            "spectrum_n": 1000,
            "spectra": 3,
            "starts": 6,
            "transient": 100.0,
            "spacing": 30.0,
            "moments": 4,
            "precision": 5e-3,
        },
    },
    predict=partial(_predict, {}),
    measure=_measure,
    judge=_judge,
    draw=_draw,
    faults={
        "update gate at rest": partial(_predict, {"alpha_z": 0.0}),
        "gate independent of what it gates": partial(_predict, {"method": "factorised"}),
    },
)
