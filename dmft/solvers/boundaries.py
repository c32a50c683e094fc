r"""Boundaries that need no dynamics: where rest loses stability, where fixed points appear.

``zero-state``: at the zero state the largest spectral radius of v_a |sum_l P_al G0_lb(i omega)|^2
over all frequencies is one (`derivations.statics`, from the derived Jacobian).

``fixed-points``: the smallest value of the coupling scale q(A) over all amplitudes A is one
(`solve.statics`): beyond, constant non-zero solutions exist. Where the smallest value lies at
A -> 0 they are born continuously, on the zero-state line, and the point says so; else it is a fold,
refined by Newton's method on  log q = 0,  d log q / d log A = 0.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import brentq, minimize_scalar

from dmft.codegen.info import ParameterInfo
from dmft.codegen.theory import CompiledTheory
from dmft.gaussian.pair_average import AverageBudgetError

from .frequency_peak import frequency_peak
from .statics import StaticCurve
from .status import Status

__all__ = ["BOUNDARIES", "BoundaryPoint", "fixed_points", "zero_state"]

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class BoundaryPoint:
    """A located value of the parameter that is solved for; NaN without an answer."""

    value: float
    error: float
    status: Status


_NO_POINT = BoundaryPoint(float("nan"), float("nan"), Status.NO_SOLUTION)


def _candidates(parameter: ParameterInfo) -> Floats:
    """Values between which sign changes are looked for, over the parameter's whole domain."""
    if parameter.positive:
        return np.geomspace(1e-4, 1e4, 97)
    positive = np.geomspace(1e-3, 200, 60)
    return np.concatenate([-positive[::-1], [0.0], positive])


def _crossings(function: Callable[[float], float], points: Floats, tol: float) -> list[float]:
    """All sign changes of a function seen on ``points``, nearest to zero first."""
    values = np.array([function(float(x)) for x in points])
    roots = [float(x) for x, v in zip(points, values, strict=True) if v == 0]
    for i in np.flatnonzero(values[:-1] * values[1:] < 0):
        roots.append(float(brentq(function, points[i], points[i + 1], xtol=tol * 1e-3, rtol=1e-15)))
    return sorted(roots, key=lambda x: (abs(x), -x))


def _slope(function: Callable[[float], float], x: float) -> float:
    step = 1e-6 * max(abs(x), 1e-3)
    return (function(x + step) - function(x - step)) / (2 * step)


def _zero_state_log_radius(theory: CompiledTheory, p: Mapping[str, float]) -> float:
    drift, inputs, output = (
        theory.matrices[name].at(p) for name in ("drift_zero", "input_zero", "output_zero")
    )
    weights = theory.vector("weights", p)

    def radius(frequencies: Floats) -> Floats:
        s = 1j * frequencies
        transfer = np.linalg.solve(
            s[:, None, None] * np.eye(len(drift)) - drift,
            np.broadcast_to(inputs, (s.size, *inputs.shape)),
        )
        matrices = weights[:, None] * abs(output @ transfer) ** 2
        radii: Floats = np.max(abs(np.linalg.eigvals(matrices)), axis=-1)
        return radii

    largest = frequency_peak(radius, drift)
    with np.errstate(divide="ignore"):
        return float(np.log(largest))


def zero_state(
    theory: CompiledTheory, p: Mapping[str, float], solve_for: str, tol: float
) -> list[BoundaryPoint]:
    """Values of ``solve_for`` where the zero state loses stability; one `_NO_POINT` if none."""

    def log_radius(value: float) -> float:
        return _zero_state_log_radius(theory, {**p, solve_for: value})

    points = _candidates(theory.info.parameter(solve_for))
    found = []
    for root in _crossings(log_radius, points, tol):
        width = 0.1 * (abs(root) or 1e-3)
        if max(abs(log_radius(root - width)), abs(log_radius(root + width))) < 1e-14:
            continue  # the line holds at every value, to rounding: no point of it is isolated
        slope = abs(_slope(log_radius, root))
        error = 4e-16 * abs(root) + 4e-16 / slope
        status = Status.CONVERGED if error <= tol * max(1.0, abs(root)) else Status.NOT_CONVERGED
        found.append(BoundaryPoint(root, error, status))
    return found or [_NO_POINT]


def _static_curve(theory: CompiledTheory, p: Mapping[str, float]) -> StaticCurve:
    coefficients = theory.vector("static_coefficients", p)
    return StaticCurve(
        theory,
        p,
        theory.static_outputs,
        theory.vector("weights", p) * coefficients**2,
        theory.matrices["response"].at(p) ** 2,
    )


def fixed_points(
    theory: CompiledTheory, p: Mapping[str, float], solve_for: str, tol: float
) -> list[BoundaryPoint]:
    """Values of ``solve_for`` where the first non-zero fixed points appear."""

    def curve(value: float) -> StaticCurve:
        return _static_curve(theory, {**p, solve_for: value})

    def log_lowest(value: float) -> float:
        try:
            return float(np.log(curve(value).lowest_scale()[1]))
        except AverageBudgetError:  # a huge gain: fixed points exist there
            return -1.0

    info = theory.info.parameter(solve_for)
    points = _candidates(info)
    lines = zero_state(theory, p, solve_for, tol)
    continuous = [point for point in lines if not np.isnan(point.value)]
    found = []
    try:
        for start in continuous:
            found.append(_near_zero_state(curve, log_lowest, start, info, tol))
        if not continuous:
            for root in _crossings(log_lowest, points, tol):
                found.append(_fold(curve, root, tol))
    except AverageBudgetError:
        return [BoundaryPoint(float("nan"), float("nan"), Status.BUDGET_EXCEEDED)]
    return found or [_NO_POINT]


def _near_zero_state(
    curve: Callable[[float], StaticCurve],
    log_lowest: Callable[[float], float],
    start: BoundaryPoint,
    info: ParameterInfo,
    tol: float,
) -> BoundaryPoint:
    """From the zero-state line into the side where rest is stable, until no fixed point is left."""
    amplitude, _ = curve(start.value).lowest_scale()
    if amplitude == 0.0:
        return BoundaryPoint(start.value, start.error, Status.CONTINUOUS)
    p0 = start.value
    width = 1e-3 * max(abs(p0), 0.1)
    smallest = curve(p0 + width).scale_at(1e-9)
    direction = 1.0 if smallest > 1 else -1.0
    inside, step = p0, width
    while step < 1e4:
        outside = (
            p0 * np.exp(direction * step / abs(p0)) if info.positive else p0 + direction * step
        )
        if log_lowest(outside) > 0:
            break
        inside, step = outside, 2 * step
    else:
        return _NO_POINT
    low, high = sorted((inside, outside))
    root = float(brentq(log_lowest, low, high, xtol=1e-6 * max(abs(p0), 1e-3)))
    return _fold(curve, root, tol)


def _fold(curve: Callable[[float], StaticCurve], guess: float, tol: float) -> BoundaryPoint:
    """Newton's method for the minimum of log q over log A being zero.

    The minimum's value depends on its place to second order only, so that a place good to 1e-7
    gives the parameter to rounding error.
    """
    amplitude, _ = curve(guess).lowest_scale()
    if amplitude == 0.0:
        return BoundaryPoint(guess, tol, Status.CONTINUOUS)
    value, log_a = guess, float(np.log(amplitude))
    change = np.inf
    for _ in range(40):
        here = curve(value)
        best = minimize_scalar(
            here.log_scale_at,
            bounds=(log_a - 0.3, log_a + 0.3),
            method="bounded",
            options={"xatol": 1e-8},
        )
        log_a = float(best.x)
        step = 1e-6 * max(abs(value), 1e-3)
        slope = (
            curve(value + step).log_scale_at(log_a) - curve(value - step).log_scale_at(log_a)
        ) / (2 * step)
        change = -float(best.fun) / slope
        value += change
        if abs(change) <= 0.01 * tol * max(1.0, abs(value)):
            break
    error = abs(change) + 2e-15 / abs(slope)
    status = Status.CONVERGED if error <= tol * max(1.0, abs(value)) else Status.NOT_CONVERGED
    return BoundaryPoint(value, error, status)


BOUNDARIES = {"zero-state": zero_state, "fixed-points": fixed_points}
