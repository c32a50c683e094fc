"""Newton's Jacobian is the derivative of the discrete equations; both linear algebras agree."""

from itertools import pairwise

import numpy as np
import pytest
from solved import linear_theory, solved
from two_gates import complete

from dmft.solvers.lag_grid import LagGrid, evaluate_series
from dmft.solvers.newton import PrescribedAmplitude, linear_step, newton, relative_residual
from dmft.solvers.stationary_problem import LinearTheory, StationaryProblem

CASES = ["vanilla", "gated", "two_gates"]


@pytest.fixture(params=CASES)
def state(request, two_gate_theory):
    """A problem on a small grid and covariances that do not solve it."""
    if request.param == "vanilla":
        linear = linear_theory("vanilla", g=2.2)
    elif request.param == "gated":
        linear = linear_theory("gated", g_h=3, alpha_r=5, beta_r=0.3, tau_r=0.6)
    else:
        p = complete(g_h=5, alpha_r=4, alpha_q=-3, beta_q=0.2, tau_q=2, v_q=0.7)
        linear = LinearTheory(two_gate_theory, p)
    grid = LagGrid(30.0, 60)
    variances = np.array([0.6, 0.5, 0.4])[: len(linear.active)]
    c = variances[:, None] / np.cosh(grid.lags / np.array([2.0, 3.0, 2.5])[: len(variances), None])
    return StationaryProblem(linear, grid, 1e-14), c


def residual(problem, c, q):
    return c - q * problem.filtered(problem.currents(c).covariance)


def direction(problem, c):
    """A smooth change that also moves the variances."""
    lags = problem.grid.lags
    shapes = [np.exp(-lags / 3), (1 - lags / 4) * np.exp(-(lags**2) / 20), np.cos(lags / 5)]
    return np.stack([0.3 * shape * np.exp(-lags / 20) for shape in shapes[: len(c)]])


@pytest.mark.parametrize("method", ["dense", "matrix-free"])
def test_jacobian_is_the_finite_difference(state, method):
    """Fourth-order differences of the residual along dC must be mapped back onto dC."""
    problem, c = state
    q, dc, e = 0.9, direction(problem, c), 3e-3
    near, far = (
        residual(problem, c + k * e * dc, q) - residual(problem, c - k * e * dc, q) for k in (1, 2)
    )
    change = (8 * near - far) / (12 * e)
    step = linear_step(problem, problem.currents(c), q, change, method=method, rtol=1e-12)
    assert step.scale == 0
    assert np.max(abs(step.covariance - dc)) < 2e-7


def test_bordered_jacobian(state):
    """With the amplitude prescribed, the change of the residual by dC and by dq together."""
    problem, c = state
    q, dc, dq, e = 0.9, direction(problem, c), 0.37, 3e-3
    near, far = (
        residual(problem, c + k * e * dc, q + k * e * dq)
        - residual(problem, c - k * e * dc, q - k * e * dq)
        for k in (1, 2)
    )
    change = (8 * near - far) / (12 * e)
    for method in ("dense", "matrix-free"):
        step = linear_step(
            problem,
            problem.currents(c),
            q,
            change,
            border=((1.0, 0.0, 0.0), float(dc[0, 0])),
            method=method,
            rtol=1e-12,
        )
        assert np.max(abs(step.covariance - dc)) < 2e-7, method
        assert step.scale == pytest.approx(dq, abs=2e-7), method


@pytest.mark.parametrize("border", [None, ((1.0, 0.0, 0.0), 0.01), ((2.0, -1.5, 0.4), 0.01)])
def test_dense_equals_matrix_free(state, border):
    problem, c = state
    right = residual(problem, c, 0.9)
    steps = [
        linear_step(
            problem,
            problem.currents(c),
            0.9,
            right,
            border=border,
            method=method,
            rtol=1e-13,
        )
        for method in ("dense", "matrix-free")
    ]
    dense, free = steps
    size = np.max(abs(dense.covariance))
    assert np.max(abs(dense.covariance - free.covariance)) < 1e-10 * size
    assert dense.scale == pytest.approx(free.scale, rel=1e-10)


def near_solution(n=160, length=100.0):
    linear = linear_theory("gated", g_h=3, alpha_r=5)
    sol = solved("gated", g_h=3, alpha_r=5)
    grid = LagGrid(length, n)
    at = sol.at(grid.lags)
    return StationaryProblem(linear, grid, 4e-15), np.stack([at["h"], at["r"]])


def test_convergence_is_quadratic():
    """From 2% away: each residual is bounded by a constant times the square of the one before."""
    problem, c = near_solution()
    c = c * (1 + 0.02 * np.exp(-((problem.grid.lags / 6) ** 2)))
    sizes = []
    for _ in range(5):
        r = residual(problem, c, 1.0)
        sizes.append(relative_residual(c, r))
        c = c + linear_step(problem, problem.currents(c), 1.0, -r, method="dense").covariance
    assert sizes[0] > 1e-4
    assert sizes[3] < 1e-12
    large = [(a, b) for a, b in pairwise(sizes) if b > 1e-13]
    assert all(b < 300 * a**2 for a, b in large), sizes


@pytest.mark.parametrize("method", ["dense", "matrix-free"])
def test_both_methods_reach_the_same_solution(method):
    problem, c = near_solution()
    found = newton(problem, 1.01 * c, tol=1e-10, method=method)
    assert found.converged
    assert found.residual < 1e-14
    assert found.covariance[0, 0] == pytest.approx(0.142274619, abs=1e-9)  # THEORY section 11


def test_prescribed_amplitude_is_met_exactly():
    problem, c = near_solution()
    amplitude = 1.05 * float(c[0, 0])
    found = newton(problem, 1.05 * c, prescribed=PrescribedAmplitude(amplitude))
    assert found.converged
    assert found.covariance[0, 0] == pytest.approx(amplitude, rel=1e-14)
    assert found.scale > 1  # the upper branch: stronger couplings, larger amplitude


def test_hopeless_start_is_no_success():
    """A flat start far outside: whatever happens, `converged` speaks the truth."""
    problem, c = near_solution()
    found = newton(problem, 100 * np.ones_like(c), tol=1e-12)
    r = residual(problem, found.covariance, found.scale)
    assert found.converged == (relative_residual(found.covariance, r) <= 1e-12)


def test_series_of_a_solution_solves_the_equations_between_the_nodes():
    """The residual on a grid three times as dense, from the interpolated solution."""
    problem, c = near_solution(n=240)
    found = newton(problem, c, tol=1e-10)
    fine = LagGrid(problem.grid.length, 720)
    a = problem.grid.coefficients(found.covariance)
    dense = evaluate_series(a, problem.grid.length, fine.lags)
    finer = StationaryProblem(problem.linear, fine, 4e-15)
    assert relative_residual(dense, residual(finer, dense, 1.0)) < 1e-12
