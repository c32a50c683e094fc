r"""Boundaries followed in a swept parameter q, cut into pieces on which q is monotone.

Seeds come from a few rows (values of q), searched completely; each is followed in both directions by
pseudo-arclength continuation until q leaves its range, and cut where q turns back and at cusps. A row
asks every piece for its crossing and makes it exact; a row whose seeds lie on no piece starts another.
So re-entrant curves come out as labelled segments with all their crossings.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from dmft.continuation import Branch, Event, Stop, follow_both

from .family import Family, Run, Seed
from .point import Kind

__all__ = ["Piece", "Trace", "connected", "crossings", "trace"]

Floats = NDArray[np.float64]

#: Two solutions are one if c agrees to this.
_SAME = 1e-6


@dataclass(frozen=True, eq=False)
class Piece:
    """Part of a branch: ``points`` (k, n + 1) with the last component, q, increasing.

    ``ends`` name its first and last point, if there is something to say, whose q has the ``errors``.
    """

    family: Family
    points: Floats
    ends: tuple[Kind, Kind]
    errors: tuple[float, float]

    @property
    def span(self) -> tuple[float, float]:
        """The range of q."""
        return float(self.points[0, -1]), float(self.points[-1, -1])

    def cut(self, q: float, name: Kind) -> list[Piece]:
        """The parts below and above q, with a point there of that name."""
        share = [np.interp(q, self.points[:, -1], column) for column in self.points.T]
        middle = np.array([share])
        below, above = self.points[:, -1] < q, self.points[:, -1] > q
        error = float(np.min(abs(self.points[:, -1] - q)))
        return [
            Piece(
                self.family,
                np.concatenate([self.points[below], middle]),
                (self.ends[0], name),
                (self.errors[0], error),
            ),
            Piece(
                self.family,
                np.concatenate([middle, self.points[above]]),
                (name, self.ends[1]),
                (error, self.errors[1]),
            ),
        ]


@dataclass(frozen=True)
class Trace:
    """All pieces of one family, and the seeds that could not be followed."""

    pieces: tuple[Piece, ...]
    loose: tuple[Seed, ...]


def trace(
    family: Family, q: Floats, span: tuple[float, float], known: Sequence[Piece] = ()
) -> Trace:
    """Follow everything that is seen at the values q, which lie in ``span``, and not ``known`` yet."""
    pieces: list[Piece] = []
    loose: list[Seed] = []
    for seed in family.seeds(q):
        if seed.exceeded:
            loose.append(seed)
            continue
        if any(_lies_on(piece, seed) for piece in (*known, *pieces)):
            continue
        run = family.run(seed, span)
        branch = follow_both(
            run.problem,
            run.start[:-1],
            float(run.start[-1]),
            lower=run.lower,
            upper=run.upper,
            watches=run.watches,
            options=run.options,
        )
        found = _cut(family, branch, run)
        pieces += found
        if not any(_lies_on(piece, seed) for piece in found):
            loose.append(seed)
    return Trace(tuple(pieces), tuple(loose))


def _lies_on(piece: Piece, seed: Seed) -> bool:
    found = crossings(piece, np.array([seed.z[-1]]))
    return any(abs(z[-2] - seed.z[-2]) < _SAME for _, z, _ in found)


def crossings(piece: Piece, q: Floats) -> list[tuple[int, Floats, float]]:
    """(row, z, error of c) for every value of q that the piece covers."""
    low, high = piece.span
    slack = 1e-9 * max(high - low, 1e-300)
    rows = np.flatnonzero((q >= low - slack) & (q <= high + slack))
    if not rows.size or len(piece.points) < 2:
        return []
    places = np.clip(np.searchsorted(piece.points[:, -1], q[rows]) - 1, 0, len(piece.points) - 2)
    before, after = piece.points[places], piece.points[places + 1]
    share = (q[rows] - before[:, -1]) / np.maximum(after[:, -1] - before[:, -1], 1e-300)
    start = before + share[:, None] * (after - before)
    start[:, -1] = q[rows]
    sharp = piece.family.sharpen(start)
    # next to a turning point Newton's method may cross over to the neighbouring piece
    change = abs(after - before)
    reach = np.max(change[:, :-1], axis=1) + change[:, -1] / max(high - low, 1e-300) + 1e-6
    stayed = abs(sharp.z[:, 0] - start[:, 0]) <= 2 * reach
    return [
        (int(row), z, float(error))
        for row, z, error, kept in zip(rows, sharp.z, sharp.error, stayed, strict=True)
        if kept and np.isfinite(error)
    ]


def _cut(family: Family, branch: Branch, run: Run) -> list[Piece]:
    """Pieces between turning points, cusps and other events of a branch."""
    if len(branch) < 2:
        return []
    marks: list[tuple[int, Event]] = []
    cusps = [event for event in branch.events if event.kind == Kind.CUSP]
    for event in branch.events:
        tip = event.kind == Kind.TURNING and any(
            abs(event.parameter - cusp.parameter) < 1e-4 * run.problem.sizes(cusp.point)[-1]
            and event.index == cusp.index
            for cusp in cusps
        )
        if not tip:
            marks.append((event.index, event))
    names = [_end_name(branch, run, first) for first in (True, False)]
    pieces = []
    start, begin, begin_error = 0, names[0], 0.0
    head: list[Floats] = []
    stops: list[tuple[int, Event | None]] = [*marks, (len(branch), None)]
    for index, stop in stops:
        body = list(run.outward(branch.points[start:index])) if index > start else []
        tail = [] if stop is None else list(run.outward(stop.point[None, :]))
        end = names[1] if stop is None else Kind(stop.kind)
        end_error = 0.0 if stop is None else stop.error
        points = np.array([*head, *body, *tail])
        start, head = index, tail
        if len(points) >= 2:
            pieces.append(_increasing(family, points, (begin, end), (begin_error, end_error)))
        begin, begin_error = end, end_error
    return [piece for piece in pieces if piece is not None]


def _increasing(
    family: Family,
    points: Floats,
    ends: tuple[Kind, Kind],
    errors: tuple[float, float],
) -> Piece | None:
    if points[-1, -1] < points[0, -1]:
        points, ends, errors = points[::-1], ends[::-1], errors[::-1]
    keep = np.append(True, np.diff(points[:, -1]) > 0)
    points = points[keep]
    if len(points) < 2:
        return None
    return Piece(family, points.copy(), ends, errors)


def _end_name(branch: Branch, run: Run, first: bool) -> Kind:
    """Why the branch ends there; nothing where q leaves its range."""
    stop = branch.stops[0 if first else 1]
    z = branch.points[0 if first else -1]
    if stop is Stop.BOUND:
        slack = 1e-6 * run.problem.sizes(z)
        if run.floor_name and z[0] <= run.lower[0] + slack[0]:
            return run.floor_name
        if not run.lower[-1] + slack[-1] < z[-1] < run.upper[-1] - slack[-1]:
            return Kind.NONE
    if stop is Stop.CLOSED:
        return Kind.NONE
    return Kind.END


def connected(pieces: Sequence[Piece], scale: float) -> list[int]:
    """Numbers of segments: a curve that ends at rest shares its with births that end there too.

    ``scale`` is a length in q; numbers run in the order of the pieces.
    """
    number = list(range(len(pieces)))
    tips = [
        (i, piece.points[0 if first else -1][-2:], piece.ends[0 if first else 1])
        for i, piece in enumerate(pieces)
        for first in (True, False)
    ]
    for i, tip, name in tips:
        for j, other, other_name in tips:
            near = abs(tip[1] - other[1]) < 0.02 * scale and abs(tip[0] - other[0]) < 0.02
            if near and name == Kind.REST and other_name == Kind.TRICRITICAL:
                low, high = sorted((number[i], number[j]))
                number = [low if n == high else n for n in number]
    seen = {n: k for k, n in enumerate(dict.fromkeys(number))}
    return [seen[n] for n in number]
