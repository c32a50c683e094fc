"""The network with the error function: averages, autocorrelation and exponent in closed form."""

from functools import partial

import numpy as np
import pytest
from scipy.integrate import solve_ivp
from scipy.optimize import brentq

import dmft
from dmft.codegen import compiled_theory
from dmft.gaussian.pair_average import pair_average

#: 2 a^2 for phi(x) = erf(a x), a = sqrt(pi) / 2.
TWICE = np.pi / 2


def average(variance, covariance):
    """E phi(x) phi(y) (Williams 1998)."""
    return 2 / np.pi * np.arcsin(TWICE * covariance / (1 + TWICE * variance))


def slopes(variance, covariance):
    """E phi'(x) phi'(y), a Gaussian integral."""
    return 1 / np.sqrt((1 + TWICE * variance) ** 2 - (TWICE * covariance) ** 2)


def energy(gain, variance):
    """int_0^D (c - g^2 E phi phi) dc: zero for the decaying solution."""
    k = TWICE / (1 + TWICE * variance)
    edge = k * variance
    area = variance * np.arcsin(edge) + (np.sqrt(1 - edge**2) - 1) / k
    return variance**2 / 2 - gain**2 * 2 / np.pi * area


def variance_at(gain):
    return brentq(lambda d: energy(gain, d), 1e-3, 2 * gain**2, xtol=1e-15, rtol=1e-15)


@pytest.mark.parametrize("variance", [0.01, 1.0, 30.0])
def test_averages(variance):
    (phi,) = compiled_theory("vanilla-erf").functions
    series = pair_average(partial(phi.at, p={"g": 1.0}), variance)
    c = variance * np.linspace(-1, 1, 41)
    value, by_covariance, by_variance = series.at(c)
    np.testing.assert_allclose(value, average(variance, c), rtol=0, atol=2e-13)
    np.testing.assert_allclose(by_covariance, slopes(variance, c), rtol=2e-11)
    step = 1e-5 * variance
    inner = slice(1, -1)
    change = (average(variance + step, c) - average(variance - step, c)) / (2 * step)
    np.testing.assert_allclose(by_variance[inner], change[inner], rtol=1e-6, atol=1e-9)


@pytest.mark.parametrize("gain", [1.2, 2.0, 5.0])
def test_variance_by_the_energy_integral(gain):
    solution = dmft.solve("vanilla-erf", g=gain, lyapunov=False)
    assert solution.branch == "chaotic"
    assert solution.variance["x"] == pytest.approx(variance_at(gain), rel=1e-10)


def test_large_gain():
    """phi becomes a sign: C(0) / g^2 -> 2 (1 - 2 / pi), from below."""
    ratio = dmft.solve("vanilla-erf", g=20, lyapunov=False).variance["x"] / 400
    limit = 2 * (1 - 2 / np.pi)
    assert 0.98 * limit < ratio < limit
    assert ratio == pytest.approx(variance_at(20) / 400, rel=1e-10)


def test_autocorrelation_by_integration():
    """C'' = C - g^2 E phi phi from C(0), C'(0) = 0: an initial value problem, no window."""
    start = variance_at(2.0)
    lags = np.linspace(0, 8, 33)
    path = solve_ivp(
        lambda _, y: [y[1], y[0] - 4 * average(start, y[0])],
        (0, 8),
        [start, 0.0],
        method="DOP853",
        t_eval=lags,
        rtol=1e-13,
        atol=1e-14,
    )
    found = dmft.solve("vanilla-erf", g=2, lyapunov=False).at(lags)["x"]
    np.testing.assert_allclose(found, path.y[0], atol=1e-8)


def test_exponent_by_the_ground_state():
    """lambda = -1 + sqrt(1 - E_0) of -d^2 + 1 - g^2 E phi' phi' (SCS 1988), finite differences."""
    solution = dmft.solve("vanilla-erf", g=2)
    energies = []
    for n in (800, 1600):
        lags = np.linspace(0, 40, n + 1)
        h = lags[1]
        potential = 1 - 4 * slopes(solution.variance["x"], solution.at(lags)["x"])
        # even functions: the ghost point doubles the coupling to lag 0, made symmetric by sqrt(2)
        off = np.full(n, -1 / h**2)
        off[0] *= np.sqrt(2)
        matrix = np.diag(2 / h**2 + potential) + np.diag(off, 1) + np.diag(off, -1)
        energies.append(np.linalg.eigvalsh(matrix)[0])
    ground = (4 * energies[1] - energies[0]) / 3
    assert solution.lyapunov == pytest.approx(-1 + np.sqrt(1 - ground), rel=1e-6)
