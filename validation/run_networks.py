"""From a solved theory to measured networks: how long, how finely, on how many processes, and the run."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import DTypeLike

from dmft.results.provenance import versions

from .couplings import GAUSSIAN, Couplings
from .estimate import Measurement
from .integrate import Backend, Integrator
from .journal import Journal, key_of
from .memory import machine_memory, workers_that_fit
from .schedule import LARGEST_STEP, Schedule, choose_step, plan
from .simulate import cost, default_workers, estimated_seconds, network_counts, simulate
from .watch import Watch

if TYPE_CHECKING:
    from dmft.results.solution import Solution

    from .network import RightHandSide

__all__ = ["NetworkRun", "counts_in", "run_networks"]

_USUAL_BACKEND = ("backend", "numpy")


@dataclass(frozen=True, slots=True)
class NetworkRun:
    """What was simulated: schedule, size -> number of networks, measurements, and the time foreseen."""

    schedule: Schedule
    counts: Mapping[int, int]
    networks: tuple[Measurement, ...]
    estimated_seconds: float


def counts_in(settings: Mapping[str, Any]) -> dict[int, int]:
    """Size -> networks of a case's settings: ``counts`` (sizes are texts in JSON), else `network_counts`.

    Small networks cost a processor more than their share: for an error of the limit N = infinity, most of
    the largest and smallest and few in between, which only tell whether sizes lie on a line, cost least.
    """
    if "counts" in settings:
        return {int(n): count for n, count in settings["counts"].items()}
    return network_counts(settings["n"], settings["realizations"])


def run_networks(
    theory: Solution,
    right: RightHandSide,
    *,
    counts: Mapping[int, int],
    seed: int,
    workers: int | None,
    watch: Watch,
    couplings: Couplings = GAUSSIAN,
    integrator: Integrator = "rk4",
    dtype: DTypeLike = np.float32,
    journal: Journal | None = None,
    starts: int | None = None,
    changes: Mapping[str, Any] | None = None,
    backend: Backend = "numpy",
) -> NetworkRun:
    """Simulate networks at the parameters of a theory, ``counts`` of every size.

    ``changes`` are attributes of the `Schedule` that were fixed otherwise.

    The theory gives the time scale only. Networks that ``journal`` holds are not run again; each new
    one is kept there as soon as it is measured. ``starts`` per network, each with a tangent vector, if not
    those of the schedule: where networks scatter far more than starts, few starts in more networks
    cost less.
    """
    p = dict(theory.parameters)
    curve = theory.autocorrelation.get(right.info.fields[0], np.zeros(0))
    means = {name: value for name, value in theory.mean.items() if value}
    schedule = plan(
        theory.lag,
        curve,
        LARGEST_STEP,
        theory.branch,
        theory.lyapunov,
        mean=means,
        integrator=integrator,
    )
    if starts is not None:
        schedule = replace(schedule, batch=starts, tangents=starts)
    schedule = replace(schedule, backend=backend, **(changes or {}))
    workers = workers_that_fit(
        right,
        schedule,
        max(counts),
        workers or default_workers(),
        machine_memory(),
        np.dtype(dtype).itemsize,
        couplings,
    )
    schedule = replace(schedule, dt=choose_step(right, p, seed, integrator))
    kept = _Kept(
        journal or Journal(),
        {
            "model": theory.model_hash,
            "parameters": p,
            # Without the backend that there always was: what was kept before stays known.
            "schedule": {k: v for k, v in asdict(schedule).items() if (k, v) != _USUAL_BACKEND},
            "seed": seed,
            "couplings": asdict(couplings),
            "dtype": np.dtype(dtype).name,
            "versions": {k: v for k, v in versions().items() if k in ("dmft", "numpy")},
        },
    )
    left = [(size, r) for size in counts for r in range(counts[size]) if kept.get(size, r) is None]
    seconds = cost(right, p, schedule, counts, dtype) if left else dict.fromkeys(counts, 0.0)
    remaining = {size: sum(task[0] == size for task in left) for size in counts}
    estimate = estimated_seconds(seconds, remaining, workers) if left else 0.0
    try:
        if left:
            watch.estimated(estimate, workers)
        networks = simulate(
            right, p, schedule, counts, seed, workers, watch, seconds, dtype, couplings, kept
        )
    finally:
        watch.finished()
    return NetworkRun(schedule, counts, tuple(networks), estimate)


@dataclass(frozen=True)
class _Kept:
    """Measurements by size and number, in a journal."""

    journal: Journal
    content: Mapping[str, Any]

    def _key(self, n: int, realization: int) -> str:
        return key_of({**self.content, "n": n, "realization": realization})

    def get(self, n: int, realization: int) -> Measurement | None:
        key = self._key(n, realization)
        return Measurement.from_json(self.journal[key]) if key in self.journal else None

    def put(self, measurement: Measurement) -> None:
        key = self._key(measurement.n, measurement.realization)
        self.journal.put(key, asdict(measurement))
