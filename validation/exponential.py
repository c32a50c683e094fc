r"""An exponential integrator: the linear leak of every field exactly, the rest to fourth order.

dx_k/dt = L_k x_k + n_k(x, t) with one number L_k per field (`dmft.codegen` takes df_k/dx_k at rest).
For constant n_k a step is exact however large L_k dt, so that a short time constant, like that of a
gate, no longer limits the step. ETD4RK of S. M. Cox and P. C. Matthews, J. Comput. Phys. 176, 430
(2002), Eqs. 26-29: with L = 0 it is the classical Runge-Kutta rule. Order four for any L while L dt
is small; for stiff fields the order falls, the stability remains.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from .network import Array, State
from .runge_kutta import VelocityAt


def phi(order: int, z: float) -> float:
    """phi_0 = exp(z), phi_{k+1}(z) = (phi_k(z) - 1/k!) / z; at 0 the value is 1/k!.

    >>> round(phi(1, -0.1), 12), round((1 - math.exp(-0.1)) / 0.1, 12)
    (0.951625819640, 0.951625819640)
    """
    if order == 0:
        return math.exp(z)
    if abs(z) > 1:
        return (phi(order - 1, z) - 1 / math.factorial(order - 1)) / z
    # Here the difference cancels; the series sum_j z^j / (j + k)! has 18 terms above 1e-17.
    return sum(z**j / math.factorial(j + order) for j in range(18))


def exponential_step(
    at: VelocityAt, y: Sequence[Array], dt: float, leaks: Sequence[float]
) -> State:
    """One step of length ``dt``; ``leaks`` are the L of all arrays in ``y``, fixed for the step.

    >>> y = exponential_step(lambda fraction: lambda y: [3 - 50 * y[0]], [np.ones(1)], 1.0, [-50.0])
    >>> round(float(y[0][0]), 12)  # 3/50 + exp(-50), far beyond the reach of an explicit rule
    0.06
    """
    whole, half = [dt * rate for rate in leaks], [dt * rate / 2 for rate in leaks]
    decay = [phi(0, z) for z in half]
    reach = [dt / 2 * phi(1, z) for z in half]

    def rest(fraction: float, x: Sequence[Array]) -> State:
        return [k - rate * a for k, a, rate in zip(at(fraction)(x), x, leaks, strict=True)]

    def stage(base: Sequence[Array], force: Sequence[Array]) -> State:
        return [_combined(b, f, e, r) for b, f, e, r in zip(base, force, decay, reach, strict=True)]

    first = rest(0.0, y)
    a = stage(y, first)
    second = rest(0.5, a)
    b = stage(y, second)
    third = rest(0.5, b)
    c = stage(a, [2 * n3 - n1 for n3, n1 in zip(third, first, strict=True)])
    fourth = rest(1.0, c)
    result = []
    for k, z in enumerate(whole):
        weights = (
            phi(1, z) - 3 * phi(2, z) + 4 * phi(3, z),
            2 * phi(2, z) - 4 * phi(3, z),
            4 * phi(3, z) - phi(2, z),
        )
        new = _combined(y[k], first[k], phi(0, z), dt * weights[0])
        new += (dt * weights[1]) * (second[k] + third[k])
        new += (dt * weights[2]) * fourth[k]
        result.append(new)
    return result


def _combined(base: Array, force: Array, decay: float, reach: float) -> Array:
    """decay * base + reach * force, in the type of ``base``."""
    result = np.empty_like(base)
    np.multiply(force, reach, out=result)
    result += decay * base
    return result
