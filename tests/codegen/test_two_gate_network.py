"""The test-only model compiled for simulation, against right-hand sides typed by hand.

(The shipped models have theirs in tests/validation.)
"""

import pickle
from dataclasses import replace

import numpy as np
import pytest
from two_gates import complete

P = complete(
    g_h=2.3, alpha_r=4.1, alpha_q=-1.5, beta_r=0.6, beta_q=-0.2, v_q=0.6, tau_q=3, tau_r=0.4
)


def logistic(u):
    return 1 / (1 + np.exp(-u))


def by_hand(x, xi):
    h, r, q = x
    phi = np.tanh(2.3 * h)
    outputs = [phi * logistic(4.1 * r - 0.6) * logistic(-1.5 * q + 0.2), phi, phi]
    return outputs, [xi[0] - h, (xi[1] - r) / 0.4, (xi[2] - q) / 3]


@pytest.fixture
def state():
    rng = np.random.default_rng(7)
    return [list(part) for part in rng.standard_normal((4, 3, 5))]


def test_right_hand_sides(two_gate_network, state):
    x, xi, _, _ = state
    outputs, drift = by_hand(x, xi)
    np.testing.assert_allclose(two_gate_network.outputs(x, P), outputs, rtol=1e-13, atol=1e-15)
    np.testing.assert_allclose(two_gate_network.drift(x, xi, P), drift, rtol=1e-13, atol=1e-15)
    assert two_gate_network.variance(P) == [1.0, 1.0, 0.6]


def test_tangents_are_derivatives_of_the_hand_written_forms(two_gate_network, state):
    """Complex steps: f(x + i e d) has the directional derivative as imaginary part, no rounding."""
    x, xi, dx, dxi = state
    e = 1e-100
    moved_x = [a + 1j * e * b for a, b in zip(x, dx, strict=True)]
    moved_xi = [a + 1j * e * b for a, b in zip(xi, dxi, strict=True)]
    outputs, drift = by_hand(moved_x, moved_xi)
    np.testing.assert_allclose(
        two_gate_network.tangent_outputs(x, dx, P), np.imag(outputs) / e, rtol=1e-12, atol=1e-14
    )
    np.testing.assert_allclose(
        two_gate_network.tangent_drift(x, xi, dx, dxi, P), np.imag(drift) / e, rtol=1e-12
    )


def test_single_precision_stays_single(two_gate_network, state):
    x, xi, dx, dxi = [[a.astype(np.float32) for a in part] for part in state]
    results = [
        *two_gate_network.outputs(x, P),
        *two_gate_network.drift(x, xi, P),
        *two_gate_network.tangent_outputs(x, dx, P),
        *two_gate_network.tangent_drift(x, xi, dx, dxi, P),
        *two_gate_network.observables(x, P).values(),
    ]
    assert {a.dtype for a in results} == {np.dtype(np.float32)}


def test_names(two_gate_network):
    assert two_gate_network.info.fields == ("h", "r", "q")
    assert two_gate_network.info.currents == ("xi_h", "xi_r", "xi_q")
    assert two_gate_network.info.parameter("v_q").positive
    with pytest.raises(KeyError):
        two_gate_network.info.parameter("g")


def test_every_set_of_parameters_has_its_own_numbers(two_gate_network, state):
    """What was computed at other parameters, or before a copy was sent elsewhere, is not taken again."""
    x, xi, _, _ = state
    used = replace(two_gate_network)
    for value in (2.3, 4.6, *np.linspace(0.5, 1.5, 80), 2.3):
        p = P | {"g_h": float(value), "tau_r": float(value)}
        for mine, fresh in ((used, replace(used)), (pickle.loads(pickle.dumps(used)), used)):
            np.testing.assert_array_equal(mine.outputs(x, p), fresh.outputs(x, p))
            np.testing.assert_array_equal(mine.drift(x, xi, p), fresh.drift(x, xi, p))
    outputs, drift = by_hand(x, xi)
    np.testing.assert_allclose(used.outputs(x, P), outputs, rtol=1e-13, atol=1e-15)
    np.testing.assert_allclose(used.drift(x, xi, P), drift, rtol=1e-13, atol=1e-15)
