"""A finite random network, drawn from its declaration alone.

Couplings, inputs and the compiled right-hand side are all that is used: nothing in this file knows
the mean-field equations, so an error in them cannot hide here.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Protocol

import numpy as np
from numpy.typing import DTypeLike, NDArray

from dmft.errors import InputError

from .couplings import GAUSSIAN, CouplingLaw, Couplings, coupling_law, draw_couplings
from .matrix_product import few_times_matrix
from .start import Start

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
    @property
    def inputs(self) -> tuple[str, ...]: ...


class RightHandSide(Protocol):
    """What a simulation asks of a compiled declaration (`dmft.codegen.compile_network`)."""

    @property
    def info(self) -> NetworkInfo: ...
    def variance(self, p: dict[str, float], /) -> Sequence[float]: ...
    def mean(self, p: dict[str, float], /) -> Sequence[float]: ...
    def reciprocity(self, p: dict[str, float], /) -> Sequence[float]: ...
    def correlation(self, p: dict[str, float], /) -> Array: ...
    def input_mean(self, p: dict[str, float], /) -> Sequence[float]: ...
    def input_variance(self, p: dict[str, float], /) -> Sequence[float]: ...
    def noise(self, p: dict[str, float], /) -> Array: ...
    def leak(self, p: dict[str, float], /) -> Sequence[float]: ...
    def outputs(self, x: Sequence[Array], p: dict[str, float], /) -> State: ...
    def drift(
        self,
        x: Sequence[Array],
        xi: Sequence[Array],
        p: dict[str, float],
        inputs: Sequence[Array],
        /,
    ) -> State: ...
    def tangent_outputs(
        self, x: Sequence[Array], dx: Sequence[Array], p: dict[str, float], /
    ) -> State: ...
    def tangent_drift(
        self,
        x: Sequence[Array],
        xi: Sequence[Array],
        dx: Sequence[Array],
        dxi: Sequence[Array],
        p: dict[str, float],
        inputs: Sequence[Array],
        /,
    ) -> State: ...
    def outputs_with_tangent(
        self, x: Sequence[Array], dx: Sequence[Array], p: dict[str, float], /
    ) -> tuple[State, State]: ...
    def drift_with_tangent(
        self,
        x: Sequence[Array],
        xi: Sequence[Array],
        dx: Sequence[Array],
        dxi: Sequence[Array],
        p: dict[str, float],
        inputs: Sequence[Array],
        /,
    ) -> tuple[State, State]: ...


@dataclass(frozen=True, slots=True)
class FiniteNetwork:
    r"""One draw of the couplings and quenched inputs of a network of N units.

    .. math:: \dot x_k = f_k(x, \xi, I), \qquad \xi_a = J^a \psi_a(x), \qquad
              J^a_{ij} \sim \mathcal N(m_a / N, \sigma_a^2 / N)

    A state is a list with one ``(batch, N)`` array per field: different starts in the same network go
    through one matrix product. ``transposed[a][j, i]`` is ``J^a_ij``, row-major, so that
    ``psi @ transposed[a]`` reads memory in order (up to twice as fast as ``psi @ J.T`` at batch 32).
    ``patterns`` are the standard normal w of the quenched inputs I = mean + sqrt(variance) w, one
    ``(N,)`` array each, and ``inputs`` the I at ``parameters``, none where all are zero. ``law`` is that of
    ``transposed``, and ``moved`` leads from there to the ``parameters`` (see `at`).

    >>> import dmft.codegen
    >>> right = dmft.codegen.compile_network("vanilla")
    >>> network = draw_network(right, {"g": 2.0}, 50, np.random.default_rng(0))
    >>> network.velocity([np.zeros((3, 50), dtype=np.float32)])[0].shape
    (3, 50)
    """

    right: RightHandSide
    parameters: dict[str, float]
    transposed: tuple[Array, ...]
    patterns: tuple[Array, ...] = ()
    inputs: tuple[Array, ...] = ()
    law: CouplingLaw | None = None
    moved: tuple[tuple[float, float], ...] = ()

    @property
    def units(self) -> int:
        """Number of units N."""
        return int(self.transposed[0].shape[0])

    @property
    def dtype(self) -> np.dtype[Any]:
        """Floating-point type of couplings and states."""
        return self.transposed[0].dtype

    def velocity(self, x: Sequence[Array]) -> State:
        """dx/dt at the states ``x`` without white noise, one ``(batch, N)`` array per field."""
        currents = self._currents(self.right.outputs(x, self.parameters))
        return self.right.drift(x, currents, self.parameters, self.inputs)

    def velocity_with_tangent(self, x: Sequence[Array], dx: Sequence[Array]) -> tuple[State, State]:
        """Velocities of the states and of tangent vectors riding on the first of them.

        ``dx`` has shape ``(tangents, N)`` per field, tangents <= batch; tangent k belongs to state
        k. States and tangents share one matrix product per current.
        """
        p, states, tangents = self.parameters, x[0].shape[0], dx[0].shape[0]
        base, alone = [field[:tangents] for field in x], [field[tangents:] for field in x]
        some_alone = tangents < states
        outputs, d_outputs = self.right.outputs_with_tangent(base, dx, p)
        if some_alone:
            outputs = _stacked(outputs, self.right.outputs(alone, p))
        both = self._currents(_stacked(outputs, d_outputs))
        xi = [current[:states] for current in both]
        d_xi = [current[states:] for current in both]
        base_xi = [current[:tangents] for current in xi]
        velocity, d_velocity = self.right.drift_with_tangent(
            base, base_xi, dx, d_xi, p, self.inputs
        )
        if some_alone:
            alone_xi = [current[tangents:] for current in xi]
            rest = self.right.drift(alone, alone_xi, p, self.inputs)
            velocity = _stacked(velocity, rest)
        return velocity, d_velocity

    def joint_velocity(self, y: Sequence[Array]) -> State:
        """`velocity_with_tangent` with the fields of states and of tangents in one list."""
        fields = len(self.right.info.fields)
        velocity, d_velocity = self.velocity_with_tangent(y[:fields], y[fields:])
        return velocity + d_velocity

    def _currents(self, outputs: Sequence[Array]) -> State:
        """J psi for every current, at the parameters that the network was moved to: J is a J + b/N."""
        currents = [
            few_times_matrix(psi, j) for psi, j in zip(outputs, self.transposed, strict=True)
        ]
        for k, (a, b) in enumerate(self.moved):
            currents[k] *= a
            currents[k] += b * outputs[k].mean(axis=1, keepdims=True)
        return currents

    def at(self, parameters: Mapping[str, float]) -> FiniteNetwork:
        """The same network at other parameters: its random numbers stay, what they multiply changes.

        Quenched inputs are fixed patterns, I = mean + sqrt(variance) w. Couplings whose mean or variance
        changes become J' = a J + b/N with a = sigma'/sigma and b = m' - a m. Raises `InputError`
        when correlations change, or a variance that was drawn as zero.
        """
        p = dict(parameters)
        inputs = _inputs(self.right, p, self.patterns, self.dtype)
        moved = () if self.law is None else _moved(self.law, coupling_law(self.right, p))
        return replace(self, parameters=p, inputs=inputs, moved=moved)


def _stacked(upper: State, lower: State) -> State:
    """One array of rows for every pair; by numpy, or by the library that the arrays belong to."""
    concatenate = upper[0].__array_namespace__().concat
    return [concatenate(pair) for pair in zip(upper, lower, strict=True)]


def _inputs(
    right: RightHandSide, p: dict[str, float], patterns: Sequence[Array], dtype: DTypeLike
) -> tuple[Array, ...]:
    if not patterns:
        return ()
    means, variances = right.input_mean(p), right.input_variance(p)
    if not np.any([means, variances]):
        return ()
    inputs = []
    for name, mean, variance, w in zip(right.info.inputs, means, variances, patterns, strict=True):
        if not (np.isfinite([mean, variance]).all() and variance >= 0):
            raise InputError(
                f"{right.info.name}: the input {name} has mean {mean:g} and variance {variance:g} at "
                "these parameters; finite numbers are allowed, the variance >= 0"
            )
        inputs.append((mean + np.sqrt(variance) * w).astype(dtype, copy=False))
    return tuple(inputs)


def _moved(drawn: CouplingLaw, law: CouplingLaw) -> tuple[tuple[float, float], ...]:
    if (drawn.mean == law.mean).all() and (drawn.variance == law.variance).all():
        moved: tuple[tuple[float, float], ...] = ()
    elif ((drawn.variance == 0) & (law.variance > 0)).any():
        raise InputError(
            "the variance of couplings grows from 0: let it start from a small positive value, so that "
            "there are random numbers to grow"
        )
    else:
        a = np.sqrt(law.variance / np.where(drawn.variance > 0, drawn.variance, 1.0))
        moved = tuple(zip(a.tolist(), (law.mean - a * drawn.mean).tolist(), strict=True))
    same = (drawn.reciprocity == law.reciprocity).all()
    if not same or (drawn.correlation != law.correlation).any():
        raise InputError(
            "correlations and reciprocity of the couplings cannot change in time; means and variances "
            "can"
        )
    return moved


def draw_network(
    right: RightHandSide,
    parameters: Mapping[str, float],
    n: int,
    rng: np.random.Generator,
    dtype: DTypeLike = np.float32,
    couplings: Couplings = GAUSSIAN,
) -> FiniteNetwork:
    """Draw one network of ``n`` units: its couplings, then the patterns of its quenched inputs."""
    p = dict(parameters)
    law = coupling_law(right, p)
    transposed = draw_couplings(law, n, rng, dtype, couplings)
    patterns = tuple(rng.standard_normal(n, dtype=np.float32) for _ in right.info.inputs)
    inputs = _inputs(right, p, patterns, dtype)
    return FiniteNetwork(right, p, transposed, patterns, inputs, law)


def draw_state(
    network: FiniteNetwork, batch: int, start: float | Start, rng: np.random.Generator
) -> State:
    """Independent starts, independent of J; a number is the standard deviation of Gaussian ones."""
    start = start if isinstance(start, Start) else Start(start)
    return start.draw(network.right.info.fields, (batch, network.units), rng, network.dtype)


def generators(seed: int, n: int, realization: int) -> list[np.random.Generator]:
    """Generators for the couplings and for the starts of one network.

    Keyed by size and number, not by order of execution: the same seed gives the same networks for
    any number of workers.
    """
    return _children(seed, n, realization)[:2]


def noise_generator(seed: int, n: int, realization: int) -> np.random.Generator:
    """The generator of the white noise in one network, beside `generators`."""
    return _children(seed, n, realization)[2]


def _children(seed: int, n: int, realization: int) -> list[np.random.Generator]:
    sequence = np.random.SeedSequence(seed, spawn_key=(n, realization))
    return [np.random.default_rng(child) for child in sequence.spawn(3)]
