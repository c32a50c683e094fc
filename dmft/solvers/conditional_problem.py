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
from numpy.typing import NDArray

from .block_steps import PathGrid, block_steps
from .conditional_average import ConditionalAverage
from .conditional_covariance import BlockPaths, block_paths
from .conditional_model import ConditionalModel
from .conditional_state import CurrentState, StateMaker, SteadyAverages
from .exponential_fit import ExponentialBasis
from .gate_paths import draw_gates
from .lag_grid import LagGrid
from .part_averages import PartAverages, factors_of
from .path_blocks import ALONE, BlockRunner
from .path_controls import PathControls
from .path_moments import PathMoments, PathSums, total

__all__ = ["ConditionalProblem", "Evaluation", "Sampling"]

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Sampling:
    """How paths are drawn and averaged: ``seed``, ``paths`` in a block, averages by function."""

    seed: int
    paths: int
    controls: PathControls
    averages: Mapping[int, ConditionalAverage]
    start_variance: float = 0.0


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

    def with_reports(self, reports: Floats) -> Evaluation:
        """The same with other reports."""
        rows = reports.reshape(-1, self.fields.shape[1])
        count = self.fields.shape[0]
        observables = dict(zip(self.observables, rows[count:], strict=True))
        return replace(self, fields=rows[:count], observables=observables)


@dataclass(frozen=True)
class ConditionalProblem:
    """The map on one grid with one basis and one way of sampling."""

    model: ConditionalModel
    grid: PathGrid
    basis: ExponentialBasis
    sampling: Sampling

    @cached_property
    def maker(self) -> StateMaker:
        """Prepares states on this grid with this basis."""
        return StateMaker(self.model, self.grid, self.basis)

    @property
    def filters(self) -> LagGrid:
        """The window on which steady fields are filtered."""
        return self.maker.filters

    def state(self, values: Floats) -> CurrentState:
        """What covariances of the currents, given at the lags, imply before any path is drawn."""
        return self.maker.state(values)

    def gate_values(self, state: CurrentState, block: int) -> Floats:
        """The gating fields of one block at the half steps, (gating fields, 2 n, paths)."""
        return draw_gates(state.gates, self.sampling.seed, block, self.sampling.paths).values()

    def along_paths(self, state: CurrentState, block: int) -> tuple[BlockPaths, Floats, Floats]:
        """The block's covariances along one block of paths; the gating fields; the controls."""
        drawn = draw_gates(state.gates, self.sampling.seed, block, self.sampling.paths)
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
        factors = factors_of(self.model, self.sampling.averages, along, gates)
        parts = PartAverages(self.model.parts, factors)
        bounds = np.empty((len(self.model.parts), len(self.grid.nodes)))
        sampled = np.empty((len(self.model.parts), len(self.grid.nodes), self.sampling.paths))
        fields = np.empty((len(self.model.theory.block), *sampled.shape[1:]))
        here = along.at_starts(0)
        for n, covariances in enumerate(along.lagged()):
            lag = self.grid.nodes[n]
            for j, c in covariances.items():
                fields[j, n] = np.mean(c, axis=0)
                if j in along.means:
                    m = along.means[j]
                    fields[j, n] += np.mean(m[here] * m[along.at_starts(lag)], axis=0)
            for p, found in enumerate(parts.at(lag, covariances)):
                sampled[p, n] = np.mean(found.values, axis=0)
                bounds[p, n] = found.error
        rows = np.concatenate(
            [sampled.reshape(-1, sampled.shape[-1]), fields.reshape(-1, sampled.shape[-1])]
        )
        return rows, controls, np.array([along.memory, *bounds.ravel()])

    def _block_sums(self, state: CurrentState, block: int) -> tuple[PathSums, Floats]:
        rows, controls, extra = self.block_rows(state, block)
        return PathSums.of(rows, controls), extra

    def moments(
        self, state: CurrentState, blocks: Sequence[int], runner: BlockRunner = ALONE
    ) -> tuple[PathMoments, Floats]:
        """Moments over several blocks; means of the memory and of the bounds on the averages."""
        done = runner.over(partial(self._block_sums, state), blocks)
        extra = np.mean([e for _, e in done], axis=0)
        targets = (len(self.model.parts) + len(self.model.theory.block)) * len(self.grid.nodes)
        return total(targets, [sums for sums, _ in done]), extra

    def evaluate(
        self, values: Floats, blocks: Sequence[int], runner: BlockRunner = ALONE
    ) -> Evaluation:
        """The map at covariances of the currents, averaged over blocks of paths."""
        state = self.state(values)
        moments, extra = self.moments(state, blocks, runner)
        return self.combined(state, moments, float(extra[0]), extra[1:])

    def combined(
        self, state: CurrentState, moments: PathMoments, memory: float, average_errors: Floats
    ) -> Evaluation:
        """New covariances from the sampled averages and those of the steady fields."""
        model = self.model
        lags = len(self.grid.nodes)
        means = moments.means.reshape(-1, lags)
        sampled = dict(zip(model.parts, means, strict=False))
        steady = SteadyAverages(model, state)
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
        steady: SteadyAverages,
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
        steady = SteadyAverages(model, state)
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
