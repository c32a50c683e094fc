"""Lifetimes of activity beside a stable rest, over the size of the network."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from ..case import Panel, Series, Settings
from ..compare import Estimate, Row, combine, over_networks
from ..ensemble import Ensemble
from ..ensemble_case import Numbers, Points, Task, ensemble_case, sign_row
from ..lifetime import LifetimePlan, network_lifetimes

#: Where the chaotic branch folds at alpha_r = 10, tau_r = 1.
FOLD = 1.857640
ABOVE, BELOW = "1.05 of the fold", "0.95 of the fold"
PLAN = LifetimePlan(threshold=0.02, horizon=480.0, hold=10.0, batch=6)
#: What below the fold a doubling of N must not add to the time lived: 5% of the horizon.
GROWTH = 0.05 * PLAN.horizon


def _numbers(ensemble: Ensemble, plan: LifetimePlan, n: int, realization: int) -> Mapping[str, Any]:
    found = network_lifetimes(ensemble, plan, n, realization)
    return {"lived": float(found.time.mean()), "alive": float(1 - found.died.mean())}


def _tasks(settings: Settings) -> Mapping[str, Task]:
    n = settings["n"]
    # Below, lives are short: more networks cost little, and rare survivors scatter.
    counts = {ABOVE: settings["realizations"], BELOW: settings["below"]}
    return {
        point: Task({n // 4: some, n // 2: some, n: some}, _numbers, PLAN)
        for point, some in counts.items()
    }


def _slope(networks: Mapping[int, Sequence[Mapping[str, Any]]]) -> Estimate:
    """Change of the time lived per doubling of N: least squares over the means at all sizes."""
    x = np.log2(np.array(list(networks), dtype=float))
    x -= x.mean()
    means = [over_networks([m["lived"] for m in some]) for some in networks.values()]
    return combine(x / (x @ x), means)


def _judge(theory: Points, networks: Numbers) -> Sequence[Row]:
    rows = []
    for point, solution in theory.items():
        chaotic = solution.branch == "chaotic"
        alive = over_networks([m["alive"] for m in networks[point][max(networks[point])]])
        rows.append(sign_row(f"{point}: share alive at the end", 0.5, alive, chaotic))
        # Without chaos a negative trend, of rare survivors in small networks, is no objection.
        slope = _slope(networks[point])
        limit = 0.0 if chaotic else GROWTH
        rows.append(sign_row(f"{point}: time lived, per doubling of N", limit, slope, chaotic))
    return rows


def _draw(theory: Points, networks: Numbers) -> tuple[Panel, ...]:
    series = []
    for point, sizes in networks.items():
        seen = [over_networks([m["lived"] for m in some]) for some in sizes.values()]
        errors = [e.standard_error for e in seen]
        series.append(Series(point, list(sizes), [e.mean for e in seen], errors, points=True))
    return (Panel("$N$", "time lived (leak times, at most 480)", tuple(series), ("x",)),)


CASE = ensemble_case(
    name="transient-lifetime",
    title="Transients that live longer in larger networks",
    claim=(
        "Beside a stable rest activity is a transient whose lifetime grows with the size of the network "
        "where the theory has a chaotic state, and does not grow where it has none."
    ),
    equation=(
        "dh/dt = (-h + J phi(h) sigma_r(r))/2,  dr/dt = -r + J phi(h)\n"
        f"alpha_r = 10, g_h = 1.05 and 0.95 of the fold {FOLD}; N, N/2, N/4; time lived, at most 480\n"
        "rule: above, a doubling of N adds to the time lived and more than half are alive at the end; below, "
        f"it adds less than {GROWTH:g} and less than half are alive; one-sided tests at level 0.001"
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
    quick={"n": 400, "realizations": 24, "below": 36},
    full={"n": 800, "realizations": 24, "below": 72},
    faults={
        "output gate that does not move": {"alpha_r": 0.0},
        "fold too low": {"g_h": 1.05 * FOLD},
        "fold too high": {"g_h": 0.95 * FOLD},
    },
)
