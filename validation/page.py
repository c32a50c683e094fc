"""The report on all cases as one self-contained HTML page: figures inline, light and dark, offline."""

from __future__ import annotations

import io
import re
from collections.abc import Sequence
from html import escape
from typing import Any

from dmft.plots import COLOURS, Curve, draw_lines, new_figure

from .case import CaseResult, Panel
from .compare import Row
from .watch import duration

__all__ = ["case_section", "panel_figure", "report_page"]

_STYLE = """
:root { color-scheme: light dark; --pass: #1a7f37; --fail: #c62828; --other: #9a6700; }
@media (prefers-color-scheme: dark) { :root { --pass: #57c878; --fail: #ff7b72; --other: #d8a638; } }
body { font: 1rem/1.55 system-ui, sans-serif; max-width: 64rem; margin: 2rem auto; padding: 0 1rem; }
h1 { font-size: 1.5rem; } h2 { font-size: 1.2rem; margin-top: 3rem; }
table { border-collapse: collapse; font-size: 0.88rem; font-variant-numeric: tabular-nums; }
.scroll { overflow-x: auto; }
td, th { padding: 0.15rem 0.7rem 0.15rem 0; text-align: right; white-space: nowrap; }
td:first-child, th:first-child, td:last-child, th:last-child { text-align: left; }
th { border-bottom: 1px solid color-mix(in srgb, currentColor 30%, transparent); font-weight: 600; }
.figure { background: #fff; border-radius: 6px; padding: 0.6rem; display: inline-block; margin: 0.4rem; }
.figure svg { display: block; max-width: 100%; height: auto; }
.pass { color: var(--pass); } .fail { color: var(--fail); }
.inconclusive, .not-built { color: var(--other); }
.verdict { font-weight: 650; } code { font-size: 0.9em; } .small { font-size: 0.85rem; opacity: 0.75; }
pre { white-space: pre-wrap; }
"""

_ROW = ("quantity", "theory", "simulation", "std. error", "score", "p", "verdict")


def panel_figure(panel: Panel) -> Any:
    """One drawing as a ``matplotlib`` figure: theory as lines, simulations as points with bars of 2 s.e."""
    named = len({s.label for s in panel.series if s.label})
    figure, axes = new_figure(width=4.2, height=2.9 + 0.17 * named)
    lines = [s for s in panel.series if not s.points]
    colour = {s.label: COLOURS[i % len(COLOURS)] for i, s in enumerate(panel.series)}
    draw_lines(
        axes,
        [Curve(s.x, s.y, s.label or None, colour[s.label]) for s in lines],
        xlabel=panel.xlabel,
        ylabel=panel.ylabel,
        legend=False,
    )
    markers = "os^Dvp"
    for i, s in enumerate(t for t in panel.series if t.points):
        axes.errorbar(
            s.x,
            s.y,
            yerr=None if s.error is None else [2 * e for e in s.error],
            fmt=markers[i % len(markers)],
            color=colour[s.label],
            markersize=3.2,
            linewidth=1,
            label=s.label or None,
        )
    for axis in panel.logarithmic:
        getattr(axes, f"set_{axis}scale")("log")
    if named:  # beside the points, not on them
        figure.legend(loc="outside upper left", frameon=False, fontsize=7.5)
    return figure


def _svg(panel: Panel, name: str) -> str:
    """The drawing as inline SVG; identifiers get a prefix so that figures of one page do not mix."""
    buffer = io.StringIO()
    panel_figure(panel).savefig(buffer, format="svg", metadata={"Date": None})
    text = buffer.getvalue()
    text = re.sub(r"<metadata>.*?</metadata>", "", text[text.index("<svg") :], flags=re.DOTALL)
    text = re.sub(r'\bid="([^"]+)"', rf'id="{name}-\1"', text)
    return re.sub(r'(href="#|url\(#)', rf"\1{name}-", text)


def report_page(
    results: Sequence[CaseResult],
    sections: Sequence[str],
    *,
    command: str,
    versions: dict[str, str],
) -> str:
    """The page as text, from the `case_section` of every result: those are drawn once, pages often."""
    parts = [
        "<!doctype html>",
        '<html lang="en"><head><meta charset="utf-8">',
        '<meta name="viewport" content="width=device-width, initial-scale=1">',
        f"<title>dmft: theory against networks</title><style>{_STYLE}</style></head><body>",
        "<h1>The theory against networks</h1>",
        "<p>Every claim is compared with simulated finite networks that know only the declaration. "
        "Points: simulations with bars of two standard errors. A verdict is that of two-sided tests "
        "with Holm's correction at the family-wise level 0.001; where only a sign is claimed (&gt;, &lt;) a "
        "one-sided test at that level must show it; planted faults are wrong theories that "
        "the same measurement must reject.</p>",
        '<div class="scroll"><table><tr><th>case</th><th>rows</th><th>faults caught</th><th>time</th>'
        "<th>verdict</th></tr>",
    ]
    for r in results:
        parts.append(
            f'<tr><td><a href="#{r.case.name}">{escape(r.case.title)}</a></td>'
            f"<td>{sum(row.judged for row in r.rows)}</td><td>{r.caught} of {len(r.faults)}</td>"
            f"<td>{duration(r.seconds)}</td><td>{_verdict(r.verdict)}</td></tr>"
        )
    parts.append("</table></div>")
    parts += sections
    shown = ", ".join(f"{name} {version}" for name, version in versions.items())
    parts += [
        f'<p class="small">Command: <code>{escape(command)}</code><br>Versions: {escape(shown)}</p>',
        "</body></html>",
    ]
    return "\n".join(parts) + "\n"


def _verdict(text: str) -> str:
    return f'<span class="verdict {text.replace(" ", "-")}">{escape(text)}</span>'


def _claimed(row: Row) -> str:
    """The theory's number, with a sign before it where it is a limit."""
    if row.bound is not None:
        return f"<= {row.bound:.5g}"
    return {1: "> ", -1: "< ", None: ""}[row.sign] + f"{row.theory:.5g}"


def case_section(r: CaseResult) -> str:
    """What the page says about one case, with its figures."""
    case = r.case
    parts = [
        f'<h2 id="{case.name}">{escape(case.title)}: {_verdict(r.verdict)}</h2>',
        f"<p>{escape(case.claim)}</p>",
        f"<pre>{escape(case.equation)}</pre>",
        f'<p class="small">Source: {escape(case.source)}</p>',
    ]
    if r.message:
        parts.append(f"<p>{escape(r.message)}</p>")
    for i, panel in enumerate(r.panels):
        parts.append(f'<span class="figure">{_svg(panel, f"{case.name}-{i}")}</span>')
    if r.rows:
        parts.append('<div class="scroll"><table><tr>')
        parts += [f"<th>{name}</th>" for name in _ROW]
        parts.append("</tr>")
        for row in r.rows:
            verdict = _verdict(row.verdict) if row.judged else "not judged"
            cells = [
                escape(row.quantity),
                escape(_claimed(row)),
                f"{row.simulation:.5g}",
                f"{row.standard_error:.2g}",
                "" if row.score != row.score else f"{row.score:+.2f}",
                "" if row.p_value != row.p_value else f"{row.p_value:.2g}",
                verdict,
            ]
            parts.append("<tr>" + "".join(f"<td>{cell}</td>" for cell in cells) + "</tr>")
        parts.append("</table></div>")
    if r.faults:
        listed = ", ".join(f"{escape(name)}: {_verdict(v)}" for name, v in r.faults.items())
        parts.append(f"<p>Planted faults, to be rejected: {listed}.</p>")
    settings = ", ".join(f"{k} = {v}" for k, v in case.settings[r.setting].items())
    parts.append(
        f'<p class="small">{escape(r.setting)} settings: {escape(settings)}; seed {r.seed}; '
        f"{duration(r.seconds)}; rerun with <code>dmft validate --all --only {case.name}"
        f"{' --full' if r.setting == 'full' else ''} --seed {r.seed}</code></p>"
    )
    return "\n".join(parts)
