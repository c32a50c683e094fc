"""The journal of a scan: finished pieces on disk, so that an interrupted run loses none.

A text file beside the output, ``NAME.partial.jsonl``. Its first line says which scan it belongs to,
every further line holds the rows of one piece as JSON. A line is written in one go and handed to the
disk before the next piece is waited for; what a crash or a full disk cut short is the last line,
which has no end and is ignored. Nothing read from it is executed.
"""

from __future__ import annotations

import contextlib
import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ..errors import DmftError, InputError, quoted
from ..results.record import strict_json
from ..results.scan import value_names
from ..solvers.status import Status
from .point import Row
from .problem import ScanProblem

__all__ = ["Journal", "journal_path"]

#: Version of the layout. It is part of the first line.
_SCHEMA = 1
_KIND = "scan-journal"
_BEGINNING = b'{"kind": "scan-journal"'

#: Parts of a request that can differ, in words.
_PARTS = {
    "model": "model",
    "model_hash": "model",
    "axes": "swept values",
    "fixed": "parameters",
    "options": "options",
    "versions": "versions of the software",
}


def journal_path(output: Path) -> Path:
    """Where the journal of a scan with this output lies.

    >>> journal_path(Path("scan.nc")).name
    'scan.nc.partial.jsonl'
    """
    return output.with_name(output.name + ".partial.jsonl")


class Journal:
    """The journal of one scan. The file appears with the first finished piece."""

    def __init__(self, path: Path, problem: ScanProblem) -> None:
        self.path = path
        self._problem = problem
        self._whole = 0  # bytes of the lines that are whole

    def read(self) -> dict[int, list[Row]]:
        """Start -> rows of the pieces on disk.

        Raises `InputError` for a file that is no journal, is damaged, or belongs to another scan.
        """
        try:
            content = self.path.read_bytes()
        except FileNotFoundError:
            return {}
        except OSError as exc:
            raise InputError(f"{self._name} cannot be read ({exc.strerror})") from None
        *lines, _ = content.split(b"\n")
        if not lines:
            if content.startswith(_BEGINNING) or _BEGINNING.startswith(content):
                return {}  # cut short in its first line
            raise self._refusal("is not a journal of dmft")
        self._check_first(lines[0])
        pieces = {piece.start: len(piece) for piece in self._problem.pieces}
        found: dict[int, list[Row]] = {}
        for number, line in enumerate(lines[1:], start=2):
            start, rows = self._piece(line, number)
            if pieces.get(start) != len(rows):
                raise self._refusal(f"is damaged in line {number}")
            found.setdefault(start, rows)
        self._whole = len(content) - len(content.rpartition(b"\n")[2])
        return found

    def append(self, start: int, rows: list[Row]) -> None:
        """Add a piece; it is on disk on return. Raises `DmftError` when the disk refuses."""
        text = strict_json({"start": start, "rows": rows}) + "\n"
        if not self._whole:
            text = self._first() + "\n" + text
        line = text.encode("ascii")
        try:
            with self.path.open("r+b" if self.path.exists() else "xb") as file:
                file.truncate(self._whole)
                file.seek(self._whole)
                file.write(line)
                file.flush()
                os.fsync(file.fileno())
        except OSError as exc:
            reason = (exc.strerror or str(exc)).lower()
            raise DmftError(f"the journal {self._name} cannot be written ({reason})") from None
        self._whole += len(line)

    def remove(self) -> None:
        """The result is saved: the journal has served."""
        with contextlib.suppress(OSError):
            self.path.unlink(missing_ok=True)

    @property
    def _name(self) -> str:
        return quoted(str(self.path), 200)

    def _refusal(self, reason: str) -> InputError:
        return InputError(
            f"{self._name} {reason}; delete or rename that file to start this scan from its beginning"
        )

    def _first(self) -> str:
        request = self._problem.request
        return strict_json(
            {"kind": _KIND, "schema": _SCHEMA, "key": self._problem.key, "request": request}
        )

    def _check_first(self, line: bytes) -> None:
        first = _object(line)
        if first is None or first.get("kind") != _KIND:
            raise self._refusal("is not a journal of dmft")
        if first.get("schema") != _SCHEMA:
            raise self._refusal("has the layout of another version of dmft")
        if first.get("key") == self._problem.key:
            return
        there, here = first.get("request"), self._problem.request
        differing = [
            words
            for part, words in _PARTS.items()
            if not isinstance(there, Mapping) or there.get(part) != here[part]
        ]
        what = ", ".join(dict.fromkeys(differing)) or "order of the axes"
        raise InputError(
            f"{self._name} is the journal of another scan (differs in: {what}); finish that scan "
            "with its own command, or delete or rename that file to start this one"
        )

    def _piece(self, line: bytes, number: int) -> tuple[int, list[Row]]:
        data = _object(line)
        if data is not None:
            start, rows = data.get("start"), data.get("rows")
            numbers = len(value_names(self._problem.fields))
            if (
                type(start) is int
                and isinstance(rows, list)
                and all(_is_row(row, numbers) for row in rows)
            ):
                return start, rows
        raise self._refusal(f"is damaged in line {number}")


def _object(line: bytes) -> dict[str, Any] | None:
    """A JSON object, or None."""
    try:
        data = json.loads(line)
    except (ValueError, RecursionError):
        return None
    return data if isinstance(data, dict) else None


def _is_row(row: Any, numbers: int) -> bool:
    """Numbers or null, then branch, status, other branches and message."""
    return (
        isinstance(row, list)
        and len(row) == numbers + 4
        and all(value is None or type(value) in (int, float) for value in row[:numbers])
        and all(isinstance(value, str) for value in row[numbers:])
        and row[numbers + 1] in list(Status)
    )
