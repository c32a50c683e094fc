"""Results as figures: chooses what to draw and the symbols; `dmft.plots` draws it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from ..errors import DmftError, InputError
from ..plots import COLOURS, Curve, draw_lines, new_figure, save_figure
from ..solvers.status import Status
from .frozen import FloatArray
from .symbols import Symbols, number

if TYPE_CHECKING:
    from .curve import BoundaryCurve
    from .solution import Solution

__all__ = ["check_sweep", "curve_figure", "solution_figure"]

#: The lag axis ends a little after every C(tau) / C(0) stays below this.
_NEGLIGIBLE = 0.02

_DASHED = (0, (4, 1.6))


def solution_figure(solution: Solution, path: str | Path | None = None) -> Any:
    """C(tau) of every field over a few correlation times; equal curves share a line.

    Raises `DmftError` when there is no solution to draw.
    """
    if not solution.lag.size:
        raise DmftError(f"there is no autocorrelation to draw: status {solution.status}")
    symbols = Symbols(solution.model)
    curves = {
        name: solution.autocorrelation[name]
        for name in solution.variance
        if name in solution.autocorrelation
    }
    lags = np.linspace(0.0, _shown_window(solution.lag, curves.values()), 401)
    smooth = solution.at(lags)
    figure, axes = new_figure()
    draw_lines(
        axes,
        [
            Curve(lags, smooth[group[0]], ", ".join(symbols.quantity(name) for name in group))
            for group in _coinciding(curves)
        ],
        xlabel=r"lag $\tau$ (leak times)",
        ylabel=r"autocorrelation $C(\tau)$",
        title=_title(symbols, solution.parameters, _facts(solution)),
    )
    lowest = min(float(values.min()) for values in curves.values())
    highest = max(float(values.max()) for values in curves.values())
    axes.set_xlim(0, lags[-1])
    if highest > 0:  # at rest matplotlib's own choice is as good as any
        axes.set_ylim(min(0.0, 1.1 * lowest), 1.08 * highest)
    return _finish(figure, path, f"{solution.model}: {solution.branch} solution", solution.command)


def curve_figure(curve: BoundaryCurve, path: str | Path | None = None) -> Any:
    """The solved over the swept parameter; with two sweeps, one line per value of the second.

    A solid line is where the boundary was located as a fold or a crossing, a dashed one where the
    branch is born continuously. Raises `InputError` for no or more than two swept parameters.
    """
    check_sweep(curve.sweep)
    symbols = Symbols(curve.model)
    if not curve.answered.any():
        raise DmftError("there is no point to draw: no point has an answer")
    across = curve.sweep[0]
    families = _families(curve)
    both = len({curve.status[i] for i in np.flatnonzero(curve.answered)}) > 1
    shades, scale = _shades([value for value in families if value is not None])
    lines: list[Curve] = []
    for value, members in families.items():
        colour = COLOURS[0] if value is None else shades(value)
        if value is not None and len(families) <= _LEGEND:
            lines.append(Curve([], [], _signed(value), colour, "-"))
        for piece, continuous in _pieces(curve, members):
            x, y = curve.columns[across][piece], curve.columns[curve.solve_for][piece]
            style = _DASHED if continuous else "-"
            lines.append(Curve(x, y, None, colour, style, "o" if len(piece) == 1 else ""))
    facts = ["dashed: continuous"] if both and len(curve.sweep) == 2 else []
    figure, axes = new_figure()
    second = curve.sweep[1] if len(curve.sweep) == 2 else None
    if both and second is None:
        lines += [
            Curve([], [], "continuous", COLOURS[0], _DASHED),
            Curve([], [], "fold", COLOURS[0], "-"),
        ]
    draw_lines(
        axes,
        lines,
        xlabel=symbols.axis(across),
        ylabel=symbols.axis(curve.solve_for),
        title=_title(symbols, curve.fixed, [curve.boundary, *facts]),
        legend_title=None if second is None else symbols.axis(second),
    )
    if second is not None and len(families) > _LEGEND:
        bar = figure.colorbar(scale, ax=axes)
        bar.set_label(symbols.axis(second), fontsize=9)
        bar.ax.tick_params(labelsize=8)
    axes.margins(x=0.02)
    return _finish(figure, path, f"{curve.model}: {curve.boundary}", curve.command)


def check_sweep(sweep: Iterable[str]) -> None:
    """Refuse what cannot be drawn in a plane; to be called before the computation."""
    names = tuple(sweep)
    if not names:
        raise InputError("plot: no parameter is swept; give one as name=first:last:points")
    if len(names) > 2:
        raise InputError(f"plot: {len(names)} parameters are swept; a figure shows one or two")


#: Longest family of curves told apart by a legend; a colour scale serves beyond.
_LEGEND = 6


def _signed(value: float) -> str:
    return number(value).replace("-", "\N{MINUS SIGN}")


def _shown_window(lag: FloatArray, curves: Iterable[FloatArray]) -> float:
    last = 0
    for values in curves:
        above = np.flatnonzero(np.abs(values) > _NEGLIGIBLE * max(abs(float(values[0])), 1e-300))
        last = max(last, int(above[-1]) if above.size else 0)
    window = float(lag[-1])
    shown = min(1.2 * float(lag[last]), window) if last else window
    return shown if shown > 0 else 1.0


def _coinciding(curves: Mapping[str, FloatArray]) -> list[list[str]]:
    """Names grouped by equal curves: one line hides another, so they share an entry."""
    groups: list[list[str]] = []
    for name, values in curves.items():
        for group in groups:
            if np.allclose(curves[group[0]], values, rtol=0, atol=1e-3 * values.max()):
                group.append(name)
                break
        else:
            groups.append([name])
    return groups


def _facts(solution: Solution) -> list[str]:
    if solution.lyapunov is None:
        return []
    return [rf"$\lambda_{{\max}} = {solution.lyapunov:.4g}$"]


def _title(symbols: Symbols, parameters: Mapping[str, float], facts: list[str]) -> str:
    """Model, parameters that differ from their default, facts; broken into short lines."""
    words = [symbols.model, *symbols.settings(parameters), *facts]
    lines = [", ".join(words[start : start + 4]) for start in range(0, len(words), 4)]
    return ",\n".join(lines)


def _families(curve: BoundaryCurve) -> dict[float | None, Any]:
    if len(curve.sweep) == 1:
        return {None: np.arange(len(curve))}
    values = curve.columns[curve.sweep[1]]
    return {float(value): np.flatnonzero(values == value) for value in np.unique(values)}


def _pieces(curve: BoundaryCurve, members: Any) -> Iterable[tuple[Any, bool]]:
    """Stretches of one segment and one status, in order; a missing point ends a stretch.

    Neighbouring stretches of one segment share a point, the first of the later one, so that no
    gap opens where a fold begins.
    """
    for segment in np.unique(curve.segment[members]):
        piece: list[int] = []
        for i in members[curve.segment[members] == segment].tolist():
            ends = piece and curve.status[i] != curve.status[piece[0]]
            if ends:
                shared = [i] if curve.answered[i] else []
                yield np.array([*piece, *shared]), curve.status[piece[0]] == Status.CONTINUOUS
                piece = []
            if curve.answered[i]:
                piece.append(i)
        if piece:
            yield np.array(piece), curve.status[piece[0]] == Status.CONTINUOUS


def _shades(values: list[float]) -> tuple[Any, Any]:
    """Value -> colour, and the same map for a colour scale; without viridis' pale yellow end."""
    if not values:
        return None, None
    from matplotlib import colormaps
    from matplotlib.cm import ScalarMappable
    from matplotlib.colors import ListedColormap, Normalize

    darker = ListedColormap(colormaps["viridis"](np.linspace(0, 0.9, 256)))
    scale = ScalarMappable(Normalize(min(values), max(values)), darker)
    return scale.to_rgba, scale


def _finish(figure: Any, path: str | Path | None, title: str, command: str | None) -> Any:
    if path is not None:
        save_figure(figure, path, title=title, command=command)
    return figure
