"""Which numbers of a theory are held against which numbers of the simulated networks."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Protocol

import numpy as np
from numpy.typing import ArrayLike, NDArray

from .compare import LEVEL, WIDEST, Estimate, Row, decide, extrapolate, over_networks, t_test
from .estimate import Measurement
from .schedule import SAMPLE, Schedule, is_constant

#: Change of C(0) from the first to the second half of a run that would matter, if significant.
DRIFT = 0.02


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
    theory: Theory, networks: Sequence[Measurement], schedule: Schedule, level: float = LEVEL
) -> tuple[tuple[Row, ...], str]:
    """All rows and the verdict.

    C(0) of every field and C of the first field at the judged lags: at the largest N. The Lyapunov
    exponent: extrapolated from all sizes, the values at each size shown but not judged. In states
    that move its finite-size bias is ~ 1/N. On constant branches it is the right edge of a random
    matrix's spectrum, which fluctuates and lies off by ~ N^(-1/2) up to logarithms (Cipolloni,
    Erdos & Xu 2022): there the exponent is extrapolated in N^(-1/2).

    A theory with a mean <x> of some field that is not zero is asked for the means of all fields as
    well, with an error of at most the same share of sqrt(C(0)).

    Rest has C = 0, which no average of squares can straddle: there the t-test is replaced by the
    demand that C(0) falls to less than a hundredth of its start.
    """
    largest = max(m.n for m in networks)
    top = [m for m in networks if m.n == largest]
    rows = _moments(theory, top, schedule) + judge_exponents(theory, networks)
    return decide(rows, level)


def _means(theory: Theory, top: Sequence[Measurement], objection: str) -> list[Row]:
    """<x> of every field, for theories that break the symmetry x -> -x."""
    means: Mapping[str, float | None] = getattr(theory, "mean", None) or {}
    if not any(means.values()):
        return []
    error = theory.error_estimate.get("mean") or 0.0
    rows = []
    for name, value in means.items():
        seen = over_networks([m.mean[name] for m in top])
        size = over_networks([m.second_moment[name] for m in top]).mean ** 0.5
        rows.append(_row(f"mean_{name}", value, error, seen, WIDEST["C"] * size, objection))
    return rows


def _moments(theory: Theory, top: Sequence[Measurement], schedule: Schedule) -> list[Row]:
    error = theory.error_estimate.get("variance") or 0.0
    objection = _objection(top) if theory.branch != "zero" else ""
    bound = 0.01 * schedule.amplitude**2 if theory.branch == "zero" else None
    rows = []
    first = next(iter(theory.variance))
    allowed = {}
    for name, value in theory.variance.items():
        seen = over_networks([m.second_moment[name] for m in top])
        allowed[name] = WIDEST["C"] * abs(seen.mean)
        rows.append(_row(f"C_{name}(0)", value, error, seen, allowed[name], objection, bound))
    if bound is not None:
        return rows
    rows += _means(theory, top, objection)
    error = theory.error_estimate.get("autocorrelation") or 0.0
    times = [SAMPLE * lag for lag in schedule.judged_lags]
    curve = theory.at(times)[first] if times else np.zeros(0)
    for time, lag, value in zip(times, schedule.judged_lags, curve, strict=True):
        k = schedule.lags.index(lag)
        seen = over_networks([m.autocorrelation[k] for m in top])
        name = f"C_{first}({time:g})"
        rows.append(_row(name, float(value), error, seen, allowed[first], objection))
    return rows


def judge_exponents(theory: Theory, networks: Sequence[Measurement]) -> list[Row]:
    """The exponent extrapolated from all sizes, and that of every size, which is only shown."""
    sizes = sorted({m.n for m in networks})
    samples = {n: [m.lyapunov for m in networks if m.n == n] for n in sizes}
    error = theory.error_estimate.get("lyapunov") or 0.0
    constant = is_constant(theory.branch)
    fit = extrapolate(samples, 0.5 if constant else 1.0)
    bent = fit.straightness < LEVEL
    objection = (
        f"lambda at N = {', '.join(map(str, sizes))} does not lie on a straight line in "
        f"{'N^-1/2' if constant else '1/N'} (p = {fit.straightness:.1g}); larger networks are needed"
    )
    limit = _row(
        "lambda (N = inf)",
        theory.lyapunov,
        error,
        fit.limit,
        WIDEST["lyapunov"] * abs(fit.limit.mean),
        objection=objection if bent else "",
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
