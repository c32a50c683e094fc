"""Branches over a parameter as a figure: solid where stable, special points marked."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from ..errors import DmftError
from ..plots import COLOURS, new_stack
from .figures import _finish, _title
from .symbols import Symbols

if TYPE_CHECKING:
    from .branches import BranchDiagram

__all__ = ["branch_figure"]

#: Heights in inches of second moments and growth.
_HEIGHTS = (2.2, 1.3)
_LOOKS = {"zero": (COLOURS[0], "rest"), "fixed-point": (COLOURS[2], "fixed points")}
_LOOKS["chaotic"] = (COLOURS[1], "chaos")
_MARKS = {"fold": ("o", "fold"), "stability": ("s", "change of stability"), "birth": ("^", "birth")}


def branch_figure(diagram: BranchDiagram, path: str | Path | None = None) -> Any:
    """<x^2> of the first field above, growth rate or exponent below; dashed where not stable.

    Raises `DmftError` when there is no branch to draw.
    """
    from matplotlib.lines import Line2D

    if not diagram.branches:
        raise DmftError("there is no branch to draw: no state was found")
    symbols, first = Symbols(diagram.model), diagram.fields[0]
    figure, (upper, lower) = new_stack(_HEIGHTS, width=4.6)
    lower.axhline(0, color="0.75", linewidth=0.6, zorder=0)
    kinds: dict[str, Any] = {}
    marks: dict[str, Any] = {}
    for branch in diagram.branches:
        colour, label = _LOOKS[branch.kind]
        kinds.setdefault(label, Line2D([], [], color=colour, linewidth=1.6))
        for start, stop in _stretches(branch.stable):
            style = "-" if branch.stable[start] else (0, (3.5, 1.6))
            part = slice(start, stop)
            for axes, values in ((upper, branch.variance[first]), (lower, branch.growth)):
                axes.plot(
                    branch.value[part], values[part], color=colour, linestyle=style, linewidth=1.6
                )
        for event in branch.events:
            symbol, label = _MARKS[event.kind]
            nearest = np.argmin(
                abs(np.log(branch.decaying[first] + 1e-300) - np.log(event.amplitude + 1e-300))
            )
            height = event.amplitude
            if branch.kind == "chaotic":  # what decays stands on what does not
                height = float(branch.variance[first][nearest])
            marks.setdefault(
                label, Line2D([], [], color="0.2", marker=symbol, markersize=4, linestyle="none")
            )
            upper.plot([event.value], [height], symbol, color=colour, markersize=4, mec="0.2")
    upper.set_ylabel(f"second moment of {symbols.quantity(first)}", fontsize=9)
    lower.set_ylabel("growth rate", fontsize=9)
    lower.set_xlabel(symbols.axis(diagram.along), fontsize=9)
    upper.set_title(_title(symbols, diagram.fixed, []), fontsize=7.5, loc="left")
    upper.set_xlim(*sorted(diagram.span))
    handles = {
        **kinds,
        **marks,
        "not stable": Line2D([], [], color="0.2", linestyle=(0, (3.5, 1.6))),
    }
    figure.legend(
        [*handles.values()], [*handles], frameon=False, fontsize=7.5, loc="outside right upper"
    )
    figure.align_ylabels([upper, lower])
    return _finish(figure, path, f"{diagram.model}: branches over {diagram.along}", diagram.command)


def _stretches(stable: Any) -> list[tuple[int, int]]:
    """Start and end of stretches of points that are alike, each joined to the next."""
    turns = np.flatnonzero(np.diff(stable.astype(int))) + 1
    edges = [0, *turns.tolist(), len(stable)]
    return [(start, min(stop + 1, len(stable))) for start, stop in pairwise(edges)]
