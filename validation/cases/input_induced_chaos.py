"""A quenched input that starts chaos through a steep output gate, and only quiets without one."""

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

#: Nobody counts as dead: the exponent is asked for at rest as well. Rest may be a long way off.
CHAOS = SurvivorPlan(threshold=0.0, transient=60.0, duration=120.0, starts=8)
REST = SurvivorPlan(threshold=0.0, transient=120.0, duration=60.0, starts=2)
#: Widest standard error of lambda, relative, as for every exponent.
WIDEST = 0.10

_GATE = {"g_h": 1.7, "alpha_r": 10.0}
_STEEP, _SAME = {"g_h": 5.0, "alpha_r": 0.0}, {"g_h": 1.7, "alpha_r": 0.0}
#: Where chaos is claimed to start, and its exponent is held against the theory's.
STARTED = "gate, input 0.005"
POINTS: Mapping[str, Mapping[str, float]] = {
    "gate, input 0": {**_GATE, "input_h": 0.0},
    STARTED: {**_GATE, "input_h": 0.005},
    "gate, input 0.5": {**_GATE, "input_h": 0.5},
    "no gate, input 0.005": {**_SAME, "input_h": 0.005},
    "no gate, g_h = 5, input 0": {**_STEEP, "input_h": 0.0},
    "no gate, g_h = 5, input 0.5": {**_STEEP, "input_h": 0.5},
}


def _numbers(ensemble: Ensemble, plan: SurvivorPlan, n: int, realization: int) -> Mapping[str, Any]:
    found = asdict(network_survivors(ensemble, plan, n, realization))
    return {"lyapunov": found["lyapunov"]}


def _tasks(settings: Settings) -> Mapping[str, Task]:
    n, count = settings["n"], settings["realizations"]
    sizes = counts_in(settings)
    # A sign takes fewer networks than a value.
    signs = {n: count // 2}
    return {
        p: Task(sizes, _numbers, CHAOS) if p == STARTED else Task(signs, _numbers, REST)
        for p in POINTS
    }


def _exponents(networks: Mapping[int, Sequence[Mapping[str, Any]]]) -> dict[int, list[float]]:
    return {n: [m["lyapunov"] for m in some] for n, some in networks.items()}


def _judge(theory: Points, networks: Numbers) -> Sequence[Row]:
    rows = []
    for point, solution in theory.items():
        exponents = _exponents(networks[point])
        n = max(exponents)
        seen, positive = over_networks(exponents[n]), (solution.lyapunov or 0.0) > 0
        rows.append(sign_row(f"{point}: sign of lambda, N = {n}", 0.0, seen, positive))
    fit = extrapolate(_exponents(networks[STARTED]))
    bent = "lambda does not lie on a straight line in 1/N; larger networks are needed"
    objection = bent if fit.straightness < LEVEL else ""
    allowed = WIDEST * abs(fit.limit.mean)
    value = theory[STARTED].lyapunov
    rows.append(row(f"{STARTED}: lambda (N = inf)", value, fit.limit, allowed, objection))
    return rows


def _draw(theory: Points, networks: Numbers) -> tuple[Panel, ...]:
    place = list(range(len(POINTS)))
    seen = [over_networks(_exponents(networks[p])[max(networks[p])]) for p in POINTS]
    sizes = _exponents(networks[STARTED])
    small = [over_networks(values) for values in sizes.values()]
    return (
        Panel(
            "point, in the order of the table",
            r"$\lambda_{\max}$",
            (
                Series("theory, N = infinity", place, [theory[p].lyapunov or 0.0 for p in POINTS]),
                Series(
                    "networks, largest N",
                    place,
                    [e.mean for e in seen],
                    [e.standard_error for e in seen],
                    points=True,
                ),
            ),
        ),
        Panel(
            "$1/N$",
            r"$\lambda_{\max}$",
            (
                Series("theory", [0.0, 1 / min(sizes)], [theory[STARTED].lyapunov or 0.0] * 2),
                Series(
                    STARTED,
                    [1 / n for n in sizes],
                    [e.mean for e in small],
                    [e.standard_error for e in small],
                    points=True,
                ),
            ),
        ),
    )


CASE = ensemble_case(
    name="input-induced-chaos",
    title="Chaos by input",
    claim=(
        "With a steep output gate an input pushes a network from rest into chaos, and a stronger one quiets "
        "it again; without the gate input only quiets."
    ),
    equation=(
        "dh/dt = (-h + J phi(h) sigma_r(r))/2 + I,  dr/dt = -r + J phi(h),  I ~ N(0, input_h)\n"
        "(g_h, alpha_r) = (1.7, 10) with input_h = 0, 0.005, 0.5; (1.7, 0) with 0.005; (5, 0) with 0, 0.5\n"
        "rule: the sign of lambda at the largest N of every point, one-sided tests at level 0.001; lambda at "
        "N = infinity where the input starts chaos, error of at most 10%"
    ),
    source="Krishnamurthy, Can & Schwab, Phys. Rev. X 12, 011011 (2022)",
    model="gated",
    points=POINTS,
    tasks=_tasks,
    judge=_judge,
    draw=_draw,
    quick={"n": 300, "realizations": 16, "counts": {"600": 10, "300": 4, "150": 10}},
    full={"n": 1000, "realizations": 12, "counts": {"1200": 12, "600": 8, "300": 24}},
    faults={
        "output gate that does not move": {"alpha_r": 0.0},
        "no input": {"input_h": 0.0},
        "strong input everywhere": {"input_h": 0.5},
        "update gate nearly closed": {"beta_z": -2.0},
    },
)
