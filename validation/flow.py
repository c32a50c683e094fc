"""A state with tangent vectors in any flow dx/dt = f(x): for systems whose exponents are known."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Protocol

import numpy as np

from .integrate import rk4_step
from .network import Array, State

VelocityWithTangent = Callable[[State, State], tuple[State, State]]


class TangentCarrier(Protocol):
    """What carries tangent vectors along: `dmft.validation.integrate.Trajectory`, `Flow`, a map.

    ``dx``: one ``(k, n)`` array per field. :meth:`advance` moves state and tangents on by ``steps``
    times ``dt`` and may shorten every tangent vector, if it returns ln of the factors taken out.
    """

    dx: State
    dt: float

    def advance(self, steps: int) -> Array: ...


@dataclass(slots=True)
class Flow:
    """A state and k tangent vectors of it, in classical Runge-Kutta steps of length ``dt``.

    ``velocity_with_tangent(x, dx)`` returns f(x) and Df(x) dx: a list with one array per field each,
    ``(1, n)`` for states and ``(k, n)`` for tangents.

    >>> flow = Flow(lambda x, dx: ([-x[0]], [-dx[0]]), [np.ones((1, 2))], [np.eye(2)], 0.125)
    >>> flow.advance(8).tolist(), flow.dx[0].round(4).tolist()
    ([0.0, 0.0], [[0.3679, 0.0], [0.0, 0.3679]])
    """

    velocity_with_tangent: VelocityWithTangent
    x: State
    dx: State
    dt: float
    time: float = field(default=0.0)

    def advance(self, steps: int) -> Array:
        """Take ``steps`` steps; nothing is taken out of the tangents, so the logarithms are 0."""
        fields = len(self.x)

        def joint(y: Sequence[Array]) -> State:
            velocity, tangent = self.velocity_with_tangent(list(y[:fields]), list(y[fields:]))
            return velocity + tangent

        state = self.x + self.dx
        for _ in range(steps):
            state = rk4_step(joint, state, self.dt)
        self.x, self.dx = state[:fields], state[fields:]
        self.time += steps * self.dt
        return np.zeros(self.dx[0].shape[0])
