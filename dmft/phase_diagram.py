"""A phase diagram from its boundaries: where they lie, and what is between them.

Every boundary that has a meaning is located at all values of one parameter, with the other one unknown.
Grid points with the same number of crossings below them, boundary by boundary, lie between the same
curves. Of each such set a few points, far from the curves and from each other, are asked which states exist
there; if they disagree, one point of every stretch is asked. No grid point is solved that need not be.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from .errors import InputError, NotCoveredError
from .locate_boundary import locate_boundary
from .parameters import Sweep, check_swept
from .results.phase import PhaseCurve, PhaseDiagram
from .results.provenance import versions
from .solvers.boundaries import BOUNDARIES
from .solvers.regions import UNDECIDED, region_name, static_region_name

if TYPE_CHECKING:
    from .codegen.theory import CompiledTheory
    from .results.curve import BoundaryCurve

__all__ = ["PHASE_BOUNDARIES", "phase_diagram"]

#: Boundaries that separate regions, in the order in which they are drawn.
PHASE_BOUNDARIES = ("zero-state", "fixed-points", "jacobian-edge", "chaos-onset")
#: Points asked in every set of grid points between the same curves.
_WITNESSES = 3

Integers = npt.NDArray[np.int64]


@dataclass(frozen=True)
class _Plane:
    """``along``: the parameter that boundaries are solved for; ``rows``: the one that is given."""

    along: str
    rows: str
    values: Mapping[str, tuple[float, ...]]
    fixed: Mapping[str, float]


def phase_diagram(
    theory: CompiledTheory,
    given: Mapping[str, Any],
    tol: float,
    *,
    statics: bool = False,
    told: Callable[[str], None] = lambda text: None,
) -> PhaseDiagram:
    """Regions and boundaries over the plane of the two parameters that are sweeps in ``given``.

    ``statics``: from constant states alone. ``told`` is called with a phrase before every step.
    """
    started = time.perf_counter()
    fixed, swept = check_swept(theory.info, given)
    if len(swept) != 2:
        raise InputError(
            f"phase: {len(swept)} parameters are swept ({', '.join(swept) or 'none'}); a diagram needs "
            f"two, like {_example(theory)}"
        )
    for name in swept:
        if isinstance(given[name], Sweep) and given[name].num is None:
            raise InputError(f"{name}: give the number of points too, like {name}=0:1:11")
        if any(np.diff(swept[name]) <= 0):
            raise InputError(f"{name}: the values of an axis must increase")
    _check_covered(theory, fixed, swept)
    across, up = swept
    required = [p.name for p in theory.info.parameters if p.default is None]
    along = next((name for name in swept if name in required), across)
    plane = _Plane(along, up if along == across else across, swept, fixed)
    curves: dict[str, BoundaryCurve] = {}
    left_out: list[str] = []
    names = [n for n in PHASE_BOUNDARIES if not statics or "gaussian" not in BOUNDARIES[n].stages]
    for name in names:
        told(f"locating {name}")
        request = {**fixed, plane.rows: list(swept[plane.rows])}
        try:
            curves[name] = locate_boundary(theory, name, request, along, tol)
        except InputError as error:  # has no meaning here, like zero-state with a bias
            left_out.append(f"{name}: {error}")
    told("naming regions")
    named = static_region_name if statics else region_name
    labels, region = _regions(partial(named, theory), plane, curves)
    if along != across:
        region = region.T
    return PhaseDiagram(
        model=theory.info.name,
        across=across,
        up=up,
        axes={name: np.array(values) for name, values in swept.items()},
        fixed=fixed,
        labels=labels,
        region=region,
        curves=tuple(
            c for name, curve in curves.items() for c in _drawn(name, curve, plane, across)
        ),
        versions=versions(),
        tolerance=tol,
        command=None,
        seconds=time.perf_counter() - started,
        model_hash=theory.info.hash,
        message="; ".join(left_out),
    )


def _example(theory: CompiledTheory) -> str:
    """Two sweeps as one could type them."""
    names = [p.name for p in theory.info.parameters]
    return " ".join(f"{name}=1:4:31" for name in names[:2])


def _check_covered(
    theory: CompiledTheory, fixed: Mapping[str, float], swept: Mapping[str, tuple[float, ...]]
) -> None:
    """Regions need the stationary theory and states without noise everywhere in the plane."""
    if theory.closure_failure:
        raise NotCoveredError(f"phase: {theory.info.name}: {theory.closure_failure}")
    for corner in (min, max):
        at = {**fixed, **{name: corner(values, key=abs) for name, values in swept.items()}}
        for stage in ("gaussian", "statics"):
            for condition in theory.unmet(stage, at):
                raise NotCoveredError(
                    f"phase: {condition.parameter} = {at[condition.parameter]:g} is not covered: "
                    f"{condition.reason}; give {condition.parameter}=0"
                )


def _crossings(curve: BoundaryCurve, plane: _Plane) -> list[list[float]]:
    """Values of the unknown at every row, sorted."""
    rows = {value: i for i, value in enumerate(plane.values[plane.rows])}
    found: list[list[float]] = [[] for _ in rows]
    for value, root, answered in zip(
        curve.columns[plane.rows], curve.columns[plane.along], curve.answered, strict=True
    ):
        if answered:
            found[rows[float(value)]].append(float(root))
    return [sorted(values) for values in found]


def _regions(
    named: Callable[[Mapping[str, float]], str],
    plane: _Plane,
    curves: Mapping[str, BoundaryCurve],
) -> tuple[tuple[str, ...], Integers]:
    """Names of regions and their numbers, shape (rows, along)."""
    along = np.array(plane.values[plane.along])
    rows = plane.values[plane.rows]
    crossings = [_crossings(curve, plane) for curve in curves.values()]
    # how many crossings of every boundary lie below each point
    below = np.stack(
        [np.array([np.searchsorted(row, along) for row in found]) for found in crossings], axis=-1
    )
    near = _distance(
        along, [[value for f in crossings for value in f[i]] for i in range(len(rows))]
    )

    def ask(row: int, column: int) -> str:
        at = {plane.rows: rows[row], plane.along: float(along[column])}
        return named({**plane.fixed, **at})

    names = np.full(below.shape[:2], UNDECIDED, dtype=object)
    signatures, where = np.unique(below.reshape(-1, below.shape[-1]), axis=0, return_inverse=True)
    where = where.reshape(below.shape[:2])
    for number in range(len(signatures)):
        members = np.argwhere(where == number)
        answers = {ask(*point) for point in _witnesses(members, near)}
        if len(answers) == 1:
            names[where == number] = answers.pop()
            continue
        for row in np.unique(members[:, 0]):  # the curves do not tell these points apart
            columns = members[members[:, 0] == row][:, 1]
            for stretch in np.split(columns, np.flatnonzero(np.diff(columns) > 1) + 1):
                middle = stretch[np.argmax(near[row, stretch])]
                names[row, stretch] = ask(int(row), int(middle))
    labels = sorted(set(names.ravel()) - {UNDECIDED}, key=lambda name: (len(name), name))
    numbers = {name: i for i, name in enumerate(labels)} | {UNDECIDED: -1}
    return tuple(labels), np.vectorize(numbers.__getitem__, otypes=[np.int64])(names)


def _distance(along: Any, crossings: list[list[float]]) -> Any:
    """Distance of every point to the nearest crossing of its row, in units of the axis' length."""
    length = abs(along[-1] - along[0]) or 1.0
    nearest = [
        np.min(abs(along[:, None] - np.array(row)), axis=1) if row else np.full(along.size, length)
        for row in crossings
    ]
    return np.array(nearest) / length


def _witnesses(members: Integers, near: Any) -> list[tuple[int, int]]:
    """The member farthest from any curve in each third of the set's rows."""
    chosen = []
    for part in np.array_split(members, min(_WITNESSES, len(members))):
        best = part[np.argmax(near[part[:, 0], part[:, 1]])]
        chosen.append((int(best[0]), int(best[1])))
    return chosen


def _drawn(name: str, curve: BoundaryCurve, plane: _Plane, across: str) -> list[PhaseCurve]:
    """The pieces of a boundary as lines; a missing point ends a piece."""
    pieces = []
    for segment in np.unique(curve.segment[curve.answered]):
        inside = np.flatnonzero(curve.answered & (curve.segment == segment))
        kinds = {curve.point_kind[i] for i in inside} if curve.point_kind else {""}
        rows, values = curve.columns[plane.rows][inside], curve.columns[plane.along][inside]
        order = np.argsort(rows, kind="stable")
        horizontal, vertical = (values, rows) if across == plane.along else (rows, values)
        pieces.append(
            PhaseCurve(
                name,
                ", ".join(sorted(str(kind) for kind in kinds if kind)),
                tuple(float(v) for v in horizontal[order]),
                tuple(float(v) for v in vertical[order]),
            )
        )
    return pieces
