r"""F(u, p) = 0: n equations for n unknowns and one parameter, with derivatives.

Points are z = (u, p) in R^(n+1). Lengths are measured in units of a typical size of each component,

    |z|^2 = sum_j (z_j / s_j)^2,

so that unknowns and parameter count alike whatever their units. A residual that is not a finite
number means that the equations have no meaning at that point.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

__all__ = ["Problem"]

Floats = NDArray[np.float64]

#: Central differences are best at a step of about the cube root of the rounding error.
_RELATIVE_STEP = 6e-6


@dataclass(frozen=True)
class Problem:
    """``residual(u, p)``, shape (n,); ``jacobian(u, p)`` is (F_u (n, n), F_p (n,)).

    Without a Jacobian central differences are taken. ``scale``, shape (n + 1,), holds the typical
    sizes s of (u, p); ones if absent.
    """

    residual: Callable[[Floats, float], Floats]
    jacobian: Callable[[Floats, float], tuple[Floats, Floats]] | None = None
    scale: Floats | None = None

    def sizes(self, z: Floats) -> Floats:
        """s, shape (n + 1,)."""
        if self.scale is None:
            return np.ones(z.size)
        scale = np.asarray(self.scale, dtype=float)
        if scale.shape != z.shape or not np.all(scale > 0):
            raise ValueError(f"scale: {scale}; expected {z.size} positive numbers")
        return scale

    def value(self, z: Floats) -> Floats:
        """F, shape (n,); NaN where the equations cannot be evaluated."""
        with np.errstate(all="ignore"):
            value = np.asarray(self.residual(z[:-1], float(z[-1])), dtype=float)
        if value.shape != (z.size - 1,):
            raise ValueError(f"residual: shape {value.shape}; expected ({z.size - 1},)")
        return value

    def slopes(self, z: Floats) -> Floats:
        """(F_u, F_p), shape (n, n + 1)."""
        if self.jacobian is not None:
            by_u, by_p = self.jacobian(z[:-1], float(z[-1]))
            return np.column_stack([by_u, np.asarray(by_p).reshape(-1)])
        sizes = self.sizes(z)
        columns = []
        for j in range(z.size):
            step = np.zeros(z.size)
            step[j] = _RELATIVE_STEP * max(abs(z[j]), sizes[j])
            columns.append((self.value(z + step) - self.value(z - step)) / (2 * step[j]))
        return np.column_stack(columns)
