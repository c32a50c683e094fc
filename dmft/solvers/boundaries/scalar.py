r"""Roots of one function of the unknown, v(c; rows) = 0, and curves of them.

For boundaries at rest, where no amplitude is needed. All changes of sign over the parameter's whole
domain are found on its columns; each is refined by Newton's method inside a shrinking bracket.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from dmft.continuation import Options, Problem, Watch

from .axis import Axis
from .family import Run, Seed, Sharp
from .point import Kind

__all__ = ["Roots", "ScalarFamily", "roots_on_columns"]

Floats = NDArray[np.float64]
#: v at coordinates (points,) and rows of parameters (points,).
Values = Callable[[Floats, Mapping[str, Floats]], Floats]

_STEP_C, _STEP_Q = 1e-5, 1e-5
_UNITS = 8.0
_OPTIONS = Options(
    step=0.05, largest=1.0, angle=0.12, smallest=1e-5, points=600, tol=1e-10, event_tol=1e-10
)


@dataclass(frozen=True)
class Roots:
    """Roots ``c`` with their ``error``, by ``row``."""

    row: NDArray[np.intp]
    c: Floats
    error: Floats


def roots_on_columns(
    values: Values, columns: Floats, rows: Mapping[str, Floats], count: int
) -> Roots:
    """All roots seen on the columns, in every row (``rows`` have shape (count,))."""
    all_rows, all_c = np.repeat(np.arange(count), columns.size), np.tile(columns, count)
    seen = values(all_c, {k: v[all_rows] for k, v in rows.items()}).reshape(count, -1)
    with np.errstate(invalid="ignore"):
        row, j = np.nonzero(seen[:, :-1] * seen[:, 1:] <= 0)
        # where the function vanishes everywhere, to rounding, no root is isolated
        moved = np.maximum(abs(seen[row, j]), abs(seen[row, j + 1])) > 1e-12
        # a root on a column belongs to the window on its right
        moved &= (seen[row, j + 1] != 0) | (j + 2 == columns.size)
    row, j = row[moved], j[moved]
    mine = {k: v[row] for k, v in rows.items()}
    low, high, at_low = columns[j], columns[j + 1], seen[row, j]
    x = (low + high) / 2
    error, rate = np.full(x.size, np.inf), np.ones(x.size)
    for _ in range(60):
        if not x.size or np.all(error < 1e-15):
            break
        v, up, down = _three(values, x, mine)
        rate = (up - down) / (2 * _STEP_C)
        same = v * at_low > 0
        low, high = np.where(same, x, low), np.where(same, high, x)
        with np.errstate(all="ignore"):
            newton = x - v / rate
        inside = (newton > low) & (newton < high)
        following = np.where(v == 0, x, np.where(inside, newton, (low + high) / 2))
        error = np.minimum(abs(following - x), error)
        x = following
    with np.errstate(all="ignore"):
        error = error + 4e-15 / abs(rate)
    return Roots(row, x, error)


def _three(values: Values, x: Floats, rows: Mapping[str, Floats]) -> tuple[Floats, Floats, Floats]:
    points = np.concatenate([x, x + _STEP_C, x - _STEP_C])
    found = values(points, {k: np.concatenate([v, v, v]) for k, v in rows.items()})
    return found[: x.size], found[x.size : 2 * x.size], found[2 * x.size :]


@dataclass(frozen=True)
class ScalarFamily:
    """Points z = (c, q) with v = 0; those where ``member(c, rows) > 0`` belong to the boundary.

    ``events`` are the names under which changes of sign of ``member`` are located.
    """

    values: Values
    axis: Axis
    swept: str
    kind: Kind
    member: Values | None = None
    member_event: Kind = Kind.NONE

    def _rows(self, q: Floats) -> dict[str, Floats]:
        return {self.swept: q} if self.swept else {}

    def seeds(self, q: Floats) -> list[Seed]:
        """All roots in every row."""
        found = roots_on_columns(self.values, self.axis.columns, self._rows(q), q.size)
        return [
            Seed(int(row), np.array([c, q[row]]), float(error))
            for row, c, error in zip(found.row, found.c, found.error, strict=True)
        ]

    def run(self, seed: Seed, span: tuple[float, float]) -> Run:
        """Follow (c, q)."""
        unit = (span[1] - span[0]) / _UNITS
        steps = np.array([_STEP_C, _STEP_Q * unit])

        @lru_cache(maxsize=4)
        def block(c: float, q: float) -> Floats:
            around = np.concatenate([[[0.0, 0.0]], np.diag(steps), -np.diag(steps)])
            points = np.array([[c, q]]) + around
            return self.values(points[:, 0], self._rows(points[:, 1]))

        def residual(u: Floats, q: float) -> Floats:
            return block(float(u[0]), q)[:1]

        def jacobian(u: Floats, q: float) -> tuple[Floats, Floats]:
            found = block(float(u[0]), q)
            slopes = (found[1:3] - found[3:]) / (2 * steps)
            return slopes[:1, None], slopes[1:]

        events: Sequence[Watch] = ()
        if self.member is not None and self.member_event is not Kind.NONE:
            member = self.member
            events = (
                Watch(
                    self.member_event,
                    lambda point: float(member(point.z[:1], self._rows(point.z[1:]))[0]),
                ),
            )
        low, high = self.axis.ends
        return Run(
            problem=Problem(residual, jacobian, scale=np.array([1.0, unit])),
            start=seed.z,
            lower=np.array([low, span[0]]),
            upper=np.array([high, span[1]]),
            options=_OPTIONS,
            events=events,
        )

    def sharpen(self, z: Floats) -> Sharp:
        """Newton's method at fixed q."""
        c, rows = z[:, 0].copy(), self._rows(z[:, 1])
        error = np.full(c.size, np.inf)
        for _ in range(8):
            v, up, down = _three(self.values, c, rows)
            with np.errstate(all="ignore"):
                rate = (up - down) / (2 * _STEP_C)
                step = v / rate
            usable = np.isfinite(step)
            c = c - np.where(usable, np.clip(step, -0.5, 0.5), 0.0)
            error = np.where(usable, abs(step) + 4e-15 / abs(rate), np.inf)
            if np.all(error[usable] < 1e-14):
                break
        return Sharp(np.stack([c, z[:, 1]], axis=1), error)

    def belongs(self, z: Floats) -> bool:
        """Whether ``member`` is positive."""
        return self.member is None or bool(self.member(z[:1], self._rows(z[1:]))[0] > 0)

    def amplitude(self, z: Floats) -> float:
        """Zero: everything happens at rest."""
        return 0.0

    def others(self, z: Floats) -> dict[str, float]:
        """None."""
        return {}
