"""Adaptation: onset, frequency and limits in closed form (Muscinelli, Gerstner & Schwalger 2019)."""

import numpy as np
import pytest
import sympy as sp

import dmft
from dmft.derivations.equations import derive_equations
from dmft.derivations.models import get
from dmft.derivations.symbols import omega

g, gamma = sp.symbols("g gamma", positive=True)
beta = sp.Symbol("beta", real=True)
#: u at which 1/|G|^2 is smallest is the root of this, u = gamma^2 + omega^2.
K = gamma**2 * beta * (2 + 2 * gamma + beta)
CRITICAL = 1 - gamma**2 - 2 * gamma * beta + 2 * sp.sqrt(K)
FREQUENCY = sp.sqrt(K) - gamma**2

RESONANT = [(0.25, 1.0), (0.1, 1.0), (1.0, 1.0), (0.01, 2.0), (0.25, 30.0)]
PLAIN = [(2.0, 0.2), (0.25, 0.0), (0.25, -0.5)]


def onset(rate, strength):
    """Critical gain and angular frequency."""
    at = {gamma: rate, beta: strength}
    square = float(K.subs(at))
    if square > rate**4:
        return float(sp.sqrt(CRITICAL.subs(at))), float(sp.sqrt(FREQUENCY.subs(at)))
    return 1 + strength, 0.0


def edge(gain, rate, strength):
    """Largest real part of the eigenvalues over the disc |w| <= g of those of the couplings.

    Each w gives two: (w - 1 - gamma +- sqrt((w - 1 + gamma)^2 - 4 gamma beta)) / 2.
    """
    angle = np.linspace(0, np.pi, 200001)
    w = gain * np.exp(1j * angle)
    root = np.sqrt((w - 1 + rate) ** 2 - 4 * rate * strength)
    return float(np.max((w - 1 - rate + np.stack([root, -root])).real / 2))


def test_derived_filter_and_its_peak():
    stationary = derive_equations(get("adaptation")).stationary
    power = stationary.filter(0, 0) / g**2
    square = sp.Symbol("u", positive=True)
    inverse = sp.simplify((1 / power).subs(omega, sp.sqrt(square - gamma**2)))
    closed = square + K / square + 1 - gamma**2 - 2 * gamma * beta
    assert sp.simplify(inverse - closed) == 0
    assert sp.simplify(sp.diff(closed, square).subs(square, sp.sqrt(K))) == 0
    assert sp.simplify(closed.subs(square, sp.sqrt(K)) - CRITICAL) == 0
    follower = stationary.filter(1, 0) / stationary.filter(0, 0)
    assert sp.simplify(follower - gamma**2 * beta**2 / (gamma**2 + omega**2)) == 0


@pytest.mark.parametrize(("rate", "strength"), RESONANT + PLAIN)
def test_critical_gain(rate, strength):
    curve = dmft.boundary("adaptation", "zero-state", gamma=rate, beta=strength)
    assert curve.status == ("converged",)
    assert curve.columns["g"][0] == pytest.approx(onset(rate, strength)[0], rel=1e-12)


@pytest.mark.parametrize(("rate", "strength"), RESONANT + PLAIN)
@pytest.mark.parametrize("factor", [0.8, 0.99])
def test_leading_edge_below_the_onset(rate, strength, factor):
    """Complex pairs included; never below the slowest pole of a unit without couplings."""
    gain = factor * onset(rate, strength)[0]
    found = dmft.solve("adaptation", g=gain, gamma=rate, beta=strength)
    assert found.branch == "zero"
    assert found.lyapunov < 0
    alone = edge(0.0, rate, strength)
    expected = max(edge(gain, rate, strength), alone)
    assert found.lyapunov == pytest.approx(expected, rel=1e-6)


@pytest.mark.parametrize(("rate", "strength"), RESONANT[:3])
@pytest.mark.parametrize("factor", [1.2, 2.0, 3.0])
def test_resonant_chaos(rate, strength, factor):
    critical, frequency = onset(rate, strength)
    found = dmft.solve("adaptation", g=factor * critical, gamma=rate, beta=strength)
    assert (found.branch, found.status) == ("chaotic", "converged")
    assert 0 < found.lyapunov < 0.5
    c = found.autocorrelation["x"]
    assert np.min(c) < -0.2 * c[0]  # it oscillates
    power = np.fft.rfft(np.concatenate([c, c[-2:0:-1]])).real
    frequencies = np.pi * np.arange(c.size) / found.lag[-1]
    peak = frequencies[np.argmax(power)]
    # the filter's resonance, drawn together by the nonlinearity; in steps of the window
    assert peak == pytest.approx(frequency, abs=0.15 * frequency + 2 * frequencies[1])
    # the free test of the theory: C solves its equation, a follows x through its own filter
    assert found.residual < 1e-10
    a = found.autocorrelation["a"]
    follow = rate**2 * strength**2 / (rate**2 + frequencies**2)
    spectrum = np.fft.rfft(np.concatenate([a, a[-2:0:-1]])).real
    np.testing.assert_allclose(spectrum, follow * power, atol=1e-9 * np.max(power))


def test_amplitude_near_a_resonant_onset():
    """Small amplitude: E phi phi = (1 - 2 D + ...) C, so D -> (g / g_c - 1) as for `vanilla`.

    <tanh'>^2 g^2 = g_c^2 with <tanh'> = 1 - D + ... gives D = g/g_c - 1 up to second order.
    """
    for factor in (1.05, 1.2):
        found = dmft.solve("adaptation", g=factor * onset(0.25, 1.0)[0], lyapunov=False)
        excess = factor - 1
        assert found.variance["x"] == pytest.approx(excess, abs=1.5 * excess**2)


def test_without_adaptation_it_is_vanilla():
    for extra in ({"beta": 0.0}, {"beta": 1e-9, "gamma": 3.0}):
        found = dmft.solve("adaptation", g=2, **extra)
        alone = dmft.solve("vanilla", g=2)
        assert found.variance["x"] == pytest.approx(alone.variance["x"], rel=1e-8)
        assert found.lyapunov == pytest.approx(alone.lyapunov, rel=1e-7)
    at_rest = dmft.solve("adaptation", g=2, beta=0)
    assert at_rest.variance["a"] == 0
    assert at_rest.correlation_time["a"] is None


def test_fast_adaptation_is_a_stronger_leak():
    """gamma -> infinity: dx/dt = -(1 + beta) x + g xi, vanilla with gain g / (1 + beta)."""
    found = dmft.solve("adaptation", g=3, beta=0.5, gamma=1e4)
    alone = dmft.solve("vanilla", g=2)
    assert found.variance["x"] == pytest.approx(alone.variance["x"], rel=1e-3)
    assert found.lyapunov == pytest.approx(1.5 * alone.lyapunov, rel=1e-3)
