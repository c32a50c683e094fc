"""A steep output gate: chaos appears at a finite amplitude beside a stable rest, at a fold."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

from ..case import Panel, Series, Settings
from ..compare import LEVEL, Row, extrapolate, over_networks
from ..ensemble import Ensemble
from ..ensemble_case import Numbers, Points, Task, ensemble_case, row, sign_row
from ..run_networks import counts_in
from ..survivors import SurvivorPlan, network_survivors

#: Where the chaotic branch folds at alpha_r = 10, tau_r = 1 (THEORY: `dmft.solve` has none below).
FOLD = 1.857640
ABOVE, BELOW = "1.05 of the fold", "0.95 of the fold"
#: Widest standard error of C_h(0) and lambda, relative: near the fold networks scatter by 4 N^(-1/2).
WIDEST = 0.10
#: Half of the amplitude of the chaotic state just above the fold is 0.1; rest decays through 0.05.
PLAN = SurvivorPlan(threshold=0.05)


def _numbers(ensemble: Ensemble, plan: SurvivorPlan, n: int, realization: int) -> Mapping[str, Any]:
    found = asdict(network_survivors(ensemble, plan, n, realization))
    return {name: None if value != value else value for name, value in found.items()}


def _tasks(settings: Settings) -> Mapping[str, Task]:
    n, count = settings["n"], settings["realizations"]
    sizes = counts_in(settings)
    return {ABOVE: Task(sizes, _numbers, PLAN), BELOW: Task({n: count}, _numbers, PLAN)}


def _judge(theory: Points, networks: Numbers) -> Sequence[Row]:
    rows = []
    for point, solution in theory.items():
        top = networks[point][max(networks[point])]
        alive = over_networks([m["alive"] for m in top])
        chaotic = solution.branch == "chaotic"
        rows.append(sign_row(f"{point}: share of starts alive", 0.5, alive, chaotic))
    solution, sizes = theory[ABOVE], networks[ABOVE]
    for quantity, value, name in (
        ("C_h(0)", solution.variance["h"], "second_moment"),
        ("lambda", solution.lyapunov, "lyapunov"),
    ):
        samples = {n: [m[name] for m in some if m["alive"] > 0] for n, some in sizes.items()}
        fit = extrapolate(samples)
        bent = f"{quantity} does not lie on a straight line in 1/N; larger networks are needed"
        objection = bent if fit.straightness < LEVEL else ""
        allowed = WIDEST * abs(fit.limit.mean)
        rows.append(row(f"{ABOVE}: {quantity} (N = inf)", value, fit.limit, allowed, objection))
    return rows


def _draw(theory: Points, networks: Numbers) -> tuple[Panel, ...]:
    """Both numbers of the chaotic state over 1/N."""
    panels = []
    sizes = networks[ABOVE]
    for label, value, name in (
        ("$C_h(0)$", theory[ABOVE].variance["h"], "second_moment"),
        (r"$\lambda_{\max}$", theory[ABOVE].lyapunov, "lyapunov"),
    ):
        seen = [over_networks([m[name] for m in s if m["alive"] > 0]) for s in sizes.values()]
        points = Series(
            "networks, starts alive",
            [1 / n for n in sizes],
            [e.mean for e in seen],
            [e.standard_error for e in seen],
            points=True,
        )
        line = Series("theory, N = infinity", [0.0, 1 / min(sizes)], [value or 0.0] * 2)
        panels.append(Panel("$1/N$", label, (line, points)))
    return tuple(panels)


CASE = ensemble_case(
    name="discontinuous-onset",
    title="Chaos that appears at once, beside a stable rest",
    claim=(
        "With a steep output gate chaos of finite amplitude appears at a fold where rest is still stable: "
        "networks that start active stay active above it, with the theory's amplitude and largest "
        "Lyapunov exponent, and fall silent below it."
    ),
    equation=(
        "dh/dt = (-h + J phi(h) sigma_r(r))/2,  dr/dt = -r + J phi(h)\n"
        f"alpha_r = 10: fold at g_h = {FOLD}, rest unstable from g_h = 2; judged at 1.05, 0.95 of it\n"
        "rule: above, more than half of the starts alive after 180 leak times, and C_h(0) and lambda of "
        "those alive at N = infinity, errors of at most 10%; below, less than half alive"
    ),
    source="Krishnamurthy, Can & Schwab, Phys. Rev. X 12, 011011 (2022)",
    model="gated",
    points={
        ABOVE: {"alpha_r": 10.0, "g_h": 1.05 * FOLD},
        BELOW: {"alpha_r": 10.0, "g_h": 0.95 * FOLD},
    },
    tasks=_tasks,
    judge=_judge,
    draw=_draw,
    quick={"n": 800, "realizations": 6, "counts": {"800": 12, "400": 4, "200": 12}},
    full={"n": 2000, "realizations": 8},
    faults={
        "output gate that does not move": {"alpha_r": 0.0},
        "fold 10% too low": {"g_h": 1.05 * FOLD},
        "fold 10% too high": {"g_h": 0.95 * FOLD},
        "update gate more open": {"beta_z": -1.0},
    },
)
