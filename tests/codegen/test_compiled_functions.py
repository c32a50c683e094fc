"""Every compiled function with its derivatives, and every matrix, against high precision.

The functions are typed by hand in mpmath at 60 digits; their derivatives are mpmath's Taylor
coefficients, not sympy's.
"""

import mpmath
import numpy as np
import pytest
from two_gates import complete

from dmft.codegen import compiled_theory
from dmft.codegen.multiprecision import multiprecision

POINTS = ("-40", "-6.5", "-1.25", "-0.01", "0", "0.3", "2.5", "9", "75")
GATED = {
    "g_h": 2.3,
    "alpha_z": 0.0,
    "alpha_r": 4.1,
    "beta_h": 0.0,
    "beta_z": -0.4,
    "beta_r": 0.6,
    "tau_z": 1.9,
    "tau_r": 0.7,
}
TWO = complete(g_h=2.3, alpha_r=4.1, alpha_q=-1.5, beta_r=0.6, beta_q=-0.2, v_q=0.6, tau_q=3)


def logistic(context, u):
    return 1 / (1 + context.exp(-u))


def by_hand(context, p):
    """Label -> function of its field."""
    p = {k: context.mpf(v) for k, v in p.items()}
    table = {"phi": lambda x: context.tanh(p.get("g_h", 1) * x)}
    for gate in "rzq":
        if f"alpha_{gate}" in p:
            table[f"sigma_{gate}"] = lambda x, gate=gate: logistic(
                context, p[f"alpha_{gate}"] * x - p[f"beta_{gate}"]
            )
    return table


CASES = {"vanilla": {"g": 1.8}, "gated": GATED, "two_gates": TWO}


@pytest.fixture(params=sorted(CASES))
def case(request, two_gate_theory):
    theory = two_gate_theory if request.param == "two_gates" else compiled_theory(request.param)
    return theory, CASES[request.param]


def test_functions_and_derivatives(case):
    """Both targets: all of 50 digits, and all of double precision, also where f saturates."""
    theory, p = case
    table, context = multiprecision(60)
    context.dps = 60
    exact_p = {k: context.mpf(v) for k, v in p.items()}
    hand = by_hand(context, p)
    for function in theory.functions:
        f = hand[function.label]
        for text in POINTS:
            x = context.mpf(text)
            with mpmath.workdps(60):
                c0, c1, c2 = context.taylor(f, x, 2)
            expected = [c0, c1, 2 * c2]
            ours = function.at(x, exact_p, table)
            scale = 1 + context.mpf(p.get("g_h", 1)) ** 2 + abs(exact_p.get("alpha_r", 0)) ** 2
            for order, (a, b) in enumerate(zip(ours, expected, strict=True)):
                assert abs(a - b) < context.mpf(10) ** -25 * scale, (function.label, text, order)
            doubles = function.at(np.array([float(text)]), p)
            for order, (a, b) in enumerate(zip(doubles, ours, strict=True)):
                assert abs(float(a[0]) - float(b)) < 4e-15 * float(scale), (
                    function.label,
                    text,
                    order,
                )


def test_value_itself_at_fifty_digits(case):
    theory, p = case
    table, context = multiprecision(50)
    exact_p = {k: context.mpf(v) for k, v in p.items()}
    hand = by_hand(context, p)
    for function in theory.functions:
        for text in POINTS:
            x = context.mpf(text)
            error = function.at(x, exact_p, table)[0] - hand[function.label](x)
            assert abs(error) < context.mpf(10) ** -49


def test_slope_of_the_gate_keeps_its_relative_accuracy_in_the_tail():
    """sigma' = sigma (1 - sigma) would lose all digits where 1 - sigma cancels."""
    theory = compiled_theory("gated")
    gate = next(f for f in theory.functions if f.label == "sigma_r")
    table, context = multiprecision(50)
    exact = gate.at(context.mpf(9), {k: context.mpf(v) for k, v in GATED.items()}, table)[1]
    (slope,) = gate.at(np.array([9.0]), GATED)[1]
    assert slope == pytest.approx(float(exact), rel=2e-14)
    assert 0 < slope < 1e-15


def test_matrices_by_hand():
    theory = compiled_theory("gated")
    s = 1 / (1 + np.exp(GATED["beta_z"]))
    s0 = 1 / (1 + np.exp(GATED["beta_r"]))
    rates = np.array([s, 1 / GATED["tau_z"], 1 / GATED["tau_r"]])
    g_h = GATED["g_h"]
    expected = {
        "drift": -np.diag(rates),
        "input": np.diag(rates),
        "drift_zero": -np.diag(rates),
        "input_zero": np.diag(rates),
        "output_zero": np.array([[g_h * s0, 0, 0], [g_h, 0, 0], [g_h, 0, 0]]),
        "response": np.eye(3),
        "quenched": np.diag([1, *rates[1:]]),
        "noise": np.diag([1, *rates[1:]]),
        "quenched_response": np.diag([1 / s, 1, 1]),
    }
    assert set(theory.matrices) == set(expected)
    for name, value in expected.items():
        np.testing.assert_allclose(theory.matrices[name].at(GATED), value, rtol=1e-15, atol=0)


def test_vectors_by_hand(two_gate_theory):
    np.testing.assert_array_equal(two_gate_theory.vector("weights", TWO), [1, 1, 0.6])
    np.testing.assert_array_equal(two_gate_theory.vector("coefficients", TWO), [1, 1, 1])
    vanilla = compiled_theory("vanilla")
    p = {"g": 1.8}
    strength = vanilla.vector("weights", p) * vanilla.vector("coefficients", p) ** 2
    gain = vanilla.matrices["input"].at(p) ** 2
    assert strength[0] * gain[0, 0] == pytest.approx(1.8**2, rel=1e-15)


def test_structure(two_gate_theory):
    """Which functions each current multiplies, by label: the same code for all models."""

    def labels(theory):
        return [[theory.functions[f].label for f in o.factors] for o in theory.outputs]

    assert labels(compiled_theory("vanilla")) == [["phi"]]
    assert labels(compiled_theory("gated")) == [["phi", "sigma_r"], ["phi"], ["phi"]]
    assert labels(two_gate_theory) == [["phi", "sigma_r", "sigma_q"], ["phi"], ["phi"]]


def test_theory_survives_json(two_gate_theory):
    import json

    again = type(two_gate_theory).from_json(json.loads(json.dumps(two_gate_theory.to_json())))
    assert again == two_gate_theory
