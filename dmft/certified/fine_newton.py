r"""Iterative refinement of autocorrelations: residuals in fixed point, the Jacobian in doubles."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import mpmath
import numpy as np
from numpy.typing import NDArray
from scipy import linalg

from ..solvers.lag_grid import LagGrid
from ..solvers.linear_theory import LinearTheory
from ..solvers.newton import newton
from ..solvers.stationary_problem import Currents, StationaryProblem
from .fine_equations import FineEquations
from .fixed_point import Integers

__all__ = [
    "AVERAGE_TOL",
    "MOST_STEPS",
    "DoubleState",
    "RefinementError",
    "operator",
    "raised",
    "refined_covariance",
    "scaled",
]

Floats = NDArray[np.float64]

#: A step gains some ten digits.
MOST_STEPS = 9
AVERAGE_TOL = 4e-15


class RefinementError(ArithmeticError):
    """The digits asked for were not reached; the message says why."""


@dataclass(frozen=True)
class DoubleState:
    """The solution in doubles on a grid."""

    problem: StationaryProblem
    covariance: Floats
    currents: Currents

    @staticmethod
    def on(linear: LinearTheory, grid: LagGrid, covariance: Floats) -> DoubleState:
        problem = StationaryProblem(linear, grid, AVERAGE_TOL)
        found = newton(problem, covariance, tol=1e-12)
        if not found.converged:
            raise RefinementError("Newton's method in doubles did not converge on the finer grid")
        return DoubleState(problem, found.covariance, found.currents)

    @cached_property
    def factors(self) -> Any:
        """The Jacobian 1 - G (W + U e_0^T), factorised."""
        by_c, by_d = self.currents.by_covariance, self.currents.by_variance
        return linalg.lu_factor(operator(self.problem.kernel, by_c, by_d), overwrite_a=True)


def refined_covariance(equations: FineEquations, double: DoubleState) -> Integers:
    """C in fixed point."""
    fine = equations.fixed.array(double.covariance)
    before = size = np.inf
    for _ in range(MOST_STEPS):
        step, size = _step(equations, double, fine)
        if size < 10.0 ** -(equations.digits + 4) or size > 0.3 * before:
            break
        fine, before = fine + step, size
    if size > 10.0 ** -(equations.digits + 1):
        raise RefinementError(f"refinement of C stopped at a residual of {size:.1e}")
    return fine


def _step(equations: FineEquations, double: DoubleState, fine: Integers) -> tuple[Integers, float]:
    """A correction of C, and the size of the residual before it."""
    size, residual, power = scaled(equations.residual(fine), equations.fixed.one)
    step = linalg.lu_solve(double.factors, -residual.ravel()).reshape(fine.shape)
    return raised(step, power), size


def scaled(values: Integers, one: int) -> tuple[float, Floats, int]:
    """Largest absolute value, and all values as doubles of order 2^60 times 2^-power."""
    largest = max(1, *(abs(int(v)) for v in values.ravel()))
    power = largest.bit_length() - 60
    shifted = values >> power if power > 0 else values << -power
    return float(mpmath.mpf(largest) / one), np.asarray(shifted, dtype=np.float64), power


def raised(step: Floats, power: int) -> Integers:
    """Doubles times 2^power, as integers."""
    whole = np.empty(step.size, dtype=object)
    whole[:] = [int(mpmath.ldexp(mpmath.mpf(float(v)), power)) for v in step.ravel()]
    return whole.reshape(step.shape)


def operator(
    kernel: Callable[[int, int], Floats | None], by_c: Floats, by_d: Floats | None
) -> Floats:
    """1 - G W (and U), rows and columns (field, lag)."""
    fields, lags = by_c.shape[1:]
    matrix = np.eye(fields * lags).reshape(fields, lags, fields, lags)
    for k in range(fields):
        for a in range(by_c.shape[0]):
            filters = kernel(k, a)
            for j in range(fields) if filters is not None else ():
                if np.any(by_c[a, j]):
                    matrix[k, :, j, :] -= filters * by_c[a, j]
                if by_d is not None and np.any(by_d[a, j]):
                    matrix[k, :, j, 0] -= filters @ by_d[a, j]
    return matrix.reshape(fields * lags, fields * lags)
