"""A boundary between regimes: a curve of located points, each with error and status."""

from __future__ import annotations

from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt

from ..errors import InputError
from ..solvers.status import Status
from .frozen import FloatArray, FrozenDict, frozen_array, frozen_arrays, rebuild
from .record import SCHEMA, Record, strict_json
from .sheet import CURVE_SUFFIXES, Sheet

__all__ = ["BoundaryCurve"]

#: Columns beside those of the parameters; the last ones only where there is something to say.
_JUDGEMENT = ("error", "status", "segment")
_KIND, _ENCLOSURE = "point_kind", "enclosure"


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class BoundaryCurve:
    """Points of a boundary in the plane (or space) of parameters; everything is read-only.

    Attributes
    ----------
    model, boundary, solve_for
        The model, the boundary's name and the parameter that was solved for.
    sweep, fixed
        Names of the swept parameters, and the values of all others.
    columns
        Swept parameters, then ``solve_for``, each of shape (n,); NaN where there is no answer.
    error
        Estimated error of the solved parameter, shape (n,); NaN if unknown.
    status
        One `Status` value per point, as text: "converged" is a fold or a sign change located to
        the tolerance, "continuous" a branch that is born continuously there.
    segment
        Integers, shape (n,): points of the same number lie on one connected piece.
    versions, tolerance, command, seconds, model_hash, message
        Where the numbers come from; the message names cusps and ends of the curve.
    point_kind
        What each point is ("fold", "continuous", "cusp", ...), or nothing.
    others
        Further unknowns that the boundary fixes, each of shape (n,).
    enclosure
        Proved intervals of the solved parameter as decimal strings, or nothing.

    Raises
    ------
    ValueError
        When the columns do not fit together: a mistake of the code that builds it.

    Examples
    --------
    >>> import dmft
    >>> curve = dmft.boundary("gated", "zero-state", solve_for="g_h", beta_r=[0, 1])
    >>> curve.columns["g_h"].round(6)
    array([2.      , 3.718282])
    """

    model: str
    boundary: str
    solve_for: str
    sweep: tuple[str, ...]
    fixed: dict[str, float]
    columns: dict[str, FloatArray]
    error: FloatArray
    status: tuple[str, ...]
    segment: npt.NDArray[np.int64]
    versions: dict[str, str]
    tolerance: float
    command: str | None
    seconds: float
    model_hash: str
    message: str
    point_kind: tuple[str, ...] = ()
    others: dict[str, FloatArray] = field(default_factory=dict)
    enclosure: tuple[str, ...] = ()

    kind: ClassVar[str] = "boundary"
    suffixes: ClassVar[tuple[str, ...]] = CURVE_SUFFIXES

    def __post_init__(self) -> None:
        def put(name: str, value: Any) -> None:
            object.__setattr__(self, name, value)

        put("sweep", tuple(self.sweep))
        put("status", tuple(str(Status(status)) for status in self.status))
        size = len(self.status)
        put("columns", frozen_arrays(self.columns, size, "status"))
        put("error", frozen_array(self.error, "error"))
        put("segment", frozen_array(self.segment, "segment", np.int64))
        put("others", frozen_arrays(self.others, size, "status"))
        for name in (_KIND, _ENCLOSURE):
            texts = tuple(str(text) for text in getattr(self, name))
            put(name, texts)
            if texts and len(texts) != size:
                raise ValueError(f"{name}: {len(texts)} values, but {size} of status")
        for name in ("fixed", "versions"):
            put(name, FrozenDict(getattr(self, name)))
        if tuple(self.columns) != (*self.sweep, self.solve_for):
            raise ValueError(
                f"columns: {', '.join(self.columns)}; expected "
                f"{', '.join((*self.sweep, self.solve_for))}"
            )
        if self.error.size != size or self.segment.size != size:
            raise ValueError("error, status and segment differ in length")

    def __len__(self) -> int:
        return len(self.status)

    @property
    def answered(self) -> npt.NDArray[np.bool_]:
        """True where a point has an answer (converged or continuous), shape (n,)."""
        return np.array([Status(status).is_answer for status in self.status], dtype=bool)

    def save(self, path: str | Path) -> None:
        """Write to ``path``; its suffix (.csv, .json or .nc) says how. Read by `dmft.load`.

        The file appears whole or not at all. Raises `InputError` for another suffix or a path that
        cannot be written and `MissingExtraError` for .nc without the extra ``io``.
        """
        from .export import save

        save(self, path)

    def to_json(self) -> str:
        """One strict JSON object, the one that ``dmft boundary --json`` prints; missing is null."""
        columns = {name: values.tolist() for name, values in self.to_sheet().columns.items()}
        names = tuple(columns)
        points = [dict(zip(names, row, strict=True)) for row in zip(*columns.values(), strict=True)]
        return strict_json(self._header() | {"points": points})

    def to_xarray(self) -> Any:
        """As an ``xarray.Dataset`` with the dimension point (extra ``io``)."""
        from .netcdf import curve_dataset

        return curve_dataset(self)

    def plot(self, path: str | Path | None = None) -> Any:
        """The boundary in the plane as a ``matplotlib`` figure (extra ``plot``).

        With a ``path`` (.png, .svg or .pdf) the figure is also saved there.
        """
        from .figures import curve_figure

        return curve_figure(self, path)

    def to_sheet(self) -> Sheet:
        """Header and columns, as stored."""
        judgement = {
            "error": self.error,
            "status": np.array(self.status, dtype=np.str_),
            "segment": self.segment,
        }
        texts = {
            name: np.array(values, dtype=np.str_)
            for name, values in ((_KIND, self.point_kind), (_ENCLOSURE, self.enclosure))
            if values
        }
        return Sheet(self._header(), {**self.columns, **self.others, **judgement, **texts})

    @classmethod
    def from_sheet(cls, sheet: Sheet) -> BoundaryCurve:
        """Rebuild from `to_sheet`; `InputError` names what is missing or wrong."""
        record = Record(sheet.header, sheet.source)
        columns = dict(sheet.columns)
        missing = [name for name in _JUDGEMENT if name not in columns]
        if missing:
            raise InputError(f"{sheet.source}: the column {missing[0]!r} is missing")
        error, status, segment = (columns.pop(name) for name in _JUDGEMENT)
        kinds, enclosure = (columns.pop(name, ()) for name in (_KIND, _ENCLOSURE))
        others = {name: columns.pop(name) for name in _names(record, "others") if name in columns}
        try:
            return cls(
                model=record.text("model"),
                boundary=record.text("boundary"),
                solve_for=record.text("solve_for"),
                sweep=record.texts("sweep"),
                fixed=record.numbers("fixed"),
                columns=columns,
                error=error,
                status=tuple(str(value) for value in status),
                segment=_integers(segment),
                versions=record.text_map("versions"),
                tolerance=record.number("tolerance"),
                command=record.text_or_none("command"),
                seconds=record.number("seconds"),
                model_hash=record.text("model_hash"),
                message=record.text("message"),
                point_kind=tuple(str(value) for value in kinds),
                others=others,
                enclosure=tuple(str(value) for value in enclosure),
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
            "boundary": self.boundary,
            "solve_for": self.solve_for,
            "sweep": self.sweep,
            "others": tuple(self.others),
            "fixed": self.fixed,
            "tolerance": self.tolerance,
            "message": self.message,
            "versions": self.versions,
            "model_hash": self.model_hash,
            "command": self.command,
            "seconds": self.seconds,
        }

    def __reduce__(self) -> tuple[Any, ...]:
        return (
            rebuild,
            (type(self), {item.name: getattr(self, item.name) for item in fields(self)}),
        )

    def __repr__(self) -> str:
        from .display import curve_line

        return f"BoundaryCurve({curve_line(self)})"

    def _repr_html_(self) -> str:
        from .display import curve_html

        return curve_html(self)


def _names(record: Record, key: str) -> tuple[str, ...]:
    """Names that files of older versions do not have."""
    return record.texts(key) if key in record.data else ()


def _integers(values: Any) -> npt.NDArray[np.int64]:
    numbers = np.asarray(values, dtype=np.float64)
    if not np.array_equal(numbers, np.round(numbers)):
        raise ValueError("segment: expected whole numbers")
    return numbers.astype(np.int64)
