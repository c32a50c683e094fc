"""Where a long two-time computation leaves its work: a folder of .npz files, one a population and stage.

Every file bears the hash of all inputs; files of another computation are refused, not overwritten. Arrays
are read without pickle.
"""

from __future__ import annotations

import hashlib
import json
import os
import tempfile
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dmft.errors import InputError, quoted

__all__ = ["GOES_ON", "Checkpoint", "fingerprint"]

#: What to do with a folder when work ended early.
GOES_ON = "with a checkpoint folder the same call goes on from where it was"

Arrays = Mapping[str, NDArray[Any]]

_HASH = "inputs"


def fingerprint(*parts: object) -> str:
    """SHA-256 of everything that decides the numbers: arrays by their bytes, the rest as JSON."""
    digest = hashlib.sha256()
    for part in parts:
        if isinstance(part, np.ndarray):
            digest.update(f"{part.dtype} {part.shape}".encode() + part.tobytes())
        else:
            digest.update(json.dumps(part, sort_keys=True).encode())
        digest.update(b"\n")
    return digest.hexdigest()


@dataclass(frozen=True)
class Checkpoint:
    """A folder for one computation; ``inputs`` is its fingerprint."""

    folder: Path
    inputs: str

    def _path(self, stage: str) -> Path:
        return self.folder / f"{stage}.npz"

    def load(self, stage: str) -> dict[str, NDArray[Any]] | None:
        """The arrays of a stage, None when there are none. Raises `InputError` for foreign files."""
        path = self._path(stage)
        if not path.exists():
            return None
        try:
            with np.load(path, allow_pickle=False) as file:
                arrays = {name: file[name] for name in file.files}
        except (OSError, ValueError, zipfile.BadZipFile, EOFError) as error:
            raise InputError(
                f"checkpoint {quoted(str(path))} cannot be read ({type(error).__name__}); delete it or "
                "choose another folder"
            ) from None
        found = arrays.pop(_HASH, None)
        if found is None or str(found) != self.inputs:
            raise InputError(
                f"checkpoint {quoted(str(path))} belongs to a computation with other inputs; choose "
                "another folder"
            )
        return arrays

    def save(self, stage: str, arrays: Arrays) -> None:
        """Write a stage, whole or not at all."""
        self.folder.mkdir(parents=True, exist_ok=True)
        handle, temporary = tempfile.mkstemp(dir=self.folder, suffix=".tmp")
        try:
            with os.fdopen(handle, "wb") as file:
                np.savez(file, allow_pickle=False, **{_HASH: np.array(self.inputs)}, **arrays)
            Path(temporary).replace(self._path(stage))
        except BaseException:
            Path(temporary).unlink(missing_ok=True)
            raise
