"""Panels of one-sided lags: polynomials, filters of any linear dynamics, and the noiseless theory on them."""

import numpy as np
import pytest
from solved import linear_theory, solved

from dmft.solvers.lag_grid import LagGrid, evaluate_series
from dmft.solvers.newton import newton
from dmft.solvers.panel_filters import PanelFilters
from dmft.solvers.panel_grid import ORDER, PanelGrid, differentiation
from dmft.solvers.panel_problem import PanelProblem


@pytest.fixture(scope="module")
def grid():
    return PanelGrid.graded(0.3, 4.0, 100.0)


def test_grid(grid):
    assert grid.lags[0] == 0
    assert grid.lags[-1] == grid.length == pytest.approx(100.0)
    assert np.all(np.diff(grid.lags) > 0)
    assert grid.lags.size == grid.panels * ORDER + 1
    assert np.max(grid.widths) <= 1.5 * 4.0


def test_derivative_and_interpolation(grid):
    x = grid.lags[: ORDER + 1] / grid.widths[0] * 2 - 1
    np.testing.assert_allclose(differentiation() @ np.sin(x), np.cos(x), atol=1e-12)
    lags = np.linspace(0, 100, 777)
    values = np.stack([np.exp(-grid.lags / 3) * np.cos(grid.lags), 1 / (1 + grid.lags)])
    exact = np.stack([np.exp(-lags / 3) * np.cos(lags), 1 / (1 + lags)])
    np.testing.assert_allclose(grid.interpolate(values, lags), exact, atol=1e-11)
    np.testing.assert_allclose(grid.interpolate(values, grid.lags), values, atol=1e-15)
    expected = [0.3, np.log(101)]  # int e^{-t/3} cos t = (1/3)/(1/9 + 1)
    assert grid.integral(values) == pytest.approx(expected, abs=1e-11)


def test_roughness_finds_the_panel_that_does_not_resolve(grid):
    sharp = np.exp(-(((grid.lags - 50) / 0.2) ** 2)) + np.exp(-grid.lags)
    rough = grid.roughness(sharp[None])
    bad = int(np.argmax(rough))
    assert grid.edges[bad] <= 50 <= grid.edges[bad + 1] + 1e-9
    finer = grid.refined(rough > 1e-8)
    assert finer.panels > grid.panels
    assert finer.length == grid.length


def test_extension_and_tail(grid):
    part = np.exp(-grid.lags / 4)[None]
    longer = grid.extended(150.0, 20.0)
    assert longer.length == pytest.approx(150.0)
    np.testing.assert_allclose(
        grid.resample(part, longer)[0], np.exp(-longer.lags / 4), rtol=0.2, atol=1e-12
    )
    size, rate = grid.tail(part)
    assert size[0] == pytest.approx(np.exp(-25))
    assert rate[0] == pytest.approx(0.25, rel=0.05)


MODELS = [
    ("gated", {"g_h": 3, "alpha_r": 5, "tau_r": 0.3}),
    ("gated", {"g_h": 3, "alpha_r": 5, "tau_r": 2}),  # equal rates 1/2
    ("adaptation", {"g": 2, "gamma": 0.2, "beta": 3}),  # resonant
]


@pytest.mark.parametrize(("model", "parameters"), MODELS)
def test_filters_against_cosine_series(model, parameters):
    """The same filters in frequency: independent of the ordinary differential equations."""
    linear = linear_theory(model, **parameters)
    every = tuple(range(len(linear.drift)))
    panels = PanelGrid.graded(0.2, 2.0, 200.0)
    filters = PanelFilters(linear, panels, every)

    def source(lags):
        return np.exp(-((lags / 3) ** 2) / 2) * np.cos(0.8 * lags) + 0.2

    cosine = LagGrid(400.0, 6000)
    a = cosine.coefficients(source(cosine.lags))
    gain = linear.gain(cosine.frequencies)
    currents = np.tile(source(panels.lags), (gain.shape[1], 1))
    expected = evaluate_series(np.einsum("kan,n->kn", gain, a), 400.0, panels.lags)
    np.testing.assert_allclose(filters.filtered(currents), expected, atol=1e-11)


def test_growing_perturbations_have_shifted_poles():
    """A - lambda in place of A: |G(lambda + i omega)|^2."""
    linear = linear_theory("adaptation", g=2, gamma=0.2, beta=3)
    panels, growth = PanelGrid.graded(0.2, 2.0, 100.0), 0.15
    cosine = LagGrid(300.0, 6000)
    source = np.exp(-((cosine.lags / 3) ** 2) / 2)
    gain = linear.gain(cosine.frequencies, growth)[0, 0]
    expected = evaluate_series(cosine.coefficients(source) * gain, 300.0, panels.lags)
    filters = PanelFilters(linear, panels, (0,), growth)
    found = filters.filtered(np.exp(-((panels.lags / 3) ** 2) / 2)[None])
    np.testing.assert_allclose(found[0], expected, atol=1e-11)


def test_white_noise_through_a_resonance():
    """Two linear fields: P(0) from the Lyapunov equation typed by hand, P(tau) = e^{A tau} P(0)."""
    from dmft.codegen.cache import compile_model_theory
    from dmft.derivations.inputs import Input
    from dmft.derivations.models import get
    from dmft.parameters import check_parameters
    from dmft.solvers.linear_theory import LinearTheory

    model = get("adaptation")
    from dataclasses import replace

    import sympy as sp

    noise = Input("eta", "noise", "white", sp.Rational(3, 10))
    noisy = replace(
        model,
        name="noisy-adaptation",
        inputs=(noise,),
        dynamics=model.dynamics | {"x": model.dynamics["x"] + noise.symbol},
    )
    theory = compile_model_theory(noisy)
    p = check_parameters(theory.info, {"g": 2, "gamma": 0.2, "beta": 3})
    linear = LinearTheory(theory, p)
    panels = PanelGrid.graded(0.2, 2.0, 60.0)
    found = PanelFilters(linear, panels, (0, 1)).noise
    # x' = -x - a + eta, a' = 0.2 (3 x - a):  C_a(0) = C_xa/0.2 * 0.2 * ..., solved as 3 linear equations
    m = np.array([[-2.0, -2.0, 0.0], [0.6, -1.2, -1.0], [0.0, 1.2, -0.4]])
    xx, xa, aa = np.linalg.solve(m, [-0.3, 0, 0])
    assert found[:, 0] == pytest.approx([xx, aa], rel=1e-12)
    root = np.sqrt(complex(0.36 - 0.8))  # poles of s^2 + 1.2 s + 0.8: (-1.2 +- sqrt(1.44 - 3.2))/2
    fast, slow = -0.6 + root, -0.6 - root
    start = -xx - xa
    at = [(start - slow * xx) / (fast - slow), (start - fast * xx) / (slow - fast)]
    expected = at[0] * np.exp(fast * panels.lags) + at[1] * np.exp(slow * panels.lags)
    np.testing.assert_allclose(found[0], expected.real, atol=1e-12)


def test_noiseless_chaos_on_panels():
    """A second discretisation of the same equations: THEORY section 11 and the cosine series."""
    linear = linear_theory("gated", g_h=3, alpha_r=5)
    sol = solved("gated", g_h=3, alpha_r=5)
    panels = PanelGrid.graded(1.0, 8.0, 130.0)
    at = sol.at(panels.lags)
    start = np.stack([at["h"], at["r"]])
    bent = start * (1 + 0.01 * np.exp(-panels.lags / 5))
    found = newton(PanelProblem(linear, panels, 4e-15), bent, tol=1e-10, method="dense")
    assert found.converged
    np.testing.assert_allclose(found.covariance, start, atol=1e-11)
    assert found.covariance[0, 0] == pytest.approx(0.142274619, abs=1e-9)


def test_exponent_on_panels():
    """The Lyapunov operator on panels, noiseless: THEORY section 11."""
    from dmft.solvers.lyapunov import fluctuating_state_exponent

    linear = linear_theory("gated", g_h=3, alpha_r=5)
    panels = PanelGrid.graded(1.0, 8.0, 130.0)
    at = solved("gated", g_h=3, alpha_r=5).at(panels.lags)
    c = np.stack([at["h"], at["r"]])
    weights = PanelProblem(linear, panels, 4e-15).currents(c).by_covariance
    exponent = fluctuating_state_exponent(
        linear, lambda g: PanelFilters(linear, panels, linear.active, g).filtered, weights
    )
    assert exponent == pytest.approx(0.13216866, abs=2e-8)
