"""NumPy archives: an array per column, and ``header`` with the JSON of the rest; no pickle."""

from __future__ import annotations

import zipfile
import zlib
from pathlib import Path
from typing import Any

import numpy as np

from ..errors import InputError, quoted
from .record import strict_json, strict_loads
from .sheet import MAX_BYTES, TEXT_COLUMNS, Sheet, Storable

__all__ = ["read_archive", "write_archive"]


def write_archive(result: Storable, path: Path) -> None:
    """Write header and columns."""
    sheet = result.to_sheet()
    arrays: dict[str, Any] = {"header": np.array(strict_json(sheet.header)), **sheet.columns}
    with path.open("xb") as file:
        np.savez(file, allow_pickle=False, **arrays)


def read_archive(path: Path, source: str) -> Sheet:
    """Read what `write_archive` wrote; never unpickles, never unpacks more than `MAX_BYTES`."""
    try:
        with zipfile.ZipFile(path) as archive:
            size = sum(member.file_size for member in archive.infolist())
        if size > MAX_BYTES:
            raise InputError(f"{source} unpacks to {size >> 20} MB: not written by dmft")
        with np.load(path, allow_pickle=False) as stored:
            arrays = {name: stored[name] for name in stored.files}
    except InputError:
        raise
    except (
        zipfile.BadZipFile,
        zlib.error,
        EOFError,
        KeyError,
        MemoryError,
        NotImplementedError,
        RuntimeError,
        ValueError,
    ) as exc:
        reason = " ".join(str(exc).split())[:80]
        raise InputError(f"{source}: damaged or not a NumPy archive ({reason})") from None
    for name, array in arrays.items():
        if not isinstance(array, np.ndarray):  # members that are no arrays come back as bytes
            raise InputError(f"{source}: {quoted(name)} is not an array")
    header = arrays.pop("header", None)
    if header is None or header.dtype.kind != "U" or header.ndim != 0:
        raise InputError(f"{source}: no header; not a file written by dmft")
    for name, array in arrays.items():
        if array.ndim != 1 or array.dtype.kind not in ("U" if name in TEXT_COLUMNS else "fiu"):
            raise InputError(f"{source}: {quoted(name)} is not a list of numbers")
    return Sheet(strict_loads(header.item(), f"{source}: header"), arrays, source)
