r"""A curve of folds in a second parameter, as one run of an augmented system (G. Moore & A. Spence).

Where the branch of F(u, p, q) = 0 folds in p, F_u has a null vector v:

    F(u, p, q) = 0,      F_u v = 0,      (v . v - 1) / 2 = 0,

2n + 1 equations for (u, v, p) with q as the parameter of the continuation: a regular system at
quadratic folds, and at cusps too, where two fold curves of the (p, q) plane meet tangentially. With
the left null vector w, the coefficient  b = w . F_uu v v  vanishes at a cusp and nowhere else.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from .branch import Branch, Event
from .events import FOLD, Point, Watch
from .follow import Options, follow_both
from .problem import Problem

__all__ = ["CUSP", "TURNING", "FoldFamily", "follow_folds"]

Floats = NDArray[np.float64]

#: Names of events on a fold curve: two curves meet in a tip; the second parameter turns back.
CUSP, TURNING = "cusp", "turning"

#: For five-point differences, whose error goes with the fourth power of the step: F_u decides the
#: place of the fold, unlike the Jacobian of Newton's method.
_RELATIVE_STEP = 1e-3


@dataclass(frozen=True)
class FoldFamily:
    """F(u, p, q): ``residual`` (n,), and its ``jacobian`` F_u (n, n), by differences if absent.

    ``scale``, shape (n + 2,), holds typical sizes of (u, p, q).
    """

    residual: Callable[[Floats, float, float], Floats]
    jacobian: Callable[[Floats, float, float], Floats] | None = None
    scale: Floats | None = None

    def slopes(self, u: Floats, p: float, q: float) -> Floats:
        """F_u, shape (n, n)."""
        if self.jacobian is not None:
            return np.asarray(self.jacobian(u, p, q), dtype=float).reshape(u.size, u.size)
        scale = np.ones(u.size) if self.scale is None else self.scale[: u.size]
        columns = []
        for j in range(u.size):
            step = np.zeros(u.size)
            step[j] = _RELATIVE_STEP * max(abs(u[j]), scale[j])
            near = self.residual(u + step, p, q) - self.residual(u - step, p, q)
            far = self.residual(u + 2 * step, p, q) - self.residual(u - 2 * step, p, q)
            columns.append((8 * near - far) / (12 * step[j]))
        return np.column_stack(columns)

    def augmented(self, n: int) -> Problem:
        """The system above for U = (u, v, p), u having n components."""

        def residual(unknowns: Floats, q: float) -> Floats:
            u, v, p = unknowns[:n], unknowns[n : 2 * n], float(unknowns[-1])
            return np.concatenate(
                [self.residual(u, p, q), self.slopes(u, p, q) @ v, [(v @ v - 1.0) / 2]]
            )

        scale = None
        if self.scale is not None:
            sizes = np.asarray(self.scale, dtype=float)
            scale = np.concatenate([sizes[:n], np.ones(n), sizes[n:]])
        return Problem(residual, scale=scale)

    def curvature(self, u: Floats, v: Floats, p: float, q: float) -> float:
        """b for unit v; the sign of w is such that b has that of d det F_u / d v.

        Singular vectors alone have no sign that is continuous along a curve; the adjugate of F_u,
        det(U) det(V) times a positive number times v w^T, has.
        """
        left, _, right = np.linalg.svd(self.slopes(u, p, q))
        sign = np.linalg.det(left) * np.linalg.det(right)
        step = 1e-4
        change = self.slopes(u + step * v, p, q) - self.slopes(u - step * v, p, q)
        return float(sign * (left[:, -1] @ change @ right[-1])) / (2 * step)


def follow_folds(
    family: FoldFamily,
    u: Floats,
    p: float,
    q: float,
    *,
    lower: Floats | None = None,
    upper: Floats | None = None,
    watches: Sequence[Watch] = (),
    options: Options | None = None,
) -> Branch:
    """Follow the fold near (u, p, q) in both directions of q.

    ``lower`` and ``upper``, shape (n + 2,), bound (u, p, q). The branch's points are (u, v, p, q); its
    events are "cusp", "turning" (q turns back) and those of ``watches``, which see such points.
    """
    u = np.asarray(u, dtype=float)
    n = u.size
    null = np.linalg.svd(family.slopes(u, p, q))[2][-1]
    problem = family.augmented(n)

    def bounds(values: Floats | None, free: float) -> Floats | None:
        if values is None:
            return None
        return np.concatenate([values[:n], np.full(n, free), values[n:]])

    def curvature(point: Point) -> float:
        z = point.z
        return family.curvature(z[:n], z[n : 2 * n], float(z[-2]), float(z[-1]))

    branch = follow_both(
        problem,
        np.concatenate([u, null, [p]]),
        q,
        lower=bounds(lower, -np.inf),
        upper=bounds(upper, np.inf),
        watches=(replace(FOLD, name=TURNING), Watch(CUSP, curvature), *watches),
        options=options,
    )
    return replace(branch, events=tuple(e for e in branch.events if not _is_tip(e, branch.events)))


def _is_tip(event: Event, events: Sequence[Event]) -> bool:
    """Both parameters turn back at a cusp, which is no turning of q besides."""
    return event.kind == TURNING and any(
        other.kind == CUSP and np.linalg.norm(other.point - event.point) < 1e-4 for other in events
    )
