r"""A boundary as solutions z = (..., c, q) of some equations: c the unknown, q the swept parameter.

Everything that `curve` needs to know of a kind of boundary: where to start at given values of q,
the equations to follow, and how to make a point exact at its value of q.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from dmft.continuation import FOLD, Options, Problem, Watch

from .point import Kind

__all__ = ["Family", "Run", "Seed", "Sharp"]

Floats = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Seed:
    """A solution ``z`` = (..., c, q) in row number ``row``; ``error`` that of c.

    ``exceeded``: only a rough place, where the averages are too steep to say more.
    """

    row: int
    z: Floats
    error: float
    exceeded: bool = False


@dataclass(frozen=True, eq=False)
class Run:
    """What to follow from a seed: equations, where to start, bounds, events.

    ``events`` are watched besides turning points of q; ``floor_name`` says what it means that the
    first component reaches its lower bound. ``outward`` maps the equations' points (points, n + 1) to
    z, if they are followed in other coordinates.
    """

    problem: Problem
    start: Floats
    lower: Floats
    upper: Floats
    options: Options
    events: Sequence[Watch] = ()
    floor_name: Kind = Kind.NONE
    outward: Callable[[Floats], Floats] = lambda points: points

    @property
    def watches(self) -> tuple[Watch, ...]:
        """Turning points of q and the events."""
        return (replace(FOLD, name=Kind.TURNING), *self.events)


@dataclass(frozen=True, eq=False)
class Sharp:
    """Points made exact at their q: ``z`` (points, n + 1), ``error`` of c (inf: failed)."""

    z: Floats
    error: Floats


class Family(Protocol):
    """One kind of point: folds, births, stability edges, ..."""

    @property
    def kind(self) -> Kind:
        """What its points are."""
        ...

    def seeds(self, q: Floats) -> list[Seed]:
        """All solutions at the values q, rows in that order."""
        ...

    def run(self, seed: Seed, span: tuple[float, float]) -> Run:
        """How to follow from a seed with q inside ``span``."""
        ...

    def sharpen(self, z: Floats) -> Sharp:
        """Solve at fixed q, starting from points of shape (points, n + 1)."""
        ...

    def belongs(self, z: Floats) -> bool:
        """Whether a solution counts: births, for instance, only if they are continuous."""
        ...

    def amplitude(self, z: Floats) -> float:
        """The variance of the first driven field at a solution."""
        ...

    def others(self, z: Floats) -> dict[str, float]:
        """Values of further unknown parameters."""
        ...
