"""Open units of a network with a steep gate, against formulas typed by hand; the case's theory likewise."""

import numpy as np
import pytest
from scipy import special

from dmft.codegen import compile_network
from dmft.validation.cases.marginal_stability import CASE, POINTS, _open_units
from dmft.validation.network import draw_network, draw_state

STEEP, THETA, G = 40.0, 0.1, 3.0


def test_open_units_of_one_state_by_hand():
    """d dh_i/dt = s_i (-dh_i + sum_j J_ij phi'_j dh_j / 2), rows and columns of open units only."""
    p = {"g_h": G, "alpha_z": STEEP, "beta_z": STEEP * THETA, "alpha_r": 0.0, "tau_z": 5.0}
    p |= {"tau_r": 1.0, "beta_h": 0.0, "beta_r": 0.0}
    rng = np.random.default_rng(4)
    network = draw_network(compile_network("gated"), p, 60, rng, np.float64)
    x = draw_state(network, 1, 1.0, rng)
    s = special.expit(STEEP * (x[1][0] - THETA))
    opened = np.flatnonzero(s > 0.5)
    assert 10 < opened.size < 50
    slope = G * (1 - np.tanh(G * x[0][0]) ** 2)
    couplings = network.transposed[0].T
    gain = (couplings * slope / 2)[np.ix_(opened, opened)]
    leading = np.linalg.eigvals(s[opened, None] * (gain - np.eye(opened.size))).real.max()
    share, square, real = _open_units(network, x)
    assert share == pytest.approx(opened.size / 60)
    assert square == pytest.approx(np.sum(gain**2) / opened.size, rel=1e-9)
    assert real == pytest.approx(leading, abs=1e-9)


def test_theory_of_the_case_by_hand():
    """f = erfc(theta / sqrt(2 <phi^2>)) / 2, V = <phi'^2> / 4; the start has the static variance."""
    nodes = np.linspace(-9, 9, 4001)
    weights = np.exp(-(nodes**2) / 2) / np.exp(-(nodes**2) / 2).sum()
    told = CASE.predict({})
    for label, point in POINTS.items():
        h = np.sqrt(point.held) * nodes
        squares = weights @ np.tanh(point.g_h * h) ** 2
        assert squares / 4 == pytest.approx(point.held, rel=2e-4)
        f = special.erfc(point.theta / np.sqrt(2 * squares)) / 2
        v = weights @ (point.g_h * (1 - np.tanh(point.g_h * h) ** 2)) ** 2 / 4
        assert told[label].open == pytest.approx(f, rel=1e-3)
        assert told[label].gain == pytest.approx(f * v, rel=1e-3)
        assert told[label].unstable == (f * v > 1)
