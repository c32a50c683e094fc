"""One decaying state to the tolerance: autocorrelations, Lyapunov exponent and measured errors."""

from __future__ import annotations

import numpy as np

from .decay_curves import close_on_line
from .decaying import Bracket, close_in
from .lyapunov import decaying_state_exponent
from .outliers import order_parameter_growth
from .refine import Refined, check, refine
from .stationary_solution import StationarySolution
from .status import Status

__all__ = ["decaying_state", "loses_to_mean_activity"]


def decaying_state(
    bracket: Bracket, branch: str, tol: float, method: str, lyapunov: bool
) -> StationarySolution:
    """The solution at q = 1 inside a bracket."""
    linear = bracket.linear
    point = close_in(bracket, 1e-5) if linear.decays else close_on_line(bracket, 1e-5)
    if point is None:
        message = "the crossing of the amplitude curve could not be located"
        return StationarySolution(branch, Status.NOT_CONVERGED, message)
    refined = refine(linear, point, tol, method)
    if refined.failure:
        status = Status.BUDGET_EXCEEDED if refined.exceeded else Status.NOT_CONVERGED
        return StationarySolution(branch, status, refined.failure, residual=refined.residual)
    if (refined.slope > 0) != bracket.upper:
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
        name: window.observable(part, float(coefficient), refined.extended, refined.means)
        for name, part, coefficient in zip(
            theory.info.nonlinearities, theory.observables, coefficients, strict=True
        )
        if part is not None and all(theory.functions[f].field in linear.place for f in part.factors)
    }
    means = refined.all_means
    first = linear.active[0]
    scale = float(refined.everything[first, 0])
    residual = refined.residual * float(np.max(refined.covariance[:, 0])) / scale
    # lagged values near a resonant onset can be far less certain than the variance
    worst = max(checked.variance_error, checked.autocorrelation_error / 10)
    accurate = worst <= 100 * tol
    message = (
        "" if accurate else f"error estimate {worst:.1e} exceeds the tolerance; try a larger tol"
    )
    if accurate and loses_to_mean_activity(bracket):
        message = "unstable: the mean coupling makes a mean activity grow from this state"
    return StationarySolution(
        branch=branch,
        status=Status.CONVERGED if accurate else Status.NOT_CONVERGED,
        message=message,
        lags=window.grid.lags,
        covariance=refined.everything + means[:, None] ** 2,
        means=means,
        limits=refined.all_limits + means**2,
        observables=observables,
        correlation_times=_correlation_times(refined),
        lyapunov=exponent,
        residual=residual,
        errors={
            "variance": checked.variance_error,
            "lyapunov": exponent_error,
            "autocorrelation": checked.autocorrelation_error,
        },
    )


def _correlation_times(refined: Refined) -> tuple[float | None, ...]:
    """The integral of C - C(infinity) over its value at lag 0."""
    part = refined.everything - refined.all_limits[:, None]
    grid = refined.window.grid
    integrals = grid.coefficients(part)[:, 0] * grid.length
    return tuple(
        float(integral / c[0]) if c[0] > 0 else None
        for integral, c in zip(integrals, part, strict=True)
    )


def loses_to_mean_activity(bracket: Bracket) -> bool:
    """Whether a mean activity grows from a state without one.

    By the symmetry of that state its covariances do not change to first order, so that only the mean
    outputs count: the growth is that of the zero state, with averages over this state.
    """
    linear = bracket.linear
    if linear.mean_activity or not np.any(linear.current_means):
        return False
    variances = (bracket.low.covariance[:, 0] + bracket.high.covariance[:, 0]) / 2
    return order_parameter_growth(linear, variances, linear.active_means, at_zero=True) > 0
