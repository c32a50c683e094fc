"""The gated network at (g_h, alpha_r) = (3, 5): THEORY section 11, windows, densities, identities."""

import numpy as np
import pytest
from collocation import Collocation, gated
from solved import linear_theory, solved

from dmft.solvers.lag_grid import LagGrid, evaluate_series
from dmft.solvers.lyapunov import decaying_state_exponent
from dmft.solvers.newton import newton
from dmft.solvers.stationary_problem import StationaryProblem

#: THEORY section 11 (two independent spectral solvers): nine decimals, the exponent eight.
C_H, C_H_5, C_R, EXPONENT = 0.142274619, 0.082285511, 0.417489830, 0.13216866


@pytest.fixture(scope="module")
def sol():
    return solved("gated", g_h=3, alpha_r=5)


def test_values_of_the_theory_notes(sol):
    assert (sol.status, sol.branch) == ("converged", "chaotic")
    assert sol.variance["h"] == pytest.approx(C_H, abs=1e-8)
    assert sol.at([5])["h"][0] == pytest.approx(C_H_5, abs=1e-8)
    assert sol.variance["r"] == pytest.approx(C_R, abs=1e-8)
    assert sol.lyapunov == pytest.approx(EXPONENT, abs=1e-8)
    assert sol.residual <= 1e-10


def test_both_gates_hear_the_same():
    """z and r are driven alike: at tau_z = tau_r they have one covariance."""
    sol = solved("gated", g_h=3, alpha_r=5, tau_r=0.7, tau_z=0.7)
    np.testing.assert_allclose(sol.at(sol.lag)["z"], sol.at(sol.lag)["r"], rtol=0, atol=1e-15)


@pytest.mark.parametrize(("length", "n"), [(95, 220), (95, 330), (140, 330), (140, 480)])
def test_windows_and_densities(length, n):
    """Two windows, two densities each: 1e-9 among them because each is within 5e-10 of one value."""
    linear, sol = linear_theory("gated", g_h=3, alpha_r=5), solved("gated", g_h=3, alpha_r=5)
    grid = LagGrid(float(length), n)
    at = sol.at(grid.lags)
    # a disturbed start, so that the solution is found anew
    start = np.stack([at["h"], at["r"]]) * (1 + 0.01 * np.exp(-grid.lags / 4))
    problem = StationaryProblem(linear, grid, 4e-15)
    found = newton(problem, start, tol=1e-11)
    assert found.converged
    c = found.covariance
    five = evaluate_series(grid.coefficients(c[0]), grid.length, np.array([5.0]))[0]
    exponent = decaying_state_exponent(linear, grid, found.currents.by_covariance)
    assert c[0, 0] == pytest.approx(C_H, abs=1e-8)
    assert [c[0, 0], five, c[1, 0], exponent] == pytest.approx(
        [sol.variance["h"], sol.at([5])["h"][0], sol.variance["r"], sol.lyapunov], abs=5e-10
    )


def test_even_bounded_and_positive(sol):
    """C(tau) = C(-tau), |C(tau)| <= C(0), power >= 0, for fields and nonlinearities."""
    lags = np.linspace(0, sol.lag[-1], 500)
    forward, backward = sol.at(lags), sol.at(-lags)
    grid = LagGrid(float(sol.lag[-1]), sol.lag.size - 1)
    for name, values in sol.autocorrelation.items():
        np.testing.assert_array_equal(forward[name], backward[name])
        assert np.all(abs(forward[name]) <= values[0] * (1 + 1e-12)), name
        power = grid.coefficients(values)
        assert np.min(power) >= -1e-12 * np.max(power), name


def test_observables_are_the_averages_of_the_fields(sol):
    """C_phi and C_sigma_r at several lags by a double sum; sigma_z is constant, 1/2."""
    from collocation import averages, logistic_family, tanh_family

    lags = np.array([0.0, 1.0, 5.0, 20.0])
    at = sol.at(lags)
    np.testing.assert_allclose(at["phi"], averages(tanh_family(3.0), at["h"])[0], atol=1e-10)
    np.testing.assert_allclose(
        at["sigma_r"], averages(logistic_family(5.0), at["r"])[0], atol=1e-10
    )
    np.testing.assert_array_equal(at["sigma_z"], 0.25)


def test_correlation_time_is_the_integral_over_the_variance(sol):
    from numpy.polynomial.legendre import leggauss

    x, w = leggauss(200)
    lags = (x + 1) / 2 * sol.lag[-1]
    for field in ("h", "r"):
        integral = float(w @ sol.at(lags)[field]) / 2 * sol.lag[-1]
        expected = integral / sol.variance[field]
        assert sol.correlation_time[field] == pytest.approx(expected, rel=1e-6)


def test_by_collocation(sol):
    oracle = Collocation(gated(3, 5), 105.0, 96, middle=6.0)
    at = sol.at(oracle.lags)
    expected = np.stack([at["h"], at["r"]])
    c = oracle.solve(1.01 * expected)
    np.testing.assert_allclose(c, expected, atol=1e-10)
    assert oracle.exponent(c, 0.12, 0.14) == pytest.approx(sol.lyapunov, abs=1e-9)


def test_velocities_are_an_odd_mode_at_zero_growth(sol):
    """(dC_h/dtau, dC_r/dtau) has eigenvalue one at lambda = 0 (THEORY section 6).

    The operator is applied here to odd functions by sine transforms, with the filters typed by
    hand; its weights are the package's.
    """
    from scipy import fft

    linear = linear_theory("gated", g_h=3, alpha_r=5)
    grid = LagGrid(float(sol.lag[-1]), sol.lag.size - 1)
    c = np.stack([sol.autocorrelation["h"], sol.autocorrelation["r"]])
    weights = StationaryProblem(linear, grid, 4e-15).currents(c).by_covariance
    omega = grid.frequencies[1:-1]

    def velocity(values):
        return fft.dst(-omega * grid.coefficients(values)[1:-1], type=1) / 2

    slope = np.stack([velocity(row) for row in c])
    driven = np.einsum("ajn,jn->an", weights[:, :, 1:-1], slope)

    def low_pass(values, rate):
        return fft.idst(fft.dst(values, type=1) / (1 + (omega / rate) ** 2), type=1)

    mapped = np.stack([low_pass(driven[0], 0.5), low_pass(driven[2], 1.0)])
    assert np.max(abs(slope)) > 1e-3
    np.testing.assert_allclose(mapped, slope, atol=1e-10 * np.max(abs(slope)))


def test_sign_of_the_gate_gain_does_not_matter(sol):
    """r -> -r is a symmetry of the theory at beta_r = 0."""
    turned = solved("gated", g_h=3, alpha_r=-5)
    assert turned.variance == pytest.approx(sol.variance, rel=1e-12)
    assert turned.lyapunov == pytest.approx(sol.lyapunov, abs=1e-11)
