"""CSV files: lines ``# key: value``, then a table with a line of names.

A header value is JSON where it parses as JSON and plain text otherwise, so both people and
programs can read it. An empty cell is a missing number.
"""

from __future__ import annotations

import csv
import json
import math
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from ..errors import InputError, quoted
from ..parameters import parse_number
from .record import strict_json
from .sheet import Sheet, Storable, text_columns

__all__ = ["read_csv", "write_csv"]


def write_csv(result: Storable, path: Path) -> None:
    """Write header and columns; numbers with all digits."""
    sheet = result.to_sheet()
    columns = [_cells(values) for values in sheet.columns.values()]
    with path.open("x", encoding="utf-8", newline="") as file:
        for key, value in sheet.header.items():
            file.write(f"# {key}: {_header_text(value)}\n")
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(sheet.columns)
        writer.writerows(zip(*columns, strict=True))


def read_csv(path: Path, source: str) -> Sheet:
    """Read what `write_csv` wrote; `InputError` names the line or column that does not fit."""
    header: dict[str, Any] = {}
    table: list[list[str]] = []
    with path.open(encoding="utf-8", newline="") as file:
        for line in file:
            if not line.startswith("#"):
                try:
                    table = list(csv.reader([line, *file], strict=True))
                except csv.Error as exc:
                    raise InputError(f"{source}: not a table ({exc})") from None
                break
            key, colon, value = line[1:].strip().partition(": ")
            if not colon or key in header:
                raise InputError(f"{source}: header line {quoted(line)} is not '# key: value'")
            header[key] = _header_value(value)
    if not table or len(set(table[0])) != len(table[0]):
        raise InputError(f"{source}: no line of distinct column names after the header")
    names, rows = table[0], table[1:]
    for number, row in enumerate(rows, start=len(header) + 2):
        if len(row) != len(names):
            raise InputError(
                f"{source}: line {number} has {len(row)} cells instead of {len(names)}"
            )
    cells: Iterable[tuple[str, ...]] = zip(*rows, strict=True) if rows else [()] * len(names)
    texts = text_columns(header)
    columns = {
        name: list(column) if name in texts else _numbers(column, f"{source}: {name}")
        for name, column in zip(names, cells, strict=True)
    }
    return Sheet(header, columns, source)


def _cells(values: Any) -> list[str]:
    return [
        "" if isinstance(value, float) and not math.isfinite(value) else str(value)
        for value in values.tolist()
    ]


def _numbers(cells: tuple[str, ...], name: str) -> list[float]:
    return [math.nan if cell == "" else parse_number(cell, name) for cell in cells]


def _header_text(value: Any) -> str:
    if isinstance(value, str):
        text = str(value)
        # The one rule that makes reading unambiguous: plain text must not look like JSON.
        if text and text.isprintable() and text == text.strip() and _header_value(text) == text:
            return text
    return strict_json(value)


def _header_value(text: str) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return text
