"""The test-only model with two output gates, through exactly the code of the shipped ones."""

import numpy as np
import pytest
from collocation import Collocation, Equations, logistic_family, tanh_family
from scipy import fft
from scipy.optimize import brentq
from solved import solved
from two_gates import complete

from dmft.codegen.cache import compile_model_theory
from dmft.solvers.boundaries import BOUNDARIES, Request
from dmft.solvers.lag_grid import LagGrid
from dmft.solvers.stationary import solve_stationary
from dmft.solvers.stationary_problem import LinearTheory, StationaryProblem

P = complete(g_h=7, alpha_r=4, alpha_q=-3, beta_q=0.2, tau_r=0.6, tau_q=1.5, v_q=0.7)


def located(name, theory, p, solve_for):
    """The points of a boundary where nothing is swept."""
    base = {key: value for key, value in p.items() if key != solve_for}
    return [
        point for _, point in BOUNDARIES[name].locate(Request(theory, base, solve_for, 1e-12)).rows
    ]


@pytest.fixture(scope="module")
def solution(two_gate_theory):
    found, _ = solve_stationary(two_gate_theory, P)
    return found


def test_it_is_solved(solution):
    assert (solution.status, solution.branch) == ("converged", "chaotic")
    assert solution.residual <= 1e-10
    assert solution.covariance.shape == (3, solution.lags.size)
    assert set(solution.observables) == {"phi", "sigma_r", "sigma_q"}


def test_without_second_gain_it_is_gated(two_gate_theory):
    """sigma_q = 1/2 halves the couplings: h = h'/2 with g_h' = g_h / 2; s = 1 by a wide-open gate."""
    p = complete(g_h=6, alpha_r=5, tau_r=0.6)
    found, _ = solve_stationary(two_gate_theory, p)
    gated = solved("gated", g_h=3, alpha_r=5, tau_r=0.6, beta_z=-50)
    assert 4 * found.covariance[0, 0] == pytest.approx(gated.variance["h"], rel=1e-10)
    assert found.covariance[1, 0] == pytest.approx(gated.variance["r"], rel=1e-10)
    assert found.lyapunov == pytest.approx(gated.lyapunov, abs=1e-10)
    at = gated.at(found.lags[:200])
    np.testing.assert_allclose(4 * found.covariance[0, :200], at["h"], atol=1e-11)


def test_two_equal_gates_are_exchangeable(two_gate_theory):
    p = complete(g_h=7, alpha_r=4, alpha_q=4, beta_r=0.3, beta_q=0.3, tau_r=0.8, tau_q=0.8)
    found, _ = solve_stationary(two_gate_theory, p, lyapunov=False)
    np.testing.assert_allclose(found.covariance[1], found.covariance[2], atol=1e-14)
    swapped = complete(
        **{
            **P,
            "alpha_r": -3,
            "alpha_q": 4,
            "beta_r": 0.2,
            "beta_q": 0,
            "tau_r": 1.5,
            "tau_q": 0.6,
            "v_q": 1.0,
        }
    )
    straight = complete(**{**P, "v_q": 1.0})
    one, _ = solve_stationary(two_gate_theory, swapped)
    other, _ = solve_stationary(two_gate_theory, straight)
    assert one.covariance[0, 0] == pytest.approx(other.covariance[0, 0], rel=1e-10)
    assert one.lyapunov == pytest.approx(other.lyapunov, abs=1e-10)


def test_residual_at_doubled_resolution(two_gate_theory, solution):
    grid = LagGrid(float(solution.lags[-1]), 2 * (solution.lags.size - 1))
    old = LagGrid(float(solution.lags[-1]), solution.lags.size - 1)
    c = old.resample(solution.covariance, grid)
    linear = LinearTheory(two_gate_theory, P)
    source = StationaryProblem(linear, grid, 4e-15).currents(c).covariance
    omega = np.pi * np.arange(grid.intervals + 1) / grid.length
    for k, rate in enumerate((1.0, 1 / 0.6, 1 / 1.5)):
        filtered = fft.idct(fft.dct(source[k], type=1) / (1 + (omega / rate) ** 2), type=1)
        assert np.max(abs(filtered - c[k])) <= 1e-10 * c[k, 0]


def test_by_collocation(solution):
    families = (tanh_family(7.0), logistic_family(4.0), logistic_family(-3.0, 0.2))
    equations = Equations(
        families, (1.0, 1 / 0.6, 1 / 1.5), ((0, 1, 2), (0,), (0,)), (1.0, 1.0, 0.7)
    )
    oracle = Collocation(equations, 60.0, 90, middle=4.0)
    grid = LagGrid(float(solution.lags[-1]), solution.lags.size - 1)
    from dmft.solvers.lag_grid import evaluate_series

    expected = evaluate_series(
        grid.coefficients(solution.covariance), grid.length, np.minimum(oracle.lags, grid.length)
    )
    c = oracle.solve(1.005 * expected)
    np.testing.assert_allclose(c[:, 0], expected[:, 0], rtol=1e-9)
    np.testing.assert_allclose(c, expected, atol=1e-9)
    low, high = 0.9 * solution.lyapunov, 1.1 * solution.lyapunov
    assert oracle.exponent(c, low, high) == pytest.approx(solution.lyapunov, abs=1e-8)


@pytest.mark.parametrize(("beta_r", "beta_q"), [(0.0, 0.0), (1.2, -0.8), (-2.0, 0.5)])
def test_line_of_rest_in_closed_form(two_gate_theory, beta_r, beta_q):
    """g_h = (1 + e^beta_r)(1 + e^beta_q), whatever the gains, time constants and v_q."""
    p = complete(g_h=1, alpha_r=3, alpha_q=2, beta_r=beta_r, beta_q=beta_q, tau_r=3, v_q=0.4)
    (point,) = located("zero-state", two_gate_theory, p, "g_h")
    assert point.value == pytest.approx((1 + np.exp(beta_r)) * (1 + np.exp(beta_q)), rel=1e-12)
    assert point.status == "converged"


def test_static_fold_by_brute_force(two_gate_theory):
    """Fixed points appear where g_h(Delta_h), from three coupled equations typed here, is lowest."""
    p = complete(g_h=1, alpha_r=9, alpha_q=6, v_q=0.5)
    nodes = np.linspace(-9, 9, 4001)
    weights = np.exp(-(nodes**2) / 2)
    weights /= weights.sum()

    def square(f, variance):
        return float(weights @ f(np.sqrt(variance) * nodes) ** 2)

    def g_h_at(u):
        """u = g_h^2 Delta_h fixes <phi^2>, hence both gates; Delta_h follows, and g_h."""
        phi = square(np.tanh, u)
        gate_r = square(lambda x: 1 / (1 + np.exp(-9 * x)), phi)
        gate_q = square(lambda x: 1 / (1 + np.exp(-6 * x)), 0.5 * phi)
        return np.sqrt(u / (phi * gate_r * gate_q))

    grid = np.geomspace(1e-3, 30, 400)
    best = grid[np.argmin([g_h_at(u) for u in grid])]
    near = best * np.exp(np.linspace(-0.02, 0.02, 41))
    values = [g_h_at(u) for u in near]
    a, b, c = np.polyfit(np.log(near / best), values, 2)
    exact = c - b**2 / (4 * a)
    (point,) = located("fixed-points", two_gate_theory, p, "g_h")
    assert point.status == "converged"
    assert point.value < 4  # discontinuous: before the zero-state line
    assert point.value == pytest.approx(exact, abs=2e-7)


def test_rest_has_the_edge_of_its_closed_form(two_gate_theory):
    p = complete(g_h=3, beta_q=0.4)
    found, others = solve_stationary(two_gate_theory, p)
    assert (found.branch, others) == ("zero", ())
    assert found.lyapunov == pytest.approx(3 / 2 / (1 + np.exp(0.4)) - 1, abs=1e-12)


def test_a_model_that_does_not_close_has_no_stationary_theory():
    """Same code, other outcome: the compiled theory carries the reason and no equations."""
    import sympy as sp

    from dmft.derivations.model import Coupling, Field, Model, Parameter

    x, xi = sp.symbols("x xi", real=True)
    model = Model(
        name="cubic",
        title="cubic leak",
        citation="none",
        fields=(Field("x", ""),),
        parameters=(Parameter("g", "gain", positive=True),),
        nonlinearities=(),
        couplings=(Coupling("xi", sp.Symbol("g", positive=True) * sp.tanh(x)),),
        dynamics={"x": -x - x**3 + xi},
    )
    theory = compile_model_theory(model)
    assert "not linear" in theory.closure_failure
    assert theory.outputs == ()
    (point,) = located("zero-state", theory, {"g": 1.0}, "g")  # rest still has its line
    assert point.value == pytest.approx(1.0, abs=1e-12)
    assert brentq(lambda g: g - point.value, 0.5, 2) == pytest.approx(1.0)
