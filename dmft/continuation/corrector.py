r"""From a predicted point back to the branch: Newton's method on the bordered system

    | F_u  F_p |        |       F       |
    |   r^T    | dz = - | r . (z - z_0) |

The row r is the tangent (pseudo-arclength: dz stays in the plane through the predicted point) or a
unit vector (one component prescribed: a bound, a value of the parameter). With r = None the shortest
step to F = 0 is taken, for a start that is not on the branch.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from .problem import Problem

__all__ = ["Corrected", "correct"]

Floats = NDArray[np.float64]

_MOST_STEPS = 12


@dataclass(frozen=True)
class Corrected:
    """A point on the branch; ``slopes`` (F_u, F_p) in scaled units; ``error`` of z in those units.

    ``error`` is the last Newton step: the error before it was taken, so a bound afterwards.
    """

    z: Floats
    slopes: Floats
    steps: int
    error: float


def correct(problem: Problem, z: Floats, row: Floats | None, tol: float) -> Corrected | None:
    """Newton's method from ``z``; ``row`` in scaled units. None if it does not converge.

    Converged is a step below ``tol`` in scaled units. A step beyond 1e3 or one that does not shrink
    over three iterations ends the attempt.
    """
    sizes = problem.sizes(z)
    start, before = z, np.inf
    stalled = 0
    for step in range(1, _MOST_STEPS + 1):
        value = problem.value(z)
        if not np.all(np.isfinite(value)):
            return None
        slopes = problem.slopes(z) * sizes
        if not np.all(np.isfinite(slopes)):
            return None
        change = _step(slopes, value, row, (z - start) / sizes)
        if change is None:
            return None
        length = float(np.max(abs(change)))
        if not length < 1e3:
            return None
        z = z + sizes * change
        if length <= tol:
            return Corrected(z, problem.slopes(z) * sizes, step, length)
        stalled = stalled + 1 if length > 0.5 * before else 0
        if stalled >= 3:
            return None
        before = length
    return None


def _step(slopes: Floats, value: Floats, row: Floats | None, moved: Floats) -> Floats | None:
    try:
        if row is None:
            return np.asarray(np.linalg.lstsq(slopes, -value, rcond=None)[0])
        right = np.append(-value, -(row @ moved))
        return np.asarray(np.linalg.solve(np.vstack([slopes, row]), right))
    except np.linalg.LinAlgError:
        return None
