"""Boundary points at exactly the values asked for, or along the whole curve; named points besides."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from ..status import Status
from .axis import Axis
from .curve import Piece, connected, crossings, trace
from .family import Family, Seed
from .point import BoundaryPoint, Kind, no_point

__all__ = ["Followed", "Located", "Mark", "along", "at_rows", "at_single", "follow_all"]

Floats = NDArray[np.float64]

#: Rows that are searched completely for seeds.
_SEED_ROWS = 5
#: Special points are located to this, whatever the tolerance of the others.
_MARK_TOL = 1e-8


@dataclass(frozen=True)
class Mark:
    """A named point of the curve: swept parameter, value, errors of both."""

    kind: Kind
    swept: float
    value: float
    error: float


@dataclass(frozen=True)
class Located:
    """Rows (swept value, point) in the order of output, and the named points of the curve."""

    rows: tuple[tuple[float, BoundaryPoint], ...]
    marks: tuple[Mark, ...] = ()


def _point(
    family: Family, axis: Axis, z: Floats, error: float, tol: float, segment: int
) -> BoundaryPoint:
    value = float(axis.value(z[-2]))
    error = error * abs(axis.slope(float(z[-2]))) + 2e-16 * abs(value)
    accurate = error <= tol * max(1.0, abs(value))
    status = Status.CONTINUOUS if family.kind is Kind.CONTINUOUS else Status.CONVERGED
    return BoundaryPoint(
        value=value,
        error=error,
        status=status if accurate else Status.NOT_CONVERGED,
        kind=family.kind,
        segment=segment,
        amplitude=family.amplitude(z),
        others=family.others(z),
    )


def _from_seeds(
    seeds: Iterable[tuple[Family, Seed]], axis: Axis, tol: float
) -> list[BoundaryPoint]:
    """Points of one row, nearest to zero first; or the one row that says why there is none."""
    exceeded = False
    points = []
    for family, seed in seeds:
        exceeded |= seed.exceeded
        if not seed.exceeded and family.belongs(seed.z):
            points.append(_point(family, axis, seed.z, seed.error, tol, 0))
    if not points:
        return [no_point(Status.BUDGET_EXCEEDED if exceeded else Status.NO_SOLUTION)]
    points.sort(key=lambda point: (abs(point.value), -point.value))
    return [replace(point, segment=i) for i, point in enumerate(points)]


def at_single(families: Sequence[Family], axis: Axis, tol: float) -> list[BoundaryPoint]:
    """All points where nothing is swept."""
    nothing = np.zeros(1)
    found = [(family, seed) for family in families for seed in family.seeds(nothing)]
    return _from_seeds(found, axis, tol)


@dataclass(frozen=True)
class Followed:
    """All pieces, seeds that lie on none of them, and the values of q that were searched completely."""

    pieces: tuple[Piece, ...]
    loose: tuple[tuple[Family, Seed], ...]
    searched: Floats

    def visible(self) -> tuple[list[Piece], list[int]]:
        """The pieces that belong to the boundary, in the order of output, and their segments."""
        kept = [p for p in self.pieces if p.family.belongs(p.points[len(p.points) // 2])]
        kept.sort(key=lambda piece: (piece.span[0], abs(piece.points[0, -2])))
        length = max((p.span[1] for p in kept), default=0.0) - min(
            (p.span[0] for p in kept), default=0.0
        )
        return kept, connected(kept, length)


def follow_all(families: Sequence[Family], q: Floats, span: tuple[float, float]) -> Followed:
    """Trace from a few rows; again from rows that stay empty, as long as something new is found."""
    rows = np.unique(q)
    pieces: list[Piece] = []
    loose: list[tuple[Family, Seed]] = []
    seeds = _spread(rows, _SEED_ROWS)
    searched = seeds
    for _ in range(3):
        new = []
        for family in families:
            own = [piece for piece in pieces if piece.family is family]
            found = trace(family, seeds, span, own)
            new += list(found.pieces)
            loose += [(family, seed) for seed in found.loose]
        pieces += new
        empty = [x for x in rows if not _covered(pieces, loose, x)]
        seeds = _spread(np.array([x for x in empty if x not in searched]), 3)
        if not seeds.size:
            break
        searched = np.append(searched, seeds)
    return Followed(tuple(_split(pieces)), tuple(loose), searched)


def _split(pieces: Sequence[Piece]) -> list[Piece]:
    """Cut pieces of families that ask for it where a curve of another family ends at them."""
    result = list(pieces)
    for other in pieces:
        for end in (0, -1):
            if other.ends[end] is not Kind.REST:
                continue
            place = other.points[end, -2:]
            for piece in list(result):
                splits = getattr(piece.family, "splits", False)
                if splits and piece.family is not other.family and _meets(piece, place):
                    result.remove(piece)
                    result += piece.cut(float(place[1]), Kind.TRICRITICAL)
    return result


def _meets(piece: Piece, place: Floats) -> bool:
    """Whether (c, q) lies on a piece, away from its ends."""
    low, high = piece.span
    if not low < place[1] < high:
        return False
    return bool(
        abs(np.interp(place[1], piece.points[:, -1], piece.points[:, -2]) - place[0]) < 0.02
    )


def _covered(pieces: Sequence[Piece], loose: Sequence[tuple[Family, Seed]], q: float) -> bool:
    return any(piece.span[0] <= q <= piece.span[1] for piece in pieces) or any(
        seed.z[-1] == q for _, seed in loose
    )


def _spread(values: Floats, most: int) -> Floats:
    if values.size <= most:
        return values
    places = np.unique(np.round(np.linspace(0, values.size - 1, most)).astype(int))
    return np.asarray(values[places])


def at_rows(families: Sequence[Family], axis: Axis, q: Floats, tol: float) -> Located:
    """All points at exactly the values q, in their order."""
    span = float(np.min(q)), float(np.max(q))
    followed = follow_all(families, q, span)
    pieces, segments = followed.visible()
    rows: list[list[BoundaryPoint]] = [[] for _ in q]
    for piece, segment in zip(pieces, segments, strict=True):
        for row, z, error in crossings(piece, q):
            rows[row].append(_point(piece.family, axis, z, error, tol, segment))
    following = 1 + max(segments, default=-1)
    for family, seed in followed.loose:
        for row in np.flatnonzero(q == seed.z[-1]).tolist():
            if not seed.exceeded and family.belongs(seed.z):
                point = _point(family, axis, seed.z, seed.error, tol, following)
                following += 1
                rows[row].append(point)
    result = []
    reasons = _why_none(followed, pieces, q)
    for row, value in enumerate(q):
        points = sorted(rows[row], key=lambda point: (abs(point.value), -point.value))
        for point in points or [no_point(reasons[row])]:
            result.append((float(value), point))
    return Located(tuple(result), tuple(_marks(pieces, axis, span)))


def _why_none(followed: Followed, pieces: Sequence[Piece], q: Floats) -> list[Status]:
    """For rows without a point: as the nearest row that was searched completely."""
    steep = {float(seed.z[-1]) for _, seed in followed.loose if seed.exceeded}
    nearest = followed.searched[np.argmin(abs(followed.searched[:, None] - q), axis=0)]
    reasons = []
    for value, near in zip(q, nearest, strict=True):
        if any(piece.span[0] < value < piece.span[1] for piece in pieces):
            reasons.append(Status.NOT_CONVERGED)  # a piece goes there, but not to the tolerance
        else:
            exceeded = float(near) in steep
            reasons.append(Status.BUDGET_EXCEEDED if exceeded else Status.NO_SOLUTION)
    return reasons


def along(families: Sequence[Family], axis: Axis, span: tuple[float, float], tol: float) -> Located:
    """Whole curves between the ends of ``span``, points as dense as the curvature asks for."""
    followed = follow_all(families, np.linspace(*span, 4 * _SEED_ROWS - 3), span)
    pieces, segments = followed.visible()
    rows = []
    for piece, segment in zip(pieces, segments, strict=True):
        inner = piece.points[1:-1]
        sharp = piece.family.sharpen(inner) if len(inner) else None
        first, last = (_end_point(piece, axis, end, segment, tol, span) for end in (0, -1))
        rows.append(first)
        if sharp is not None:
            for start, z, error in zip(inner, sharp.z, sharp.error, strict=True):
                if np.isfinite(error) and abs(z[-2] - start[-2]) < 1e-3:
                    point = _point(piece.family, axis, z, float(error), tol, segment)
                    rows.append((float(z[-1]), point))
        rows.append(last)
    for family, seed in followed.loose:
        if seed.exceeded:
            rows.append((float(seed.z[-1]), no_point(Status.BUDGET_EXCEEDED)))
        elif family.belongs(seed.z):
            segment = 1 + max((point.segment for _, point in rows), default=-1)
            rows.append((float(seed.z[-1]), _point(family, axis, seed.z, seed.error, tol, segment)))
    if not rows:
        rows = [(end, no_point()) for end in span]
    marks = _marks(pieces, axis, span)
    tips = [mark for mark in marks if mark.kind is Kind.TRICRITICAL]
    kept = [
        (q, point)
        for q, point in rows
        if point.kind is not Kind.REST
        or not any(_near(Mark(point.kind, q, point.value, 0.0), tip) for tip in tips)
    ]
    return Located(tuple(kept), tuple(marks))


def _end_point(
    piece: Piece, axis: Axis, end: int, segment: int, tol: float, span: tuple[float, float]
) -> tuple[float, BoundaryPoint]:
    """The end of a piece under its name; where q left its range, an ordinary point on the edge."""
    z, name = piece.points[end], piece.ends[end]
    if name is Kind.NONE:
        edge = z.copy()
        edge[-1] = min(span, key=lambda limit: abs(limit - z[-1]))
        if abs(edge[-1] - z[-1]) > 1e-6 * (span[1] - span[0]):
            edge = z
        sharp = piece.family.sharpen(edge[None, :])
        if np.isfinite(sharp.error[0]):
            error = float(sharp.error[0])
            return float(edge[-1]), _point(piece.family, axis, sharp.z[0], error, tol, segment)
    error = max(piece.errors[end], 1e-9)
    point = _point(piece.family, axis, z, error, max(tol, _MARK_TOL), segment)
    return float(z[-1]), replace(point, kind=name or piece.family.kind)


def _marks(pieces: Sequence[Piece], axis: Axis, span: tuple[float, float]) -> list[Mark]:
    """Named ends, each once; a curve that ends at rest in a tricritical point is not named twice."""
    found: list[Mark] = []
    for piece in pieces:
        for end in (0, -1):
            name = piece.ends[end]
            z, error = piece.points[end], piece.errors[end]
            at_edge = min(abs(limit - z[-1]) for limit in span) < 1e-9 * (span[1] - span[0])
            if name is Kind.NONE or (at_edge and name is not Kind.TRICRITICAL):
                continue
            value = float(axis.value(z[-2]))
            mark = Mark(name, float(z[-1]), value, max(error, 1e-9))
            if not any(_same(mark, other) for other in found):
                found.append(mark)
    tips = [mark for mark in found if mark.kind is Kind.TRICRITICAL]
    return [m for m in found if m.kind is not Kind.REST or not any(_near(m, t) for t in tips)]


def _same(one: Mark, other: Mark) -> bool:
    return one.kind is other.kind and _near(one, other)


def _near(one: Mark, other: Mark) -> bool:
    return abs(one.swept - other.swept) <= 1e-4 * max(1.0, abs(one.swept)) and abs(
        one.value - other.value
    ) <= 1e-4 * max(1.0, abs(one.value))
