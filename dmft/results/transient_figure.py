"""A transient as a figure: C(t, t) with its error below the protocol; `dmft.plots` draws it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from ..errors import DmftError
from ..plots import Curve, draw_bands, draw_lines, draw_trace, new_stack
from .figures import _coinciding, _finish, _title
from .symbols import Symbols

if TYPE_CHECKING:
    from .transient import Transient

__all__ = ["transient_figure"]

#: Heights in inches of the curves and of each parameter that changes.
_CURVES, _TRACE = 2.2, 0.32


def transient_figure(transient: Transient, path: str | Path | None = None) -> Any:
    """Second moments over time; every parameter that changes has a line above, in the same time.

    Pale bands are errors, grey lines through all axes mark where a parameter jumps or bends. Raises
    `DmftError` when there is nothing to draw.
    """
    if not transient.time.size:
        raise DmftError(f"there are no moments to draw: status {transient.status}")
    symbols, time = Symbols(transient.model), transient.time
    changed = list(dict.fromkeys(change.parameter for change in transient.changes))
    groups = _coinciding({name: transient.variance(name) for name in transient.fields})
    figure, stack = new_stack((*[_TRACE] * len(changed), _CURVES))
    axes = stack[-1]
    bands = [(time, transient.variance(g[0]), transient.variance_error(g[0])) for g in groups]
    draw_bands(axes, [(x, y, np.nan_to_num(error)) for x, y, error in bands])
    draw_lines(
        axes,
        [
            Curve(x, y, ", ".join(symbols.quantity(name) for name in group))
            for group, (x, y, _) in zip(groups, bands, strict=True)
        ],
        xlabel=r"time $t$ (leak times)",
        ylabel=r"second moment $C(t,t)$",
    )
    for trace, name in zip(stack, changed, strict=False):
        moments, values = _course(transient, name)
        draw_trace(trace, moments, values, label=symbols.parameter(name))
    for moment in transient.protocol.breakpoints:
        if moment < time[-1]:
            for each in stack:
                each.axvline(moment, color="0.75", linewidth=0.6, zorder=0)
    resting = {k: v for k, v in transient.parameters.items() if k not in changed}
    stack[0].set_title(_title(symbols, resting, []), fontsize=7.5, loc="left")
    axes.set_xlim(0, time[-1])
    axes.set_ylim(bottom=0)
    figure.align_ylabels(stack[-1:])
    return _finish(figure, path, f"{transient.model}: transient", transient.command)


def _course(transient: Transient, name: str) -> tuple[list[float], list[float]]:
    """A parameter over time, both values where it jumps."""
    protocol, last = transient.protocol, float(transient.time[-1])
    inner = [t for t in protocol.breakpoints if 0 < t < last]
    moments = [0.0, *(t for t in inner for _ in range(2)), last]
    values = [protocol.at(0.0)[name]]
    for moment in inner:
        values += [protocol.before(moment)[name], protocol.at(moment)[name]]
    return moments, [*values, protocol.before(last)[name]]
