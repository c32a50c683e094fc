"""Solutions that do not change in time: rest, and constant states with their stability.

A constant state is a solution of the mean-field equations; it is a stable state of the network where
V, the spectral radius at growth zero, and the eigenvalues beside the bulk (`outliers`) say so. An
unstable one is not what a finite network's fixed points look like (they are weighted differently,
Kac-Rice): the message says so.
"""

from __future__ import annotations

from functools import partial

import numpy as np
from numpy.typing import NDArray

from dmft.gaussian.square_moments import square_moments

from .linear_theory import LinearTheory
from .lyapunov import constant_state_radius, leading_edge
from .outliers import order_parameter_growth
from .statics import Crossing, StaticCurve
from .stationary_solution import StationarySolution
from .status import Status

__all__ = ["constant_state", "constant_weights", "growth_rate", "is_stable", "zero_state"]

Floats = NDArray[np.float64]


def constant_weights(linear: LinearTheory, variances: Floats, means: Floats) -> Floats:
    """dS_a/dC_j at C = D, shape (currents, active fields)."""
    theory, active = linear.theory, linear.active
    weights = np.zeros((len(theory.outputs), len(active)))
    for a, output in enumerate(theory.outputs):
        moments = []
        for f in output.factors:
            function = theory.functions[f]
            place = active.index(function.field)
            m = square_moments(
                partial(function.at, p=linear.parameters), variances[place], mean=means[place]
            )
            moments.append((place, float(m.square[0]), float(m.slope_square[0])))
        for i, (place, _, slope) in enumerate(moments):
            others = [square for j, (_, square, _) in enumerate(moments) if j != i]
            weights[a, place] += linear.strength[a] * np.prod(others) * slope
    return weights


def is_stable(linear: LinearTheory, variances: Floats, means: Floats) -> bool:
    """Whether a constant state is a stable state of the network; zero variances and means are rest."""
    weights = constant_weights(linear, variances, means)
    if constant_state_radius(linear, weights, 0.0) >= 1:
        return False
    return order_parameter_growth(linear, variances, means) < 0


def growth_rate(linear: LinearTheory, variances: Floats, means: Floats) -> float:
    """Largest real part of the Jacobian's spectrum: the bulk's edge, or an outlier beyond it.

    Outliers count where the mean of the couplings makes them, or where they alone are unstable:
    with an unstable bulk the state is none of a network's, and the edge is what theory compares.
    """
    edge = leading_edge(linear, constant_weights(linear, variances, means))
    if edge > 0 and not np.any(linear.current_means):
        return edge
    return max(edge, order_parameter_growth(linear, variances, means))


def _everything(
    linear: LinearTheory, variances: Floats, means: Floats
) -> tuple[Floats, Floats, dict[str, Floats], float]:
    """Variances and means of all fields, observables as one lag, and the residual."""
    theory, active = linear.theory, list(linear.active)
    moments = {}
    for i, function in enumerate(theory.functions):
        if function.field in active:
            place = active.index(function.field)
            m = square_moments(
                partial(function.at, p=linear.parameters), variances[place], mean=means[place]
            )
            moments[i] = float(m.square[0]), float(m.mean[0])
    squares = linear.strength * [
        np.prod([moments[f][0] for f in o.factors]) for o in theory.outputs
    ]
    outputs = np.array([np.prod([moments[f][1] for f in o.factors]) for o in theory.outputs])
    spread = linear.response**2 @ squares + linear.input_variances
    centre = linear.constant_means + linear.mean_gain @ outputs
    residual = float(np.max(abs(spread[active] - variances)))
    if np.any(means):
        # changes of the mean count by what they do to the second moment
        width = abs(means) + np.sqrt(variances)
        residual = max(residual, float(np.max(abs(centre[active] - means) * width)))
    coefficients = theory.vector("observable_coefficients", linear.parameters)
    observables = {}
    for name, part, coefficient in zip(
        theory.info.nonlinearities, theory.observables, coefficients, strict=True
    ):
        if part is not None and all(f in moments for f in part.factors):
            value = coefficient**2 * np.prod([moments[f][0] for f in part.factors])
            observables[name] = np.array([value])
    return spread, centre, observables, residual


def zero_state(linear: LinearTheory, lyapunov: bool) -> StationarySolution:
    """Rest, where zero solves the equations."""
    nothing = np.zeros(len(linear.active))
    spread, centre, observables, residual = _everything(linear, nothing, nothing)
    edge = growth_rate(linear, nothing, nothing) if lyapunov else None
    return StationarySolution(
        branch="zero",
        status=Status.CONVERGED,
        message="" if is_stable(linear, nothing, nothing) else "rest is unstable",
        lags=np.zeros(1),
        covariance=spread[:, None],
        means=centre,
        limits=spread,
        observables=observables,
        correlation_times=(None,) * len(spread),
        lyapunov=edge,
        residual=residual,
        errors={
            "variance": 0.0,
            "lyapunov": None if edge is None else 1e-13 * max(1, abs(edge)),
            "autocorrelation": 0.0,
        },
    )


def constant_state(
    linear: LinearTheory,
    curve: StaticCurve,
    crossing: Crossing,
    branch: str,
    tol: float,
    lyapunov: bool,
) -> StationarySolution:
    """One of the constant solutions, with its residual and stability."""
    variances, means = crossing.variances, crossing.means
    if not np.any(means) and curve.means_may_vanish:
        linear = linear.without_mean_activity()  # whose mean outputs vanish but for rounding
    spread, centre, observables, residual = _everything(linear, variances, means)
    edge = growth_rate(linear, variances, means) if lyapunov else None
    message = ""
    if not is_stable(linear, variances, means):
        message = (
            "unstable: a solution of the mean-field equations only; the fixed points of a "
            "finite network are weighted differently (Kac-Rice)"
        )
    total = spread + centre**2
    relative = residual / (total[linear.active[0]] or np.max(total))
    error = (relative + 4e-15) / max(abs(_relative_slope(curve, crossing)), 1e-8)
    return StationarySolution(
        branch=branch,
        status=Status.CONVERGED if relative <= tol else Status.NOT_CONVERGED,
        message=message,
        lags=np.zeros(1),
        covariance=total[:, None],
        means=centre,
        limits=total,
        observables=observables,
        correlation_times=(None,) * len(total),
        lyapunov=edge,
        residual=relative,
        errors={
            "variance": error,
            "lyapunov": None if edge is None else 10 * error,
            "autocorrelation": error,
        },
    )


def _relative_slope(curve: StaticCurve, crossing: Crossing) -> float:
    """d log q / d log A: the inverse amplifies errors."""
    amplitude, offset = float(crossing.variances[0]), float(curve.offsets[0])
    excess = amplitude - offset
    if excess <= 0:
        return 1.0  # no output moves: the state is what the inputs make of it
    around = offset + excess * np.array([1 / 1.001, 1.001])
    means = np.tile(crossing.means[:, None], 2)
    low, high = curve.points(around, means=means).scale
    return float(np.log(high / low) / (2 * np.log(1.001)) * amplitude / excess)
