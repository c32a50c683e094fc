r"""Errors of a refined state, measured by one correction of everything that was discretised.

The grid is a quarter denser and a sixteenth longer, and the Gaussian averages aim at more digits, with
finer steps and longer Hermite series. What the correction of autocorrelations and exponent is there, is
their error to leading order; twice that is reported.
"""

from __future__ import annotations

import mpmath
import numpy as np

from ..solvers.lag_grid import LagGrid
from ..solvers.linear_theory import LinearTheory
from ..solvers.newton import linear_step
from ..solvers.stationary_problem import StationaryProblem
from .fine_equations import FineEquations
from .fine_mode import ModeInDoubles, mode_residual, mode_step
from .fine_newton import AVERAGE_TOL, raised, scaled
from .fixed_point import Cosines, Integers

__all__ = ["measured_errors"]

_SAFETY = 2.0
_MORE_DIGITS = 4


def measured_errors(
    equations: FineEquations,
    linear: LinearTheory,
    fine: Integers,
    exponent: int,
    mode: Integers,
) -> dict[int | str, float]:
    """By field, of C relative to C(0); and of the exponent ("lyapunov")."""
    grid = equations.grid
    finer = LagGrid(grid.length * 17 / 16, grid.intervals * 5 // 4 * 17 // 16)
    other = FineEquations(
        equations.theory,
        equations.exact,
        equations.active,
        finer,
        equations.digits + _MORE_DIGITS,
    )
    problem = StationaryProblem(linear, finer, AVERAGE_TOL)
    moved = _resampled(equations, other, fine)
    currents = problem.currents(other.fixed.floats(moved))
    _, residual, power = scaled(other.residual(moved), other.fixed.one)
    step = linear_step(problem, currents, 1.0, -residual, method="matrix-free", rtol=1e-3)
    correction = raised(step.covariance, power)
    better = moved + correction
    errors: dict[int | str, float] = {
        k: _largest(change, row)
        for k, change, row in zip(equations.active, correction, moved, strict=True)
    }
    followers = tuple(k for k in range(len(equations.theory.info.fields)) if k not in errors)
    if followers:
        before = _resampled(equations, other, equations.followers(fine, followers))
        after = other.followers(better, followers)
        reach = grid.intervals // 2  # both have no end of a window there
        for k, old, new in zip(followers, before, after, strict=True):
            # the window's share of the error falls by the ratio of the lengths only
            errors[k] = 2 * _largest((new - old)[:reach], new) if int(new[0]) else 0.0
    _, weights = other.currents(better, weights=True)
    assert weights is not None
    chi = _resampled(equations, other, mode)
    growth = exponent << (other.fixed.bits - equations.fixed.bits)
    in_doubles = ModeInDoubles(
        problem,
        currents.by_covariance,
        float(other.fixed.floats([growth])[0]),
        other.fixed.floats(chi),
    )
    _, defect, power = mode_residual(other, weights, chi, growth)
    _, shift = mode_step(in_doubles.iterated, defect, power, chi.shape)
    errors["lyapunov"] = _SAFETY * float(mpmath.mpf(abs(shift)) / other.fixed.one)
    return errors


def _largest(change: Integers, row: Integers) -> float:
    largest = max(abs(int(v)) for v in change)
    return _SAFETY * float(mpmath.mpf(largest) / int(row[0]))


def _resampled(equations: FineEquations, other: FineEquations, values: Integers) -> Integers:
    """Functions on the finer grid: more cosines, then a longer window, zero in its end."""
    n, denser = equations.grid.intervals, equations.grid.intervals * 5 // 4
    padded = np.zeros((len(values), denser + 1), dtype=object)
    padded[:, : n + 1] = equations.cosines.coefficients(values)
    result = np.zeros((len(values), other.grid.intervals + 1), dtype=object)
    result[:, : denser + 1] = Cosines(equations.fixed, denser).values(padded)
    return np.asarray(result << (other.fixed.bits - equations.fixed.bits))
