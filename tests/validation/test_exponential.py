"""The exponential integrator: order four, exact for the leak, unharmed by stiffness."""

import math

import mpmath
import numpy as np
import pytest
from by_hand import Plain
from orders import observed_order

from dmft.codegen import compile_network
from dmft.errors import DmftError, InputError
from dmft.validation import exponential
from dmft.validation.exponential import coefficients, exponential_step, phi
from dmft.validation.integrate import Trajectory, draw_tangents
from dmft.validation.network import FiniteNetwork, draw_network, draw_state
from dmft.validation.schedule import choose_step

STEPS = [2.0**-3, 2.0**-4, 2.0**-5, 2.0**-6]
GATED = {"g_h": 3.0, "alpha_z": 2.0, "alpha_r": 5.0, "tau_z": 0.5, "tau_r": 2.0, "input_h": 0.1}


@pytest.mark.parametrize("order", [0, 1, 2, 3])
@pytest.mark.parametrize("z", [0.0, -1e-9, 1e-3, -0.3, 0.999, -1.0, -1.001, -4.0, -300.0, 2.0])
def test_phi_functions(order, z):
    """Against phi_k(z) = int_0^1 exp((1 - s) z) s^(k-1) / (k-1)! ds at 30 digits."""
    with mpmath.workdps(30):
        exact = mpmath.exp(z)
        if order:
            weight = mpmath.factorial(order - 1)
            exact = mpmath.quad(
                lambda s: mpmath.exp((1 - s) * mpmath.mpf(z)) * s ** (order - 1) / weight,
                mpmath.linspace(0, 1, 9),
            )
        assert phi(order, z) == pytest.approx(float(exact), rel=2e-15 if z > -1 else 1e-13)


def right_end(model, p, dt, integrator="exponential"):
    """States and growths after time 2, from the same start."""
    network = draw_network(compile_network(model), p, 20, np.random.default_rng(0), np.float64)
    rng = np.random.default_rng(1)
    x, dx = draw_state(network, 3, 1.0, rng), draw_tangents(network, 2, rng)
    run = Trajectory(network, x, dx, dt, integrator=integrator)
    growth = run.advance(round(2 / dt))
    return np.concatenate(run.x), growth


@pytest.mark.parametrize(("model", "p"), [("gated", GATED), ("adaptation", {"g": 2.0})])
def test_order_of_states_and_tangents(model, p):
    """Slope 4 within 0.4, against the classical rule at a fine step: another method."""
    exact = right_end(model, p, 2.0**-9, "rk4")
    ends = {dt: right_end(model, p, dt) for dt in STEPS}
    for part in (0, 1):
        order = observed_order(lambda dt, k=part: np.abs(ends[dt][k] - exact[k]).max(), STEPS)
        assert 3.6 < order < 4.4


def test_the_order_test_can_fail(monkeypatch):
    """phi_3 off by 5% leaves order one."""
    coefficients.cache_clear()
    monkeypatch.setattr(exponential, "phi", lambda k, z: phi(k, z) * (0.95 if k == 3 else 1.0))
    exact = right_end("adaptation", {"g": 2.0}, 2.0**-9, "rk4")[0]
    order = observed_order(
        lambda dt: np.abs(right_end("adaptation", {"g": 2.0}, dt)[0] - exact).max(), STEPS
    )
    coefficients.cache_clear()
    assert order < 3


def test_without_a_leak_it_ends_in_simpson():
    """z = 0: nodes 0, 1/2, 1/2, 1, 1/2 and the weights of a quadrature of order four."""
    rows = coefficients(0.0)
    np.testing.assert_allclose([sum(row) for row in rows], [0.5, 0.5, 1, 0.5, 1], rtol=1e-15)
    np.testing.assert_allclose(rows[-1], [1 / 6, 0, 0, 1 / 6, 2 / 3], atol=1e-15)


def test_linear_relaxation_is_exact_at_any_step():
    """dx/dt = -50 (x - 2): one step of length 3 is the closed form."""
    y = exponential_step(lambda f: lambda y: [-50 * (y[0] - 2)], [np.array([5.0])], 0.1, [-50.0])
    assert y[0][0] == pytest.approx(2 + 3 * math.exp(-5), rel=1e-14)
    y = exponential_step(lambda f: lambda y: [-50 * (y[0] - 2)], [np.array([5.0])], 3.0, [-50.0])
    assert y[0][0] == pytest.approx(2, rel=1e-14)


def test_fixed_points_stay_fixed():
    """Lawson's methods move them by O(dt^4); this one does not."""
    matrix = np.array([[0.2, -0.7], [0.4, 0.1]])

    class Leaky(Plain):
        def drift(self, x, xi, p, inputs):
            return [xi[0] + 1.0 - 3.0 * x[0]]

        def leak(self, p):
            return [-3.0]

    network = FiniteNetwork(Leaky(), {}, (matrix.T.copy(),))
    fixed = np.linalg.solve(3 * np.eye(2) - matrix, np.ones(2))[None]
    run = Trajectory(network, [fixed.copy()], [fixed[:0]], 1.0, integrator="exponential")
    run.advance(5)
    np.testing.assert_allclose(run.x[0], fixed, rtol=1e-14)


def test_a_stiff_gate_does_not_limit_the_step():
    """tau_r = 1e-3, off the start's boundary layer: second order from dt = 1/4 on, 2e-4 at 1/8."""
    p = GATED | {"tau_r": 1e-3}
    network = draw_network(compile_network("gated"), p, 20, np.random.default_rng(0), np.float64)
    rng = np.random.default_rng(1)
    x, dx = draw_state(network, 3, 1.0, rng), draw_tangents(network, 1, rng)
    exact = Trajectory(network, x, dx, 2.0**-11)
    exact.advance(2**11)
    settled, tangent = exact.x, exact.dx
    growth = exact.advance(2**11)

    def errors(dt):
        run = Trajectory(network, settled, tangent, dt, integrator="exponential")
        grown = run.advance(round(1 / dt))
        states = max(np.abs(a - b).max() for a, b in zip(run.x, exact.x, strict=True))
        return states, np.abs(grown - growth).max()

    for part in (0, 1):
        assert errors(2.0**-3)[part] < 5e-4
        order = observed_order(lambda dt, k=part: errors(dt)[k], [2.0**-2, 2.0**-3, 2.0**-4])
        assert order > 1.8


def test_it_runs_what_the_explicit_rule_refuses():
    right, p = compile_network("gated"), GATED | {"tau_z": 1e-4}
    with pytest.raises(DmftError, match="exponential"):
        choose_step(right, p, 0)
    assert choose_step(right, p, 0, "exponential") > 2.0**-7


def test_names_and_noise_are_checked():
    network = draw_network(
        compile_network("vanilla"), {"g": 1.0, "noise_x": 0.1}, 5, np.random.default_rng(0)
    )
    x = [np.zeros((1, 5), np.float32)]
    with pytest.raises(InputError, match="rk4 or exponential"):
        Trajectory(network, x, [x[0][:0]], 0.1, integrator="euler")
    with pytest.raises(InputError, match="rk4 only"):
        Trajectory(
            network, x, [x[0][:0]], 0.1, integrator="exponential", noise=np.random.default_rng(0)
        )
    with pytest.raises(ValueError, match="needs a generator"):
        Trajectory(network, x, [x[0][:0]], 0.1)
