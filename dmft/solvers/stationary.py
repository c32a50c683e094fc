"""Solve the stationary equations on one branch, and say which others exist.

The branches and their names are those of `branches`.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from dmft.codegen.theory import CompiledTheory
from dmft.gaussian.pair_average import AverageBudgetError

from .branches import BRANCHES, Survey, is_branch, position
from .constant_states import constant_state, zero_state
from .decaying import close_in
from .lyapunov import decaying_state_exponent
from .refine import check, refine
from .stationary_problem import LinearTheory
from .stationary_solution import StationarySolution
from .status import Status

__all__ = ["BRANCHES", "METHODS", "StationarySolution", "is_branch", "solve_stationary"]

Floats = NDArray[np.float64]

METHODS = ("auto", "dense", "matrix-free")


def solve_stationary(
    theory: CompiledTheory,
    parameters: Mapping[str, float],
    *,
    branch: str = "auto",
    tol: float = 1e-10,
    method: str = "auto",
    lyapunov: bool = True,
) -> tuple[StationarySolution, tuple[str, ...]]:
    """Solve on one branch; also return the names of the other branches that exist.

    ``branch`` is one of `BRANCHES`, ``method`` one of `METHODS`. Never raises for lack of an
    answer: the status of the solution says how it ended.
    """
    survey = Survey(LinearTheory(theory, parameters))
    if survey.linear.slowest_rate <= 0:
        message = "without couplings the fields do not relax (the drift has an eigenvalue >= 0)"
        return StationarySolution(branch, Status.NO_SOLUTION, message), ()
    try:
        existing = survey.existing
        undecided = branch == "auto" and not survey.chaos.brackets and not survey.chaos.complete
        chosen = existing[0] if branch == "auto" else branch
        others = tuple(name for name in existing if name != chosen)
        if undecided:
            message = (
                "whether a chaotic state exists could not be decided; "
                "branch='fixed-point' and branch='zero' can be asked for by name"
            )
            return StationarySolution("chaotic", Status.NOT_CONVERGED, message), existing
        if chosen == "zero":
            return _zero(survey, lyapunov), others
        if chosen.startswith("fixed-point"):
            return _constant(survey, chosen, tol, lyapunov), others
        return _decaying(survey, chosen, tol, method, lyapunov), others
    except AverageBudgetError as error:
        return StationarySolution(branch, Status.BUDGET_EXCEEDED, str(error)), ()


def _zero(survey: Survey, lyapunov: bool) -> StationarySolution:
    unmet = survey.linear.theory.unmet("zero", survey.linear.parameters)
    if unmet or not survey.has_rest:
        reason = unmet[0].reason if unmet else "outputs or dynamics do not vanish there"
        return StationarySolution("zero", Status.NO_SOLUTION, reason)
    return zero_state(survey.linear, lyapunov)


def _constant(survey: Survey, branch: str, tol: float, lyapunov: bool) -> StationarySolution:
    points = survey.fixed_points
    place = position(branch, "fixed-point", len(points))
    if place is not None:
        curve = survey.static_curve
        return constant_state(survey.linear, curve, points[place], branch, tol, lyapunov)
    message = f"{len(points)} constant solutions exist"
    if survey.linear.has_noise:
        message = "white noise drives the units: no state is constant"
    elif not points:
        lowest = survey.static_curve.lowest_scale()[1]
        message += (
            f"; the couplings' variance would have to be {lowest:.6g} times as large for the first"
        )
    return StationarySolution(branch, Status.NO_SOLUTION, message)


def _decaying(
    survey: Survey, branch: str, tol: float, method: str, lyapunov: bool
) -> StationarySolution:
    linear, search = survey.linear, survey.chaos
    place = position(branch, "chaotic", len(search.brackets))
    if place is None:
        if not search.complete:
            message = "the curve of decaying solutions could not be followed to its end"
            return StationarySolution(branch, Status.NOT_CONVERGED, message)
        message = (
            f"{len(search.brackets)} decaying solutions exist; the smallest coupling scale "
            f"(variance) on their curve is {search.lowest:.6g}"
        )
        return StationarySolution(branch, Status.NO_SOLUTION, message)
    point = close_in(linear, search.brackets[place], 1e-5)
    if point is None:
        message = "the crossing of the amplitude curve could not be located"
        return StationarySolution(branch, Status.NOT_CONVERGED, message)
    refined = refine(linear, point, tol, method)
    if refined.failure:
        status = Status.BUDGET_EXCEEDED if refined.exceeded else Status.NOT_CONVERGED
        return StationarySolution(branch, status, refined.failure, residual=refined.residual)
    if (refined.slope > 0) != (place % 2 == 0):
        return StationarySolution(branch, Status.NOT_CONVERGED, "a solution of another branch")
    checked = check(linear, refined, method)
    exponent, exponent_error = None, None
    if lyapunov:
        weights = refined.currents.by_covariance
        exponent = decaying_state_exponent(linear, refined.problem.grid, weights)
        again = decaying_state_exponent(
            linear, checked.problem.grid, checked.currents.by_covariance, near=exponent
        )
        exponent_error = 2 * abs(again - exponent) + 1e-12
    theory, window = linear.theory, refined.window
    coefficients = theory.vector("observable_coefficients", linear.parameters)
    observables = {
        name: window.observable(part, float(coefficient), refined.extended)
        for name, part, coefficient in zip(
            theory.info.nonlinearities, theory.observables, coefficients, strict=True
        )
        if part is not None
    }
    integrals = window.grid.coefficients(refined.everything)[:, 0] * window.grid.length
    times = [
        float(integral / c[0]) if c[0] > 0 else None
        for integral, c in zip(integrals, refined.everything, strict=True)
    ]
    first = linear.active[0]
    scale = float(refined.everything[first, 0])
    residual = refined.residual * float(np.max(refined.covariance[:, 0])) / scale
    # lagged values near a resonant onset can be far less certain than the variance
    worst = max(checked.variance_error, checked.autocorrelation_error / 10)
    accurate = worst <= 100 * tol
    return StationarySolution(
        branch=branch,
        status=Status.CONVERGED if accurate else Status.NOT_CONVERGED,
        message=""
        if accurate
        else f"error estimate {worst:.1e} exceeds the tolerance; try a larger tol",
        lags=window.grid.lags,
        covariance=refined.everything,
        observables=observables,
        correlation_times=tuple(times),
        lyapunov=exponent,
        residual=residual,
        errors={
            "variance": checked.variance_error,
            "lyapunov": exponent_error,
            "autocorrelation": checked.autocorrelation_error,
        },
    )
