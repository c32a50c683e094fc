"""Running many networks on all cores, with the same digits for any number of processes."""

from __future__ import annotations

import time
from collections.abc import Mapping
from functools import partial
from typing import Protocol

import numpy as np
from numpy.typing import DTypeLike
from threadpoolctl import threadpool_limits

from .couplings import GAUSSIAN, Couplings
from .ensemble import run_tasks
from .estimate import Measurement, begin, measure
from .network import RightHandSide
from .schedule import Schedule
from .watch import Watch

#: Starting a worker process (interpreter, numpy, scipy), in seconds.
STARTUP = 2.0


class Kept(Protocol):
    """Where measurements are kept between runs."""

    def get(self, n: int, realization: int) -> Measurement | None: ...
    def put(self, measurement: Measurement) -> None: ...


def network_counts(n: int, realizations: int) -> dict[int, int]:
    """How many networks of which size: N, N/2 and N/4, for the extrapolation in 1/N.

    A smaller network scatters more (variance ~ 1/N) and costs less (~ N^2): twice and four times
    as many of them give the same error bar at every size, for 1/2 and 1/4 of the time of the
    largest size.

    >>> network_counts(2000, 8)
    {2000: 8, 1000: 16, 500: 32}
    """
    return {n: realizations, n // 2: 2 * realizations, n // 4: 4 * realizations}


def step_seconds(
    right: RightHandSide,
    parameters: Mapping[str, float],
    schedule: Schedule,
    n: int,
    dtype: DTypeLike = np.float32,
) -> float:
    """Measured time of one step of a network of ``n`` units on one core."""
    with threadpool_limits(1):
        run = begin(right, parameters, schedule, n, 0, 0, dtype)
        # jax compiles a block for the number of its steps: for the one that a run will ask for.
        first, steps = (1, 2) if schedule.backend == "numpy" else (schedule.steps_per_sample,) * 2
        run.advance(first)
        begun = time.perf_counter()
        run.advance(steps)
        return (time.perf_counter() - begun) / steps


def cost(
    right: RightHandSide,
    parameters: Mapping[str, float],
    schedule: Schedule,
    counts: Mapping[int, int],
    dtype: DTypeLike = np.float32,
) -> dict[int, float]:
    """Seconds that one network of each size takes on one core, measured on this machine."""
    return {n: schedule.steps * step_seconds(right, parameters, schedule, n, dtype) for n in counts}


def estimated_seconds(
    seconds: Mapping[int, float], counts: Mapping[int, int], workers: int
) -> float:
    """Wall-clock time of all networks, largest first, on ``workers`` processes."""
    free = np.zeros(workers)
    for n in sorted(counts, reverse=True):
        for _ in range(counts[n]):
            free[np.argmin(free)] += seconds[n]
    return float(free.max()) + (STARTUP if workers > 1 else 0.0)


def default_workers() -> int:
    """The cores that this process may use."""
    from joblib import cpu_count

    return max(1, int(cpu_count()))


def simulate(
    right: RightHandSide,
    parameters: Mapping[str, float],
    schedule: Schedule,
    counts: Mapping[int, int],
    seed: int,
    workers: int,
    watch: Watch,
    seconds: Mapping[int, float],
    dtype: DTypeLike = np.float32,
    couplings: Couplings = GAUSSIAN,
    kept: Kept | None = None,
) -> list[Measurement]:
    """Measure all networks; sorted by size and number, whatever the order they finished in.

    ``kept`` holds those that were measured before, and takes the new ones one by one.

    Largest first, so that no worker is left with a long one at the end. Every network has its own
    generator and one BLAS thread: the numbers do not depend on ``workers``.
    """
    wanted = [(n, r) for n in sorted(counts, reverse=True) for r in range(counts[n])]
    found = [] if kept is None else [kept.get(*task) for task in wanted]
    done = [m for m in found if m is not None]
    there = {(m.n, m.realization) for m in done}
    tasks = [task for task in wanted if task not in there]
    total = sum(seconds[n] for n, _ in tasks)
    reached = 0.0
    measured = partial(
        measure, right, dict(parameters), schedule, seed=seed, dtype=dtype, couplings=couplings
    )
    for result in run_tasks(measured, tasks, workers):
        done.append(result)
        if kept is not None:
            kept.put(result)
        reached += seconds[result.n]
        watch.advanced(reached / total)
    return sorted(done, key=lambda m: (m.n, m.realization))
