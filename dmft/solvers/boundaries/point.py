"""A located point of a boundary."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum

import numpy as np

from ..status import Status

__all__ = ["BoundaryPoint", "Kind", "no_point"]


class Kind(StrEnum):
    """What a point is, beside its status."""

    NONE = ""
    LINE = "line"
    CONTINUOUS = "continuous"
    FOLD = "fold"
    EDGE = "edge"
    CUSP = "cusp"
    TURNING = "turning"
    TRICRITICAL = "tricritical"
    CORNER = "corner"
    ZERO = "zero"
    JUMP = "jump"
    REST = "rest"
    END = "end"

    @property
    def explanation(self) -> str:
        """One phrase for the user."""
        return _EXPLANATIONS[self]


_EXPLANATIONS = {
    Kind.NONE: "no point",
    Kind.LINE: "rest loses stability",
    Kind.CONTINUOUS: "solutions are born continuously at rest",
    Kind.FOLD: "two solutions meet and vanish",
    Kind.EDGE: "a non-zero state loses stability",
    Kind.CUSP: "two curves of folds meet in a tip",
    Kind.TURNING: "the curve turns back in the swept parameter",
    Kind.TRICRITICAL: "births at rest turn from continuous to discontinuous",
    Kind.CORNER: "two ways to lose stability take turns",
    Kind.ZERO: "the largest Lyapunov exponent passes through zero",
    Kind.JUMP: "the largest Lyapunov exponent jumps across zero",
    Kind.REST: "the curve ends at rest, at zero amplitude",
    Kind.END: "the curve could not be followed further",
}


@dataclass(frozen=True)
class BoundaryPoint:
    """A located value of the parameter that is solved for; NaN without an answer.

    ``segment`` is the number of the connected piece that the point lies on, ``amplitude`` the
    variance of the first driven field there (NaN where it has no meaning, zero where states are born at
    rest); ``others`` are values of further unknowns.
    """

    value: float
    error: float
    status: Status
    kind: Kind = Kind.NONE
    segment: int = 0
    amplitude: float = float("nan")
    others: dict[str, float] = field(default_factory=dict)

    @property
    def found(self) -> bool:
        """Whether there is a value at all."""
        return not np.isnan(self.value)


def no_point(status: Status = Status.NO_SOLUTION) -> BoundaryPoint:
    """The row of a point without an answer."""
    return BoundaryPoint(float("nan"), float("nan"), status)
