"""Stationary solutions of conditionally Gaussian theories, by sampling paths of the gating fields.

Two starts, with all fields at variance 1 and at 0.01, must lead to the same state; rest beside it is
another branch. Where they do not, or where relaxation outlasts the window, the state depends on its
history and no stationary number is given.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from threadpoolctl import threadpool_limits

from dmft._version import __version__
from dmft.codegen.conditional import CompiledConditional
from dmft.gaussian.pair_average import AverageBudgetError

from .conditional_lyapunov import sampled_exponent
from .conditional_model import ConditionalModel
from .conditional_problem import ConditionalProblem, Evaluation
from .conditional_response import response
from .conditional_scales import CIRCLE, Quality
from .conditional_settle import Ending, Settled, settle
from .conditional_solution import COARSE, Sampled, sample_to
from .factorised import solve_factorised
from .path_blocks import BlockRunner, Stopped, block_runner
from .path_journal import PathJournal
from .path_moments import PathSums
from .replica_operator import uncovered
from .replica_paths import ReplicaTerm
from .stationary_solution import StationarySolution
from .status import Status
from .two_time_checkpoint import Checkpoint, fingerprint
from .two_time_stop import interruptible

__all__ = [
    "METHODS",
    "MOST_PATHS",
    "STARTS",
    "WINDOW_CAP",
    "SampledSolution",
    "solve_conditional",
]

Floats = NDArray[np.float64]

METHODS = ("sampled", "factorised")
#: Variances of all fields at the two starts.
STARTS = (1.0, 0.01)
#: The longest period of a path, in time units; states of longer memory are history-dependent.
WINDOW_CAP = 1e4
MOST_PATHS = 2**17
_OUTPUT_LAGS = 1000
#: The share of C(0) that must decay: Newton's steps reach a constant state to some 1e-6.
_FLUCTUATING = 1e-4
#: Less than this share of C(0) is tried for fading, in so many steps.
_LITTLE, _FADING_STEPS = 0.02, 4
_CONSTANT = "the state that is reached does not change in time"
#: The exponent takes no more paths than this, whatever the precision.
_EXPONENT_PATHS = 2048


@dataclass(frozen=True)
class SampledSolution(StationarySolution):
    """A solution with standard errors.

    ``errors`` are relative to C(0) of the first conditional field: "variance" in total, and what that
    consists of ("statistical", "step", "fit", "window", "averages", "memory", "bias"); "autocorrelation"
    is the largest total error of any field at any lag over its C(0), "lyapunov" that of the exponent.
    ``standard_errors``: field or nonlinearity -> total error of C at the lags.
    """

    standard_errors: Mapping[str, Floats] = field(default_factory=dict)
    paths: int = 0


def solve_conditional(
    theory: CompiledConditional,
    parameters: Mapping[str, float],
    *,
    precision: float = 3e-3,
    seed: int = 0,
    method: str = "sampled",
    workers: int = 1,
    lyapunov: bool = True,
    window_cap: float = WINDOW_CAP,
    most_paths: int = MOST_PATHS,
    time_limit: float | None = None,
    checkpoint: str | Path | None = None,
    progress: Callable[[str], None] = lambda text: None,
) -> tuple[StationarySolution, tuple[str, ...]]:
    """Solve for the decaying (chaotic) state; also return the names of other branches.

    Never raises for lack of an answer: the status says how it ended.

    Parameters
    ----------
    precision
        Relative error of C(0) of the first conditional field, all errors included.
    seed, workers
        The same seed gives the same digits for any number of worker processes.
    method
        One of `METHODS`; "factorised" is an approximation and says so (`factorised`).
    window_cap, most_paths
        Largest period of a path (time units), number of paths.
    time_limit, checkpoint
        Seconds after which it stops with status ``interrupted``, and a folder for its work, from which
        a call with equal arguments goes on. Ctrl-C does the same if there is such a folder; else it
        raises KeyboardInterrupt.
    progress
        Called with a few words now and then.
    """
    if theory.failure:
        return StationarySolution("chaotic", Status.NO_SOLUTION, theory.failure), ()
    if method == "factorised":
        with threadpool_limits(limits=1):
            return solve_factorised(theory, parameters), ()
    model = ConditionalModel(theory, parameters)
    journal = None
    if checkpoint is not None:
        inputs = fingerprint(
            __version__,
            theory.info.hash,
            sorted(parameters.items()),
            [precision, seed, lyapunov, window_cap, most_paths],
        )
        kinds = {kind.__name__: kind for kind in (PathSums, ReplicaTerm)}
        journal = PathJournal(Checkpoint(Path(checkpoint), inputs), kinds)
    with (
        threadpool_limits(limits=1),
        interruptible(time_limit) as stop,
        block_runner(workers, stop, journal) as runner,
    ):
        try:
            found = _solve(
                model, precision, seed, lyapunov, window_cap, most_paths, runner, progress
            )
        except AverageBudgetError as error:
            return _without(Status.BUDGET_EXCEEDED, str(error)), ()
        except Stopped as stopped:
            found = _without(Status.INTERRUPTED, str(stopped)), ()
        pressed = stop.mark is not None and stop.mark.exists()
        if pressed and journal is None and found[0].status is Status.INTERRUPTED:
            raise KeyboardInterrupt
        return found


def _without(status: Status, message: str) -> SampledSolution:
    return SampledSolution("chaotic", status, message)


def _solve(
    model: ConditionalModel,
    precision: float,
    seed: int,
    lyapunov: bool,
    window_cap: float,
    most_paths: int,
    runner: BlockRunner,
    progress: Callable[[str], None],
) -> tuple[SampledSolution, tuple[str, ...]]:
    if model.steady.slowest_rate <= 0:
        message = "without couplings the gating fields do not relax (an eigenvalue >= 0)"
        return _without(Status.NO_SOLUTION, message), ()
    found: list[Settled] = []
    for variance in STARTS:
        progress(f"start with variance {variance:g}")
        ended = settle(
            model,
            variance,
            seed=seed,
            tol=1e-3,
            window_cap=window_cap,
            quality=Quality(change=COARSE),
            runner=runner,
        )
        if ended.ending is Ending.TOO_SLOW:
            message = (
                f"correlations last {ended.scales.long:.3g} time units or more; {CIRCLE:g} times that, "
                f"or the time after which a start is forgotten, exceeds the window cap {window_cap:g}"
            )
            return _without(Status.HISTORY_DEPENDENT, message), ()
        if ended.ending is Ending.UNSETTLED:
            message = (
                f"from a start of variance {variance:g} the iteration stopped at residual "
                f"{ended.residual:.1e}"
            )
            return _without(Status.NOT_CONVERGED, message), ()
        found.append(ended)
    wide, narrow = found
    others = ("zero",) if model.decays else ()
    if wide.ending is Ending.ZERO:
        return _without(Status.NO_SOLUTION, "from a wide start the state decays to rest"), others
    if wide.ending is Ending.CONSTANT or _fades(wide, runner):
        return _without(Status.NO_SOLUTION, _CONSTANT), others
    first = next(k for k in model.theory.block if k not in model.theory.steady)
    report = first * len(wide.problem.grid.nodes)
    solved = sample_to(
        wide, precision, report, most_paths=most_paths, runner=runner, progress=progress
    )
    if not solved.failure and _fluctuating(solved.problem, solved.found) < _FLUCTUATING:
        return _without(Status.NO_SOLUTION, _CONSTANT), others
    if message := _two_states(model, wide, narrow, solved, first, runner):
        return _without(Status.HISTORY_DEPENDENT, message), others
    if solved.interrupted:
        so_far = f"{solved.failure}: error {solved.relative(report):.1e} so far"
        return replace(
            _reported(model, solved, first), status=Status.INTERRUPTED, message=so_far
        ), others
    if solved.failure:
        size = solved.found.reports[report]
        message = (
            f"{solved.failure} (C(0) = {size:.6g} within {solved.relative(report):.1e} so far)"
        )
        status = Status.BUDGET_EXCEEDED if solved.exceeded else Status.NOT_CONVERGED
        return _without(status, message), others
    solution = _reported(model, solved, first)
    if not lyapunov:
        return solution, others
    progress("Lyapunov exponent")
    return _with_exponent(solution, solved, runner), others


def _fluctuating(problem: ConditionalProblem, found: Evaluation) -> float:
    """The largest share of C(0) that decays with the lag, of the gated fields."""
    if not problem.basis.has_constant:
        return 1.0
    fields = found.fields[list(problem.model.theory.block)]
    return float(np.max(1 - problem.basis.weights(fields)[:, 0] / fields[:, 0]))


def _fades(rough: Settled, runner: BlockRunner) -> bool:
    """Whether what little fluctuates in a rough solution falls in every step of plain iteration."""
    problem, found = rough.problem, rough.found
    share = _fluctuating(problem, found)
    for _ in range(_FADING_STEPS):
        if share > _LITTLE:
            return False
        found = problem.evaluate(problem.basis.projected(found.values), [0], runner)
        before, share = share, _fluctuating(problem, found)
        if share > 0.95 * before and share > _FLUCTUATING:
            return False
    return True


def _with_exponent(
    solution: SampledSolution, solved: Sampled, runner: BlockRunner
) -> SampledSolution:
    """Add the exponent, or say why there is none."""
    model = solved.problem.model
    if reason := uncovered(model):
        return replace(solution, message=f"no Lyapunov exponent: {reason} (not covered yet)")
    blocks = min(solved.blocks, max(4, _EXPONENT_PATHS // solved.problem.sampling.paths))
    try:
        exponent = sampled_exponent(solved, blocks, runner)
    except Stopped as stopped:
        message = f"{stopped}: no Lyapunov exponent so far"
        return replace(solution, status=Status.INTERRUPTED, message=message)
    if exponent is None:
        return replace(solution, message="no Lyapunov exponent: its equation has no root")
    errors = {**solution.errors, "lyapunov": exponent.error}
    return replace(solution, lyapunov=exponent.value, errors=errors)


def _two_states(
    model: ConditionalModel,
    wide: Settled,
    narrow: Settled,
    solved: Sampled,
    first: int,
    runner: BlockRunner,
) -> str:
    """How the state from the narrow start differs from that of the wide one; empty if not.

    Rest and a constant state are branches of their own, which may exist beside this one.
    """
    if narrow.ending in (Ending.ZERO, Ending.CONSTANT):
        return ""
    values = [s.found.fields[first, 0] for s in (wide, narrow)]
    report = first * len(solved.problem.grid.nodes)
    share = solved.errors.statistical[report] / solved.found.reports[report]
    # standard errors of the two rough solutions, from that of the precise one
    paths = solved.found.moments.count
    each = [
        v * share * np.sqrt(paths / s.found.moments.count)
        for v, s in zip(values, (wide, narrow), strict=True)
    ]
    # both were iterated to a residual of 1e-3 only
    slack = 2e-3 * values[0] / max(1 - solved.response.radius, 0.05)
    if abs(values[1] - values[0]) <= 4 * np.hypot(np.hypot(*each), slack):
        return ""
    if response(narrow.problem, narrow.found, [0], runner).radius > 1:
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
    return SampledSolution(
        branch="chaotic",
        status=Status.CONVERGED,
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
        means=means,
        limits=limits,
        interpolation="spline" if model.noisy else "cosine",
        standard_errors=errors,
        paths=found.moments.count,
    )
