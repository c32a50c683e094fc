"""Eigenvalues of Jacobians along chaotic trajectories, and the edge that the theory draws around them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from ..case import Panel, Series, Settings
from ..compare import LEVEL, Row, extrapolate, over_networks
from ..eigenvalues import fraction_outside, jacobian
from ..ensemble import Ensemble, settle
from ..ensemble_case import Numbers, Points, Task, ensemble_case, row, sign_row
from ..spectrum_edge import UnitJacobians, gaussian_states, unit_jacobians

if TYPE_CHECKING:
    from dmft.results.solution import Solution

    from ..spectrum_edge import Complexes

#: Shares of eigenvalues: outside a grown edge at most, outside a shrunk one at least.
OUTSIDE, FILLED = 0.005, 0.01
#: The theory's edge grown by a tenth may leave this share outside, at finite N.
OUTSIDE_THEORY = 0.02
SHRUNK, GROWN = 0.9, 1.1
#: Widest standard error of an end of the edge, relative to its distance from the centre.
WIDEST = 0.05


@dataclass(frozen=True, slots=True)
class Plan:
    """States after a transient, ``moments`` of them, ``spacing`` leak times apart."""

    transient: float = 60.0
    spacing: float = 30.0
    moments: int = 2


def _numbers(ensemble: Ensemble, plan: Plan, n: int, realization: int) -> Mapping[str, Any]:
    """Eigenvalues with Im >= 0, the edge at the network's own states, and shares outside of it."""
    run = ensemble.begin(n, realization)
    network, p = run.network, run.network.parameters
    settle(run, plan.transient)
    found: dict[str, list[Any]] = {
        "eigenvalues": [],
        "right": [],
        "top": [],
        "grown": [],
        "shrunk": [],
    }
    for _ in range(plan.moments):
        settle(run, plan.spacing)
        outputs = network.right.outputs(run.x, p)
        currents = [psi @ j for psi, j in zip(outputs, network.transposed, strict=True)]
        units = unit_jacobians(network.right, p, [f[0] for f in run.x], [c[0] for c in currents])
        edge = units.edge()
        values = np.linalg.eigvals(jacobian(network, run.x)).astype(complex)
        upper = values[values.imag >= 0]
        for name, factor in (("grown", 1 + n**-0.5), ("shrunk", SHRUNK)):
            found[name].append(fraction_outside(values, [_scaled(units, edge, factor)]))
        found["right"].append(edge[0].real)
        found["top"].append(edge.imag.max())
        found["eigenvalues"].append([upper.real.round(4).tolist(), upper.imag.round(4).tolist()])
    kept = found.pop("eigenvalues")
    return {**{k: float(np.mean(v)) for k, v in found.items()}, "eigenvalues": kept}


def _scaled(units: UnitJacobians, edge: Complexes, factor: float) -> Complexes:
    return units.centre + factor * (edge - units.centre)


def _units(solution: Solution) -> UnitJacobians:
    """Units as the theory has them at alpha_z = 0: independent Gaussian h, z, r; currents do not matter."""
    from dmft.codegen import compile_network

    right = compile_network(solution.model)
    states = gaussian_states([solution.variance[name] or 0.0 for name in right.info.fields])
    currents = [np.zeros_like(states[0])] * len(right.info.currents)
    return unit_jacobians(right, dict(solution.parameters), states, currents)


def _tasks(settings: Settings) -> Mapping[str, Task]:
    n, count = settings["n"], settings["realizations"]
    sizes = {n: count, n // 2: 2 * count, n // 4: 4 * count}
    return {point: Task(sizes, _numbers, Plan()) for point in POINTS}


def _values(network: Mapping[str, Any]) -> Complexes:
    return np.concatenate([np.array(re) + 1j * np.array(im) for re, im in network["eigenvalues"]])


def _judge(theory: Points, networks: Numbers) -> Sequence[Row]:
    rows = []
    for point, solution in theory.items():
        units, sizes = _units(solution), networks[point]
        edge = units.edge()
        for name, value, radius in (
            ("right", edge[0].real, edge[0].real - units.centre),
            ("top", edge.imag.max(), edge.imag.max()),
        ):
            fit = extrapolate({n: [m[name] for m in some] for n, some in sizes.items()})
            bent = f"the {name} of the edge does not lie on a straight line in 1/N"
            objection = bent if fit.straightness < LEVEL else ""
            allowed = WIDEST * abs(radius)
            rows.append(row(f"{point}: {name} of the edge", value, fit.limit, allowed, objection))
        n = max(sizes)
        grown = over_networks([m["grown"] for m in sizes[n]])
        rows.append(_bound(f"{point}: outside its own edge, N = {n}", grown.mean, OUTSIDE))
        shrunk = over_networks([m["shrunk"] for m in sizes[n]])
        rows.append(sign_row(f"{point}: outside 0.9 of its own edge", FILLED, shrunk, True))
        wide = _scaled(units, edge, GROWN)
        beyond = over_networks([fraction_outside(_values(m), [wide]) for m in sizes[n]])
        name = f"{point}: outside 1.1 of the theory's edge"
        rows.append(_bound(name, beyond.mean, OUTSIDE_THEORY))
    return rows


def _bound(quantity: str, share: float, largest: float) -> Row:
    return Row(quantity, 0.0, 0.0, share, 0.0, 1.0, float("inf"), judged=True, bound=largest)


def _draw(theory: Points, networks: Numbers) -> tuple[Panel, ...]:
    """The eigenvalues of one network at one moment, in the theory's edge."""
    panels = []
    for point, solution in theory.items():
        edge = _units(solution).edge()
        closed = np.append(edge, edge[0])
        sizes = networks[point]
        re, im = (np.array(v) for v in sizes[max(sizes)][0]["eigenvalues"][0])
        both = [*re, *re], [*im, *-im]
        panels.append(
            Panel(
                r"$\mathrm{Re}\,\mu$",
                r"$\mathrm{Im}\,\mu$",
                (
                    Series(f"theory, {point}", closed.real.tolist(), closed.imag.tolist()),
                    Series(f"one network, N = {max(sizes)}", *both, points=True),
                ),
            )
        )
    return tuple(panels)


POINTS: Mapping[str, Mapping[str, float]] = {
    "alpha_r = 5": {"g_h": 3.0, "alpha_r": 5.0},
    "alpha_r = 10, gates slower and open": {
        "g_h": 3.0,
        "alpha_r": 10.0,
        "tau_r": 2.0,
        "beta_z": -1.0,
    },
}

CASE = ensemble_case(
    name="jacobian-spectrum",
    title="Eigenvalues of the Jacobian, and their edge",
    claim=(
        "Along a chaotic trajectory the eigenvalues of the Jacobian fill a cloud whose edge is that of "
        "random-matrix theory at the states that the mean-field theory says units have."
    ),
    equation=(
        "1 = <phi'^2> s^2/|mu + s|^2 (<sigma_r^2> + <phi^2><sigma_r'^2>/|1 + tau_r mu|^2),  alpha_z = 0\n"
        "rule: right and top of the edge at the networks' own states, at N = infinity, errors of at most 5%; "
        f"at the largest N at most {OUTSIDE:.1%} outside that edge grown by N^(-1/2), at least {FILLED:.0%} "
        f"outside 0.9 of it, at most {OUTSIDE_THEORY:.0%} outside 1.1 of the theory's edge"
    ),
    source="Krishnamurthy, Can & Schwab, Phys. Rev. X 12, 011011 (2022)",
    model="gated",
    points=POINTS,
    tasks=_tasks,
    judge=_judge,
    draw=_draw,
    quick={"n": 240, "realizations": 6},
    full={"n": 800, "realizations": 8},
    faults={
        "output gate that does not move": {"alpha_r": 0.0},
        "gain a half too large": {"g_h": 4.5},
        "update gate less open": {"beta_z": 0.5},
        "output gate of half the time constant": {"tau_r": 0.5},
    },
)
