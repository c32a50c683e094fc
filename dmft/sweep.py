"""Ranges of a parameter: equally spaced values, both ends included, or a whole stretch."""

from __future__ import annotations

import math
import numbers
from dataclasses import dataclass

from .errors import InputError, quoted

__all__ = ["MAX_POINTS", "Sweep", "as_float"]

#: Longest range that is accepted: more is a slip of the keyboard, not a curve.
MAX_POINTS = 100_000


@dataclass(frozen=True, slots=True)
class Sweep:
    """``num`` equally spaced values from ``start`` to ``stop``, both ends included.

    Without ``num`` the whole stretch is meant, and whoever follows a curve in it chooses the points.
    Written ``start:stop:num`` or ``start:stop`` on the command line. Raises `InputError` unless both
    ends are finite and either they differ and 2 <= num <= `MAX_POINTS`, or they are equal and num is 1.

    >>> Sweep(0, 1, 5).values()
    (0.0, 0.25, 0.5, 0.75, 1.0)
    """

    start: float
    stop: float
    num: int | None = None

    def __post_init__(self) -> None:
        for end in (self.start, self.stop):
            if not math.isfinite(as_float(end)):
                raise InputError(f"the end {quoted(end)} of a range is not a finite number")
        if not math.isfinite(float(self.stop) - float(self.start)):
            raise InputError(f"range {self}: the ends are too far apart")
        points: object = self.num  # annotations bind no one
        if points is None:
            if self.start == self.stop:
                raise InputError(
                    f"range {self}: both ends are equal; give the single value instead"
                )
            return
        if isinstance(points, bool) or not isinstance(points, numbers.Integral):
            raise InputError(f"the number of points of a range, {quoted(self.num)}, is no integer")
        if self.start == self.stop and points != 1:
            raise InputError(f"range {self}: both ends are equal; give the single value instead")
        if self.start != self.stop and not 2 <= int(points) <= MAX_POINTS:
            raise InputError(
                f"range {self}: the number of points, both ends included, must be "
                f"from 2 to {MAX_POINTS}"
            )

    def __str__(self) -> str:
        ends = f"{as_float(self.start):.12g}:{as_float(self.stop):.12g}"
        return ends if self.num is None else f"{ends}:{self.num}"

    def values(self) -> tuple[float, ...]:
        """The points, in order; both ends are exact, and all there is without ``num``."""
        start, stop = float(self.start), float(self.stop)
        if self.num is None:
            return (start, stop)
        if self.num == 1:
            return (start,)
        step = (stop - start) / (self.num - 1)
        return (*(start + i * step for i in range(self.num - 1)), stop)


def as_float(value: object) -> float:
    """The value as a float; NaN for what is no real number (True and "3" are none)."""
    if isinstance(value, bool) or not isinstance(value, numbers.Real):
        return math.nan
    try:
        return float(value)
    except OverflowError:
        return math.inf
