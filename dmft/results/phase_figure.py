"""A phase diagram as a figure: regions as quiet areas, boundaries as lines, told apart in grey too."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from ..plots import COLOURS, new_figure, save_figure
from .symbols import Symbols

if TYPE_CHECKING:
    from .phase import PhaseCurve, PhaseDiagram

__all__ = ["phase_figure"]

#: Common regions look the same in every diagram: fill and hatch.
_LOOKS: dict[str, tuple[str, str]] = {
    "rest": ("#F7F4EC", ""),
    "chaos": ("#CFE3F2", ""),
    "rest + chaos": ("#F5D9B8", ""),
    "rest (unstable fixed points)": ("#BFDCCF", ""),
    "none stable": ("#CFE3F2", "///"),
    "none stable (unstable fixed points)": ("#D5D5D5", ""),
    "fixed point": ("#E3B8CE", "..."),
    "fixed point + chaos": ("#93B7D6", "///"),
}
#: The others, in their order, of Okabe and Ito's hues; hatches tell apart what neither colour nor grey does.
_FURTHER = (("#D9A06B", "xxx"), ("#7FA894", "\\\\\\"), ("#C9B458", "ooo"), ("#A9A9A9", "---"))
_LINES: dict[str, tuple[str, Any]] = {
    "zero-state": (COLOURS[0], "-"),
    "fixed-points": (COLOURS[2], (0, (5, 1.6))),
    "chaos-onset": (COLOURS[1], "-"),
    "jacobian-edge": (COLOURS[3], (0, (1.2, 1.2))),
    "lyapunov-zero": (COLOURS[6], (0, (5, 1.5, 1.2, 1.5))),
}


def phase_figure(diagram: PhaseDiagram, path: str | Path | None = None) -> Any:
    """Draw the diagram; save it if a path is given."""
    from matplotlib.patches import Patch

    figure, axes = new_figure(width=5.4, height=3.1)
    symbols = Symbols(diagram.model)
    x, y = diagram.axes[diagram.across], diagram.axes[diagram.up]
    present = [i for i in range(len(diagram.labels)) if np.any(diagram.region == i)]
    patches = []
    further = [diagram.labels[i] for i in present if diagram.labels[i] not in _LOOKS]
    looks = _LOOKS | {name: _FURTHER[k % len(_FURTHER)] for k, name in enumerate(further)}
    for i in present:
        fill, hatch = looks[diagram.labels[i]]
        _fill(axes, x, y, diagram.region == i, fill, hatch)
        patches.append(
            Patch(facecolor=fill, edgecolor="#555555", label=diagram.labels[i], hatch=hatch)
        )
    if np.any(diagram.region < 0):
        _fill(axes, x, y, diagram.region < 0, "#FFFFFF", "++++")
        patches.append(
            Patch(facecolor="#FFFFFF", edgecolor="#555555", hatch="++++", label="undecided")
        )
    named: dict[str, Any] = {}
    for curve in diagram.curves:
        if len(curve.across) < 2:
            continue  # a single point is no line
        line = _draw(axes, curve)
        named.setdefault(curve.boundary, line)
    axes.set_xlim(x[0], x[-1])
    axes.set_ylim(y[0], y[-1])
    axes.set_xlabel(symbols.axis(diagram.across), fontsize=9)
    axes.set_ylabel(symbols.axis(diagram.up), fontsize=9)
    words = [diagram.model, *symbols.settings(diagram.fixed)]
    lines = [", ".join(words[start : start + 5]) for start in range(0, len(words), 5)]
    axes.set_title(",\n".join(lines), fontsize=7.5, loc="left")
    figure.legend(
        [*patches, *named.values()],
        [*(patch.get_label() for patch in patches), *named],
        frameon=False,
        fontsize=7.5,
        loc="outside right upper",
        handlelength=2.2,
    )
    if path is not None:
        save_figure(figure, path, title=f"{diagram.model}: phase diagram", command=diagram.command)
    return figure


def _edges(values: Any) -> Any:
    """Edges of cells about the grid's values."""
    if values.size == 1:
        return np.array([values[0] - 0.5, values[0] + 0.5])
    middle = (values[1:] + values[:-1]) / 2
    return np.concatenate([[2 * values[0] - middle[0]], middle, [2 * values[-1] - middle[-1]]])


def _fill(axes: Any, x: Any, y: Any, inside: Any, colour: str, hatch: str) -> None:
    from matplotlib.colors import ListedColormap

    cells = np.ma.masked_where(~inside, np.ones(inside.shape))
    axes.pcolormesh(
        _edges(x), _edges(y), cells, cmap=ListedColormap([colour]), vmin=0, vmax=1, rasterized=True
    )
    if hatch and min(inside.shape) > 1:
        axes.contourf(x, y, inside.astype(float), levels=[0.5, 1.5], colors="none", hatches=[hatch])


def _draw(axes: Any, curve: PhaseCurve) -> Any:
    colour, style = _LINES.get(curve.boundary, (COLOURS[6], "-"))
    (line,) = axes.plot(curve.across, curve.up, color=colour, linestyle=style, linewidth=1.6)
    return line
