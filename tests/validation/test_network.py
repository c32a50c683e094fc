"""The sampler: distribution and orientation of the couplings, and what the seed fixes."""

from dataclasses import replace

import numpy as np
import pytest
from scipy import stats

from dmft.codegen import compile_network
from dmft.errors import InputError
from dmft.validation.network import (
    FiniteNetwork,
    draw_network,
    draw_state,
    generators,
    noise_generator,
)

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


@pytest.mark.parametrize("tangents", [2, 4])
def test_tangents_ride_on_the_first_states(tangents):
    """The joint velocity equals separate ones, and its tangent part is the derivative."""
    p = GATED
    network = draw_network(compile_network("gated"), p, 30, np.random.default_rng(1), np.float64)
    rng = np.random.default_rng(2)
    x = draw_state(network, 4, 1.0, rng)
    dx = [rng.standard_normal((tangents, 30)) for _ in x]
    velocity, d_velocity = network.velocity_with_tangent(x, dx)
    for a, b in zip(velocity, network.velocity(x), strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-12)
    step = 1e-5
    ahead, behind = (
        network.velocity([f[:tangents] + sign * step * d for f, d in zip(x, dx, strict=True)])
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


def test_noise_has_its_own_generator():
    """A third stream beside those of couplings and starts, whose digits it leaves alone."""
    couplings, starts = generators(3, 40, 2)
    expected = np.random.SeedSequence(3, spawn_key=(40, 2)).spawn(2)
    for generator, child in zip((couplings, starts), expected, strict=True):
        assert generator.random() == np.random.default_rng(child).random()
    drawn = {g.random() for g in (*generators(3, 40, 2), noise_generator(3, 40, 2))}
    assert len(drawn) == 3
    assert noise_generator(3, 40, 2).random() == noise_generator(3, 40, 2).random()


def test_quenched_inputs_are_patterns_of_the_network():
    """I = sqrt(variance) w: normal over units, the same for all starts, independent of each other."""
    n = 3000
    p = GATED | {"input_h": 4.0, "input_z": 1.0}
    right = compile_network("gated")
    network = draw_network(right, p, n, np.random.default_rng(5), np.float64)
    h, z, r = network.inputs
    assert stats.kstest(h / 2, "norm").pvalue > 1e-3
    assert stats.kstest(z, "norm").pvalue > 1e-3
    assert not r.any()
    assert abs(np.corrcoef(h, z)[0, 1]) * np.sqrt(n) < stats.norm.isf(1e-3 / 2)
    x = draw_state(network, 2, 1.0, np.random.default_rng(4))
    silent = FiniteNetwork(right, p, network.transposed).velocity(x)
    for with_input, without, drive, tau in zip(
        network.velocity(x), silent, network.inputs, (1.0, 2.0, 0.5), strict=True
    ):
        np.testing.assert_allclose(
            with_input - without, np.tile(drive / tau, (2, 1)), rtol=1e-9, atol=1e-12
        )


def test_inputs_leave_the_couplings_alone():
    right = compile_network("gated")
    plain, driven = (
        draw_network(right, GATED | more, 30, np.random.default_rng(5))
        for more in ({}, {"input_h": 1.0})
    )
    for a, b in zip(plain.transposed, driven.transposed, strict=True):
        np.testing.assert_array_equal(a, b)


def test_a_scaled_input_keeps_its_pattern():
    right = compile_network("gated")
    network = draw_network(right, GATED | {"input_h": 1.0}, 30, np.random.default_rng(5))
    later = network.at(GATED | {"input_h": 9.0})
    np.testing.assert_allclose(later.inputs[0], 3 * network.inputs[0], rtol=1e-6)
    assert later.transposed is network.transposed
    assert later.inputs[0].dtype == np.float32


def test_couplings_at_other_parameters():
    """g and m of mean-coupling live in J: J' = g'/g (J - m/N) + m'/N, tangents alike."""
    n, right = 40, compile_network("mean-coupling")
    network = draw_network(right, {"g": 2.0, "m": 0.5}, n, np.random.default_rng(5), np.float64)
    x = draw_state(network, 3, 1.0, np.random.default_rng(6))
    dx = [np.random.default_rng(7).standard_normal((2, n))]
    moved = network.at({"g": 3.0, "m": -1.0, "input_x": 0.0})
    j = 1.5 * (network.transposed[0] - 0.5 / n) - 1.0 / n
    explicit = FiniteNetwork(right, moved.parameters, (j,))
    np.testing.assert_allclose(moved.velocity(x)[0], explicit.velocity(x)[0], rtol=1e-12)
    for a, b in zip(
        moved.velocity_with_tangent(x, dx), explicit.velocity_with_tangent(x, dx), strict=True
    ):
        np.testing.assert_allclose(a[0], b[0], rtol=1e-12)
    assert network.at(network.parameters).moved == ()


def test_the_mean_is_in_the_matrix():
    """A column sum of J is m + sigma N(0, 1); over all columns the mean is m within its error."""
    n = 400
    network = draw_network(
        compile_network("mean-coupling"), {"g": 1.0, "m": 3.0}, n, np.random.default_rng(1)
    )
    sums = network.transposed[0].astype(float).sum(axis=0)
    assert abs(sums.mean() - 3.0) < stats.norm.isf(1e-3 / 2) / np.sqrt(n)
    assert stats.kstest(sums - 3.0, "norm").pvalue > 1e-3


def test_what_cannot_move():
    right = compile_network("mean-coupling")
    network = draw_network(right, {"g": 1.0, "m": 0.0}, 10, np.random.default_rng(0))
    silent = FiniteNetwork(
        right,
        network.parameters,
        network.transposed,
        law=replace(network.law, variance=np.zeros(1)),
    )
    with pytest.raises(InputError, match="grows from 0"):
        silent.at({"g": 1.0, "m": 0.0})
    tied = FiniteNetwork(
        right,
        network.parameters,
        network.transposed,
        law=replace(network.law, reciprocity=np.ones(1)),
    )
    with pytest.raises(InputError, match="cannot change in time"):
        tied.at({"g": 1.0, "m": 0.0})
    with pytest.raises(InputError, match="I_x has mean 0 and variance -1"):
        network.at({"g": 1.0, "m": 0.0, "input_x": -1.0})
