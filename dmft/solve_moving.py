"""States with a moving gate for `dmft.solve`: which solver answers, and absolute errors.

``auto`` means: the sampled decaying (chaotic) state, if iteration from fields of variance 1 leads to one; if
it leads to none, the largest stable constant state, else rest if that is stable, as without a moving gate.
Where rest is proved to be alone (`solvers.resting_states`) nothing is sampled.

Where the sampled state lasts long, or was not found within the window, the two-time equations from two
starts say whether a network forgets its start (`solvers.two_histories`).
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from .errors import InputError, NotCoveredError, quoted

if TYPE_CHECKING:
    from .solvers.conditional import SampledSolution
    from .solvers.stationary_solution import StationarySolution

__all__ = ["MovingAnswer", "Paths", "check_precision", "check_work", "solve_moving"]

#: Longest window of sampled paths: 20 correlation times. Slower states get no number.
_WINDOW_CAP = 1000.0
#: States with a longer correlation time, in leak times, are checked from two starts. Measured with both
#: gates on (gains 3, 10 and 5): a state of 44 leak times still forgets a start within 200 (0.162 +- 0.002 and
#: 0.165 +- 0.002 against 0.1637 stationary), which takes 50 s to show; faster states need not be checked.
_LONG = 40.0
#: How long the two starts are followed where the correlation time is unknown; and in correlation times.
_WAITING, _WAITING_TIMES = 40.0, 4.0


@dataclass(frozen=True)
class Paths:
    """How paths are sampled: options of `dmft.solve`."""

    precision: float
    seed: int = 0
    workers: int = 1
    time_limit: float | None = None
    checkpoint: str | Path | None = None
    progress: Callable[[str], None] = lambda text: None


@dataclass(frozen=True)
class MovingAnswer:
    """A solution, the names of other branches, whether it was sampled, and both histories if followed."""

    found: StationarySolution
    others: tuple[str, ...]
    sampled: bool = False
    histories: Mapping[str, float] = field(default_factory=dict)


def check_precision(precision: float | None) -> float:
    """The precision asked for as a number; refuses what the sampled solver does not take."""
    try:
        value = 3e-3 if precision is None else float(precision)
    except (TypeError, ValueError):
        value = float("nan")
    if not 1e-4 <= value <= 0.1:
        raise InputError(
            f"precision: {quoted(precision)} is not allowed; give a number from 0.0001 to 0.1"
        )
    return value


def check_work(workers: object, time_limit: object) -> None:
    """Refuse numbers of processes and time limits that mean nothing."""
    if isinstance(workers, bool) or not isinstance(workers, int) or not 1 <= workers <= 1024:
        raise InputError(
            f"workers: {quoted(workers)} is not allowed; give an integer from 1 to 1024"
        )
    if time_limit is not None and not (
        isinstance(time_limit, int | float) and 0 <= time_limit <= 1e9
    ):
        raise InputError(f"time_limit: {quoted(time_limit)} is not allowed; give seconds >= 0")


def solve_moving(
    declared: Any,
    values: Mapping[str, float],
    branch: str,
    method: str,
    tol: float,
    lyapunov: bool,
    paths: Paths,
) -> MovingAnswer:
    """A state with a moving gate; errors are made absolute, as those of the other solvers."""
    from .codegen import compiled_conditional, compiled_theory
    from .solvers.conditional import SampledSolution, solve_conditional
    from .solvers.conditional_model import ConditionalModel
    from .solvers.resting_states import RestingStates
    from .solvers.status import Status

    theory = compiled_conditional(declared)
    name = theory.info.name
    if theory.failure:
        raise NotCoveredError(f"{name}: a moving gate is not covered here: {theory.failure}")
    if method in ("dense", "matrix-free"):
        raise InputError(
            f"method: {method!r} is for gates at rest; give auto, sampled or factorised"
        )
    if branch.startswith("driven") or ConditionalModel(theory, values).noisy:
        raise NotCoveredError(
            f"{name}: white noise is not covered where a gate moves; give its intensity as 0"
        )
    if branch.startswith("chaotic-"):
        raise NotCoveredError(
            f"branch: {quoted(branch)} is not covered where a gate moves; give auto, chaotic, zero or "
            "fixed-point"
        )
    began = time.time()
    at_rest = RestingStates(compiled_theory(declared), theory, values)

    def resting(name: str, remark: str = "") -> MovingAnswer:
        found = at_rest.solve(name, tol, lyapunov)
        message = "; ".join(text for text in (remark, found.message) if text)
        others = tuple(n for n in at_rest.names if n != name)
        return MovingAnswer(replace(found, message=message), others)

    if branch == "zero" or branch.startswith("fixed-point"):
        return resting(branch)
    if branch == "auto" and at_rest.rest_is_all:
        return resting("zero")
    found, _ = solve_conditional(
        theory,
        values,
        precision=paths.precision,
        seed=paths.seed,
        method="factorised" if method == "factorised" else "sampled",
        workers=paths.workers,
        lyapunov=lyapunov,
        window_cap=_WINDOW_CAP,
        time_limit=paths.time_limit,
        checkpoint=paths.checkpoint,
        progress=paths.progress,
    )
    others = at_rest.names
    if not isinstance(found, SampledSolution):
        return MovingAnswer(found, others)
    if found.status is Status.NO_SOLUTION and branch == "auto" and at_rest.stable:
        return resting(at_rest.stable, f"no chaotic state: {found.message}")
    histories: Mapping[str, float] = {}
    if waiting := _waiting_time(found):
        paths.progress(f"two histories, {waiting:.0f} leak times")
        if paths.time_limit is not None:
            left = max(paths.time_limit - (time.time() - began), 0.0)
            paths = replace(paths, time_limit=left)
        found, histories = _compared(declared, values, theory.block, found, waiting, paths)
    if found.covariance is None:
        return MovingAnswer(found, others, True, histories)
    return MovingAnswer(_absolute(found, paths.seed), others, True, histories)


def _waiting_time(found: SampledSolution) -> float:
    """How long both starts are to be followed; 0 where the start is surely forgotten."""
    from .solvers.status import Status

    if found.status in (Status.HISTORY_DEPENDENT, Status.NOT_CONVERGED):
        return _WAITING
    if found.status is not Status.CONVERGED:
        return 0.0
    longest = max((t for t in found.correlation_times if t is not None), default=0.0)
    return _WAITING_TIMES * longest if longest > _LONG else 0.0


def _compared(
    declared: Any,
    values: Mapping[str, float],
    block: tuple[int, ...],
    found: SampledSolution,
    waiting: float,
    paths: Paths,
) -> tuple[SampledSolution, Mapping[str, float]]:
    """The solution, or what replaces it where the start is remembered; and both histories."""
    from .codegen.two_time import two_time_theory
    from .solvers.conditional import SampledSolution
    from .solvers.path_blocks import Stopped
    from .solvers.status import Status
    from .solvers.two_histories import two_histories
    from .solvers.two_time_stop import INTERRUPTED

    try:
        both = two_histories(
            two_time_theory(declared),
            values,
            block,
            waiting,
            seed=paths.seed,
            workers=paths.workers,
            time_limit=paths.time_limit,
            checkpoint=None if paths.checkpoint is None else Path(paths.checkpoint),
        )
    except Stopped as stopped:
        if paths.checkpoint is None and str(stopped).startswith(INTERRUPTED):
            raise KeyboardInterrupt from None
        message = f"{stopped}: whether the start is forgotten is not known so far"
        return replace(found, status=Status.INTERRUPTED, message=message), {}
    if both is None:
        return found, {}
    message = "; ".join(text for text in (found.message, both.text) if text)
    if both.differ:
        status = Status.HISTORY_DEPENDENT
        return SampledSolution("chaotic", status, message), both.as_numbers()
    return replace(found, message=message), both.as_numbers()


def _absolute(found: SampledSolution, seed: int) -> SampledSolution:
    """Errors as those of the other solvers, in the units of the quantities."""
    bars = found.standard_errors
    assert found.covariance is not None
    fields = list(bars)[: len(found.covariance)]
    errors = {
        "variance": max(float(bars[name][0]) for name in fields),
        "lyapunov": found.errors.get("lyapunov"),
        "autocorrelation": max(float(np.max(bars[name])) for name in fields),
    }
    message = f"sampled on {found.paths} paths of the gates, seed {seed}"
    if found.message:
        # how it was stopped comes first
        both = (message, found.message)
        message = "; ".join(both[::-1] if found.status == "interrupted" else both)
    return replace(found, errors=errors, message=message)
