r"""Where a condition holds on constant solutions: all solutions (A, p) of two equations.

    Phi(log A; p) = 0        (`static_system`: a constant solution of amplitude A)
    K(log A; p) = 0          (a condition on it: the fold's d Phi / d log A, or a stability edge)

for many rows (values of the other parameters) at once. Both functions are evaluated roughly on a
grid over the whole plane of amplitude and parameter; every window of the grid in which both change
sign is a start of Newton's method. This finds seeds; curves are followed from them (`static_curves`).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..rest_expansion import RestExpansion, rest_expansion
from ..static_system import StaticRows, StaticSystem
from .axis import Axis
from .pair import Pair
from .scalar import Roots, roots_on_columns

__all__ = ["Condition", "Solutions", "StaticSearch", "fold_condition"]

Floats = NDArray[np.float64]
#: K of rows, from the results of the static system and the parameters.
Condition = Callable[[StaticRows, Mapping[str, Any]], Floats]

#: Accuracy of the grid, on which only signs count.
_ROUGH: Mapping[str, Any] = {"tol": 1e-6, "most_halvings": 5, "rough": True}
_POINTS_PER_DECADE = 7
_DECADES = np.arange(-26, 13)
#: Step of differences in log A: it must not drown in rounding where folds lie at tiny amplitudes.
_STEP_A = 1e-2
_NOISE = 1e-6
#: Error of the parameter's coordinate below which a solution is as good as exact.
_EXACT = 1e-12
#: Amplitude below which a solution of an edge condition may be rest itself.
_FAINT = 1e-6
#: log A below which a solution is rest itself.
_LOWEST = float(np.log(1e-12))


def fold_condition(rows: StaticRows, p: Mapping[str, Any]) -> Floats:
    """d Phi / d log A: zero at a static fold."""
    return rows.slope


@dataclass(frozen=True)
class Solutions:
    """Solutions: log amplitude ``a`` and parameter coordinate ``c`` with its ``error``, by ``row``.

    ``exceeded``: a solution seems to be there, but the averages are too steep to be sure.
    """

    row: NDArray[np.intp]
    a: Floats
    c: Floats
    error: Floats
    exceeded: NDArray[np.bool_]

    def of(self, row: int) -> Solutions:
        """Those of one row."""
        mine = self.row == row
        return Solutions(
            self.row[mine], self.a[mine], self.c[mine], self.error[mine], self.exceeded[mine]
        )


_NOTHING = Solutions(
    np.empty(0, dtype=int), np.empty(0), np.empty(0), np.empty(0), np.empty(0, dtype=bool)
)


@dataclass(frozen=True)
class StaticSearch:
    """A system, a condition and the parameter that is unknown."""

    system: StaticSystem
    condition: Condition
    axis: Axis
    base: Mapping[str, float]

    def evaluate(
        self, a: Floats, c: Floats, rows: Mapping[str, Floats], **accuracy: Any
    ) -> tuple[Floats, Floats]:
        """Phi and K; ``a``, ``c`` and the row parameters have one shape (points,)."""
        p = {**self.base, **rows, self.axis.parameter.name: self.axis.value(c)}
        with np.errstate(all="ignore"):
            found = self.system.at(np.exp(a), p, **accuracy)
            return found.excess, self.condition(found, p)

    def solutions(self, rows: Mapping[str, Floats], count: int) -> Solutions:
        """All solutions in every row; ``rows`` maps parameters to arrays of shape (count,)."""
        window = self._window(rows, count)
        if window is None:
            return _NOTHING
        a = np.log(10) * np.linspace(*window, int((window[1] - window[0]) * _POINTS_PER_DECADE) + 1)
        c = self.axis.columns
        excess, condition = self._grid(a, c, rows, count)
        # at amplitudes that hardly matter conditions are rounding errors, no changes of sign
        both = _changes(excess) & _changes(np.where(abs(condition) < _NOISE, np.nan, condition))
        row, i, j = np.nonzero(both)
        starts = a[i + 1], c[j + 1]
        near = self._near_births(rows, count)
        row = np.concatenate([row, near[0]])
        a_start, c_start = (np.concatenate(pair) for pair in zip(starts, near[1:], strict=True))
        return self._refined(row, a_start, c_start, {k: v[row] for k, v in rows.items()})

    def _near_births(
        self, rows: Mapping[str, Floats], count: int
    ) -> tuple[NDArray[np.intp], Floats, Floats]:
        """Starts (row, a, c) of folds on branches that leave rest backwards, however tiny they are."""
        nothing = np.empty(0)
        if self.condition is not fold_condition:
            return np.empty(0, dtype=int), nothing, nothing
        births = self.births(rows, count)
        back = self.forwards(births.c, {k: v[births.row] for k, v in rows.items()}) < 0
        row, c = births.row[back], births.c[back]
        a = np.log(10.0) * np.arange(-12, 1, 0.25)
        all_row, all_a, all_c = np.repeat(row, a.size), np.tile(a, row.size), np.repeat(c, a.size)
        mine = {k: v[all_row] for k, v in rows.items()}
        _, slope = self.evaluate(all_a, all_c, mine)
        falls = slope.reshape(row.size, a.size) < 0
        turns = np.argmax(falls, axis=1)
        if not row.size:
            return row, nothing, nothing
        some = np.any(falls, axis=1) & (turns > 0)
        return row[some], a[turns[some]], c[some]

    def births(self, rows: Mapping[str, Floats], count: int) -> Roots:
        """All values of the unknown at which rest changes its static stability, in every row."""
        return roots_on_columns(self.excess_at_rest, self.axis.columns, rows, count)

    def expansion(self, c: Floats, rows: Mapping[str, Floats]) -> RestExpansion:
        """The equations near rest, one entry per point."""
        p = {**self.base, **rows, self.axis.parameter.name: self.axis.value(c)}
        return rest_expansion(self.system, p, c.size)

    def excess_at_rest(self, c: Floats, rows: Mapping[str, Floats]) -> Floats:
        """Log of the critical eigenvalue at rest: positive where rest is statically unstable."""
        with np.errstate(all="ignore"):
            return np.asarray(np.log(self.expansion(c, rows).eigenvalue))

    def forwards(self, c: Floats, rows: Mapping[str, Floats]) -> Floats:
        """e / u0 of `rest_expansion`: positive where solutions are born continuously."""
        return self.expansion(c, rows).static

    def _grid(
        self,
        a: Floats,
        c: Floats,
        rows: Mapping[str, Floats],
        count: int,
        condition: Condition | None = None,
    ) -> tuple[Floats, Floats]:
        """Phi and K, rough, of shape (rows, amplitudes, columns)."""
        search = (
            self
            if condition is None
            else StaticSearch(self.system, condition, self.axis, self.base)
        )
        shape = (count, a.size, c.size)
        row, all_a, all_c = (
            part.ravel()
            for part in np.broadcast_arrays(
                np.arange(count)[:, None, None], a[None, :, None], c[None, None, :]
            )
        )
        excess, value = search.evaluate(
            all_a, all_c, {k: v[row] for k, v in rows.items()}, **_ROUGH
        )
        return excess.reshape(shape), value.reshape(shape)

    def _window(self, rows: Mapping[str, Floats], count: int) -> tuple[float, float] | None:
        """Decades of amplitude, over all rows and columns, in which something happens."""
        few = np.unique(np.linspace(0, count - 1, min(count, 4)).astype(int))
        excess, slope = self._grid(
            np.log(10.0) * _DECADES,
            self.axis.columns,
            {k: v[few] for k, v in rows.items()},
            few.size,
            fold_condition,
        )
        beyond = np.logical_and.accumulate((excess < -1.4)[:, ::-1], axis=1)[:, ::-1]
        below = np.logical_and.accumulate(
            (abs(slope) < 1e-6) | ((excess > 1.4) & (slope < -0.5)), axis=1
        )
        alive = np.flatnonzero(np.any(np.isfinite(excess) & ~beyond & ~below, axis=(0, 2)))
        if not alive.size:
            return None
        return float(_DECADES[alive[0]] - 1), float(_DECADES[alive[-1]] + 1)

    def count(self, c: Floats, rows: Mapping[str, Floats]) -> NDArray[np.int64]:
        """The number of non-zero constant solutions at each point, from changes of sign of Phi."""
        a = np.log(10.0) * np.arange(_DECADES[0], _DECADES[-1], 1 / (2 * _POINTS_PER_DECADE))
        point, place = (
            part.ravel() for part in np.broadcast_arrays(np.arange(c.size)[:, None], a[None])
        )
        mine = {k: v[point] for k, v in rows.items()}
        excess, _ = self.evaluate(place, c[point], mine, **_ROUGH)
        signs = np.sign(excess.reshape(c.size, a.size))
        return np.asarray(np.sum(signs[:, 1:] * signs[:, :-1] < 0, axis=1), dtype=np.int64)

    @cached_property
    def pair(self) -> Pair:
        """Phi and K as two equations for (log A, c)."""
        return Pair(lambda a, c, rows: self.evaluate(a, c, rows), self.axis.ends, _STEP_A)

    def _refined(
        self, row: NDArray[np.intp], a: Floats, c: Floats, rows: Mapping[str, Floats]
    ) -> Solutions:
        if not row.size:
            return _NOTHING
        start = c
        a, c, error = self.pair.refine(a, c, rows)
        steep = np.isnan(self.evaluate(a, c, rows)[0])
        good = np.isfinite(error) & (a > _LOWEST) & (abs(c - start) < 3.0) & ~steep
        good &= ~self._at_rest(a, c, rows)
        taken: list[int] = []
        exceeded: list[int] = []
        for i in range(row.size):
            if steep[i]:
                if not any(row[k] == row[i] for k in exceeded):
                    exceeded.append(i)
                continue
            twins = [
                k
                for k in taken
                if row[k] == row[i] and abs(a[k] - a[i]) < 1e-4 and abs(c[k] - c[i]) < 1e-7
            ]
            if good[i] and not twins:
                taken.append(i)
            elif good[i] and error[i] < _EXACT < error[twins[0]]:  # Newton's steps ran out there
                taken[taken.index(twins[0])] = i
        order = np.array(taken + exceeded, dtype=int)
        return Solutions(row[order], a[order], c[order], error[order], steep[order])

    def _at_rest(self, a: Floats, c: Floats, rows: Mapping[str, Floats]) -> NDArray[np.bool_]:
        """Whether a point is the birth of solutions at rest, where any edge condition vanishes too."""
        found = np.zeros(a.size, dtype=bool)
        if self.condition is fold_condition:
            return found
        faint = np.flatnonzero(a < np.log(_FAINT))
        if faint.size:
            excess = self.excess_at_rest(c[faint], {k: v[faint] for k, v in rows.items()})
            found[faint] = abs(excess) < _NOISE
        return found


def _changes(values: Floats) -> NDArray[np.bool_]:
    """Windows of three by three points (rows, n - 2, m - 2) in which the sign changes.

    NaN counts as no change: where it matters, rough values are there instead.
    """
    positive, negative = values > 0, values < 0

    def spread(mask: NDArray[np.bool_]) -> NDArray[np.bool_]:
        along = mask[:, :-2] | mask[:, 1:-1] | mask[:, 2:]
        return np.asarray(along[:, :, :-2] | along[:, :, 1:-1] | along[:, :, 2:])

    return spread(positive) & spread(negative)
