r"""Time grids for two-time equations: non-uniform, with the parameters at every point.

The steps are the caller's: they may grow where the state is slow. A grid holds every breakpoint of the
protocol; where a parameter jumps the moment stands twice, before and after the jump, with a step of
length zero between: states are continuous there, outputs need not be.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise

import numpy as np
from numpy.typing import ArrayLike, NDArray

from dmft.errors import InputError
from dmft.protocol import Protocol

__all__ = ["TimeGrid", "growing_times", "time_grid", "uniform_times"]

Floats = NDArray[np.float64]

#: Two moments closer than this share of the last time are one.
_SAME = 1e-9


@dataclass(frozen=True, eq=False)
class TimeGrid:
    """``times`` (n,), not decreasing, from 0; ``parameters`` of every point.

    ``bends``: first and last point and those where the protocol bends or jumps (both sides).
    """

    times: Floats
    parameters: tuple[Mapping[str, float], ...]
    bends: tuple[int, ...]

    def __len__(self) -> int:
        return len(self.times)

    @cached_property
    def lengths(self) -> Floats:
        """h_n = t_{n+1} - t_n; zero at a jump."""
        return np.diff(self.times)

    def ratio(self, step: int) -> float:
        """h_n / h_{n-1}; 0 where the earlier step does not exist or is a jump."""
        earlier = self.lengths[step - 1] if step > 0 else 0.0
        return float(self.lengths[step] / earlier) if earlier > 0 else 0.0

    def coarse(self) -> NDArray[np.intp]:
        """Every second point, and all bends: a grid of twice the steps (but for odd pieces)."""
        kept: list[int] = [0]
        for first, last in pairwise(self.bends):
            kept += [*range(first + 2, last, 2), last]
        return np.array(kept, dtype=np.intp)

    def at(self, points: NDArray[np.intp]) -> TimeGrid:
        """The grid of some of the points, which must hold all bends."""
        place = {int(p): i for i, p in enumerate(points)}
        return TimeGrid(
            self.times[points],
            tuple(self.parameters[i] for i in points),
            tuple(place[b] for b in self.bends),
        )


def time_grid(protocol: Protocol, times: ArrayLike) -> TimeGrid:
    """Put the protocol on the given times; breakpoints among them are added.

    Raises `InputError` for times that do not start at 0 or do not increase.

    >>> from dmft.protocol import Step
    >>> grid = time_grid(Protocol({"g": 1.0}, (Step("g", 0.5, 2.0),)), [0.0, 1.0])
    >>> grid.times, [p["g"] for p in grid.parameters]
    (array([0. , 0.5, 0.5, 1. ]), [1.0, 1.0, 2.0, 2.0])
    """
    given = np.asarray(times, dtype=np.float64)
    if given.ndim != 1 or given.size < 2 or not np.isfinite(given).all() or given[0] != 0:
        raise InputError("times: a list of at least two finite numbers that starts at 0 is needed")
    if not np.all(np.diff(given) > 0):
        raise InputError(
            "times: they must increase strictly; the moment of a jump is doubled by itself"
        )
    last = float(given[-1])
    breaks = [b for b in protocol.breakpoints if b < last]
    # a given time next to a breakpoint would leave a tiny step
    far = [t for t in given[1:-1] if all(abs(t - b) > _SAME * last for b in breaks)]
    moments = sorted({0.0, last, *far, *breaks})
    points: list[tuple[float, Mapping[str, float]]] = []
    bends = [0]
    for t in moments:
        before, after = protocol.before(t), protocol.at(t)
        if t > 0:
            points.append((t, before))
        if t in breaks and t > 0:
            bends.append(len(points) - 1)
        if t == 0 or (before != after and t < last):
            points.append((t, after))
            if t > 0:
                bends.append(len(points) - 1)
    bends.append(len(points) - 1)
    return TimeGrid(
        np.array([t for t, _ in points]), tuple(p for _, p in points), tuple(dict.fromkeys(bends))
    )


def uniform_times(until: float, step: float, breakpoints: Sequence[float] = ()) -> Floats:
    """Equal steps of at most ``step`` between breakpoints."""
    return growing_times(until, step, 0.0, step, breakpoints)


def growing_times(
    until: float, first: float, growth: float, largest: float, breakpoints: Sequence[float] = ()
) -> Floats:
    """Steps h = min(first + growth * t, largest), t the time since the last breakpoint.

    With ``growth`` > 0 their number is logarithmic in ``until`` as long as ``largest`` allows. Pieces
    between breakpoints have an even number of steps, so that the grid can be coarsened.

    >>> growing_times(10.0, 1.0, 0.5, 4.0).round(2)
    array([ 0.  ,  0.62,  1.55,  2.95,  5.04,  7.52, 10.  ])
    """
    moments = [0.0, *sorted(b for b in breakpoints if 0 < b < until), until]
    pieces = [np.zeros(1)]
    for start, end in pairwise(moments):
        points = [0.0]
        while points[-1] < end - start:
            points.append(points[-1] + min(first + growth * points[-1], largest))
        if len(points) % 2 == 0:
            points.append(points[-1] + min(first + growth * points[-1], largest))
        scaled = np.array(points) * ((end - start) / points[-1])
        scaled[-1] = end - start
        pieces.append(start + scaled[1:])
    return np.concatenate(pieces)
