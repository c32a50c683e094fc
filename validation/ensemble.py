"""Many independent networks of one kind: how each is started, and an estimate from every one."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from typing import TypeVar

import numpy as np
from numpy.typing import ArrayLike, NDArray
from threadpoolctl import threadpool_limits

from dmft.errors import DmftError, InputError, WorkerError
from dmft.protocol import Protocol
from dmft.solvers.worker_processes import in_processes

from .compare import Estimate, Extrapolation, extrapolate, over_networks
from .couplings import GAUSSIAN, Couplings
from .integrate import Integrator, Trajectory, draw_tangents
from .memory import SHARE, machine_memory
from .network import (
    FiniteNetwork,
    RightHandSide,
    draw_network,
    draw_state,
    generators,
    noise_generator,
)
from .start import Start

T = TypeVar("T")

#: How often processes are started for the same work when one of them dies.
_ATTEMPTS = 2


@dataclass(frozen=True, slots=True)
class Ensemble:
    """Networks with one declaration, one set of parameters and one seed; size and number still open.

    ``dt``: time step (`dmft.validation.schedule.choose_step` finds one). ``starts``: standard deviation
    of Gaussian initial states, or their law. ``dtype``: of couplings, states and tangents, "float32" or
    "float64"; statistics are float64 in any case. The rest as in `Trajectory` and `draw_network`.
    """

    right: RightHandSide
    parameters: Mapping[str, float]
    seed: int
    dt: float
    starts: float | Start = 1.0
    dtype: str = "float32"
    couplings: Couplings = GAUSSIAN
    integrator: Integrator = "rk4"
    protocol: Protocol | None = None

    def network(self, n: int, realization: int) -> tuple[FiniteNetwork, np.random.Generator]:
        """Network number ``realization`` of ``n`` units, and the generator of its starts."""
        drawn, starts = generators(self.seed, n, realization)
        network = draw_network(self.right, self.parameters, n, drawn, self.dtype, self.couplings)
        return network, starts

    def begin(self, n: int, realization: int, *, batch: int = 1, tangents: int = 0) -> Trajectory:
        """Network number ``realization`` of ``n`` units with ``batch`` starts, at time 0.

        With one start all tangent vectors belong to it; else tangent k belongs to start k, as in
        `FiniteNetwork.velocity_with_tangent`.
        """
        network, starts = self.network(n, realization)
        x = draw_state(network, batch, self.starts, starts)
        return Trajectory(
            network,
            x,
            draw_tangents(network, tangents, starts),
            self.dt,
            integrator=self.integrator,
            protocol=self.protocol,
            noise=noise_generator(self.seed, n, realization),
        )


def network_now(run: Trajectory) -> FiniteNetwork:
    """The network at the parameters that hold at the time of ``run``."""
    return run.network if run.protocol is None else run.network.at(run.protocol.at(run.time))


def check_memory(what: str, n: int, needed: float) -> None:
    """Raise `InputError` when ``needed`` bytes for ``what`` are more than the machine may give.

    Where the machine does not tell its memory, 16 GB are assumed, as in `dmft.validation.memory`.
    """
    available = machine_memory()
    limit = SHARE * (16 * 10**9 if available is None else available)
    if needed > limit:
        raise InputError(
            f"n: {n} was given; {what} of one network of that size takes {needed / 1e9:.3g} GB, "
            f"{limit / 1e9:.3g} GB may be used on this machine; try a smaller n"
        )


def settle(run: Trajectory, time: float) -> None:
    """Let a transient pass; raise `DmftError` when the states stop being finite."""
    run.advance(round(time / run.dt))
    check_finite(run)


def check_finite(run: Trajectory) -> None:
    """Raise `DmftError` when the states have stopped being finite."""
    if not all(np.isfinite(field).all() for field in run.x):
        raise DmftError(
            f"{run.network.right.info.name}: the simulated network of {run.network.units} units left "
            "the range of floating-point numbers; these dynamics may be unbounded"
        )


def each_network(
    estimate: Callable[[int, int], T], counts: Mapping[int, int], workers: int = 1
) -> dict[int, list[T]]:
    """``estimate(n, realization)`` for all networks: size -> one result per network, in order.

    ``counts``: size -> number of networks. Largest first, so that no worker is left with a long one
    at the end; one BLAS thread each, so that the digits do not depend on ``workers``.

    >>> each_network(lambda n, realization: n + realization, {10: 2, 20: 1})
    {10: [10, 11], 20: [20]}
    """
    tasks = [(n, r) for n in sorted(counts, reverse=True) for r in range(counts[n])]
    done = dict(_run_pairs(estimate, tasks, workers))
    return {n: [done[n, r] for r in range(counts[n])] for n in sorted(counts)}


def run_tasks(
    task: Callable[[int, int], T], arguments: list[tuple[int, int]], workers: int
) -> Iterator[T]:
    """``task(n, realization)`` for all pairs as they end; one BLAS thread each, in any process.

    When a worker process dies, new ones take up what is left, once; `WorkerError` if one dies again.
    """
    for _, found in _run_pairs(task, arguments, workers):
        yield found


def _run_pairs(
    task: Callable[[int, int], T], arguments: list[tuple[int, int]], workers: int
) -> Iterator[tuple[tuple[int, int], T]]:
    """`run_tasks` with the pair before every result."""
    paired = partial(_paired, task)
    if workers == 1:
        with threadpool_limits(1):
            yield from map(paired, arguments)
        return
    left = list(arguments)
    for attempt in range(_ATTEMPTS):
        try:
            for pair, found in in_processes(paired, tuple(left), workers):
                left.remove(pair)
                yield pair, found
            return
        except WorkerError:
            if attempt == _ATTEMPTS - 1:
                raise


def _paired(task: Callable[[int, int], T], pair: tuple[int, int]) -> tuple[tuple[int, int], T]:
    return pair, task(*pair)


@dataclass(frozen=True, slots=True, eq=False)
class CurveEstimate:
    """Mean over networks of a curve, its standard errors, and the degrees of freedom of those."""

    mean: NDArray[np.float64]
    standard_error: NDArray[np.float64]
    dof: float


def curves_over_networks(curves: ArrayLike) -> CurveEstimate:
    """Point by point `dmft.validation.compare.over_networks`: one row per network.

    Errors of neighbouring points are correlated, since networks scatter as a whole.
    """
    rows = np.asarray(curves, dtype=np.float64)
    if len(rows) < 2:
        raise ValueError("an error bar needs at least two networks")
    error = rows.std(axis=0, ddof=1) / np.sqrt(len(rows))
    return CurveEstimate(rows.mean(axis=0), error, float(len(rows) - 1))


def number_over_networks(
    results: Mapping[int, list[T]], number: Callable[[T], float]
) -> dict[int, Estimate]:
    """Size -> mean and standard error of a number that every network's result has."""
    return {n: over_networks([number(r) for r in rows]) for n, rows in results.items()}


def number_in_the_limit(
    results: Mapping[int, list[T]], number: Callable[[T], float], exponent: float = 1.0
) -> Extrapolation:
    """A number that every network's result has, extrapolated to infinite size in N^-exponent."""
    return extrapolate({n: [number(r) for r in rows] for n, rows in results.items()}, exponent)
