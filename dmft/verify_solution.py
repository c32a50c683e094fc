r"""How well a stored solution obeys the stationary equations on another, finer grid.

The solver's own residual is taken on its own grid: a grid that is too coarse, or a window that is too
short, does not show there. Here the autocorrelations that a user gets are put into

    C_k = sum_a |G_ka|^2 * S_a(C) + I_k + white noise

(`solvers.stationary_problem`) on a grid of at least twice the density, cosine series on a window half
as long again, beyond which correlations are at their limit; white noise gets panels of its own. What the
finer grid cannot resolve counts as a violation: the answer errs towards alarm.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from .codegen import compiled_theory
from .errors import DmftError, InputError, quoted
from .results.solution import Solution
from .solvers.lag_grid import LagGrid
from .solvers.linear_theory import LinearTheory
from .solvers.panel_grid import PanelGrid
from .solvers.panel_problem import PanelProblem
from .solvers.stationary_problem import StationaryProblem

__all__ = ["Violation", "violation"]

_AVERAGE_TOL = 4e-15
#: Panels: the shortest over the fastest filter's time, and how many of the longest fill the window.
_SHORTEST, _LONG_PANELS = 0.4, 16


@dataclass(frozen=True)
class Violation:
    """By how much a solution fails its equations.

    ``residual`` is the largest over all fields and lags, relative to each C_k(0) (absolute where that is
    zero). ``negative_power`` is how far the power spectrum of any field goes below zero, relative to its
    largest value: an autocorrelation has none (Wiener & Khinchin). ``excess`` is by how much
    |C - <x>^2| exceeds its value at lag 0, relative to that.
    """

    residual: float
    negative_power: float
    excess: float

    @property
    def worst(self) -> float:
        """The largest of the three."""
        return max(self.residual, self.negative_power, self.excess)


def violation(solution: Solution) -> Violation:
    """Put a deterministic solution of a model of this package into its equations on a finer grid.

    Raises `DmftError` without an answer, and `InputError` for another model or a sampled solution.

    >>> import dmft
    >>> violation(dmft.solve("vanilla", g=2)).worst < 1e-10
    True
    """
    if not solution.lag.size:
        raise DmftError(f"there is nothing to verify: status {solution.status}")
    if solution.standard_error or solution.method in ("sampled", "factorised"):
        raise InputError(
            f"method {quoted(solution.method)}: such a solution has no exact equations"
        )
    theory = compiled_theory(solution.model)
    if theory.info.hash != solution.model_hash:
        raise InputError(
            f"{quoted(solution.model)} was solved with another declaration of the model"
        )
    linear = LinearTheory(theory, solution.parameters)
    names, active = theory.info.fields, list(linear.active)
    means = np.array([solution.mean[name] for name in names], dtype=np.float64)
    limits = np.array([solution.limit[name] for name in names], dtype=np.float64) - means**2
    window = float(solution.lag[-1])
    grid: LagGrid | PanelGrid
    problem: StationaryProblem | PanelProblem
    if solution.interpolation == "spline":
        shortest = _SHORTEST / linear.fastest_rate
        grid = PanelGrid.graded(shortest, window / _LONG_PANELS, window)
        problem = PanelProblem(linear, grid, _AVERAGE_TOL)
    else:
        changing = solution.lag.size > 1
        grid = LagGrid(1.5 * window, 3 * (solution.lag.size - 1)) if changing else LagGrid(1.0, 1)
        problem = StationaryProblem(linear, grid, _AVERAGE_TOL)
    given = solution.at(grid.lags)
    covariance = np.stack([given[name] for name in names]) - means[:, None] ** 2
    covariance = np.where(grid.lags <= window, covariance, limits[:, None])
    size = np.where(covariance[:, :1] > 0, covariance[:, :1], 1.0)
    excess = float(np.max(abs(covariance) / size) - 1.0) if np.any(covariance) else 0.0
    if excess > 1e-6:  # no covariance: Gaussian averages do not exist
        return Violation(np.inf, np.inf, excess)
    inside = np.clip(covariance[active], -covariance[active, :1], covariance[active, :1])
    currents = problem.currents(inside, means[active])
    expected = problem.everything(currents.covariance)
    residual = float(np.max(abs(covariance - expected) / size))
    negative = 0.0
    if isinstance(grid, LagGrid):
        power = grid.coefficients(covariance - limits[:, None])
        negative = float(np.max(-np.min(power, axis=1) / np.max(abs(power) + 1e-300, axis=1)))
        negative *= float(np.max(power)) > 0
    return Violation(residual, max(negative, 0.0), max(excess, 0.0))
