"""The compiled networks against right-hand sides typed by hand from the papers.

The hand formulas live here and nowhere else: the package derives its own from the declarations.
"""

import numpy as np
import pytest

from dmft.codegen import compile_network

GATED = {
    "g_h": 2.3,
    "alpha_z": 1.7,
    "alpha_r": 4.1,
    "beta_h": 0.2,
    "beta_z": -0.4,
    "beta_r": 0.6,
    "tau_z": 1.9,
    "tau_r": 0.7,
}
VANILLA = {"g": 1.8}
CASES = {"gated": GATED, "vanilla": VANILLA}


def logistic(u):
    return 1 / (1 + np.exp(-u))


def gated_by_hand(x, xi, p):
    """THEORY section 1 (KCS Eqs. 1-3): outputs and velocities."""
    h, z, r = x
    phi = np.tanh(p["g_h"] * h + p["beta_h"])
    sigma_z = logistic(p["alpha_z"] * z - p["beta_z"])
    sigma_r = logistic(p["alpha_r"] * r - p["beta_r"])
    velocity = [sigma_z * (xi[0] - h), (xi[1] - z) / p["tau_z"], (xi[2] - r) / p["tau_r"]]
    return [phi * sigma_r, phi, phi], velocity


def gated_tangent_by_hand(x, xi, dx, dxi, p):
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


def vanilla_by_hand(x, xi, p):
    """SCS Eq. 1; g may stand before the current or in the couplings' variance."""
    return [np.tanh(x[0])], [-x[0] + p["g"] * xi[0]]


def vanilla_tangent_by_hand(x, xi, dx, dxi, p):
    return [dx[0] / np.cosh(x[0]) ** 2], [-dx[0] + p["g"] * dxi[0]]


HAND = {
    "gated": (gated_by_hand, gated_tangent_by_hand),
    "vanilla": (vanilla_by_hand, vanilla_tangent_by_hand),
}


@pytest.fixture(params=sorted(CASES))
def case(request):
    """Name, compiled network, parameters, and random x, xi, dx, dxi."""
    network = compile_network(request.param)
    rng = np.random.default_rng(5)
    fields, currents = len(network.info.fields), len(network.info.currents)
    x, dx = rng.standard_normal((2, fields, 4, 9))
    xi, dxi = rng.standard_normal((2, currents, 4, 9))
    return request.param, network, CASES[request.param], list(x), list(xi), list(dx), list(dxi)


def assert_close(compiled, by_hand):
    assert len(compiled) == len(by_hand)
    for a, b in zip(compiled, by_hand, strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-13, atol=1e-14)


def test_drift_and_outputs(case):
    name, network, p, x, xi, _, _ = case
    outputs, velocity = HAND[name][0](x, xi, p)
    assert_close(network.outputs(x, p), outputs)
    assert_close(network.drift(x, xi, p), velocity)


def test_tangent_by_hand(case):
    name, network, p, x, xi, dx, dxi = case
    outputs, velocity = HAND[name][1](x, xi, dx, dxi, p)
    assert_close(network.tangent_outputs(x, dx, p), outputs)
    assert_close(network.tangent_drift(x, xi, dx, dxi, p), velocity)


def test_tangent_by_finite_differences(case):
    """Fourth-order central differences: error ~ 1e-11, rounding ~ 1e-12."""
    _, network, p, x, xi, dx, dxi = case
    step = 1e-3

    def derivative(function):
        values = {k: function(k * step) for k in (-2, -1, 1, 2)}
        return [
            (8 * (plus - minus) - (plus2 - minus2)) / (12 * step)
            for plus, minus, plus2, minus2 in zip(
                values[1], values[-1], values[2], values[-2], strict=True
            )
        ]

    def moved(a, b, e):
        return [u + e * v for u, v in zip(a, b, strict=True)]

    outputs = derivative(lambda e: network.outputs(moved(x, dx, e), p))
    velocity = derivative(lambda e: network.drift(moved(x, dx, e), moved(xi, dxi, e), p))
    for compiled, differences in (
        (network.tangent_outputs(x, dx, p), outputs),
        (network.tangent_drift(x, xi, dx, dxi, p), velocity),
    ):
        for a, b in zip(compiled, differences, strict=True):
            np.testing.assert_allclose(a, b, rtol=1e-8, atol=1e-8)


def test_variance_of_couplings(case):
    name, network, p, *_ = case
    assert network.variance(p) == pytest.approx([1.0] * len(network.info.currents)), name


def test_single_precision_stays_single(case):
    """One float64 constant in a formula would double the cost of every simulation."""
    _, network, p, *arrays = case
    x, xi, dx, dxi = ([a.astype(np.float32) for a in group] for group in arrays)
    results = [
        *network.outputs(x, p),
        *network.drift(x, xi, p),
        *network.tangent_outputs(x, dx, p),
        *network.tangent_drift(x, xi, dx, dxi, p),
    ]
    assert {a.dtype for a in results} == {np.dtype(np.float32)}


def test_observables(case):
    name, network, p, x, *_ = case
    seen = network.observables(x, p)
    if name == "vanilla":
        expected = {"phi": np.tanh(x[0])}
    else:
        expected = {
            "phi": np.tanh(p["g_h"] * x[0] + p["beta_h"]),
            "sigma_z": logistic(p["alpha_z"] * x[1] - p["beta_z"]),
            "sigma_r": logistic(p["alpha_r"] * x[2] - p["beta_r"]),
        }
    assert list(seen) == list(expected)
    for key, value in expected.items():
        np.testing.assert_allclose(seen[key], value, rtol=1e-13, atol=1e-14)
