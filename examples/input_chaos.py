"""Chaos by input: noise frozen in time wakes a gated network, and a strong one quiets it.

A quenched Gaussian input of variance v (input_h) is added to every unit. Without an output gate it only
quiets a chaotic network. With a steep one (alpha_r = 10) it moves the gates, and a network at rest becomes
chaotic; a stronger input quiets that, too. Close to the onset of chaos without input the loop is
hysteretic: raising v, the network leaves its fixed point where that loses stability, and lowering v it
stays chaotic down to the fold of the chaotic state.

    python input_chaos.py [--quick]

``--quick`` computes a few points only (half a minute); all of them take some minutes.
"""

import sys

import numpy as np

import dmft
from dmft.plots import new_figure, save_figure

QUICK = "--quick" in sys.argv[1:]
#: (g_h, alpha_r) with a steep output gate and without one.
WOKEN, QUIETED = (1.7, 10.0), (3.0, 0.0)
#: Where chaos has just gone without input (it exists from g_h = 1.8576 on at alpha_r = 10).
LOOP = (1.85, 10.0)


def onset_gains(gate: float, inputs: np.ndarray) -> np.ndarray:
    """Smallest g_h with chaos at every variance of the input."""
    curve = dmft.boundary(
        "gated", "chaos-onset", input_h=inputs.tolist(), alpha_r=gate, solve_for="g_h", tol=1e-6
    )
    found = np.full(inputs.size, np.nan)
    for v, gain, ok in zip(
        curve.columns["input_h"], curve.columns["g_h"], curve.answered, strict=True
    ):
        if ok:
            found[inputs == v] = np.fmin(found[inputs == v], gain)
    return found


def exponents(gain: float, gate: float, inputs: np.ndarray) -> list[float]:
    """lambda_max of the state that a network of large activity settles in."""
    return [
        dmft.solve("gated", g_h=gain, alpha_r=gate, input_h=v).lyapunov for v in inputs.tolist()
    ]


def main() -> None:
    """Print all three parts; draw them."""
    figure, _ = new_figure(width=9.0, height=2.9)
    figure.clear()
    curves, exponent, loop = axes = figure.subplots(1, 3)

    inputs = np.array([0.01]) if QUICK else np.geomspace(1e-4, 0.5, 9)
    print("chaos from g_h =      " + "  ".join(f"v = {v:<7.2g}" for v in inputs))
    gates = ((WOKEN[1], "-"),) if QUICK else ((QUIETED[1], "--"), (WOKEN[1], "-"))
    for gate, style in gates:
        gains = onset_gains(gate, inputs)
        print(f"alpha_r = {gate:<11g} " + "  ".join(f"{g:11.6f}" for g in gains))
        curves.semilogx(inputs, gains, style, marker=".", label=rf"$\alpha_r = {gate:g}$")
    curves.set_ylabel(r"chaos above this $g_h$")

    inputs = np.array([0.01, 0.2]) if QUICK else np.geomspace(1e-5, 1, 21)
    print("lambda_max at         " + "  ".join(f"v = {v:<7.2g}" for v in inputs))
    for (gain, gate), style in ((QUIETED, "--"), (WOKEN, "-")):
        found = exponents(gain, gate, inputs)
        print(f"({gain:g}, {gate:g})".ljust(22) + "  ".join(f"{x:+11.6f}" for x in found))
        label = rf"$g_h = {gain:g},\ \alpha_r = {gate:g}$"
        exponent.semilogx(inputs, found, style, label=label)
    exponent.axhline(0, color="0.6", linewidth=0.6)
    exponent.set_ylabel(r"$\lambda_{\max}$")

    found = dmft.follow("gated", g_h=LOOP[0], alpha_r=LOOP[1], input_h=dmft.Sweep(0, 1e-4))
    for branch in found.branches:
        for event in branch.events:
            print(
                f"({LOOP[0]:g}, {LOOP[1]:g}) {branch.kind}: {event.kind} at v = {event.value:.6e}"
            )
        colour = {"fixed-point": "C0", "chaotic": "C1"}[branch.kind]
        moment = branch.variance["h"]
        for part, style in ((branch.stable, "-"), (~branch.stable, ":")):
            loop.semilogy(1e5 * branch.value, np.where(part, moment, np.nan), style, color=colour)
    loop.plot([], [], "C0", label="fixed points")
    loop.plot([], [], "C1", label="chaos")
    loop.plot([], [], "0.3", linestyle=":", label="not stable")
    loop.set_xlim(0.5, 4)
    loop.set_ylim(2e-4, 0.2)
    loop.set_title(rf"$g_h = {LOOP[0]:g},\ \alpha_r = {LOOP[1]:g}$", fontsize=8)
    loop.set_ylabel(r"$C_h(0)$")
    for panel in axes:
        panel.set_xlabel(r"variance of the input $v$")
        panel.legend(frameon=False, fontsize=7)
    loop.set_xlabel(r"variance of the input $v$ ($10^{-5}$)")
    save_figure(figure, "input_chaos.png", title="chaos by input", command=None)
    print("the figure is input_chaos.png")


if __name__ == "__main__":
    main()
