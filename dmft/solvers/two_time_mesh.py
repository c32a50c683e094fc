r"""A time grid that fits the solution: steps long where the state is slow.

A cheap pilot population runs on a first grid and tells the local error of every step, e ~ h^3 (difference
of corrected and predicted states, and the bend of the gates' paths that a straight line misses). The next
grid has the step at which the error per unit of time is a given rate,

    h(t) -> h (rate h / e)^(1/2),

and again from the new grid. The rate is a wish, not a promise: the error of the result is measured by
halving (`two_time_solution`).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from dmft.codegen.two_time import TwoTimeTheory
from dmft.protocol import Protocol

from .two_time_grid import TimeGrid, growing_times, time_grid
from .two_time_population import Population
from .two_time_problem import TwoTimeProblem
from .two_time_start import FieldStart

__all__ = ["fitted_times"]

Floats = NDArray[np.float64]

#: Number of the pilot population, apart from those of the result.
_PILOT = 2**30
_PILOT_PATHS = 48
_ROUNDS = 3
#: Steps of neighbours differ by this factor at most, and the first step after a break is this short.
_GROWTH = 1.15
_FIRST = 0.25
#: Most steps of a pilot: what a fitted grid may have.
_MOST = 1500


def fitted_times(
    theory: TwoTimeTheory,
    protocol: Protocol,
    starts: Sequence[FieldStart],
    until: float,
    rate: float,
    seed: int,
    stopped: Callable[[], bool] = lambda: False,
) -> Floats:
    """Times from 0 to ``until`` at which the local error per unit of time is about ``rate``."""
    problem = TwoTimeProblem(theory, time_grid(protocol, [0.0, until]))
    fastest = problem.fastest_rate
    longest = max(until / 24, 4 / fastest)
    times = growing_times(until, 0.3 / fastest, 0.1, longest, protocol.breakpoints)
    for _ in range(_ROUNDS):
        grid = time_grid(protocol, times)
        pilot = Population(
            TwoTimeProblem(theory, grid), starts, _PILOT_PATHS, 1e-3, seed, _PILOT, bends=True
        )
        while pilot.size < len(grid) and not stopped():
            pilot.advance()
        if pilot.size < len(grid):
            break
        times = _remeshed(grid, pilot.local_error, rate, fastest)
        if len(times) > _MOST:
            break
    return times


def _remeshed(grid: TimeGrid, error: Floats, rate: float, fastest: float) -> Floats:
    """New times with the steps that the errors call for, an even number between breakpoints."""
    pieces = [np.zeros(1)]
    for first, last in pairwise(grid.bends):
        if grid.times[last] == grid.times[first]:
            continue
        lengths, own = grid.lengths[first:last], error[first:last].copy()
        middle = (grid.times[first:last] + grid.times[first + 1 : last + 1]) / 2
        if own.size > 1:
            own[0] = own[1]  # the first step extrapolates nothing: its difference tells no error
        # chance makes errors small now and then: their largest in a neighbourhood counts
        own = np.max([own, np.append(own[1:], 0.0), np.append(0.0, own[:-1])], axis=0)
        wished = lengths * np.sqrt(rate * lengths / np.maximum(own, 1e-300))
        wished = np.clip(wished, 0.2 * lengths, 4 * lengths)
        start, end = float(grid.times[first]), float(grid.times[last])
        points = [start]
        step = _FIRST * float(wished[0])
        while points[-1] < end:
            wish = float(np.interp(points[-1], middle, wished))
            step = min(wish, max(step, 1e-3 / fastest) * _GROWTH)
            points.append(points[-1] + step)
        if len(points) % 2 == 0:
            points.append(points[-1] + step)
        scaled = start + (np.array(points[1:]) - start) * ((end - start) / (points[-1] - start))
        scaled[-1] = end
        pieces.append(scaled)
    return np.concatenate(pieces)
