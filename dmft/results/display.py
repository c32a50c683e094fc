"""Results for people: one line, rows of a table, HTML for notebooks."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from html import escape
from typing import TYPE_CHECKING

from .symbols import number

if TYPE_CHECKING:
    from .branches import BranchDiagram
    from .curve import BoundaryCurve
    from .scan import Scan
    from .solution import Solution

__all__ = [
    "assignments",
    "curve_html",
    "curve_line",
    "curve_rows",
    "scan_head",
    "scan_html",
    "scan_line",
    "scan_rows",
    "settings",
    "solution_html",
    "solution_line",
    "solution_rows",
]

_MISSING = "-"


def assignments(parameters: Iterable[tuple[str, float]]) -> str:
    """Parameters as they are typed: ``name=3 other=5``."""
    return " ".join(f"{name}={number(value)}" for name, value in parameters)


def settings(parameters: Iterable[tuple[str, float]]) -> str:
    """As `assignments`, without the zeros when there are several: ``name=3 (others 0)``."""
    given = list(parameters)
    telling = [(name, value) for name, value in given if value != 0]
    if len(given) - len(telling) < 2:
        return assignments(given)
    return f"{assignments(telling)} (others 0)".lstrip()


def solution_line(solution: Solution) -> str:
    """A solution in one line."""
    variance = " ".join(f"{k}={_digits(v)}" for k, v in solution.variance.items())
    return (
        f"{solution.model} {settings(solution.parameters.items())}: {solution.branch}, "
        f"{solution.status}, variance {variance or _MISSING}, lyapunov {_digits(solution.lyapunov)}"
    )


def solution_rows(solution: Solution) -> list[tuple[str, str, str]]:
    """Quantity, value and error estimate of everything a reader wants first."""
    error = solution.error_estimate
    rows = [
        (f"C_{name}(0)", _digits(value), _size(error.get("variance")))
        for name, value in solution.variance.items()
    ]
    for label, values in (("C_{}(inf)", solution.limit), ("mean of {}", solution.mean)):
        rows += [(label.format(k), _digits(v), "") for k, v in values.items() if v]
    rows.append(("lambda_max", _digits(solution.lyapunov), _size(error.get("lyapunov"))))
    rows += [
        (f"correlation time of {name}", _digits(value, 6), "")
        for name, value in solution.correlation_time.items()
    ]
    rows += [
        ("branch", solution.branch, ""),
        ("other branches", ", ".join(solution.other_branches) or "none", ""),
        ("status", str(solution.status), ""),
        ("residual", _size(solution.residual), ""),
    ]
    if solution.lag.size:
        window = f"{solution.lag.size} lags from 0 to {number(float(solution.lag[-1]))}"
        rows.append(("C(tau)", window, _size(error.get("autocorrelation"))))
    rows.append(("time", f"{solution.seconds:.2f} s", ""))
    return rows


def solution_html(solution: Solution) -> str:
    """A compact table for notebooks; every text escaped."""
    caption = f"{solution.model}: {settings(solution.parameters.items())}"
    if solution.message:
        caption += f" ({solution.message})"
    return _table(caption, ("", "value", "error estimate"), solution_rows(solution))


def curve_line(curve: BoundaryCurve) -> str:
    """A curve in one line."""
    return (
        f"{curve.model} {curve.boundary}: {curve.solve_for} over "
        f"{', '.join(curve.sweep) or 'one point'}, {int(curve.answered.sum())} of {len(curve)} "
        f"points, {settings(curve.fixed.items())}"
    )


def curve_rows(curve: BoundaryCurve) -> list[tuple[str, ...]]:
    """One row per point: parameters, error, status, segment."""
    columns = [[_digits(float(v)) for v in values] for values in curve.columns.values()]
    errors = [_size(float(value)) for value in curve.error]
    segments = [str(value) for value in curve.segment.tolist()]
    return list(zip(*columns, errors, curve.status, segments, strict=True))


def curve_html(curve: BoundaryCurve, longest: int = 20) -> str:
    """A compact table for notebooks: the first and last rows of a long curve."""
    rows = curve_rows(curve)
    if len(rows) > longest:
        half = longest // 2
        rows = [*rows[:half], ("...",) * len(rows[0]), *rows[-half:]]
    return _table(curve_line(curve), (*curve.columns, "error", "status", "segment"), rows)


def branch_rows(diagram: BranchDiagram) -> list[tuple[str, ...]]:
    """One row per branch: number, kind, points, from where to where, and how it ends."""
    rows = []
    for i, branch in enumerate(diagram.branches):
        moments = branch.variance[diagram.fields[0]]
        ends = [(float(v[0]), float(v[-1])) for v in (branch.value, moments)]
        texts = [" to ".join(_digits(x, 6) for x in pair) for pair in ends]
        rows.append((str(i), branch.kind, str(len(branch)), *texts, ", ".join(branch.ends)))
    return rows


def event_rows(diagram: BranchDiagram) -> list[tuple[str, ...]]:
    """One row per special point, in the order of branches and values."""
    return [
        (str(i), event.kind, _digits(event.value), _size(event.error), _digits(event.amplitude, 6))
        for i, branch in enumerate(diagram.branches)
        for event in sorted(branch.events, key=lambda e: e.value)
    ]


def scan_line(scan: Scan) -> str:
    """A scan in one line."""
    axes = ", ".join(f"{name} ({values.size})" for name, values in scan.axes.items())
    return (
        f"{scan.model} over {axes}: {int(scan.answered.sum())} of {len(scan)} points have an "
        f"answer, {settings(scan.fixed.items())}"
    )


def scan_head(scan: Scan) -> tuple[str, ...]:
    """Names of the columns of `scan_rows`."""
    return (*scan.axes, "branch", f"C_{scan.fields[0]}(0)", "error", "lambda_max", "status")


def scan_rows(scan: Scan) -> list[tuple[str, ...]]:
    """One row per point: parameters, branch, first field's variance, exponent and status."""
    sheet = scan.to_sheet().columns
    axes = [[number(v) for v in sheet[name].tolist()] for name in scan.axes]
    variances = [_digits(v, 8) for v in sheet[f"variance_{scan.fields[0]}"].tolist()]
    errors = [_size(v) for v in sheet["error_variance"].tolist()]
    exponents = [_digits(v, 8) for v in sheet["lyapunov"].tolist()]
    branches, statuses = sheet["branch"].tolist(), sheet["status"].tolist()
    return list(zip(*axes, branches, variances, errors, exponents, statuses, strict=True))


def scan_html(scan: Scan, longest: int = 20) -> str:
    """A compact table for notebooks: the first and last rows of a long scan."""
    rows = scan_rows(scan)
    if len(rows) > longest:
        half = longest // 2
        rows = [*rows[:half], ("...",) * len(rows[0]), *rows[-half:]]
    return _table(scan_line(scan), scan_head(scan), rows)


def _digits(value: float | None, digits: int = 10) -> str:
    return _MISSING if value is None or value != value else f"{value:.{digits}g}"


def _size(value: float | None) -> str:
    return _MISSING if value is None or value != value else f"{value:.1e}"


def _table(caption: str, head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    def line(tag: str, cells: Sequence[str]) -> str:
        return "<tr>" + "".join(f"<{tag}>{escape(cell)}</{tag}>" for cell in cells) + "</tr>"

    body = "".join(line("td", row) for row in rows)
    return (
        f"<table><caption>{escape(caption)}</caption>"
        f"<thead>{line('th', head)}</thead><tbody>{body}</tbody></table>"
    )
