r"""Averages E f(x) f(y) over Gaussian pairs of many different variances, millions at once.

For means m_1, m_2, variances v_1, v_2 and covariance c = rho sqrt(v_1 v_2) the Hermite (Mehler) series

    E f(x) f(y) = sum_n c_n(m_1, v_1) c_n(m_2, v_2) rho^n,     c_n(m, v) = E[ f(m + sqrt(v) g) he_n(g) ]

(g standard normal, he_n orthonormal) needs the coefficients once for every value and a short sum for
every pair. After N terms the remainder is at most |rho|^N r(m_1, v_1) r(m_2, v_2),
r^2 = E f^2 - sum_{n<N} c_n^2 (Parseval, Cauchy & Schwarz); that bound itself is added as the last
term, which is exact for equal values, and twice its average is the reported bound on the error. The
c_n are sums over uniform nodes g = (k + 1/2) h, whose error is exp(-pi^2/(a h)) for a function of gain
times standard deviation a, and O(h^2) for a step at zero, which is what a steep function is to the few
largest variances. Step and N follow from a tolerance and a sample of variances, never fixed.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dmft.gaussian.pair_average import AverageBudgetError

__all__ = ["ConditionalAverage", "PairBound"]

Floats = NDArray[np.float64]
UnaryFunction = Callable[[Floats], Any]

_REACH = 6.5
_FIRST_STEP = 0.6
_SMALLEST_STEP = _FIRST_STEP / 2**7
_MOST_TERMS = 200
_CHUNK = 2**18
#: Intervals of a table of coefficients at first, and the largest error halfway, relative to the
#: largest root of E f^2; a table with half the intervals' length is used.
_LEAST_INTERVALS, _TABLE_ERROR = 512, 1e-7


@dataclass(frozen=True)
class PairBound:
    """Averages of f(x) f(y), one for each pair, and a bound on the error of their mean."""

    values: Floats
    error: float


@dataclass(frozen=True)
class ConditionalAverage:
    """The series of one function (x -> f): ``step`` of the nodes, ``terms`` N.

    With ``odd`` the function is odd and all means are zero: even orders are left out.
    """

    function: UnaryFunction
    step: float
    terms: int
    odd: bool

    @staticmethod
    def adapted(
        function: UnaryFunction, means: Floats, variances: Floats, tol: float
    ) -> ConditionalAverage:
        """Choose nodes and terms for a sample of means and variances.

        On average E f^2 must be stable within ``tol``, and the remainder at rho = 1 be below ``tol``,
        both relative to E f^2, unless that takes more terms than allowed: the reported bound tells.
        Raises `AverageBudgetError` when it takes too many nodes.
        """
        odd = not np.any(means) and _is_odd(function, float(np.sqrt(np.max(variances))))
        order = np.argsort(variances)
        picked = order[np.linspace(0, order.size - 1, min(order.size, 200)).astype(int)]
        m, v = means[picked], variances[picked]
        step = _FIRST_STEP
        before: Floats | None = None
        while step >= _SMALLEST_STEP:
            squares = ConditionalAverage(function, step, 1, False).squares(m, v)
            if before is not None and np.mean(abs(squares - before)) <= tol * np.mean(squares):
                step *= 2
                break
            before, step = squares, step / 2
        else:
            raise AverageBudgetError(
                f"a Gaussian average at variance {float(np.max(variances)):.6g} needs more nodes than "
                "allowed: gain times standard deviation is too large"
            )
        # the nodes resolve he_n, of wave number sqrt(n), up to n = (pi/h - 1)^2
        most = ConditionalAverage(function, step, _MOST_TERMS, odd)
        coefficients = most.coefficients(m, v)[:-1]
        squares = most.squares(m, v)
        left = np.mean(squares - np.cumsum(coefficients**2, axis=0), axis=1) / np.mean(squares)
        enough = np.flatnonzero(left <= tol)
        rows = int(enough[0]) + 1 if enough.size else coefficients.shape[0]
        terms = 2 * rows if odd else rows
        while step > _SMALLEST_STEP and (np.pi / step - 1) ** 2 < terms:
            step /= 2
        return ConditionalAverage(function, step, terms, odd)

    @cached_property
    def _nodes(self) -> Floats:
        count = int(np.ceil(_REACH / self.step))
        # an odd function: nodes > 0 with doubled weights
        return np.asarray(self.step * (np.arange(0 if self.odd else -count, count) + 0.5))

    @cached_property
    def _weights(self) -> Floats:
        density = np.exp(-(self._nodes**2) / 2) * self.step / np.sqrt(2 * np.pi)
        return np.asarray(2 * density if self.odd else density)

    @cached_property
    def _projections(self) -> Floats:
        """he_n at the nodes times the weights, (orders, nodes)."""
        x = self._nodes
        rows = [np.ones_like(x), x]
        for n in range(2, self.terms):
            rows.append((x * rows[-1] - np.sqrt(n - 1) * rows[-2]) / np.sqrt(n))
        picked = rows[1 : self.terms : 2] if self.odd else rows[: self.terms]
        return np.array(picked) * self._weights

    def squares(self, means: Floats, variances: Floats) -> Floats:
        """E f(x)^2, one for each variance."""
        x = means[..., None] + np.sqrt(variances)[..., None] * self._nodes
        return np.asarray(np.asarray(self.function(x)) ** 2 @ self._weights)

    def coefficients(self, means: Floats | None, variances: Floats) -> Floats:
        """c_n, and r as the last row; shape (rows + 1, *variances.shape)."""
        deviations = np.sqrt(variances.ravel())
        if means is not None:
            return self._summed(means.ravel(), deviations).reshape(-1, *variances.shape)
        return self._interpolated(deviations).reshape(-1, *variances.shape)

    def _interpolated(self, deviations: Floats) -> Floats:
        """Without means, from a table over the deviations: linear between its points."""
        low, high = float(np.min(deviations)), float(np.max(deviations))
        intervals = _LEAST_INTERVALS
        while 4 * intervals < deviations.size and high - low > 1e-12 * high:
            points = np.linspace(low, high, 2 * intervals + 1)
            table = self._summed(None, points)
            between = (table[:, :-2:2] + table[:, 2::2]) / 2 - table[:, 1:-1:2]
            size = np.sqrt(np.max(np.sum(table * table, axis=0)))
            if np.max(abs(between)) <= _TABLE_ERROR * size:
                place = (deviations - low) * (2 * intervals / (high - low))
                left = np.minimum(place.astype(np.intp), 2 * intervals - 1)
                found = np.diff(table)[:, left]
                found *= place - left
                found += table[:, left]
                return found
            intervals *= 2
        return self._summed(None, deviations)

    def _summed(self, shifts: Floats | None, deviations: Floats) -> Floats:
        """The sums over the nodes, for each deviation."""
        rows = self._projections.shape[0]
        result = np.empty((rows + 1, deviations.size))
        width = max(1, _CHUNK // self._nodes.size)
        for begin in range(0, deviations.size, width):
            part = slice(begin, begin + width)
            x = self._nodes[:, None] * deviations[part]
            if shifts is not None:
                x += shifts[part]
            values = np.asarray(self.function(x))
            c = self._projections @ values
            result[:rows, part] = c
            left = self._weights @ (values * values) - np.einsum("nx,nx->x", c, c)
            result[rows, part] = np.sqrt(np.maximum(left, 0.0))
        return result

    def pairs(self, first: Floats, second: Floats, correlation: Floats) -> PairBound:
        """E f(x) f(y) from the coefficients of x and of y and their correlation."""
        rows = first.shape[0] - 1
        factor = correlation * correlation if self.odd else correlation
        total = first[rows] * second[rows]
        bound = float(np.mean(total * abs(correlation) ** self.terms))
        scratch = np.empty_like(total)
        for n in range(rows - 1, -1, -1):
            total *= factor
            total += np.multiply(first[n], second[n], out=scratch)
        if self.odd:
            total *= correlation
        return PairBound(total, 2 * bound)


def _is_odd(function: UnaryFunction, reach: float) -> bool:
    """Whether f(-x) = -f(x) to rounding, on a grid without symmetry of its own."""
    x = max(reach, 1e-3) * np.linspace(0.017, 4.9, 57)
    plus, minus = np.asarray(function(x)), np.asarray(function(-x))
    return bool(np.max(abs(plus + minus)) <= 4e-15 * max(np.max(abs(plus)), 1e-300))
