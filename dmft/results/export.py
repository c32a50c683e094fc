"""Results to files: JSON, CSV, NumPy archives, NetCDF. What is written, `dmft.load` reads back.

Numbers are written such that reading returns the same doubles. Layouts:

- .json: the object that the command line prints with --json;
- .csv: `dmft.results.csvtable`;
- .npz: `dmft.results.archive`;
- .nc: `dmft.results.netcdf`.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from ..output import check_output, write_whole
from .archive import write_archive
from .csvtable import write_csv
from .netcdf import write_netcdf
from .sheet import Storable

__all__ = ["save"]


def save(result: Storable, path: str | Path, *, option: str = "output") -> None:
    """Write ``result`` to ``path`` in the format of its suffix, whole or not at all."""
    target = check_output(path, result.suffixes, option=option)
    writer = _WRITERS[target.suffix.lower()]
    write_whole(target, lambda temporary: writer(result, temporary), option=option)


def _write_json(result: Storable, path: Path) -> None:
    with path.open("x", encoding="ascii", newline="\n") as file:
        file.write(result.to_json() + "\n")


_WRITERS: dict[str, Callable[[Storable, Path], None]] = {
    ".json": _write_json,
    ".csv": write_csv,
    ".npz": write_archive,
    ".nc": write_netcdf,
}
