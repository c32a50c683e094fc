"""Time and accuracy of boundary curves and phase diagrams of the gated network.

    python benchmarks/boundaries.py [--repeats 3] [--quick]

Times are warm (the model is compiled) but nothing is kept between runs; the proof is a process of its
own. Accuracy: for curves of the statics against the closed forms of the fold (both conditions in the
amplitude alone); for
``chaos-onset`` the error that the package states, and the largest distance from points located one by one.
The obvious alternative beside a followed curve: the same points one by one, each from scratch.
``--quick`` leaves out the whole diagram.
"""

from __future__ import annotations

import argparse
import platform
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np

import dmft

if TYPE_CHECKING:
    from dmft.results.curve import BoundaryCurve


def timed(run: Callable[[], object], repeats: int) -> tuple[float, float]:
    """Median of wall times, and processor time of the last run."""
    walls = []
    for _ in range(repeats):
        wall, processor = time.perf_counter(), time.process_time()
        run()
        walls.append(time.perf_counter() - wall)
    return statistics.median(walls), time.process_time() - processor


def fold(alpha: float) -> float:
    """g_h of the static fold at beta = 0 by the largest E phi^2 E sigma_r^2 / variance, term by term.

    h and r have the same variance at a fixed point up to the gain: v_h = g^2 E[phi^2] E[sigma^2],
    v_r = E[phi^2] with phi = tanh h, so 1/g^2 = max over v of E[tanh^2] E[sigma^2] / v.
    """
    x = np.linspace(-9, 9, 3601)  # the trapezoid rule converges exponentially here
    w = np.exp(-(x**2) / 2)
    w /= w.sum()

    def inverse_square(log_v: float) -> float:
        v = np.exp(log_v)
        squared = float(w @ np.tanh(np.sqrt(v) * x) ** 2)
        gate = 1 / (1 + np.exp(-alpha * np.sqrt(squared) * x))
        return squared * float(w @ gate**2) / v

    from scipy.optimize import minimize_scalar

    best = minimize_scalar(
        lambda s: -inverse_square(s),
        bounds=(-12.0, 2.0),
        method="bounded",
        options={"xatol": 1e-10},
    )
    return float(-best.fun) ** -0.5


def one_by_one(name: str, values: list[float]) -> list[BoundaryCurve]:
    """The obvious alternative to a followed curve."""
    return [dmft.boundary("gated", name, alpha_r=value) for value in values]


def row(*words: object) -> None:
    """A line of a Markdown table."""
    print("| " + " | ".join(str(word) for word in words) + " |", flush=True)


def main() -> None:
    """Print a Markdown table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--quick", action="store_true")
    arguments = parser.parse_args()
    print(f"Python {platform.python_version()}, numpy {np.__version__}, dmft {dmft.__version__}")
    dmft.solve("gated", g_h=3)
    row("what", "wall s", "CPU s", "error", "alternative s (CPU)")
    row(*["---"] * 5)

    values = np.linspace(3.0, 20.0, 200)
    curve = dmft.boundary("gated", "fixed-points", alpha_r=values.tolist())
    folds = np.array([s == "converged" for s in curve.status])
    off = max(
        abs(g - fold(a))
        for g, a in zip(curve.columns["g_h"][folds], curve.columns["alpha_r"][folds], strict=True)
    )
    wall, cpu = timed(
        lambda: dmft.boundary("gated", "fixed-points", alpha_r=values.tolist()), arguments.repeats
    )
    other = timed(lambda: one_by_one("fixed-points", values[::10].tolist()), 1)[1] * 10
    row(
        "fixed-points, 200 points",
        f"{wall:.2f}",
        f"{cpu:.2f}",
        f"{off:.0e}",
        f"{other:.0f}, one by one",
    )

    plane = {"g_h": dmft.Sweep(1, 4, 121), "alpha_r": dmft.Sweep(0, 20, 101)}
    wall, cpu = timed(lambda: dmft.phase("gated", plane, statics=True), arguments.repeats)
    row("diagram 121 x 101, statics only", f"{wall:.2f}", f"{cpu:.2f}", "", "")

    span = dmft.Sweep(0, 20, 40)
    wall, cpu = timed(lambda: dmft.boundary("gated", "chaos-onset", alpha_r=span), 1)
    onset = dmft.boundary("gated", "chaos-onset", alpha_r=span)
    chosen = [10, 20, 30, 39]
    points = one_by_one("chaos-onset", [float(onset.columns["alpha_r"][i]) for i in chosen])
    apart = max(
        abs(p.columns["g_h"][0] - onset.columns["g_h"][i])
        for p, i in zip(points, chosen, strict=True)
    )
    other = sum(p.seconds for p in points) / len(points) * 40
    error = f"{np.max(onset.error):.0e} stated, {apart:.0e} apart"
    row("chaos-onset, 40 points", f"{wall:.0f}", f"{cpu:.0f}", error, f"{other:.0f}, one by one")

    words = ["boundary", "gated", "fixed-points", "alpha_r=10", "--digits", "50"]
    whole, _ = timed(
        lambda: subprocess.run(
            [sys.executable, "-m", "dmft", *words], check=True, capture_output=True
        ),
        arguments.repeats,
    )
    row("fold to 50 proved digits, whole process", f"{whole:.2f}", "", "proved", "")

    if not arguments.quick:
        wall, cpu = timed(lambda: dmft.phase("gated", plane), 1)
        row("diagram 121 x 101, with chaos-onset", f"{wall:.0f}", f"{cpu:.0f}", "", "")


if __name__ == "__main__":
    main()
