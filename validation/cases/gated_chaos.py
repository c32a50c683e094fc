"""Autocorrelation and Lyapunov exponent with an output gate that moves."""

from __future__ import annotations

from ..stationary_case import stationary_case

CASE = stationary_case(
    name="gated-chaos",
    title="Chaos through an output gate",
    claim=(
        "With a moving output gate the network is chaotic with the autocorrelation and the largest Lyapunov "
        "exponent of its mean-field theory."
    ),
    equation=(
        "dh/dt = (-h + J phi(h) sigma_r(r))/2,  tau_r dr/dt = -r + J phi(h)\n"
        "g_h = 3, alpha_r = 5, tau_r = 2"
    ),
    source="Krishnamurthy, Can & Schwab, Phys. Rev. X 12, 011011 (2022)",
    model="gated",
    parameters={"g_h": 3.0, "alpha_r": 5.0, "tau_r": 2.0},
    quick={"n": 600, "counts": {"600": 22, "300": 8, "150": 28}, "starts": 8},
    full={"n": 2000, "counts": {"2000": 12, "1000": 8, "500": 32}, "starts": 4},
    faults={
        "gain of the gate 20% too small": {"alpha_r": 4.0},
        "gain 10% too large": {"g_h": 3.3},
        "update gate less open": {"beta_z": 0.3},
    },
)
