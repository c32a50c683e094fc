r"""The other branch through a branch point.

There F_z = (F_u, F_p) has two null vectors: the tangent t of the known branch and n across it. With
the left null vector w, directions a t + b n of branches obey the algebraic branching equation

    2 a b w . F_zz t n + b^2 w . F_zz n n = 0      (w . F_zz t t = 0 because t belongs to a branch),

so that the other branch leaves along  n - t (w . F_zz n n) / (2 w . F_zz t n)  (H. B. Keller 1977).
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from .branch import Event
from .corrector import correct
from .problem import Problem

__all__ = ["departures"]

Floats = NDArray[np.float64]


def departures(
    problem: Problem, event: Event, distance: float, tol: float = 1e-10
) -> tuple[Floats, ...]:
    """Points z = (u, p) on the other branch, ``distance`` (scaled) to either side of the event.

    Sides on which none is found are left out; on both sides of a fold there is none.
    """
    sizes = problem.sizes(event.point)
    slopes = problem.slopes(event.point) * sizes
    left, singular, right = np.linalg.svd(slopes)
    if singular[-1] > 1e-3 * max(1.0, float(singular[0])):
        return ()
    plane = right[-2:]
    across = plane - np.outer(plane @ event.tangent, event.tangent)
    across = across[np.argmax(np.linalg.norm(across, axis=1))]
    across = across / np.linalg.norm(across)

    def curvature(along: Floats) -> float:
        step = 1e-3 * sizes * along
        ends = problem.value(event.point + step) + problem.value(event.point - step)
        return float(left[:, -1] @ (ends - 2 * problem.value(event.point))) / 1e-6

    both = (curvature(event.tangent + across) - curvature(event.tangent - across)) / 4
    if abs(both) < 1e-6:
        return ()
    direction = across - event.tangent * curvature(across) / (2 * both)
    direction = direction / np.linalg.norm(direction)
    found = []
    for side in (1.0, -1.0):
        guess = event.point + sizes * (side * distance * direction)
        other = correct(problem, guess, direction, tol)
        if other is not None:
            moved = (other.z - event.point) / sizes
            if np.linalg.norm(moved - side * distance * direction) < 0.5 * distance:
                found.append(other.z)
    return tuple(found)
