"""Open units of a network with a steep gate, against formulas typed by hand; the case's theory likewise."""

import numpy as np
import pytest
from scipy import special

from dmft.codegen import compile_network
from dmft.validation.cases.marginal_stability import CASE, POINTS
from dmft.validation.network import draw_network, draw_state
from dmft.validation.open_units import open_units

STEEP, THETA, G = 40.0, 0.1, 3.0


@pytest.mark.parametrize(("alpha_r", "tau_r"), [(0.0, 1.0), (5.0, 1.0), (5.0, 2.5)])
def test_open_units_of_one_state_by_hand(alpha_r, tau_r):
    """Rows and columns of h of open units and of r of all units, of the network's Jacobian."""
    p = {"g_h": G, "alpha_z": STEEP, "beta_z": STEEP * THETA, "alpha_r": alpha_r, "tau_z": 5.0}
    p |= {"tau_r": tau_r, "beta_h": 0.0, "beta_r": 0.0}
    rng = np.random.default_rng(4)
    network = draw_network(compile_network("gated"), p, 60, rng, np.float64)
    x = draw_state(network, 1, 1.0, rng)
    s = special.expit(STEEP * (x[1][0] - THETA))
    opened = np.flatnonzero(s > 0.5)
    assert 10 < opened.size < 50
    phi = np.tanh(G * x[0][0])
    slope = G * (1 - phi**2)
    output = special.expit(alpha_r * x[2][0])
    moved = alpha_r * output * (1 - output)
    of_h, _, of_r = (j.T for j in network.transposed)
    direct = (of_h * (slope * output))[np.ix_(opened, opened)]
    by_r = (of_h * (phi * moved))[opened]
    of_h_by_r = (of_r * slope)[:, opened]
    rates = s[opened, None]
    whole = [[rates * (direct - np.eye(opened.size)), rates * by_r]]
    whole += [[of_h_by_r / tau_r, -np.eye(60) / tau_r]]
    leading = np.linalg.eigvals(np.block(whole)).real.max()
    gain = direct + by_r @ of_h_by_r
    share, square, real = open_units(network, x, "h", through="r", delay="tau_r")
    assert share == pytest.approx(opened.size / 60)
    assert square == pytest.approx(np.sum(gain**2) / opened.size, rel=1e-9)
    assert real == pytest.approx(leading, abs=1e-7)


def test_theory_of_the_case_by_hand():
    """f = erfc(theta / sqrt(2 <phi^2>)) / 2, V of THEORY section 3; the start has the static variance."""
    nodes = np.linspace(-9, 9, 4001)
    weights = np.exp(-(nodes**2) / 2) / np.exp(-(nodes**2) / 2).sum()
    told = CASE.predict({})
    for label, point in POINTS.items():
        h = np.sqrt(point.held) * nodes
        squares = weights @ np.tanh(point.g_h * h) ** 2
        output = special.expit(point.alpha_r * np.sqrt(squares) * nodes)
        passed = weights @ output**2
        moved = weights @ (point.alpha_r * output * (1 - output)) ** 2
        assert squares * passed == pytest.approx(point.held, rel=2e-4)
        f = special.erfc(point.theta / np.sqrt(2 * squares)) / 2
        slopes = weights @ (point.g_h * (1 - np.tanh(point.g_h * h) ** 2)) ** 2
        v = slopes * (passed + squares * moved)
        assert told[label].open == pytest.approx(f, rel=1e-3)
        assert told[label].gain == pytest.approx(f * v, rel=1e-3)
        assert told[label].unstable == (f * v > 1)
