r"""An exponential integrator: the linear leak of every field exactly, the rest to fourth order.

dx_k/dt = L_k x_k + n_k(x, t) with one number L_k per field (`dmft.codegen` takes df_k/dx_k at rest).
With n_k constant a step is exact however large L_k dt, so that a short time constant, like that of a
gate, does not limit the step. With the slopes N_j = n(U_j) of the stages,

    U_i = exp(c_i z) x + dt sum_j<i a_ij(z) N_j,    x_new = exp(z) x + dt sum_j b_j(z) N_j,    z = L dt.

The five-stage method of order four of M. Hochbruck and A. Ostermann, SIAM J. Numer. Anal. 43, 1069
(2005), section 5. It needs five slopes where that of Cox and Matthews (2002) needs four, but its first
guess for the middle of the step, where a fast gate still has the value of the start, does not enter the
result: a gated network with tau = 0.001 is wrong by 1e-4 instead of 5e-3 at dt = 1/8. Order two in that
limit, order four once dt < tau.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import lru_cache

import numpy as np

from .network import Array, State
from .runge_kutta import VelocityAt

#: c_i of the stages, and 1 for the result.
NODES = (0.0, 0.5, 0.5, 1.0, 0.5, 1.0)


def phi(order: int, z: float) -> float:
    """phi_0 = exp(z), phi_{k+1}(z) = (phi_k(z) - 1/k!) / z; at 0 the value is 1/k!.

    >>> round(phi(1, -0.1), 12), round((1 - math.exp(-0.1)) / 0.1, 12)
    (0.95162581964, 0.95162581964)
    """
    if order == 0:
        return math.exp(z)
    if abs(z) > 1:
        return (phi(order - 1, z) - 1 / math.factorial(order - 1)) / z
    # Here the difference cancels; the series sum_j z^j / (j + k)! has 18 terms above 1e-17.
    return sum(z**j / math.factorial(j + order) for j in range(18))


@lru_cache(maxsize=64)
def coefficients(z: float) -> tuple[tuple[float, ...], ...]:
    """The rows a_2j .. a_5j and b_j at z = L dt; rows are as long as they need to be."""
    half, whole = ([phi(k, w) for k in range(4)] for w in (z / 2, z))
    middle = half[2] / 2 - whole[3] + whole[2] / 4 - half[3] / 2
    late = half[2] / 4 - middle
    return (
        (half[1] / 2,),
        (half[1] / 2 - half[2], half[2]),
        (whole[1] - 2 * whole[2], whole[2], whole[2]),
        (half[1] / 2 - 2 * middle - late, middle, middle, late),
        (
            whole[1] - 3 * whole[2] + 4 * whole[3],
            *(0.0, 0.0),
            4 * whole[3] - whole[2],
            4 * whole[2] - 8 * whole[3],
        ),
    )


def exponential_step(
    at: VelocityAt, y: Sequence[Array], dt: float, leaks: Sequence[float]
) -> State:
    """One step of length ``dt``; ``leaks`` are the L of all arrays in ``y``, fixed for the step.

    >>> y = exponential_step(lambda fraction: lambda y: [3 - 50 * y[0]], [np.ones(1)], 1.0, [-50.0])
    >>> round(float(y[0][0]), 12)  # 3/50 + exp(-50), far beyond the reach of an explicit rule
    0.06
    """
    stage = list(y)
    slopes: list[State] = []  # of every stage: one array per entry of y
    for i, node in enumerate(NODES[1:]):
        velocity = at(NODES[i])(stage)
        slopes.append([k - rate * a for k, a, rate in zip(velocity, stage, leaks, strict=True)])
        stage = [
            _combined(a, math.exp(node * rate * dt), dt, coefficients(rate * dt)[i], forces)
            for a, rate, forces in zip(y, leaks, zip(*slopes, strict=True), strict=True)
        ]
    return stage


def _combined(
    base: Array, decay: float, dt: float, weights: Sequence[float], forces: Sequence[Array]
) -> Array:
    """decay * base + dt sum_j weights_j forces_j, in the type of ``base``."""
    result, scratch = np.empty_like(base), np.empty_like(base)
    np.multiply(base, decay, out=result)
    for weight, force in zip(weights, forces, strict=True):
        if weight:
            np.multiply(force, dt * weight, out=scratch)
            result += scratch
    return result
