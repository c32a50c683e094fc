"""A network in time: states and tangent vectors, in steps that land where parameters jump."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from importlib.util import find_spec
from itertools import pairwise
from typing import TYPE_CHECKING, Literal, get_args

import numpy as np

from dmft.errors import InputError, MissingExtraError, quoted
from dmft.protocol import Protocol

from .exponential import exponential_step
from .network import Array, FiniteNetwork, State
from .runge_kutta import Velocity, driven_rk4_step, rk4_step
from .white_noise import draw_brownian, noisy_rk4_step

if TYPE_CHECKING:
    from .jax_backend import Blocks

__all__ = [
    "Backend",
    "Integrator",
    "Trajectory",
    "check_backend",
    "check_integrator",
    "draw_tangents",
    "rk4_step",
    "tangent_norm",
]

#: "rk4": `runge_kutta`, with white noise `white_noise`; "exponential": `exponential`.
Integrator = Literal["rk4", "exponential"]

#: What steps run on: numpy, or a processor or accelerator through jax (`jax_backend`).
Backend = Literal["numpy", "jax"]

#: A breakpoint closer to the end of a step than this share of it is met there.
SAME_MOMENT = 1e-6


def check_integrator(name: str) -> None:
    """Raise `InputError` for a name that is no `Integrator`."""
    if name not in get_args(Integrator):
        raise InputError(
            f"integrator: {quoted(name)} was given; choose {' or '.join(get_args(Integrator))}"
        )


def check_backend(name: str) -> None:
    """Raise `InputError` for a name that is no `Backend`, and for one that is not installed."""
    if name not in get_args(Backend):
        raise InputError(
            f"backend: {quoted(name)} was given; choose {' or '.join(get_args(Backend))}"
        )
    if name == "jax" and find_spec("jax") is None:
        raise MissingExtraError("networks on --backend jax", "jax")


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

    ``protocol``: parameters as functions of time instead of the network's own; where a variance in a
    ramp is zero its root has no slope, and the order of the rule falls to 3/2. ``noise``: the
    generator of the white inputs, not used where their amplitudes are zero. ``backend``: "jax" runs the
    steps of one :meth:`advance` as one compiled loop, and takes no protocol.
    """

    network: FiniteNetwork
    x: State
    dx: State
    dt: float
    time: float = field(default=0.0)
    integrator: Integrator = "rk4"
    protocol: Protocol | None = None
    noise: np.random.Generator | None = None
    backend: Backend = "numpy"
    _blocks: Blocks | None = field(default=None, init=False, repr=False)

    def __post_init__(self) -> None:
        check_integrator(self.integrator)
        check_backend(self.backend)
        noisy = is_noisy(self.network, self.protocol)
        if noisy and self.integrator != "rk4":
            raise InputError("integrator: white noise is integrated by rk4 only")
        if noisy and self.noise is None:
            raise ValueError("white noise needs a generator of random numbers")
        if not noisy:
            self.noise = None
        if self.backend == "jax":
            if self.protocol is not None:
                raise InputError("backend: parameters that move in time run on numpy only")
            from .jax_backend import Blocks

            self._blocks = Blocks(self.network, self.dt, self.integrator, self.noise)

    def advance(self, steps: int) -> Array:
        """Go on for ``steps * dt``; return ln of the growth of every tangent vector, float64.

        One step more wherever a protocol bends or jumps, since that moment must end a step.
        """
        fields, tangents = len(self.x), self.dx[0].shape[0]
        state = self.x + self.dx if tangents else self.x
        if self._blocks is not None:
            state = self._blocks.advance(state, steps)
        else:
            for start, end, length in self._steps(steps):
                state = self._step(state, start, end, length)
        self.x, self.dx = state[:fields], state[fields:] or self.dx
        self.time += steps * self.dt
        if tangents == 0:
            return np.zeros(0)
        norm = tangent_norm(self.dx)
        with np.errstate(divide="ignore"):  # a vector that has died shows as -inf, not as a warning
            growth: Array = np.log(norm)
        scale = np.where(norm > 0, norm, 1.0)[:, None]
        self.dx = [(d / scale).astype(d.dtype, copy=False) for d in self.dx]
        return growth

    def _steps(self, count: int) -> Iterator[tuple[float, float, float]]:
        """Start, end and length of the steps of the next ``count * dt``."""
        last = self.time + count * self.dt
        slack = SAME_MOMENT * self.dt
        breakpoints = () if self.protocol is None else self.protocol.breakpoints
        marks = [b for b in breakpoints if self.time - slack < b < last + slack]
        for first, final in pairwise([self.time, *marks, last]):
            if final - first <= slack:
                continue
            number = int(np.ceil((final - first) / self.dt - SAME_MOMENT)) if marks else count
            length = (final - first) / number if marks else self.dt
            for k in range(number):
                end = final if k == number - 1 else first + (k + 1) * length
                yield first + k * length, end, length

    def _step(self, state: State, start: float, end: float, length: float) -> State:
        before, middle, after = self._networks(start, end)
        velocities = {
            0.0: self._velocity(before),
            0.5: self._velocity(middle),
            1.0: self._velocity(after),
        }
        at = velocities.__getitem__
        if self.integrator == "exponential":
            leaks = list(middle.right.leak(middle.parameters))
            return exponential_step(at, state, length, (leaks * 2)[: len(state)])
        if self.noise is None:
            return driven_rk4_step(at, state, length)
        noises = [network.right.noise(network.parameters) for network in (before, after)]
        path = draw_brownian(
            noises[0].shape[1], state[0].shape, length, self.noise, self.network.dtype
        )
        return noisy_rk4_step(at, state, length, path, *noises)

    def _networks(self, start: float, end: float) -> tuple[FiniteNetwork, ...]:
        """The network at the start, in the middle and at the end of a step."""
        if self.protocol is None:
            return (self.network,) * 3
        first, last = self.protocol.at(start), self.protocol.before(end)
        if first == last:
            return (self.network.at(first),) * 3
        middle = {name: (value + last[name]) / 2 for name, value in first.items()}
        return tuple(self.network.at(p) for p in (first, middle, last))

    def _velocity(self, network: FiniteNetwork) -> Velocity:
        """Of states and, if there are any, of tangent vectors, all in one list."""
        return network.velocity if self.dx[0].shape[0] == 0 else network.joint_velocity


def quiet_step(
    network: FiniteNetwork, x: State, dt: float, integrator: Integrator = "rk4"
) -> State:
    """One step of the states alone, at fixed parameters and without white noise."""
    if integrator == "exponential":
        leaks = network.right.leak(network.parameters)
        return exponential_step(lambda fraction: network.velocity, x, dt, leaks)
    return rk4_step(network.velocity, x, dt)


def is_noisy(network: FiniteNetwork, protocol: Protocol | None = None) -> bool:
    """Whether any white input has an amplitude at any time; `InputError` where it has no real one."""
    moments = [network.parameters]
    if protocol is not None:
        moments = [protocol.at(time) for time in (0.0, *protocol.breakpoints)]
    with np.errstate(invalid="ignore"):
        amplitudes = np.array([network.right.noise(p) for p in moments])
    if not np.isfinite(amplitudes).all():
        raise InputError(
            f"{network.right.info.name}: the intensity of a white input is negative or not finite at "
            "these parameters; finite numbers >= 0 are allowed"
        )
    return bool(amplitudes.any())


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
