r"""Averages over pairs of Gaussian values, F(D, C) = E f(x) f(y), with exact derivatives.

For var x = var y = D and cov(x, y) = C = rho D the Hermite (Mehler) series is

    F(D, C) = sum_n c_n(D)^2 rho^n,      c_n(D) = E[ f(sqrt(D) x) he_n(x) ],  x standard normal.

The c_n come from the trapezoid rule in x, whose error falls like exp(-pi^2 / (a h)) for a function
of gain times standard deviation a; the step h is halved until E f^2 is stable. The series is cut
where Parseval's tail E f^2 - sum c_n^2 is below the tolerance: a bound on the error at every rho.
Derivatives are those of the cut series itself, so that Newton's method converges to rounding error:

    dF/dC = sum_n n c_n^2 rho^(n-1) / D,
    dF/dD = sum_n 2 c_n c_n' rho^n - rho dF/dC,    c_n' = E[ x f'(sqrt(D) x) he_n(x) ] / (2 sqrt D).

A mean of x and y only shifts f; the derivative by it is 2 E f'(x) f(y), where f' has the
coefficients sqrt((n+1)/D) c_{n+1}.

Steep functions, a >> 1, need some 100 a^2 terms, but only near |rho| = 1: there the series gives way
to smoothing (`smoothed_pair`). The first terms need little of such a function: he_n(x) w(x) has wave
numbers up to sqrt(n) only, so that f is put through a low pass and taken on a coarse grid. Fixed
Gauss-Hermite orders lose digits silently as a grows and are not used.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property, partial
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import fft, special

from .hermite_table import BLOCK, HermiteTable, hermite_table
from .smoothed_pair import SmoothedPair

__all__ = ["AverageBudgetError", "PairAverage", "pair_average"]

Floats = NDArray[np.float64]
#: x -> (f, f', f'') on an array
UnaryFunction = Callable[[Any], list[Any]]

_FIRST_STEP = 0.4
_SMALLEST_STEP = _FIRST_STEP / 2**12
#: The series gives way to smoothing near |rho| = 1 rather than grow beyond this: at |rho| > 0.9.
_MOST_TERMS = 512
#: A step at which all he_n w of the series are resolved twice over; half the period of the low pass, on
#: which no weight is left; and where its window falls (see `smoothed_pair`).
_COARSE_STEP, _HALF_PERIOD = _FIRST_STEP / 2**3, 15.0
_EDGE, _EDGE_WIDTH = 12.6, 0.35
_TOO_MANY_NODES = (
    "a Gaussian average needs more nodes than allowed: gain times standard deviation is too large"
)


class AverageBudgetError(ArithmeticError):
    """A Gaussian average needs more nodes or terms than allowed."""


@dataclass(frozen=True)
class PairAverage:
    """The series of one function at one variance. ``error`` bounds |error of F| for all rho."""

    variance: float
    coefficients: Floats
    slopes: Floats  # dc_n / dD
    error: float
    near_one: SmoothedPair | None = None
    switch: float = 1.0  # |rho| beyond which ``near_one`` is used

    @cached_property
    def _series(self) -> tuple[Floats, int, int]:
        """Coefficients of F, D dF/dC and dF/dD at fixed rho, folded into (rows, width, 3)."""
        c = self.coefficients
        order = np.arange(c.size)
        squares = c * c
        table = np.zeros((c.size, 3))
        table[:, 0] = squares
        table[:-1, 1] = order[1:] * squares[1:]
        table[:, 2] = 2 * c * self.slopes
        width = max(1, round(np.sqrt(c.size)))
        rows = -(-c.size // width)
        folded = np.zeros((rows * width, 3))
        folded[: c.size] = table
        return folded.reshape(rows, width, 3), rows, width

    def at(self, covariance: Floats) -> tuple[Floats, Floats, Floats]:
        """F, dF/dC at fixed D and dF/dD at fixed C, for |covariance| <= variance."""
        rho = np.asarray(covariance, dtype=float) / self.variance
        if self.near_one is None:
            return self._sum(rho)
        near = abs(rho) > self.switch
        result = np.empty((3, rho.size))
        result[:, ~near] = self._sum(rho[~near])
        result[:, near] = self.near_one.at(np.clip(rho[near], -1.0, 1.0))
        return result[0], result[1], result[2]

    def by_mean(self, covariance: Floats) -> Floats:
        """dF/dmu at fixed D and C: both means grow together."""
        rho = np.asarray(covariance, dtype=float) / self.variance
        c = self.coefficients
        c = np.append(c, 0.0)
        products = 2 * c[:-1] * c[1:] * np.sqrt(np.arange(1, c.size) / self.variance)
        near = abs(rho) > self.switch if self.near_one is not None else np.zeros(rho.shape, bool)
        result = np.empty(rho.size)
        result[~near] = np.polynomial.polynomial.polyval(rho[~near], products)
        if self.near_one is not None:
            result[near] = self.near_one.by_mean(np.clip(rho[near], -1.0, 1.0))
        return result

    def _sum(self, rho: Floats) -> tuple[Floats, Floats, Floats]:
        folded, rows, width = self._series
        powers = rho[:, None] ** np.arange(width)
        parts = powers @ folded.transpose(1, 0, 2).reshape(width, rows * 3)
        parts = parts.reshape(rho.size, rows, 3)
        stride = (rho**width)[:, None]
        total = parts[:, -1]
        for row in range(rows - 2, -1, -1):
            total = total * stride + parts[:, row]
        slope = total[:, 1] / self.variance
        return total[:, 0], slope, total[:, 2] - rho * slope


@dataclass(frozen=True)
class _PointAverage(PairAverage):
    """A value that does not fluctuate: C = D = 0 only."""

    point: tuple[float, float, float] = (0.0, 0.0, 0.0)  # f, f', f''

    @staticmethod
    def of(function: UnaryFunction) -> _PointAverage:
        value, slope, curvature = (float(np.asarray(v)) for v in function(np.array(0.0))[:3])
        at_once = np.array([value]), np.array([value * curvature])
        return _PointAverage(0.0, *at_once, 0.0, point=(value, slope, curvature))

    def at(self, covariance: Floats) -> tuple[Floats, Floats, Floats]:
        value, slope, curvature = self.point
        one = np.ones(np.shape(covariance))
        return value**2 * one, slope**2 * one, value * curvature * one

    def by_mean(self, covariance: Floats) -> Floats:
        return 2 * self.point[0] * self.point[1] * np.ones(np.shape(covariance))


def _shifted(function: UnaryFunction, mean: float, x: Any) -> list[Any]:
    return function(mean + x)


def _split(values: Floats) -> Floats:
    """Even and odd part at nodes >= 0, from values at -x (first half, reversed) and x."""
    half = values.size // 2
    plus, minus = values[half:], values[:half][::-1]
    return np.stack([(plus + minus) / 2, (plus - minus) / 2])


def _sample(function: UnaryFunction, variance: float, table: HermiteTable) -> tuple[Floats, Floats]:
    """f and x f' as (even, odd) parts at the nodes >= 0."""
    nodes = np.concatenate([-table.nodes[::-1], table.nodes])
    value, slope, *_ = function(np.sqrt(variance) * nodes)
    return _split(np.asarray(value)), _split(nodes * np.asarray(slope))


def _low_passed(
    function: UnaryFunction, variance: float, step: float, table: HermiteTable
) -> tuple[Floats, Floats]:
    """Like `_sample` on a coarse table, of f without the wave numbers that the table cannot tell."""
    fine = round(2 * _HALF_PERIOD / step)
    coarse = round(2 * _HALF_PERIOD / table.step)
    x = (np.arange(fine) - fine // 2) * step
    value, slope, *_ = function(np.sqrt(variance) * x)
    window = 0.5 * special.erfc((abs(x) - _EDGE) / _EDGE_WIDTH)
    series = fft.rfft(np.stack([value, x * slope]) * window, axis=-1)[:, : coarse // 2 + 1]
    low = fft.irfft(series, n=coarse, axis=-1) * (coarse / fine)
    reach, middle = table.nodes.size, coarse // 2
    plus, minus = low[:, middle : middle + reach], low[:, middle : middle - reach : -1]
    even, odd = (plus + minus) / 2, (plus - minus) / 2
    return np.stack([even[0], odd[0]]), np.stack([even[1], odd[1]])


def _weights(table: HermiteTable) -> Floats:
    """Trapezoid weights for functions given at nodes >= 0 by an even integrand."""
    weights = np.full(table.nodes.size, 2 * table.step)
    weights[0] = table.step
    return weights


def _adequate_step(function: UnaryFunction, variance: float, tol: float) -> tuple[float, float]:
    """The coarsest step at which E f^2 and E (x f')^2 agree with half of it, and E f^2."""
    step = _FIRST_STEP
    before: Floats | None = None
    while step >= _SMALLEST_STEP:
        table = hermite_table(step)
        moments = np.array(
            [
                np.sum(_weights(table) * table.root_density**2 * np.sum(parts**2, axis=0))
                for parts in _sample(function, variance, table)
            ]
        )
        # where f saturates x f' is small by cancellation: its rounding error is that of f
        slack = np.array([0.0, 2e-16 * np.sqrt(moments[0] * moments[1]) + 1e-28 * moments[0]])
        if before is not None and np.all(abs(moments - before) <= tol * abs(moments) + slack):
            return 2 * step, float(moments[0])
        before, step = moments, step / 2
    raise AverageBudgetError(_TOO_MANY_NODES)


def _expand(
    function: UnaryFunction, variance: float, step: float, power: float, cut: float
) -> tuple[Floats, Floats, float] | None:
    """c_n and E[x f' he_n] until Parseval's tail is below ``cut`` or terms run out, and the tail.

    ``power`` is E f^2.

    None when the step is too coarse: the nodes resolve psi_n, whose wave number is sqrt(n), up to
    n = (pi/h - 1)^2 only.
    """
    table = hermite_table(max(step, _COARSE_STEP))
    if step < _COARSE_STEP:
        value, slope = _low_passed(function, variance, step / 2, table)
    else:
        value, slope = _sample(function, variance, table)
    weighted = np.concatenate([value, slope]) * (_weights(table) * table.root_density)
    tail = power
    resolved = int((np.pi / table.step - 1) ** 2)
    rows, parity = np.arange(BLOCK), np.arange(BLOCK) % 2
    columns: list[Floats] = []
    count = 0
    for block in table.blocks():
        products = block @ weighted.T
        pair = np.stack([products[rows, parity], products[rows, 2 + parity]])
        pair = pair[:, : max(resolved - count, 0)]
        tails = tail - np.cumsum(pair[0] ** 2)
        below = np.flatnonzero(tails <= cut)
        count += BLOCK
        if below.size:
            columns.append(pair[:, : below[0] + 1])
            c, d = np.concatenate(columns, axis=1)
            return c, d, cut
        if count >= resolved:
            return None
        columns.append(pair)
        tail = float(tails[-1])
        if count >= _MOST_TERMS:
            break
    c, d = np.concatenate(columns, axis=1)
    return c, d, tail


def pair_average(
    function: UnaryFunction, variance: float, tol: float = 1e-14, mean: float = 0.0
) -> PairAverage:
    """Compute the series of E f(x) f(y) at one mean and variance >= 0.

    Raises `AverageBudgetError` when the function is too steep for the largest grid.

    Parameters
    ----------
    function
        Maps an array to (f, f', f'').
    variance
        D, of both values.
    tol
        Bound on the cut tail relative to E f^2 (not below 4e-15, where rounding takes over).
    mean
        Of both values.

    Examples
    --------
    >>> import numpy as np
    >>> square = pair_average(lambda x: [x**2, 2 * x, 2 + 0 * x], 2.0)   # E x^2 y^2 = D^2 + 2 C^2
    >>> [round(float(v[0]), 10) for v in square.at(np.array([0.5]))]
    [4.5, 2.0, 4.0]
    """
    if not variance >= 0:
        raise ValueError(f"variance = {variance}: must be >= 0")
    if mean:
        function = partial(_shifted, function, mean)
    if variance == 0:
        return _PointAverage.of(function)
    tol = max(tol, 4e-15)
    step, power = _adequate_step(function, variance, tol)
    while step >= _SMALLEST_STEP:
        found = _expand(function, variance, step, power, tol * power)
        if found is None:
            step /= 2
            continue
        c, d, tail = found
        slopes = d / (2 * np.sqrt(variance))
        if tail <= tol * power:
            return PairAverage(variance, c, slopes, 2 * tol * power)
        near = SmoothedPair(function, variance, step / 2, tol)
        # the n-th term of dF/dC is n times larger: its tail decides
        switch = float((tol * power / (c.size * tail)) ** (1 / c.size))
        return PairAverage(variance, c, slopes, 2 * tol * power, near, switch)
    raise AverageBudgetError(_TOO_MANY_NODES)
