"""Stationary solutions on every branch: which exist, and the one that was asked for.

Branches: ``zero`` (rest), ``fixed-point`` and ``fixed-point-lower`` (constant solutions),
``chaotic`` and ``chaotic-lower`` (decaying solutions; the lower, unstable part exists where chaos
appears through a fold). ``auto`` is the chaotic branch if it exists, else the fixed point if rest is
unstable, else rest.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property, partial

import numpy as np
from numpy.typing import NDArray

from dmft.codegen.theory import CompiledTheory
from dmft.gaussian.pair_average import AverageBudgetError
from dmft.gaussian.square_moments import square_moments

from .decaying import Search, close_in, first_point, follow, grown_point
from .lyapunov import constant_state_radius, decaying_state_exponent, leading_edge
from .refine import check, refine
from .statics import Crossing, StaticCurve
from .stationary_problem import LinearTheory
from .status import Status

__all__ = ["BRANCHES", "METHODS", "StationarySolution", "Survey", "solve_stationary"]

Floats = NDArray[np.float64]

BRANCHES = ("auto", "zero", "fixed-point", "fixed-point-lower", "chaotic", "chaotic-lower")
METHODS = ("auto", "dense", "matrix-free")


@dataclass(frozen=True)
class StationarySolution:
    """One solution. ``covariance`` (all fields, lags); None where there is no answer."""

    branch: str
    status: Status
    message: str = ""
    lags: Floats = field(default_factory=lambda: np.empty(0))
    covariance: Floats | None = None
    observables: Mapping[str, Floats] = field(default_factory=dict)
    correlation_times: tuple[float | None, ...] = ()
    lyapunov: float | None = None
    residual: float | None = None
    errors: Mapping[str, float | None] = field(default_factory=dict)


@dataclass(frozen=True)
class Survey:
    """Which branches exist at given parameters, found cheaply before any is refined."""

    linear: LinearTheory

    def _curve(self, gain: Floats) -> StaticCurve:
        linear = self.linear
        return StaticCurve(
            linear.theory, linear.parameters, linear.theory.outputs, linear.strength, gain
        )

    @cached_property
    def static_curve(self) -> StaticCurve:
        """Constant solutions: gain at zero frequency."""
        return self._curve(self.linear.gain(np.zeros(1))[:, :, 0])

    @cached_property
    def fixed_points(self) -> list[Crossing]:
        """All constant solutions, largest first."""
        return self.static_curve.crossings()

    @cached_property
    def scale_at_zero(self) -> float:
        """The coupling scale q at which the zero state loses stability."""
        radius = constant_state_radius(self.linear, self.constant_weights(None), 0.0)
        return 1 / radius if radius > 0 else np.inf

    def constant_weights(self, variances: Floats | None) -> Floats:
        """dS_a/dC_j at C = D, shape (currents, active fields); None is the zero state."""
        linear = self.linear
        theory, active = linear.theory, linear.active
        variances = np.zeros(len(active)) if variances is None else variances
        weights = np.zeros((len(theory.outputs), len(active)))
        for a, output in enumerate(theory.outputs):
            moments = []
            for f in output.factors:
                function = theory.functions[f]
                place = active.index(function.field)
                m = square_moments(partial(function.at, p=linear.parameters), variances[place])
                moments.append((place, float(m.square[0]), float(m.slope_square[0])))
            for i, (place, _, slope) in enumerate(moments):
                others = [square for j, (_, square, _) in enumerate(moments) if j != i]
                weights[a, place] += linear.strength[a] * np.prod(others) * slope
        return weights

    @cached_property
    def chaos(self) -> Search:
        """Crossings of the amplitude curve of decaying solutions."""
        bound = self._curve(self.linear.peak_gain)
        crossings = bound.crossings()
        if not crossings:
            return Search((), self.scale_at_zero >= 1, bound.lowest_scale()[1])
        amplitude = float(crossings[0].variances[0])
        # a grown shape settles faster at large amplitudes, from where the curve leads down
        attempts = [(first_point, factor) for factor in (1.0, 1.3, 0.8, 2.0)]
        attempts += [(grown_point, factor) for factor in (1.3, 3.0, 10.0, 50.0)]
        for find, factor in attempts:
            start = find(self.linear, factor * amplitude)
            if start is not None and start.scale >= 1:
                return follow(
                    self.linear,
                    start,
                    scale_at_zero=self.scale_at_zero,
                    smallest=1e-3 * amplitude,
                )
        return Search((), False, float("nan"))

    @cached_property
    def existing(self) -> tuple[str, ...]:
        """Names of all branches that exist, in the order of preference of ``auto``."""
        names = []
        if self.chaos.brackets:
            names.append("chaotic")
        constant = (["fixed-point"] if self.fixed_points else []) + (
            ["fixed-point-lower"] if len(self.fixed_points) > 1 else []
        )
        names += [*constant, "zero"] if self.scale_at_zero < 1 else ["zero", *constant]
        if len(self.chaos.brackets) > 1:
            names.append("chaotic-lower")
        return tuple(names)


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


def _everything(
    survey: Survey, variances: Floats | None
) -> tuple[Floats, dict[str, Floats], float]:
    """All fields and observables of a constant state, as one lag; and the residual."""
    linear = survey.linear
    theory = linear.theory
    values = np.zeros(len(linear.active)) if variances is None else variances
    at = {field: float(values[i]) for i, field in enumerate(linear.active)}
    squares = {
        i: float(square_moments(partial(f.at, p=linear.parameters), at[f.field]).square[0])
        for i, f in enumerate(theory.functions)
        if f.field in at
    }
    moments = linear.strength * [np.prod([squares[f] for f in o.factors]) for o in theory.outputs]
    fields = linear.gain(np.zeros(1))[:, :, 0] @ moments
    residual = float(np.max(abs(fields[list(linear.active)] - values)))
    coefficients = theory.vector("observable_coefficients", linear.parameters)
    observables = {}
    for name, part, coefficient in zip(
        theory.info.nonlinearities, theory.observables, coefficients, strict=True
    ):
        if part is not None and all(f in squares for f in part.factors):
            value = coefficient**2 * np.prod([squares[f] for f in part.factors])
            observables[name] = np.array([value])
    return fields[:, None], observables, residual


def _zero(survey: Survey, lyapunov: bool) -> StationarySolution:
    fields, observables, residual = _everything(survey, None)
    edge = leading_edge(survey.linear, survey.constant_weights(None)) if lyapunov else None
    return StationarySolution(
        branch="zero",
        status=Status.CONVERGED,
        message="" if survey.scale_at_zero > 1 else "rest is unstable",
        lags=np.zeros(1),
        covariance=fields,
        observables=observables,
        correlation_times=(None,) * len(fields),
        lyapunov=edge,
        residual=residual,
        errors={
            "variance": 0.0,
            "lyapunov": None if edge is None else 1e-13 * max(1, abs(edge)),
            "autocorrelation": 0.0,
        },
    )


def _constant(survey: Survey, branch: str, tol: float, lyapunov: bool) -> StationarySolution:
    position = 1 if branch.endswith("lower") else 0
    if len(survey.fixed_points) <= position:
        lowest = survey.static_curve.lowest_scale()[1]
        message = (
            f"{len(survey.fixed_points)} constant solutions exist; the couplings' variance would have "
            f"to be {lowest:.6g} times as large for the first"
        )
        return StationarySolution(branch, Status.NO_SOLUTION, message)
    crossing = survey.fixed_points[position]
    fields, observables, residual = _everything(survey, crossing.variances)
    weights = survey.constant_weights(crossing.variances)
    edge = leading_edge(survey.linear, weights) if lyapunov else None
    unstable = constant_state_radius(survey.linear, weights, 0.0) > 1
    message = ""
    if unstable:
        message = (
            "unstable: a solution of the mean-field equations only; the fixed points of a "
            "finite network are weighted differently (Kac-Rice)"
        )
    first = survey.linear.active[0]
    relative = residual / fields[first, 0]
    slope = _relative_slope(survey.static_curve, float(crossing.variances[0]))
    error = (relative + 4e-15) / max(abs(slope), 1e-8)
    return StationarySolution(
        branch=branch,
        status=Status.CONVERGED if relative <= tol else Status.NOT_CONVERGED,
        message=message,
        lags=np.zeros(1),
        covariance=fields,
        observables=observables,
        correlation_times=(None,) * len(fields),
        lyapunov=edge,
        residual=relative,
        errors={
            "variance": error,
            "lyapunov": None if edge is None else 10 * error,
            "autocorrelation": error,
        },
    )


def _relative_slope(curve: StaticCurve, amplitude: float) -> float:
    """d log q / d log A: the inverse amplifies errors."""
    up, down = curve.scale_at(amplitude * 1.001), curve.scale_at(amplitude / 1.001)
    return float(np.log(up / down) / (2 * np.log(1.001)))


def _decaying(
    survey: Survey, branch: str, tol: float, method: str, lyapunov: bool
) -> StationarySolution:
    linear, search = survey.linear, survey.chaos
    position = 1 if branch.endswith("lower") else 0
    if len(search.brackets) <= position:
        if not search.complete:
            message = "the curve of decaying solutions could not be followed to its end"
            return StationarySolution(branch, Status.NOT_CONVERGED, message)
        message = (
            f"{len(search.brackets)} decaying solutions exist; the smallest coupling scale "
            f"(variance) on their curve is {search.lowest:.6g}"
        )
        return StationarySolution(branch, Status.NO_SOLUTION, message)
    point = close_in(linear, search.brackets[position], 1e-5)
    if point is None:
        message = "the crossing of the amplitude curve could not be located"
        return StationarySolution(branch, Status.NOT_CONVERGED, message)
    refined = refine(linear, point, tol, method)
    if refined.failure:
        status = Status.BUDGET_EXCEEDED if refined.exceeded else Status.NOT_CONVERGED
        return StationarySolution(branch, status, refined.failure, residual=refined.residual)
    if (refined.slope > 0) != (position == 0):
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
