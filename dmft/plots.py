"""Figures for a journal column: draws plain arrays, computes nothing.

Uses matplotlib's object-oriented interface only, so no global state is touched and no display is
needed. Colours are those of M. Okabe and K. Ito, Color Universal Design (2008), distinguishable
with every kind of colour vision; line styles carry the same distinction without colour.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from .errors import MissingExtraError

__all__ = ["COLOURS", "WIDTH", "Curve", "draw_lines", "math_label", "new_figure", "save_figure"]

#: Okabe-Ito colours, the dark and the well separated ones first; without the yellow.
COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#56B4E9", "#E69F00", "#000000")

_STYLES: tuple[Any, ...] = ("-", (0, (5, 1.5)), (0, (1.2, 1.2)), (0, (5, 1.5, 1.2, 1.5)))

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

    figure = ColumnFigure(figsize=(width, height), layout="constrained")
    FigureCanvasAgg(figure)
    axes = figure.add_subplot()
    axes.tick_params(labelsize=_TEXT - 1, direction="in", top=True, right=True)
    for spine in axes.spines.values():
        spine.set_linewidth(0.7)
    return figure, axes


def draw_lines(
    axes: Any,
    curves: Sequence[Curve],
    *,
    xlabel: str,
    ylabel: str,
    title: str = "",
    legend_title: str | None = None,
) -> None:
    """Draw curves and label the axes.

    A legend appears only when some curve has a label; one with a title stands beside the axes.
    """
    for index, curve in enumerate(curves):
        axes.plot(
            curve.x,
            curve.y,
            color=curve.colour or COLOURS[index % len(COLOURS)],
            linestyle=_STYLES[index % len(_STYLES)] if curve.style is None else curve.style,
            linewidth=1.6,
            marker=curve.marker,
            markersize=3,
            label=curve.label,
        )
    axes.set_xlabel(xlabel, fontsize=_TEXT)
    axes.set_ylabel(ylabel, fontsize=_TEXT)
    if title:
        axes.set_title(title, fontsize=_SMALL, loc="left")
    if any(curve.label for curve in curves):
        style = {"frameon": False, "fontsize": _TEXT - 0.5, "handlelength": 2.4}
        if legend_title is None:
            axes.legend(**style)
        else:
            axes.figure.legend(
                **style, title=legend_title, title_fontsize=_TEXT - 0.5, loc="outside right upper"
            )


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
