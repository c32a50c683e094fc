r"""The largest Lyapunov exponent lambda and its mode chi with many digits, by refinement:

chi_k - sum_a |G_ka(lambda + i omega)|^2 * sum_j dS_a/dC_j chi_j = 0,     chi_1(0) = 1.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import mpmath
import numpy as np
from numpy.typing import NDArray
from scipy import linalg
from scipy.sparse.linalg import LinearOperator, gmres

from ..solvers.lyapunov import decaying_state_exponent
from ..solvers.stationary_problem import StationaryProblem
from .fine_equations import FineEquations
from .fine_newton import MOST_STEPS, DoubleState, RefinementError, operator, raised, scaled
from .fixed_point import Integers

__all__ = ["ModeInDoubles", "fine_exponent", "mode_residual"]

Floats = NDArray[np.float64]

#: Half the width of the difference quotient by lambda: the correction it takes part in is tiny.
_WIDTH = 1e-5


@dataclass(frozen=True)
class ModeInDoubles:
    """The bordered operator at a growth rate and a mode, in doubles; ``weights`` are dS_a/dC_j.

    | 1 - G_lambda W   -(dG_lambda/dlambda) W chi |
    |      e_0^T                    0             |
    """

    problem: StationaryProblem
    weights: Floats
    growth: float
    mode: Floats

    def _gain(self, growth: float) -> Floats:
        linear = self.problem.linear
        return linear.gain(self.problem.grid.frequencies, growth)[list(linear.active)]

    @cached_property
    def _here(self) -> Floats:
        return self._gain(self.growth)

    def _filtered(self, chi: Floats, gain: Floats) -> Floats:
        grid = self.problem.grid
        change = np.einsum("ajn,jn->an", self.weights, chi)
        return grid.values(np.einsum("kan,an->kn", gain, grid.coefficients(change)))

    @cached_property
    def by_growth(self) -> Floats:
        """The last column."""
        slope = (self._gain(self.growth + _WIDTH) - self._gain(self.growth - _WIDTH)) / (2 * _WIDTH)
        return -self._filtered(self.mode, slope)

    @cached_property
    def factors(self) -> Any:
        """The whole matrix, factorised."""
        matrix = operator(self._kernel, self.weights, None)
        border = np.zeros((1, len(matrix)))
        border[0, 0] = 1.0
        column = self.by_growth.reshape(-1, 1)
        return linalg.lu_factor(np.block([[matrix, column], [border, np.zeros((1, 1))]]))

    def _kernel(self, field: int, current: int) -> Floats | None:
        grid, row = self.problem.grid, self._here[field, current]
        if not np.any(row):
            return None
        return np.asarray(grid.values(grid.coefficients(np.eye(grid.intervals + 1)) * row).T)

    def direct(self, right: Floats) -> Floats:
        """Changes of the mode (flat) and of lambda."""
        return np.asarray(linalg.lu_solve(self.factors, right))

    def iterated(self, right: Floats) -> Floats:
        """The same to three digits, without the matrix."""
        shape, size = self.mode.shape, self.mode.size

        def whole(v: Floats) -> Floats:
            chi = v[:size].reshape(shape)
            out = chi - self._filtered(chi, self._here) + v[size] * self.by_growth
            return np.append(out.ravel(), chi[0, 0])

        square = (size + 1, size + 1)
        solution, failed = gmres(
            LinearOperator(square, matvec=whole, dtype=float),
            right,
            rtol=1e-3,
            restart=150,
            maxiter=4,
        )
        if failed:
            raise RefinementError("the error of the exponent could not be measured")
        return np.asarray(solution)


def mode_residual(
    equations: FineEquations, weights: Integers, chi: Integers, exponent: int
) -> tuple[float, Floats, int]:
    """The defects of the mode (flat) and of chi_1(0) = 1, as `scaled`."""
    fixed = equations.fixed
    with mpmath.workprec(fixed.bits + 32):
        gain = equations.gain(mpmath.mpf(exponent) / fixed.one)
    change = np.stack([((row * chi) >> fixed.bits).sum(axis=0) for row in weights])
    residual = chi - equations.filtered(change, gain)
    return scaled(np.append(residual.ravel(), int(chi[0, 0]) - fixed.one), fixed.one)


def mode_step(
    solve: Callable[[Floats], Floats], defect: Floats, power: int, shape: tuple[int, ...]
) -> tuple[Integers, int]:
    """Corrections of the mode and of lambda."""
    step = raised(solve(-defect), power)
    return step[:-1].reshape(shape), int(step[-1])


def fine_exponent(
    equations: FineEquations, double: DoubleState, fine: Integers
) -> tuple[int, Integers]:
    """lambda and its mode in fixed point, at the autocorrelations ``fine``."""
    in_doubles = _in_doubles(double)
    _, weights = equations.currents(fine, weights=True)
    assert weights is not None
    chi = equations.fixed.array(in_doubles.mode)
    exponent = equations.fixed.of(float(in_doubles.growth))
    before = size = np.inf
    for _ in range(MOST_STEPS):
        size, defect, power = mode_residual(equations, weights, chi, exponent)
        if size < 10.0 ** -(equations.digits + 4) or size > 0.3 * before:
            break
        dchi, change = mode_step(in_doubles.direct, defect, power, chi.shape)
        chi, exponent, before = chi + dchi, exponent + change, size
    if size > 10.0**-equations.digits:
        raise RefinementError(f"refinement of the exponent stopped at a residual of {size:.1e}")
    return exponent, chi


def _in_doubles(double: DoubleState) -> ModeInDoubles:
    """lambda and chi in doubles."""
    weights = double.currents.by_covariance
    growth = decaying_state_exponent(double.problem.linear, double.problem.grid, weights)
    shape = weights.shape[1:]
    constant = ModeInDoubles(double.problem, weights, growth, np.ones(shape))
    matrix = operator(constant._kernel, weights, None)
    nearly_singular = linalg.lu_factor(matrix + 1e-9 * np.eye(len(matrix)), overwrite_a=True)
    mode = np.ones(len(matrix))
    for _ in range(3):  # inverse iteration
        mode = linalg.lu_solve(nearly_singular, mode)
        mode = mode / mode[0]
    return ModeInDoubles(double.problem, weights, growth, mode.reshape(shape))
