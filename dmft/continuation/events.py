r"""Special points between two points of a branch, located by bracketing a change of sign.

A watched function of the point changes its sign at the event:

* fold: the parameter's component of the tangent;
* branch point: det of the matrix (F_z; t^T), which keeps its sign through folds;
* any function of the user.

Points between are reached by predicting from the left one and correcting, so that the bracket lies
on the branch. The Illinois variant of regula falsi narrows it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from .branch import Event, EventStatus
from .corrector import correct
from .predictor import next_tangent
from .problem import Problem

__all__ = ["BRANCH_POINT", "FOLD", "Point", "Watch", "advance", "locate"]

Floats = NDArray[np.float64]

_MOST_LOOKS = 60


@dataclass(frozen=True, eq=False)
class Point:
    """z = (u, p) on the branch with its unit tangent and (F_u, F_p), both in scaled units."""

    z: Floats
    tangent: Floats
    slopes: Floats
    steps: int
    error: float


@dataclass(frozen=True)
class Watch:
    """An event's name and the function that changes its sign there; ``ends``: so does the branch."""

    name: str
    value: Callable[[Point], float]
    ends: bool = False


def _determinant(point: Point) -> float:
    sign, log = np.linalg.slogdet(np.vstack([point.slopes, point.tangent]))
    # a root of the order of the matrix keeps the size moderate without moving the zero
    return float(sign * np.exp(log / point.z.size))


FOLD = Watch("fold", lambda point: float(point.tangent[-1]))
BRANCH_POINT = Watch("branch-point", _determinant)


def advance(problem: Problem, here: Point, step: float, tol: float) -> Point | None:
    """The point of the branch that lies ``step`` along the tangent of ``here``; None without one."""
    predicted = here.z + problem.sizes(here.z) * (step * here.tangent)
    found = correct(problem, predicted, here.tangent, tol)
    if found is None:
        return None
    tangent = next_tangent(found.slopes, here.tangent)
    if tangent is None:
        return None
    return Point(found.z, tangent, found.slopes, found.steps, found.error)


def locate(
    problem: Problem, watch: Watch, ends: tuple[Point, Point], step: float, index: int, tol: float
) -> Event:
    """The event between two points ``step`` apart, to ``tol`` in arclength where possible.

    ``error`` covers the bracket's width in the parameter, the tolerance and the corrector's error. An
    event that cannot be bracketed to the tolerance has status "guess".
    """
    low, high = (0.0, ends[0]), (step, ends[1])
    f_low, f_high = watch.value(ends[0]), watch.value(ends[1])
    width, converged = tol * max(1.0, step), False
    best = low if abs(f_low) < abs(f_high) else high
    if f_high == 0:
        low, best = high, high
    last, side = np.inf, 0
    for _ in range(_MOST_LOOKS):
        if high[0] - low[0] <= 2.5 * width:
            converged = True
            break
        s = (low[0] * f_high - high[0] * f_low) / (f_high - f_low)
        if abs(s - last) <= width:  # settled: close the bracket on the far side
            s = s + width if side < 0 else s - width
        inside = 1e-3 * width
        s = min(max(s, low[0] + inside), high[0] - inside)
        point = advance(problem, ends[0], s, tol)
        if point is None:
            s = (low[0] + high[0]) / 2
            point = advance(problem, ends[0], s, tol)
        if point is None:
            break
        last, f = s, watch.value(point)
        best = (s, point)
        if f == 0:
            low, high = best, best
            converged = True
            break
        if f * f_high < 0:
            low, f_low = best, f
            f_high = f_high / 2 if side < 0 else f_high
            side = -1
        else:
            high, f_high = best, f
            f_low = f_low / 2 if side > 0 else f_low
            side = 1
    where = best[1]
    bracket = float(low[1].z[-1]), float(high[1].z[-1])
    parameter = float(where.z[-1])
    size = float(problem.sizes(where.z)[-1])
    spread = max(abs(parameter - end) for end in bracket)
    drift = width * abs(float(where.tangent[-1]))
    return Event(
        kind=watch.name,
        parameter=parameter,
        error=spread + size * (where.error + drift) + 4e-16 * abs(parameter),
        interval=bracket,
        status=EventStatus.CONVERGED if converged else EventStatus.GUESS,
        point=where.z,
        tangent=where.tangent,
        index=index,
    )
