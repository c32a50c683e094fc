r"""The largest Lyapunov exponent where gates move: two replicas, averaged over sampled paths.

Covariances X of the perturbed currents, e^{lambda (t + t')} split off, obey X = O(lambda) X
(`replica_operator`). O maps covariances to covariances and its spectral radius rho does not increase with
lambda, so that the exponent is where rho = 1 (two replicas with equal couplings: Schuecker, Goedeke & Helias,
Phys. Rev. X 8, 041029 (2018)). To first order rho changes by u^T dO w, with left and right
eigenvectors u^T w = 1: path by path that gives the sampling error, together with that of the state,
whose response to the same paths is known (`conditional_response`).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from .conditional_errors import finer_steps, richer_basis
from .conditional_problem import ConditionalProblem
from .conditional_solution import Sampled
from .path_blocks import ALONE, BlockRunner
from .replica_operator import Averages, ReplicaOperator
from .replica_sampler import ReplicaSampler

__all__ = ["SampledExponent", "sampled_exponent"]

Floats = NDArray[np.float64]

_AVERAGE_TOL = 1e-3
#: The state's error is followed along its largest principal directions, down to this share.
_LEAST_SHARE = 1e-4
_MOST_DIRECTIONS = 8


@dataclass(frozen=True)
class SampledExponent:
    """The exponent, its total error, and what that consists of: "statistical", "step", "fit"."""

    value: float
    error: float
    parts: Mapping[str, float]


def sampled_exponent(
    solved: Sampled, blocks: int, runner: BlockRunner = ALONE
) -> SampledExponent | None:
    """The exponent in a sampled state, from its first ``blocks``; None where no root is found.

    The root, the eigenvectors and derivatives by the state are found on a quarter of the blocks.
    """
    state = solved.problem.state(solved.values)
    sampler = ReplicaSampler.adapted(solved.problem, state, _AVERAGE_TOL)
    search = _Search(solved, sampler, list(range(max(1, blocks // 4))), runner)
    found = search.root
    if found is None:
        return None
    growth, slope, row, column = found
    operator = search.operator
    gradient = operator.gradient(growth, row, column)
    moments, plain = sampler.moments(state, growth, gradient, list(range(blocks)), runner)
    radius = _leading(operator.reduced(operator.matrix(growth, plain)))[0]
    # the controls improve the average of the last target
    radius += moments.means[-1] - moments.plain[-1]
    weights = np.append(search.through_state() + search.beside_steady(plain), 1.0)
    variance = float(weights @ moments.covariance @ weights)
    parts = {"statistical": float(np.sqrt(max(variance, 0.0)) / abs(radius * slope))}
    for name, problem in (
        ("step", finer_steps(solved.problem)),
        ("fit", replace(solved.problem, basis=richer_basis(solved.problem.basis))),
    ):
        moved = search.rayleigh(problem, solved.values) - search.rayleigh_here
        parts[name] = float(abs(moved / (radius * slope)))
    error = float(np.sqrt(sum(v**2 for v in parts.values())))
    return SampledExponent(float(growth - np.log(radius) / slope), error, parts)


@dataclass(frozen=True)
class _Search:
    """Root and derivatives on a ``few`` blocks."""

    solved: Sampled
    sampler: ReplicaSampler
    few: Sequence[int]
    runner: BlockRunner

    @cached_property
    def operator(self) -> ReplicaOperator:
        """O at the solution."""
        problem = self.solved.problem
        parts = self.solved.found.moments.means.reshape(-1, len(problem.grid.nodes))
        state = problem.state(self.solved.values)
        return ReplicaOperator(problem, state, parts[: len(problem.model.parts)])

    def _radii(self, growths: Sequence[float]) -> list[tuple[float, Floats, Floats]]:
        operator = self.operator
        averages = self.sampler.means(operator.state, growths, self.few, self.runner)
        return [
            _leading(operator.reduced(operator.matrix(growth, a)))
            for growth, a in zip(growths, averages, strict=True)
        ]

    @cached_property
    def root(self) -> tuple[float, float, Floats, Floats] | None:
        """A growth rate at which rho is nearly one, d log rho / d growth, u and w at the lags.

        A state that is not constant in time has rho >= 1 at growth 0, because its own time
        derivative is a perturbation; secant steps in log rho from there.
        """
        low, high = 0.0, 0.1
        at_low, at_high = (np.log(found[0]) for found in self._radii([low, high]))
        for _ in range(12):
            slope = (at_high - at_low) / (high - low)
            if not np.isfinite(slope) or slope >= 0:
                return None
            new = float(np.clip(high - at_high / slope, 0.25 * min(low, high), 4 * max(low, high)))
            radius, left, right = self._radii([new])[0]
            low, at_low, high, at_high = high, at_high, new, np.log(radius)
            if abs(at_high) < 3e-3:
                if new != low:
                    slope = (at_high - at_low) / (new - low)
                return new, float(slope), *self._at_lags(left, right)
        return None

    def _at_lags(self, left: Floats, right: Floats) -> tuple[Floats, Floats]:
        u, projection = self.operator.frame
        return left @ u.T @ projection, u @ right

    def rayleigh(self, problem: ConditionalProblem, values: Floats) -> float:
        """u^T O w of another problem or at other values of the unknowns."""
        assert self.root is not None
        growth, _, row, column = self.root
        found = problem.evaluate(values, self.few, self.runner)
        parts = found.moments.means.reshape(-1, len(problem.grid.nodes))
        operator = ReplicaOperator(problem, found.state, parts[: len(problem.model.parts)])
        sampler = replace(self.sampler, problem=problem)
        averages = sampler.means(found.state, [growth], self.few, self.runner)[0]
        return float(row @ operator.matrix(growth, averages) @ column)

    @cached_property
    def rayleigh_here(self) -> float:
        """u^T O w at the solution."""
        return self.rayleigh(self.solved.problem, self.solved.values)

    def through_state(self) -> Floats:
        """d rho / d targets by way of the state, along its principal directions of error."""
        solved = self.solved
        modes = solved.response.modes(solved.problem, self.operator.state)
        covariance = modes @ solved.found.moments.covariance @ modes.T
        sizes, directions = np.linalg.eigh(covariance)
        total = np.zeros(modes.shape[1])
        for n in np.argsort(sizes)[::-1][:_MOST_DIRECTIONS]:
            if sizes[n] <= max(_LEAST_SHARE * float(np.max(sizes)), 1e-30):
                break
            step = np.sqrt(sizes[n])
            moved = solved.response.directions @ directions[:, n] * step
            there = self.rayleigh(
                solved.problem, solved.values + moved.reshape(solved.values.shape)
            )
            total += (there - self.rayleigh_here) / step * (directions[:, n] @ modes)
        return total

    def beside_steady(self, averages: Averages) -> Floats:
        """d rho / d targets at a given state: sampled averages multiply perturbed steady fields."""
        assert self.root is not None
        growth, _, row, column = self.root
        operator = self.operator
        count, lags = operator.parts.shape
        result = np.zeros(self.solved.found.moments.targets)
        here = operator.matrix(growth, averages)
        for p in range(count):
            # O is affine in the parts, and its rows do not mix their lags
            unit = np.zeros_like(operator.parts)
            unit[p] = 1.0
            there = replace(operator, parts=operator.parts + unit).matrix(growth, averages)
            change = row * ((there - here) @ column)
            result[p * lags : (p + 1) * lags] = change.reshape(-1, lags).sum(axis=0)
        return result


def _leading(matrix: Floats) -> tuple[float, Floats, Floats]:
    """The eigenvalue of largest real part with left and right eigenvectors, u^T w = 1."""
    values, right = np.linalg.eig(matrix)
    n = int(np.argmax(values.real))
    other, left = np.linalg.eig(matrix.T)
    u, w = left[:, int(np.argmin(abs(other - values[n])))].real, right[:, n].real
    return float(values[n].real), u / (u @ w), w
