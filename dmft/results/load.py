"""Files back to results, with clear refusals of what is foreign, damaged or hostile."""

from __future__ import annotations

import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

from ..errors import InputError, did_you_mean, quoted
from .archive import read_archive
from .branches import BranchDiagram
from .csvtable import read_csv
from .curve import BoundaryCurve
from .netcdf import read_netcdf
from .phase import PhaseDiagram
from .record import Record, strict_loads
from .scan import Scan, value_names
from .sheet import (
    ERROR_COLUMN,
    MAX_BYTES,
    SCAN_TEXTS,
    SOLUTION_SUFFIXES,
    TEXT_COLUMNS,
    Sheet,
)
from .solution import Solution
from .transient import Transient
from .transient_sheet import triangle_columns

__all__ = ["load"]

Result = Solution | BoundaryCurve | PhaseDiagram | Scan | Transient | BranchDiagram


def load(path: str | Path) -> Result:
    """Read a result that its method ``save`` wrote; the suffix says how.

    The numbers are the same doubles that were saved. Raises `InputError`, in one line, for a
    file that does not exist, is truncated, has another layout or was not written by dmft, and
    `MissingExtraError` for .nc without the extra ``io``.

    Examples
    --------
    >>> import dmft, pathlib, tempfile
    >>> path = pathlib.Path(tempfile.mkdtemp(), "result.json")
    >>> dmft.solve("vanilla", g=2).save(path)
    >>> dmft.load(path).status
    <Status.CONVERGED: 'converged'>
    """
    target, source = Path(path), quoted(str(path), 200)
    suffix = target.suffix.lower()
    if suffix not in _READERS:
        raise InputError(
            f"{source} has the suffix {quoted(target.suffix)}{did_you_mean(suffix, _READERS)}; "
            f"dmft.load reads {', '.join(SOLUTION_SUFFIXES)}"
        )
    try:
        if not target.is_file():
            raise InputError(f"{source} is not a file that exists")
        if target.stat().st_size > MAX_BYTES:
            raise InputError(f"{source} has more than {MAX_BYTES >> 20} MB: not written by dmft")
        sheet = _READERS[suffix](target, source)
    except OSError as exc:
        raise InputError(f"{source} cannot be read ({exc.strerror or exc})") from None
    except (MemoryError, ValueError) as exc:
        if isinstance(exc, InputError):
            raise
        raise InputError(f"{source}: {' '.join(str(exc).split())}") from None
    kind = Record(sheet.header, source).kind()
    if kind == Solution.kind:
        return Solution.from_sheet(sheet)
    if kind == BoundaryCurve.kind:
        return BoundaryCurve.from_sheet(sheet)
    if kind == PhaseDiagram.kind:
        return PhaseDiagram.from_sheet(sheet)
    if kind == Scan.kind:
        return Scan.from_sheet(sheet)
    if kind == Transient.kind:
        return Transient.from_sheet(sheet)
    if kind == BranchDiagram.kind:
        return BranchDiagram.from_sheet(sheet)
    raise InputError(
        f"{source} is of the kind {quoted(kind)}; dmft.load reads solution, boundary, branches, phase, scan "
        "and transient"
    )


def _read_json(path: Path, source: str) -> Sheet:
    record = Record(strict_loads(path.read_bytes(), source), source)
    columns: dict[str, Any] = {}
    kind = record.kind()
    if kind == Solution.kind:
        columns = {"lag": record.series("lag"), **record.series_map("autocorrelation")}
        if "standard_error" in record.data:
            errors = record.series_map("standard_error")
            columns |= {f"{name}{ERROR_COLUMN}": values for name, values in errors.items()}
    elif kind == BoundaryCurve.kind:
        points = record.items("points")
        others = record.texts("others") if "others" in record.data else ()
        names = [*record.texts("sweep"), record.text("solve_for"), *others, "error"]
        columns = _numbers(points, names)
        columns["status"] = [point.text("status") for point in points]
        columns["segment"] = [point.number("segment") for point in points]
        for name in TEXT_COLUMNS[1:]:  # not in every file
            if points and name in points[0].data:
                columns[name] = [point.text(name) for point in points]
    elif kind == PhaseDiagram.kind:
        columns = {"region": [v for row in record.rows("region") for v in row]}
    elif kind == Scan.kind:
        points = record.items("points")
        names = [*record.series_map("axes"), *value_names(record.texts("fields"))]
        columns = _numbers(points, names)
        columns |= {name: [point.text(name) for point in points] for name in SCAN_TEXTS}
    elif kind == BranchDiagram.kind:
        columns = dict(record.series_map("columns"))
    elif kind == Transient.kind:
        columns = triangle_columns(record)
    return Sheet(record.data, columns, source)


def _numbers(points: list[Record], names: list[str]) -> dict[str, Any]:
    """Columns of numbers from a list of objects; null becomes NaN."""
    columns = {}
    for name in names:
        values = [point.number_or_none(name) for point in points]
        columns[name] = [math.nan if value is None else value for value in values]
    return columns


_READERS: dict[str, Callable[[Path, str], Sheet]] = {
    ".json": _read_json,
    ".csv": read_csv,
    ".npz": read_archive,
    ".nc": read_netcdf,
}
