"""Autocorrelation and Lyapunov exponent of the classical chaotic network."""

from __future__ import annotations

from ..stationary_case import stationary_case

CASE = stationary_case(
    name="vanilla-chaos",
    title="Classical chaos",
    claim=(
        "The chaotic network of Sompolinsky, Crisanti and Sommers has the autocorrelation and the largest "
        "Lyapunov exponent of its mean-field theory."
    ),
    equation="dx/dt = -x + g J tanh(x),  g = 3",
    source="Sompolinsky, Crisanti & Sommers, Phys. Rev. Lett. 61, 259 (1988)",
    model="vanilla",
    parameters={"g": 3.0},
    quick={"n": 640, "counts": {"640": 100, "320": 24, "160": 90}, "starts": 2},
    full={"n": 2000, "counts": {"2000": 12, "1000": 8, "500": 32}, "starts": 4},
    faults={
        "gain 10% too large": {"g": 3.3},
        "error function for tanh": ("vanilla-erf", {"g": 3.0}),
    },
)
