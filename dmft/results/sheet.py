"""The form in which every result is stored: a header of plain values and equally long columns."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

__all__ = [
    "BRANCHES_SUFFIXES",
    "CURVE_SUFFIXES",
    "ERROR_COLUMN",
    "MAX_BYTES",
    "PHASE_SUFFIXES",
    "SCAN_SUFFIXES",
    "SCAN_TEXTS",
    "SOLUTION_SUFFIXES",
    "TEXT_COLUMNS",
    "TRANSIENT_SUFFIXES",
    "Sheet",
    "Storable",
    "text_columns",
]

SOLUTION_SUFFIXES = (".nc", ".csv", ".json", ".npz")
BRANCHES_SUFFIXES = (".csv", ".json", ".nc")
CURVE_SUFFIXES = (".csv", ".json", ".nc")
PHASE_SUFFIXES = (".nc", ".csv", ".json")
SCAN_SUFFIXES = (".nc", ".csv", ".json")
TRANSIENT_SUFFIXES = (".nc", ".csv", ".json")

#: Ends the names of columns that hold standard errors.
ERROR_COLUMN = "_error"

#: Columns that hold text; all others are numbers. A scan has more of them.
TEXT_COLUMNS = ("status", "point_kind", "enclosure")
SCAN_TEXTS = ("branch", "status", "other_branches", "message")

#: Files above this size, unpacked, are refused: a solution has some hundred kilobytes.
MAX_BYTES = 1 << 30


def text_columns(header: Mapping[str, Any]) -> tuple[str, ...]:
    """Columns that hold text in a file with this header."""
    return SCAN_TEXTS if header.get("kind") == "scan" else TEXT_COLUMNS


@dataclass(frozen=True, slots=True)
class Sheet:
    """Header (JSON values, with ``schema`` and ``kind``) and columns (numbers, or texts)."""

    header: Mapping[str, Any]
    columns: Mapping[str, Any]
    source: str = "result"


class Storable(Protocol):
    """What `dmft.results.export` needs of a result."""

    @property
    def suffixes(self) -> tuple[str, ...]: ...

    def to_json(self) -> str: ...

    def to_sheet(self) -> Sheet: ...

    def to_xarray(self) -> Any: ...

    def save(self, path: str | Path) -> None: ...
