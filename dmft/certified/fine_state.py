r"""A decaying state and its Lyapunov exponent with many digits, errors estimated.

Iterative refinement: the residual of the discretised equations is evaluated in fixed-point arithmetic, the
correction comes from the Jacobian in doubles, factorised once; every step gains some ten digits. The
exponent and its mode are refined likewise (`fine_mode`).

Window and density follow the solution, whose end and whose cosine coefficients are seen in all digits. The
error is measured: by one correction on a finer, longer grid whose Gaussian averages have more nodes and
longer series (`fine_check`). Unlike in `boundary`, nothing is proved here.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import mpmath
import numpy as np
from numpy.typing import NDArray

from dmft.codegen.theory import CompiledTheory

from ..solvers.lag_grid import LagGrid
from ..solvers.linear_theory import LinearTheory
from .exact_theory import exact
from .fine_check import measured_errors
from .fine_equations import FineEquations
from .fine_mode import fine_exponent
from .fine_newton import DoubleState, RefinementError, refined_covariance
from .fixed_point import Integers

__all__ = ["FineState", "fine_state"]

Floats = NDArray[np.float64]

_MOST_GRIDS = 5
_MOST_UNKNOWNS = 8000


@dataclass(frozen=True)
class FineState:
    """Decimals of C(0) of the fields and of the exponent, all good by the ``errors`` estimated.

    ``covariance``: C of each field at the ``lags``. ``errors``: of C by field, relative to its C(0), and of
    the exponent ("lyapunov"). A field that only follows and is not known well enough is absent.
    """

    variance: Mapping[str, str]
    lags: tuple[float, ...]
    covariance: Mapping[str, tuple[str, ...]]
    lyapunov: str
    errors: Mapping[str, float]


def fine_state(
    theory: CompiledTheory,
    parameters: Mapping[str, float],
    grid: LagGrid,
    covariance: Floats,
    digits: int,
    lags: tuple[float, ...] = (),
    tell: Callable[[str], None] = lambda text: None,
) -> FineState:
    """Refine a decaying state in doubles, all fields on a ``grid``, to ``digits`` significant digits.

    For states whose correlations decay to zero. Parameters are taken as the decimals that they print
    as; ``lags`` beyond the window are left out. ``tell`` hears what is done. Raises `RefinementError`
    where the digits are not reached.
    """
    linear = LinearTheory(theory, dict(parameters))
    if not linear.decays or linear.has_noise:
        raise RefinementError("only states that decay to zero by themselves are refined")
    first = DoubleState.on(linear, grid, covariance[list(linear.active)])
    fine_grid = _first_grid(first, digits)
    fixed_p = {name: exact(value) for name, value in linear.parameters.items()}
    for _ in range(_MOST_GRIDS):
        unknowns = fine_grid.intervals * len(linear.active)
        if unknowns > _MOST_UNKNOWNS:
            raise RefinementError(
                f"{unknowns} unknowns would be needed for {digits} digits, more than "
                f"{_MOST_UNKNOWNS}; try fewer digits"
            )
        tell(f"{fine_grid.intervals} lags to {fine_grid.length:g}: autocorrelations")
        equations = FineEquations(theory, fixed_p, linear.active, fine_grid, digits)
        double = DoubleState.on(linear, fine_grid, grid.resample(first.covariance, fine_grid))
        fine = refined_covariance(equations, double)
        better = _better_grid(equations, fine)
        if better is None:
            break
        fine_grid = better
    else:
        raise RefinementError(f"no adequate grid was found for {digits} digits")
    tell("Lyapunov exponent")
    exponent, mode = fine_exponent(equations, double, fine)
    tell("errors, on a finer and longer grid")
    errors = measured_errors(equations, linear, fine, exponent, mode)
    rows = dict(zip(linear.active, fine, strict=True))
    followers = tuple(k for k in range(len(theory.info.fields)) if k not in linear.active)
    rows |= dict(zip(followers, equations.followers(fine, followers), strict=True))
    return _shown(equations, rows, exponent, errors, lags)


def _shown(
    equations: FineEquations,
    rows: Mapping[int, Integers],
    exponent: int,
    errors: Mapping[int | str, float],
    lags: tuple[float, ...],
) -> FineState:
    """Decimals, after a look at the errors."""
    fields, digits, fixed = equations.theory.info.fields, equations.digits, equations.fixed
    with mpmath.workprec(fixed.bits + 32):
        growth = mpmath.mpf(exponent) / fixed.one
        enough = mpmath.mpf(10) ** -digits
        worst = max(errors[k] for k in equations.active)
        if worst > enough or errors["lyapunov"] > enough * max(1, abs(growth)):
            raise RefinementError(
                f"the estimated errors are {worst:.1e} of C and {errors['lyapunov']:.1e} of the "
                f"exponent, too large for {digits} digits"
            )
        inside = tuple(lag for lag in lags if lag <= equations.grid.length)
        known = [k for k in sorted(rows) if int(rows[k][0]) > 0 and errors[k] <= enough]
        values = {fields[k]: _at(equations, rows[k], (0.0, *inside)) for k in known}
        shown = {
            name: [_decimal(v, digits - _order(row[0])) for v in row]
            for name, row in values.items()
        }
        return FineState(
            variance={name: row[0] for name, row in shown.items()},
            lags=inside,
            covariance={name: tuple(row[1:]) for name, row in shown.items()},
            lyapunov=_decimal(growth, digits - max(0, _order(growth))),
            errors={fields[k]: errors[k] for k in known} | {"lyapunov": errors["lyapunov"]},
        )


def _order(value: Any) -> int:
    """n with 10^(n-1) <= |value| < 10^n."""
    return int(mpmath.floor(mpmath.log10(abs(value)))) + 1 if value else 0


def _decimal(value: Any, places: int) -> str:
    """Rounded to so many places behind the point."""
    significant = places + _order(value)
    if significant <= 0:
        return "0"
    return str(mpmath.nstr(value, significant, strip_zeros=False, min_fixed=-30))


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


def _first_grid(double: DoubleState, digits: int) -> LagGrid:
    """Window and density from the rates of decay of a solution in doubles."""
    grid, c = double.problem.grid, double.covariance
    sizes, rates = grid.tail(c)
    missing = np.log(np.maximum(sizes / c[:, 0], 1e-300)) + (digits + 1) * np.log(10)
    length = grid.length + max(0.0, float(np.max(missing / rates)))
    a = np.max(abs(grid.coefficients(c)) / abs(c[:, :1]), axis=0)
    # the fall of the coefficients between two sizes that doubles resolve
    first, last = (int(np.flatnonzero(a > size * np.max(a))[-1]) for size in (1e-5, 1e-11))
    fall = np.log(1e6) / max(last - first, 1)
    # C is smooth but not analytic at 0, since F(D, C) is not at C = D: the fall slows down
    needed = last + 1.25 * (digits - 10) * np.log(10) / fall
    return _grid(length, 1.1 * needed / grid.length)


def _grid(length: float, density: float) -> LagGrid:
    """A window of few binary digits and a multiple of 64 intervals: `fine_check` divides both exactly."""
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
        density *= float(np.clip(1.05 * (n + more) / n, 1.05, 2.5))
    if length == grid.length and density == n / grid.length:
        return None
    return _grid(length, density)


def _log10(value: int, scale: int) -> float:
    if value == 0:
        return -1e3
    return float(mpmath.log10(mpmath.mpf(abs(value)) / abs(scale)))
