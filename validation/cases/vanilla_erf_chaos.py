"""The network whose Gaussian averages have closed forms."""

from __future__ import annotations

from ..stationary_case import stationary_case

CASE = stationary_case(
    name="vanilla-erf-chaos",
    title="Chaos with the error function",
    claim="With the error function as output, where every average is elementary, theory and networks agree.",
    equation="dx/dt = -x + g J erf(sqrt(pi) x / 2),  g = 3",
    source="Sompolinsky, Crisanti & Sommers (1988); averages: Williams, Neural Comput. 10, 1203 (1998)",
    model="vanilla-erf",
    parameters={"g": 3.0},
    quick={"n": 640, "counts": {"640": 70, "320": 20, "160": 100}, "starts": 2},
    full={"n": 2000, "counts": {"2000": 12, "1000": 8, "500": 32}, "starts": 4},
    faults={
        "gain 10% too large": {"g": 3.3},
        "tanh for the error function": ("vanilla", {"g": 3.0}),
    },
)
