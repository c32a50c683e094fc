"""The compiled networks against right-hand sides typed by hand from the papers.

The hand formulas live here and nowhere else: the package derives its own from the declarations.
"""

from itertools import chain

import numpy as np
import pytest
from scipy.special import erf

from dmft.codegen import compile_network, model_names

GATED = {
    "g_h": 2.3,
    "alpha_z": 1.7,
    "alpha_r": 4.1,
    "beta_h": 0.2,
    "beta_z": -0.4,
    "beta_r": 0.6,
    "tau_z": 1.9,
    "tau_r": 0.7,
    "input_h": 0.3,
    "input_z": 0.4,
    "input_r": 0.5,
}
NOISE = {"noise_h": 0.6, "noise_z": 0.7, "noise_r": 0.8}
CASES = {
    "adaptation": {"g": 1.4, "gamma": 0.3, "beta": 0.9},
    "gated": GATED | NOISE,
    "gated-input": GATED,
    "mean-coupling": {"g": 1.8, "m": 0.7, "input_x": 0.2},
    "vanilla": {"g": 1.8, "input_x": 0.2, "noise_x": 0.5},
    "vanilla-erf": {"g": 1.8, "input_x": 0.2, "noise_x": 0.5},
}


def logistic(u):
    return 1 / (1 + np.exp(-u))


def gated_by_hand(x, xi, drive, p, *, inside=False):
    """THEORY section 1 (KCS Eqs. 1-3): outputs and velocities; the input of h in the bracket or not."""
    h, z, r = x
    phi = np.tanh(p["g_h"] * h + p["beta_h"])
    sigma_z = logistic(p["alpha_z"] * z - p["beta_z"])
    sigma_r = logistic(p["alpha_r"] * r - p["beta_r"])
    velocity = [
        sigma_z * (xi[0] - h + drive[0]) if inside else sigma_z * (xi[0] - h) + drive[0],
        (xi[1] - z + drive[1]) / p["tau_z"],
        (xi[2] - r + drive[2]) / p["tau_r"],
    ]
    return [phi * sigma_r, phi, phi], velocity


def gated_input_by_hand(x, xi, drive, p):
    return gated_by_hand(x, xi, drive, p, inside=True)


def vanilla_by_hand(x, xi, drive, p):
    """SCS Eq. 1 with a constant input; g may stand before the current or in the couplings."""
    return [np.tanh(x[0])], [-x[0] + p["g"] * xi[0] + drive[0]]


def vanilla_erf_by_hand(x, xi, drive, p):
    """The error function with the slope of tanh at zero."""
    return [erf(np.sqrt(np.pi) / 2 * x[0])], [-x[0] + p["g"] * xi[0] + drive[0]]


def mean_coupling_by_hand(x, xi, drive, p):
    """Gain and mean are both in the couplings."""
    return [np.tanh(x[0])], [-x[0] + xi[0] + drive[0]]


def adaptation_by_hand(x, xi, drive, p):
    """Muscinelli, Gerstner & Schwalger 2019, Eqs. 1-2, with g before the current."""
    velocity = [
        -x[0] - x[1] + p["g"] * xi[0],
        p["gamma"] * (p["beta"] * x[0] - x[1]),
    ]
    return [np.tanh(x[0])], velocity


HAND = {
    "adaptation": adaptation_by_hand,
    "gated": gated_by_hand,
    "gated-input": gated_input_by_hand,
    "mean-coupling": mean_coupling_by_hand,
    "vanilla": vanilla_by_hand,
    "vanilla-erf": vanilla_erf_by_hand,
}


def gated_tangent_by_hand(x, xi, dx, dxi, p):
    """Differentiated on paper, for drives outside the bracket, which drop out."""
    h, z, r = x
    phi = np.tanh(p["g_h"] * h + p["beta_h"])
    d_phi = p["g_h"] * (1 - phi**2) * dx[0]
    sigma_z = logistic(p["alpha_z"] * z - p["beta_z"])
    d_sigma_z = p["alpha_z"] * sigma_z * (1 - sigma_z) * dx[1]
    sigma_r = logistic(p["alpha_r"] * r - p["beta_r"])
    d_sigma_r = p["alpha_r"] * sigma_r * (1 - sigma_r) * dx[2]
    outputs = [d_phi * sigma_r + phi * d_sigma_r, d_phi, d_phi]
    velocity = [
        d_sigma_z * (xi[0] - h) + sigma_z * (dxi[0] - dx[0]),
        (dxi[1] - dx[1]) / p["tau_z"],
        (dxi[2] - dx[2]) / p["tau_r"],
    ]
    return outputs, velocity


@pytest.fixture(params=sorted(CASES))
def case(request):
    """Name, compiled network, parameters, and random x, xi, dx, dxi and inputs (one per unit)."""
    network = compile_network(request.param)
    rng = np.random.default_rng(5)
    fields, currents = len(network.info.fields), len(network.info.currents)
    x, dx = rng.standard_normal((2, fields, 4, 9))
    xi, dxi = rng.standard_normal((2, currents, 4, 9))
    drive = rng.standard_normal((len(network.info.inputs), 9))
    groups = [list(group) for group in (x, xi, dx, dxi, drive)]
    return request.param, network, CASES[request.param], *groups


def assert_close(compiled, by_hand):
    assert len(compiled) == len(by_hand)
    for a, b in zip(compiled, by_hand, strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-13, atol=1e-14)


def test_every_shipped_model_is_typed_by_hand():
    assert set(HAND) == set(CASES) == set(model_names())


def test_drift_and_outputs(case):
    name, network, p, x, xi, _, _, drive = case
    outputs, velocity = HAND[name](x, xi, drive, p)
    assert_close(network.outputs(x, p), outputs)
    assert_close(network.drift(x, xi, p, drive), velocity)


def test_inputs_left_out_are_zero(case):
    name, network, p, x, xi, dx, dxi, drive = case
    nothing = [0 * i for i in drive]
    assert_close(network.drift(x, xi, p), HAND[name](x, xi, nothing, p)[1])
    assert_close(
        network.tangent_drift(x, xi, dx, dxi, p),
        network.tangent_drift(x, xi, dx, dxi, p, nothing),
    )


def test_tangents_are_derivatives_of_the_hand_written_forms(case):
    """Complex steps: f(x + i e d) has the directional derivative as imaginary part, no rounding."""
    name, network, p, x, xi, dx, dxi, drive = case
    e = 1e-100
    moved_x = [a + 1j * e * b for a, b in zip(x, dx, strict=True)]
    moved_xi = [a + 1j * e * b for a, b in zip(xi, dxi, strict=True)]
    outputs, velocity = HAND[name](moved_x, moved_xi, drive, p)
    assert_close(network.tangent_outputs(x, dx, p), [np.imag(o) / e for o in outputs])
    assert_close(
        network.tangent_drift(x, xi, dx, dxi, p, drive), [np.imag(v) / e for v in velocity]
    )


def test_states_and_tangents_together_are_the_same(case):
    _, network, p, x, xi, dx, dxi, drive = case
    outputs, d_outputs = network.outputs_with_tangent(x, dx, p)
    velocity, d_velocity = network.drift_with_tangent(x, xi, dx, dxi, p, drive)
    for together, alone in (
        (outputs, network.outputs(x, p)),
        (d_outputs, network.tangent_outputs(x, dx, p)),
        (velocity, network.drift(x, xi, p, drive)),
        (d_velocity, network.tangent_drift(x, xi, dx, dxi, p, drive)),
    ):
        np.testing.assert_array_equal(together, alone)


def test_tangent_of_the_gated_network_on_paper():
    """The gate multiplies h: the one model whose derivatives are worth typing."""
    network = compile_network("gated")
    x, xi, dx, dxi = (list(group) for group in np.random.default_rng(6).standard_normal((4, 3, 5)))
    outputs, velocity = gated_tangent_by_hand(x, xi, dx, dxi, CASES["gated"])
    assert_close(network.tangent_outputs(x, dx, CASES["gated"]), outputs)
    assert_close(network.tangent_drift(x, xi, dx, dxi, CASES["gated"]), velocity)


def test_what_is_random(case):
    """Variances and means of couplings and inputs, amplitudes of noise: dx = f dt + A dW."""
    name, network, p, *_ = case
    currents = len(network.info.currents)
    amplitudes = {"adaptation": np.zeros((2, 0)), "gated-input": np.zeros((3, 0))}
    if name == "gated":
        scale = np.array([1, 1 / p["tau_z"], 1 / p["tau_r"]])
        amplitudes[name] = np.diag(np.sqrt([0.6, 0.7, 0.8]) * scale)
    elif len(network.info.fields) == 1:
        amplitudes[name] = np.sqrt([[0.5]]) if "noise_x" in p else np.zeros((1, 0))
    np.testing.assert_allclose(network.noise(p), amplitudes[name], rtol=1e-14)
    expected = [p["g"] ** 2] if name == "mean-coupling" else [1.0] * currents
    assert network.variance(p) == pytest.approx(expected)
    assert network.mean(p) == ([0.7] if name == "mean-coupling" else [0.0] * currents)
    assert network.reciprocity(p) == [0.0] * currents
    np.testing.assert_array_equal(network.correlation(p), np.eye(currents))
    assert network.input_mean(p) == [0.0] * len(network.info.inputs)
    variances = [v for k, v in p.items() if k.startswith("input_")]
    assert network.input_variance(p) == variances


def test_leaks_are_slopes_at_rest(case):
    """Complex step of the hand-written velocity of field k in the direction of field k."""
    name, network, p, x, xi, _, _, drive = case
    for k, leak in enumerate(network.leak(p)):
        state = [np.zeros(1, complex) for _ in x]
        state[k] += 1e-100j
        still = [np.zeros(1) for _ in xi]
        velocity = HAND[name](state, still, [0.0 for _ in drive], p)[1]
        assert leak == pytest.approx(velocity[k].imag[0] / 1e-100, rel=1e-13)
        assert leak < 0


def test_single_precision_stays_single(case):
    """One float64 constant in a formula would double the cost of every simulation."""
    _, network, p, *arrays = case
    x, xi, dx, dxi, drive = ([a.astype(np.float32) for a in group] for group in arrays)
    results = [
        *network.outputs(x, p),
        *network.drift(x, xi, p, drive),
        *network.tangent_outputs(x, dx, p),
        *network.tangent_drift(x, xi, dx, dxi, p, drive),
        *chain(*network.outputs_with_tangent(x, dx, p)),
        *chain(*network.drift_with_tangent(x, xi, dx, dxi, p, drive)),
    ]
    assert {a.dtype for a in results} == {np.dtype(np.float32)}


def test_observables(case):
    name, network, p, x, *_ = case
    seen = network.observables(x, p)
    if "g_h" in p:
        expected = {
            "phi": np.tanh(p["g_h"] * x[0] + p["beta_h"]),
            "sigma_z": logistic(p["alpha_z"] * x[1] - p["beta_z"]),
            "sigma_r": logistic(p["alpha_r"] * x[2] - p["beta_r"]),
        }
    else:
        expected = {"phi": HAND[name](x, [0.0], [0.0], p)[0][0]}
    assert list(seen) == list(expected)
    for key, value in expected.items():
        np.testing.assert_allclose(seen[key], value, rtol=1e-13, atol=1e-14)
