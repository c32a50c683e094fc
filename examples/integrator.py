"""A network that holds an input step after it ends: the update gate as an integrator.

The gated network rests at a low gain, where nothing of its own keeps activity up. From t = 2 to 6 every
unit receives an input of its own (variance 1). What is left of it later is C(t, 6) = <h(t) h(6)>: without
a moving gate it is gone after a few leak times; a steep gate, alpha_z >> 1, shuts in many units, whose time
stands still. Nothing is tuned: another g_h gives much the same. (Krishnamurthy, Can & Schwab 2022 on
gates and time scales; equations on the concepts page.)
"""

import numpy as np

import dmft
from dmft.plots import Curve, draw_bands, draw_lines, new_figure, save_figure
from dmft.results.transient import Transient

INPUT = dmft.Pulse("input_h", 2.0, 6.0, 1.0)


def held(alpha_z: float, g_h: float) -> Transient:
    """The network from rest, through the input, to t = 30."""
    return dmft.transient(
        "gated",
        g_h=g_h,
        alpha_z=alpha_z,
        until=30,
        changes=[INPUT],
        precision=0.1,
        paths=64,
        populations=2,
    )


def main() -> None:
    """Print retention and drift over the gate's gain; draw the traces."""
    curves, bands = [], []
    print("alpha_z  g_h  C(30,6) / C(6,6)  drift rate after t = 20")
    for alpha_z, g_h in ((0.0, 1.0), (5.0, 1.0), (20.0, 1.0), (50.0, 1.0), (50.0, 0.8)):
        found = held(alpha_z, g_h)
        time, trace, error = found.trace("h", INPUT.end)
        late = np.searchsorted(time, 20.0)
        drift = -np.log(trace[-1] / trace[late]) / (time[-1] - time[late])
        print(
            f"{alpha_z:7.0f} {g_h:4.1f}  {trace[-1] / trace[0]:.3f} +- {error[-1] / trace[0]:.3f}"
            f"    {drift:.3f} / leak time"
        )
        if g_h == 1.0:
            curves.append(Curve(time - INPUT.end, trace / trace[0], f"{alpha_z:g}"))
            bands.append((time - INPUT.end, trace / trace[0], error / trace[0]))
    figure, axes = new_figure(width=4.2)
    draw_bands(axes, bands)
    draw_lines(
        axes,
        curves,
        xlabel="time since the end of the input (leak times)",
        ylabel="share of the input still held",
        title=r"gated, $g_h = 1$",
        legend_title=r"gain $\alpha_z$",
    )
    axes.set_xlim(0, 24)
    axes.set_ylim(0, 1.02)
    save_figure(figure, "integrator.png", title="input held by gates", command=None)
    print("the traces are in integrator.png")


if __name__ == "__main__":
    main()
