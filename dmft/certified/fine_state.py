r"""A decaying state and its Lyapunov exponent with many digits, errors estimated.

Iterative refinement: the residual of the discretised equations is evaluated in fixed-point arithmetic, the
correction comes from the Jacobian in doubles, factorised once; every step gains some ten digits. The
exponent lambda and its mode chi are refined likewise from

    chi_k - sum_a |G_ka(lambda + i omega)|^2 * sum_j dS_a/dC_j chi_j = 0,     chi_1(0) = 1.

Window and density follow the solution, whose end and whose cosine coefficients are seen in all digits. The
error is measured by one correction on a finer, longer grid. Unlike in `boundary`, nothing is proved here.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import mpmath
import numpy as np
from numpy.typing import NDArray
from scipy import linalg

from dmft.codegen.theory import CompiledTheory

from ..solvers.decaying import DecayingPoint
from ..solvers.lag_grid import LagGrid
from ..solvers.linear_theory import LinearTheory
from ..solvers.lyapunov import decaying_state_exponent
from ..solvers.newton import newton
from ..solvers.stationary_problem import Currents, StationaryProblem
from .exact_theory import exact
from .fine_equations import FineEquations
from .fixed_point import Cosines, Integers

__all__ = ["FineState", "RefinementError", "fine_state"]

Floats = NDArray[np.float64]

_MOST_STEPS, _MOST_GRIDS = 9, 5
_MOST_UNKNOWNS = 8000
_AVERAGE_TOL = 4e-15


class RefinementError(ArithmeticError):
    """The digits asked for were not reached; the message says why."""


@dataclass(frozen=True)
class FineState:
    """Decimals of C(0) of the ``fields`` and of the exponent, with ``errors`` (relative; absolute).

    ``covariance``: decimals of each field at the ``lags`` asked for.
    """

    fields: tuple[str, ...]
    variance: tuple[str, ...]
    lyapunov: str
    lags: tuple[float, ...]
    covariance: tuple[tuple[str, ...], ...]
    errors: Mapping[str, float]


def fine_state(
    theory: CompiledTheory,
    parameters: Mapping[str, float],
    start: DecayingPoint,
    digits: int,
    lags: tuple[float, ...] = (),
) -> FineState:
    """Refine ``start``, a decaying state in doubles at q = 1, to ``digits`` significant digits.

    For states whose correlations decay to zero. Parameters are taken as the decimals that they print
    as. Raises `RefinementError` where the digits are not reached.
    """
    linear = LinearTheory(theory, dict(parameters))
    if not linear.decays or linear.has_noise:
        raise RefinementError("only states that decay to zero by themselves are refined")
    grid = _first_grid(linear, start, digits)
    fixed_p = {name: exact(value) for name, value in linear.parameters.items()}
    for _ in range(_MOST_GRIDS):
        unknowns = grid.intervals * len(linear.active)
        if unknowns > _MOST_UNKNOWNS:
            raise RefinementError(
                f"{unknowns} unknowns would be needed for {digits} digits; give fewer digits"
            )
        equations = FineEquations(theory, fixed_p, linear.active, grid, digits)
        double = _Double.on(linear, grid, start.grid.resample(start.covariance, grid))
        fine = _covariance(equations, double)
        better = _better_grid(equations, fine)
        if better is None:
            break
        grid = better
    else:
        raise RefinementError(f"no adequate grid was found for {digits} digits")
    exponent, mode = _exponent(equations, double, fine)
    errors = _errors(equations, linear, start, fine, exponent, mode)
    rows = [_at(equations, row, (0.0, *lags)) for row in fine]
    decimals = [[mpmath.nstr(v, digits, strip_zeros=False) for v in row] for row in rows]
    with mpmath.workprec(equations.fixed.bits):
        shown = mpmath.nstr(mpmath.mpf(exponent) / equations.fixed.one, digits, strip_zeros=False)
    return FineState(
        fields=tuple(theory.info.fields[k] for k in linear.active),
        variance=tuple(row[0] for row in decimals),
        lyapunov=shown,
        lags=lags,
        covariance=tuple(tuple(row[1:]) for row in decimals),
        errors=errors,
    )


def _at(equations: FineEquations, row: Integers, lags: tuple[float, ...]) -> list[Any]:
    """A function at any lags inside the window, from its cosine series."""
    fixed = equations.fixed
    a = equations.cosines.coefficients(row)
    with mpmath.workprec(fixed.bits + 32):
        length = mpmath.mpf(equations.grid.length)
        result = []
        for lag in lags:
            angle = mpmath.pi * mpmath.mpf(repr(float(lag))) / length
            terms = (mpmath.mpf(int(v)) * mpmath.cos(k * angle) for k, v in enumerate(a))
            result.append(mpmath.fsum(terms) / fixed.one)
        return result


def _first_grid(linear: LinearTheory, start: DecayingPoint, digits: int) -> LagGrid:
    """Window and density from the rates of decay of a solution in doubles."""
    double = _Double.on(linear, start.grid, start.covariance)
    grid, c = start.grid, double.covariance
    sizes, rates = grid.tail(c)
    missing = np.log(np.maximum(sizes / c[:, 0], 1e-300)) + (digits + 1) * np.log(10)
    length = grid.length + max(0.0, float(np.max(missing / rates)))
    a = np.max(abs(grid.coefficients(c)) / abs(c[:, :1]), axis=0)
    # the fall of the coefficients between two sizes that doubles resolve
    first, last = (int(np.flatnonzero(a > size * np.max(a))[-1]) for size in (1e-3, 1e-10))
    fall = np.log(1e7) / max(last - first, 1)
    needed = last + (digits - 9) * np.log(10) / fall
    return _grid(length, 1.1 * needed / grid.length)


def _grid(length: float, density: float) -> LagGrid:
    """A window of few binary digits and a multiple of 64 intervals: `_finer` divides both exactly."""
    length = float(np.ceil(4 * length) / 4)
    return LagGrid(length, int(np.ceil(length * density / 64)) * 64)


def _better_grid(equations: FineEquations, fine: Integers) -> LagGrid | None:
    """Longer or denser by the digits that are missing at the window's end; None if none are."""
    grid, n = equations.grid, equations.grid.intervals
    target = -(equations.digits + 1)

    def digits_of(values: Integers, scale: Integers) -> Floats:
        """log10 |values / scale|, (fields, ...)."""
        ratio = [
            [_log10(int(v), int(s)) for v in row] for row, s in zip(values, scale, strict=True)
        ]
        return np.array(ratio)

    marks = [int(share * n) for share in (0.6, 0.9, 1.0)]
    tails = digits_of(fine[:, marks], fine[:, 0])
    a = equations.cosines.coefficients(fine)
    scale = np.array([max(abs(int(v)) for v in row) for row in a], dtype=object)
    block = max(n // 12, 4)
    falls = np.stack(
        [
            np.max(digits_of(a[:, n - (i + 1) * block : n + 1 - i * block], scale), axis=1)
            for i in range(4)
        ]
    )
    length, density = grid.length, n / grid.length
    rate = np.max((tails[:, 0] - tails[:, 1]) / (0.3 * grid.length))
    if np.max(tails[:, 2]) > target and rate > 0:
        length += 1.05 * (float(np.max(tails[:, 2])) - target) / float(rate)
    if np.max(falls[0]) > target:
        per_mode = float(np.min((falls[3] - falls[0]) / (3 * block)))
        more = (float(np.max(falls[0])) - target) / max(per_mode, 1e-6)
        density *= float(np.clip(1.05 * (n + more) / n, 1.05, 1.8))
    if length == grid.length and density == n / grid.length:
        return None
    return _grid(length, density)


def _log10(value: int, scale: int) -> float:
    if value == 0:
        return -1e3
    return float(mpmath.log10(mpmath.mpf(abs(value)) / abs(scale)))


@dataclass(frozen=True)
class _Double:
    """The solution in doubles on a grid, with its Jacobian factorised."""

    problem: StationaryProblem
    covariance: Floats
    currents: Currents
    factors: Any

    @staticmethod
    def on(linear: LinearTheory, grid: LagGrid, covariance: Floats) -> _Double:
        problem = StationaryProblem(linear, grid, _AVERAGE_TOL)
        found = newton(problem, covariance, tol=1e-12)
        if not found.converged:
            raise RefinementError("Newton's method in doubles did not converge on the finer grid")
        by_c, by_d = found.currents.by_covariance, found.currents.by_variance
        factors = linalg.lu_factor(_operator(problem.kernel, by_c, by_d))
        return _Double(problem, found.covariance, found.currents, factors)


def _covariance(equations: FineEquations, double: _Double) -> Integers:
    """Refine C with the Jacobian 1 - G (W + U e_0^T) in doubles."""
    fine = equations.fixed.array(double.covariance)
    before = size = np.inf
    for _ in range(_MOST_STEPS):
        step, size = _step(equations, double, fine)
        if size < 10.0 ** -(equations.digits + 4) or size > 0.3 * before:
            break
        fine, before = fine + step, size
    if size > 10.0 ** -(equations.digits + 1):
        raise RefinementError(f"refinement of C stopped at a residual of {size:.1e}")
    return fine


def _step(equations: FineEquations, double: _Double, fine: Integers) -> tuple[Integers, float]:
    """A correction of C, and the size of the residual before it."""
    size, scaled, power = _scaled(equations.residual(fine), equations.fixed.one)
    step = linalg.lu_solve(double.factors, -scaled.ravel()).reshape(fine.shape)
    return _raised(step, power), size


def _scaled(values: Integers, one: int) -> tuple[float, Floats, int]:
    """Largest absolute value, and all values as doubles of order 2^60 times 2^-power."""
    largest = max(1, *(abs(int(v)) for v in values.ravel()))
    power = largest.bit_length() - 60
    shifted = values >> power if power > 0 else values << -power
    return float(mpmath.mpf(largest) / one), np.asarray(shifted, dtype=np.float64), power


def _raised(step: Floats, power: int) -> Integers:
    whole = np.empty(step.size, dtype=object)
    whole[:] = [int(mpmath.ldexp(mpmath.mpf(float(v)), power)) for v in step.ravel()]
    return whole.reshape(step.shape)


def _operator(
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


@dataclass(frozen=True)
class _Mode:
    """The Lyapunov mode at a growth rate in doubles: its bordered operator, factorised.

    | 1 - G_lambda W   -(dG_lambda/dlambda) W chi |
    |      e_0^T                    0             |
    """

    growth: float
    mode: Floats
    factors: Any

    @staticmethod
    def of(double: _Double, near: float | None = None) -> _Mode:
        linear, grid = double.problem.linear, double.problem.grid
        weights = double.currents.by_covariance
        growth = decaying_state_exponent(linear, grid, weights, near=near)
        shape = weights.shape[1:]

        def gain(at: float) -> Floats:
            return linear.gain(grid.frequencies, at)[list(linear.active)]

        here = gain(growth)
        unit = grid.coefficients(np.eye(grid.intervals + 1))

        def kernel(field: int, current: int) -> Floats | None:
            row = here[field, current]
            return np.asarray(grid.values(unit * row).T) if np.any(row) else None

        matrix = _operator(kernel, weights, None)
        mode = np.ones(len(matrix))
        nearly_singular = linalg.lu_factor(matrix + 1e-9 * np.eye(len(matrix)))
        for _ in range(3):  # inverse iteration
            mode = linalg.lu_solve(nearly_singular, mode)
            mode = mode / mode[0]
        by_growth = (gain(growth + 1e-5) - gain(growth - 1e-5)) / 2e-5
        change = np.einsum("ajn,jn->an", weights, mode.reshape(shape))
        column = -grid.values(np.einsum("kan,an->kn", by_growth, grid.coefficients(change)))
        border = np.zeros(len(matrix))
        border[0] = 1.0
        bordered = np.block([[matrix, column.reshape(-1, 1)], [border, np.zeros((1, 1))]])
        return _Mode(growth, mode.reshape(shape), linalg.lu_factor(bordered))

    def step(
        self, equations: FineEquations, weights: Integers, chi: Integers, exponent: int
    ) -> tuple[Integers, int, float]:
        """Corrections of the mode and the exponent, and the size of the residual before them."""
        fixed = equations.fixed
        with mpmath.workprec(fixed.bits + 32):
            gain = equations.gain(mpmath.mpf(exponent) / fixed.one)
        change = np.stack([((row * chi) >> fixed.bits).sum(axis=0) for row in weights])
        residual = chi - equations.filtered(change, gain)
        defect = np.append(residual.ravel(), int(chi[0, 0]) - fixed.one)
        size, scaled, power = _scaled(defect, fixed.one)
        step = _raised(linalg.lu_solve(self.factors, -scaled), power)
        return step[:-1].reshape(chi.shape), int(step[-1]), size


def _exponent(equations: FineEquations, double: _Double, fine: Integers) -> tuple[int, Integers]:
    """lambda and its mode in fixed point."""
    in_doubles = _Mode.of(double)
    _, weights = equations.currents(fine, weights=True)
    assert weights is not None
    chi = equations.fixed.array(in_doubles.mode)
    exponent = equations.fixed.of(float(in_doubles.growth))
    before = size = np.inf
    for _ in range(_MOST_STEPS):
        dchi, change, size = in_doubles.step(equations, weights, chi, exponent)
        if size < 10.0 ** -(equations.digits + 4) or size > 0.3 * before:
            break
        chi, exponent, before = chi + dchi, exponent + change, size
    if size > 10.0**-equations.digits:
        raise RefinementError(f"refinement of the exponent stopped at a residual of {size:.1e}")
    return exponent, chi


def _errors(
    equations: FineEquations,
    linear: LinearTheory,
    start: DecayingPoint,
    fine: Integers,
    exponent: int,
    mode: Integers,
) -> dict[str, float]:
    """One correction on a finer, longer grid: relative to C(0), and of the exponent."""
    grid = equations.grid
    finer = _finer(grid)
    double = _Double.on(linear, finer, start.grid.resample(start.covariance, finer))
    other = FineEquations(
        equations.theory, equations.exact, equations.active, finer, equations.digits
    )
    moved = _resampled(equations, other, fine)
    step, _ = _step(other, double, moved)
    better = moved + step
    change = max(
        abs(int(v)) / int(row[0]) for row, steps in zip(fine, step, strict=True) for v in steps
    )
    _, weights = other.currents(better, weights=True)
    assert weights is not None
    in_doubles = _Mode.of(double, equations.fixed.floats([exponent])[0])
    _, shift, _ = in_doubles.step(other, weights, _resampled(equations, other, mode), exponent)
    return {
        "variance": float(change),
        "lyapunov": float(mpmath.mpf(abs(shift)) / equations.fixed.one),
    }


def _resampled(equations: FineEquations, other: FineEquations, values: Integers) -> Integers:
    """Functions on the grid of `_finer`: more cosines, then a longer window, zero in its end."""
    n, denser = equations.grid.intervals, equations.grid.intervals * 5 // 4
    padded = np.zeros((len(values), denser + 1), dtype=object)
    padded[:, : n + 1] = equations.cosines.coefficients(values)
    result = np.zeros((len(values), other.grid.intervals + 1), dtype=object)
    result[:, : denser + 1] = Cosines(equations.fixed, denser).values(padded)
    return result


def _finer(grid: LagGrid) -> LagGrid:
    """A quarter more cosines, and a sixteenth more window at that density."""
    return LagGrid(grid.length * 17 / 16, grid.intervals * 5 // 4 * 17 // 16)
