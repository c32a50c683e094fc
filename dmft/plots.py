"""Figures for a journal column: draws plain arrays, computes nothing.

Uses matplotlib's object-oriented interface only, so no global state is touched and no display is
needed. Colours are those of M. Okabe and K. Ito, Color Universal Design (2008), distinguishable
with every kind of colour vision; line styles carry the same distinction without colour.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

from .errors import MissingExtraError

__all__ = [
    "COLOURS",
    "STYLES",
    "WIDTH",
    "Curve",
    "Label",
    "cell_edges",
    "draw_bands",
    "draw_lines",
    "draw_map",
    "draw_trace",
    "math_label",
    "new_figure",
    "new_stack",
    "save_figure",
]

#: Okabe-Ito colours, the dark and the well separated ones first; without the yellow.
COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#56B4E9", "#E69F00", "#000000")

STYLES: tuple[Any, ...] = ("-", (0, (5, 1.5)), (0, (1.2, 1.2)), (0, (5, 1.5, 1.2, 1.5)))

#: Width of a journal column in inches (86 mm), and the size of its small print in points.
WIDTH = 3.4
_SMALL = 7.5
_TEXT = 9.0


@dataclass(frozen=True, slots=True)
class Curve:
    """A line to draw: abscissa, ordinate (NaN leaves a gap), label (None: not in the legend)."""

    x: Any
    y: Any
    label: str | None = None
    colour: Any = None
    style: Any = None
    marker: str = ""


def new_figure(*, width: float = WIDTH, height: float = 2.5) -> Any:
    """An empty ``matplotlib`` figure and its axes: ``figure, axes = new_figure()``.

    The figure shows itself in Jupyter without pyplot. Raises `MissingExtraError` without the
    extra ``plot``.
    """
    figure, (axes,) = new_stack((height,), width=width)
    return figure, axes


def new_stack(heights: Sequence[float], *, width: float = WIDTH) -> Any:
    """An empty figure and a list of axes, the first on top, that share their abscissa."""
    try:
        from matplotlib.backends.backend_agg import FigureCanvasAgg
        from matplotlib.figure import Figure
    except ImportError:
        raise MissingExtraError("plots", "plot") from None

    class ColumnFigure(Figure):
        def _repr_png_(self) -> bytes:
            import io

            buffer = io.BytesIO()
            self.savefig(buffer, format="png", dpi=150)
            return buffer.getvalue()

    figure = ColumnFigure(figsize=(width, sum(heights)), layout="constrained")
    FigureCanvasAgg(figure)
    stack = figure.subplots(len(heights), sharex=True, squeeze=False, height_ratios=heights)
    for axes in stack[:, 0]:
        axes.tick_params(labelsize=_TEXT - 1, direction="in", top=True, right=True)
        for spine in axes.spines.values():
            spine.set_linewidth(0.7)
    return figure, list(stack[:, 0])


def draw_lines(
    axes: Any,
    curves: Sequence[Curve],
    *,
    xlabel: str,
    ylabel: str,
    title: str = "",
    legend_title: str | None = None,
    legend: bool = True,
) -> None:
    """Draw curves and label the axes.

    A ``legend`` appears only when some curve has a label; one with a title stands beside the axes.
    """
    for index, curve in enumerate(curves):
        axes.plot(
            curve.x,
            curve.y,
            color=curve.colour or COLOURS[index % len(COLOURS)],
            linestyle=STYLES[index % len(STYLES)] if curve.style is None else curve.style,
            linewidth=1.6,
            marker=curve.marker,
            markersize=3,
            label=curve.label,
        )
    axes.set_xlabel(xlabel, fontsize=_TEXT)
    axes.set_ylabel(ylabel, fontsize=_TEXT)
    if title:
        axes.set_title(title, fontsize=_SMALL, loc="left")
    if legend and any(curve.label for curve in curves):
        style = {"frameon": False, "fontsize": _TEXT - 0.5, "handlelength": 2.4}
        if legend_title is None:
            axes.legend(**style)
        else:
            axes.figure.legend(
                **style, title=legend_title, title_fontsize=_TEXT - 0.5, loc="outside right upper"
            )


def draw_bands(axes: Any, bands: Sequence[tuple[Any, Any, Any]]) -> None:
    """Pale areas behind curves of the same order, each an abscissa, the ordinate and its error."""
    for index, (across, middle, error) in enumerate(bands):
        colour = COLOURS[index % len(COLOURS)]
        axes.fill_between(
            across, middle - error, middle + error, color=colour, alpha=0.25, linewidth=0
        )


def draw_trace(axes: Any, across: Sequence[float], up: Sequence[float], *, label: str) -> None:
    """A stimulus in narrow axes: one grey line with its lowest and highest value on the ordinate."""
    axes.plot(across, up, color="0.25", linewidth=1.2)
    low, high = min(up), max(up)
    axes.set_yticks([low, high] if low < high else [low])
    axes.set_ylim(low - 0.25 * (high - low or 1), high + 0.25 * (high - low or 1))
    axes.yaxis.set_tick_params(labelsize=_SMALL - 1)
    axes.xaxis.set_tick_params(length=0)
    axes.set_ylabel(label, fontsize=_TEXT, rotation=0, ha="right", va="center")
    for side in ("top", "right", "bottom"):
        axes.spines[side].set_visible(False)
    axes.tick_params(top=False, right=False)


@dataclass(frozen=True, slots=True)
class Label:
    """A word written into a map at (x, y)."""

    x: float
    y: float
    text: str


def cell_edges(values: Sequence[float]) -> list[float]:
    """Edges of cells around increasing values: half-way between neighbours.

    >>> cell_edges([0.0, 1.0, 3.0])
    [-0.5, 0.5, 2.0, 4.0]
    """
    if len(values) == 1:
        return [values[0] - 0.5, values[0] + 0.5]
    middles = [(a + b) / 2 for a, b in pairwise(values)]
    return [2 * values[0] - middles[0], *middles, 2 * values[-1] - middles[-1]]


def draw_map(
    axes: Any,
    x: Sequence[float],
    y: Sequence[float],
    values: Any,
    *,
    xlabel: str,
    ylabel: str,
    barlabel: str,
    title: str = "",
    borders: Sequence[tuple[tuple[float, float], tuple[float, float]]] = (),
    labels: Sequence[Label] = (),
) -> None:
    """Draw ``values`` of shape (x, y) as coloured cells around increasing ``x`` and ``y``.

    Cells that are NaN are hatched. ``borders`` are black lines between two points. The colours
    (viridis without its pale end) grow lighter steadily, so that grey print keeps their order; a
    line across the colour scale marks zero.
    """
    from matplotlib import colormaps
    from matplotlib.collections import LineCollection, PolyCollection
    from matplotlib.colors import ListedColormap
    from matplotlib.patheffects import withStroke

    shades = ListedColormap([colormaps["viridis"](0.9 * i / 255) for i in range(256)])
    across, up = cell_edges(x), cell_edges(y)
    missing = values != values
    mesh = axes.pcolormesh(
        across, up, values.T, cmap=shades, rasterized=True, edgecolors="none", linewidth=0
    )
    holes = [
        [(left, low), (right, low), (right, high), (left, high)]
        for i, (left, right) in enumerate(pairwise(across))
        for j, (low, high) in enumerate(pairwise(up))
        if missing[i, j]
    ]
    hatched: dict[str, Any] = {
        "facecolors": "white",
        "edgecolors": "0.35",
        "hatch": "//////",
        "linewidths": 0,
    }
    axes.add_collection(PolyCollection(holes, **hatched))
    axes.add_collection(LineCollection(borders, colors="black", linewidths=1.1))
    for label in labels:
        axes.text(
            *(label.x, label.y, label.text),
            fontsize=_SMALL,
            color="white",
            ha="center",
            va="center",
            path_effects=[withStroke(linewidth=1.8, foreground="black")],
        )
    axes.set_xlim(across[0], across[-1])
    axes.set_ylim(up[0], up[-1])
    axes.set_xlabel(xlabel, fontsize=_TEXT)
    axes.set_ylabel(ylabel, fontsize=_TEXT)
    if title:
        axes.set_title(title, fontsize=_SMALL, loc="left")
    bar = axes.figure.colorbar(mesh, ax=axes)
    bar.set_label(barlabel, fontsize=_TEXT)
    bar.ax.tick_params(labelsize=_TEXT - 1)
    low, high = mesh.get_clim()
    if low < 0 < high:
        bar.ax.axhline(0, color="black", linewidth=1.1)


def math_label(latex: str, plain: str) -> str:
    r"""``$latex$`` when matplotlib can set it, else the plain name with dollar signs escaped.

    >>> math_label(r"\alpha_r", "alpha_r")
    '$\\alpha_r$'
    """
    fallback = plain.replace("$", r"\$")
    if not latex:
        return fallback
    from matplotlib.mathtext import MathTextParser

    try:
        MathTextParser("path").parse(f"${latex}$")
    except (ValueError, RuntimeError):
        return fallback
    return f"${latex}$"


def save_figure(
    figure: Any, path: str | Path, *, title: str, command: str | None, option: str = "plot"
) -> None:
    """Write a figure as .png, .svg or .pdf, whole or not at all.

    The metadata say what made it: title, command and the version of dmft. Raises `InputError` for
    another suffix or a path that cannot be written.
    """
    from ._version import __version__
    from .output import FIGURE_SUFFIXES, check_output, write_whole

    target = check_output(path, FIGURE_SUFFIXES, option=option)
    kind = target.suffix.lower()[1:]
    program = f"dmft {__version__}"
    description = command or "made from Python"
    metadata: Mapping[str, Mapping[str, Any]] = {
        "png": {"Title": title, "Description": description, "Software": program},
        "svg": {"Title": title, "Description": description, "Creator": program},
        "pdf": {"Title": title, "Subject": description, "Creator": program},
    }
    write_whole(
        target,
        lambda temporary: figure.savefig(temporary, format=kind, dpi=300, metadata=metadata[kind]),
        option=option,
    )
