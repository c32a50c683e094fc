"""The largest Lyapunov exponent over the gain of the output gate."""

from __future__ import annotations

from ..exponent_case import Point, exponent_case

CASE = exponent_case(
    name="output-gate-exponent",
    title="A steeper output gate, faster chaos",
    claim="The largest Lyapunov exponent grows with the gain of the output gate as the theory says.",
    equation=(
        "dh/dt = (-h + J phi(h) sigma_r(r))/2,  dr/dt = -r + J phi(h)\n"
        "g_h = 3, alpha_r = 2, 5, 10; rule: lambda at N = infinity, every alpha_r"
    ),
    source="Krishnamurthy, Can & Schwab, Phys. Rev. X 12, 011011 (2022)",
    model="gated",
    points=[
        Point(f"alpha_r = {a:g}", a, "g_h = 3", {"g_h": 3.0, "alpha_r": a})
        for a in (2.0, 5.0, 10.0)
    ],
    xlabel=r"$\alpha_r$",
    quick={"n": 400, "counts": {"400": 10, "200": 5, "100": 10}, "starts": 8},
    full={"n": 1600, "counts": {"1600": 12, "800": 8, "400": 32}, "starts": 4},
    faults={
        "output gate that does not move": {"alpha_r": 0.0},
        "gain 20% too large": {"g_h": 3.6},
        "update gate less open": {"beta_z": 0.3},
    },
)
