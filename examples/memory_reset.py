"""Erasing what a gated network holds: pulses on the biases of its gates.

The trace of the state at t = 10 is C(t, 10) = <h(t) h(10)>. Left alone, a network with a steep update gate
(alpha_z = 20) keeps most of it. From t = 20 to 25 the output gate is shut by its bias beta_r: the
recurrent drive is gone, and units whose update gate is open decay; those whose update gate is shut keep
their part. If the update gate is opened by beta_z at the same time, all is erased, and the network starts
anew.
"""

import numpy as np

import dmft
from dmft.plots import Curve, draw_bands, draw_lines, new_figure, save_figure

SHUT = dmft.Pulse("beta_r", 20.0, 25.0, 12.0)
OPEN = dmft.Pulse("beta_z", 20.0, 25.0, -60.0)
#: Changes nothing, but puts t = 10 on the grid of times.
MARK = dmft.Step("beta_r", 10.0, 0.0)
CASES = {
    "no pulse": [],
    "output gate shut": [SHUT],
    "and update gate open": [SHUT, OPEN],
}


def main() -> None:
    """Print the trace before and after, with and without pulses; draw it."""
    curves, bands = [], []
    print("share of C(10,10) kept at              t = 20           t = 25           t = 40")
    for name, changes in CASES.items():
        found = dmft.transient(
            "gated",
            g_h=3,
            alpha_z=20,
            alpha_r=5,
            until=40,
            start={"h": 1.0},
            changes=[MARK, *changes],
            precision=0.2,
            paths=64,
            populations=3,
        )
        time, trace, error = found.trace("h", 10.0)
        trace, error = trace / trace[0], error / trace[0]
        told = [
            f"{np.interp(t, time, trace):6.3f} +- {np.interp(t, time, error):.3f}"
            for t in (20.0, 25.0, 40.0)
        ]
        print(f"{name:30s} {'  '.join(told)}")
        curves.append(Curve(time, trace, name))
        bands.append((time, trace, error))
    figure, axes = new_figure(width=5.0)
    axes.axvspan(SHUT.start, SHUT.end, color="0.9", linewidth=0, zorder=0)
    draw_bands(axes, bands)
    draw_lines(
        axes,
        curves,
        xlabel=r"time $t$ (leak times)",
        ylabel=r"trace $C_h(t,10)\,/\,C_h(10,10)$",
        title=r"gated, $g_h = 3$, $\alpha_z = 20$, $\alpha_r = 5$; grey: pulse",
        legend_title="pulse",
    )
    axes.set_xlim(10, 40)
    axes.set_ylim(-0.02, 1.05)
    save_figure(figure, "memory_reset.png", title="memory erased by pulses", command=None)
    print("the traces are in memory_reset.png")


if __name__ == "__main__":
    main()
