r"""A transient: two-time order parameters from a given start, under a protocol, with their errors."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any, ClassVar

import numpy as np

from ..errors import DmftError, InputError, did_you_mean, quoted
from ..protocol import Change, Protocol
from ..solvers.status import Status
from ..solvers.two_time_start import FieldStart
from .frozen import FloatArray, FrozenDict, frozen_array, frozen_arrays, rebuild
from .record import SCHEMA, strict_json
from .sheet import TRANSIENT_SUFFIXES, Sheet
from .transient_sheet import TABLES, changes_of, header_of, pairs_of, read_transient, triangle

__all__ = ["Transient"]

_SERIES = ("mean", "mean_error", "kurtosis")


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Transient:
    r"""Moments <x(t) x(t')> on a grid of times; everything in it is read-only.

    Times are in units of the leak of the model's first field.

    Attributes
    ----------
    model, parameters, changes
        Which network: the model's name, all of its parameters at time 0, and the `Step`, `Ramp` and
        `Pulse` of the protocol.
    start
        Field -> `FieldStart`, the distribution at time 0.
    status, message
        `Status`, and a sentence on it. ``interrupted``: what was finished when it was stopped.
    time
        Times 0..T, shape (n,), not uniform; where a parameter jumps the moment stands twice.
    moment
        Field or nonlinearity -> C(t, t') = <x(t) x(t')>, shape (n, n), not centred.
    standard_error, error
        The same for the errors of ``moment``: from sampling, and in all (sampling, step of the grid,
        finite number of paths). NaN where unknown.
    mean, mean_error
        Field or nonlinearity -> <x(t)> and its error in all, shape (n,).
    kurtosis
        Field -> <x^4> / <x^2>^2, shape (n,), 3 for a Gaussian without a mean; NaN where x = 0.
    error_estimate
        Largest error of C(t, t) over max C(t, t), the worst field: "sampling", "step", "bias", "total".
    paths, populations, precision, seed
        How it was computed: paths a population, populations that contributed, precision asked for.
    versions, seconds, command, model_hash
        Where the numbers come from.

    Raises
    ------
    ValueError
        When arrays and times do not fit together: a mistake of the code that builds it.

    Examples
    --------
    >>> import dmft
    >>> found = dmft.transient("vanilla", g=2, until=10, start={"x": 0.1})
    >>> found.status, bool(found.variance("x")[-1] > 1)
    (<Status.CONVERGED: 'converged'>, True)
    """

    model: str
    parameters: dict[str, float]
    changes: tuple[Change, ...]
    start: dict[str, FieldStart]
    status: Status
    message: str
    time: FloatArray
    moment: dict[str, FloatArray]
    standard_error: dict[str, FloatArray]
    error: dict[str, FloatArray]
    mean: dict[str, FloatArray]
    mean_error: dict[str, FloatArray]
    kurtosis: dict[str, FloatArray]
    error_estimate: dict[str, float | None]
    paths: int
    populations: int
    precision: float
    seed: int
    versions: dict[str, str]
    seconds: float
    command: str | None
    model_hash: str

    kind: ClassVar[str] = "transient"
    suffixes: ClassVar[tuple[str, ...]] = TRANSIENT_SUFFIXES

    def __post_init__(self) -> None:
        def put(name: str, value: Any) -> None:
            object.__setattr__(self, name, value)

        put("status", Status(self.status))
        put("changes", tuple(self.changes))
        put("time", frozen_array(self.time, "time"))
        for name in ("parameters", "start", "error_estimate", "versions"):
            put(name, FrozenDict(getattr(self, name)))
        for name in TABLES:
            put(name, _squares(getattr(self, name), self.time.size, name))
        for name in _SERIES:
            put(name, frozen_arrays(getattr(self, name), self.time.size, "time"))
        names = set(self.moment)
        if any(set(getattr(self, t)) != names for t in (*TABLES, "mean", "mean_error")):
            raise ValueError("moments, means and errors: expected the same names in all of them")
        if self.time.size and not set(self.start) <= names:
            raise ValueError("start: a field without moments")
        if np.any(np.diff(self.time) < 0):
            raise ValueError("time: expected times that do not decrease")

    @property
    def fields(self) -> tuple[str, ...]:
        """Names of the model's fields."""
        return tuple(self.start)

    @property
    def protocol(self) -> Protocol:
        """Parameters as functions of time."""
        return Protocol(self.parameters, self.changes)

    def variance(self, name: str) -> FloatArray:
        """C(t, t), the second moment at equal times (not centred), of a field or nonlinearity."""
        return np.diagonal(self._table("moment", name))

    def variance_error(self, name: str) -> FloatArray:
        """The error of `variance`, all parts."""
        return np.diagonal(self._table("error", name))

    def trace(self, name: str, since: float) -> tuple[FloatArray, FloatArray, FloatArray]:
        """What is left of the state at the time ``since``: later times, C(t, since) and its error.

        ``since`` is replaced by the latest time of the grid up to it; steps of a protocol are on the grid.
        """
        table, error = self._table("moment", name), self._table("error", name)
        if not 0 <= since <= self.time[-1]:
            raise InputError(
                f"since: {since:g} was given; a time from 0 to {self.time[-1]:g} is allowed"
            )
        place = int(np.searchsorted(self.time, since, side="right")) - 1
        return self.time[place:], table[place:, place], error[place:, place]

    def _table(self, kind: str, name: str) -> FloatArray:
        if not self.time.size:
            raise DmftError(f"there are no moments: status {self.status}")
        tables: Mapping[str, FloatArray] = getattr(self, kind)
        if name not in tables:
            raise InputError(
                f"there is no quantity {quoted(name)}{did_you_mean(str(name), tables)}; choose "
                f"{', '.join(tables)}"
            )
        return tables[name]

    def save(self, path: str | Path) -> None:
        """Write to ``path``; its suffix (.nc, .csv or .json) says how. Read by `dmft.load`.

        The file appears whole or not at all. Raises `InputError` for another suffix or a path that
        cannot be written and `MissingExtraError` for .nc without the extra ``io``.
        """
        from .export import save

        save(self, path)

    def to_json(self) -> str:
        """One strict JSON object, the one that ``dmft transient --json`` prints; missing is null.

        Of every table the rows t with their columns t' <= t.
        """
        tables = {
            kind: {name: triangle(values) for name, values in getattr(self, kind).items()}
            for kind in TABLES
        }
        return strict_json(self._header() | tables)

    def to_xarray(self) -> Any:
        """As an ``xarray.Dataset``: dimensions quantity, field, time, other_time (extra ``io``)."""
        from .transient_dataset import transient_dataset

        return transient_dataset(self)

    def plot(self, path: str | Path | None = None) -> Any:
        """C(t, t) of every field with its error, under the protocol, as a figure (extra ``plot``).

        With a ``path`` (.png, .svg or .pdf) the ``matplotlib`` figure is also saved there.
        """
        from .transient_figure import transient_figure

        return transient_figure(self, path)

    def to_sheet(self) -> Sheet:
        """Header and columns, as stored: one row per pair of times t >= t'."""
        return Sheet(self._header(), pairs_of(self.time, {k: getattr(self, k) for k in TABLES}))

    @classmethod
    def from_sheet(cls, sheet: Sheet) -> Transient:
        """Rebuild from `to_sheet`; `InputError` names what is missing or wrong."""
        try:
            return cls(**read_transient(sheet))
        except InputError:
            raise
        except (TypeError, ValueError) as exc:
            raise InputError(f"{sheet.source}: {exc}") from None

    def _header(self) -> dict[str, Any]:
        header = {item.name: getattr(self, item.name) for item in fields(self)}
        return {"schema": SCHEMA, "kind": self.kind, **header_of(header)} | {
            "changes": changes_of(self.changes)
        }

    def __reduce__(self) -> tuple[Any, ...]:
        return (
            rebuild,
            (type(self), {item.name: getattr(self, item.name) for item in fields(self)}),
        )

    def __repr__(self) -> str:
        from .transient_display import transient_line

        return f"Transient({transient_line(self)})"

    def _repr_html_(self) -> str:
        from .transient_display import transient_html

        return transient_html(self)


def _squares(tables: Mapping[str, Any], size: int, kind: str) -> FrozenDict[str, FloatArray]:
    """Read-only copies, (size, size) each, symmetric: t >= t' counts."""
    found = {}
    for name, values in tables.items():
        array = np.array(values, dtype=np.float64)
        if array.shape != (size, size):
            raise ValueError(f"{kind} of {name}: shape {array.shape}, but {size} times")
        # errors are interpolated, first in t, then in t': equal but for rounding
        array = np.tril(array) + np.tril(array, -1).T
        array.flags.writeable = False
        found[name] = array
    return FrozenDict(found)
