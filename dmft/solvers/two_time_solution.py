r"""The two-time equations solved: C(t, t') of all fields and outputs from a given start, with error bars.

A result is the mean over populations that share nothing (`two_time_stages`). Its error has three parts:

* *sampling*: the standard error over populations, which contains what self-consistency makes of chance;
* *step*: a third of what doubling all steps changes (the scheme is of second order);
* *bias*: what halving the number of paths changes, a self-consistent average over P paths being biased
  by O(1/P).

Without moving coefficients everything is Gaussian, nothing is sampled and only the step counts. THEORY,
section 9; the method of populations is that of Roy, Biroli, Bunin & Cammarota, J. Phys. A 52, 484001
(2019), with conditional averages in place of samples.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from types import MappingProxyType

import numpy as np
from numpy.typing import ArrayLike, NDArray
from threadpoolctl import threadpool_limits

from dmft._version import __version__
from dmft.codegen.two_time import TwoTimeTheory
from dmft.errors import InputError
from dmft.gaussian.pair_average import AverageBudgetError
from dmft.protocol import Protocol

from .status import Status
from .two_time_checkpoint import Checkpoint, fingerprint
from .two_time_grid import TimeGrid, time_grid
from .two_time_mesh import fitted_times
from .two_time_problem import TwoTimeProblem
from .two_time_stages import Contribution, Task, contribute, stage_names
from .two_time_start import FieldStart, field_starts
from .two_time_stop import Stop, interruptible, leave_interrupts_to_others

__all__ = ["TransientSolution", "memory_needed", "solve_transient"]

Floats = NDArray[np.float64]
Table = Mapping[str, Floats]

#: Mean power that averages over sampled paths may leave to their last order, relative.
_AVERAGE_TOLERANCE = 1e-4
#: Local error per unit of time of a fitted grid, over the precision wished for. Calibrated on gated
#: (3, 5) with alpha_z = 0, 5 and 20: the step's part of the error is then half of the precision or less.
_RATE = 0.15
#: Orders of a function that are kept along a path, for the estimate of memory.
_ORDERS = 24


@dataclass(frozen=True, eq=False)
class TransientSolution:
    """Order parameters on a time grid; arrays are read-only.

    ``times`` (n,): where a parameter jumps the moment stands twice. ``moments``: field or nonlinearity ->
    <x(t) x(t')>, (n, n), not centred; ``means`` -> <x(t)>, (n,); ``kurtosis``: field -> <x^4>/<x^2>^2 of
    the centred field, (n,). ``standard_error`` and ``error`` are those of ``moments``: from sampling alone,
    and with step and bias. ``errors``: largest error of C(t, t) over max C(t, t), worst field, by cause:
    "sampling", "step", "bias", "total"; None if unknown. ``populations`` that contributed, of ``paths`` each.
    """

    status: Status
    message: str
    times: Floats
    moments: Table
    means: Table
    kurtosis: Table
    standard_error: Table
    error: Table
    errors: Mapping[str, float | None]
    paths: int
    populations: int
    seed: int
    inputs: str

    def __post_init__(self) -> None:
        def put(name: str, value: object) -> None:
            object.__setattr__(self, name, value)

        put("times", _frozen(self.times))
        for name in ("moments", "means", "kurtosis", "standard_error", "error"):
            table = {k: _frozen(v) for k, v in getattr(self, name).items()}
            put(name, MappingProxyType(table))
        put("errors", MappingProxyType(dict(self.errors)))

    def variance(self, name: str) -> Floats:
        """C(t, t), the second moment at equal times."""
        return np.diagonal(self.moments[name])


def _frozen(values: Floats) -> Floats:
    array = np.array(values, dtype=np.float64)
    array.flags.writeable = False
    return array


def memory_needed(problem: TwoTimeProblem, paths: int) -> int:
    """Bytes that one population takes at its peak, errors included: about.

    Tables n^2 for every order parameter and drive; along each path, rows of n numbers: weights of the
    steps, covariances with states and drives, and the coefficients of every function.
    """
    n = len(problem.grid)
    theory = problem.theory
    names = len(theory.info.fields) + len(problem.observed)
    tables = len(theory.outputs) + len(theory.info.inputs) + 5 * names + (1 if problem.gates else 0)
    along = 0
    for group in problem.groups:
        members = paths if group.is_conditional else 1
        size, drives = len(group.fields), max(1, len(group.drives))
        along += members * (8 * size * drives + 5 * size * size)
        used = {theory.functions[f].field for p in problem.pairings for f in (*p.sampled, *p.exact)}
        along += members * (_ORDERS + 6) * len(used & set(group.fields))
    return 8 * n * (tables * n + along + paths * len(problem.gates))


def solve_transient(
    theory: TwoTimeTheory,
    parameters: Protocol | Mapping[str, float],
    *,
    start: Mapping[str, FieldStart | float] | None = None,
    until: float | None = None,
    times: ArrayLike | None = None,
    paths: int = 256,
    populations: int = 8,
    precision: float = 0.02,
    seed: int = 0,
    workers: int = 1,
    memory: float = 2e9,
    time_limit: float | None = None,
    checkpoint: str | Path | None = None,
    progress: Callable[[float], None] | None = None,
) -> TransientSolution:
    """Solve the two-time equations of a compiled theory.

    Parameters
    ----------
    parameters
        A protocol, or parameters that do not change.
    start
        Field -> variance of a Gaussian start around 0, or a `FieldStart`; others start at 0. Fields start
        independently of one another and of the couplings.
    until, times
        The last time, for a grid fitted to ``precision``; or the grid itself, from 0, to which breakpoints
        of the protocol are added. One of them.
    paths, populations
        Sampled paths a population, and populations, at least two for an error bar; unused when nothing
        need be sampled.
    precision
        Wished largest error of C(t, t) over max C(t, t); decides on a fitted grid and on the status.
    seed, workers
        The same seed gives the same digits for any number of processes.
    memory
        Bytes allowed; `InputError` when more is needed.
    time_limit, checkpoint
        Seconds after which the computation stops between steps, as it does at Ctrl-C; and a folder in
        which it then leaves its work, to be taken up by a call with equal arguments.

    Returns
    -------
    TransientSolution
        Status ``converged`` when the error is below ``precision``; a stopped computation, status
        ``not-converged``, holds the finished populations, or the times reached by the first.
    """
    protocol = parameters if isinstance(parameters, Protocol) else Protocol(parameters)
    starts = field_starts(theory.info.fields, start)
    _check(until, times, paths, populations, precision, workers)
    with threadpool_limits(limits=1), interruptible(time_limit) as stop:
        try:
            if times is None:
                assert until is not None
                times = fitted_times(
                    theory,
                    protocol,
                    starts,
                    until,
                    _RATE * precision,
                    seed,
                    lambda: bool(stop.reason),
                )
            grid = time_grid(protocol, times)
            problem = TwoTimeProblem(theory, grid)
            sampled = bool(problem.gates)
            count = populations if sampled else 1
            paths = paths if sampled else 1
            _check_memory(problem, paths, min(workers, count), memory)
            task = Task(theory, grid, starts, paths, _AVERAGE_TOLERANCE, seed, sampled)
            inputs = _inputs(task, populations)
            kept = None if checkpoint is None else Checkpoint(Path(checkpoint), inputs)
            found = list(_contributions(task, count, workers, kept, stop, progress))
        except AverageBudgetError as error:
            return _nothing(Status.BUDGET_EXCEEDED, str(error), seed)
        return _assembled(task, found, count, precision, inputs, stop, kept is not None)


def _check(
    until: float | None,
    times: ArrayLike | None,
    paths: int,
    populations: int,
    precision: float,
    workers: int,
) -> None:
    if (until is None) == (times is None):
        raise InputError("give either until, the last time, or times, the whole grid")
    if until is not None and not 0 < until < float("inf"):
        raise InputError(f"until: {until:g} was given; a finite time > 0 is allowed")
    if not 0 < precision < 1:
        raise InputError(f"precision: {precision:g} was given; a number between 0 and 1 is allowed")
    if paths < 4 or paths % 4:
        raise InputError(f"paths: {paths} was given; a multiple of 4 is allowed")
    if populations < 2:
        raise InputError(
            f"populations: {populations} was given; at least 2 are needed for error bars"
        )
    if workers < 1:
        raise InputError(f"workers: {workers} was given; at least 1 is needed")


def _check_memory(problem: TwoTimeProblem, paths: int, workers: int, allowed: float) -> None:
    needed = workers * memory_needed(problem, paths)
    if needed > allowed:
        raise InputError(
            f"{len(problem.grid)} times with {paths} paths on {workers} workers need about "
            f"{needed / 1e9:.2g} GB, memory allows {allowed / 1e9:.2g} GB; give fewer or growing times, "
            "fewer paths (and more populations), fewer workers, or more memory"
        )


def _inputs(task: Task, populations: int) -> str:
    """The hash of everything that decides the numbers."""
    return fingerprint(
        __version__,
        task.theory.info.hash,
        task.grid.times,
        [sorted(p.items()) for p in task.grid.parameters],
        [[s.variance, s.mean, s.distribution] for s in task.starts],
        [task.paths, task.tolerance, task.seed, populations],
    )


def _contributions(
    task: Task,
    count: int,
    workers: int,
    checkpoint: Checkpoint | None,
    stop: Stop,
    progress: Callable[[float], None] | None,
) -> Iterator[Contribution]:
    """All populations in order, whichever process ran them."""
    if workers == 1 or count == 1:
        for number in range(count):
            report = None if progress is None else partial(_report, progress, task, number, count)
            yield contribute(task, number, checkpoint, stop, report)
            if stop.reason:
                return
        return
    from joblib import Parallel, delayed, parallel_config

    with parallel_config(backend="loky", inner_max_num_threads=1):
        pool = Parallel(n_jobs=min(workers, count), return_as="generator", batch_size=1)
        done = pool(delayed(_in_worker)(task, number, checkpoint, stop) for number in range(count))
        for number, contribution in enumerate(done):
            if progress is not None:
                progress((number + 1) / count)
            yield contribution


def _in_worker(task: Task, number: int, checkpoint: Checkpoint | None, stop: Stop) -> Contribution:
    with leave_interrupts_to_others():
        return contribute(task, number, checkpoint, stop)


def _report(
    progress: Callable[[float], None], task: Task, number: int, count: int, stage: str, share: float
) -> None:
    """The share of all work: a coarse stage costs a quarter of the fine one."""
    costs = {"fine": 1.0, "coarse": 0.25, "half-0": 0.125, "half-1": 0.125}
    names = stage_names(task.sampled)
    before = sum(costs[n] for n in names[: names.index(stage)])
    own = (before + share * costs[stage]) / sum(costs[n] for n in names)
    progress((number + own) / count)


def _assembled(
    task: Task,
    found: Sequence[Contribution],
    count: int,
    precision: float,
    inputs: str,
    stop: Stop,
    is_kept: bool,
) -> TransientSolution:
    whole = [c for c in found if c.is_complete]
    later = "; call again with equal arguments to go on" if is_kept else ""
    if not whole:
        return _started(task, found, inputs, f"{stop.reason}{later}")
    fine = [c.tables["fine"] for c in whole]
    result = {name: np.mean([t[name] for t in fine], axis=0) for name in fine[0]}
    scatter = {
        name: np.std([t[name] for t in fine], axis=0, ddof=1) / np.sqrt(len(fine))
        if len(fine) > 1
        else np.zeros_like(values)
        for name, values in result.items()
    }
    step = _difference(task.grid, whole, ("coarse",), "fine", 1 / 3)
    bias = _difference(task.grid, whole, ("half-0", "half-1"), "coarse", 1.0)
    fields = task.theory.info.fields
    errors = {
        cause: _largest(fields, result, part)
        for cause, part in (("sampling", scatter), ("step", step), ("bias", bias))
    }
    if task.sampled and len(fine) < 2:
        errors["sampling"] = None
    if not task.sampled:
        errors["bias"] = 0.0
    known = [e for e in errors.values() if e is not None]
    errors["total"] = float(np.sqrt(np.sum(np.square(known)))) if len(known) == 3 else None
    status, message = _verdict(errors, precision, len(whole), count)
    if stop.reason and len(whole) < count:
        status = Status.NOT_CONVERGED
        message = f"{stop.reason}: {len(whole)} of {count} populations are finished{later}"
    parts = (scatter, step or {}, bias or {})
    moments = _own(result, "moments")
    total = {
        name: np.sqrt(sum(np.square(p[f"moments/{name}"]) for p in parts if p)) for name in moments
    }
    return TransientSolution(
        status=status,
        message=message,
        times=task.grid.times,
        moments=moments,
        means=_own(result, "means"),
        kurtosis=_kurtosis(result, fields),
        standard_error=_own(scatter, "moments"),
        error=total,
        errors=errors,
        paths=task.paths,
        populations=len(whole),
        seed=task.seed,
        inputs=inputs,
    )


def _own(table: Table, kind: str) -> dict[str, Floats]:
    start = f"{kind}/"
    return {k.removeprefix(start): v for k, v in table.items() if k.startswith(start)}


def _difference(
    grid: TimeGrid, whole: Sequence[Contribution], less: tuple[str, ...], more: str, share: float
) -> dict[str, Floats] | None:
    """Mean of the stages ``less`` minus the stage ``more``, on the coarse grid, spread to the fine one."""
    both = [c.tables for c in whole if all(stage in c.tables for stage in (*less, more))]
    if not both:
        return None
    kept = grid.coarse()
    places = np.interp(np.arange(len(grid)), kept, np.arange(len(kept)))
    spread = {}
    for name in both[0][more]:
        apart = np.zeros((len(kept),) * both[0][less[0]][name].ndim)
        for tables in both:
            reference = tables[more][name]
            if more == "fine":
                reference = reference[np.ix_(*(kept,) * reference.ndim)]
            apart += np.mean([tables[stage][name] for stage in less], axis=0) - reference
        spread[name] = _between(abs(apart) * share / len(both), places)
    return spread


def _between(values: Floats, places: Floats) -> Floats:
    """Linear interpolation at fractional indices, along every axis."""
    low = np.minimum(places.astype(int), max(len(values) - 2, 0))
    high = np.minimum(low + 1, len(values) - 1)
    part = places - low
    for axis in range(values.ndim):
        shape = [1] * values.ndim
        shape[axis] = len(places)
        weight = part.reshape(shape)
        values = (1 - weight) * values.take(low, axis) + weight * values.take(high, axis)
    return values


def _largest(fields: Sequence[str], result: Table, part: Table | None) -> float | None:
    """Error of C(t, t) over max C(t, t), the worst time and field; None if unknown."""
    if part is None:
        return None
    worst = 0.0
    for name in fields:
        size = np.max(np.diagonal(result[f"moments/{name}"]))
        if size > 0:
            worst = max(worst, float(np.max(np.diagonal(part[f"moments/{name}"])) / size))
    return worst


def _kurtosis(result: Table, fields: Sequence[str]) -> dict[str, Floats]:
    """<x^4> / <x^2>^2 about zero mean; NaN where a field has no variance or a mean."""
    found = {}
    for name in fields:
        square = np.diagonal(result[f"moments/{name}"])
        with np.errstate(divide="ignore", invalid="ignore"):
            found[name] = np.where(square > 0, result[f"fourth/{name}"] / square**2, np.nan)
    return found


def _verdict(
    errors: Mapping[str, float | None], precision: float, whole: int, count: int
) -> tuple[Status, str]:
    total = errors["total"]
    if total is None:
        return (
            Status.NOT_CONVERGED,
            f"errors are not known: {whole} of {count} populations finished",
        )
    if not np.isfinite(total):
        return Status.NOT_CONVERGED, "the solution left the range of floating-point numbers"
    if total <= precision:
        return Status.CONVERGED, ""
    remedies = {
        "sampling": "more populations",
        "step": "a finer grid",
        "bias": "more paths a population",
    }
    cause = max(remedies, key=lambda name: errors[name] or 0.0)
    return (
        Status.NOT_CONVERGED,
        f"error {total:.1e} of C(t,t) exceeds the precision {precision:g}, most of it from {cause} "
        f"({errors[cause]:.1e}); try {remedies[cause]}",
    )


def _started(
    task: Task, found: Sequence[Contribution], inputs: str, reason: str
) -> TransientSolution:
    """As far as the first population came, without an error bar."""
    if not found or "partial" not in found[0].tables:
        return _nothing(Status.NOT_CONVERGED, reason, task.seed, inputs)
    result, reached = found[0].tables["partial"], found[0].reached
    nothing = {name: np.full_like(v, np.nan) for name, v in _own(result, "moments").items()}
    return TransientSolution(
        status=Status.NOT_CONVERGED,
        message=f"{reason}; one population came to t = {task.grid.times[reached - 1]:g}",
        times=task.grid.times[:reached],
        moments=_own(result, "moments"),
        means=_own(result, "means"),
        kurtosis=_kurtosis(result, task.theory.info.fields),
        standard_error=nothing,
        error=nothing,
        errors=dict.fromkeys(("sampling", "step", "bias", "total")),
        paths=task.paths,
        populations=0,
        seed=task.seed,
        inputs=inputs,
    )


def _nothing(status: Status, message: str, seed: int, inputs: str = "") -> TransientSolution:
    return TransientSolution(
        status=status,
        message=message,
        times=np.empty(0),
        moments={},
        means={},
        kurtosis={},
        standard_error={},
        error={},
        errors=dict.fromkeys(("sampling", "step", "bias", "total")),
        paths=0,
        populations=0,
        seed=seed,
        inputs=inputs,
    )
