"""Chaos beside rest: how many starts stay active, and the averages over those that do."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from .ensemble import Ensemble, check_finite, settle
from .lifetime import activity
from .observe import signals


@dataclass(frozen=True, slots=True)
class SurvivorPlan:
    """``starts`` of one network are averaged over ``duration`` after a ``transient`` (leak times).

    A start is alive if the root-mean-square over units of its first field is still above ``threshold``
    at the end: averages over those are averages of the chaotic state, long-lived if not for ever.
    """

    threshold: float
    transient: float = 60.0
    duration: float = 120.0
    starts: int = 4


@dataclass(frozen=True, slots=True)
class Survivors:
    """Of one network: ``alive`` is the share of its starts; the others are NaN if there is none.

    ``second_moment``: <x^2> of the first field over units, time and the starts alive. ``lyapunov``:
    their largest exponent, mean over starts.
    """

    alive: float
    second_moment: float
    lyapunov: float


def network_survivors(
    ensemble: Ensemble, plan: SurvivorPlan, n: int, realization: int
) -> Survivors:
    """Those of network number ``realization`` of ``n`` units."""
    run = ensemble.begin(n, realization, batch=plan.starts, tangents=plan.starts)
    settle(run, plan.transient)
    first = ensemble.right.info.fields[0]
    steps = max(1, round(1.0 / run.dt))
    times = max(1, round(plan.duration / (steps * run.dt)))
    square, growth = np.zeros(plan.starts), np.zeros(plan.starts)
    for _ in range(times):
        growth += run.advance(steps)
        square += activity(signals(run.network, run.x)[first]) ** 2 / times
    check_finite(run)
    alive = activity(run.x[0]) >= plan.threshold
    if not alive.any():
        return Survivors(0.0, float("nan"), float("nan"))
    rate = growth[alive] / (times * steps * run.dt)
    return Survivors(float(alive.mean()), float(square[alive].mean()), float(rate.mean()))
