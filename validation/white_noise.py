r"""White noise of constant amplitude: the Runge-Kutta rule with shifted stages.

dx = f(x) dt + A dW, noise independent for every unit and every start. Over a step of length h a path
of W is known by its increment W ~ N(0, h) and by H ~ N(0, h/12), independent of it, which fixes the
area  int W_s ds = h (W/2 + H).  Stage i of the classical rule, weight w_i, is shifted by the noise so far,
A (c_i W + b_i H), and the step adds A W. By Taylor's expansion the error of one step has size O(h^2) and
mean O(h^(5/2)) or smaller, hence strong order 3/2 (Milstein's theorem; weak order 2), if

    sum_i w_i c_i = 1/2,  sum_i w_i b_i = 1           the term f' A int W_s ds, on every path
    sum_i w_i (c_i^2 + b_i^2 / 12) = 1/2              the mean of f'' (A W_s)^2 / 2

The nodes c_i have sum w_i c_i^2 = 1/3, so sum_i w_i b_i^2 = 2; without the b_i the weak order would
be one. Taken: b = 0 at the ends and (3 +- sqrt(3))/2 in the middle, in this order: the stationary variance
of dx = -x dt + dW then is wrong by 4e-6 at h = 1/4 (1e-4 in the other order). Without noise the rule is
the classical one, of order four, so that weak noise has small errors. After A. Roessler, SIAM J. Numer.
Anal. 48, 922 (2010), for order conditions; G. N. Milstein and M. V. Tretyakov, SIAM J. Sci. Comput. 18,
1067 (1997), for small noise; J. Foster, G. dos Reis and C. Strange, arXiv:2210.17543, for W and H.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import DTypeLike

from .network import Array, State
from .runge_kutta import NODES, WEIGHTS, VelocityAt, add, ahead

#: b_i of the stages after the first, whose b is 0.
AREA_SHARES = ((3 + math.sqrt(3)) / 2, (3 - math.sqrt(3)) / 2, 0.0)


@dataclass(frozen=True, slots=True)
class Brownian:
    """W and H of one step: one ``(batch, N)`` array per white input."""

    increment: Sequence[Array]
    area: Sequence[Array]


def draw_brownian(
    inputs: int, shape: tuple[int, int], dt: float, rng: np.random.Generator, dtype: DTypeLike
) -> Brownian:
    """Drawn in float32 whatever ``dtype`` is: the same paths in both precisions."""
    numbers = rng.standard_normal((2, inputs, *shape), dtype=np.float32).astype(dtype, copy=False)
    numbers[0] *= np.asarray(math.sqrt(dt), dtype=dtype)
    numbers[1] *= np.asarray(math.sqrt(dt / 12), dtype=dtype)
    return Brownian(list(numbers[0]), list(numbers[1]))


def noisy_rk4_step(
    at: VelocityAt,
    y: Sequence[Array],
    dt: float,
    path: Brownian,
    amplitude: Array,
    amplitude_after: Array | None = None,
) -> State:
    """One step; ``amplitude[k, b]`` is A_kb, of the first arrays in ``y``; the others see no noise.

    ``amplitude_after``: A at the end of the step, when it changes in between.
    """
    after = amplitude if amplitude_after is None else amplitude_after
    mean = (amplitude + after) / 2
    shifted = [k for k in range(mean.shape[0]) if amplitude[k].any() or after[k].any()]
    increments = {k: _noise(mean[k], path.increment) for k in shifted}
    areas = {k: _noise(mean[k], path.area) for k in shifted}

    middle = at(NODES[0])
    slope = at(0.0)(y)
    total = ahead(y, slope, dt * WEIGHTS[0])
    for velocity, node, share, weight in zip(
        (middle, middle, at(1.0)), NODES, AREA_SHARES, WEIGHTS[1:], strict=True
    ):
        point = ahead(y, slope, dt * node)
        for k in shifted:
            point[k] += node * increments[k] + share * areas[k]
        slope = velocity(point)
        add(total, slope, dt * weight)
    for k in shifted:
        total[k] += increments[k]
        if (change := amplitude[k] - after[k]).any():
            # int A dW of an amplitude that moves in a straight line: the area tells when W came.
            total[k] += _noise(change, path.area)
    return total


def _noise(amplitudes: Array, normal: Sequence[Array]) -> Array:
    """sum_b A_b W_b, in the type of W."""
    total = np.zeros_like(normal[0])
    for a, w in zip(amplitudes, normal, strict=True):
        total += float(a) * w
    return total
