"""A phase diagram: which states exist, and which are stable, over a plane of two parameters."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt

from ..errors import InputError
from .frozen import FloatArray, FrozenDict, frozen_array, rebuild
from .record import SCHEMA, Record, strict_json
from .sheet import PHASE_SUFFIXES, Sheet

__all__ = ["PhaseCurve", "PhaseDiagram"]


@dataclass(frozen=True, slots=True)
class PhaseCurve:
    """A boundary drawn over the regions: its name, what its points are, and their coordinates."""

    boundary: str
    point_kind: str
    across: tuple[float, ...]
    up: tuple[float, ...]

    def to_json(self) -> dict[str, Any]:
        """As plain values."""
        return {
            "boundary": self.boundary,
            "point_kind": self.point_kind,
            "across": list(self.across),
            "up": list(self.up),
        }


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class PhaseDiagram:
    """Regions over a grid of two parameters, and the boundaries between them; read-only.

    Attributes
    ----------
    model, across, up
        The model and the two parameters, one to the right, one upwards.
    axes
        Parameter -> its values, in this order.
    fixed
        The values of all other parameters.
    labels
        Names of the regions, like "rest" or "rest + chaos": the states that a large network can settle
        in, joined by +, and in brackets what else solves the equations.
    region
        Position in ``labels``, shape (values upwards, values across); -1 where nothing could be decided.
    curves
        Boundaries with their names.
    versions, tolerance, command, seconds, model_hash, message
        Where the numbers come from.

    Raises
    ------
    ValueError
        When grid and axes do not fit together: a mistake of the code that builds it.
    """

    model: str
    across: str
    up: str
    axes: dict[str, FloatArray]
    fixed: dict[str, float]
    labels: tuple[str, ...]
    region: npt.NDArray[np.int64]
    curves: tuple[PhaseCurve, ...]
    versions: dict[str, str]
    tolerance: float
    command: str | None
    seconds: float
    model_hash: str
    message: str

    kind: ClassVar[str] = "phase"
    suffixes: ClassVar[tuple[str, ...]] = PHASE_SUFFIXES

    def __post_init__(self) -> None:
        def put(name: str, value: Any) -> None:
            object.__setattr__(self, name, value)

        put("axes", FrozenDict({k: frozen_array(v, k) for k, v in self.axes.items()}))
        put("labels", tuple(self.labels))
        put("curves", tuple(self.curves))
        for name in ("fixed", "versions"):
            put(name, FrozenDict(getattr(self, name)))
        if tuple(self.axes) != (self.across, self.up):
            raise ValueError(f"axes: {', '.join(self.axes)}; expected {self.across}, {self.up}")
        region = np.array(self.region, dtype=np.int64)
        shape = (self.axes[self.up].size, self.axes[self.across].size)
        if region.shape != shape:
            raise ValueError(f"region: shape {region.shape}, expected {shape}")
        if region.size and not (region.min() >= -1 and region.max() < len(self.labels)):
            raise ValueError("region: a number that is no label")
        region.flags.writeable = False
        put("region", region)

    @property
    def shares(self) -> dict[str, float]:
        """Label -> share of the grid's points; "undecided" too where there are some."""
        total = max(self.region.size, 1)
        found = {
            name: float(np.sum(self.region == i)) / total for i, name in enumerate(self.labels)
        }
        undecided = float(np.sum(self.region < 0)) / total
        return found | ({"undecided": undecided} if undecided else {})

    def label_at(self, across: float, up: float) -> str:
        """The region of the grid point nearest to these values."""
        column = int(np.argmin(abs(self.axes[self.across] - across)))
        row = int(np.argmin(abs(self.axes[self.up] - up)))
        position = int(self.region[row, column])
        return self.labels[position] if position >= 0 else "undecided"

    def save(self, path: str | Path) -> None:
        """Write to ``path``; its suffix (.nc, .csv or .json) says how. Read by `dmft.load`.

        The file appears whole or not at all. Raises `InputError` for another suffix or a path that
        cannot be written and `MissingExtraError` for .nc without the extra ``io``.
        """
        from .export import save

        save(self, path)

    def to_json(self) -> str:
        """One strict JSON object, the one that ``dmft phase --json`` prints."""
        return strict_json(self._header() | {"region": self.region})

    def to_xarray(self) -> Any:
        """As an ``xarray.Dataset`` with the two parameters as dimensions (extra ``io``)."""
        from .phase_dataset import phase_dataset

        return phase_dataset(self)

    def plot(self, path: str | Path | None = None) -> Any:
        """Regions and boundaries as a ``matplotlib`` figure (extra ``plot``).

        With a ``path`` (.png, .svg or .pdf) the figure is also saved there.
        """
        from .phase_figure import phase_figure

        return phase_figure(self, path)

    def to_sheet(self) -> Sheet:
        """Header and columns, a row per grid point, those across running fastest."""
        grid = np.meshgrid(self.axes[self.across], self.axes[self.up])
        columns = {name: values.ravel() for name, values in zip(self.axes, grid, strict=True)}
        return Sheet(self._header(), columns | {"region": self.region.ravel()})

    @classmethod
    def from_sheet(cls, sheet: Sheet) -> PhaseDiagram:
        """Rebuild from `to_sheet`; `InputError` names what is missing or wrong."""
        record = Record(sheet.header, sheet.source)
        axes = record.series_map("axes")
        across, up = record.text("across"), record.text("up")
        if "region" not in sheet.columns or set(axes) != {across, up}:
            raise InputError(f"{sheet.source}: the regions or their axes are missing")
        region = np.asarray(sheet.columns["region"], dtype=np.float64)
        try:
            if not np.array_equal(region, np.round(region)):
                raise ValueError("region: expected whole numbers")
            return cls(
                model=record.text("model"),
                across=across,
                up=up,
                axes={name: np.array(axes[name]) for name in (across, up)},
                fixed=record.numbers("fixed"),
                labels=record.texts("labels"),
                region=region.reshape(len(axes[up]), len(axes[across])).astype(np.int64),
                curves=tuple(
                    PhaseCurve(
                        item.text("boundary"),
                        item.text("point_kind"),
                        tuple(item.series("across")),
                        tuple(item.series("up")),
                    )
                    for item in record.items("curves")
                ),
                versions=record.text_map("versions"),
                tolerance=record.number("tolerance"),
                command=record.text_or_none("command"),
                seconds=record.number("seconds"),
                model_hash=record.text("model_hash"),
                message=record.text("message"),
            )
        except InputError:
            raise
        except ValueError as exc:
            raise InputError(f"{sheet.source}: {exc}") from None

    def _header(self) -> dict[str, Any]:
        header: dict[str, Any] = {"schema": SCHEMA, "kind": self.kind}
        for item in fields(self):
            if item.name not in ("region", "curves", "axes"):
                header[item.name] = getattr(self, item.name)
        axes: Mapping[str, Any] = {name: values.tolist() for name, values in self.axes.items()}
        return header | {"axes": axes, "curves": [curve.to_json() for curve in self.curves]}

    def __reduce__(self) -> tuple[Any, ...]:
        values = {item.name: getattr(self, item.name) for item in fields(self)}
        return (rebuild, (type(self), values))

    def __repr__(self) -> str:
        size = " x ".join(str(values.size) for values in self.axes.values())
        shares = ", ".join(f"{name} {100 * share:.0f}%" for name, share in self.shares.items())
        return f"PhaseDiagram({self.model} {self.across}, {self.up}: {size} points; {shares})"
