"""Labelled data sets: results as xarray objects and NetCDF4 files (extra ``io``).

Variables carry long names and units. The attribute ``header`` holds the same JSON header as the
other formats; reading a file back uses it and the arrays, the remaining attributes and the scalar
coordinates (one per parameter, ready for ``xarray.concat``) are there for people.
"""

from __future__ import annotations

import math
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from ..errors import InputError, MissingExtraError
from ..output import require_extra
from .phase_dataset import phase_columns
from .record import strict_json, strict_loads
from .scan_dataset import scan_columns
from .sheet import ERROR_COLUMN, Sheet, Storable
from .transient_dataset import transient_columns

if TYPE_CHECKING:
    from .branches import BranchDiagram
    from .curve import BoundaryCurve
    from .solution import Solution

__all__ = ["branches_dataset", "curve_dataset", "read_netcdf", "solution_dataset", "write_netcdf"]

_TIME = "leak time of the first field"


def _xarray(purpose: str) -> Any:
    try:
        import xarray
    except ImportError:
        raise MissingExtraError(purpose, "io") from None
    return xarray


def solution_dataset(solution: Solution) -> Any:
    """Dimensions quantity, field and lag; parameters as scalar coordinates."""
    xarray = _xarray("data sets")
    quantities = list(solution.autocorrelation)
    stacked = np.array([solution.autocorrelation[name] for name in quantities], dtype=np.float64)
    field_names = list(solution.variance)

    def per_field(values: dict[str, float | None]) -> list[float]:
        return [_nan(values.get(name)) for name in field_names]

    return xarray.Dataset(
        data_vars={
            "autocorrelation": (
                ("quantity", "lag"),
                stacked.reshape(len(quantities), solution.lag.size),
                {"long_name": "autocorrelation <x(t) x(t + lag)>, not centred"},
            ),
            **_standard_errors(solution, quantities),
            "variance": (
                "field",
                per_field(solution.variance),
                {"long_name": "second moment <x(t)^2>"},
            ),
            "mean": ("field", per_field(solution.mean), {"long_name": "mean <x(t)>"}),
            "limit": (
                "field",
                per_field(solution.limit),
                {"long_name": "autocorrelation at infinite lag"},
            ),
            "correlation_time": (
                "field",
                per_field(solution.correlation_time),
                {"long_name": "correlation time", "units": _TIME},
            ),
            "lyapunov": (
                (),
                _nan(solution.lyapunov),
                {"long_name": "largest Lyapunov exponent", "units": f"1 / {_TIME}"},
            ),
        },
        coords={
            "quantity": np.array(quantities, dtype=object),
            "field": np.array(field_names, dtype=object),
            "lag": ("lag", solution.lag, {"long_name": "lag", "units": _TIME}),
            **{name: ((), value) for name, value in solution.parameters.items()},
        },
        attrs=_attributes(solution, "branch", "status", "message"),
    )


def _standard_errors(solution: Solution, quantities: list[str]) -> dict[str, Any]:
    """Standard errors of C where it was sampled; NaN for a quantity without one."""
    if not solution.standard_error:
        return {}
    none = np.full(solution.lag.size, math.nan)
    stacked = np.array([solution.standard_error.get(name, none) for name in quantities])
    description = {"long_name": "standard error of the autocorrelation"}
    return {"standard_error": (("quantity", "lag"), stacked, description)}


def curve_dataset(curve: BoundaryCurve) -> Any:
    """Dimension point; fixed parameters as scalar coordinates."""
    xarray = _xarray("data sets")
    error = {"long_name": f"estimated error of {curve.solve_for}"}
    return xarray.Dataset(
        data_vars={
            **{name: ("point", values) for name, values in curve.columns.items()},
            "error": ("point", curve.error, error),
            "status": ("point", np.array(curve.status, dtype=object)),
            "segment": ("point", curve.segment),
            **{name: ("point", values) for name, values in curve.others.items()},
            **{
                name: ("point", np.array(values, dtype=object))
                for name, values in (
                    ("point_kind", curve.point_kind),
                    ("enclosure", curve.enclosure),
                )
                if values
            },
        },
        coords={name: ((), value) for name, value in curve.fixed.items()},
        attrs=_attributes(curve, "boundary", "solve_for", "message"),
    )


def branches_dataset(diagram: BranchDiagram) -> Any:
    """Dimension point, ``branch`` the number of its branch; fixed parameters as scalar coordinates."""
    columns = diagram.to_sheet().columns
    return _xarray("data sets").Dataset(
        data_vars={name: ("point", values) for name, values in columns.items()},
        coords={name: ((), value) for name, value in diagram.fixed.items()},
        attrs=_attributes(diagram, "along", "message"),
    )


def _attributes(result: Any, *names: str) -> dict[str, str]:
    header = result.to_sheet().header
    attributes = {name: str(header[name]) for name in ("kind", "model", *names)}
    if header["command"]:
        attributes["history"] = header["command"]
    return {
        **attributes,
        "source": f"dmft {header['versions'].get('dmft', '')}".strip(),
        "header": strict_json(header),
    }


def _nan(value: float | None) -> float:
    return math.nan if value is None else value


def write_netcdf(result: Storable, path: Path) -> None:
    """Write the data set as NetCDF4."""
    require_extra(".nc")
    result.to_xarray().to_netcdf(path, engine="h5netcdf")


def read_netcdf(path: Path, source: str) -> Sheet:
    """Header and columns of a file that `write_netcdf` wrote."""
    require_extra(".nc")
    xarray = _xarray("NetCDF files")
    try:
        with xarray.open_dataset(path, engine="h5netcdf", decode_times=False) as dataset:
            dataset.load()
            header = strict_loads(_text(dataset.attrs["header"]), f"{source}: header")
            kind = header.get("kind") if isinstance(header, dict) else None
            columns = _READERS.get(str(kind), _columns)
            return Sheet(header, columns(dataset), source)
    except InputError:
        raise
    except Exception as exc:  # whatever a foreign or damaged file makes the HDF5 stack raise
        reason = " ".join(str(exc).split())[:80]
        raise InputError(f"{source}: not a NetCDF file written by dmft ({reason})") from None


def _columns(dataset: Any) -> dict[str, Any]:
    if "autocorrelation" not in dataset:
        return {
            str(name): variable.values
            for name, variable in dataset.data_vars.items()
            if variable.dims == ("point",)
        }
    stacked = dataset["autocorrelation"].transpose("quantity", "lag")
    names = [str(name) for name in dataset["quantity"].values]
    values = np.asarray(stacked.values, dtype=np.float64)
    columns = {"lag": dataset["lag"].values, **dict(zip(names, values, strict=True))}
    if "standard_error" in dataset:
        errors = dataset["standard_error"].transpose("quantity", "lag").values
        for name, row in zip(names, np.asarray(errors, dtype=np.float64), strict=True):
            if not np.isnan(row).all():
                columns[f"{name}{ERROR_COLUMN}"] = row
    return columns


_READERS = {"phase": phase_columns, "scan": scan_columns, "transient": transient_columns}


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise TypeError("the header is no text")
    return value
