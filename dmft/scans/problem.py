"""What a scan is: a model, axes of swept parameters, and how its points are cut into pieces.

Points are numbered as in nested loops, the last axis innermost. A piece is a stretch of neighbours
along that axis. The pieces follow from the problem alone, never from the number of workers: so do
all digits, also once a solver starts from its neighbour's solution.
"""

from __future__ import annotations

import hashlib
import itertools
import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from ..errors import InputError
from ..parameters import MAX_POINTS, check_swept, find_model
from ..results.provenance import versions
from ..results.scan import column_names, units_of

if TYPE_CHECKING:
    from dmft.derivations.model import Model

    from ..codegen.source import ModelSource

__all__ = ["LONGEST_PIECE", "Piece", "ScanProblem", "declare"]

#: Points of a piece: many enough to hide what a piece costs beyond its points (milliseconds), few
#: enough that little is lost when a run is interrupted.
LONGEST_PIECE = 8


@dataclass(frozen=True)
class Piece:
    """Neighbouring points with all that a worker must know: it travels without the whole scan.

    ``start`` is the number of the first point; ``points`` are their parameters.
    """

    source: str | Model
    model_hash: str
    fields: tuple[str, ...]
    options: Mapping[str, Any]
    start: int
    points: tuple[Mapping[str, float], ...]


@dataclass(frozen=True)
class ScanProblem:
    """A scan, ready to run: everything that its numbers depend on.

    ``source`` is the name of a shipped model or a declaration, never a path: a file that changes
    during the run must not change the rest of it. ``options`` are those of `dmft.solve`.
    ``units`` holds the columns that have one.
    """

    source: str | Model
    model: str
    model_hash: str
    fields: tuple[str, ...]
    axes: Mapping[str, tuple[float, ...]]
    fixed: Mapping[str, float]
    options: Mapping[str, Any]
    versions: Mapping[str, str]
    units: Mapping[str, str]

    @property
    def size(self) -> int:
        """The number of points."""
        return math.prod(len(values) for values in self.axes.values())

    def parameters(self, point: int) -> dict[str, float]:
        """All parameters of the point of that number."""
        shape = [len(values) for values in self.axes.values()]
        place = np.unravel_index(point, shape)
        swept = {
            name: values[int(i)] for (name, values), i in zip(self.axes.items(), place, strict=True)
        }
        return {**swept, **self.fixed}

    def piece(self, numbers: range) -> Piece:
        """The points of these numbers, to be sent to a worker."""
        points = tuple(self.parameters(point) for point in numbers)
        return Piece(self.source, self.model_hash, self.fields, self.options, numbers.start, points)

    @property
    def pieces(self) -> tuple[range, ...]:
        """Numbers of the points of every piece: a line's pieces are equally long, up to one."""
        line = len(list(self.axes.values())[-1])
        parts = math.ceil(line / LONGEST_PIECE)
        cuts = [line * i // parts for i in range(parts + 1)]
        return tuple(
            range(start + low, start + high)
            for start in range(0, self.size, line)
            for low, high in itertools.pairwise(cuts)
        )

    @property
    def request(self) -> dict[str, Any]:
        """What decides on the numbers, as JSON values."""
        request = {
            "model": self.model,
            "model_hash": self.model_hash,
            "axes": {name: list(values) for name, values in self.axes.items()},
            "fixed": dict(self.fixed),
            "options": dict(self.options),
            "versions": dict(self.versions),
        }
        plain: dict[str, Any] = json.loads(json.dumps(request))
        return plain

    @property
    def key(self) -> str:
        """SHA-256 of the request: equal for scans whose points may be mixed.

        The order of the axes counts: it numbers the points.
        """
        text = json.dumps({**self.request, "order": list(self.axes)}, sort_keys=True)
        return hashlib.sha256(text.encode()).hexdigest()


def declare(
    model: ModelSource,
    given: Mapping[str, Any],
    *,
    branch: str,
    tol: float,
    method: str,
    seed: int | None,
    lyapunov: bool,
) -> ScanProblem:
    """Check names and values; `InputError` in one line for what cannot be scanned.

    What a theory does not cover shows when the first points are solved.
    """
    from ..codegen import resolve
    from ..option_checks import check_options

    source = resolve(model)
    info = find_model(source)
    fixed, axes = check_swept(info, given)
    if not axes:
        raise InputError(
            "no parameter is swept; give one as name=first:last:points (dmft solve is for one point)"
        )
    for name, values in axes.items():
        if len(set(values)) < len(values):
            twice = next(value for value in values if values.count(value) > 1)
            raise InputError(f"{name}: {twice:g} is given twice; give every value once")
    reserved = column_names(info.fields)
    for parameter in info.parameters:
        if parameter.name in reserved:
            raise InputError(
                f"{info.name}: its parameter {parameter.name} has the name of a result; rename it"
            )
    accuracy = check_options(branch=branch, tol=tol, method=method, seed=seed)
    problem = ScanProblem(
        source=source,
        model=info.name,
        model_hash=info.hash,
        fields=info.fields,
        axes=axes,
        fixed=fixed,
        options={
            "branch": branch,
            "tol": accuracy,
            "method": method,
            "seed": seed,
            "lyapunov": bool(lyapunov),
        },
        versions=versions(),
        units=units_of(info.fields)
        | {p.name: p.unit for p in info.parameters if p.unit not in ("", "1")},
    )
    if problem.size > MAX_POINTS:
        raise InputError(
            f"{problem.size} points are too many for one scan; give at most {MAX_POINTS}"
        )
    return problem
