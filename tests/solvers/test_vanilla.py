"""Sompolinsky, Crisanti & Sommers: the energy integral, and lambda by other discretisations."""

from itertools import pairwise

import numpy as np
import pytest
from collocation import Collocation, averages, tanh_family, vanilla
from energy_integral import scs_variance
from scipy.linalg import eigh_tridiagonal
from solved import linear_theory, solved

from dmft.solvers.lag_grid import LagGrid
from dmft.solvers.newton import newton
from dmft.solvers.stationary_problem import StationaryProblem

#: THEORY section 11: energy integral at 30 digits; lambda from three independent solvers.
VARIANCE = {
    1.05: 0.0528322114886066812,
    1.5: 0.74768638055339806737,
    2: 1.9248054137370581867,
    3: 5.4463260830424642153,
    10: 71.3680915812826827295,
}
LYAPUNOV = {1.5: 0.0467462, 2: 0.1124581, 3: 0.2354610}


@pytest.mark.parametrize("g", sorted(VARIANCE))
def test_variance_of_the_theory_notes(g):
    sol = solved("vanilla", g=g)
    assert (sol.status, sol.branch) == ("converged", "chaotic")
    assert sol.variance["x"] == pytest.approx(VARIANCE[g], rel=1e-12)


def test_the_integral_of_these_tests_gives_the_notes_too():
    for g in ("1.05", "2", "10"):
        assert float(scs_variance(g)) == pytest.approx(VARIANCE[float(g)], rel=1e-15)


@pytest.mark.parametrize("g", ["1.2", "5", "8"])
def test_variance_against_the_energy_integral(g):
    sol = solved("vanilla", g=float(g))
    assert sol.variance["x"] == pytest.approx(float(scs_variance(g)), rel=1e-12)


def test_beyond_ten_right_or_refused():
    """Issue 2: at g > 10 either right or refused, never wrong."""
    sol = solved("vanilla", g=12, lyapunov=False)
    if sol.status == "converged":
        assert sol.variance["x"] == pytest.approx(float(scs_variance("12")), rel=1e-11)
    else:
        assert sol.status == "budget-exceeded"
        assert sol.variance["x"] is None
        assert sol.message


@pytest.mark.parametrize("g", sorted(LYAPUNOV))
def test_exponent_of_the_theory_notes(g):
    assert solved("vanilla", g=g).lyapunov == pytest.approx(LYAPUNOV[g], abs=1e-7)


def test_exponent_close_to_onset():
    """The notes give five decimals."""
    assert solved("vanilla", g=1.05).lyapunov == pytest.approx(0.00106, abs=5e-6)


@pytest.mark.parametrize("g", [1.5, 2, 3])
def test_exponent_from_the_schroedinger_ground_state(g):
    """lambda = -1 + (1 - E_0)^(1/2), E_0 of -d^2 + 1 - g^2 E tanh' tanh'.

    Second-order differences at three steps, extrapolated twice; even ground state on the half line.
    """
    sol = solved("vanilla", g=g)
    length, energies = 40.0, []
    for n in (400, 800, 1600):
        h = length / n
        lags = (np.arange(n) + 0.5) * h  # cell centres: mirror at 0 is a Neumann condition
        c = np.append(sol.variance["x"], sol.at(lags)["x"])
        weight = g**2 * averages(tanh_family(1.0), c)[1][1:]
        diagonal = 2 / h**2 + 1 - weight
        diagonal[0] -= 1 / h**2
        off = -np.ones(n - 1) / h**2
        energies.append(eigh_tridiagonal(diagonal, off, select="i", select_range=(0, 0))[0][0])
    first = [(4 * b - a) / 3 for a, b in pairwise(energies)]
    ground = (16 * first[1] - first[0]) / 15
    assert -1 + np.sqrt(1 - ground) == pytest.approx(sol.lyapunov, abs=1e-7)


@pytest.mark.parametrize("g", [2, 4])
def test_whole_solution_by_collocation(g):
    sol = solved("vanilla", g=g)
    oracle = Collocation(vanilla(g), 110.0, 100, middle=4.0)
    c = oracle.solve(1.01 * np.stack([sol.at(oracle.lags)["x"]]))
    np.testing.assert_allclose(c[0], sol.at(oracle.lags)["x"], atol=1e-10 * c[0, 0])
    low, high = 0.9 * sol.lyapunov, 1.1 * sol.lyapunov
    assert oracle.exponent(c, low, high) == pytest.approx(sol.lyapunov, abs=1e-9)


def test_energy_is_conserved_along_the_solution():
    """C'^2 / 2 + V(C) = 0 with V' = -C + g^2 F: at every lag, not only at 0."""
    g, sol = 2, solved("vanilla", g=2)
    lags = np.array([0.5, 2.0, 5.0, 9.0])
    step = 1e-3
    moved = [sol.at(lags + k * step)["x"] for k in (-2, -1, 1, 2)]
    slope = (moved[0] - 8 * moved[1] + 8 * moved[2] - moved[3]) / (12 * step)
    c, d = sol.at(lags)["x"], sol.variance["x"]

    def log_cosh(x):
        return np.abs(x) + np.log1p(np.exp(-2 * np.abs(x))) - np.log(2)

    family = (log_cosh, np.tanh, lambda x: 1 - np.tanh(x) ** 2, 1.0)
    pair = averages(family, np.concatenate([[d], c, [0.0]]))[0]
    covariance = pair[1:-1] - pair[-1]
    np.testing.assert_allclose(slope**2, c**2 - 2 * g**2 * covariance, atol=1e-9)


def test_convergence_in_the_density_is_spectral():
    """Error of Delta_0 at a fixed window: the last halving of the step gains more than 2^8.

    A fourth-order scheme gains 2^4 at every halving.
    """
    linear, sol = linear_theory("vanilla", g=2), solved("vanilla", g=2)
    errors = []
    for n in (48, 96, 192):
        grid = LagGrid(128.0, n)
        start = np.stack([sol.at(grid.lags)["x"]])
        found = newton(StationaryProblem(linear, grid, 4e-15), start, tol=1e-11)
        assert found.converged
        errors.append(abs(found.covariance[0, 0] / VARIANCE[2] - 1))
    gains = np.log2(np.array(errors[:-1]) / errors[1:])
    assert gains[1] > 8, errors
    assert gains[1] > 1.5 * gains[0], errors
