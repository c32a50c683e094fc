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
from .linear_theory import LinearTheory
from .newton import NewtonResult, Step, linear_step, newton
from .plateau import plateau
from .stationary_problem import Currents, StationaryProblem

__all__ = ["Refined", "RefinedCheck", "check", "refine"]

Floats = NDArray[np.float64]

_AVERAGE_TOL = 4e-15
#: The difference to a better solution is the error only to leading order: bounds are twice that.
_SAFETY = 2.0
_MOST_INTERVALS = 2**15


@dataclass(frozen=True)
class Refined:
    """A solution on an adequate grid, or why there is none (``failure`` not empty).

    ``problem``, ``covariance``, ``means`` and ``limits`` (active fields) belong to the grid of the
    equations. Fields on which no output depends only follow and may decay more slowly: ``everything``
    (all fields, centred, with ``all_limits``) and ``extended`` (the active ones again) are on
    ``window``, which is long enough for all.
    """

    problem: StationaryProblem
    covariance: Floats
    means: Floats
    limits: Floats
    currents: Currents
    residual: float
    slope: float
    window: StationaryProblem
    everything: Floats
    all_limits: Floats
    extended: Floats
    failure: str = ""
    exceeded: bool = False

    @property
    def all_means(self) -> Floats:
        """<x> of all fields."""
        return self.problem.linear.all_means(self.covariance[:, 0], self.means)


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
    means = linear.active_means if point.means is None else point.means
    enough = max(tol / 100, 2e-14)

    def outcome(failure: str, exceeded: bool = False) -> Refined:
        return Refined(
            problem,
            c,
            means,
            point.plateau[:, 0],
            found.currents,
            found.residual,
            0.0,
            problem,
            problem.everything(found.currents.covariance),
            linear.input_variances,
            c,
            failure,
            exceeded,
        )

    def too_long() -> Refined:
        return outcome(f"more than {_MOST_INTERVALS} lags are needed; try a larger tol", True)

    for _ in range(12):
        problem = StationaryProblem(linear, grid, _AVERAGE_TOL)
        found = newton(problem, c, means=means, tol=tol, method=method)
        limits = plateau(problem, found.covariance, found.means)
        failure = _failure(found, limits, point, tol)
        if failure or limits is None:
            return outcome(failure)
        c, means = found.covariance, found.means
        everything = problem.everything(found.currents.covariance)
        all_limits = _all_limits(problem, c, limits, means)
        part, whole = c - limits[:, None], everything - all_limits[:, None]
        share = float(part[0, 0] / c[0, 0])
        rough = share * max(grid.unresolved(part), grid.unresolved(whole))
        if np.max(grid.tail(part)[0] / c[:, 0]) <= tol and rough <= enough:
            if not is_covariance(grid, part, max(tol, 1e-12) / share):
                return outcome(
                    "the power spectrum of the solution is negative: it is no covariance"
                )
            window, everything, extended = _with_followers(
                problem, c, limits, means, everything, all_limits, tol
            )
            if window is None:
                return too_long()
            return Refined(
                problem,
                c,
                means,
                limits,
                found.currents,
                found.residual,
                _slope(problem, found, method),
                window,
                everything,
                all_limits,
                extended,
            )
        new = _better_grid(grid, part, c[:, 0], tol, rough, enough)
        if new.intervals > _MOST_INTERVALS:
            return too_long()
        c, grid = limits[:, None] + grid.resample(part, new), new
    return outcome("window and density did not settle")


def _all_limits(problem: StationaryProblem, c: Floats, limits: Floats, means: Floats) -> Floats:
    """C(infinity) of all fields."""
    linear = problem.linear
    if linear.decays:
        return np.zeros(len(linear.drift))
    currents = problem.currents(np.stack([c[:, 0], limits], axis=1), means)
    return linear.response**2 @ currents.covariance[:, 1] + linear.input_variances


def _with_followers(
    problem: StationaryProblem,
    c: Floats,
    limits: Floats,
    means: Floats,
    everything: Floats,
    all_limits: Floats,
    tol: float,
) -> tuple[StationaryProblem | None, Floats, Floats]:
    """Lengthen the window until all fields have decayed; the active ones are below ``tol`` there."""
    window, extended = problem, c
    for _ in range(8):
        grid = window.grid
        alive = everything[:, 0] > 0  # a field may be driven by nothing
        part = (everything - all_limits[:, None])[alive]
        if np.max(grid.tail(part)[0] / everything[alive, 0]) <= tol:
            return window, everything, extended
        longer = _better_grid(grid, part, everything[alive, 0], tol, 0.0, tol)
        if longer.intervals > _MOST_INTERVALS:
            break
        window = StationaryProblem(problem.linear, longer, _AVERAGE_TOL)
        extended = limits[:, None] + problem.grid.resample(c - limits[:, None], longer)
        everything = window.everything(window.currents(extended, means).covariance)
    return None, everything, extended


def _failure(found: NewtonResult, limits: Floats | None, point: DecayingPoint, tol: float) -> str:
    c = found.covariance
    if not found.converged:
        return f"Newton's method stopped at residual {found.residual:.1e}"
    if limits is None:
        return "the solution found is constant, not decaying"
    part = c[0] - limits[0]
    if part[0] <= 0 or np.max(abs(part[part.size // 2 :])) > 0.5 * part[0]:
        return "the solution found is constant, not decaying"
    if abs(np.log(part[0] / point.amplitude)) > 0.05:
        return "Newton's method left the branch"
    return ""


def _better_grid(
    grid: LagGrid, part: Floats, variances: Floats, tol: float, rough: float, enough: float
) -> LagGrid:
    """Lengthen by the missing decay at the observed rate; densify by the missing digits."""
    length = grid.length
    sizes, rates = grid.tail(part)
    for tail, rate in zip(sizes / variances, rates, strict=True):
        if tail > tol:
            length = max(length, grid.length + 1.1 * np.log(3 * tail / tol) / rate)
    length = min(length, 4 * grid.length)
    density = grid.intervals / grid.length
    if rough > enough:
        density *= float(np.clip(1.1 * np.log(enough) / np.log(rough), 1.2, 2.5))
    return LagGrid(length, int(np.ceil(length * density / 16)) * 16)


def _step(
    problem: StationaryProblem,
    c: Floats,
    means: Floats,
    currents: Currents,
    right: Floats,
    method: str,
    rtol: float,
) -> Step:
    """The linear response at q = 1; the equations of the means are driven by what violates them."""
    balance = problem.mean_balance(c[:, 0], means) if problem.linear.responding else None
    return linear_step(
        problem,
        currents,
        1.0,
        right,
        balance=balance,
        right_means=None if balance is None else -balance.residual,
        method=method,
        rtol=rtol,
    )


def _slope(problem: StationaryProblem, found: NewtonResult, method: str) -> float:
    """dq/d log A on the amplitude curve: positive on the upper branch."""
    c, linear = found.covariance, problem.linear
    fall = float(c[0, 0] - c[0, -1])
    row = (1.0, 0.0, 0.0) if linear.decays else (1.0, -1.0, 0.0)
    amplitude = float(c[0, 0]) if linear.decays else fall
    balance = problem.mean_balance(c[:, 0], found.means) if linear.responding else None
    return linear_step(
        problem,
        found.currents,
        1.0,
        np.zeros_like(c),
        balance=balance,
        right_means=None if balance is None else np.zeros_like(balance.residual),
        border=(row, amplitude),
        method=method,
    ).scale


def check(linear: LinearTheory, refined: Refined, method: str) -> RefinedCheck:
    """Measure the error of a refined solution by one step on a finer, longer grid."""
    grid = refined.problem.grid
    length = 1.25 * grid.length
    finer = LagGrid(length, int(np.ceil(2.5 * grid.intervals / 16)) * 16)
    problem = StationaryProblem(linear, finer, _AVERAGE_TOL)
    limits, means = refined.limits[:, None], refined.means
    c = limits + grid.resample(refined.covariance - limits, finer)
    currents = problem.currents(c, means)
    residual = c - problem.filtered(currents.covariance) - problem.added
    step = _step(problem, c, means, currents, -residual, method, 1e-4)
    disturbed = problem.filtered(np.full_like(currents.covariance, currents.error))
    response = _step(problem, c, means, currents, disturbed, method, 1e-2)
    size = c[:, :1]
    rounding = 4e-15
    shift = _SAFETY * (abs(step.covariance) + abs(response.covariance)) / size
    return RefinedCheck(
        variance_error=float(np.max(shift[:, 0])) + rounding,
        autocorrelation_error=float(np.max(shift)) + rounding,
        problem=problem,
        currents=problem.currents(c + step.covariance, means + step.means),
    )
