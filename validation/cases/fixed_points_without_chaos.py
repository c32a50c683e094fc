"""Between the static and the chaotic fold: many fixed points, and no activity that lasts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

from ..case import Panel, Series, Settings
from ..compare import Row, over_networks
from ..ensemble import Ensemble
from ..ensemble_case import Numbers, Points, Task, ensemble_case, sign_row
from ..fixed_points import FixedPointPlan, network_fixed_points
from ..survivors import SurvivorPlan, network_survivors

COUNT, FEW, ACTIVITY = "g_h = 1.8", "g_h = 1.3", "g_h = 1.8, N large"
NEWTON = FixedPointPlan(starts=30, amplitudes=(0.3, 3.0), iterations=40)
#: Newton from few starts misses most points, so that a tenth of networks with several is many.
SEVERAL = 0.1
LATE = SurvivorPlan(threshold=0.02, transient=380.0, duration=20.0, starts=2)


def _count(ensemble: Ensemble, plan: FixedPointPlan, n: int, realization: int) -> Mapping[str, Any]:
    found = network_fixed_points(ensemble, plan, n, realization)
    return {
        "points": found.lower_bound if found.is_sound else None,
        "unstable": int((found.unstable > 0).sum()),
        "failed": found.failed,
    }


def _alive(ensemble: Ensemble, plan: SurvivorPlan, n: int, realization: int) -> Mapping[str, Any]:
    return {"alive": asdict(network_survivors(ensemble, plan, n, realization))["alive"]}


def _tasks(settings: Settings) -> Mapping[str, Task]:
    small = {settings["n"]: settings["realizations"]}
    large = {settings["n_active"]: settings["realizations"] // 2}
    return {
        COUNT: Task(small, _count, NEWTON, "float64"),
        FEW: Task(small, _count, NEWTON, "float64"),
        ACTIVITY: Task(large, _alive, LATE),
    }


def _points(networks: Sequence[Mapping[str, Any]]) -> list[float]:
    """Fixed points of every network; NaN, which decides nothing, where they were not told apart."""
    return [float("nan") if m["points"] is None else float(m["points"]) for m in networks]


def _several(points: Sequence[float]) -> list[float]:
    """One for a network with fixed points beside rest, zero for one without."""
    return [value if value != value else float(value > 1) for value in points]


def _judge(theory: Points, networks: Numbers) -> Sequence[Row]:
    rows = []
    for point in (COUNT, FEW):
        solution = theory[point]
        static = any("fixed-point" in b for b in (solution.branch, *solution.other_branches))
        n = max(networks[point])
        seen = over_networks(_several(_points(networks[point][n])))
        name = f"{point}: share of networks with several fixed points, N = {n}"
        rows.append(sign_row(name, SEVERAL, seen, static))
    (n,) = networks[ACTIVITY]
    alive = over_networks([m["alive"] for m in networks[ACTIVITY][n]])
    chaotic = theory[ACTIVITY].branch == "chaotic"
    rows.append(sign_row(f"{COUNT}: share of starts alive, N = {n}", 0.5, alive, chaotic))
    return rows


def _draw(theory: Points, networks: Numbers) -> tuple[Panel, ...]:
    series = []
    for point in (COUNT, FEW):
        seen = [over_networks(_points(some)) for some in networks[point].values()]
        errors = [e.standard_error for e in seen]
        sizes = list(networks[point])
        series.append(Series(point, sizes, [e.mean for e in seen], errors, points=True))
    return (Panel("$N$", "fixed points found", tuple(series)),)


_GATE = {"alpha_r": 10.0}

CASE = ensemble_case(
    name="fixed-points-without-chaos",
    title="Many fixed points, no chaos",
    claim=(
        "Between the fold of the static solutions and that of the chaotic ones networks have many fixed "
        "points, and yet activity dies: topological complexity comes before dynamical complexity."
    ),
    equation=(
        "dh/dt = (-h + J phi(h) sigma_r(r))/2,  dr/dt = -r + J phi(h);  alpha_r = 10\n"
        "static fold 1.753983, chaotic fold 1.857640: g_h = 1.8 between them, 1.3 below both\n"
        "rule: at 1.8 Newton from 30 starts finds fixed points beside rest in more than a tenth of networks, "
        "at 1.3 in less than a tenth; at 1.8 less than half of the starts alive after 400 leak times"
    ),
    source="Krishnamurthy, Can & Schwab, Phys. Rev. X 12, 011011 (2022)",
    model="gated",
    points={
        COUNT: {**_GATE, "g_h": 1.8},
        FEW: {**_GATE, "g_h": 1.3},
        ACTIVITY: {**_GATE, "g_h": 1.8},
    },
    tasks=_tasks,
    judge=_judge,
    draw=_draw,
    quick={"n": 90, "realizations": 12, "n_active": 400},
    full={"n": 140, "realizations": 24, "n_active": 1000},
    faults={
        "output gate that does not move": {"alpha_r": 0.0},
        "static fold too high": {"g_h": 1.3},
        "static fold too low": {"g_h": 1.8},
        "chaotic fold too low": {"g_h": 1.95},
    },
)
