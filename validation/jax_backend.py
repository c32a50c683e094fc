r"""Networks on jax: the same declaration, compiled by XLA for the processor or an accelerator.

The right-hand sides are the tapes of `dmft.codegen`, run once on symbolic arrays with the table `JAX`;
the rules are those of `runge_kutta`, `exponential` and `white_noise`, with their coefficients, written
without assignments in place. A block of steps is one compiled loop, so that Python is asked once per
block. Couplings, starts and noise are drawn by numpy: the same seed gives the same network.

float32 and float64 are set where they are used, never for the process: 64 bits are allowed here only,
and matrix products are not shortened to 19 bits, the default of some accelerators. Results agree with
numpy up to rounding, which chaos enlarges like any other difference.

Loaded only when asked for, since it needs the extra ``jax``.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import jax
import numpy as np
from jax import lax
from jax import numpy as jnp

from dmft.codegen.float64 import FLOAT64
from dmft.codegen.network import CompiledNetwork
from dmft.codegen.tape import Table
from dmft.errors import InputError

from . import exponential
from .network import Array, FiniteNetwork, State
from .runge_kutta import NODES, WEIGHTS, Velocity
from .white_noise import AREA_SHARES, draw_brownian

if TYPE_CHECKING:
    from .integrate import Integrator

__all__ = ["JAX", "Blocks", "device_name", "precisely"]

#: Steps whose noise is drawn and sent to the device at once.
NOISY_STEPS = 16


def _of_arrays(name: str, function: Callable[[Any], Any]) -> Callable[[Any], Any]:
    """Python numbers (parameters) stay what they are on numpy: their rounding is the same."""
    of_numbers = FLOAT64.functions[name]
    return lambda x: (of_numbers if type(x) in (int, float) else function)(x)


#: Addition and its like are asked of the numbers themselves, whatever they are.
JAX = Table(
    target="jax",
    rational=FLOAT64.rational,
    functions={
        **{name: FLOAT64.functions[name] for name in ("pi", "add", "mul", "div", "pow")},
        **{
            name: _of_arrays(name, function)
            for name, function in {
                "sqrt": jnp.sqrt,
                "exp": jnp.exp,
                "log": jnp.log,
                "tanh": jnp.tanh,
                "logistic": jax.nn.sigmoid,
                "erf": lax.erf,
                "sin": jnp.sin,
                "cos": jnp.cos,
            }.items()
        },
    },
)


@dataclass(frozen=True, slots=True)
class Rule:
    """All that a compiled block depends on beside its arrays; equal rules share their compilation."""

    right: CompiledNetwork = field(hash=False)
    parameters: tuple[tuple[str, float], ...]
    moved: tuple[tuple[float, float], ...]
    integrator: Integrator
    dt: float
    #: A_kb of the white noise; empty without.
    amplitude: tuple[tuple[float, ...], ...]


class Blocks:
    """Blocks of steps of one network, whose couplings lie in the memory of the device.

    ``noise``: the generator of the white inputs, None without; it is used as `Trajectory` uses it on
    numpy, number for number.
    """

    def __init__(
        self,
        network: FiniteNetwork,
        dt: float,
        integrator: Integrator,
        noise: np.random.Generator | None = None,
    ) -> None:
        right = network.right
        if not isinstance(right, CompiledNetwork):
            raise InputError(
                "backend: jax runs compiled declarations; take numpy for other dynamics"
            )
        amplitude = [] if noise is None else right.noise(network.parameters).tolist()
        self.rule = Rule(
            right,
            tuple(sorted(network.parameters.items())),
            network.moved,
            integrator,
            dt,
            tuple(tuple(row) for row in amplitude),
        )
        self.noise = noise
        self.units = network.units
        with self._in_memory():
            self.couplings, self.inputs = jax.device_put((network.transposed, network.inputs))

    def advance(self, state: State, count: int) -> State:
        """The arrays of states, and of tangent vectors behind them, after ``count`` steps."""
        block = count if self.noise is None else NOISY_STEPS
        for first in range(0, count, block):
            steps = min(block, count - first)
            with self._in_memory():
                end = _compiled(
                    self.rule,
                    steps,
                    self.couplings,
                    self.inputs,
                    state,
                    self._paths(state[0], steps),
                )
                # Copies, so that nothing of numpy's depends on when jax gives its memory back.
                state = [np.array(a) for a in end]
        return state

    def _paths(self, x: Array, steps: int) -> Array | None:
        """W and H of every step, in the order of `draw_brownian`."""
        if self.noise is None:
            return None
        inputs, dt = len(self.rule.amplitude[0]), self.rule.dt
        drawn = (draw_brownian(inputs, x.shape, dt, self.noise, x.dtype) for _ in range(steps))
        return np.array([(path.increment, path.area) for path in drawn])

    @contextmanager
    def _in_memory(self) -> Iterator[None]:
        """The settings of `precisely`; too little memory on the device is the input's fault."""
        try:
            with precisely():
                yield
        except jax.errors.JaxRuntimeError as error:
            if "RESOURCE_EXHAUSTED" not in str(error):
                raise
            raise InputError(
                f"n: a network of {self.units} units does not fit into the memory of {device_name()}; "
                "try a smaller n or the backend numpy"
            ) from None


@contextmanager
def precisely() -> Iterator[None]:
    """Arrays keep the type that they have, and products of matrices its digits."""
    with jax.enable_x64(True), jax.default_matmul_precision("highest"):
        yield


def device_name() -> str:
    """What jax computes on, in words: "cpu", or the name of an accelerator."""
    return str(jax.devices()[0].device_kind)


def _block(
    rule: Rule,
    count: int,
    couplings: Sequence[Any],
    inputs: Sequence[Any],
    state: Sequence[Any],
    paths: Any,
) -> list[Any]:
    """``count`` steps; ``paths`` holds W and H, of shape (count, 2, white inputs, batch, N)."""
    parameters = dict(rule.parameters)
    network = FiniteNetwork(
        rule.right.on(JAX), parameters, tuple(couplings), inputs=tuple(inputs), moved=rule.moved
    )
    velocity = network.joint_velocity if len(state) > _fields(rule) else network.velocity
    leaks = (rule.right.leak(parameters) * 2)[: len(state)]

    def step(y: list[Any], path: Any) -> tuple[list[Any], None]:
        if rule.integrator == "exponential":
            return _exponential_step(velocity, y, rule.dt, leaks), None
        return _rk4_step(velocity, y, rule.dt, *_shifts(rule, len(y), path)), None

    end: list[Any] = lax.scan(step, list(state), paths, length=count)[0]
    return end


_compiled = jax.jit(_block, static_argnums=(0, 1))


def _fields(rule: Rule) -> int:
    return len(rule.right.info.fields)


def _shifts(rule: Rule, arrays: int, path: Any) -> list[list[Any]]:
    """sum_b A_kb W_b and sum_b A_kb H_b; tangent vectors and fields without noise have zeros."""
    if path is None:
        return [[0.0] * arrays] * 2
    quiet = [0.0] * (arrays - len(rule.amplitude))
    return [
        [sum(a * w for a, w in zip(row, normal, strict=True) if a) for row in rule.amplitude]
        + quiet
        for normal in path
    ]


def _rk4_step(
    velocity: Velocity, y: State, dt: float, increments: Sequence[Any], areas: Sequence[Any]
) -> State:
    """`white_noise.noisy_rk4_step` at constant amplitudes; without noise `runge_kutta.rk4_step`."""
    slope = velocity(y)
    total = [a + dt * WEIGHTS[0] * k for a, k in zip(y, slope, strict=True)]
    for node, share, weight in zip(NODES, AREA_SHARES, WEIGHTS[1:], strict=True):
        slope = velocity(
            [
                a + dt * node * k + (node * w + share * h)
                for a, k, w, h in zip(y, slope, increments, areas, strict=True)
            ]
        )
        total = [a + dt * weight * k for a, k in zip(total, slope, strict=True)]
    return [a + w for a, w in zip(total, increments, strict=True)]


def _exponential_step(velocity: Velocity, y: State, dt: float, leaks: Sequence[float]) -> State:
    """`exponential.exponential_step` at constant parameters."""
    stage, slopes = y, []
    for i, node in enumerate(exponential.NODES[1:]):
        slope = velocity(stage)
        slopes.append([k - rate * a for k, a, rate in zip(slope, stage, leaks, strict=True)])
        stage = [
            math.exp(node * rate * dt) * a
            + sum(
                dt * w * n
                for w, n in zip(exponential.coefficients(rate * dt)[i], forces, strict=True)
            )
            for a, rate, forces in zip(y, leaks, zip(*slopes, strict=True), strict=True)
        ]
    return stage
