"""Which numbers of a theory are held against which numbers of the simulated networks."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Literal, Protocol

import numpy as np
from numpy.typing import ArrayLike, NDArray

from .compare import LEVEL, WIDEST, Estimate, Row, decide, extrapolate, over_networks, t_test
from .estimate import Measurement
from .schedule import SAMPLE, Schedule, is_constant

#: Change of C(0) from the first to the second half of a run that would matter, if significant.
DRIFT = 0.02

#: Where C and the means are compared: at the largest N, or extrapolated from all sizes in 1/N.
Moments = Literal["largest N", "N = inf"]


class Theory(Protocol):
    """What is judged; a `dmft.results.solution.Solution` has it."""

    @property
    def branch(self) -> str: ...
    @property
    def variance(self) -> Mapping[str, float | None]: ...
    @property
    def lyapunov(self) -> float | None: ...
    @property
    def error_estimate(self) -> Mapping[str, float | None]: ...
    def at(self, lags: ArrayLike, /) -> Mapping[str, NDArray[np.float64]]: ...


def judge(
    theory: Theory,
    networks: Sequence[Measurement],
    schedule: Schedule,
    level: float = LEVEL,
    *,
    moments: Moments = "largest N",
) -> tuple[tuple[Row, ...], str]:
    """All rows and the verdict.

    C(0) of every field and C of the first field at the judged lags: at the largest N, where they are off
    by O(1/N), or with ``moments`` "N = inf" extrapolated from all sizes in 1/N, for error bars a third
    to a half wider; sizes that do not lie on a straight line then make the row inconclusive. The Lyapunov
    exponent: extrapolated from all sizes, the values at each size shown but not judged. In states
    that move its finite-size bias is ~ 1/N. On constant branches it is the right edge of a random
    matrix's spectrum, which fluctuates and lies off by ~ N^(-1/2) up to logarithms (Cipolloni,
    Erdos & Xu 2022): there the exponent is extrapolated in N^(-1/2).

    A theory with a mean <x> of some field that is not zero is asked for the means of all fields as
    well, with an error of at most the same share of sqrt(C(0)).

    Rest has C = 0, which no average of squares can straddle: there the t-test is replaced by the
    demand that C(0) falls to less than a hundredth of its start.
    """
    # Rest is judged by a bound, and that is for networks to keep, not for a limit.
    over_sizes = moments == "N = inf" and theory.branch != "zero"
    rows = _moments(theory, _Averages(networks, over_sizes), schedule)
    return decide(rows + judge_exponents(theory, networks), level)


class _Averages:
    """A number of every network as an estimate, and what speaks against that estimate."""

    def __init__(self, networks: Sequence[Measurement], over_sizes: bool) -> None:
        sizes = sorted({m.n for m in networks})
        self.over_sizes = over_sizes
        self._by_size = {n: [m for m in networks if m.n == n] for n in sizes}
        self.top = self._by_size[sizes[-1]]

    def of(self, attribute: str, key: str | int) -> tuple[Estimate, str]:
        """The estimate, and an objection to extrapolating it; empty if there is none."""

        def numbers(some: Sequence[Measurement]) -> list[float]:
            return [getattr(m, attribute)[key] for m in some]

        if not self.over_sizes:
            return over_networks(numbers(self.top)), ""
        fit = extrapolate({n: numbers(some) for n, some in self._by_size.items()})
        name = {"second_moment": f"C_{key}(0)", "mean": f"mean_{key}"}.get(attribute, "C(tau)")
        return fit.limit, _bent(name, tuple(self._by_size), "1/N", fit.straightness)


def _bent(what: str, sizes: Sequence[int], law: str, straightness: float) -> str:
    if not straightness < LEVEL:
        return ""
    listed = ", ".join(map(str, sizes))
    return (
        f"{what} at N = {listed} does not lie on a straight line in {law} "
        f"(p = {straightness:.1g}); larger networks are needed"
    )


def _means(theory: Theory, averages: _Averages, objection: str) -> list[Row]:
    """<x> of every field, for theories that break the symmetry x -> -x."""
    means: Mapping[str, float | None] = getattr(theory, "mean", None) or {}
    if not any(means.values()):
        return []
    error = theory.error_estimate.get("mean") or 0.0
    rows = []
    for name, value in means.items():
        seen, bent = averages.of("mean", name)
        size = over_networks([m.second_moment[name] for m in averages.top]).mean ** 0.5
        allowed = WIDEST["C"] * size
        rows.append(_row(f"mean_{name}", value, error, seen, allowed, objection or bent))
    return rows


def _moments(theory: Theory, averages: _Averages, schedule: Schedule) -> list[Row]:
    error = theory.error_estimate.get("variance") or 0.0
    objection = _objection(averages.top) if theory.branch != "zero" else ""
    bound = 0.01 * schedule.amplitude**2 if theory.branch == "zero" else None
    rows = []
    first = next(iter(theory.variance))
    allowed = {}
    for name, value in theory.variance.items():
        seen, bent = averages.of("second_moment", name)
        allowed[name] = WIDEST["C"] * abs(seen.mean)
        why = objection or bent
        rows.append(_row(f"C_{name}(0)", value, error, seen, allowed[name], why, bound))
    if bound is not None:
        return rows
    rows += _means(theory, averages, objection)
    error = theory.error_estimate.get("autocorrelation") or 0.0
    times = [SAMPLE * lag for lag in schedule.judged_lags]
    curve = theory.at(times)[first] if times else np.zeros(0)
    for time, lag, value in zip(times, schedule.judged_lags, curve, strict=True):
        k = schedule.lags.index(lag)
        seen, bent = averages.of("autocorrelation", k)
        name = f"C_{first}({time:g})"
        why = objection or bent
        rows.append(_row(name, float(value), error, seen, allowed[first], why))
    return rows


def judge_exponents(theory: Theory, networks: Sequence[Measurement]) -> list[Row]:
    """The exponent extrapolated from all sizes, and that of every size, which is only shown."""
    sizes = sorted({m.n for m in networks})
    samples = {n: [m.lyapunov for m in networks if m.n == n] for n in sizes}
    error = theory.error_estimate.get("lyapunov") or 0.0
    constant = is_constant(theory.branch)
    fit = extrapolate(samples, 0.5 if constant else 1.0)
    objection = _bent("lambda", sizes, "N^-1/2" if constant else "1/N", fit.straightness)
    limit = _row(
        "lambda (N = inf)",
        theory.lyapunov,
        error,
        fit.limit,
        WIDEST["lyapunov"] * abs(fit.limit.mean),
        objection=objection,
    )
    shown = [
        _row(f"lambda (N = {n})", theory.lyapunov, error, over_networks(v), np.inf, judged=False)
        for n, v in samples.items()
    ]
    return [limit, *shown]


def _objection(top: Sequence[Measurement]) -> str:
    """A significant and sizeable drift of C(0) during the runs, in words."""
    drift = over_networks([m.drift for m in top])
    p, _ = t_test(drift.mean, drift.standard_error, drift.dof)
    if p < LEVEL and abs(drift.mean) > DRIFT:
        return (
            f"C(0) changed by {100 * drift.mean:+.1f}% between the halves of the runs "
            f"(p = {p:.1g}): the networks had not settled"
        )
    return ""


def _row(
    quantity: str,
    theory: float | None,
    theory_error: float,
    seen: Estimate,
    allowed: float,
    objection: str = "",
    bound: float | None = None,
    *,
    judged: bool = True,
) -> Row:
    return Row(
        quantity=quantity,
        theory=float("nan") if theory is None else float(theory),
        theory_error=theory_error,
        simulation=seen.mean,
        standard_error=seen.standard_error,
        dof=seen.dof,
        allowed_error=allowed,
        judged=judged,
        objection=objection,
        bound=bound,
    )
