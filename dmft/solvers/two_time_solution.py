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

from collections.abc import Callable, Iterator, Mapping
from functools import partial
from itertools import pairwise
from pathlib import Path

from numpy.typing import ArrayLike
from threadpoolctl import threadpool_limits

from dmft._version import __version__
from dmft.codegen.two_time import TwoTimeTheory
from dmft.errors import InputError
from dmft.gaussian.pair_average import AverageBudgetError
from dmft.protocol import Protocol

from .status import Status
from .two_time_checkpoint import GOES_ON, Checkpoint, fingerprint
from .two_time_grid import TimeGrid, time_grid
from .two_time_mesh import fitted_times
from .two_time_problem import TwoTimeProblem
from .two_time_result import TransientSolution, assembled, without_answer
from .two_time_stages import Contribution, Task, contribute, stage_names
from .two_time_start import FieldStart, field_starts
from .two_time_stop import Stop, interruptible
from .worker_processes import in_processes

__all__ = ["TransientSolution", "memory_needed", "solve_transient"]


#: Mean power that averages over sampled paths may leave to their last order, relative.
_AVERAGE_TOLERANCE = 1e-4
#: Local error per unit of time of a fitted grid: _RATE (precision / 0.02)^_POWER. Calibrated on
#: chaotic networks with and without moving gates, where the step's part of the error, ~ rate^1.7, is then
#: between a tenth and a half of the precision.
_RATE, _POWER = 0.003, 0.65
#: Orders of a function that are kept along a path, for the estimate of memory.
_ORDERS = 48


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
    paths: int = 1024,
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
        ``interrupted``, holds the finished populations, or the times reached by the first.
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
                    _RATE * (precision / 0.02) ** _POWER,
                    seed,
                    lambda: bool(stop.reason),
                )
                if stop.reason:  # the grid is not the one that another call will fit
                    return without_answer(Status.INTERRUPTED, f"{stop.reason}: no grid yet", seed)
            grid = time_grid(protocol, times)
            _check_pieces(grid)
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
            return without_answer(Status.BUDGET_EXCEEDED, str(error), seed)
        return assembled(task, found, count, precision, inputs, stop.reason, kept is not None)


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


def _check_pieces(grid: TimeGrid) -> None:
    """Every piece between breakpoints can be coarsened, or its error would go unseen."""
    for first, last in pairwise(grid.bends):
        if last - first == 1 and grid.lengths[first] > 0:
            raise InputError(
                f"times: there is one step from {grid.times[first]:g} to {grid.times[last]:g}; give at "
                "least two between breakpoints, so that the error of the step can be measured"
            )


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
    one = partial(contribute, task, checkpoint=checkpoint, stop=stop)
    done = in_processes(one, range(count), min(workers, count), ordered=True, kept=GOES_ON)
    for number, contribution in enumerate(done):
        if progress is not None:
            progress((number + 1) / count)
        yield contribution


def _report(
    progress: Callable[[float], None], task: Task, number: int, count: int, stage: str, share: float
) -> None:
    """The share of all work: a coarse stage costs a quarter of the fine one."""
    costs = {"fine": 1.0, "coarse": 0.25, "half-0": 0.125, "half-1": 0.125}
    names = stage_names(task.sampled)
    before = sum(costs[n] for n in names[: names.index(stage)])
    own = (before + share * costs[stage]) / sum(costs[n] for n in names)
    progress((number + own) / count)
