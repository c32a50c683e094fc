"""Statistics over independent networks: error bars, extrapolation in 1/N, tests, family-wise level.

The rule is fixed before anything is simulated (`LEVEL`, `WIDEST`), tests are two-sided, and a
quantity that was measured too coarsely to tell is never called a success.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import special, stats

#: Family-wise level: the probability that a true theory fails on any of its rows.
LEVEL = 1e-3
#: Widest standard error with which a row may pass: of C(0) and of the Lyapunov exponent, relative.
WIDEST = {"C": 0.02, "lyapunov": 0.10}


@dataclass(frozen=True, slots=True)
class Estimate:
    """A mean over networks with its standard error and the degrees of freedom of that error."""

    mean: float
    standard_error: float
    dof: float


@dataclass(frozen=True, slots=True)
class Extrapolation:
    """The limit N -> infinity, the coefficient of N^-exponent, and the p-value of a straight line.

    ``straightness`` is the two-sided p-value of the deviation of the sizes from a straight line in
    N^-exponent; NaN with fewer than three sizes.
    """

    limit: Estimate
    slope: float
    straightness: float


@dataclass(frozen=True, slots=True)
class Row:
    """One comparison. ``allowed_error`` is the widest standard error it may pass with.

    ``score`` is the standard normal number with the same two-sided p-value and the sign of
    simulation minus theory. ``verdict``: "pass", "fail", "inconclusive", or "shown" if not judged.
    ``objection``: why the numbers cannot be judged, which makes the row inconclusive. ``bound``:
    the row has no t-test, the simulated value must not exceed this number. ``sign``, +1 or -1: only
    the sign of simulation minus theory is claimed; the row passes when a one-sided test at `LEVEL`
    shows it, fails when one shows the other sign, and else is inconclusive.
    """

    quantity: str
    theory: float
    theory_error: float
    simulation: float
    standard_error: float
    dof: float
    allowed_error: float
    judged: bool
    score: float = float("nan")
    p_value: float = float("nan")
    verdict: str = "shown"
    objection: str = ""
    bound: float | None = None
    sign: int | None = None


def over_networks(values: ArrayLike) -> Estimate:
    """Mean and standard error of independent values, one per network.

    >>> over_networks([1.0, 2.0, 3.0])
    Estimate(mean=2.0, standard_error=0.5773502691896258, dof=2.0)
    """
    v = np.asarray(values, dtype=np.float64)
    if v.size < 2:
        raise ValueError("an error bar needs at least two networks")
    return Estimate(float(v.mean()), float(v.std(ddof=1) / np.sqrt(v.size)), float(v.size - 1))


def combine(coefficients: ArrayLike, estimates: Sequence[Estimate]) -> Estimate:
    """A linear combination of independent estimates (Welch 1947, Satterthwaite 1946).

    Var = sum_i (c_i s_i)^2 with dof = Var^2 / sum_i (c_i s_i)^4 / dof_i.
    """
    c = np.asarray(coefficients, dtype=np.float64)
    parts = (c * [e.standard_error for e in estimates]) ** 2
    total = parts.sum()
    dof = [e.dof for e in estimates]
    effective = total**2 / float(np.sum(parts**2 / dof)) if total > 0 else float(sum(dof))
    return Estimate(float(c @ [e.mean for e in estimates]), float(np.sqrt(total)), float(effective))


def extrapolate(samples: Mapping[int, ArrayLike], exponent: float = 1.0) -> Extrapolation:
    """Weighted least squares of a + b N^-exponent through the networks of all sizes.

    ``samples``: size N -> one value per network. A network of size N has weight N, because the
    fluctuations of self-averaging quantities have variance ~ 1/N; the weights are fixed beforehand
    so that the limit is a fixed linear combination of the means. Its error does not rely on that
    law: it is propagated from the scatter seen at every size.

    >>> fit = extrapolate({100: [1.1, 1.11, 1.09], 200: [1.05, 1.06, 1.04]})
    >>> round(fit.limit.mean, 12), round(fit.slope, 12)
    (1.0, 10.0)
    """
    sizes = sorted(samples)
    if len(sizes) < 2:
        raise ValueError("an extrapolation needs at least two sizes")
    estimates = [over_networks(samples[n]) for n in sizes]
    x = np.array(sizes, dtype=np.float64) ** -exponent
    weight = np.array([n * np.asarray(samples[n]).size for n in sizes], dtype=np.float64)
    design = np.stack([np.ones_like(x), x / x[0]], axis=1)
    normal = design.T @ (weight[:, None] * design)
    fit = np.linalg.solve(normal, design.T * weight)
    limit = combine(fit[0], estimates)
    slope = combine(fit[1] / x[0], estimates).mean
    straightness = float("nan")
    if len(sizes) == 3:
        # The one contrast of three sizes that every straight line sends to zero.
        bend = combine(np.cross(design[:, 0], design[:, 1]), estimates)
        straightness = t_test(bend.mean, bend.standard_error, bend.dof)[0]
    return Extrapolation(limit, slope, straightness)


def t_test(difference: float, error: float, dof: float) -> tuple[float, float]:
    """Two-sided p-value of ``difference`` with standard error ``error``, and its normal score.

    >>> p, score = t_test(-3.0, 1.0, 1e9)
    >>> round(p, 5), round(score, 5)
    (0.0027, -3.0)
    """
    if not np.isfinite([difference, error]).all():
        return float("nan"), float("nan")
    if error == 0:
        return (1.0, 0.0) if difference == 0 else (0.0, float(np.copysign(np.inf, difference)))
    log_tail = _log_tail(abs(difference) / error, dof)
    # ndtri_exp inverts from the logarithm: scores are not cut off where p leaves the doubles.
    score = -float(special.ndtri_exp(log_tail))
    return float(min(1.0, 2 * np.exp(log_tail))), float(np.copysign(score, difference))


def _log_tail(t: float, dof: float) -> float:
    """ln P(T > t) of Student's t, also where the probability is below the smallest double."""
    tail = float(stats.t.sf(t, dof))
    if tail > 1e-290:
        return float(np.log(tail))
    # P = I_x(a, 1/2) / 2 with a = dof/2, x = dof/(dof + t^2) (DLMF 8.17.8 for the factor of x^a).
    a, x = dof / 2, dof / (dof + t * t)
    series = special.hyp2f1(a + 0.5, 1.0, a + 1.0, x)
    power = -a * np.log1p(t * t / dof) + 0.5 * np.log1p(-x)
    return float(power + np.log(series) - np.log(2 * a) - special.betaln(a, 0.5))


def holm(p_values: ArrayLike, level: float = LEVEL) -> NDArray[np.bool_]:
    """Which hypotheses Holm's step-down procedure rejects (Holm 1979), family-wise at ``level``.

    Valid under any dependence between the tests. NaN is never rejected but counts in the family.

    >>> holm([0.01, 0.03, 0.04], level=0.05).tolist()
    [True, False, False]
    """
    p = np.asarray(p_values, dtype=np.float64)
    rejected = np.zeros(p.size, dtype=np.bool_)
    for rank, index in enumerate(np.argsort(p)):  # NaN sorts last
        if not p[index] <= level / (p.size - rank):
            break
        rejected[index] = True
    return rejected


def tested(row: Row) -> Row:
    """The row with its t-test: both errors count, and the degrees of freedom are the simulation's.

    The theory's error estimate is a bound rather than a scatter, so it adds no degrees of freedom.
    """
    error = float(np.hypot(row.standard_error, row.theory_error))
    p, score = t_test(row.simulation - row.theory, error, row.dof)
    return replace(row, p_value=p, score=score)


def decide(rows: Sequence[Row], level: float = LEVEL) -> tuple[tuple[Row, ...], str]:
    """Rows with their verdicts, and the verdict on all of them.

    Rows that claim a sign are tested one by one, outside the family: they are passed by evidence, not
    by the lack of it.
    A row with an error bar wider than allowed, with an objection, or with numbers that are not
    finite is inconclusive. The whole is "fail" if a well measured row is rejected, else
    "inconclusive" if any row is or if nothing was judged, else "pass".
    """
    tests = [i for i, row in enumerate(rows) if row.judged and row.bound is None]
    family = [i for i in tests if rows[i].sign is None]
    result = [tested(row) if i in tests else row for i, row in enumerate(rows)]
    rejected = dict(
        zip(family, holm([result[i].p_value for i in family], level).tolist(), strict=True)
    )
    for i, row in enumerate(result):
        if row.judged:
            result[i] = replace(row, verdict=_verdict(row, rejected.get(i, False), level))
    verdicts = {row.verdict for row in result if row.judged}
    for worst in ("fail", "inconclusive"):
        if worst in verdicts:
            return tuple(result), worst
    return tuple(result), "pass" if verdicts else "inconclusive"


def _verdict(row: Row, rejected: bool, level: float) -> str:
    if row.objection or not np.isfinite(row.simulation):
        return "inconclusive"
    if row.bound is not None:
        return "pass" if row.simulation <= row.bound else "fail"
    if row.sign is not None:
        seen = row.sign * row.score if row.p_value <= 2 * level else 0.0
        return "pass" if seen > 0 else "fail" if seen < 0 else "inconclusive"
    # Written so that a NaN in any of the numbers is not precise.
    precise = row.standard_error <= row.allowed_error and row.p_value >= 0
    return "inconclusive" if not precise else "fail" if rejected else "pass"
