"""Order of the time stepping, and Lyapunov exponents known by hand."""

import numpy as np
import pytest
from by_hand import Plain
from orders import observed_order
from scipy.linalg import expm

from dmft.codegen import compile_network
from dmft.validation import runge_kutta
from dmft.validation.integrate import Trajectory, draw_tangents, rk4_step, tangent_norm
from dmft.validation.network import FiniteNetwork, draw_network, draw_state


def linear(matrix, dtype=np.float64):
    """dx/dt = J x, whatever J: growth of tangents is that of exp(J t)."""
    return FiniteNetwork(Plain(), {}, (np.ascontiguousarray(matrix.T, dtype=dtype),))


def test_order_of_states_and_tangents():
    """Slope 4 within 0.3 on a network of 20 units; order 3 or 5 is far outside the band."""
    network = draw_network(
        compile_network("vanilla"), {"g": 2.0}, 20, np.random.default_rng(0), np.float64
    )
    rng = np.random.default_rng(1)
    x, dx = draw_state(network, 3, 1.0, rng), draw_tangents(network, 2, rng)

    def end(dt):
        run = Trajectory(network, list(x), list(dx), dt)
        growth = run.advance(round(2 / dt))
        return run.x[0], growth

    exact = end(2.0**-10)
    steps = [2.0**-4, 2.0**-5, 2.0**-6, 2.0**-7]
    for part in (0, 1):
        order = observed_order(lambda dt, k=part: np.abs(end(dt)[k] - exact[k]).max(), steps)
        assert 3.7 < order < 4.3


def test_the_order_test_can_fail(monkeypatch):
    """A weight that is off by a little leaves a first-order method, and the slope shows it."""
    monkeypatch.setattr(runge_kutta, "WEIGHTS", (1 / 6 + 0.01, 1 / 3 - 0.01, 1 / 3, 1 / 6))

    def error(dt):
        y = [np.array([1.0])]
        for _ in range(round(1 / dt)):
            y = rk4_step(lambda y: [-(y[0] ** 2)], y, dt)
        return abs(float(y[0][0]) - 0.5)

    assert observed_order(error, [2.0**-3, 2.0**-4, 2.0**-5, 2.0**-6]) < 3


def test_time_dependent_rule_against_the_exponential():
    """One step of the linear problem is the Taylor polynomial of degree 4, digit for digit."""
    y = rk4_step(lambda y: [0.7 * y[0]], [np.array([1.0])], 0.5)
    z = 0.35
    assert y[0][0] == pytest.approx(1 + z + z**2 / 2 + z**3 / 6 + z**4 / 24, rel=1e-15)


def test_growths_add_up_to_the_norm_of_the_propagator():
    """Renormalising must lose nothing: the growths sum to ln |exp(J t) v|, for any J."""
    rng = np.random.default_rng(4)
    matrix = rng.standard_normal((12, 12)) / 3
    network = linear(matrix)
    dx = draw_tangents(network, 3, rng)
    start = dx[0].copy()
    run = Trajectory(network, [np.zeros((5, 12))], dx, 1 / 64)
    total = sum(run.advance(32) for _ in range(20))
    exact = np.log(np.linalg.norm(start @ expm(10 * matrix).T, axis=1))
    np.testing.assert_allclose(total, exact, atol=1e-7)
    np.testing.assert_allclose(tangent_norm(run.dx), 1.0, rtol=1e-12)
    assert run.time == pytest.approx(10.0)


@pytest.mark.parametrize(("dtype", "tolerance"), [(np.float64, 1e-7), (np.float32, 2e-6)])
def test_exponent_of_a_linear_network(dtype, tolerance):
    """lambda = largest eigenvalue, here 0.3, of a symmetric matrix; single precision suffices."""
    rng = np.random.default_rng(6)
    basis, _ = np.linalg.qr(rng.standard_normal((40, 40)))
    values = np.linspace(-1.0, 0.0, 40)
    values[-1] = 0.3
    network = linear(basis @ np.diag(values) @ basis.T, dtype)
    run = Trajectory(network, [np.zeros((1, 40), dtype)], draw_tangents(network, 1, rng), 0.05)
    for _ in range(60):
        run.advance(20)
    exponent = sum(run.advance(20) for _ in range(50))[0] / 50
    assert abs(exponent - 0.3) < tolerance


def test_exponent_of_a_spiral_averages_over_the_turn():
    """Complex eigenvalues -0.1 +- i on a non-normal spiral: whole turns give exactly -0.1."""
    skew = np.diag([1.0, 3.0])
    matrix = skew @ np.array([[-0.1, 1.0], [-1.0, -0.1]]) @ np.linalg.inv(skew)
    network = linear(matrix)
    dt = 2 * np.pi / 256
    run = Trajectory(network, [np.zeros((1, 2))], [np.array([[1.0, 0.0]])], dt)
    growth = sum(run.advance(64) for _ in range(4))[0]
    assert abs(growth / (2 * np.pi) + 0.1) < 1e-7


def test_precisions_agree_before_chaos_separates_them():
    """Over ten leak times growth in float32 follows float64 to 1e-4: rounding is no bias."""
    right = compile_network("vanilla")
    growths = []
    for dtype in (np.float32, np.float64):
        network = draw_network(right, {"g": 2.0}, 200, np.random.default_rng(8), dtype)
        rng = np.random.default_rng(9)
        x, dx = draw_state(network, 4, 1.0, rng), draw_tangents(network, 4, rng)
        run = Trajectory(network, x, dx, 0.125)
        growths.append(sum(run.advance(4) for _ in range(20)))
        assert run.x[0].dtype == run.dx[0].dtype == dtype
    np.testing.assert_allclose(*growths, atol=1e-4)


def test_no_tangents():
    network = linear(-np.eye(3))
    run = Trajectory(network, [np.ones((2, 3))], [np.zeros((0, 3))], 0.1)
    assert run.advance(10).shape == (0,)
    np.testing.assert_allclose(run.x[0], np.exp(-1.0), rtol=1e-6)


def test_a_dead_tangent_is_reported_not_hidden():
    network = linear(-np.eye(3))
    run = Trajectory(network, [np.ones((1, 3))], [np.zeros((1, 3))], 0.1)
    assert run.advance(1)[0] == -np.inf
    assert np.isfinite(run.dx[0]).all()
