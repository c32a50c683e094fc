r"""Averages over blocks of paths for the two-replica operator, and their joint moments with the state's.

The exponent's error needs the covariance of what enters the operator with what determines the state:
both come from the same paths, so that one row of values per path holds both (`path_moments`).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np
from numpy.typing import NDArray

from .conditional_average import ConditionalAverage
from .conditional_problem import ConditionalProblem
from .conditional_state import CurrentState
from .path_blocks import BlockRunner
from .path_moments import PathMoments, PathSums, total
from .replica_operator import Averages, replica_terms
from .replica_paths import ReplicaTerm, replica_paths

__all__ = ["ReplicaSampler"]

Floats = NDArray[np.float64]
_Sampled = dict[tuple[ReplicaTerm, int], Floats]


@dataclass(frozen=True)
class ReplicaSampler:
    """Of one problem; ``slopes`` are the averages of derivatives f' of functions of the block."""

    problem: ConditionalProblem
    slopes: Mapping[int, ConditionalAverage]

    @staticmethod
    def adapted(problem: ConditionalProblem, state: CurrentState, tol: float) -> ReplicaSampler:
        """Choose the averages of the derivatives for the variances that occur."""
        model, stride = problem.model, problem.grid.stride
        along, _, _ = problem.along_paths(state, 0)
        found = {}
        for term in replica_terms(model):
            j = model.theory.block.index(model.theory.functions[term.factor].field)
            variances = along.variances[j][::stride].ravel()
            means = along.means[j][::stride].ravel() if j in along.means else 0 * variances
            found[term.factor] = ConditionalAverage.adapted(
                partial(model.function, term.factor, order=1), means, variances, tol
            )
        return ReplicaSampler(problem, found)

    def means(
        self,
        state: CurrentState,
        growths: Sequence[float],
        blocks: Sequence[int],
        runner: BlockRunner,
    ) -> list[_Sampled]:
        """Plain averages over blocks of paths, at several growth rates."""
        done = runner.over(partial(self._block_means, state, growths), blocks)
        return [
            {key: np.mean([d[n][key] for d in done], axis=0) for key in done[0][n]}
            for n in range(len(growths))
        ]

    def moments(
        self,
        state: CurrentState,
        growth: float,
        gradient: Averages,
        blocks: Sequence[int],
        runner: BlockRunner,
    ) -> tuple[PathMoments, _Sampled]:
        """Moments of the state's targets and, as last one, of sum gradient * averages; plain averages."""
        done = runner.over(partial(self._block_moments, state, growth, gradient), blocks)
        plain = {key: np.mean([d[1][key] for d in done], axis=0) for key in done[0][1]}
        targets = done[0][0].sums.size - self._controls
        return total(targets, [sums for sums, _ in done]), plain

    def _block(self, state: CurrentState, growths: Sequence[float], block: int) -> list[_Sampled]:
        terms = replica_terms(self.problem.model)
        paths = replica_paths(self.problem, state, terms, self.slopes, block)
        return [paths.averages(growth) for growth in growths]

    def _block_means(
        self, state: CurrentState, growths: Sequence[float], block: int
    ) -> list[_Sampled]:
        found = self._block(state, growths, block)
        return [{key: v.mean(axis=-1) for key, v in d.items()} for d in found]

    def _block_moments(
        self, state: CurrentState, growth: float, gradient: Averages, block: int
    ) -> tuple[PathSums, _Sampled]:
        rows, controls, _ = self.problem.block_rows(state, block)
        found = self._block(state, [growth], block)[0]
        extra = np.zeros(rows.shape[1])
        for key, values in found.items():
            extra += np.einsum("lm,lmp->p", gradient[key], values)
        plain = {key: v.mean(axis=-1) for key, v in found.items()}
        return PathSums.of(np.concatenate([rows, extra[None]]), controls), plain

    @property
    def _controls(self) -> int:
        return self.problem.sampling.controls.number(len(self.problem.model.theory.gating))
