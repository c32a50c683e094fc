"""Lifetimes of transients: how long activity lasts before it falls silent for good."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from dmft.errors import InputError

from .compare import Estimate
from .ensemble import Ensemble, check_finite, network_now
from .network import Array
from .observe import signals

#: Difference of early and late death rates, in standard errors, beyond which they are not one rate.
STEADY = 3.0
#: Confidence of the upper limit of a rate when nobody died.
CONFIDENCE = 0.95

FitStatus = Literal["exponential", "not exponential", "no deaths"]


@dataclass(frozen=True, slots=True)
class LifetimePlan:
    """When activity counts as over, and how long to look. Times in leak time constants.

    ``signal``: field or nonlinearity whose root-mean-square over units is the activity; the first
    field if None. A start dies when its activity falls below ``threshold`` and then stays below
    for ``hold``. Deaths are counted until ``horizon``; the run goes on for ``hold`` longer so that
    the last of them can be told, and ends when all have died. Activity is looked at every ``spacing``.
    """

    threshold: float
    horizon: float
    hold: float = 20.0
    spacing: float = 1.0
    batch: int = 16
    signal: str | None = None


@dataclass(frozen=True, slots=True, eq=False)
class Lifetimes:
    """Of the starts of one network: ``time`` of death where ``died``, else ``horizon``, alive."""

    time: NDArray[np.float64]
    died: NDArray[np.bool_]
    horizon: float


def network_lifetimes(
    ensemble: Ensemble, plan: LifetimePlan, n: int, realization: int
) -> Lifetimes:
    """Lifetimes of ``plan.batch`` starts in network number ``realization`` of ``n`` units.

    A fall below the threshold before the horizon is always followed for the whole ``hold``, so that
    being counted or not has nothing to do with when it happens.
    """
    if not (plan.threshold > 0 and plan.horizon > 0 and plan.hold >= 0 and plan.spacing > 0):
        raise InputError("lifetimes: threshold, horizon and spacing > 0 and hold >= 0 are allowed")
    run = ensemble.begin(n, realization, batch=plan.batch)
    name = plan.signal or run.network.right.info.fields[0]
    steps = max(1, round(plan.spacing / run.dt))
    fallen = np.full(plan.batch, np.inf)  # since when below the threshold
    while run.time < plan.horizon + plan.hold:
        run.advance(steps)
        check_finite(run)
        below = activity(signals(network_now(run), run.x)[name]) < plan.threshold
        fallen = np.where(below, np.minimum(fallen, run.time), np.inf)
        if (run.time - fallen >= plan.hold).all():
            break
    died = fallen <= plan.horizon
    return Lifetimes(np.where(died, fallen, plan.horizon), died, plan.horizon)


def activity(x: Array) -> NDArray[np.float64]:
    """Root-mean-square over units of every start, ``(batch, N)`` -> ``(batch,)``, in float64."""
    return np.asarray(np.sqrt(np.einsum("bi,bi->b", x, x, dtype=np.float64) / x.shape[1]))


@dataclass(frozen=True, slots=True, eq=False)
class Survival:
    """Share alive at ``time``, with standard errors over networks."""

    time: NDArray[np.float64]
    alive: NDArray[np.float64]
    standard_error: NDArray[np.float64]


def kaplan_meier(time: ArrayLike, died: ArrayLike, at: ArrayLike) -> NDArray[np.float64]:
    """Share alive at the times ``at`` (Kaplan & Meier, J. Am. Stat. Assoc. 53, 457 (1958)).

    prod over deaths up to then of (1 - deaths / at risk); who is censored is at risk until then.

    >>> kaplan_meier([1.0, 2.0, 3.0], [True, False, True], [0.5, 1.0, 3.5]).round(3).tolist()
    [1.0, 0.667, 0.0]
    """
    t, d = np.asarray(time, dtype=np.float64), np.asarray(died, dtype=np.bool_)
    moments = np.unique(t[d])
    at_risk = (t[None, :] >= moments[:, None]).sum(axis=1)
    deaths = (t[d][None, :] == moments[:, None]).sum(axis=1)
    curve = np.concatenate([[1.0], np.cumprod(1.0 - deaths / at_risk)])
    return np.asarray(curve[np.searchsorted(moments, np.asarray(at, dtype=np.float64), "right")])


def survival(networks: Sequence[Lifetimes], at: ArrayLike) -> Survival:
    """Survival over all starts; errors by leaving out one network after the other.

    Starts of one network share its couplings and are not independent; networks are.
    """

    def curve(some: Sequence[Lifetimes]) -> NDArray[np.float64]:
        return kaplan_meier(*_pooled(some), at)

    return Survival(np.asarray(at, dtype=np.float64), curve(networks), _jackknife(curve, networks))


@dataclass(frozen=True, slots=True)
class LifetimeFit:
    """Exponential lifetimes P(T > t) = exp(-rate (t - after)) of those alive at ``after``.

    ``rate`` and ``mean`` = 1/rate with standard errors over networks. ``deaths`` in ``exposure`` units
    of time lived after ``after``. ``status``: "exponential", when the death rates before and after
    the median death agree; "not exponential", when they differ by ``steadiness`` standard errors,
    and the fit is not an answer; "no deaths": the rate is below ``upper_limit`` at 95% confidence if
    starts are independent, and the mean lifetime infinite as far as one can tell.
    """

    rate: Estimate
    mean: Estimate
    deaths: int
    exposure: float
    steadiness: float
    upper_limit: float
    status: FitStatus


def fit_exponential(networks: Sequence[Lifetimes], after: float = 0.0) -> LifetimeFit:
    r"""Maximum likelihood with censoring: deaths over time lived, memory lost at ``after``.

    .. math:: r = \frac{\sum_i d_i}{\sum_i (t_i - t_0)_+}

    (Cox & Oakes, Analysis of Survival Data (1984), section 3.2). The first stretch until ``after``, in
    which starts find the long-lived state or miss it, does not count.
    """
    if len(networks) < 2:
        raise ValueError("an error bar needs at least two networks")

    def rate_between(some: Sequence[Lifetimes], begin: float, end: float) -> float:
        deaths, lived = _deaths_and_exposure(some, begin, end)
        return deaths / lived if lived > 0 else float("nan")

    dof = float(len(networks) - 1)
    deaths, lived = _deaths_and_exposure(networks, after, np.inf)
    rate = rate_between(networks, after, np.inf)
    limit = -np.log(1 - CONFIDENCE) / lived if lived > 0 else float("inf")
    if deaths == 0:
        unknown = Estimate(float("inf"), float("nan"), dof)
        return LifetimeFit(
            Estimate(0.0, float("nan"), dof), unknown, 0, lived, float("nan"), limit, "no deaths"
        )
    error = float(_jackknife(lambda some: np.array(rate_between(some, after, np.inf)), networks))
    time, died = _pooled(networks)
    middle = float(np.median(time[died & (time > after)]))

    def change(some: Sequence[Lifetimes]) -> NDArray[np.float64]:
        early, late = rate_between(some, after, middle), rate_between(some, middle, np.inf)
        return np.array(late - early)

    scatter = float(_jackknife(change, networks))
    steadiness = float(change(networks)) / scatter if scatter > 0 else 0.0
    return LifetimeFit(
        rate=Estimate(rate, error, dof),
        mean=Estimate(1 / rate, error / rate**2, dof),
        deaths=deaths,
        exposure=lived,
        steadiness=steadiness,
        upper_limit=float("nan"),
        status="not exponential" if abs(steadiness) > STEADY else "exponential",
    )


def _pooled(networks: Sequence[Lifetimes]) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    time = np.concatenate([m.time for m in networks])
    return time, np.concatenate([m.died for m in networks])


def _deaths_and_exposure(
    networks: Sequence[Lifetimes], begin: float, end: float
) -> tuple[int, float]:
    """Deaths in (begin, end], and the time that all starts lived between."""
    time, died = _pooled(networks)
    deaths = int(np.sum(died & (time > begin) & (time <= end)))
    return deaths, float(np.clip(np.minimum(time, end) - begin, 0.0, None).sum())


def _jackknife(
    of: Callable[[Sequence[Lifetimes]], NDArray[np.float64]], networks: Sequence[Lifetimes]
) -> NDArray[np.float64]:
    """Standard error over networks, each left out once (Efron 1982)."""
    count = len(networks)
    if count < 2:
        raise ValueError("an error bar needs at least two networks")
    without = np.array([of([*networks[:i], *networks[i + 1 :]]) for i in range(count)])
    return np.asarray(np.sqrt((count - 1) * without.var(axis=0)))
