"""Chaos that oscillates: units with an adaptation current."""

from __future__ import annotations

from ..stationary_case import stationary_case

CASE = stationary_case(
    name="adaptation-resonance",
    title="Resonant chaos of adapting units",
    claim=(
        "With a slow adaptation current the chaotic autocorrelation is the damped oscillation of the "
        "mean-field theory."
    ),
    equation=(
        "dx/dt = -x - a + g J tanh(x),  da/dt = gamma (-a + beta x)\ng = 3, gamma = 1/4, beta = 1"
    ),
    source="Muscinelli, Gerstner & Schwalger, PLoS Comput. Biol. 15, e1007122 (2019)",
    model="adaptation",
    parameters={"g": 3.0},
    quick={"n": 480, "counts": {"480": 66, "240": 14, "120": 60}, "starts": 2},
    full={"n": 2000, "counts": {"2000": 12, "1000": 8, "500": 32}, "starts": 4},
    faults={
        "gain 10% too small": {"g": 2.7},
        "adaptation twice as slow": {"gamma": 0.125},
        "adaptation a fifth weaker": {"beta": 0.8},
    },
)
