r"""How a sampled solution answers to errors of its averages: (1 - DF)^{-1}, and what it makes of them.

In the space of sums of exponentials, with an orthonormal basis u of values at the lags, the Jacobian
of the map F is taken by differences with the same normals. An error d mu of the sampled averages
changes the solution by dx = u (1 - D)^{-1} u^T G d mu, and a report q (a covariance at a lag) by

    dq = (dq/d mu) d mu + (dq/dx) dx = T d mu,      covariance of q = T cov(mu) T^T.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from .conditional_problem import ConditionalProblem, Evaluation
from .conditional_state import CurrentState
from .path_blocks import ALONE, BlockRunner

__all__ = ["Response", "response"]

Floats = NDArray[np.float64]

_STEP = 1e-3


@dataclass(frozen=True)
class Response:
    """Derivatives at one solution. ``jacobian`` D (modes, modes), ``reports`` dq/dx (reports, modes)."""

    directions: Floats  # u: (groups * lags, modes)
    jacobian: Floats
    reports: Floats

    @cached_property
    def inverse(self) -> Floats:
        """(1 - D)^{-1}."""
        return np.asarray(np.linalg.inv(np.eye(len(self.jacobian)) - self.jacobian))

    @property
    def radius(self) -> float:
        """Spectral radius of DF; above one plain iteration leaves the solution."""
        return float(np.max(abs(np.linalg.eigvals(self.jacobian))))

    def correction(self, residual: Floats) -> Floats:
        """Newton's step for F(x) - x = ``residual``, (groups, lags)."""
        modes = self.inverse @ (self.directions.T @ residual.ravel())
        return np.asarray((self.directions @ modes).reshape(residual.shape))

    def shift(self, residual: Floats, reports: Floats) -> Floats:
        """Change of the reports if the map changes by ``residual`` and the reports by ``reports``."""
        modes = self.inverse @ (self.directions.T @ residual.ravel())
        return np.asarray(reports + self.reports @ modes)

    def modes(self, problem: ConditionalProblem, state: CurrentState) -> Floats:
        """(1 - D)^{-1} u^T G, (modes, targets of the sampling)."""
        gains, _ = problem.sampled_gains(state)
        projection = problem.basis.values @ problem.basis.fit
        groups, lags = state.values.shape
        fitted = np.einsum("lm,gmt->glt", projection, gains.reshape(groups, lags, -1))
        inner = self.directions.T @ fitted.reshape(groups * lags, -1)
        return np.asarray(self.inverse @ inner)

    def transform(self, problem: ConditionalProblem, state: CurrentState) -> Floats:
        """T, (reports, targets of the sampling)."""
        _, direct = problem.sampled_gains(state)
        return np.asarray(direct + self.reports @ self.modes(problem, state))


def response(
    problem: ConditionalProblem,
    found: Evaluation,
    blocks: Sequence[int],
    runner: BlockRunner = ALONE,
) -> Response:
    """Differentiate the map and the reports at ``found``, which must be of the same blocks."""
    x = found.state.values
    groups, lags = x.shape
    basis = problem.basis.directions
    modes = basis.shape[1]
    image = problem.basis.projected(found.values)
    directions = np.zeros((groups * lags, groups * modes))
    for g in range(groups):
        directions[g * lags : (g + 1) * lags, g * modes : (g + 1) * modes] = basis
    jacobian = np.empty((groups * modes, groups * modes))
    reports = np.empty((found.reports.size, groups * modes))
    for column in range(groups * modes):
        size = _STEP * x[column // modes, 0]
        moved = x + size * directions[:, column].reshape(x.shape)
        there = problem.evaluate(moved, blocks, runner)
        change = (problem.basis.projected(there.values) - image) / size
        jacobian[:, column] = directions.T @ change.ravel()
        reports[:, column] = (there.reports - found.reports) / size
    return Response(directions, jacobian, reports)
