r"""What the two-replica operator needs of one block of paths: averages of squares of perturbations.

Perturbations of the block (`derivations.replicas`) are driven by perturbed currents through B and by
perturbed gating fields through the slope of the drift along the unperturbed path,

    dx' = (A - lambda) dx + B d xi + Q dy,     Q = (dA/dy) x + (dB/dy) s + dc/dy.

Given the gating paths, averages over x of f'(x) f'(x') for the first term are closed
(`conditional_average`); Q contains x itself, so that for the second term x is drawn once for every
path, and f'(x) f'(x') is that of the drawn x.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from .block_steps import BlockSource, BlockSteps, block_steps
from .conditional_average import ConditionalAverage
from .conditional_covariance import BlockPaths
from .conditional_problem import ConditionalProblem
from .conditional_state import CurrentState
from .gate_paths import to_circle
from .part_averages import BlockFactor, GateFactor, PartAverages, factors_of
from .path_matrix import PathMatrix
from .replica_components import components

__all__ = ["ReplicaPaths", "ReplicaTerm", "replica_paths"]

Floats = NDArray[np.float64]

_HALF = 2


@dataclass(frozen=True)
class ReplicaTerm:
    """Which average: of ``part`` (factors), with ``factor`` (a function of the block) differentiated."""

    part: tuple[int, ...]
    factor: int


@dataclass(frozen=True)
class ReplicaPaths:
    """One block of paths, prepared for any growth rate lambda.

    ``closed`` and ``drawn``: averages over the block of the differentiated pair, for every term at
    every lag, (starts, paths).
    """

    problem: ConditionalProblem
    drift: PathMatrix
    inputs: PathMatrix
    slopes: PathMatrix
    closed: Mapping[ReplicaTerm, list[Floats]]
    drawn: Mapping[ReplicaTerm, list[Floats]]

    def averages(self, growth: float) -> dict[tuple[ReplicaTerm, int], Floats]:
        """E[f' f' K^(s,m)] at all lags: (term, source) -> (lags, rates, paths).

        Sources are the currents and inputs, then the gating fields.
        """
        problem = self.problem
        theory = problem.model.theory
        size = len(theory.block)
        shift = PathMatrix({(i, i): -growth for i in range(size)})
        count = len(theory.outputs) + len(theory.white)
        gates = {(i, count + y): v for (i, y), v in self.slopes.entries.items()}
        columns = PathMatrix({**self.inputs.entries, **gates})
        unit = BlockSource(problem.basis.rates, np.ones(problem.basis.rates.size))
        nothing = BlockSource(np.zeros(0), np.zeros(0))
        currents = len(theory.outputs)
        sources = [
            unit if s < currents or s >= count else nothing
            for s in range(count + len(theory.gating))
        ]
        shape = (problem.grid.steps, problem.sampling.paths)
        steps = block_steps(
            size, problem.grid.step, self.drift + shift, columns, PathMatrix({}), sources, shape
        )
        driving = sorted({s for _, s in steps.forcing})
        used = _only(steps, driving)
        found: dict[tuple[ReplicaTerm, int], list[Floats]] = {}
        rates = problem.basis.rates
        for n, squares in enumerate(components(problem.grid, used, rates, len(driving))):
            for term in self.closed:
                j = theory.block.index(theory.functions[term.factor].field)
                for place, s in enumerate(driving):
                    weight = (self.drawn if s >= count else self.closed)[term][n]
                    value = np.einsum("bp,mbp->mp", weight, squares[j, place]) / weight.shape[0]
                    found.setdefault((term, s), []).append(value)
        return {key: np.array(values) for key, values in found.items()}


def _only(steps: BlockSteps, driving: list[int]) -> BlockSteps:
    """The same with the sources that drive anything numbered from 0."""
    forcing = {(i, driving.index(s)): v for (i, s), v in steps.forcing.items()}
    return BlockSteps(steps.size, steps.propagator, forcing, {}, {})


def replica_paths(
    problem: ConditionalProblem,
    state: CurrentState,
    terms: list[ReplicaTerm],
    slopes: Mapping[int, ConditionalAverage],
    block: int,
) -> ReplicaPaths:
    """Prepare a block; ``slopes`` are the averages of the derivatives f' of functions of the block."""
    model, grid = problem.model, problem.grid
    theory = model.theory
    along, gates_at_steps, _ = problem.along_paths(state, block)
    factors = factors_of(model, problem.sampling.averages, along, gates_at_steps)
    gates = problem.gate_values(state, block)
    named = model.gates(gates)
    drift, inputs = model.moving("drift", named), model.moving("input", named)
    x, driven = _draw_block(problem, state, along, block)
    bent = _drift_slopes(problem, named, x, driven)
    closed = {t: _closed(problem, along, factors, slopes, t) for t in terms}
    drawn: dict[ReplicaTerm, list[Floats]] = {}
    for term in terms:
        values = np.ones((grid.steps, problem.sampling.paths))
        for f in term.part:
            field = theory.functions[f].field
            if field in theory.block:
                order = 1 if f == term.factor else 0
                values = values * model.function(f, x[theory.block.index(field)][::_HALF], order)
            else:
                values = values * model.function(f, gates_at_steps[theory.gating.index(field)])
        here = along.at_starts(0)
        drawn[term] = [values[here] * values[along.at_starts(lag)] for lag in grid.nodes]
    return ReplicaPaths(problem, drift, inputs, bent, closed, drawn)


def _closed(
    problem: ConditionalProblem,
    along: BlockPaths,
    factors: Mapping[int, BlockFactor | GateFactor],
    slopes: Mapping[int, ConditionalAverage],
    term: ReplicaTerm,
) -> list[Floats]:
    """Closed averages over the block of the differentiated part, at every lag."""
    factor = factors[term.factor]
    assert isinstance(factor, BlockFactor)
    used = {f: factors[f] for f in term.part}
    used[term.factor] = replace(factor, average=slopes[term.factor])
    averages = PartAverages((term.part,), used)
    return [
        averages.at(lag, covariances)[0].values
        for covariances, lag in zip(along.lagged(), problem.grid.nodes, strict=True)
    ]


def _draw_block(
    problem: ConditionalProblem, state: CurrentState, along: BlockPaths, block: int
) -> tuple[Floats, Floats]:
    """One path of the block for every path of the gates, and its sources, at the half steps.

    (fields, 2 n, paths) and (sources, 2 n, paths). Sources that do not drive the block are zero.
    """
    grid, steps = problem.grid, along.steps
    paths = problem.sampling.paths
    rng = np.random.default_rng(np.random.SeedSequence(problem.sampling.seed, spawn_key=(block, 1)))
    sources = state.spectra
    count = len(sources.means)
    driven = np.zeros((count, 2 * grid.steps, paths))
    driving = sorted({s for _, s in steps.forcing})
    for s in driving:
        normals = rng.standard_normal((sources.spectra.shape[1], 2, paths))
        waves = (normals[:, 0] - 1j * normals[:, 1]) * np.sqrt(sources.spectra[s])[:, None]
        waves[0], waves[-1] = waves[0].real, waves[-1].real
        driven[s] = to_circle(waves, 2 * grid.steps)
        driven[s] += np.sqrt(sources.frozen[s]) * rng.standard_normal(paths)
    x = {i: np.zeros(paths) for i in range(steps.size)}
    values = np.empty((steps.size, grid.steps, paths))
    for time in range(-grid.burn, grid.steps):
        t = time % grid.steps
        if time >= 0:
            for i, v in x.items():
                values[i, t] = v
        new = {i: np.array(steps.drift[i][t]) if i in steps.drift else np.zeros(paths) for i in x}
        for (i, k), p in steps.propagator.items():
            new[i] += p[t] * x[k]
        for (i, s), f in steps.forcing.items():
            for q in range(3):
                new[i] += f[t, q] * driven[s][(2 * t + q) % (2 * grid.steps)]
        x = new
    driven += sources.means[:, None, None]
    return _with_middles(problem, values, driven, state, block), driven


def _with_middles(
    problem: ConditionalProblem, values: Floats, driven: Floats, state: CurrentState, block: int
) -> Floats:
    """Values at the half steps too, by Hermite's cubic through values and slopes at the steps."""
    model = problem.model
    named = model.gates(problem.gate_values(state, block)[:, ::_HALF])
    slope = np.zeros_like(values)
    for (i, k), a in model.moving("drift", named).entries.items():
        slope[i] += a * values[k]
    for (i, s), b in model.moving("input", named).entries.items():
        slope[i] += b * driven[s, ::_HALF]
    for (i, _), c in model.moving("constant", named).entries.items():
        slope[i] += c
    after, slope_after = np.roll(values, -1, axis=1), np.roll(slope, -1, axis=1)
    result = np.empty((values.shape[0], 2 * values.shape[1], values.shape[2]))
    result[:, ::_HALF] = values
    result[:, 1::_HALF] = (values + after) / 2 + problem.grid.step / 8 * (slope - slope_after)
    return result


def _drift_slopes(
    problem: ConditionalProblem, named: Mapping[str, Floats], x: Floats, driven: Floats
) -> PathMatrix:
    """Q at the half steps, (field of the block, gating field)."""
    model = problem.model
    theory = model.theory
    total: dict[tuple[int, int], Floats] = {}
    for name, values in (("drift", x), ("input", driven), ("constant", None)):
        part = theory.moving[name]
        entries = part.slopes_at(model.parameters, named)
        for y in range(len(theory.gating)):
            for n, (i, k) in enumerate(part.places):
                slope = entries[y * len(part.places) + n]
                if np.ndim(slope) == 0 and slope == 0:
                    continue
                term = slope if values is None else slope * values[k]
                total[i, y] = total[i, y] + term if (i, y) in total else term
    return PathMatrix(total)
