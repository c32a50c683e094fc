"""The sampler: distribution and orientation of the couplings, and what the seed fixes."""

import numpy as np
import pytest
from scipy import stats

from dmft.codegen import compile_network
from dmft.validation.network import FiniteNetwork, draw_network, draw_state, generators

GATED = {
    "g_h": 3.0,
    "alpha_z": 1.0,
    "alpha_r": 5.0,
    "beta_h": 0.1,
    "beta_z": 0.2,
    "beta_r": 0.3,
    "tau_z": 2.0,
    "tau_r": 0.5,
}


class Widened:
    """The gated network with unequal variances of its couplings."""

    def __init__(self):
        self._inner = compile_network("gated")

    def __getattr__(self, name):
        return getattr(self._inner, name)

    def variance(self, p):
        return [2.0, 0.5, 1.0]


def test_couplings_have_the_declared_variance():
    """Two-sided chi-squared test of every coupling's variance, normal test of its mean."""
    n = 300
    network = draw_network(Widened(), GATED, n, np.random.default_rng(11), np.float64)
    for j, variance in zip(network.transposed, (2.0, 0.5, 1.0), strict=True):
        assert j.shape == (n, n)
        scaled = j * np.sqrt(n / variance)
        chi = float(np.sum(scaled**2))
        tail = min(stats.chi2.sf(chi, n * n), stats.chi2.cdf(chi, n * n))
        assert 2 * tail > 1e-3
        assert 2 * stats.norm.sf(abs(scaled.sum()) / n) > 1e-3
        assert stats.kstest(scaled.ravel(), "norm").pvalue > 1e-3


def test_couplings_are_independent():
    """Neither symmetric, nor shared between currents: correlations are N(0, 1/entries)."""
    n = 200
    a, b, c = draw_network(compile_network("gated"), GATED, n, np.random.default_rng(12)).transposed
    upper = np.triu_indices(n, 1)
    pairs = [(a, b), (a, c), (b, c)]
    correlations = [np.corrcoef(u.ravel(), v.ravel())[0, 1] * n for u, v in pairs]
    correlations.append(np.corrcoef(a[upper], a.T[upper])[0, 1] * np.sqrt(upper[0].size))
    assert np.abs(correlations).max() < stats.norm.isf(1e-3 / (2 * len(correlations)))


def test_currents_sum_over_presynaptic_units():
    """xi_i = sum_j J_ij psi_j, written as loops; transposing J would swap i and j."""
    n, p = 7, GATED
    right = compile_network("gated")
    network = draw_network(right, p, n, np.random.default_rng(3), np.float64)
    x = draw_state(network, 2, 1.0, np.random.default_rng(4))
    outputs = right.outputs(x, p)
    currents = []
    for psi, transposed in zip(outputs, network.transposed, strict=True):
        j = transposed.T
        current = np.zeros((2, n))
        for i in range(n):
            for k in range(n):
                current[:, i] += j[i, k] * psi[:, k]
        currents.append(current)
    for a, b in zip(network.velocity(x), right.drift(x, currents, p), strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-12)


def test_a_single_synapse_goes_the_right_way():
    """J_01 = 1 carries the output of unit 1 to unit 0."""
    transposed = np.zeros((2, 2))
    transposed[1, 0] = 1.0
    network = FiniteNetwork(compile_network("vanilla"), {"g": 1.0}, (transposed,))
    velocity = network.velocity([np.array([[0.0, 0.5]])])[0]
    np.testing.assert_allclose(velocity, [[np.tanh(0.5), -0.5]])


def test_tangents_ride_on_the_first_states():
    """The joint velocity equals separate ones, and its tangent part is the derivative."""
    p = GATED
    network = draw_network(compile_network("gated"), p, 30, np.random.default_rng(1), np.float64)
    rng = np.random.default_rng(2)
    x = draw_state(network, 4, 1.0, rng)
    dx = [rng.standard_normal((2, 30)) for _ in x]
    velocity, d_velocity = network.velocity_with_tangent(x, dx)
    for a, b in zip(velocity, network.velocity(x), strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-12)
    step = 1e-5
    ahead, behind = (
        network.velocity([f[:2] + sign * step * d for f, d in zip(x, dx, strict=True)])
        for sign in (1, -1)
    )
    for plus, minus, derivative in zip(ahead, behind, d_velocity, strict=True):
        np.testing.assert_allclose((plus - minus) / (2 * step), derivative, atol=1e-7)


def test_the_seed_fixes_the_network_and_nothing_else_does():
    right = compile_network("vanilla")

    def first(seed, n, realization, dtype=np.float32):
        couplings, starts = generators(seed, n, realization)
        network = draw_network(right, {"g": 2.0}, n, couplings, dtype)
        return network.transposed[0][0, 0], draw_state(network, 1, 1.0, starts)[0][0, 0]

    reference = first(0, 50, 0)
    assert first(0, 50, 0) == reference
    assert first(0, 50, 0, np.float64)[0] == pytest.approx(reference[0], rel=1e-6)
    for other in (first(1, 50, 0), first(0, 50, 1), first(0, 51, 0)):
        assert other[0] != reference[0]
        assert other[1] != reference[1]
