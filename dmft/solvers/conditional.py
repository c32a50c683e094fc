"""Stationary solutions of conditionally Gaussian theories, by sampling paths of the gating fields.

Two starts, with all fields at variance 1 and at 0.01, must lead to the same state; rest beside it is
another branch. Where they do not, or where relaxation outlasts the window, the state depends on its
history and no stationary number is given.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import numpy as np
from joblib import Parallel
from numpy.typing import NDArray
from threadpoolctl import threadpool_limits

from dmft.codegen.conditional import CompiledConditional
from dmft.gaussian.pair_average import AverageBudgetError

from .conditional_model import ConditionalModel
from .conditional_response import response
from .conditional_scales import CIRCLE, Quality
from .conditional_settle import Ending, Settled, settle
from .conditional_solution import Budget, Sampled, sample_to
from .stationary import StationarySolution
from .status import Status

__all__ = ["MOST_PATHS", "STARTS", "WINDOW_CAP", "SampledSolution", "solve_conditional"]

Floats = NDArray[np.float64]

#: Variances of all fields at the two starts.
STARTS = (1.0, 0.01)
#: The longest period of a path, in time units; states of longer memory are history-dependent.
WINDOW_CAP = 1e4
MOST_PATHS = 2**17
_OUTPUT_LAGS = 1000


@dataclass(frozen=True)
class SampledSolution(StationarySolution):
    """A solution with standard errors.

    ``errors`` relative to C(0) of the first conditional field: "variance" in total, and what it
    consists of ("statistical", "step", "fit", "window", "averages", "memory", "bias"); "autocorrelation"
    is the largest total error of any field at any lag over its C(0). ``standard_errors``: field or
    nonlinearity -> total error of C at the lags. ``limits``: C(tau -> infinity) of all fields.
    """

    standard_errors: Mapping[str, Floats] = field(default_factory=dict)
    means: Floats = field(default_factory=lambda: np.empty(0))
    limits: Floats = field(default_factory=lambda: np.empty(0))
    paths: int = 0


def solve_conditional(
    theory: CompiledConditional,
    parameters: Mapping[str, float],
    *,
    precision: float = 3e-3,
    seed: int = 0,
    workers: int = 1,
    window_cap: float = WINDOW_CAP,
    most_paths: int = MOST_PATHS,
    time_limit: float | None = None,
    progress: Callable[[str], None] = lambda text: None,
) -> tuple[SampledSolution, tuple[str, ...]]:
    """Solve for the decaying (chaotic) state; also return the names of other branches.

    Never raises for lack of an answer: the status says how it ended.

    Parameters
    ----------
    precision
        Relative standard error of C(0) of the first conditional field, all errors included.
    seed, workers
        The same seed gives the same digits for any number of worker processes.
    window_cap, most_paths, time_limit
        Largest period of a path (time units), number of paths, and seconds.
    """
    deadline = None if time_limit is None else time.monotonic() + time_limit
    budget = Budget(most_paths, deadline)
    model = ConditionalModel(theory, parameters)

    def run(pool: Parallel | None) -> tuple[SampledSolution, tuple[str, ...]]:
        try:
            return _solve(model, precision, seed, window_cap, budget, pool, progress)
        except AverageBudgetError as error:
            return _without(Status.BUDGET_EXCEEDED, str(error)), ()

    with threadpool_limits(limits=1):
        if workers == 1:
            return run(None)
        with Parallel(n_jobs=workers) as pool:
            return run(pool)


def _without(status: Status, message: str) -> SampledSolution:
    return SampledSolution("chaotic", status, message)


def _solve(
    model: ConditionalModel,
    precision: float,
    seed: int,
    window_cap: float,
    budget: Budget,
    pool: Parallel | None,
    progress: Callable[[str], None],
) -> tuple[SampledSolution, tuple[str, ...]]:
    if model.steady.slowest_rate <= 0:
        message = "without couplings the gating fields do not relax (an eigenvalue >= 0)"
        return _without(Status.NO_SOLUTION, message), ()
    found: list[Settled] = []
    for variance in STARTS:
        progress(f"start with variance {variance:g}")
        found.append(
            settle(
                model,
                variance,
                seed=seed,
                tol=1e-3,
                window_cap=window_cap,
                quality=Quality(),
                pool=pool,
                deadline=budget.deadline,
            )
        )
        ended = found[-1]
        if ended.ending is Ending.TOO_SLOW:
            message = (
                f"correlations last {ended.scales.long:.3g} time units or more; {CIRCLE:g} times that, "
                f"or the time after which a start is forgotten, exceeds the window cap {window_cap:g}"
            )
            return _without(Status.HISTORY_DEPENDENT, message), ()
        if ended.ending is Ending.OUT_OF_TIME:
            return _without(Status.BUDGET_EXCEEDED, "the time limit was reached"), ()
    wide, narrow = found
    others = ("zero",) if model.decays else ()
    if wide.ending is Ending.ZERO:
        return _without(Status.NO_SOLUTION, "from a wide start the state decays to rest"), others
    if wide.ending is Ending.CONSTANT:
        return _without(Status.NO_SOLUTION, "the state that is reached does not decay"), others
    if wide.ending is Ending.UNSETTLED:
        message = f"the iteration stopped at residual {wide.residual:.1e}"
        return _without(Status.NOT_CONVERGED, message), others
    first = next(k for k in model.theory.block if k not in model.theory.steady)
    report = first * len(wide.problem.grid.nodes)
    solved = sample_to(wide, precision, report, budget, pool, progress)
    if message := _two_states(model, wide, narrow, solved, first, pool):
        return _without(Status.HISTORY_DEPENDENT, message), others
    return _reported(model, solved, first), others


def _two_states(
    model: ConditionalModel,
    wide: Settled,
    narrow: Settled,
    solved: Sampled,
    first: int,
    pool: Parallel | None,
) -> str:
    """How the state from the narrow start differs from that of the wide one; empty if not."""
    if narrow.ending is Ending.ZERO:
        return ""
    values = [s.found.fields[first, 0] for s in (wide, narrow)]
    if narrow.ending is Ending.SOLVED:
        report = first * len(solved.problem.grid.nodes)
        paths = solved.found.moments.count
        share = solved.errors.statistical[report] / solved.found.reports[report]
        error = (
            share
            * np.sqrt(paths)
            * np.hypot(
                *(
                    v / np.sqrt(s.found.moments.count)
                    for v, s in zip(values, (wide, narrow), strict=True)
                )
            )
        )
        # both were iterated to a residual of 1e-3 only
        slack = 2e-3 * values[0] / max(1 - solved.response.radius, 0.05)
        if abs(values[1] - values[0]) <= 4 * np.hypot(error, slack):
            return ""
        if response(narrow.problem, narrow.found, [0], pool).radius > 1:
            return ""  # an unstable solution between rest and this state
    return (
        f"from a start of variance {STARTS[0]:g} C(0) is {values[0]:.4g}, from {STARTS[1]:g} it is "
        f"{values[1]:.4g}"
    )


def _reported(model: ConditionalModel, solved: Sampled, first: int) -> SampledSolution:
    """Covariances on uniform lags with their errors."""
    info, problem, found = model.theory.info, solved.problem, solved.found
    lags = problem.grid.lags
    uniform = np.linspace(0.0, lags[-1], _OUTPUT_LAGS + 1)
    basis = problem.basis
    # what the exponentials leave out is interpolated, so that values at the nodes are kept
    between = np.array([np.interp(uniform, lags, unit) for unit in np.eye(lags.size)]).T
    spread = basis.at(uniform) @ basis.fit
    spread += between @ (np.eye(lags.size) - basis.values @ basis.fit)
    names = [*info.fields, *found.observables]
    values = found.reports.reshape(len(names), -1) @ spread.T
    covariance = solved.covariance.reshape(len(names), lags.size, len(names), lags.size)
    shifts = [v.reshape(len(names), -1) for v in solved.errors.shifts.values()]
    errors = {}
    for n, name in enumerate(names):
        variances = np.einsum("ul,lm,um->u", spread, covariance[n, :, n], spread)
        variances += sum((s[n] @ between.T) ** 2 for s in shifts)
        errors[name] = np.sqrt(np.maximum(variances, 0.0))
    count = len(info.fields)
    means = np.zeros(count)
    limits = np.zeros(count)
    for place, k in enumerate(model.theory.steady):
        means[k] = found.state.means[place]
        limits[k] = found.state.frozen[place] + means[k] ** 2
    if basis.has_constant:
        weights = basis.weights(found.fields)
        for k in model.theory.block:
            limits[k] = weights[k, 0]
    sizes = values[:count, 0]
    decaying = values[:count] - limits[:, None]
    times = [float(np.trapezoid(d, uniform) / d[0]) if d[0] > 1e-12 else None for d in decaying]
    report = first * lags.size
    size = found.reports[report]
    worst = max(
        float(np.max(errors[name])) / s for name, s in zip(info.fields, sizes, strict=True) if s > 0
    )
    parts = {"statistical": solved.errors.statistical[report] / size}
    parts |= {name: abs(v[report]) / size for name, v in solved.errors.shifts.items()}
    status = Status.CONVERGED
    if solved.failure:
        status = Status.BUDGET_EXCEEDED if solved.exceeded else Status.NOT_CONVERGED
    return SampledSolution(
        branch="chaotic",
        status=status,
        message=solved.failure,
        lags=uniform,
        covariance=values[:count],
        observables=dict(zip(found.observables, values[count:], strict=True)),
        correlation_times=tuple(times),
        residual=solved.residual,
        errors={
            "variance": solved.relative(report),
            "autocorrelation": worst,
            "lyapunov": None,
            **{name: float(value) for name, value in parts.items()},
        },
        standard_errors=errors,
        means=means,
        limits=limits,
        paths=found.moments.count,
    )
