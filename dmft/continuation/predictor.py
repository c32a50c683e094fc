r"""The tangent of a branch: where the next point is looked for.

Along F(z) = 0 the unit tangent t solves

    | F_z     |      | 0 |
    | t_old^T | t' = | 1 |,      t = t' / |t'|,

a system that stays regular at folds (H. B. Keller, Numerical solution of bifurcation and nonlinear
eigenvalue problems, 1977). The predicted point z + ds t is off the branch by curvature ds^2 / 2.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

__all__ = ["first_tangent", "next_tangent"]

Floats = NDArray[np.float64]


def first_tangent(slopes: Floats, direction: float) -> Floats:
    """The null vector of (F_u, F_p), scaled; its parameter component has the sign of ``direction``.

    At a fold, where that component vanishes, the largest component decides.
    """
    tangent: Floats = np.linalg.svd(slopes)[2][-1]
    leading = tangent[-1] if abs(tangent[-1]) > 1e-8 else tangent[np.argmax(abs(tangent))]
    return np.asarray(tangent * np.copysign(1.0, leading) * np.copysign(1.0, direction))


def next_tangent(slopes: Floats, before: Floats) -> Floats | None:
    """The tangent that continues ``before``; None where the bordered matrix is singular."""
    right = np.zeros(before.size)
    right[-1] = 1.0
    try:
        tangent = np.linalg.solve(np.vstack([slopes, before]), right)
    except np.linalg.LinAlgError:
        return None
    length = np.linalg.norm(tangent)
    if not np.isfinite(length) or length == 0:
        return None
    return np.asarray(tangent / length)
