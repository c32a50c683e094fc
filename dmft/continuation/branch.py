"""What following a branch has found: points, tangents, stability, events, and how it ended."""

from __future__ import annotations

from dataclasses import dataclass, fields
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray

__all__ = ["Branch", "Event", "EventStatus", "Stop"]

Floats = NDArray[np.float64]


class Stop(StrEnum):
    """Why a branch ends; `explanation` says it in words."""

    BOUND = "bound"
    CLOSED = "closed"
    EVENT = "event"
    POINTS = "points"
    STEP = "step"
    START = "start"
    FAILED = "failed"

    @property
    def explanation(self) -> str:
        """One sentence for the user."""
        return _EXPLANATIONS[self]


_EXPLANATIONS = {
    Stop.BOUND: "a bound was reached; the last point lies on it",
    Stop.CLOSED: "the branch is closed: it came back to its start",
    Stop.EVENT: "an event that ends the branch was reached",
    Stop.POINTS: "the allowed number of points was used up; allow more or larger steps",
    Stop.STEP: "no further point was found at the smallest step; the branch may end here",
    Stop.START: "the branch was begun here",
    Stop.FAILED: "the start is not close enough to a solution",
}


class EventStatus(StrEnum):
    """Whether an event was located to the tolerance, or only bracketed."""

    CONVERGED = "converged"
    GUESS = "guess"


@dataclass(frozen=True, eq=False)
class Event:
    """A special point of a branch: never a bare number.

    ``kind`` is "fold", "branch-point" or the name of a test function; ``parameter`` with its
    ``error``; ``interval`` holds the parameter's values at both ends of the final bracket (at a
    fold both lie on one side); ``point`` is z = (u, p) and ``tangent`` the scaled unit tangent;
    ``index`` the number of branch points before the event.
    """

    kind: str
    parameter: float
    error: float
    interval: tuple[float, float]
    status: EventStatus
    point: Floats
    tangent: Floats
    index: int


@dataclass(frozen=True, eq=False)
class Branch:
    """Points (k, n + 1) along a branch, the last component being the parameter; read-only.

    ``tangents`` (k, n + 1) are unit vectors in scaled units, ``stable`` (k,) tells whether all
    eigenvalues of F_u have negative real parts (for du/dt = F), ``length`` (k,) is the arclength
    from the first point. ``stops`` holds how the branch ends at its first and last point.
    """

    points: Floats
    tangents: Floats
    stable: NDArray[np.bool_]
    length: Floats
    events: tuple[Event, ...]
    stops: tuple[Stop, Stop]

    def __post_init__(self) -> None:
        size = len(self.points)
        for field in fields(self)[:4]:
            array = getattr(self, field.name)
            if len(array) != size:
                raise ValueError(f"{field.name}: {len(array)} entries for {size} points")
            array.flags.writeable = False

    def __len__(self) -> int:
        return len(self.points)

    @property
    def parameter(self) -> Floats:
        """The parameter at each point, shape (k,)."""
        return self.points[:, -1]

    @property
    def unknowns(self) -> Floats:
        """The unknowns at each point, shape (k, n)."""
        return self.points[:, :-1]

    def of(self, kind: str) -> tuple[Event, ...]:
        """Events of one kind, in order along the branch."""
        return tuple(event for event in self.events if event.kind == kind)

    def reversed(self) -> Branch:
        """The same branch walked the other way."""
        size = len(self)
        return Branch(
            points=self.points[::-1].copy(),
            tangents=-self.tangents[::-1],
            stable=self.stable[::-1].copy(),
            length=self.length[-1] - self.length[::-1] if size else self.length.copy(),
            events=tuple(
                Event(
                    e.kind,
                    e.parameter,
                    e.error,
                    e.interval[::-1],
                    e.status,
                    e.point,
                    -e.tangent,
                    size - e.index,
                )
                for e in self.events[::-1]
            ),
            stops=(self.stops[1], self.stops[0]),
        )

    def joined(self, other: Branch) -> Branch:
        """This branch and one that starts where it ends."""
        size = len(self)
        return Branch(
            points=np.concatenate([self.points, other.points[1:]]),
            tangents=np.concatenate([self.tangents, other.tangents[1:]]),
            stable=np.concatenate([self.stable, other.stable[1:]]),
            length=np.concatenate([self.length, self.length[-1] + other.length[1:]]),
            events=self.events
            + tuple(
                Event(
                    e.kind,
                    e.parameter,
                    e.error,
                    e.interval,
                    e.status,
                    e.point,
                    e.tangent,
                    e.index + size - 1,
                )
                for e in other.events
            ),
            stops=(self.stops[0], other.stops[1]),
        )
