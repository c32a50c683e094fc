"""A scan as a figure: lines over one axis, a map over two; `dmft.plots` draws them."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from ..errors import DmftError, InputError, did_you_mean, quoted
from ..plots import COLOURS, STYLES, Curve, Label, cell_edges, draw_lines, draw_map, new_figure
from .figures import _finish, _title, check_sweep
from .frozen import FloatArray
from .scan import value_names
from .symbols import Symbols

if TYPE_CHECKING:
    from ..codegen.source import ModelSource
    from .scan import Scan

__all__ = ["check_quantity", "scan_figure"]

#: Share of the map that a region must cover to be named in it.
_NAMED = 0.03

_WORDS = {
    "variance_": "second moment of {}",
    "mean_": "mean of {}",
    "limit_": r"$C(\tau\to\infty)$ of {}",
    "correlation_time_": "correlation time of {} (leak times)",
}
_OF_A_POINT = {
    "lyapunov": r"$\lambda_{\max}$ (1 / leak time)",
    "residual": "residual",
    "error_variance": "estimated error of the variance",
    "error_lyapunov": r"estimated error of $\lambda_{\max}$",
    "error_autocorrelation": r"estimated error of $C(\tau)$",
    "seconds": "computing time (s)",
}


def check_quantity(model: ModelSource, quantity: str | None) -> None:
    """Refuse what is no column of a scan; to be called before the computation."""
    from ..parameters import find_model

    if quantity is not None:
        _check(quantity, value_names(find_model(model).fields))


def scan_figure(scan: Scan, path: str | Path | None = None, quantity: str | None = None) -> Any:
    """The quantity over one axis, a line per branch, or over two, a colour per cell.

    Points without an answer are hatched; black lines part the branches. Raises `InputError` for
    more axes or an unknown quantity and `DmftError` when there is nothing to draw.
    """
    check_sweep(scan.axes)
    if quantity is None:
        known = np.isfinite(scan.lyapunov[scan.answered]).any()
        quantity = "lyapunov" if known else f"variance_{scan.fields[0]}"
    _check(quantity, tuple(scan.values))
    values = np.where(scan.answered, scan.values[quantity], np.nan)
    if not np.isfinite(values).any():
        raise DmftError(f"there is nothing to draw: no point has {quantity}")
    order = np.ix_(*(np.argsort(axis) for axis in scan.axes.values()))
    values, branch = values[order], np.where(scan.answered, scan.branch, "")[order]
    axes = [np.sort(axis) for axis in scan.axes.values()]
    draw = _lines if len(axes) == 1 else _map
    figure = draw(scan, axes, values, branch, quantity)
    return _finish(figure, path, f"{scan.model}: {quantity}", scan.command)


def _check(quantity: str, allowed: tuple[str, ...]) -> None:
    if quantity not in allowed:
        raise InputError(
            f"quantity: {quoted(quantity)} is not allowed{did_you_mean(quantity, allowed)}; "
            f"choose {', '.join(allowed)}"
        )


def _label(symbols: Symbols, quantity: str) -> str:
    for beginning, words in _WORDS.items():
        if quantity.startswith(beginning):
            return words.format(symbols.quantity(quantity.removeprefix(beginning)))
    return _OF_A_POINT[quantity]


def _lines(
    scan: Scan, axes: list[FloatArray], values: FloatArray, branch: Any, quantity: str
) -> Any:
    symbols = Symbols(scan.model)
    (x,) = axes
    names = [str(name) for name in dict.fromkeys(scan.branch.tolist())]
    curves: list[Curve] = []
    for index, name in enumerate(names):
        colour, style = COLOURS[index % len(COLOURS)], STYLES[index % len(STYLES)]
        pieces = list(_stretches(branch == name))
        if pieces and len(names) > 1:
            curves.append(Curve([], [], name, colour, style))
        for piece in pieces:
            marker = "o" if piece.stop - piece.start == 1 else ""
            curves.append(Curve(x[piece], values[piece], None, colour, style, marker))
    holes = list(_stretches(np.isnan(values)))
    figure, drawing = new_figure()
    edges = cell_edges(x.tolist())
    for hole in holes:
        drawing.axvspan(
            edges[hole.start],
            edges[hole.stop],
            facecolor="none",
            edgecolor="0.5",
            hatch="////",
            lw=0,
        )
    (name,) = scan.axes
    draw_lines(
        drawing,
        curves,
        xlabel=symbols.axis(name),
        ylabel=_label(symbols, quantity),
        title=_title(symbols, scan.fixed, _facts(bool(holes))),
    )
    drawing.margins(x=0.02)
    return figure


def _map(scan: Scan, axes: list[FloatArray], values: FloatArray, branch: Any, quantity: str) -> Any:
    symbols = Symbols(scan.model)
    x, y = (axis.tolist() for axis in axes)
    across, up = (symbols.axis(name) for name in scan.axes)
    figure, drawing = new_figure(height=2.8)
    draw_map(
        drawing,
        x,
        y,
        values,
        xlabel=across,
        ylabel=up,
        barlabel=_label(symbols, quantity),
        title=_title(symbols, scan.fixed, _facts(bool(np.isnan(values).any()))),
        borders=_borders(cell_edges(x), cell_edges(y), branch),
        labels=_names(x, y, branch),
    )
    return figure


def _facts(holes: bool) -> list[str]:
    return ["hatched: no answer"] if holes else []


def _stretches(mask: Any) -> Iterable[slice]:
    """Runs of True."""
    padded = np.concatenate([[False], mask, [False]])
    ends = np.flatnonzero(padded[1:] != padded[:-1])
    return (slice(int(a), int(b)) for a, b in zip(ends[::2], ends[1::2], strict=True))


def _borders(
    x: list[float], y: list[float], branch: Any
) -> list[tuple[tuple[float, float], tuple[float, float]]]:
    """Edges between cells of different branches; ``x`` and ``y`` are the edges of all cells."""
    upright = [
        ((x[i + 1], y[j]), (x[i + 1], y[j + 1]))
        for i, j in np.argwhere(branch[1:] != branch[:-1]).tolist()
    ]
    level = [
        ((x[i], y[j + 1]), (x[i + 1], y[j + 1]))
        for i, j in np.argwhere(branch[:, 1:] != branch[:, :-1]).tolist()
    ]
    return upright + level


def _names(x: list[float], y: list[float], branch: Any) -> list[Label]:
    """The name of every larger region at its cell that is farthest from the region's end."""
    from scipy.ndimage import distance_transform_edt, label

    found = []
    names = [str(name) for name in np.unique(branch) if name]
    for name in names if len(names) > 1 else []:
        regions, count = label(branch == name)
        for number in range(1, count + 1):
            region = regions == number
            if region.sum() < _NAMED * region.size:
                continue
            depth = distance_transform_edt(np.pad(region, 1))[1:-1, 1:-1]
            deepest = np.argwhere(depth == depth.max())
            i, j = deepest[len(deepest) // 2].tolist()
            found.append(Label(x[i], y[j], name))
    return found
