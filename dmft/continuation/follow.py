r"""Pseudo-arclength continuation: a branch F(u, p) = 0 followed through folds.

A step predicts along the tangent and corrects in the plane across it. Its length adapts to the angle
between successive tangents, the curvature times the step, and to the corrector's effort. E. L.
Allgower & K. Georg, Introduction to Numerical Continuation Methods, SIAM 2003, chapters 2 and 6.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from .branch import Branch, Event, Stop
from .corrector import correct
from .events import BRANCH_POINT, FOLD, Point, Watch, advance, locate
from .predictor import first_tangent, next_tangent
from .problem import Problem

__all__ = ["Options", "follow", "follow_both"]

Floats = NDArray[np.float64]


#: A start on a bound may be moved off it by the corrector.
_SLACK = 1e-6


@dataclass(frozen=True)
class Options:
    """Step lengths in scaled arclength, the angle (radians) aimed at between successive tangents,
    the number of points allowed, and the tolerances of points and of the places of events in scaled
    units (``event_tol`` zero: the same)."""

    step: float = 0.05
    smallest: float = 1e-7
    largest: float = 0.5
    angle: float = 0.15
    points: int = 2000
    tol: float = 1e-10
    event_tol: float = 0.0

    def __post_init__(self) -> None:
        if not 0 < self.smallest <= self.step <= self.largest:
            raise ValueError(
                f"steps: smallest {self.smallest}, step {self.step}, largest {self.largest}; "
                "expected 0 < smallest <= step <= largest"
            )
        if not (0 < self.angle < 1 and self.tol > 0 and self.points >= 1):
            raise ValueError("expected 0 < angle < 1, tol > 0 and points >= 1")


def follow(
    problem: Problem,
    u: Floats,
    p: float,
    *,
    direction: float = 1.0,
    lower: Floats | None = None,
    upper: Floats | None = None,
    watches: Sequence[Watch] = (FOLD, BRANCH_POINT),
    options: Options | None = None,
) -> Branch:
    """Follow the branch through (u, p), which need only be near it.

    Parameters
    ----------
    problem
        The equations.
    u, p
        Where to start.
    direction
        Its sign is that of the parameter's first change.
    lower, upper
        Bounds on z = (u, p), shape (n + 1,); infinite entries do not bind. The branch ends on a bound.
    watches
        Events to locate, in any number; see `Watch`.
    options
        Steps, tolerance and limits.
    """
    options = options or Options()
    z = np.append(np.asarray(u, dtype=float), float(p))
    box = _box(lower, upper, z.size)
    start = correct(problem, z, None, options.tol)
    if start is not None:
        slack = _SLACK * problem.sizes(z)
        if np.any((start.z < box[0] - slack) | (start.z > box[1] + slack)):
            raise ValueError(f"start {start.z}: not between the bounds {box[0]} and {box[1]}")
    if start is None:
        return _assemble(problem, [], [], (Stop.FAILED, Stop.FAILED))
    tangent = first_tangent(start.slopes, direction)
    path = [Point(start.z, tangent, start.slopes, start.steps, start.error)]
    events: list[Event] = []
    values = [watch.value(path[0]) for watch in watches]
    step, stop = options.step, Stop.POINTS
    while len(path) < options.points:
        here = path[-1]
        point = _accepted(problem, here, step, options)
        if point is None:
            step /= 2
            if step < options.smallest:
                stop = Stop.STEP
                break
            continue
        ended = _on_bound(problem, here, point, box, options.tol)
        if ended is not None:
            point = ended
        taken = float((point.z - here.z) / problem.sizes(here.z) @ here.tangent)
        if ended is not None and taken < _SLACK * step:
            stop = Stop.BOUND
            break
        closed = ended is None and len(path) > 3 and _passes(problem, here, point, path[0])
        new_values = [watch.value(point) for watch in watches]
        found: list[tuple[Event, bool]] = []
        for watch, before, after in zip(watches, values, new_values, strict=True):
            if before * after < 0 or (after == 0 and before != 0):
                tol = options.event_tol or options.tol
                event = locate(problem, watch, (here, point), taken, len(path), tol)
                found.append((event, watch.ends))
        found.sort(key=lambda item: float((item[0].point - here.z) @ here.tangent))
        last = next((event for event, ends in found if ends), None)
        if last is not None:
            events += [event for event, _ in found[: [e for e, _ in found].index(last) + 1]]
            final = correct(problem, last.point, here.tangent, options.tol)
            if final is not None:
                path.append(Point(final.z, last.tangent, final.slopes, final.steps, final.error))
            stop = Stop.EVENT
            break
        events += [event for event, _ in found]
        path.append(point)
        values = new_values
        if ended is not None:
            stop = Stop.BOUND
            break
        if closed:
            path[-1] = path[0]
            stop = Stop.CLOSED
            break
        step = _adapted(here, point, step, options)
    return _assemble(problem, path, events, (Stop.START, stop))


def follow_both(
    problem: Problem,
    u: Floats,
    p: float,
    *,
    lower: Floats | None = None,
    upper: Floats | None = None,
    watches: Sequence[Watch] = (FOLD, BRANCH_POINT),
    options: Options | None = None,
) -> Branch:
    """Follow in both directions from (u, p) and join; a closed branch is walked once."""
    ways = {"lower": lower, "upper": upper}
    ahead = follow(problem, u, p, direction=1.0, watches=watches, options=options, **ways)
    if ahead.stops[1] in (Stop.CLOSED, Stop.FAILED):
        return ahead
    back = follow(problem, u, p, direction=-1.0, watches=watches, options=options, **ways)
    if back.stops[1] is Stop.FAILED:
        return ahead
    return back.reversed().joined(ahead)


def _box(lower: Floats | None, upper: Floats | None, size: int) -> tuple[Floats, Floats]:
    low = np.full(size, -np.inf) if lower is None else np.asarray(lower, dtype=float)
    high = np.full(size, np.inf) if upper is None else np.asarray(upper, dtype=float)
    if low.shape != (size,) or high.shape != (size,) or not np.all(low < high):
        raise ValueError(f"bounds {low} and {high}: expected {size} values each, lower < upper")
    return low, high


def _accepted(problem: Problem, here: Point, step: float, options: Options) -> Point | None:
    """The next point, unless the branch turns too sharply or the corrector wandered off."""
    point = advance(problem, here, step, options.tol)
    if point is None:
        return None
    off = (point.z - here.z) / problem.sizes(here.z) - step * here.tangent
    if np.linalg.norm(off) > 0.5 * step or _angle(here, point) > 2 * options.angle:
        return None
    return point


def _angle(here: Point, point: Point) -> float:
    # the chord is accurate for small angles, where the arc cosine is not
    half_chord = float(np.linalg.norm(point.tangent - here.tangent)) / 2
    return 2 * float(np.arcsin(min(half_chord, 1.0)))


def _adapted(here: Point, point: Point, step: float, options: Options) -> float:
    factor = float(np.clip(options.angle / max(_angle(here, point), 1e-3), 0.5, 1.6))
    if point.steps > 5:
        factor = min(factor, 0.7)
    return float(np.clip(step * factor, options.smallest, options.largest))


def _on_bound(
    problem: Problem, here: Point, point: Point, box: tuple[Floats, Floats], tol: float
) -> Point | None:
    """The point where the branch leaves the box between two points; None while it is inside."""
    low, high = box
    outside = np.flatnonzero((point.z < low) | (point.z > high))
    if not outside.size:
        return None
    change = point.z - here.z
    bounds = np.where(point.z < low, low, high)
    shares = (bounds[outside] - here.z[outside]) / change[outside]
    first = int(outside[np.argmin(shares)])
    guess = here.z + np.min(shares) * change
    guess[first] = bounds[first]
    row = np.zeros(guess.size)
    row[first] = 1.0
    found = correct(problem, guess, row, tol)
    if found is None:
        return replace(here)  # the bound cannot be met; the branch ends where it was
    tangent = next_tangent(found.slopes, here.tangent)
    z = found.z.copy()
    z[first] = bounds[first]
    return Point(
        z, here.tangent if tangent is None else tangent, found.slopes, found.steps, found.error
    )


def _passes(problem: Problem, here: Point, point: Point, start: Point) -> bool:
    """Whether the branch comes back to its start, the same way round, between two points."""
    sizes = problem.sizes(here.z)
    chord = (point.z - here.z) / sizes
    length = float(np.linalg.norm(chord))
    to_start = (start.z - here.z) / sizes
    along = float(to_start @ chord) / length
    off = float(np.linalg.norm(to_start - along * chord / length))
    same_way = float(start.tangent @ point.tangent) > 0.5
    return same_way and 0 < along <= length and off < 0.1 * length


def _assemble(
    problem: Problem, path: list[Point], events: list[Event], stops: tuple[Stop, Stop]
) -> Branch:
    if not path:
        empty = np.empty((0, 0))
        return Branch(empty, empty.copy(), np.empty(0, bool), np.empty(0), (), stops)
    points = np.array([point.z for point in path])
    sizes = problem.sizes(points[0])
    pieces = np.linalg.norm(np.diff(points, axis=0) / sizes, axis=1)
    stable = [
        bool(np.all(np.linalg.eigvals(point.slopes[:, :-1] / sizes[:-1]).real < 0))
        for point in path
    ]
    return Branch(
        points=points,
        tangents=np.array([point.tangent for point in path]),
        stable=np.array(stable, dtype=bool),
        length=np.append(0.0, np.cumsum(pieces)),
        events=tuple(events),
        stops=stops,
    )
