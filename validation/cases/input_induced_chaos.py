"""A quenched input that starts chaos through a steep output gate, and stops it without one."""

from __future__ import annotations

from ..exponent_case import Point, exponent_case

_GATE = {"g_h": 1.7, "alpha_r": 10.0}
_NONE = {"g_h": 5.0, "alpha_r": 0.0}

CASE = exponent_case(
    name="input-induced-chaos",
    title="Chaos by input",
    claim=(
        "With a steep output gate an input pushes a network at rest into chaos, and a stronger one "
        "quiets it again; without the gate input only quiets a network."
    ),
    equation=(
        "dh/dt = (-h + J phi(h) sigma_r(r) + I)/2,  dr/dt = -r + J phi(h),  I ~ N(0, input_h)\n"
        "(g_h, alpha_r) = (1.7, 10) with input_h = 0, 0.03, 1 and (5, 0) with 0, 1"
    ),
    source="Krishnamurthy, Can & Schwab, Phys. Rev. X 12, 011011 (2022), with the input of a GRU",
    model="gated-input",
    points=[
        *(
            Point(f"gate, input {v:g}", v, "alpha_r = 10", {**_GATE, "input_h": v})
            for v in (0.0, 0.03, 1.0)
        ),
        *(
            Point(f"no gate, input {v:g}", v, "alpha_r = 0", {**_NONE, "input_h": v})
            for v in (0.0, 1.0)
        ),
    ],
    xlabel=r"variance of the input",
    quick={"n": 300, "realizations": 6},
    full={"n": 1600, "realizations": 12},
    faults={"no gate": {"alpha_r": 0.0}, "no input": {"input_h": 0.0}, "slow gate": {"beta_z": 0.5}},
)
