"""Couplings with a mean: a mean activity, and the scatter of units about it."""

from __future__ import annotations

from ..stationary_case import stationary_case

CASE = stationary_case(
    name="mean-activity",
    title="Mean activity from couplings with a mean",
    claim=(
        "Couplings of mean m/N give every unit a mean activity, the order parameter that the mean-field "
        "theory predicts together with the scatter between units."
    ),
    equation="dx/dt = -x + J tanh(x),  J ~ N(m/N, g^2/N);  g = 1.5, m = 2.5",
    source="Mastrogiuseppe & Ostojic, Neuron 99, 609 (2018)",
    model="mean-coupling",
    parameters={"g": 1.5, "m": 2.5},
    quick={"n": 600, "counts": {"600": 64, "300": 16, "150": 64}, "starts": 1},
    full={"n": 2000, "counts": {"2000": 12, "1000": 8, "500": 32}, "starts": 4},
    faults={"mean of the couplings 10% too small": {"m": 2.25}, "gain 10% too large": {"g": 1.65}},
)
