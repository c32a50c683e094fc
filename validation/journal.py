"""What was simulated already, kept by content: an interrupted run resumes, a repeated one is free.

One file of JSON lines per case; each line is a key and a value. The key is a hash of everything that
determines the value (model, parameters, settings, seed, versions), so that a changed setting is a new
line and never a wrong answer. Lines are appended whole; a last line cut off by a crash is ignored.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from dmft.errors import InputError, quoted

__all__ = ["Journal", "key_of"]


def key_of(content: Mapping[str, Any]) -> str:
    """A hash of JSON values, independent of the order of names.

    >>> key_of({"n": 200, "g": 2.0}) == key_of({"g": 2.0, "n": 200})
    True
    """
    text = json.dumps(content, sort_keys=True, separators=(",", ":"), allow_nan=False)
    return hashlib.sha256(text.encode()).hexdigest()[:24]


@dataclass
class Journal:
    """Values by key, in memory and, with a ``path``, in a file that grows line by line."""

    path: Path | None = None
    _known: dict[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if self.path is None:
            return
        try:
            text = self.path.read_text(encoding="utf-8") if self.path.exists() else ""
        except (OSError, UnicodeDecodeError) as error:
            raise InputError(f"{quoted(str(self.path), 200)} cannot be read ({error})") from None
        for line in text.splitlines(keepends=True):
            entry = _entry(line)
            if entry is not None:
                self._known[entry[0]] = entry[1]

    def __contains__(self, key: str) -> bool:
        return key in self._known

    def __getitem__(self, key: str) -> Any:
        return self._known[key]

    def put(self, key: str, value: Any) -> None:
        """Keep a value; it is on disk before this returns."""
        line = json.dumps({"key": key, "value": value}, separators=(",", ":"))
        self._known[key] = json.loads(line)["value"]
        if self.path is None:
            return
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            with self.path.open("a", encoding="utf-8") as file:
                if file.tell() and not self._ends_whole():
                    file.write("\n")
                file.write(line + "\n")
                file.flush()
                os.fsync(file.fileno())
        except OSError as error:
            reason = error.strerror or str(error)
            raise InputError(
                f"{quoted(str(self.path), 200)} cannot be written ({reason}); what it holds is kept: "
                "make room and give the same command again"
            ) from None

    def remember(self, content: Mapping[str, Any], compute: Callable[[], Any]) -> Any:
        """The value for ``content``, computed only if it is not there yet."""
        key = key_of(content)
        if key not in self._known:
            self.put(key, compute())
        return self._known[key]

    def _ends_whole(self) -> bool:
        assert self.path is not None
        with self.path.open("rb") as file:
            file.seek(-1, os.SEEK_END)
            return file.read(1) == b"\n"


def _entry(line: str) -> tuple[str, Any] | None:
    """Key and value of a line; None for one that is not whole."""
    if not line.endswith("\n"):
        return None
    try:
        found = json.loads(line)
        return str(found["key"]), found["value"]
    except (ValueError, LookupError, TypeError, RecursionError):
        return None
