r"""How many non-zero constant solutions there are, on a whole grid of two parameters.

The number changes only across folds (by two) and births at rest (by one). So it is counted once in
every row, at one end, and carried over all columns along the boundaries; counting at the other end too
tells whether any boundary was missed.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ..static_system import StaticSystem
from .curve import crossings
from .locate import follow_all
from .point import Kind
from .request import Request
from .static_families import StaticFamily, births_family
from .static_search import StaticSearch, fold_condition

__all__ = ["StaticCounts", "static_counts"]

Floats = NDArray[np.float64]

_STEP = 1e-4


@dataclass(frozen=True)
class StaticCounts:
    """``number`` of non-zero constant solutions, (rows, columns); -1 in rows that do not add up."""

    number: NDArray[np.int64]

    @property
    def complete(self) -> bool:
        """Whether the numbers add up in all rows."""
        return bool(np.all(self.number >= 0))


def static_counts(request: Request, columns: Floats) -> StaticCounts:
    """Counts at ``columns``, values of ``solve_for``, and the swept ``request.values`` as rows."""
    axis = request.axis
    columns = np.asarray(columns, dtype=float)
    q = np.array(request.values)
    search = StaticSearch(StaticSystem(request.theory), fold_condition, axis, request.base)
    number = np.empty((q.size, columns.size), dtype=np.int64)
    special = (columns == 0) & axis.parameter.nonnegative
    for column in np.flatnonzero(special):  # without its input rest may be a state, not a solution
        number[:, column] = search.count(np.zeros(q.size), {request.swept: q})
    number[:, ~special] = _carried(search, request.swept, q, axis.coordinate(columns[~special]))
    return StaticCounts(number)


def _carried(search: StaticSearch, swept: str, q: Floats, c: Floats) -> NDArray[np.int64]:
    """Counts at coordinates c and swept values q, from those at the smallest c."""
    folds = StaticFamily(search, swept, Kind.FOLD, cusps=True)
    births = births_family(search, swept)
    first, last = float(np.min(c)), float(np.max(c))
    followed = follow_all([folds, births], q, (float(np.min(q)), float(np.max(q))))
    change = np.zeros((q.size, c.size), dtype=np.int64)
    total = np.zeros(q.size, dtype=np.int64)
    for piece in followed.pieces:
        for row, z, _ in crossings(piece, q):
            place = z[-2]
            if piece.family is folds:
                amount = 2 * _fold_side(search, swept, z)
            else:
                amount = _birth_side(search, swept, z)
            # `amount` more solutions on the right than on the left
            if first < place < last:
                change[row, c > place] += amount
                total[row] += amount
    left = search.count(np.full(q.size, first), {swept: q})
    right = search.count(np.full(q.size, last), {swept: q})
    number = left[:, None] + change
    number[(left + total != right) | np.any(number < 0, axis=1)] = -1
    return number


def _fold_side(search: StaticSearch, swept: str, z: Floats) -> int:
    """+1 if the pair exists at larger values of the unknown, else -1."""
    a = np.full(5, z[0]) + _STEP * 100 * np.array([0, 1, -1, 0, 0])
    c = np.full(5, z[1]) + _STEP * np.array([0, 0, 0, 1, -1])
    excess, slope = search.evaluate(a, c, {swept: np.full(5, z[2])})
    bend, rate = slope[1] - slope[2], excess[3] - excess[4]
    return 1 if bend * rate < 0 else -1


def _birth_side(search: StaticSearch, swept: str, z: Floats) -> int:
    """+1 if the solution exists at larger values of the unknown, else -1."""
    c, rows = z[0] + _STEP * np.array([1.0, -1.0]), {swept: np.full(2, z[1])}
    grows = np.diff(search.excess_at_rest(c, rows))[0] < 0
    forwards = search.forwards(z[:1], {swept: z[1:]})[0] > 0
    return 1 if grows == forwards else -1
