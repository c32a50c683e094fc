"""A transient as header and columns, and back.

Moments are symmetric: the columns hold one row per pair of times t >= t'. What has one number per
time (times, means, kurtosis) is in the header.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from ..errors import InputError
from ..protocol import Change, Protocol, Pulse, Ramp, Step
from ..solvers.status import Status
from ..solvers.two_time_start import FieldStart
from .frozen import FloatArray
from .record import Record
from .sheet import Sheet

__all__ = [
    "TABLES",
    "changes_of",
    "header_of",
    "pairs_of",
    "read_transient",
    "triangle",
    "triangle_columns",
]

#: Tables of pairs of times, and how the names of their columns begin.
TABLES = {"moment": "C_", "standard_error": "standard_error_", "error": "error_"}

_CHANGES: dict[str, type[Step | Ramp | Pulse]] = {"step": Step, "ramp": Ramp, "pulse": Pulse}


def changes_of(changes: Sequence[Change]) -> list[dict[str, Any]]:
    """Changes of a protocol as plain values."""
    names = {kind: name for name, kind in _CHANGES.items()}
    return [{"kind": names[type(change)], **vars(change)} for change in changes]


def header_of(values: Mapping[str, Any]) -> dict[str, Any]:
    """What goes into the header: all but the tables."""
    header = {name: value for name, value in values.items() if name not in TABLES}
    header["start"] = {name: vars(start) for name, start in values["start"].items()}
    return header


def triangle(values: FloatArray) -> list[list[float]]:
    """Rows t with their columns t' <= t."""
    return [row[: n + 1].tolist() for n, row in enumerate(values)]


def pairs_of(time: FloatArray, tables: Mapping[str, Mapping[str, FloatArray]]) -> dict[str, Any]:
    """Columns: both times, then every table of every quantity."""
    later, earlier = np.tril_indices(time.size)
    columns = {"time": time[later], "earlier": time[earlier]}
    for kind, start in TABLES.items():
        columns |= {f"{start}{name}": t[later, earlier] for name, t in tables[kind].items()}
    return columns


def triangle_columns(record: Record) -> dict[str, Any]:
    """The columns from the triangles of a JSON object."""
    time = np.array(record.series("time"), dtype=np.float64)
    columns: dict[str, Any] = {}
    for kind, start in TABLES.items():
        tables = Record(record.data.get(kind), f"{record.source}: {kind}")
        for name in tables.data:
            columns[f"{start}{name}"] = [v for row in tables.rows(name) for v in row]
    _check_size(time.size, columns, record.source)
    return {**pairs_of(time, {kind: {} for kind in TABLES}), **columns}


def _check_size(size: int, columns: Mapping[str, Any], source: str) -> None:
    """Refuse columns of another length before tables of ``size`` times are made."""
    pairs = size * (size + 1) // 2
    for name, values in columns.items():
        if len(values) != pairs:
            raise InputError(
                f"{source}: {name} has {len(values)} values, {size} times need {pairs}"
            )
    if pairs and not columns:
        raise InputError(f"{source}: the moments are missing")


def read_transient(sheet: Sheet) -> dict[str, Any]:
    """The values from which a `Transient` is built. Raises `InputError`, or ValueError without a source."""
    record = Record(sheet.header, sheet.source)
    time = np.array(record.series("time"), dtype=np.float64)
    mean = record.series_map("mean")
    _check_size(time.size, sheet.columns, sheet.source)
    tables = {
        kind: {name: _square(sheet, f"{start}{name}", time.size) for name in mean}
        for kind, start in TABLES.items()
    }
    expected = pairs_of(time, {kind: {} for kind in TABLES})
    for name in ("time", "earlier"):
        if not np.array_equal(np.asarray(sheet.columns.get(name), np.float64), expected[name]):
            raise ValueError(f"{name}: the rows are not the pairs of times in their order")
    parameters = record.numbers("parameters")
    changes = tuple(_change(item) for item in record.items("changes"))
    try:
        Protocol(parameters, changes)
    except InputError as exc:
        raise InputError(f"{sheet.source}: {exc}") from None
    return {
        "model": record.text("model"),
        "parameters": parameters,
        "changes": changes,
        "start": _starts(record),
        "status": record.member("status", Status),
        "message": record.text("message"),
        "time": time,
        **tables,
        "mean": mean,
        "mean_error": record.series_map("mean_error"),
        "kurtosis": record.series_map("kurtosis"),
        "error_estimate": record.numbers_or_none("error_estimate"),
        "paths": _whole(record, "paths"),
        "populations": _whole(record, "populations"),
        "precision": record.number("precision"),
        "seed": _whole(record, "seed"),
        "versions": record.text_map("versions"),
        "seconds": record.number("seconds"),
        "command": record.text_or_none("command"),
        "model_hash": record.text("model_hash"),
    }


def _square(sheet: Sheet, name: str, size: int) -> FloatArray:
    """The symmetric table whose lower triangle is a column."""
    if name not in sheet.columns:
        raise InputError(f"{sheet.source}: the column {name!r} is missing")
    table = np.empty((size, size))
    later, earlier = np.tril_indices(size)
    values = np.asarray(sheet.columns[name], dtype=np.float64)
    table[later, earlier] = table[earlier, later] = values
    return table


def _whole(record: Record, key: str) -> int:
    value = record.integer_or_none(key)
    return record.fail(key, "a whole number") if value is None else value


def _change(item: Record) -> Change:
    kind, parameter, value = item.text("kind"), item.text("parameter"), item.number("value")
    if kind not in _CHANGES:
        item.fail("kind", f"one of {', '.join(_CHANGES)}")
    if kind == "step":
        return Step(parameter, item.number("time"), value)
    span: type[Ramp | Pulse] = Ramp if kind == "ramp" else Pulse
    return span(parameter, item.number("start"), item.number("end"), value)


def _starts(record: Record) -> dict[str, FieldStart]:
    given = Record(record.data.get("start"), f"{record.source}: start")
    found = {}
    for name in given.data:
        one = Record(given.data[name], f"{given.source}: {name}")
        distribution: Any = one.text("distribution")  # checked by `FieldStart`
        try:
            found[str(name)] = FieldStart(one.number("variance"), one.number("mean"), distribution)
        except InputError as exc:
            raise InputError(f"{given.source}: {name}: {exc}") from None
    return found
