"""One state that white noise drives, to the tolerance: autocorrelations, exponent, measured errors.

The equations are solved on panels (`panel_grid`); autocorrelations are given at lags dense
enough for a quintic spline through them (their cusp at lag 0 has no cosine series).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import numpy as np
from numpy.typing import NDArray
from scipy.interpolate import make_interp_spline
from scipy.optimize import brentq

from .driven_curve import DrivenBracket, DrivenPoint, adapted, at_place, first_grid
from .linear_theory import LinearTheory
from .lyapunov import fluctuating_state_exponent, tail_rate
from .newton import linear_step, newton
from .panel_filters import PanelFilters
from .panel_grid import PanelGrid
from .panel_problem import PanelProblem
from .plateau import plateau
from .stationary_problem import Currents
from .stationary_solution import StationarySolution
from .status import Status

__all__ = ["driven_state", "quiet_state"]

Floats = NDArray[np.float64]

_AVERAGE_TOL = 4e-15
_SAFETY = 2.0
_MOST_POINTS = 1200
#: Lags of the result: at most this many, or until splines are good to this share of C(0).
_MOST_LAGS, _SPLINE_TOL = 2**14, 1e-9
_SPLINE_DEGREE = 5


@dataclass(frozen=True)
class _Solved:
    """On a grid adequate for all fields: active fields, all fields, and both limits; or a failure."""

    problem: PanelProblem
    covariance: Floats
    means: Floats
    limits: Floats
    everything: Floats
    all_limits: Floats
    currents: Currents
    residual: float
    failure: str = ""
    exceeded: bool = False


def driven_state(
    linear: LinearTheory, bracket: DrivenBracket, branch: str, tol: float, lyapunov: bool
) -> StationarySolution:
    """The solution at q = 1 inside a bracket."""
    point = _close_in(linear, bracket, 1e-4)
    if point is None:
        message = "the crossing of the amplitude curve could not be located"
        return StationarySolution(branch, Status.NOT_CONVERGED, message)
    return _finished(linear, _refined(linear, point, tol), branch, tol, lyapunov)


def quiet_state(
    linear: LinearTheory, branch: str, tol: float, lyapunov: bool
) -> StationarySolution:
    """The state in which no output moves: fields are what noise and inputs make of them."""
    grid = first_grid(linear)
    c = np.array(PanelProblem(linear, grid, _AVERAGE_TOL).added)
    limits = linear.input_variances[list(linear.active)]
    point = DrivenPoint(1.0, grid, c, linear.active_means, limits)
    return _finished(linear, _refined(linear, point, tol, moving=False), branch, tol, lyapunov)


def _close_in(linear: LinearTheory, bracket: DrivenBracket, rtol: float) -> DrivenPoint | None:
    """Narrow a bracket of q = 1 to ``rtol`` in q, along the line through its ends (Illinois)."""
    points = [bracket.low, bracket.high]
    chord = points[1].place - points[0].place
    length = float(np.linalg.norm(chord))
    tangent, origin = chord / length, points[0].place
    places = [0.0, length]
    excess = [float(np.log(p.scale)) for p in points]
    for _ in range(40):
        best = min(points, key=lambda p: abs(np.log(p.scale)))
        if abs(best.scale - 1) <= rtol:
            return best
        s = places[0] - excess[0] * (places[1] - places[0]) / (excess[1] - excess[0])
        near = min((0, 1), key=lambda i: abs(places[i] - s))
        far = 1 - near
        share = (s - places[near]) / (places[near] - places[far])
        point = at_place(linear, [points[far], points[near]], origin + s * tangent, tangent, share)
        if point is None:
            return None
        f = float(np.log(point.scale))
        keep, weight = (1, 1.0) if f * excess[1] < 0 else (0, 0.5)
        places = [places[keep], s]
        excess = [weight * excess[keep], f]
        points = [points[keep], point]
    return None


def _refined(linear: LinearTheory, point: DrivenPoint, tol: float, moving: bool = True) -> _Solved:
    """Solve at q = 1 to ``tol``; window and panels follow what every field does."""
    grid, c, means = point.grid, point.covariance, point.means
    limits = point.limits
    rough = max(tol / 100, 1e-13)
    for _ in range(14):
        problem = PanelProblem(linear, grid, _AVERAGE_TOL)
        if moving:
            found = newton(problem, c, means=means, tol=tol, method="dense")
            c, means, currents, residual = (
                found.covariance,
                found.means,
                found.currents,
                found.residual,
            )
            settled = plateau(problem, c, means)
        else:
            c, residual = np.array(problem.added), 0.0
            currents, settled = problem.currents(c, means), limits
        everything = problem.everything(currents.covariance)
        all_limits = _all_limits(problem, c, limits if settled is None else settled, means)
        result = partial(
            _Solved, problem, c, means, limits, everything, all_limits, currents, residual
        )
        if moving and not found.converged:
            return result(f"Newton's method stopped at residual {residual:.1e}")
        if settled is None:
            return result("correlations do not decay")
        limits = settled
        if moving and abs(np.log(c[0, 0] / point.covariance[0, 0])) > 0.05:
            return result("Newton's method left the branch")
        alive = everything[:, 0] > 0
        new = adapted(
            linear,
            grid,
            everything[alive],
            all_limits[alive],
            currents.covariance,
            tol,
            rough,
            of_whole=True,
        )
        if new == grid or new.length < grid.length:
            return _Solved(problem, c, means, limits, everything, all_limits, currents, residual)
        if new.lags.size > _MOST_POINTS:
            return result(f"more than {_MOST_POINTS} points are needed; try a larger tol", True)
        c = limits[:, None] + grid.resample(c - limits[:, None], new)
        grid = new
    return result("window and panels did not settle")


def _all_limits(problem: PanelProblem, c: Floats, limits: Floats, means: Floats) -> Floats:
    linear = problem.linear
    currents = problem.currents(np.stack([c[:, 0], limits], axis=1), means)
    return linear.response**2 @ currents.covariance[:, 1] + linear.input_variances


def _check(solved: _Solved) -> tuple[float, float, PanelProblem, Currents]:
    """Errors of C(0) and C(tau), relative, from one step on halved panels and a longer window."""
    old = solved.problem.grid
    grid = old.refined(np.ones(old.panels, dtype=bool))
    grid = grid.extended(1.25 * grid.length, float(grid.widths[-1]))
    problem = PanelProblem(solved.problem.linear, grid, _AVERAGE_TOL)
    limits, means = solved.limits[:, None], solved.means
    c = limits + old.resample(solved.covariance - limits, grid)
    currents = problem.currents(c, means)
    balance = problem.mean_balance(c[:, 0], means) if problem.linear.responding else None
    right_means = None if balance is None else -balance.residual
    residual = c - problem.filtered(currents.covariance) - problem.added
    disturbed = problem.filtered(np.full_like(currents.covariance, currents.error))
    step, response = (
        linear_step(
            problem, currents, 1.0, right, balance=balance, right_means=right_means, method="dense"
        )
        for right in (-residual, disturbed)
    )
    size = np.where(c[:, :1] > 0, c[:, :1], 1.0)
    shift = _SAFETY * (abs(step.covariance) + abs(response.covariance)) / size + 1e-14
    better = np.where(c[:, :1] > 0, c + step.covariance, c)  # a field may be driven by nothing
    currents = problem.currents(better, means + step.means)
    return float(np.max(shift[:, 0])), float(np.max(shift)), problem, currents


def _exponent(
    linear: LinearTheory, grid: PanelGrid, currents: Currents, near: float | None = None
) -> float:
    """Perturbations may extend much farther than correlations: beyond the window they fall as theory says."""
    weights = currents.by_covariance

    def filters(growth: float) -> Callable[[Floats], Floats]:
        kappa = tail_rate(linear, weights[:, :, -1], growth)
        return PanelFilters(linear, grid, linear.active, growth, kappa).filtered

    return fluctuating_state_exponent(linear, filters, weights, near=near)


def _finished(
    linear: LinearTheory, solved: _Solved, branch: str, tol: float, lyapunov: bool
) -> StationarySolution:
    if solved.failure:
        status = Status.BUDGET_EXCEEDED if solved.exceeded else Status.NOT_CONVERGED
        return StationarySolution(branch, status, solved.failure, residual=solved.residual)
    variance_error, lag_error, finer, better = _check(solved)
    exponent, exponent_error = None, None
    grid = solved.problem.grid
    if lyapunov:
        exponent = _exponent(linear, grid, solved.currents)
        again = _exponent(linear, finer.grid, better, near=exponent)
        exponent_error = 2 * abs(again - exponent) + 1e-12
    means = linear.all_means(solved.covariance[:, 0], solved.means)
    series = {
        name: solved.problem.observable(part, float(coefficient), solved.covariance, solved.means)
        for name, part, coefficient in zip(
            linear.theory.info.nonlinearities,
            linear.theory.observables,
            linear.theory.vector("observable_coefficients", linear.parameters),
            strict=True,
        )
        if part is not None
        and all(linear.theory.functions[f].field in linear.place for f in part.factors)
    }
    stacked = np.vstack([solved.everything, *series.values()])
    lags, sampled, spline_error = _spread(linear, grid, stacked)
    count = len(solved.everything)
    accurate = variance_error <= 100 * tol
    if not accurate:
        message = f"error estimate {variance_error:.1e} exceeds the tolerance; try a larger tol"
    else:
        message = _nature(exponent)
    first = linear.active[0]
    largest = float(np.max(solved.everything[:, 0]))
    scale = float(solved.everything[first, 0]) or largest
    part = solved.everything - solved.all_limits[:, None]
    integrals = grid.integral(part)
    return StationarySolution(
        branch=branch,
        status=Status.CONVERGED if accurate else Status.NOT_CONVERGED,
        message=message,
        lags=lags,
        covariance=sampled[:count] + means[:, None] ** 2,
        means=means,
        limits=solved.all_limits + means**2,
        observables=dict(zip(series, sampled[count:], strict=True)),
        correlation_times=tuple(
            float(i / c[0]) if c[0] > 0 else None for i, c in zip(integrals, part, strict=True)
        ),
        lyapunov=exponent,
        residual=solved.residual * largest / scale,
        errors={
            "variance": variance_error,
            "lyapunov": exponent_error,
            "autocorrelation": lag_error + spline_error,
        },
        interpolation="spline",
    )


def _nature(exponent: float | None) -> str:
    if exponent is None:
        return ""
    if exponent > 0:
        return "driven by noise and chaotic: replicas with the same noise part"
    return "driven by noise, not chaotic: replicas with the same noise come together"


def _spread(linear: LinearTheory, grid: PanelGrid, values: Floats) -> tuple[Floats, Floats, float]:
    """Lags, values there, and the error of a spline through them over the value at lag 0.

    Uniform lags where enough of them resolve the cusp; else they are dense there and wide apart at the
    end of a long window, L sinh(a x) / sinh(a) with uniform x.
    """
    size = np.where(abs(values[:, 0]) > 0, abs(values[:, 0]), 1.0)
    fine = 0.05 / linear.fastest_rate / grid.length
    found: list[tuple[Floats, Floats, float]] = []
    for graded in (False, True):
        count = 256 if graded else 4 * linear.fastest_rate * grid.length
        count = int(np.clip(count, 64, _MOST_LAGS))
        while True:
            x = np.linspace(0.0, 1.0, count + 1)
            if graded:
                steep = _steepness(fine * count)
                x = np.sinh(steep * x) / np.sinh(steep)
            lags = grid.length * x
            lags[-1] = grid.length
            sampled = grid.interpolate(values, lags)
            spline = make_interp_spline(lags, sampled, k=_SPLINE_DEGREE, axis=-1)
            error = float(np.max(np.max(abs(spline(grid.lags) - values), axis=-1) / size))
            found.append((lags, sampled, error))
            if error <= _SPLINE_TOL:
                return found[-1]
            if count >= _MOST_LAGS:
                break
            count = min(2 * count, _MOST_LAGS)
    return min(found, key=lambda each: each[2])


def _steepness(share: float) -> float:
    """a at which a / sinh(a), the first spacing over the mean one, is ``share``."""
    if share >= 0.99:
        return 0.25
    return float(brentq(lambda a: a / np.sinh(a) - share, 1e-3, 500.0))
