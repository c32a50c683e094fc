"""Time stepping: the classical fourth-order Runge-Kutta rule, for states and tangent vectors."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import numpy as np

from .network import Array, FiniteNetwork, State

# Classical RK4 (Kutta 1901; Hairer, Norsett & Wanner, Solving ODEs I, table II.1.2): stage i
# starts from the point y + NODES[i] dt k_{i-1}, and the step adds dt sum_i WEIGHTS[i] k_i.
NODES = (0.5, 0.5, 1.0)
WEIGHTS = (1.0 / 6.0, 1.0 / 3.0, 1.0 / 3.0, 1.0 / 6.0)

Velocity = Callable[[Sequence[Array]], State]


def rk4_step(velocity: Velocity, y: Sequence[Array], dt: float) -> State:
    """One step of length ``dt`` (leak time constants); local error O(dt^5), global O(dt^4).

    >>> y = [np.array([1.0])]
    >>> round(float(rk4_step(lambda y: [-y[0]], y, 0.1)[0][0]), 6)  # exp(-0.1) = 0.904837
    0.904838
    """
    slope = velocity(y)
    total = [a + (dt * WEIGHTS[0]) * k for a, k in zip(y, slope, strict=True)]
    for node, weight in zip(NODES, WEIGHTS[1:], strict=True):
        slope = velocity([a + (dt * node) * k for a, k in zip(y, slope, strict=True)])
        for a, k in zip(total, slope, strict=True):
            a += (dt * weight) * k
    return total


@dataclass(slots=True)
class Trajectory:
    r"""States of one network, with tangent vectors that give the largest Lyapunov exponent.

    A tangent vector obeys the linearised dynamics along its own trajectory; after every
    :meth:`advance` its norm (over all fields and units) goes into the returned growth and is
    reset to one, so that nothing overflows (Benettin et al. 1980, with a single vector)::

        lambda = (1/t) sum of growths

    ``x``: one ``(batch, N)`` array per field; ``dx``: ``(tangents, N)``, possibly zero tangents.
    Norms and their logarithms are float64 whatever the type of the states. Rounding a tangent to
    float32 only mixes in other directions at the level 1e-7, which the leading one outgrows.
    """

    network: FiniteNetwork
    x: State
    dx: State
    dt: float
    time: float = field(default=0.0)

    def advance(self, steps: int) -> Array:
        """Take ``steps`` steps; return ln of the growth of every tangent vector, float64."""
        fields = len(self.x)
        tangents = self.dx[0].shape[0]
        if tangents == 0:
            for _ in range(steps):
                self.x = rk4_step(self.network.velocity, self.x, self.dt)
            self.time += steps * self.dt
            return np.zeros(0)

        def joint(y: Sequence[Array]) -> State:
            velocity, d_velocity = self.network.velocity_with_tangent(y[:fields], y[fields:])
            return velocity + d_velocity

        state = self.x + self.dx
        for _ in range(steps):
            state = rk4_step(joint, state, self.dt)
        self.x, self.dx = state[:fields], state[fields:]
        self.time += steps * self.dt
        norm = tangent_norm(self.dx)
        with np.errstate(divide="ignore"):  # a vector that has died shows as -inf, not as a warning
            growth: Array = np.log(norm)
        scale = np.where(norm > 0, norm, 1.0)[:, None]
        self.dx = [(d / scale).astype(d.dtype, copy=False) for d in self.dx]
        return growth


def tangent_norm(dx: Sequence[Array]) -> Array:
    """Euclidean norm over fields and units of every tangent vector, in float64."""
    square = sum(np.einsum("bi,bi->b", d, d, dtype=np.float64) for d in dx)
    return np.asarray(np.sqrt(square))


def draw_tangents(network: FiniteNetwork, tangents: int, rng: np.random.Generator) -> State:
    """Random unit tangent vectors, one ``(tangents, N)`` array per field."""
    shape = (tangents, network.units)
    dx = [rng.standard_normal(shape) for _ in network.right.info.fields]
    norm = tangent_norm(dx)[:, None]
    return [(d / norm).astype(network.dtype) for d in dx]
