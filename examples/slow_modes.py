"""Slow modes of the gated network: a steep update gate lets perturbations linger, at almost every gain.

First figure: the leading edge of the Jacobian at the fixed point, over the gain alpha_z of the update
gate at a fixed threshold theta_z = beta_z / alpha_z. Below the marginal-stability line the open units
alone are stable, and the edge falls exponentially to zero; beyond it a finite growth rate is left.
Second: the share of units that relax more slowly than a given time. (Krishnamurthy, Can & Schwab 2022;
equations on the concepts page.)
"""

import numpy as np

import dmft
from dmft.plots import Curve, draw_lines, new_figure, save_figure

THETA = 0.2
GAINS = np.array([1.0, 2.0, 5.0, 10.0, 20.0, 40.0, 80.0, 160.0])
TIMES = np.geomspace(1.0, 1e4, 121)


def main() -> None:
    """Print the leading edges; draw both."""
    line = dmft.boundary("gated", "marginal-stability", alpha_r=5, theta_z=THETA)
    (end,) = line.columns["g_h"]
    print(f"alpha_r = 5, theta_z = {THETA}: marginal stability ends at g_h = {end:.6f}")
    edges = []
    for share in (0.7, 0.9, 1.2, 1.5):
        g_h = share * end
        found = [
            dmft.slow_modes("gated", g_h=g_h, alpha_r=5, alpha_z=a, beta_z=THETA * a)[0]
            for a in GAINS
        ]
        rates = np.array([state.edge for state in found])
        print(f"g_h = {g_h:.3f}: leading edge " + " ".join(f"{rate:.2e}" for rate in rates))
        edges.append(Curve(GAINS, rates, f"{g_h:.2f}"))
    state = dmft.slow_modes("gated", g_h=0.9 * end, alpha_r=5, alpha_z=1)[0]
    shares = []
    for a in (1.0, 5.0, 10.0, 40.0):
        slower = dmft.relaxation_times(
            "gated", TIMES, g_h=end, alpha_z=a, beta_z=THETA * a, variance=state.variance
        )
        print(f"alpha_z = {a:g}: {slower[TIMES > 100][0]:.3f} of the units are slower than 100")
        shares.append(Curve(TIMES, slower, f"{a:g}"))

    figure, axes = new_figure(width=4.2)
    draw_lines(
        axes,
        edges,
        xlabel=r"gain of the update gate $\alpha_z$",
        ylabel="leading edge (1 / leak time)",
        title=rf"gated, $\alpha_r = 5$, $\theta_z = {THETA}$",
        legend_title=r"$g_h$",
    )
    axes.set_xscale("log")
    axes.set_yscale("log")
    axes.set_ylim(1e-9, 1)
    save_figure(figure, "slow_modes.png", title="leading edges", command=None)
    figure, axes = new_figure(width=4.2)
    draw_lines(
        axes,
        shares,
        xlabel="time (leak times)",
        ylabel="share of slower units",
        title=rf"gated, $\theta_z = {THETA}$",
        legend_title=r"$\alpha_z$",
    )
    axes.set_xscale("log")
    axes.set_ylim(0, 1.02)
    save_figure(figure, "relaxation_times.png", title="relaxation times", command=None)
    print("figures: slow_modes.png, relaxation_times.png")


if __name__ == "__main__":
    main()
