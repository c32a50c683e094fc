"""All states of a model over one parameter: connected curves, each with its stability and special points."""

from __future__ import annotations

from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt

from ..errors import InputError
from .frozen import FloatArray, FrozenDict, frozen_array, rebuild
from .record import SCHEMA, Record, strict_json
from .sheet import BRANCHES_SUFFIXES, Sheet

__all__ = ["Branch", "BranchDiagram", "SpecialPoint"]

_PER_POINT = ("value", "error", "growth", "tangent_value", "tangent_amplitude", "length")
_PER_FIELD = ("variance", "decaying")


@dataclass(frozen=True, slots=True)
class SpecialPoint:
    """``kind`` is "fold", "stability" (a constant state's growth vanishes) or "birth".

    ``value`` of the parameter with its ``error``; ``amplitude``, the variance of the first driven field or
    what decays of it (zero at births).
    """

    kind: str
    value: float
    error: float
    amplitude: float


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Branch:
    """One connected curve of states; arrays are read-only and of shape (points,).

    Attributes
    ----------
    kind
        "zero" (rest), "fixed-point" (constant states) or "chaotic".
    value, error
        The parameter and its estimated error; NaN where it could not be checked.
    variance, decaying
        Field -> second moments <x^2>, and C(0) - C(infinity), zero for constant states.
    growth
        Largest real part of the Jacobian's spectrum; for chaotic states lambda_max. In units of the
        inverse leak time.
    stable
        growth < 0 of a constant state; of a pair of chaotic states the larger one.
    tangent_value, tangent_amplitude
        d parameter and d log amplitude by arclength (of the logarithm and the parameter's coordinate).
    length
        Arclength from the first point.
    events
        Special points, each located by Newton's method on its own condition.
    ends
        Why the curve ends at its first and last point: "range", "birth", "bound", or "step" where it was
        lost.
    """

    kind: str
    value: FloatArray
    error: FloatArray
    variance: dict[str, FloatArray]
    decaying: dict[str, FloatArray]
    growth: FloatArray
    stable: npt.NDArray[np.bool_]
    tangent_value: FloatArray
    tangent_amplitude: FloatArray
    length: FloatArray
    events: tuple[SpecialPoint, ...]
    ends: tuple[str, str]

    def __post_init__(self) -> None:
        for name in _PER_POINT:
            object.__setattr__(self, name, frozen_array(getattr(self, name), name))
        object.__setattr__(self, "stable", frozen_array(self.stable, "stable", np.bool_))
        for name in _PER_FIELD:
            each = {k: frozen_array(v, k) for k, v in getattr(self, name).items()}
            object.__setattr__(self, name, FrozenDict(each))
        sizes = {len(getattr(self, name)) for name in (*_PER_POINT, "stable")}
        sizes |= {len(v) for name in _PER_FIELD for v in getattr(self, name).values()}
        if len(sizes) != 1 or set(self.variance) != set(self.decaying):
            raise ValueError("a branch whose columns differ in length or fields")

    def __len__(self) -> int:
        return len(self.value)

    @property
    def answered(self) -> npt.NDArray[np.bool_]:
        """True where the error of a point is known."""
        return np.isfinite(self.error)

    def __reduce__(self) -> tuple[Any, ...]:
        return rebuild, (type(self), {item.name: getattr(self, item.name) for item in fields(self)})


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class BranchDiagram:
    """Branches over the parameter ``along``; everything is read-only.

    Attributes
    ----------
    model, along, span, fixed
        The model, the parameter that was followed and between which values, and the others' values.
    fields
        Fields that the outputs depend on, the first being the one whose variance is the amplitude.
    branches
        Rest, constant and chaotic states.
    versions, command, seconds, model_hash, message
        Where the numbers come from; the message says which ends are lost or which points unchecked.

    Examples
    --------
    >>> import dmft
    >>> diagram = dmft.follow("vanilla", g=dmft.Sweep(0.5, 2))
    >>> [(branch.kind, branch.ends) for branch in diagram.branches]
    [('zero', ('range', 'range')), ('fixed-point', ('birth', 'range')), ('chaotic', ('birth', 'range'))]
    """

    model: str
    along: str
    span: tuple[float, float]
    fixed: dict[str, float]
    fields: tuple[str, ...]
    branches: tuple[Branch, ...]
    versions: dict[str, str]
    command: str | None
    seconds: float
    model_hash: str
    message: str

    kind: ClassVar[str] = "branches"
    suffixes: ClassVar[tuple[str, ...]] = BRANCHES_SUFFIXES

    def __post_init__(self) -> None:
        object.__setattr__(self, "span", tuple(self.span))
        object.__setattr__(self, "fields", tuple(self.fields))
        object.__setattr__(self, "branches", tuple(self.branches))
        for name in ("fixed", "versions"):
            object.__setattr__(self, name, FrozenDict(getattr(self, name)))

    def of(self, kind: str) -> tuple[Branch, ...]:
        """Branches of one kind."""
        return tuple(branch for branch in self.branches if branch.kind == kind)

    def save(self, path: str | Path) -> None:
        """Write to ``path``; its suffix (.csv, .json or .nc) says how. Read by `dmft.load`.

        The file appears whole or not at all. Raises `InputError` for another suffix or a path that
        cannot be written and `MissingExtraError` for .nc without the extra ``io``.
        """
        from .export import save

        save(self, path)

    def to_json(self) -> str:
        """One strict JSON object, the one that ``dmft follow --json`` prints; missing is null."""
        sheet = self.to_sheet()
        return strict_json({**sheet.header, "columns": dict(sheet.columns)})

    def to_xarray(self) -> Any:
        """As an ``xarray.Dataset`` with the dimension point (extra ``io``)."""
        from .netcdf import branches_dataset

        return branches_dataset(self)

    def plot(self, path: str | Path | None = None) -> Any:
        """Second moment and growth over the parameter as a ``matplotlib`` figure (extra ``plot``).

        With a ``path`` (.png, .svg or .pdf) the figure is also saved there.
        """
        from .branch_figure import branch_figure

        return branch_figure(self, path)

    def to_sheet(self) -> Sheet:
        """Header and columns, one row per point; ``branch`` is the number of its branch."""
        each = self.branches
        columns = {"branch": np.repeat(np.arange(len(each)), [len(branch) for branch in each])}

        def joined(values: list[Any]) -> Any:
            return np.concatenate([np.asarray(v, dtype=float) for v in [[], *values]])

        for name in (*_PER_POINT, "stable"):
            label = self.along if name == "value" else name
            columns[label] = joined([getattr(branch, name) for branch in each])
        for name in _PER_FIELD:
            for field in self.fields:
                columns[f"{name}_{field}"] = joined([getattr(b, name)[field] for b in each])
        return Sheet(self._header(), columns)

    @classmethod
    def from_sheet(cls, sheet: Sheet) -> BranchDiagram:
        """Rebuild from `to_sheet`; `InputError` names what is missing or wrong."""
        record = Record(sheet.header, sheet.source)
        along, names = record.text("along"), record.texts("fields")
        described = record.items("branches")
        wanted = ["branch", along, *_PER_POINT[1:], "stable"]
        wanted += [f"{name}_{field}" for name in _PER_FIELD for field in names]
        for name in wanted:
            if name not in sheet.columns:
                raise InputError(f"{sheet.source}: the column {name!r} is missing")
        columns = {name: np.asarray(sheet.columns[name], dtype=float) for name in wanted}
        number = columns["branch"]
        try:
            if not np.isin(number, np.arange(len(described))).all():
                raise ValueError("branch: a number that is no branch")
            span = record.series("span")
            if len(span) != 2:
                raise ValueError("span: expected two numbers")
            return cls(
                model=record.text("model"),
                along=along,
                span=(span[0], span[1]),
                fixed=record.numbers("fixed"),
                fields=names,
                branches=tuple(
                    _branch(item, {k: v[number == i] for k, v in columns.items()}, along, names)
                    for i, item in enumerate(described)
                ),
                versions=record.text_map("versions"),
                command=record.text_or_none("command"),
                seconds=record.number("seconds"),
                model_hash=record.text("model_hash"),
                message=record.text("message"),
            )
        except InputError:
            raise
        except (TypeError, ValueError) as exc:
            raise InputError(f"{sheet.source}: {exc}") from None

    def _header(self) -> dict[str, Any]:
        header: dict[str, Any] = {"schema": SCHEMA, "kind": self.kind}
        for item in fields(self):
            if item.name != "branches":
                header[item.name] = getattr(self, item.name)
        described = [
            {
                "kind": branch.kind,
                "ends": branch.ends,
                "events": [
                    {"kind": e.kind, "value": e.value, "error": e.error, "amplitude": e.amplitude}
                    for e in branch.events
                ],
            }
            for branch in self.branches
        ]
        return {**header, "branches": described}

    def __reduce__(self) -> tuple[Any, ...]:
        return rebuild, (type(self), {item.name: getattr(self, item.name) for item in fields(self)})

    def __repr__(self) -> str:
        kinds = ", ".join(f"{branch.kind} ({len(branch)} points)" for branch in self.branches)
        return f"BranchDiagram({self.model} over {self.along}: {kinds or 'no states'})"


def _branch(item: Record, columns: dict[str, Any], along: str, names: tuple[str, ...]) -> Branch:
    ends = item.texts("ends")
    if len(ends) != 2:
        raise ValueError("ends: expected two texts")
    return Branch(
        kind=item.text("kind"),
        value=columns[along],
        **{name: columns[name] for name in _PER_POINT[1:]},
        stable=columns["stable"] != 0,
        variance={field: columns[f"variance_{field}"] for field in names},
        decaying={field: columns[f"decaying_{field}"] for field in names},
        events=tuple(
            SpecialPoint(
                event.text("kind"),
                event.number("value"),
                event.number("error"),
                event.number("amplitude"),
            )
            for event in item.items("events")
        ),
        ends=(ends[0], ends[1]),
    )
