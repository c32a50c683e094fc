r"""Averages over one Gaussian value: E f and E f^2 with their derivatives, and E f'^2.

For x of mean mu and variance D (Stein's lemma, or Price's theorem at equal values)

    d E f / d mu = E f',          d E f / dD = E f'' / 2,
    d E f^2 / d mu = 2 E f f',    d E f^2 / dD = E [f'^2 + f f''].

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
_SMALLEST_STEP = _FIRST_STEP / 2**12
_REACH = 9.0  # the density is 1e-18 there


@dataclass(frozen=True)
class SquareMoments:
    """E f^2, d(E f^2)/dD = E[f'^2 + f f''], E f'^2, E f, E f', E f'' and E f f', one entry per variance."""

    square: Floats
    square_by_variance: Floats
    slope_square: Floats
    mean: Floats
    slope: Floats
    curvature: Floats
    value_slope: Floats


def square_moments(
    function: Callable[[Any], list[Any]],
    variance: ArrayLike,
    tol: float = 1e-14,
    mean: ArrayLike = 0.0,
) -> SquareMoments:
    """Averages for every variance >= 0 in an array; ``mean`` one number, or one for each of them.

    ``function`` maps an array to (f, f', f''). Raises `AverageBudgetError` when the largest
    variance needs too many nodes.

    >>> moments = square_moments(lambda x: [x**2, 2 * x, 2 + 0 * x], 3.0)
    >>> [round(float(v[0]), 9) for v in (moments.square, moments.slope_square, moments.mean)]
    [27.0, 12.0, 3.0]
    """
    deviation = np.sqrt(np.atleast_1d(np.asarray(variance, dtype=float)))
    centre = np.broadcast_to(np.asarray(mean, dtype=float), deviation.shape)
    step, before = _FIRST_STEP, np.full((3, deviation.size), np.inf)
    result = np.empty((7, deviation.size))
    active = np.arange(deviation.size)
    while step >= _SMALLEST_STEP and active.size:
        nodes = np.arange(-int(_REACH / step), int(_REACH / step) + 1) * step
        density = np.exp(-(nodes**2) / 2) * (step / np.sqrt(2 * np.pi))
        value, slope, curvature, *_ = function(
            centre[active, None] + deviation[active, None] * nodes
        )
        slopes = slope * slope
        squares = value * value, slopes + value * curvature, slopes
        now = np.stack([part @ density for part in squares])
        size = np.stack([now[0], now[2], now[2]]) + 1e-300
        excess = abs(now - before) - tol * size
        left = np.any(excess > 0, axis=0)
        if step < 0.1 and np.any(left):
            reach = abs(centre[active[left]]) + _REACH * deviation[active[left]]
            excess[:, left] -= _rounding(function, reach, now[2, left])
        done = np.all(excess <= 0, axis=0)
        if np.any(done):
            others = value, slope, curvature, value * slope
            result[:3, active[done]] = now[:, done]
            result[3:, active[done]] = [part[done] @ density for part in others]
        active, before, step = active[~done], now[:, ~done], step / 2
    if active.size:
        raise AverageBudgetError(
            f"a Gaussian average at variance {float(np.max(deviation**2)):.6g} needs more nodes than "
            "allowed: gain times standard deviation is too large"
        )
    return SquareMoments(*result)


def _rounding(function: Callable[[Any], list[Any]], reach: Floats, slope_square: Floats) -> Floats:
    """Errors of the three averages where f saturates and slopes like 1 - tanh^2 are mere rounding."""
    share = np.linspace(0.0, 1.0, 65)
    nodes = reach[:, None] * np.concatenate([-share[::-1], share])
    value, slope, curvature = (np.max(abs(v), axis=1) for v in function(nodes)[:3])
    eps = 1e-15
    of_slope = eps * slope * (np.sqrt(slope_square) + eps * slope)
    return np.stack([np.zeros_like(reach), of_slope + eps * value * curvature, of_slope])
