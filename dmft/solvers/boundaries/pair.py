r"""Two equations f(x, c) = g(x, c) = 0 for many rows at once: Newton's method, and following in q.

x is an auxiliary unknown (the logarithm of an amplitude, another parameter), c the coordinate of the
parameter that is solved for. Derivatives are differences, all evaluated in one call.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

__all__ = ["FollowedPair", "Pair"]

Floats = NDArray[np.float64]

_STEP_C = 1e-5
_MOST_STEPS = 14
#: More steps for rows that are close: where g bends within the step of differences in x, Newton's method
#: with them gains but a digit in a few steps, and what is left would pass for another solution.
_MORE_STEPS = 28


@dataclass(frozen=True)
class Pair:
    """``evaluate(x, c, rows)`` is (f, g), all of shape (points,); ``ends`` those of c.

    ``step`` of the differences in x only steers Newton's method.
    """

    evaluate: Callable[[Floats, Floats, Mapping[str, Floats]], tuple[Floats, Floats]]
    ends: tuple[float, float]
    step: float

    def refine(
        self, x: Floats, c: Floats, rows: Mapping[str, Floats]
    ) -> tuple[Floats, Floats, Floats]:
        """Newton's method from (x, c): x, c and the error of c (inf: failed)."""
        x, c = x.copy(), c.copy()
        error = np.full(x.size, np.inf)
        going = np.arange(x.size)
        for number in range(_MOST_STEPS + _MORE_STEPS):
            if number == _MOST_STEPS:
                going = going[np.isfinite(error[going])]
            if not going.size:
                break
            a, b = x[going], c[going]
            mine = {k: np.concatenate([v[going]] * 5) for k, v in rows.items()}
            f, g = self.evaluate(
                np.concatenate([a, a + self.step, a - self.step, a, a]),
                np.concatenate([b, b, b, b + _STEP_C, b - _STEP_C]),
                mine,
            )
            f, g = f.reshape(5, -1), g.reshape(5, -1)
            with np.errstate(all="ignore"):
                fx, gx = (f[1] - f[2]) / (2 * self.step), (g[1] - g[2]) / (2 * self.step)
                fc, gc = (f[3] - f[4]) / (2 * _STEP_C), (g[3] - g[4]) / (2 * _STEP_C)
                det = fx * gc - fc * gx
                dx = -(gc * f[0] - fc * g[0]) / det
                dc = -(fx * g[0] - gx * f[0]) / det
                # what an error in x does to c: where g is the slope of f, only to second order
                follows = (abs(fx * dx) + abs(gx) * dx**2) / abs(fc)
                rounding = 4e-15 * (1 + abs(fx / fc)) / abs(fc)
                by_g = abs(gc) > 0
                flat = by_g & (abs(fc) < 1e-9 * abs(fx))
                # where c does not move f, x is settled by f and c by g
                follows = np.where(flat, abs(dx * gx / gc), follows)
                rounding = np.where(flat, 4e-15 * (1 + abs(gx / gc)), rounding)
            usable = np.isfinite(dx) & np.isfinite(dc)
            length = np.maximum(abs(dx), abs(dc))
            with np.errstate(all="ignore"):
                share = np.where(length > 0.7, 0.7 / length, 1.0)
                x[going] = a + np.where(usable, share * dx, 0.0)
                c[going] = np.clip(b + np.where(usable, share * dc, 0.0), *self.ends)
                now = abs(dc) + follows + rounding
                error[going] = np.where(usable & (length < 1e-2) & (now < 1e-6), now, np.inf)
                done = ~usable | (now <= 2 * rounding)
            going = going[~done]
        return x, c, error


@dataclass
class FollowedPair:
    """f, g and their derivatives along a swept parameter, from one evaluation of seven points.

    Points are (s, c, q); x = ``inward`` of s and g is multiplied by ``weight(s)``, so that a zero at
    x -> -infinity is not hidden. The last evaluation is kept.
    """

    pair: Pair
    swept: str
    steps: Floats
    inward: Callable[[Floats], Floats]
    weight: Callable[[Floats], Floats]
    _last: tuple[bytes, Floats] | None = field(default=None, repr=False)

    def _block(self, u: Floats, q: float) -> Floats:
        """(2, 7): values at a point and at steps to both sides in each component."""
        here = np.append(u, q)
        key = here.tobytes()
        if self._last is not None and self._last[0] == key:
            return self._last[1]
        steps = np.diag(self.steps)
        points = np.concatenate([[here], here + steps, here - steps])
        with np.errstate(all="ignore"):
            x = self.inward(points[:, 0])
        if not np.all(np.isfinite(x)):
            return np.full((2, 7), np.nan)
        f, g = self.pair.evaluate(x, points[:, 1], {self.swept: points[:, 2]})
        values = np.stack([f, g * self.weight(points[:, 0])])
        self._last = key, values
        return values

    def residual(self, u: Floats, q: float) -> Floats:
        """(f, g), shape (2,)."""
        return self._block(u, q)[:, 0]

    def jacobian(self, u: Floats, q: float) -> tuple[Floats, Floats]:
        """Derivatives by (s, c), (2, 2), and by q, (2,)."""
        values = self._block(u, q)
        slopes = (values[:, 1:4] - values[:, 4:]) / (2 * self.steps)
        return slopes[:, :2], slopes[:, 2]
