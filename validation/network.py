"""A finite random network, drawn from its declaration alone.

The couplings and the compiled right-hand side are all that is used: nothing in this file knows the
mean-field equations, so an error in them cannot hide here.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import DTypeLike, NDArray

from dmft.errors import NotCoveredError

Array = NDArray[Any]
State = list[Array]


class NetworkInfo(Protocol):
    """The part of a model's description that a simulation needs."""

    @property
    def name(self) -> str: ...
    @property
    def fields(self) -> tuple[str, ...]: ...
    @property
    def currents(self) -> tuple[str, ...]: ...


class RightHandSide(Protocol):
    """What a simulation asks of a compiled declaration (`dmft.codegen.compile_network`)."""

    @property
    def info(self) -> NetworkInfo: ...
    def variance(self, p: dict[str, float]) -> Sequence[float]: ...
    def outputs(self, x: Sequence[Array], p: dict[str, float]) -> State: ...
    def drift(self, x: Sequence[Array], xi: Sequence[Array], p: dict[str, float]) -> State: ...
    def tangent_outputs(
        self, x: Sequence[Array], dx: Sequence[Array], p: dict[str, float]
    ) -> State: ...
    def tangent_drift(
        self,
        x: Sequence[Array],
        xi: Sequence[Array],
        dx: Sequence[Array],
        dxi: Sequence[Array],
        p: dict[str, float],
    ) -> State: ...


@dataclass(frozen=True, slots=True)
class FiniteNetwork:
    r"""One draw of the couplings of a network of N units.

     .. math:: \dot x_k = f_k(x, \xi), \qquad \xi_a = J^a \psi_a(x), \qquad
               J^a_{ij} \sim \mathcal N(0, \sigma_a^2 / N) \text{ independent}

    . A state is a list with one ``(batch, N)`` array per field: different
     starts in the same network go through one matrix product. ``transposed[a][j, i]`` is
     ``J^a_ij``, row-major, so that ``psi @ transposed[a]`` reads memory in order (up to twice as
     fast as ``psi @ J.T`` at batch 32).

     >>> import dmft.codegen
     >>> right = dmft.codegen.compile_network("vanilla")
     >>> network = draw_network(right, {"g": 2.0}, 50, np.random.default_rng(0))
     >>> network.velocity([np.zeros((3, 50), dtype=np.float32)])[0].shape
     (3, 50)
    """

    right: RightHandSide
    parameters: dict[str, float]
    transposed: tuple[Array, ...]

    @property
    def units(self) -> int:
        """Number of units N."""
        return int(self.transposed[0].shape[0])

    @property
    def dtype(self) -> np.dtype[Any]:
        """Floating-point type of couplings and states."""
        return self.transposed[0].dtype

    def velocity(self, x: Sequence[Array]) -> State:
        """dx/dt at the states ``x``, one ``(batch, N)`` array per field."""
        outputs = self.right.outputs(x, self.parameters)
        currents = [psi @ j for psi, j in zip(outputs, self.transposed, strict=True)]
        return self.right.drift(x, currents, self.parameters)

    def velocity_with_tangent(self, x: Sequence[Array], dx: Sequence[Array]) -> tuple[State, State]:
        """Velocities of the states and of tangent vectors riding on the first of them.

        ``dx`` has shape ``(tangents, N)`` per field, tangents <= batch; tangent k belongs to state
        k. States and tangents share one matrix product per current.
        """
        p = self.parameters
        batch, tangents = x[0].shape[0], dx[0].shape[0]
        base = [field[:tangents] for field in x]
        outputs = self.right.outputs(x, p)
        d_outputs = self.right.tangent_outputs(base, dx, p)
        currents: State = []
        d_currents: State = []
        for psi, d_psi, j in zip(outputs, d_outputs, self.transposed, strict=True):
            both = np.concatenate([psi, d_psi]) @ j
            currents.append(both[:batch])
            d_currents.append(both[batch:])
        d_velocity = self.right.tangent_drift(
            base, [current[:tangents] for current in currents], dx, d_currents, p
        )
        return self.right.drift(x, currents, p), d_velocity


def draw_network(
    right: RightHandSide,
    parameters: Mapping[str, float],
    n: int,
    rng: np.random.Generator,
    dtype: DTypeLike = np.float32,
) -> FiniteNetwork:
    """Draw the couplings of one network of ``n`` units.

    The normal numbers are drawn in float32 whatever ``dtype`` is, so that the same generator gives
    the same network in both precisions; a rounding of 6e-8 in a random number changes nothing.
    """
    p = dict(parameters)
    if any(getattr(right, "mean", lambda p: ())(p)):
        raise NotCoveredError(f"{right.info.name}: couplings with a mean are not simulated yet")
    transposed = []
    for variance in right.variance(p):
        j = rng.standard_normal((n, n), dtype=np.float32).astype(dtype, copy=False)
        j *= np.sqrt(variance / n).astype(dtype)
        transposed.append(j)
    return FiniteNetwork(right, p, tuple(transposed))


def draw_state(
    network: FiniteNetwork, batch: int, amplitude: float, rng: np.random.Generator
) -> State:
    """Independent Gaussian starts of standard deviation ``amplitude``, independent of J."""
    shape = (batch, network.units)
    return [
        (amplitude * rng.standard_normal(shape, dtype=np.float32)).astype(network.dtype, copy=False)
        for _ in network.right.info.fields
    ]


def generators(seed: int, n: int, realization: int) -> list[np.random.Generator]:
    """Generators for the couplings and for the starts of one network.

    Keyed by size and number, not by order of execution: the same seed gives the same networks for
    any number of workers.
    """
    sequence = np.random.SeedSequence(seed, spawn_key=(n, realization))
    return [np.random.default_rng(child) for child in sequence.spawn(2)]
