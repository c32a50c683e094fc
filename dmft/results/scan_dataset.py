"""A scan as an xarray object (extra ``io``): the axes are dimensions, every column a variable.

The attribute ``header`` holds the same JSON header as the other formats.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from ..errors import MissingExtraError
from .record import strict_json
from .sheet import SCAN_TEXTS

if TYPE_CHECKING:
    from .scan import Scan

__all__ = ["scan_columns", "scan_dataset"]

#: Beginning of a column's name -> what it holds.
_LONG_NAMES = {
    "variance_": "second moment <x(t)^2> of ",
    "mean_": "mean <x(t)> of ",
    "limit_": "autocorrelation at infinite lag of ",
    "correlation_time_": "correlation time of ",
    "lyapunov": "largest Lyapunov exponent",
    "residual": "violation of the stationary equations over C(0) of the first field",
    "error_": "estimated error of ",
    "seconds": "computing time",
}


def scan_dataset(scan: Scan) -> Any:
    """One dimension per axis; fixed parameters as scalar coordinates."""
    try:
        import xarray
    except ImportError:
        raise MissingExtraError("data sets", "io") from None
    dims = tuple(scan.axes)
    header = scan.to_sheet().header

    def unit(name: str) -> dict[str, str]:
        return {"units": scan.units[name]} if name in scan.units else {}

    numbers = {
        name: (dims, grid, {"long_name": _long_name(name), **unit(name)})
        for name, grid in scan.values.items()
    }
    texts = {name: (dims, getattr(scan, name).astype(object)) for name in SCAN_TEXTS}
    history = {"history": scan.command} if scan.command else {}
    return xarray.Dataset(
        data_vars=numbers | texts,
        coords={
            **{name: (name, values, unit(name)) for name, values in scan.axes.items()},
            **{name: ((), value, unit(name)) for name, value in scan.fixed.items()},
        },
        attrs={
            "kind": scan.kind,
            "model": scan.model,
            **history,
            "source": f"dmft {scan.versions.get('dmft', '')}".strip(),
            "header": strict_json(header),
        },
    )


def scan_columns(dataset: Any) -> dict[str, Any]:
    """Columns of a data set that `scan_dataset` made: grids flattened, the last axis innermost."""
    dims = tuple(next(iter(dataset.data_vars.values())).dims)
    mesh = np.meshgrid(*(dataset[name].values for name in dims), indexing="ij")
    columns = {str(name): grid.ravel() for name, grid in zip(dims, mesh, strict=True)}
    for name, variable in dataset.data_vars.items():
        if variable.dims != dims:
            raise ValueError(f"{name} has other dimensions than the axes")
        columns[str(name)] = variable.values.ravel()
    return columns


def _long_name(name: str) -> str:
    for beginning, words in _LONG_NAMES.items():
        if name.startswith(beginning):
            return words + name.removeprefix(beginning)
    return name
