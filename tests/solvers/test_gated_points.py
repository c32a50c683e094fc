"""Six more points of the gated network, from (1.9, 10) to (8, 40), with unequal tau_r.

Each is judged by the residual at doubled resolution, with filters typed by hand; by averages summed
directly at some lags; and, where the averages are cheap, by a second discretisation as a whole.
"""

import numpy as np
import pytest
from collocation import Collocation, averages, gated, logistic_family, tanh_family
from scipy import fft
from solved import linear_theory, solved

from dmft.solvers.lag_grid import LagGrid
from dmft.solvers.stationary_problem import StationaryProblem

#: (g_h, alpha_r, tau_r, tau_z); the third is irrelevant at alpha_z = 0 and must stay so.
POINTS = [
    (1.9, 10.0, 2.0, 1.0),
    (2.5, 3.0, 0.5, 2.0),
    (4.0, 8.0, 0.3, 1.0),
    (5.0, 20.0, 3.0, 1.0),
    (6.0, 2.0, 5.0, 0.5),
    (8.0, 40.0, 0.5, 1.0),
]
BY_COLLOCATION = {
    0: (120.0, 96, 6.0),
    1: (140.0, 96, 6.0),
    2: (100.0, 96, 4.0),
    4: (170.0, 110, 6.0),
}


def at_point(index):
    g_h, alpha_r, tau_r, tau_z = POINTS[index]
    return solved("gated", g_h=g_h, alpha_r=alpha_r, tau_r=tau_r, tau_z=tau_z)


@pytest.mark.parametrize("index", range(len(POINTS)))
def test_residual_at_doubled_resolution(index):
    """Solution interpolated to half the step, equations applied there, low-passes by hand."""
    g_h, alpha_r, tau_r, tau_z = POINTS[index]
    sol = at_point(index)
    assert (sol.status, sol.branch) == ("converged", "chaotic")
    assert sol.residual <= 1e-10
    linear = linear_theory("gated", g_h=g_h, alpha_r=alpha_r, tau_r=tau_r, tau_z=tau_z)
    grid = LagGrid(float(sol.lag[-1]), 2 * (sol.lag.size - 1))
    at = sol.at(grid.lags)
    c = np.stack([at["h"], at["r"]])
    source = StationaryProblem(linear, grid, 4e-15).currents(c).covariance
    omega = np.pi * np.arange(grid.intervals + 1) / grid.length
    for name, current, rate in (("h", 0, 0.5), ("z", 1, 1 / tau_z), ("r", 2, 1 / tau_r)):
        spectrum = fft.dct(source[current], type=1) / (1 + (omega / rate) ** 2)
        filtered = fft.idct(spectrum, type=1)
        assert np.max(abs(filtered - at[name])) <= 1e-10 * sol.variance[name], name


@pytest.mark.parametrize("index", range(len(POINTS)))
def test_averages_at_some_lags(index):
    """What enters that residual, by a direct double sum: steep gates included."""
    g_h, alpha_r, _, _ = POINTS[index]
    sol = at_point(index)
    lags = np.array([0.0, 0.5, 4.0])
    at = sol.at(lags)
    phi = averages(tanh_family(g_h), at["h"])[0]
    sigma = averages(logistic_family(alpha_r), at["r"])[0]
    np.testing.assert_allclose(at["phi"], phi, atol=1e-10)
    np.testing.assert_allclose(at["sigma_r"], sigma, atol=1e-10)


@pytest.mark.parametrize("index", sorted(BY_COLLOCATION))
def test_by_collocation(index):
    g_h, alpha_r, tau_r, _ = POINTS[index]
    length, nodes, middle = BY_COLLOCATION[index]
    sol = at_point(index)
    oracle = Collocation(gated(g_h, alpha_r, tau_r=tau_r), length, nodes, middle)
    at = sol.at(oracle.lags)
    expected = np.stack([at["h"], at["r"]])
    c = oracle.solve(expected * (1 + 0.01 * np.exp(-oracle.lags / 5)))
    np.testing.assert_allclose(c, expected, atol=2e-10 * expected[0, 0])
    exponent = oracle.exponent(c, 0.9 * sol.lyapunov, 1.1 * sol.lyapunov)
    assert exponent == pytest.approx(sol.lyapunov, abs=1e-9)


@pytest.mark.parametrize("index", range(len(POINTS)))
def test_shape(index):
    """Decaying, bounded, with positive power; chaotic (a decaying solution has lambda > 0)."""
    sol = at_point(index)
    assert sol.lyapunov > 0
    grid = LagGrid(float(sol.lag[-1]), sol.lag.size - 1)
    for name in ("h", "r", "z"):
        c = sol.autocorrelation[name]
        assert np.all(abs(c) <= c[0])
        assert abs(c[-1]) <= 1e-10 * c[0]
        power = grid.coefficients(c)
        assert np.min(power) >= -1e-12 * np.max(power)


def test_update_gate_without_gain_changes_nothing():
    """tau_z sets C_z only."""
    one, other = solved("gated", g_h=2.5, alpha_r=3, tau_r=0.5, tau_z=2.0), None
    other = solved("gated", g_h=2.5, alpha_r=3, tau_r=0.5, tau_z=0.1)
    assert one.variance["h"] == pytest.approx(other.variance["h"], rel=1e-11)
    assert one.lyapunov == pytest.approx(other.lyapunov, abs=1e-11)
    assert one.variance["z"] < 0.95 * other.variance["z"]
