"""A scan: stationary solutions on a grid of parameters, in numbers without their lags."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt

from ..errors import InputError
from ..solvers.status import Status
from .frozen import FloatArray, FrozenDict, frozen_array, rebuild
from .record import SCHEMA, Record, strict_json
from .sheet import SCAN_SUFFIXES, SCAN_TEXTS, Sheet

__all__ = ["Scan", "column_names", "units_of", "value_names"]

Texts = npt.NDArray[np.str_]

#: Quantities that every field has, and what is known of a point as a whole.
_PER_FIELD = ("variance", "mean", "limit", "correlation_time")
_ERRORS = ("variance", "lyapunov", "autocorrelation")
_OF_A_POINT = ("lyapunov", "residual", *(f"error_{name}" for name in _ERRORS), "seconds")

_LEAK = "leak time of the first field"


def value_names(field_names: Iterable[str]) -> tuple[str, ...]:
    """Names of the columns of numbers, in their order, axes left out.

    >>> value_names(["x"])[:5]
    ('variance_x', 'mean_x', 'limit_x', 'correlation_time_x', 'lyapunov')
    """
    names = tuple(field_names)
    return (*(f"{quantity}_{name}" for quantity in _PER_FIELD for name in names), *_OF_A_POINT)


def column_names(field_names: Iterable[str]) -> tuple[str, ...]:
    """Names of all columns beside the axes, in the order of a row: numbers, then texts."""
    return (*value_names(field_names), *SCAN_TEXTS)


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Scan:
    """Solutions at every combination of swept parameters; everything in it is read-only.

    Arrays have one dimension per axis, in the order of ``axes``. Times are in units of the leak of
    the model's first field. What is missing is NaN: `status` says why.

    Attributes
    ----------
    model, axes, fixed
        The model, the swept parameters with their values, and the values of all others.
    fields
        Names of the model's fields.
    branch, other_branches
        The branch solved at each point, and those that exist beside it, separated by spaces.
    status, message
        `Status` values as text, and a sentence where there is something to say.
    values
        Name -> numbers: ``variance_``, ``mean_``, ``limit_`` and ``correlation_time_`` followed by
        a field, ``lyapunov``, ``residual``, ``error_variance``, ``error_lyapunov``,
        ``error_autocorrelation``, ``seconds``. Meanings as in `Solution`.
    units
        Units of the columns and parameters that have one.
    options
        ``branch``, ``tol``, ``method``, ``seed`` and ``lyapunov`` as given to `dmft.solve`.
    versions, command, model_hash
        Where the numbers come from.

    Raises
    ------
    ValueError
        When arrays and axes do not fit together: a mistake of the code that builds it.

    Examples
    --------
    >>> from dmft.scans import scan
    >>> found = scan("vanilla", g=[0.5, 2], workers=1)
    >>> found.branch, found.values["variance_x"].round(6)
    (array(['zero', 'chaotic'], dtype='<U7'), array([0.      , 1.924805]))
    """

    model: str
    axes: dict[str, FloatArray]
    fixed: dict[str, float]
    fields: tuple[str, ...]
    branch: Texts
    other_branches: Texts
    status: Texts
    message: Texts
    values: dict[str, FloatArray]
    units: dict[str, str]
    options: dict[str, Any]
    versions: dict[str, str]
    command: str | None
    model_hash: str

    kind: ClassVar[str] = "scan"
    suffixes: ClassVar[tuple[str, ...]] = SCAN_SUFFIXES

    def __post_init__(self) -> None:
        def put(name: str, value: Any) -> None:
            object.__setattr__(self, name, value)

        put("axes", FrozenDict({k: frozen_array(v, k) for k, v in self.axes.items()}))
        put("fields", tuple(self.fields))
        for name in ("fixed", "versions", "units", "options"):
            put(name, FrozenDict(getattr(self, name)))
        for name in SCAN_TEXTS:
            put(name, _grid(getattr(self, name), self.shape, name, np.str_))
        for status in np.unique(self.status):
            Status(status)
        if set(self.values) != set(value_names(self.fields)):
            raise ValueError(f"values: expected {', '.join(value_names(self.fields))}")
        grids = {n: _grid(self.values[n], self.shape, n) for n in value_names(self.fields)}
        put("values", FrozenDict(grids))

    @property
    def shape(self) -> tuple[int, ...]:
        """The number of values on each axis."""
        return tuple(values.size for values in self.axes.values())

    def __len__(self) -> int:
        return math.prod(self.shape)

    @property
    def answered(self) -> npt.NDArray[np.bool_]:
        """True where a point has an answer."""
        good = [str(status) for status in Status if status.is_answer]
        return np.isin(self.status, good)

    @property
    def lyapunov(self) -> FloatArray:
        """The largest Lyapunov exponents."""
        return self.values["lyapunov"]

    @property
    def variance(self) -> dict[str, FloatArray]:
        """Field -> second moments C(0), not centred."""
        return FrozenDict({name: self.values[f"variance_{name}"] for name in self.fields})

    @classmethod
    def from_rows(cls, rows: Sequence[Sequence[Any]], **others: Any) -> Scan:
        """From one row per point in the order of `column_names`, None for a missing number."""
        names = column_names(others["fields"])
        shape = tuple(len(values) for values in others["axes"].values())
        columns = dict(zip(names, zip(*rows, strict=True), strict=True))
        numbers = value_names(others["fields"])
        texts: dict[str, Any] = {
            name: np.array(columns[name], np.str_).reshape(shape) for name in SCAN_TEXTS
        }
        return cls(
            values={name: np.array(columns[name], float).reshape(shape) for name in numbers},
            **texts,
            **others,
        )

    def save(self, path: str | Path) -> None:
        """Write to ``path``; its suffix (.nc, .csv or .json) says how. Read by `dmft.load`.

        The file appears whole or not at all. Raises `InputError` for another suffix or a path that
        cannot be written and `MissingExtraError` for .nc without the extra ``io``.
        """
        from .export import save

        save(self, path)

    def to_json(self) -> str:
        """One strict JSON object, the one that ``dmft scan --json`` prints; missing is null."""
        columns = {name: values.tolist() for name, values in self.to_sheet().columns.items()}
        names = tuple(columns)
        points = [dict(zip(names, row, strict=True)) for row in zip(*columns.values(), strict=True)]
        return strict_json(self._header() | {"points": points})

    def to_xarray(self) -> Any:
        """As an ``xarray.Dataset`` whose dimensions are the axes (extra ``io``)."""
        from .scan_dataset import scan_dataset

        return scan_dataset(self)

    def plot(self, path: str | Path | None = None, *, quantity: str | None = None) -> Any:
        """Lines over one axis or a map over two as a ``matplotlib`` figure (extra ``plot``).

        ``quantity`` is one of the names in ``values``; by default the Lyapunov exponent, or the
        first field's variance where none was computed. With a ``path`` (.png, .svg or .pdf) the
        figure is also saved there. Raises `InputError` for more axes and unknown quantities.
        """
        from .scan_figure import scan_figure

        return scan_figure(self, path, quantity)

    def to_sheet(self) -> Sheet:
        """Header and columns, as stored: one row per point, the last axis innermost."""
        mesh = np.meshgrid(*self.axes.values(), indexing="ij")
        columns = {name: grid.ravel() for name, grid in zip(self.axes, mesh, strict=True)}
        columns |= {name: grid.ravel() for name, grid in self.values.items()}
        texts = {name: getattr(self, name).ravel() for name in SCAN_TEXTS}
        return Sheet(self._header(), {**columns, **texts})

    @classmethod
    def from_sheet(cls, sheet: Sheet) -> Scan:
        """Rebuild from `to_sheet`; `InputError` names what is missing or wrong."""
        record = Record(sheet.header, sheet.source)
        axes = record.series_map("axes")
        names = record.texts("fields")
        columns = sheet.columns
        for name in (*axes, *column_names(names)):
            if name not in columns:
                raise InputError(f"{sheet.source}: the column {name!r} is missing")
        try:
            _check_mesh(axes, columns)
            shape = tuple(len(values) for values in axes.values())
            numbers = {
                name: np.asarray(columns[name], np.float64).reshape(shape)
                for name in value_names(names)
            }
            texts: dict[str, Any] = {
                name: np.asarray(columns[name], np.str_).reshape(shape) for name in SCAN_TEXTS
            }
            return cls(
                model=record.text("model"),
                axes={name: np.array(values) for name, values in axes.items()},
                fixed=record.numbers("fixed"),
                fields=names,
                values=numbers,
                units=record.text_map("units"),
                options=_options(record),
                versions=record.text_map("versions"),
                command=record.text_or_none("command"),
                model_hash=record.text("model_hash"),
                **texts,
            )
        except InputError:
            raise
        except (TypeError, ValueError) as exc:
            raise InputError(f"{sheet.source}: {exc}") from None

    def _header(self) -> dict[str, Any]:
        return {
            "schema": SCHEMA,
            "kind": self.kind,
            "model": self.model,
            "axes": self.axes,
            "fixed": self.fixed,
            "fields": self.fields,
            "units": self.units,
            "options": self.options,
            "versions": self.versions,
            "model_hash": self.model_hash,
            "command": self.command,
        }

    def __reduce__(self) -> tuple[Any, ...]:
        return (
            rebuild,
            (type(self), {item.name: getattr(self, item.name) for item in fields(self)}),
        )

    def __repr__(self) -> str:
        from .display import scan_line

        return f"Scan({scan_line(self)})"

    def _repr_html_(self) -> str:
        from .display import scan_html

        return scan_html(self)


def units_of(field_names: Iterable[str]) -> dict[str, str]:
    """Columns of results that have a unit."""
    times = {f"correlation_time_{name}": _LEAK for name in field_names}
    return {**times, "lyapunov": f"1 / {_LEAK}", "error_lyapunov": f"1 / {_LEAK}", "seconds": "s"}


def _grid(values: Any, shape: tuple[int, ...], name: str, dtype: Any = np.float64) -> Any:
    """A read-only copy of that shape; ValueError names the array otherwise."""
    array = np.array(values, dtype=dtype)
    if array.shape != shape:
        raise ValueError(f"{name}: expected the shape {shape} of the axes, got {array.shape}")
    array.flags.writeable = False
    return array


def _check_mesh(axes: Mapping[str, Sequence[float]], columns: Mapping[str, Any]) -> None:
    """ValueError unless the rows are all points of the axes in their order."""
    if not axes:
        raise ValueError("axes: expected at least one")
    mesh = np.meshgrid(*axes.values(), indexing="ij")
    for name, grid in zip(axes, mesh, strict=True):
        if not np.array_equal(np.asarray(columns[name], np.float64), grid.ravel()):
            raise ValueError(f"{name}: the rows are not the points of the axes in their order")


def _options(record: Record) -> dict[str, Any]:
    """The options, each of its type."""
    value = record.data.get("options")
    inner = Record(value, f"{record.source}: options")
    lyapunov = inner.data.get("lyapunov")
    if not isinstance(lyapunov, bool):
        inner.fail("lyapunov", "true or false")
    return {
        "branch": inner.text("branch"),
        "tol": inner.number("tol"),
        "method": inner.text("method"),
        "seed": inner.integer_or_none("seed"),
        "lyapunov": lyapunov,
    }
