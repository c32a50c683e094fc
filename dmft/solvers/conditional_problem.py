r"""Self-consistency of a conditionally Gaussian theory: from covariances of currents to new ones.

    S_a(tau) = v_a c_a^2  E_y[ prod_{f of y} f f'  prod_{f of x} E[f f' | m_y, K_y] ]  prod_{f of others} F_f,

x the block, y the gating fields. Unknowns are the S_a of currents with different outputs, at the
lags of a basis of exponentials (``values``, (groups, lags)). Gating fields and others are Gaussian and
follow by filters; only the paths of y are sampled, always with the same normals, so that the map from
S to new S is a smooth deterministic function.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property, partial

import numpy as np
from joblib import Parallel, delayed
from numpy.typing import NDArray
from threadpoolctl import threadpool_limits

from dmft.codegen.conditional import CompiledConditional
from dmft.gaussian.pair_average import pair_average

from .conditional_average import ConditionalAverage
from .conditional_covariance import (
    BlockPaths,
    BlockSource,
    PathGrid,
    block_paths,
    block_steps,
)
from .exponential_fit import ExponentialBasis
from .gate_paths import PathSpectra, draw_gates
from .lag_grid import LagGrid
from .path_controls import PathControls
from .path_matrix import PathMatrix
from .path_moments import PathMoments, moments_of, total
from .steady_fields import Sources, SteadyFields

__all__ = ["ConditionalModel", "ConditionalProblem", "CurrentState", "Evaluation", "Sampling"]

Floats = NDArray[np.float64]

_AVERAGE_TOL = 1e-10


@dataclass(frozen=True, eq=False)
class ConditionalModel:
    """A theory at given parameters, and which averages it needs."""

    theory: CompiledConditional
    parameters: Mapping[str, float]

    @cached_property
    def steady(self) -> SteadyFields:
        """The fields with constant coefficients."""
        return SteadyFields(self.theory, self.parameters)

    @cached_property
    def strength(self) -> Floats:
        """v_a c_a^2, (currents,)."""
        coefficients = self.theory.vector("coefficients", self.parameters)
        return self.theory.vector("weights", self.parameters) * coefficients**2

    @cached_property
    def groups(self) -> tuple[tuple[int, ...], ...]:
        """Currents of equal covariance: equal output and strength."""
        found: dict[tuple[tuple[int, ...], float], list[int]] = {}
        for a, output in enumerate(self.theory.outputs):
            found.setdefault((output.factors, float(self.strength[a])), []).append(a)
        return tuple(tuple(members) for members in found.values())

    @cached_property
    def group_of(self) -> tuple[int, ...]:
        """The group of each current."""
        return tuple(
            next(g for g, members in enumerate(self.groups) if a in members)
            for a in range(len(self.theory.outputs))
        )

    def sampled(self, factors: Sequence[int]) -> tuple[int, ...]:
        """The factors whose average runs over paths; empty when none is a function of the block."""
        fields = [self.theory.functions[f].field for f in factors]
        if not any(x in self.theory.block for x in fields):
            return ()
        both = (*self.theory.block, *self.theory.gating)
        return tuple(f for f, x in zip(factors, fields, strict=True) if x in both)

    @cached_property
    def parts(self) -> tuple[tuple[int, ...], ...]:
        """Different sets of factors that are sampled, of outputs and observables."""
        products = [o.factors for o in (*self.theory.outputs, *self.theory.observables) if o]
        found = dict.fromkeys(self.sampled(factors) for factors in products)
        return tuple(part for part in found if part)

    @cached_property
    def input_variances(self) -> Floats:
        """Of quenched inputs; intensities of white ones."""
        return self.theory.vector("input_variances", self.parameters)

    @cached_property
    def input_means(self) -> Floats:
        """Of the inputs; zero for white ones."""
        return self.theory.vector("input_means", self.parameters)

    @cached_property
    def noisy(self) -> bool:
        """Whether there is white noise, which leaves cusps at lag 0."""
        white = zip(self.input_variances, self.theory.white, strict=True)
        return any(w and v > 0 for v, w in white)

    @cached_property
    def decays(self) -> bool:
        """Whether correlations can decay to zero: odd outputs of fields without mean."""
        quenched = [v for v, w in zip(self.input_variances, self.theory.white, strict=True) if not w]
        if np.any(quenched) or np.any(self.input_means) or np.any(self.steady.constant):
            return False
        if self.theory.moving["constant"].places:
            return False
        return all(any(self._is_odd(f) for f in o.factors) for o in self.theory.outputs)

    def _is_odd(self, function: int) -> bool:
        x = np.linspace(0.013, 5.1, 61)
        plus, minus = self.function(function, x), self.function(function, -x)
        return bool(np.max(abs(plus + minus)) <= 4e-15 * np.max(abs(plus)))

    def function(self, position: int, x: Floats, order: int = 0) -> Floats:
        """f, f' or f'' of a function of one field."""
        return np.asarray(self.theory.functions[position].at(x, self.parameters)[order])

    def moving(self, name: str, gates: Mapping[str, Floats]) -> PathMatrix:
        """A moving matrix along paths of the gating fields."""
        part = self.theory.moving[name]
        return PathMatrix(dict(zip(part.places, part.at(self.parameters, gates), strict=True)))

    def gates(self, values: Floats) -> dict[str, Floats]:
        """Values of the gating fields by name, from (gating fields, ...)."""
        names = [self.theory.info.fields[k] for k in self.theory.gating]
        return dict(zip(names, values, strict=True))


@dataclass(frozen=True)
class Sampling:
    """How paths are drawn and averaged: ``seed``, ``paths`` in a block, averages by function."""

    seed: int
    paths: int
    controls: PathControls
    averages: Mapping[int, ConditionalAverage]
    start_variance: float = 0.0


@dataclass(frozen=True)
class CurrentState:
    """What covariances of the currents (``values``, (groups, lags)) imply before any sampling.

    ``sources`` drive the block; ``steady`` are covariances of the steady fields at the lags,
    ``means`` and ``frozen`` their means and what stays of the covariance; ``clipped`` is the share of
    negative spectrum that was set to zero.
    """

    values: Floats
    spectra: PathSpectra
    sources: tuple[BlockSource, ...]
    steady: Floats
    means: Floats
    frozen: Floats
    clipped: float


@dataclass(frozen=True)
class Evaluation:
    """New covariances of the currents (groups, lags) and all covariances at the lags.

    ``fields`` (fields, lags) and ``observables``: second moments; ``moments`` of the sampled parts
    (first) and of the block's fields. ``memory``: mean square share of a start that is left;
    ``average_errors``: bounds on the errors of the sampled parts at all lags.
    """

    values: Floats
    fields: Floats
    observables: Mapping[str, Floats]
    moments: PathMoments
    state: CurrentState
    memory: float
    average_errors: Floats

    @property
    def reports(self) -> Floats:
        """Covariances of all fields, then observables, at the lags, in one vector."""
        return np.concatenate([self.fields, *[v[None] for v in self.observables.values()]]).ravel()


@dataclass(frozen=True)
class ConditionalProblem:
    """The map on one grid with one basis and one way of sampling."""

    model: ConditionalModel
    grid: PathGrid
    basis: ExponentialBasis
    sampling: Sampling

    @cached_property
    def circle(self) -> LagGrid:
        """Half the circle, at half steps."""
        return LagGrid(self.grid.period / 2, self.grid.steps)

    @cached_property
    def filters(self) -> LagGrid:
        """A window at half steps that is long enough for the slowest filter."""
        spacing = self.grid.step / 2
        length = max(self.grid.period / 2, 16 / self.model.steady.slowest_rate)
        intervals = min(int(np.ceil(length / spacing)), 2**18)
        return LagGrid(intervals * spacing, intervals)

    def _sources(self, weights: Floats, grid: LagGrid) -> tuple[Sources, float]:
        """Spectra of currents and inputs on a grid, and the share of them that was negative."""
        theory = self.model.theory
        constant = self.basis.has_constant
        decaying = weights.copy()
        if constant:
            decaying[:, 0] = 0.0
        values = decaying @ self.basis.at(grid.lags).T
        spectra = grid.coefficients(values)
        negative = np.minimum(spectra, 0.0)
        clipped = float(np.max(-negative.sum(axis=1) / np.maximum(values[:, 0], 1e-300)))
        groups = list(self.model.group_of)
        inputs = len(theory.white)
        frozen = np.maximum(weights[:, 0], 0.0) if constant else np.zeros(len(weights))
        noise = np.zeros((inputs, grid.intervals + 1))
        still = np.zeros(inputs)
        for i, white in enumerate(theory.white):
            if white:
                noise[i] = self.model.input_variances[i] / grid.length
                noise[i, [0, -1]] /= 2
            else:
                still[i] = self.model.input_variances[i]
        sources = Sources(
            spectra=np.concatenate([np.maximum(spectra, 0.0)[groups], noise]),
            frozen=np.concatenate([frozen[groups], still]),
            means=np.concatenate([np.zeros(len(groups)), self.model.input_means]),
        )
        return sources, clipped

    def state(self, values: Floats) -> CurrentState:
        """Prepare covariances of the currents given at the lags of the basis."""
        weights = self.basis.weights(values)
        steady = self.model.steady
        circle, clipped = self._sources(weights, self.circle)
        window, _ = self._sources(weights, self.filters)
        nodes = 2 * np.array(self.grid.nodes)
        moving = self.filters.values(steady.spectra(window, self.filters))[:, nodes]
        means, frozen = steady.means(window), steady.frozen(window)
        return CurrentState(
            values=values,
            spectra=PathSpectra.of(steady, circle, self.circle),
            sources=self._block_sources(weights),
            steady=moving + frozen[:, None],
            means=means,
            frozen=frozen,
            clipped=clipped,
        )

    def _block_sources(self, weights: Floats) -> tuple[BlockSource, ...]:
        model = self.model
        found = [
            BlockSource(self.basis.rates, np.asarray(weights[g])) for g in model.group_of
        ]
        nothing = np.zeros(0)
        for i, white in enumerate(model.theory.white):
            variance = float(model.input_variances[i])
            if white:
                found.append(BlockSource(nothing, nothing, intensity=variance))
            else:
                known = np.array([variance]) if variance else nothing
                found.append(
                    BlockSource(np.zeros(known.size), known, mean=float(model.input_means[i]))
                )
        return tuple(found)

    # -- sampling -----------------------------------------------------------------------------

    def along_paths(self, state: CurrentState, block: int) -> tuple[BlockPaths, Floats, Floats]:
        """The block's covariances along one block of paths; the gating fields; the controls."""
        drawn = draw_gates(state.spectra, self.sampling.seed, block, self.sampling.paths)
        gates = drawn.values()
        named = self.model.gates(gates)
        steps = block_steps(
            len(self.model.theory.block),
            self.grid.step,
            self.model.moving("drift", named),
            self.model.moving("input", named),
            self.model.moving("constant", named),
            state.sources,
            (self.grid.steps, self.sampling.paths),
        )
        along = block_paths(self.grid, steps, state.sources, self.sampling.start_variance)
        return along, gates[:, ::2], self.sampling.controls.of(drawn)

    def block_rows(self, state: CurrentState, block: int) -> tuple[Floats, Floats, Floats]:
        """Targets (parts, then fields of the block, at the lags) and controls, one column a path.

        Also the share of a start that is left, and bounds on the errors of the parts at all lags.
        """
        along, gates, controls = self.along_paths(state, block)
        parts = _PartAverages(self.model, self.sampling.averages, along, gates)
        sampled = np.empty((len(self.model.parts), len(self.grid.nodes), self.sampling.paths))
        fields = np.empty((len(self.model.theory.block), *sampled.shape[1:]))
        for n, covariances in enumerate(along.lagged()):
            lag = self.grid.nodes[n]
            for j, c in covariances.items():
                fields[j, n] = np.mean(c, axis=0)
                if j in along.means:
                    fields[j, n] += np.mean(
                        along.around(along.means[j], 0) * along.around(along.means[j], lag), axis=0
                    )
            sampled[:, n] = parts.at(lag, covariances)
        rows = np.concatenate([sampled.reshape(-1, sampled.shape[-1]), fields.reshape(-1, sampled.shape[-1])])
        return rows, controls, np.array([along.memory, *parts.errors.ravel()])

    def _block_moments(
        self, state: CurrentState, origin: Floats, block: int
    ) -> tuple[PathMoments, Floats]:
        with threadpool_limits(limits=1):
            rows, controls, extra = self.block_rows(state, block)
        return moments_of(rows, controls, origin), extra

    def moments(
        self, state: CurrentState, blocks: Sequence[int], pool: Parallel | None = None
    ) -> tuple[PathMoments, Floats]:
        """Moments over several blocks; means of the memory and of the bounds on the averages."""
        origin = self._origin(state)
        work = partial(self._block_moments, state, origin)
        if pool is None:
            done = [work(block) for block in blocks]
        else:
            done = pool(delayed(work)(block) for block in blocks)
        extra = np.mean([e for _, e in done], axis=0)
        return total([m for m, _ in done]), extra

    def _origin(self, state: CurrentState) -> Floats:
        """A rough guess of the row, so that sums of squares lose no digits."""
        gates = len(self.model.theory.gating)
        lags = len(self.grid.nodes)
        guess = np.zeros((len(self.model.parts) + len(self.model.theory.block)) * lags)
        return np.concatenate([guess, np.zeros(self.sampling.controls.number(gates))])

    # -- averages -----------------------------------------------------------------------------

    def evaluate(
        self, values: Floats, blocks: Sequence[int], pool: Parallel | None = None
    ) -> Evaluation:
        """The map at covariances of the currents, averaged over blocks of paths."""
        state = self.state(values)
        moments, extra = self.moments(state, blocks, pool)
        return self.combined(state, moments, float(extra[0]), extra[1:])

    def combined(
        self, state: CurrentState, moments: PathMoments, memory: float, average_errors: Floats
    ) -> Evaluation:
        """New covariances from the sampled averages and those of the steady fields."""
        model = self.model
        lags = len(self.grid.nodes)
        means = moments.means.reshape(-1, lags)
        sampled = dict(zip(model.parts, means, strict=False))
        steady = _SteadyAverages(model, state)
        values = np.array(
            [
                model.strength[members[0]]
                * self._product(model.theory.outputs[members[0]].factors, sampled, steady)
                for members in model.groups
            ]
        )
        fields = np.empty((len(model.theory.info.fields), lags))
        for place, k in enumerate(model.theory.steady):
            fields[k] = state.steady[place] + state.means[place] ** 2
        for j, k in enumerate(model.theory.block):
            fields[k] = means[len(model.parts) + j]
        coefficients = model.theory.vector("observable_coefficients", model.parameters)
        observables = {
            name: coefficient**2 * self._product(part.factors, sampled, steady)
            for name, part, coefficient in zip(
                model.theory.info.nonlinearities,
                model.theory.observables,
                coefficients,
                strict=True,
            )
            if part is not None
        }
        return Evaluation(values, fields, observables, moments, state, memory, average_errors)

    def _product(
        self,
        factors: tuple[int, ...],
        sampled: Mapping[tuple[int, ...], Floats],
        steady: _SteadyAverages,
    ) -> Floats:
        part = self.model.sampled(factors)
        result = sampled[part].copy() if part else np.ones(len(self.grid.nodes))
        for f in factors:
            if f not in part:
                result = result * steady.at(f)
        return result

    def sampled_gains(self, state: CurrentState) -> tuple[Floats, Floats]:
        """How new covariances and the reports depend on the sampled averages, all else held.

        Matrices (groups * lags, targets) and (reports * lags, targets), in the order of
        ``Evaluation.reports``.
        """
        model = self.model
        theory, lags = model.theory, len(self.grid.nodes)
        steady = _SteadyAverages(model, state)
        ones = {part: np.ones(lags) for part in model.parts}
        targets = (len(model.parts) + len(theory.block)) * lags

        def rows(factors: tuple[int, ...], strength: float) -> Floats:
            matrix = np.zeros((lags, targets))
            part = model.sampled(factors)
            if part:
                first = model.parts.index(part) * lags
                gain = strength * self._product(factors, ones, steady)
                matrix[:, first : first + lags] = np.diag(gain)
            return matrix

        values = [
            rows(theory.outputs[members[0]].factors, float(model.strength[members[0]]))
            for members in model.groups
        ]
        reports = []
        for k in range(len(theory.info.fields)):
            matrix = np.zeros((lags, targets))
            if k in theory.block:
                first = (len(model.parts) + theory.block.index(k)) * lags
                matrix[:, first : first + lags] = np.eye(lags)
            reports.append(matrix)
        coefficients = theory.vector("observable_coefficients", model.parameters)
        for part, coefficient in zip(theory.observables, coefficients, strict=True):
            if part is not None:
                reports.append(rows(part.factors, float(coefficient) ** 2))
        return np.concatenate(values), np.concatenate(reports)

    def with_sampling(self, **changes: object) -> ConditionalProblem:
        """The same with some attributes of the sampling changed."""
        return replace(self, sampling=replace(self.sampling, **changes))  # type: ignore[arg-type]


class _SteadyAverages:
    """F_f of functions of steady fields at the lags, each computed once."""

    def __init__(self, model: ConditionalModel, state: CurrentState) -> None:
        self.model, self.state = model, state
        self.known: dict[int, Floats] = {}

    def at(self, function: int) -> Floats:
        if function not in self.known:
            field = self.model.theory.functions[function].field
            place = self.model.theory.steady.index(field)
            covariance, mean = self.state.steady[place], self.state.means[place]

            def shifted(x: Floats) -> list[Floats]:
                return self.model.theory.functions[function].at(x + mean, self.model.parameters)

            if covariance[0] > 1e-14:
                series = pair_average(shifted, float(covariance[0]), _AVERAGE_TOL)
                limit = covariance[0]
                self.known[function] = series.at(np.clip(covariance, -limit, limit))[0]
            else:
                value = float(shifted(np.zeros(1))[0][0])
                self.known[function] = np.full(covariance.size, value**2)
        return self.known[function]


class _PartAverages:
    """Averages of the sampled parts at one lag after another."""

    def __init__(
        self,
        model: ConditionalModel,
        averages: Mapping[int, ConditionalAverage],
        along: BlockPaths,
        gates: Floats,
    ) -> None:
        self.model, self.averages, self.along = model, averages, along
        self.errors = np.zeros((len(model.parts), len(along.grid.nodes)))
        theory = model.theory
        self.series: dict[int, Floats] = {}
        self.values: dict[int, Floats] = {}
        for f in sorted({f for part in model.parts for f in part}):
            field = theory.functions[f].field
            if field in theory.block:
                j = theory.block.index(field)
                self.series[f] = averages[f].coefficients(along.means.get(j), along.variances[j])
            else:
                self.values[f] = model.function(f, gates[theory.gating.index(field)])
        self.ends: dict[int, Floats] = {f: self._at(s, 0) for f, s in self.series.items()}

    def _at(self, values: Floats, lag: int) -> Floats:
        grid = self.along.grid
        at = (np.arange(grid.starts) * grid.stride + lag) % grid.steps
        return values[:, at] if values.ndim == 3 else values[at]

    def at(self, lag: int, covariances: Mapping[int, Floats]) -> Floats:
        """E_x of every part, averaged over the starts, (parts, paths)."""
        theory, grid = self.model.theory, self.along.grid
        pair: dict[int, Floats] = {}
        bounds: dict[int, float] = {}
        for f, series in self.series.items():
            j = theory.block.index(theory.functions[f].field)
            other = self._at(series, lag)
            v1 = self._at(self.along.variances[j], 0)
            v2 = self._at(self.along.variances[j], lag)
            scale = np.sqrt(v1 * v2)
            with np.errstate(divide="ignore", invalid="ignore"):
                rho = np.where(scale > 0, covariances[j] / scale, 0.0)
            found = self.averages[f].pairs(self.ends[f], other, np.clip(rho, -1.0, 1.0))
            pair[f] = found.values
            bounds[f] = found.error / max(float(np.mean(abs(found.values))), 1e-300)
        for f, values in self.values.items():
            pair[f] = self._at(values, 0) * self._at(values, lag)
        products = [np.prod([pair[f] for f in part], axis=0) for part in self.model.parts]
        node = self.along.grid.nodes.index(lag)
        for n, (part, product) in enumerate(zip(self.model.parts, products, strict=True)):
            share = sum(bounds[f] for f in part if f in bounds)
            self.errors[n, node] = share * np.mean(abs(product))
        return np.array([np.mean(product, axis=0) for product in products])
