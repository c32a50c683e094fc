r"""Averages of squares at one Gaussian value: E f^2, its derivative by the variance, and E f'^2.

The uniform trapezoid rule in the standard normal has an error exp(-pi^2/(a h)) for a function of
gain times standard deviation a; the step is halved until the averages are stable.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from .pair_average import AverageBudgetError

__all__ = ["SquareMoments", "square_moments"]

Floats = NDArray[np.float64]

_FIRST_STEP = 0.4
_SMALLEST_STEP = _FIRST_STEP / 2**10
_REACH = 9.0  # the density is 1e-18 there


@dataclass(frozen=True)
class SquareMoments:
    """E f^2, d(E f^2)/dD = E[f'^2 + f f''], and E f'^2, one entry per variance."""

    square: Floats
    square_by_variance: Floats
    slope_square: Floats


def square_moments(
    function: Callable[[Any], list[Any]], variance: ArrayLike, tol: float = 1e-14
) -> SquareMoments:
    """Averages for every variance >= 0 in an array.

    ``function`` maps an array to (f, f', f''). Raises `AverageBudgetError` when the largest
    variance needs too many nodes.

    >>> moments = square_moments(lambda x: [x**2, 2 * x, 2 + 0 * x], 3.0)
    >>> [round(float(v), 9) for v in (moments.square[0], moments.slope_square[0])]
    [27.0, 12.0]
    """
    deviation = np.sqrt(np.atleast_1d(np.asarray(variance, dtype=float)))
    step, before = _FIRST_STEP, np.full((3, deviation.size), np.inf)
    result = np.empty((3, deviation.size))
    active = np.arange(deviation.size)
    while step >= _SMALLEST_STEP and active.size:
        nodes = np.arange(-int(_REACH / step), int(_REACH / step) + 1) * step
        density = np.exp(-(nodes**2) / 2) * (step / np.sqrt(2 * np.pi))
        value, slope, curvature, *_ = function(deviation[active, None] * nodes)
        squares = value * value, slope * slope + value * curvature, slope * slope
        now = np.stack([part @ density for part in squares])
        size = np.stack([now[0], now[2], now[2]]) + 1e-300
        done = np.all(abs(now - before) <= tol * size, axis=0)
        result[:, active[done]] = now[:, done]
        active, before, step = active[~done], now[:, ~done], step / 2
    if active.size:
        raise AverageBudgetError(
            f"a Gaussian average at variance {float(np.max(deviation**2)):.6g} needs more nodes than "
            "allowed: gain times standard deviation is too large"
        )
    return SquareMoments(*result)
