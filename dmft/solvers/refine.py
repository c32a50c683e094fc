r"""From a rough decaying solution to the tolerance: window and density follow the solution.

The window must reach where every active field has decayed to the tolerance (fields that only follow
get a longer one afterwards); the density must carry the cosine coefficients to below it. Both
requirements are read off the solution (rate of decay, fall of the coefficients), so that the smallest
adequate grid is met in one or two steps. The error is then measured, not guessed: one Newton step on
a grid of twice the density and a quarter more window, and the response to the Gaussian averages' own
error bound.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from .decaying import DecayingPoint, is_covariance
from .lag_grid import LagGrid
from .newton import NewtonResult, linear_step, newton
from .stationary_problem import Currents, LinearTheory, StationaryProblem

__all__ = ["Refined", "RefinedCheck", "check", "refine"]

Floats = NDArray[np.float64]

_AVERAGE_TOL = 4e-15
#: The difference to a better solution is the error only to leading order: bounds are twice that.
_SAFETY = 2.0
_MOST_INTERVALS = 2**15


@dataclass(frozen=True)
class Refined:
    """A solution on an adequate grid, or why there is none (``failure`` not empty).

    ``problem`` and ``covariance`` (active fields) are on the grid of the equations. Fields on which
    no output depends only follow and may decay more slowly: ``everything`` (all fields) and
    ``extended`` (the active ones again) are on ``window``, which is long enough for all.
    """

    problem: StationaryProblem
    covariance: Floats
    currents: Currents
    residual: float
    slope: float
    window: StationaryProblem
    everything: Floats
    extended: Floats
    failure: str = ""
    exceeded: bool = False


@dataclass(frozen=True)
class RefinedCheck:
    """Errors relative to C(0), and the finer grid with the currents of the better solution there."""

    variance_error: float
    autocorrelation_error: float
    problem: StationaryProblem
    currents: Currents


def refine(linear: LinearTheory, point: DecayingPoint, tol: float, method: str) -> Refined:
    """Solve at q = 1 to ``tol``, starting from a point of the amplitude curve close to it."""
    grid, c = point.grid, point.covariance
    enough = max(tol / 100, 2e-14)

    def outcome(failure: str, exceeded: bool = False) -> Refined:
        return Refined(
            problem,
            c,
            found.currents,
            found.residual,
            0.0,
            problem,
            everything,
            c,
            failure,
            exceeded,
        )

    def too_long() -> Refined:
        return outcome(f"more than {_MOST_INTERVALS} lags are needed; try a larger tol", True)

    for _ in range(12):
        problem = StationaryProblem(linear, grid, _AVERAGE_TOL)
        found = newton(problem, c, tol=tol, method=method)
        everything = problem.filtered(found.currents.covariance, problem.gain)
        failure = _failure(found, point, tol)
        if failure:
            return outcome(failure)
        c = found.covariance
        rough = max(grid.unresolved(c), grid.unresolved(everything))
        if np.max(grid.tail(c)[0] / c[:, 0]) <= tol and rough <= enough:
            if not is_covariance(grid, c, max(tol, 1e-12)):
                return outcome(
                    "the power spectrum of the solution is negative: it is no covariance"
                )
            window, everything, extended = _with_followers(problem, c, everything, tol)
            if window is None:
                return too_long()
            slope = _slope(problem, found, method)
            return Refined(
                problem, c, found.currents, found.residual, slope, window, everything, extended
            )
        new = _better_grid(grid, c, tol, rough, enough)
        if new.intervals > _MOST_INTERVALS:
            return too_long()
        c, grid = grid.resample(c, new), new
    return outcome("window and density did not settle")


def _with_followers(
    problem: StationaryProblem, c: Floats, everything: Floats, tol: float
) -> tuple[StationaryProblem | None, Floats, Floats]:
    """Lengthen the window until all fields have decayed; the active ones are below ``tol`` there."""
    window, extended = problem, c
    for _ in range(8):
        grid = window.grid
        alive = everything[:, 0] > 0  # a field may be driven by nothing
        if np.max(grid.tail(everything[alive])[0] / everything[alive, 0]) <= tol:
            return window, everything, extended
        longer = _better_grid(grid, everything[alive], tol, 0.0, tol)
        if longer.intervals > _MOST_INTERVALS:
            break
        window = StationaryProblem(problem.linear, longer, _AVERAGE_TOL)
        extended = problem.grid.resample(c, longer)
        everything = window.filtered(window.currents(extended).covariance, window.gain)
    return None, everything, extended


def _failure(found: NewtonResult, point: DecayingPoint, tol: float) -> str:
    c = found.covariance
    if not found.converged:
        return f"Newton's method stopped at residual {found.residual:.1e}"
    half = c.shape[1] // 2
    if np.max(abs(c[0, half:])) > 0.5 * c[0, 0]:
        return "the solution found is constant, not decaying"
    if abs(np.log(c[0, 0] / point.amplitude)) > 0.05:
        return "Newton's method left the branch"
    return ""


def _better_grid(
    grid: LagGrid, everything: Floats, tol: float, rough: float, enough: float
) -> LagGrid:
    """Lengthen by the missing decay at the observed rate; densify by the missing digits."""
    length = grid.length
    sizes, rates = grid.tail(everything)
    for tail, rate in zip(sizes / everything[:, 0], rates, strict=True):
        if tail > tol:
            length = max(length, grid.length + 1.1 * np.log(3 * tail / tol) / rate)
    length = min(length, 4 * grid.length)
    density = grid.intervals / grid.length
    if rough > enough:
        density *= float(np.clip(1.1 * np.log(enough) / np.log(rough), 1.2, 2.5))
    return LagGrid(length, int(np.ceil(length * density / 16)) * 16)


def _slope(problem: StationaryProblem, found: NewtonResult, method: str) -> float:
    """dq/d log A on the amplitude curve: positive on the upper branch."""
    zero = np.zeros_like(found.covariance)
    amplitude = float(found.covariance[0, 0])
    _, dq = linear_step(
        problem, found.currents, 1.0, zero, amplitude_defect=amplitude, method=method
    )
    return dq


def check(linear: LinearTheory, refined: Refined, method: str) -> RefinedCheck:
    """Measure the error of a refined solution by one step on a finer, longer grid."""
    grid = refined.problem.grid
    length = 1.25 * grid.length
    finer = LagGrid(length, int(np.ceil(2.5 * grid.intervals / 16)) * 16)
    problem = StationaryProblem(linear, finer, _AVERAGE_TOL)
    c = grid.resample(refined.covariance, finer)
    currents = problem.currents(c)
    residual = c - problem.filtered(currents.covariance)
    step, _ = linear_step(
        problem, currents, 1.0, -residual, amplitude_defect=None, method=method, rtol=1e-4
    )
    disturbed = problem.filtered(np.full_like(currents.covariance, currents.error))
    response, _ = linear_step(
        problem, currents, 1.0, disturbed, amplitude_defect=None, method=method, rtol=1e-2
    )
    size = c[:, :1]
    rounding = 4e-15
    shift = _SAFETY * (abs(step) + abs(response)) / size
    return RefinedCheck(
        variance_error=float(np.max(shift[:, 0])) + rounding,
        autocorrelation_error=float(np.max(shift)) + rounding,
        problem=problem,
        currents=problem.currents(c + step),
    )
