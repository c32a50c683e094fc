r"""Averages E f(x) f(y) over a Gaussian pair for many paths at once, each with its own variances and means.

With x = mu + s u, y = mu' + s' u' and correlation rho of the standard normals u, u',

    E f(x) f(y) = sum_k c_k c'_k rho^k,        c_k = E f(mu + s u) he_k(u),

where f, mu, s may differ between the two times. The c_k of a time are computed once, by the trapezoid rule
(`dmft.gaussian.hermite_table`), up to the order K where the mean power left out is below a tolerance;
what is left is given to the next order,

    c_{K+}^2 = E f^2 - sum_{k<=K} c_k^2,      c_k = 0 beyond.

So every time has a vector of coefficients, cut where it needs to be, and whatever is cut the sums are
covariances of some process: exact at equal times, elsewhere off by less than c_{K+} c'_{K+}. Rules that
differ between pairs would break that, and paths could not be drawn from the result.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dmft.gaussian.hermite_table import BLOCK as TABLE_BLOCK
from dmft.gaussian.hermite_table import hermite_table
from dmft.gaussian.pair_average import AverageBudgetError

from .two_time_history import History

__all__ = ["PathAverage"]

Floats = NDArray[np.float64]
Function = Callable[[Floats, int], Floats]

_FIRST_STEP = 0.4
_SMALLEST_STEP = _FIRST_STEP / 2**7
#: Beyond this node the density is 1e-18.
_REACH = 9.0
#: Power of the orders looked at in one go, and the most that are kept.
_MOST_ORDERS = 4 * TABLE_BLOCK
#: An order whose power is below this share of the tolerance is left out.
_NOTHING = 1e-3
#: The highest order is lowered when less than this share of it is needed.
_MARGIN = 0.6
#: Numbers in a block of pairs: three arrays of them stay in a cache of 1 MB.
_CHUNK = 2**15

_HISTORIES = ("coefficients", "mean", "square", "deviation")


class _Rule:
    """Nodes, weights and weighted Hermite functions of the trapezoid rule with one step."""

    def __init__(self, step: float, most: int) -> None:
        table = hermite_table(step)
        inside = table.nodes <= _REACH
        half = table.nodes[inside]
        self.nodes: Floats = np.concatenate([-half[:0:-1], half])
        root = table.root_density[inside]
        both = np.concatenate([root[:0:-1], root])
        self.weights: Floats = step * both * both
        # the nodes resolve he_k, whose wave number is sqrt(k), up to here
        self.orders = max(1, min(most, int((np.pi / step - 1) ** 2)))
        rows: list[Floats] = []
        for block in table.blocks():
            rows.append(block[:, inside])
            if len(rows) * TABLE_BLOCK >= self.orders:
                break
        functions = np.concatenate(rows)[: self.orders]
        sign = np.where(np.arange(self.orders) % 2, -1.0, 1.0)[:, None]
        values = np.concatenate([sign * functions[:, :0:-1], functions], axis=1)
        self.projection: Floats = (step * values * both).T  # (nodes, orders)


@lru_cache(maxsize=8)
def _rule(step: float, most: int) -> _Rule:
    """The rules used last are kept; all functions share them."""
    return _Rule(step, most)


@lru_cache(maxsize=16)
def _nodes(step: float) -> tuple[Floats, Floats]:
    """Nodes of the trapezoid rule in the standard normal, and their weights."""
    half = step * np.arange(int(_REACH / step) + 1)
    nodes = np.concatenate([-half[:0:-1], half])
    return nodes, step * np.exp(-(nodes**2) / 2) / np.sqrt(2 * np.pi)


class PathAverage:
    """One function of one field: its coefficients along all paths, and averages over pairs of times.

    ``function(x, n)`` is f at time number n. ``tolerance`` bounds the mean power left to the last order,
    relative to E f^2. ``weights`` of the paths sum to one.
    """

    def __init__(
        self, function: Function, weights: Floats, tolerance: float, capacity: int = 0
    ) -> None:
        self.function, self.weights, self.tolerance = function, weights, tolerance
        self._capacity, paths = capacity, weights.size
        self.step = _FIRST_STEP
        self.orders: tuple[int, ...] = ()
        self._last = 0
        self.coefficients = History((0, paths), capacity)
        self.mean = History((paths,), capacity)
        self.square = History((paths,), capacity)
        self.deviation = History((paths,), capacity)
        self.tail = 0.0

    def append(self, mean: Floats, variance: Floats) -> None:
        """Expand f at the next time, for means and variances (paths,)."""
        deviation = np.sqrt(np.maximum(variance, 0.0))
        n = self.mean.size
        self._refine_until_stable(mean, deviation, n)
        projected, square, kept = self._expand(mean, deviation, n)
        spacing = kept[-1] - kept[-2] if len(kept) > 2 else 1
        self._widen({*kept, kept[-1] + spacing})
        place = {k: i for i, k in enumerate(self.orders)}
        row = np.zeros((len(self.orders), self.weights.size))
        row[[place[k] for k in kept]] = projected[:, kept].T
        rest = np.maximum(square - np.sum(row**2, axis=0), 0.0)
        row[place[kept[-1] + spacing]] = np.sqrt(rest)
        self.coefficients.append(row)
        self.mean.append(projected[:, 0])
        self.square.append(square)
        self.deviation.append(deviation)
        total = float(self.weights @ square)
        self.tail = max(self.tail, float(self.weights @ rest) / total if total > 0 else 0.0)

    def _refine_until_stable(self, mean: Floats, deviation: Floats, n: int) -> None:
        """Halve the step of the rule until E f^2 is stable."""
        finer = self._power(mean, deviation, n, self.step)
        while True:
            now, finer = finer, self._power(mean, deviation, n, self.step / 2)
            if abs(now - finer) <= 0.1 * self.tolerance * abs(finer) + 1e-300:
                return
            self._refine()

    def _refine(self) -> None:
        self.step /= 2
        if self.step < _SMALLEST_STEP:
            raise AverageBudgetError(
                "a Gaussian average needs more nodes than allowed: gain times standard deviation is too "
                "large"
            )

    def _power(self, mean: Floats, deviation: Floats, n: int, step: float) -> float:
        nodes, density = _nodes(step)
        values = self.function(mean[:, None] + deviation[:, None] * nodes, n)
        return float(self.weights @ (values**2 @ density))

    def _expand(self, mean: Floats, deviation: Floats, n: int) -> tuple[Floats, Floats, list[int]]:
        """c_k (paths, orders), E f^2 (paths,), and the orders to be kept, 0 among them."""
        most = 64
        while True:
            rule = _rule(self.step, min(most, _MOST_ORDERS))
            values = self.function(mean[:, None] + deviation[:, None] * rule.nodes, n)
            projected = values @ rule.projection
            square = values**2 @ rule.weights
            power, total = self.weights @ projected**2, float(self.weights @ square)
            enough = np.flatnonzero(total - np.cumsum(power) <= self.tolerance * total)
            if enough.size or most >= _MOST_ORDERS:
                break
            if rule.orders < most:
                self._refine()
            else:
                most *= 4
        last = int(enough[0]) if enough.size else rule.orders - 1
        # a change of the order shows as a small new component: seldom, therefore
        if not _MARGIN * self._last <= last <= self._last:
            self._last = min(last + last // 4 + 2, rule.orders - 1)
        significant = np.flatnonzero(power[: self._last + 1] > _NOTHING * self.tolerance * total)
        return projected, square, sorted({0, *significant.tolist()})

    def _widen(self, needed: set[int]) -> None:
        """Make room for these orders; earlier times have no power in new ones."""
        if needed <= set(self.orders):
            return
        orders = tuple(sorted(needed | set(self.orders)))
        rows = np.zeros((self.mean.size, len(orders), self.weights.size))
        rows[:, [orders.index(k) for k in self.orders]] = self.coefficients.rows
        self.orders = orders
        self.coefficients = History(rows.shape[1:], self._capacity)
        self.coefficients.replace(rows)

    def lagged(self, covariance: Floats) -> Floats:
        """E f(x_n) f(x_m) for the latest time n and all m <= n, (n+1, paths), from K(n, m)."""
        count = self.mean.size
        new = self.coefficients.rows[-1]
        scale = np.zeros_like(self.deviation.rows[-1])
        np.divide(1.0, self.deviation.rows[-1], out=scale, where=self.deviation.rows[-1] > 0)
        used = np.flatnonzero(np.any(new != 0, axis=1)).tolist()
        result = np.empty_like(covariance)
        chunk = max(1, _CHUNK // covariance.shape[1])
        for first in range(0, count, chunk):
            part = slice(first, min(first + chunk, count))
            other = self.deviation.rows[part]
            inverse = np.zeros_like(other)
            np.divide(1.0, other, out=inverse, where=other > 0)
            rho = np.clip(covariance[part] * scale * inverse, -1.0, 1.0)
            result[part] = _sum(self.coefficients.rows[part], new, rho, used, self.orders)
        result[-1] = self.square.rows[-1]
        return result

    def state(self) -> dict[str, NDArray[Any]]:
        """Everything that a continuation needs."""
        return {name: getattr(self, name).rows for name in _HISTORIES} | {
            "orders": np.array(self.orders),
            "scalars": np.array([self.step, self._last, self.tail]),
        }

    def restore(self, state: Mapping[str, NDArray[Any]]) -> None:
        """Go on from a state."""
        self.orders = tuple(int(k) for k in state["orders"])
        self.step, last, self.tail = (float(v) for v in state["scalars"])
        self._last = int(last)
        self.coefficients = History((len(self.orders), self.weights.size), self._capacity)
        for name in _HISTORIES:
            getattr(self, name).replace(state[name])


def _sum(old: Floats, new: Floats, rho: Floats, used: list[int], orders: tuple[int, ...]) -> Floats:
    """sum_i new_i old_i rho^orders_i, by Horner's rule from the highest order down."""
    total = np.zeros_like(rho)
    powers: dict[int, Floats] = {1: rho}
    term = np.empty_like(rho)
    above = None
    for i in reversed(used):
        if above is not None:
            total *= _power(powers, above - orders[i])
        np.multiply(old[:, i], new[i], out=term)
        total += term
        above = orders[i]
    if above:
        total *= _power(powers, above)
    return total


def _power(powers: dict[int, Floats], exponent: int) -> Floats:
    if exponent not in powers:
        powers[exponent] = powers[1] ** exponent
    return powers[exponent]
