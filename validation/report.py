"""The outcome of a validation: what was compared, how well it was measured, and the verdict."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any

from dmft.output import check_output, write_whole
from dmft.results.display import settings
from dmft.results.frozen import FloatArray, FrozenDict, frozen_array
from dmft.results.record import SCHEMA, strict_json

from .compare import Row
from .estimate import Measurement
from .watch import duration

_HEADER = ("quantity", "theory", "simulation", "std. error", "score", "p", "verdict")


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class ValidationReport:
    """Theory against simulation. Times in leak time constants; everything in it is read-only.

    Attributes
    ----------
    model, parameters, branch, status
        Which theory was judged, and the status of its solution.
    verdict, message
        "pass", "fail" or "inconclusive", and why, where there is something to say.
    level
        Family-wise level of the tests (two-sided t-tests, Holm's correction).
    rows
        The comparisons, see `dmft.validation.compare.Row`.
    n, networks, seed
        The size that is judged, size -> number of networks, and the seed of all of them.
    measurements
        What every single network said, see `dmft.validation.estimate.Measurement`.
    lag, autocorrelation, autocorrelation_error
        Simulated C of the first field at N = n with standard errors, shape (lags,).
    theory_lag, theory_autocorrelation
        The theory's curve, for the plot.
    schedule, versions, model_hash, command, estimated_seconds, seconds
        How and with what the numbers were made.
    """

    model: str
    parameters: Mapping[str, float]
    branch: str
    status: str
    verdict: str
    message: str
    level: float
    rows: tuple[Row, ...]
    n: int
    networks: Mapping[int, int]
    seed: int
    measurements: tuple[Measurement, ...]
    field: str
    lag: FloatArray
    autocorrelation: FloatArray
    autocorrelation_error: FloatArray
    theory_lag: FloatArray
    theory_autocorrelation: FloatArray
    schedule: Mapping[str, Any]
    versions: Mapping[str, str]
    model_hash: str
    command: str | None
    estimated_seconds: float
    seconds: float

    def __post_init__(self) -> None:
        for item in fields(self):
            value = getattr(self, item.name)
            if isinstance(value, Mapping):
                object.__setattr__(self, item.name, FrozenDict(value))
            elif hasattr(value, "dtype"):
                object.__setattr__(self, item.name, frozen_array(value, item.name))

    @property
    def passed(self) -> bool:
        """Whether the verdict is "pass"."""
        return self.verdict == "pass"

    @property
    def raw_lyapunov(self) -> dict[int, tuple[float, ...]]:
        """Size -> the largest exponent of every network, not extrapolated."""
        return {
            n: tuple(m.lyapunov for m in self.measurements if m.n == n)
            for n in sorted(self.networks)
        }

    @property
    def table(self) -> str:
        """The comparison for a terminal."""
        cells = [_HEADER, *(_cells(row) for row in self.rows)]
        widths = [max(len(line[k]) for line in cells) for k in range(len(_HEADER))]
        lines = [
            "  ".join(
                cell.ljust(width) if k in (0, len(_HEADER) - 1) else cell.rjust(width)
                for k, (cell, width) in enumerate(zip(line, widths, strict=True))
            ).rstrip()
            for line in cells
        ]
        lines.insert(1, "-" * max(map(len, lines)))
        given = settings(self.parameters.items())
        sizes = ", ".join(f"{count} of N = {n}" for n, count in sorted(self.networks.items()))
        head = [f"{self.model} {given}", f"branch: {self.branch}; networks: {sizes}"]
        judged = sum(row.judged for row in self.rows)
        tail = [
            f"verdict: {self.verdict} ({judged} rows, two-sided t-tests, Holm, family-wise level "
            f"{self.level:g}; {duration(self.seconds)})",
        ]
        return "\n".join([*head, "", *lines, "", *tail, *([self.message] if self.message else [])])

    def to_json(self) -> str:
        """One strict JSON object, the one that ``dmft validate --json`` prints; missing is null."""
        body: dict[str, Any] = {"schema": SCHEMA, "kind": "validation"}
        for item in fields(self):
            value = getattr(self, item.name)
            listed = item.name in ("rows", "measurements")
            body[item.name] = [asdict(entry) for entry in value] if listed else value
        return strict_json(body)

    def save(self, path: str | Path) -> None:
        """Write the JSON object to ``path`` (.json), whole or not at all.

        Raises `InputError` for another suffix or a path that cannot be written.
        """
        target = check_output(path, (".json",))
        text = self.to_json() + "\n"
        write_whole(target, lambda temporary: _write_text(temporary, text))

    def plot(self, path: str | Path | None = None) -> Any:
        """C of the first field, theory over simulation: a ``matplotlib`` figure (extra ``plot``).

        With a ``path`` (.png, .svg or .pdf) the figure is also saved there. Error bars are two
        standard errors over networks.
        """
        from .figure import report_figure

        return report_figure(self, path)

    def __str__(self) -> str:
        return self.table

    def __repr__(self) -> str:
        return f"ValidationReport({self.model}, n={self.n}, verdict={self.verdict!r})"

    def _repr_html_(self) -> str:
        from html import escape

        return f"<pre>{escape(self.table)}</pre>"


def _cells(row: Row) -> tuple[str, ...]:
    return (
        row.quantity,
        _number(row.theory),
        _number(row.simulation),
        _number(row.standard_error, 2),
        f"{row.score:+.2f}" if math.isfinite(row.score) else "",
        f"{row.p_value:.2g}" if math.isfinite(row.p_value) else "",
        row.verdict if row.judged else "(not judged)",
    )


def _number(value: float, digits: int = 5) -> str:
    return f"{value:.{digits}g}" if math.isfinite(value) else "-"


def _write_text(path: Path, text: str) -> None:
    with path.open("x", encoding="ascii", newline="\n") as file:
        file.write(text)
