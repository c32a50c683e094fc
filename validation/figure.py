"""The picture of a validation: the theory's autocorrelation through the simulated points."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from dmft.plots import COLOURS, Curve, draw_lines, new_figure, save_figure

if TYPE_CHECKING:
    from .report import ValidationReport


def report_figure(report: ValidationReport, path: str | Path | None = None) -> Any:
    """Draw C(tau) of the first field; save it if a path is given."""
    figure, axes = new_figure()
    name = report.field
    count = report.networks[report.n] if report.networks else 0
    draw_lines(
        axes,
        [Curve(report.theory_lag, report.theory_autocorrelation, "theory", COLOURS[0], "-")],
        xlabel=r"lag $\tau$ (leak time constants)",
        ylabel=rf"$C_{{{name}}}(\tau)$",
        title=f"{report.model}: {report.verdict}",
    )
    axes.errorbar(
        report.lag,
        report.autocorrelation,
        yerr=2 * report.autocorrelation_error,
        fmt="o",
        color=COLOURS[1],
        markersize=3,
        linewidth=1,
        label=f"{count} networks, N = {report.n}",
    )
    axes.legend(frameon=False, fontsize=8.5)
    if path is not None:
        save_figure(figure, path, title=f"{report.model}: validation", command=report.command)
    return figure
