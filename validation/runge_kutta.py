"""The classical fourth-order Runge-Kutta rule."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from .network import Array, State

# Classical RK4 (Kutta 1901; Hairer, Norsett & Wanner, Solving ODEs I, table II.1.2): stage i
# starts from the point y + NODES[i] dt k_{i-1}, and the step adds dt sum_i WEIGHTS[i] k_i.
NODES = (0.5, 0.5, 1.0)
WEIGHTS = (1.0 / 6.0, 1.0 / 3.0, 1.0 / 3.0, 1.0 / 6.0)

Velocity = Callable[[Sequence[Array]], State]
#: The velocity at a fraction of the step, from 0 to 1: its parameters may change meanwhile.
VelocityAt = Callable[[float], Velocity]


def rk4_step(velocity: Velocity, y: Sequence[Array], dt: float) -> State:
    """One step of length ``dt`` (leak time constants); local error O(dt^5), global O(dt^4).

    >>> y = [np.array([1.0])]
    >>> round(float(rk4_step(lambda y: [-y[0]], y, 0.1)[0][0]), 6)  # exp(-0.1) = 0.904837
    0.904838
    """
    return driven_rk4_step(lambda fraction: velocity, y, dt)


def driven_rk4_step(at: VelocityAt, y: Sequence[Array], dt: float) -> State:
    """The same with a velocity that depends on time within the step."""
    middle = at(NODES[0])
    slope = at(0.0)(y)
    total = ahead(y, slope, dt * WEIGHTS[0])
    for velocity, node, weight in zip((middle, middle, at(1.0)), NODES, WEIGHTS[1:], strict=True):
        slope = velocity(ahead(y, slope, dt * node))
        add(total, slope, dt * weight)
    return total


def ahead(y: Sequence[Array], slope: Sequence[Array], step: float) -> State:
    """y + step * slope, as new arrays of the type of ``y``: a velocity may return its argument."""
    result = []
    for a, k in zip(y, slope, strict=True):
        point = np.empty_like(a)
        np.multiply(k, step, out=point)
        point += a
        result.append(point)
    return result


def add(y: Sequence[Array], slope: Sequence[Array], step: float) -> None:
    """y += step * slope, in place."""
    scratch = np.empty_like(y[0])
    for a, k in zip(y, slope, strict=True):
        if scratch.shape != a.shape:
            scratch = np.empty_like(a)
        np.multiply(k, step, out=scratch)
        a += scratch
