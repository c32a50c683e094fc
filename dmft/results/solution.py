r"""A stationary solution of the mean-field equations: order parameters with their accuracy."""

from __future__ import annotations

import math
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt

from ..errors import DmftError, InputError
from ..solvers.status import Status
from .cosine import cosine_interpolation
from .frozen import FloatArray, FrozenDict, frozen_array, frozen_arrays, rebuild
from .record import SCHEMA, Record, strict_json
from .sheet import ERROR_COLUMN, SOLUTION_SUFFIXES, Sheet
from .spline import spline_interpolation

__all__ = ["Solution"]


INTERPOLATIONS = ("cosine", "spline")


def _known(value: float | None) -> float | None:
    """None for what is missing, however it is spelled."""
    return float(value) if value is not None and math.isfinite(value) else None


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Solution:
    r"""A stationary solution on one branch; everything in it is read-only.

    Times are in units of the leak of the model's first field, ``lyapunov`` in its inverse.

    Attributes
    ----------
    model, parameters
        Which network: the model's name and all of its parameters.
    branch, other_branches
        "zero", "fixed-point", "fixed-point-lower", "chaotic" or "chaotic-lower", and the branches
        that exist beside it.
    status, message
        `Status`, and a sentence on it when there is something to say.
    variance
        Field -> C(0) = <x(t)^2>, the second moment (not centred); None if unknown.
    mean, limit
        Field -> <x(t)>, and field -> C(tau -> infinity), the part of C that never decays: outputs
        with a mean and quenched inputs leave one (mean^2 included).
    lyapunov
        The largest Lyapunov exponent; None if it was not computed or not found.
    lag, autocorrelation
        Uniform lags 0..T, shape (n,), and field or nonlinearity -> C(tau) = <x(t) x(t + tau)>,
        shape (n,), not centred. Without a solution n is 0.
    standard_error
        Field or nonlinearity -> standard error of C at these lags where it was sampled; else empty.
    interpolation
        "cosine" or "spline": what `at` does between the lags. White noise leaves a cusp at lag 0,
        which no cosine series has.
    digits
        Quantity -> decimals, where many digits were asked for (`dmft.refine_digits`), with their
        estimated errors; else empty.
    histories
        Where a moving gate makes a network forget its start slowly: "waiting_time", and "narrow", "wide"
        with "narrow_error", "wide_error": C(0) of the first gated field so long after starts of variance
        0.01 and 1 of the gated fields, by the two-time equations (`dmft.transient`). Else empty.
    correlation_time
        Field -> integral of (C - limit) / (C(0) - limit); None where C does not decay.
    residual
        Largest violation of the stationary equations over C(0) of the first field.
    error_estimate
        Estimated errors, keys "variance", "lyapunov", "autocorrelation"; None if unknown.
    versions, seed, seconds, command, model_hash, tol, method
        Where the numbers come from.

    Raises
    ------
    ValueError
        When arrays and lags do not fit together: a mistake of the code that builds it.

    Examples
    --------
    >>> import dmft
    >>> solution = dmft.solve("vanilla", g=2)
    >>> round(solution.variance["x"], 6)
    1.924805
    """

    model: str
    parameters: dict[str, float]
    branch: str
    other_branches: tuple[str, ...]
    status: Status
    message: str
    variance: dict[str, float | None]
    lyapunov: float | None
    lag: FloatArray
    autocorrelation: dict[str, FloatArray]
    correlation_time: dict[str, float | None]
    residual: float | None
    error_estimate: dict[str, float | None]
    versions: dict[str, str]
    seed: int | None
    seconds: float
    command: str | None
    model_hash: str
    tol: float
    method: str
    mean: dict[str, float | None] = field(default_factory=dict)
    limit: dict[str, float | None] = field(default_factory=dict)
    standard_error: dict[str, FloatArray] = field(default_factory=dict)
    interpolation: str = "cosine"
    digits: dict[str, str] = field(default_factory=dict)
    histories: dict[str, float] = field(default_factory=dict)

    kind: ClassVar[str] = "solution"
    suffixes: ClassVar[tuple[str, ...]] = SOLUTION_SUFFIXES

    def __post_init__(self) -> None:
        def put(name: str, value: Any) -> None:
            object.__setattr__(self, name, value)

        put("status", Status(self.status))
        put("other_branches", tuple(self.other_branches))
        put("lag", frozen_array(self.lag, "lag"))
        put("autocorrelation", frozen_arrays(self.autocorrelation, self.lag.size, "lag"))
        put("standard_error", frozen_arrays(self.standard_error, self.lag.size, "lag"))
        put("versions", FrozenDict(self.versions))
        put("digits", FrozenDict(self.digits))
        put("histories", FrozenDict({k: float(v) for k, v in self.histories.items()}))
        put("parameters", FrozenDict({k: float(v) for k, v in self.parameters.items()}))
        for name in ("variance", "mean", "limit", "correlation_time", "error_estimate"):
            put(name, FrozenDict({k: _known(v) for k, v in getattr(self, name).items()}))
        for name in ("lyapunov", "residual"):
            put(name, _known(getattr(self, name)))
        if self.interpolation not in INTERPOLATIONS:
            raise ValueError(f"interpolation: expected one of {', '.join(INTERPOLATIONS)}")
        if self.lag.size and self.interpolation == "spline":
            if self.lag[0] != 0 or np.any(np.diff(self.lag) <= 0):
                raise ValueError("lag: expected increasing lags that start at 0")
        elif self.lag.size:
            uniform = np.linspace(0.0, self.lag[-1], self.lag.size)
            if not np.allclose(self.lag, uniform, rtol=0, atol=1e-9 * max(1.0, self.lag[-1])):
                raise ValueError("lag: expected uniform lags that start at 0")

    def at(self, lags: npt.ArrayLike) -> dict[str, FloatArray]:
        """Autocorrelations at any lags (any shape, time in leak times), by ``interpolation``.

        Even in the lag. Beyond the window T = ``lag[-1]`` the value at T is returned: the window
        is chosen such that what C still changes beyond it is below the tolerance. Raises
        `InputError` for lags that are not real numbers and `DmftError` without a solution.

        >>> import dmft
        >>> solution = dmft.solve("vanilla", g=2)
        >>> bool(solution.at(-1.5)["x"] == solution.at(1.5)["x"])
        True
        """
        try:
            wanted = np.asarray(lags, dtype=np.float64)
        except (TypeError, ValueError):
            raise InputError("lags: expected real numbers, times in units of the leak") from None
        if np.isnan(wanted).any():
            raise InputError("lags: NaN given, expected real numbers")
        if not self.lag.size:
            raise DmftError(f"there is no autocorrelation to evaluate: status {self.status}")
        if self.interpolation == "spline":
            return {
                name: spline_interpolation(values, self.lag, wanted)
                for name, values in self.autocorrelation.items()
            }
        window = float(self.lag[-1])
        return {
            name: cosine_interpolation(values, window, wanted)
            for name, values in self.autocorrelation.items()
        }

    def save(self, path: str | Path) -> None:
        """Write to ``path``; its suffix (.nc, .csv, .json or .npz) says how. Read by `dmft.load`.

        The file appears whole or not at all. Raises `InputError` for another suffix or a path that
        cannot be written and `MissingExtraError` for .nc without the extra ``io``.
        """
        from .export import save

        save(self, path)

    def to_json(self) -> str:
        """One strict JSON object, the one that ``dmft solve --json`` prints; missing is null."""
        arrays = {"lag": self.lag, "autocorrelation": self.autocorrelation}
        sampled = {"standard_error": self.standard_error} if self.standard_error else {}
        return strict_json(self._header() | arrays | sampled)

    def to_xarray(self) -> Any:
        """As an ``xarray.Dataset`` with the dimensions quantity, field and lag (extra ``io``)."""
        from .netcdf import solution_dataset

        return solution_dataset(self)

    def plot(self, path: str | Path | None = None) -> Any:
        """Autocorrelations over the lag as a ``matplotlib`` figure (extra ``plot``).

        With a ``path`` (.png, .svg or .pdf) the figure is also saved there.
        """
        from .figures import solution_figure

        return solution_figure(self, path)

    def to_sheet(self) -> Sheet:
        """Header and columns, as stored."""
        errors = {f"{name}{ERROR_COLUMN}": values for name, values in self.standard_error.items()}
        return Sheet(self._header(), {"lag": self.lag, **self.autocorrelation, **errors})

    @classmethod
    def from_sheet(cls, sheet: Sheet) -> Solution:
        """Rebuild from `to_sheet`; `InputError` names what is missing or wrong."""
        record = Record(sheet.header, sheet.source)
        columns = dict(sheet.columns)
        if "lag" not in columns:
            raise InputError(f"{sheet.source}: the lags are missing")
        errors = {
            name.removesuffix(ERROR_COLUMN): columns.pop(name)
            for name in list(columns)
            if name.endswith(ERROR_COLUMN) and name.removesuffix(ERROR_COLUMN) in columns
        }
        try:
            return cls(
                model=record.text("model"),
                parameters=record.numbers("parameters"),
                branch=record.text("branch"),
                other_branches=record.texts("other_branches"),
                status=record.member("status", Status),
                message=record.text("message"),
                variance=record.numbers_or_none("variance"),
                lyapunov=record.number_or_none("lyapunov"),
                lag=columns.pop("lag"),
                autocorrelation=columns,
                correlation_time=record.numbers_or_none("correlation_time"),
                residual=record.number_or_none("residual"),
                error_estimate=record.numbers_or_none("error_estimate"),
                versions=record.text_map("versions"),
                seed=record.integer_or_none("seed"),
                seconds=record.number("seconds"),
                command=record.text_or_none("command"),
                model_hash=record.text("model_hash"),
                tol=record.number("tol"),
                method=record.text("method"),
                mean=record.numbers_or_none("mean") if "mean" in record.data else {},
                limit=record.numbers_or_none("limit") if "limit" in record.data else {},
                standard_error=errors,
                interpolation=(
                    record.text("interpolation") if "interpolation" in record.data else "cosine"
                ),
                digits=record.text_map("digits") if "digits" in record.data else {},
                histories=record.numbers("histories") if "histories" in record.data else {},
            )
        except InputError:
            raise
        except ValueError as exc:
            raise InputError(f"{sheet.source}: {exc}") from None

    def _header(self) -> dict[str, Any]:
        header: dict[str, Any] = {"schema": SCHEMA, "kind": self.kind}
        for item in fields(self):
            if item.name not in ("lag", "autocorrelation", "standard_error"):
                header[item.name] = getattr(self, item.name)
        return header

    def __reduce__(self) -> tuple[Any, ...]:
        return (
            rebuild,
            (type(self), {item.name: getattr(self, item.name) for item in fields(self)}),
        )

    def __repr__(self) -> str:
        from .display import solution_line

        return f"Solution({solution_line(self)})"

    def _repr_html_(self) -> str:
        from .display import solution_html

        return solution_html(self)
