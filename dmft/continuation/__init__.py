"""Pseudo-arclength continuation, generic in the equations: branches, their events, curves of folds."""

from __future__ import annotations

from .branch import Branch, Event, EventStatus, Stop
from .events import BRANCH_POINT, FOLD, Point, Watch
from .fold_curve import CUSP, TURNING, FoldFamily, follow_folds
from .follow import Options, follow, follow_both
from .problem import Problem
from .switch import departures

__all__ = [
    "BRANCH_POINT",
    "CUSP",
    "FOLD",
    "TURNING",
    "Branch",
    "Event",
    "EventStatus",
    "FoldFamily",
    "Options",
    "Point",
    "Problem",
    "Stop",
    "Watch",
    "departures",
    "follow",
    "follow_both",
    "follow_folds",
]
