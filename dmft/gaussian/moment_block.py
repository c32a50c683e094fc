r"""Averages at one Gaussian value, for blocks of means, variances and parameters at once.

For x = m + sqrt(D) xi, xi standard normal, and a function f with f', f'':

    E f,  E f^2,  E f'^2  and the derivatives
    d E f / dm = E f',            d E f / dD = E f'' / 2,
    d E f^2 / dm = 2 E f f',      d E f^2 / dD = E [f'^2 + f f''].

The uniform trapezoid rule in xi has an error that falls like exp(-pi^2 / (a h)) for a function of
gain times standard deviation a: halving the step h squares it. So two steps that agree to well
below the root of the tolerance certify the finer one. Nodes are nested: a halving adds the midpoints.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["MomentBlock", "moment_block"]

Floats = NDArray[np.float64]

_FIRST_STEP = 0.5
_REACH = 9.0  # the density is 1e-18 there
#: Step halvings; the finest step resolves a gain times standard deviation of some 300.
_MOST_HALVINGS = 9
#: Rows are treated in chunks of about this many numbers.
_CHUNK = 2**14


@dataclass(frozen=True)
class MomentBlock:
    """One entry per row; NaN (or rough values, if asked for) where the finest step is too coarse."""

    mean: Floats
    mean_by_mean: Floats
    mean_by_variance: Floats
    square: Floats
    square_by_mean: Floats
    square_by_variance: Floats
    slope_square: Floats


def moment_block(
    function: Callable[[Any, Any], Sequence[Any]],
    mean: Floats,
    variance: Floats,
    tol: float = 1e-14,
    most_halvings: int = _MOST_HALVINGS,
    rough: bool = False,
) -> MomentBlock:
    """Averages for rows of means and variances (>= 0), both of shape (rows,).

    ``function(x, rows)`` gives (f, f', f'') at x of shape (len(rows), nodes), ``rows`` being the
    positions (for parameters that differ from row to row). ``tol`` is relative to E f^2 and E f'^2;
    fewer halvings make steep rows cheap and NaN, or with ``rough`` inaccurate: good enough to see where
    a solution may be.

    >>> import numpy as np
    >>> block = moment_block(lambda x, rows: (x**2, 2 * x, 2 + 0 * x), np.zeros(1), np.array([3.0]))
    >>> [round(float(v[0]), 9) for v in (block.mean, block.square, block.slope_square)]
    [3.0, 27.0, 12.0]
    """
    deviation = np.sqrt(variance)
    result = np.full((7, deviation.size), np.nan)
    active = np.arange(deviation.size)
    agree = tol**0.65
    before = np.empty((7, 0))
    for halving in range(most_halvings + 1):
        step = _FIRST_STEP / 2**halving
        count = int(_REACH / step)
        nodes = step * np.arange(-count, count + 1)
        if halving:
            nodes = nodes[(np.arange(-count, count + 1) % 2) == 1]
        sums = _sums(function, mean, deviation, active, nodes, step)
        now = sums if not halving else before / 2 + sums
        if halving:
            size = abs(now[3]), now[6] * (1 + deviation[active] ** 2)
            close = abs(now[3] - before[3]) <= agree * size[0]
            close &= abs(now[6] - before[6]) <= agree * abs(now[6])
            close &= abs(now[5] - before[5]) <= agree * (size[0] + size[1])
            done = close | ~np.isfinite(now[3])
            result[:, active[done]] = now[:, done]
            active, now = active[~done], now[:, ~done]
            if not active.size:
                break
        before = now
    if rough and active.size:
        result[:, active] = before
        result[5, active] = _by_parts(function, mean, deviation, active, nodes)
    return MomentBlock(*result)


def _sums(
    function: Callable[[Any, Any], Sequence[Any]],
    mean: Floats,
    deviation: Floats,
    rows: NDArray[np.intp],
    nodes: Floats,
    step: float,
) -> Floats:
    """The seven averages over some nodes, weights of the trapezoid rule included."""
    density = np.exp(-(nodes**2) / 2) * (step / np.sqrt(2 * np.pi))
    total = np.empty((7, rows.size))
    start, width = 0, max(1, _CHUNK // nodes.size)
    while start < rows.size:
        part = rows[start : start + width]
        x = mean[part, None] + deviation[part, None] * nodes
        value, slope, curvature = function(x, part)[:3]
        for row, integrand in enumerate(
            (
                value,
                slope,
                0.5 * curvature,
                value * value,
                2 * value * slope,
                slope * slope + value * curvature,
                slope * slope,
            )
        ):
            total[row, start : start + width] = integrand @ density
        start += width
    return total


def _by_parts(
    function: Callable[[Any, Any], Sequence[Any]],
    mean: Floats,
    deviation: Floats,
    rows: NDArray[np.intp],
    nodes: Floats,
) -> Floats:
    """d E f^2 / dD = E [xi f f'] / sqrt D: tame where single nodes carry E f'^2."""
    weights = nodes * np.exp(-(nodes**2) / 2)
    weights /= weights @ nodes
    result = np.empty(rows.size)
    width = max(1, _CHUNK // nodes.size)
    for start in range(0, rows.size, width):
        part = rows[start : start + width]
        value, slope = function(mean[part, None] + deviation[part, None] * nodes, part)[:2]
        result[start : start + width] = (value * slope) @ weights / deviation[part]
    return result
