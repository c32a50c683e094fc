"""Many independent networks of one kind: how each is started, and an estimate from every one."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from typing import TypeVar

import numpy as np
from numpy.typing import ArrayLike, NDArray
from threadpoolctl import threadpool_limits

from dmft.errors import DmftError

from .compare import Estimate, Extrapolation, extrapolate, over_networks
from .integrate import Trajectory, draw_tangents
from .network import FiniteNetwork, RightHandSide, draw_network, draw_state, generators

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Ensemble:
    """Networks with one declaration, one set of parameters and one seed; size and number still open.

    ``dt``: Runge-Kutta step (`dmft.validation.schedule.choose_step` finds one). ``amplitude``: standard
    deviation of the Gaussian starts. ``dtype``: of couplings, states and tangents, "float32" or
    "float64"; statistics are float64 in any case.
    """

    right: RightHandSide
    parameters: Mapping[str, float]
    seed: int
    dt: float
    amplitude: float = 1.0
    dtype: str = "float32"

    def network(self, n: int, realization: int) -> tuple[FiniteNetwork, np.random.Generator]:
        """Network number ``realization`` of ``n`` units, and the generator of its starts."""
        couplings, starts = generators(self.seed, n, realization)
        return draw_network(self.right, self.parameters, n, couplings, self.dtype), starts

    def start(self, n: int, realization: int, *, batch: int = 1, tangents: int = 0) -> Trajectory:
        """Network number ``realization`` of ``n`` units with ``batch`` starts.

        With one start all tangent vectors belong to it; else tangent k belongs to start k, as in
        `FiniteNetwork.velocity_with_tangent`.
        """
        network, starts = self.network(n, realization)
        x = draw_state(network, batch, self.amplitude, starts)
        return Trajectory(network, x, draw_tangents(network, tangents, starts), self.dt)


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
    done = dict(_results(partial(_keyed, estimate), tasks, workers))
    return {n: [done[n, r] for r in range(counts[n])] for n in sorted(counts)}


def _keyed(
    estimate: Callable[[int, int], T], n: int, realization: int
) -> tuple[tuple[int, int], T]:
    return (n, realization), estimate(n, realization)


def _results(
    task: Callable[[int, int], T], arguments: list[tuple[int, int]], workers: int
) -> Iterator[T]:
    if workers == 1:
        with threadpool_limits(1):
            for pair in arguments:
                yield task(*pair)
        return
    from joblib import Parallel, delayed, parallel_config

    with parallel_config(backend="loky", inner_max_num_threads=1):
        pool = Parallel(n_jobs=workers, batch_size=1, return_as="generator_unordered")
        yield from pool(delayed(task)(*pair) for pair in arguments)


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
