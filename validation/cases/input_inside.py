"""Quenched input inside the bracket of the gated network."""

from __future__ import annotations

from ..stationary_case import stationary_case

CASE = stationary_case(
    name="input-inside",
    title="Gated chaos with a quenched input under the gate",
    claim=(
        "A quenched input inside the bracket leaves a constant part in the autocorrelation and makes the "
        "network less chaotic, as the mean-field theory says."
    ),
    equation=(
        "dh/dt = sigma_z (-h + J phi(h) sigma_r(r) + I),  I ~ N(0, input_h)\n"
        "g_h = 4, alpha_r = 5, input_h = 0.1, beta_z = -1"
    ),
    source="Krishnamurthy, Can & Schwab, Phys. Rev. X 12, 011011 (2022), with the input of a GRU",
    model="gated-input",
    parameters={"g_h": 4.0, "alpha_r": 5.0, "input_h": 0.1, "beta_z": -1.0},
    quick={"n": 600, "counts": {"600": 50, "300": 12, "150": 44}, "starts": 2},
    full={"n": 2000, "counts": {"2000": 24, "1000": 12, "500": 48}, "starts": 2},
    faults={
        "input outside the bracket": (
            "gated",
            {"g_h": 4.0, "alpha_r": 5.0, "input_h": 0.1, "beta_z": -1.0},
        ),
        "input of half the variance": {"input_h": 0.05},
    },
)
