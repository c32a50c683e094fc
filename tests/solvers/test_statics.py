"""Constant solutions and the edge of their Jacobian against formulas typed in the tests."""

import numpy as np
import pytest
from solved import linear_theory, solved
from statics_by_hand import edge, gain_for, solutions, stability

from dmft.solvers.branches import Survey
from dmft.solvers.constant_states import constant_weights
from dmft.solvers.lyapunov import constant_state_radius, leading_edge


@pytest.mark.parametrize(
    ("g_h", "alpha_r", "beta_r"),
    [(3.0, 5.0, 0.0), (1.9, 10.0, 0.0), (1.7, 5.0, 0.0), (8.0, 40.0, 0.0), (2.5, 6.0, 1.0),
     (1.2, 10.0, -3.0), (1.5, -7.0, -0.5)],
)  # fmt: skip
def test_all_constant_solutions(g_h, alpha_r, beta_r):
    linear = linear_theory("gated", g_h=g_h, alpha_r=alpha_r, beta_r=beta_r)
    found = Survey(linear).fixed_points
    expected = solutions(g_h, alpha_r, beta_r)
    assert [c.variances[0] for c in found] == pytest.approx(expected, rel=1e-9)
    assert [c.upper for c in found] == [i % 2 == 0 for i in range(len(found))]


def test_curve_of_scales():
    """q(A): the couplings' variance that an amplitude needs. Scaling all J's variance by q."""
    curve = Survey(linear_theory("gated", g_h=2, alpha_r=6, tau_r=3)).static_curve
    from scipy.optimize import brentq
    from statics_by_hand import mean, sigma

    for a in (1e-4, 0.02, 0.3):
        phi = mean(lambda x: np.tanh(2 * x) ** 2, a)

        def mismatch(q, phi=phi, a=a):
            return q * phi * mean(lambda x: sigma(6, 0)(x) ** 2, q * phi) - a

        q = brentq(mismatch, 1e-3, 1e3, xtol=1e-15)
        assert curve.scale_at(a) == pytest.approx(q, rel=1e-11)


def test_scs_static_variance():
    """THEORY section 3: <x^2> = 6.3 at g = 3, where x^2 = g^2 <tanh^2>."""
    sol = solved("vanilla", g=3, branch="fixed-point")
    from statics_by_hand import mean

    delta = sol.variance["x"]
    assert delta == pytest.approx(6.3, abs=0.05)
    assert delta == pytest.approx(9 * mean(lambda x: np.tanh(x) ** 2, delta), rel=1e-12)


@pytest.mark.parametrize(("tau_r", "beta_z"), [(1.0, 0.0), (4.0, 0.8), (0.2, -1.0)])
@pytest.mark.parametrize("branch", ["fixed-point", "fixed-point-lower"])
def test_leading_edge_of_fixed_points(branch, tau_r, beta_z):
    sol = solved("gated", g_h=1.9, alpha_r=10, tau_r=tau_r, beta_z=beta_z, branch=branch)
    s = 1 / (1 + np.exp(beta_z))
    expected = edge(1.9, 10, sol.variance["h"], s=s, tau_r=tau_r)
    assert sol.lyapunov == pytest.approx(expected, abs=1e-10)
    assert (sol.lyapunov > 0) == (stability(1.9, 10, sol.variance["h"]) > 1)


@pytest.mark.parametrize(("beta_r", "beta_z", "tau_r"), [(0, 0, 1), (1.5, 0.7, 30), (-1, -2, 0.1)])
def test_edge_of_rest(beta_r, beta_z, tau_r):
    """sigma_z(0)(-1 + g_h s0), or -1/tau_r when the gate is slower still (THEORY 6 and 7)."""
    for share in (0.5, 0.97, 1.4):
        g_h = share * (1 + np.exp(beta_r))
        sol = solved(
            "gated", g_h=g_h, beta_r=beta_r, beta_z=beta_z, tau_r=tau_r, alpha_r=1, branch="zero"
        )
        s = 1 / (1 + np.exp(beta_z))
        expected = max(s * (share - 1), -1 / tau_r, -1.0)
        assert sol.lyapunov == pytest.approx(expected, abs=1e-12)
        assert sol.variance == {"h": 0.0, "z": 0.0, "r": 0.0}
        assert sol.at([0, 3])["sigma_r"] == pytest.approx(1 / (1 + np.exp(beta_r)) ** 2)


def test_edge_of_a_fixed_point_in_a_large_network():
    """An independent route to the edge: eigenvalues of one Jacobian at random Gaussian state.

    At mean-field statistics (h, r normal with the static variances, independent of J) the cloud of
    a network of N = 600 ends at the edge, up to its own fluctuation of some N^(-1/2).
    """
    g_h, alpha_r, n = 1.9, 10.0, 600
    sol = solved("gated", g_h=g_h, alpha_r=alpha_r, branch="fixed-point")
    rng = np.random.default_rng(3)
    h = np.sqrt(sol.variance["h"]) * rng.standard_normal(n)
    r = np.sqrt(sol.variance["r"]) * rng.standard_normal(n)
    j_h, j_r = rng.standard_normal((2, n, n)) / np.sqrt(n)
    phi, gate = np.tanh(g_h * h), 1 / (1 + np.exp(-alpha_r * r))
    slope, gate_slope = g_h * (1 - phi**2), alpha_r * gate * (1 - gate)
    jacobian = np.block(
        [
            [0.5 * (-np.eye(n) + j_h * (slope * gate)), 0.5 * j_h * (phi * gate_slope)],
            [j_r * slope, -np.eye(n)],
        ]
    )
    largest = np.linalg.eigvals(jacobian).real.max()
    assert largest == pytest.approx(sol.lyapunov, abs=0.03)


def test_radius_at_zero_growth_is_the_stability_sum():
    survey = Survey(linear_theory("gated", g_h=1.9, alpha_r=10, tau_r=0.5))
    crossing = survey.fixed_points[0]
    weights = constant_weights(survey.linear, crossing.variances, crossing.means)
    radius = constant_state_radius(survey.linear, weights, 0.0)
    # spectral radius of [[a, b], [c, 0]] against a + b c = 1: both cross one together
    v = stability(1.9, 10, crossing.variances[0])
    assert (radius > 1) == (v > 1)
    a, b, c = weights[0, 0], weights[0, 1], weights[2, 0]
    assert a + b * c == pytest.approx(v, rel=1e-11)
    assert radius == pytest.approx(a / 2 + np.sqrt(a**2 / 4 + b * c), rel=1e-11)
    assert leading_edge(survey.linear, weights) == pytest.approx(
        edge(1.9, 10, crossing.variances[0], tau_r=0.5), abs=1e-11
    )


def test_gain_for_is_consistent_with_the_fold_of_the_notes():
    """The hand formula itself against THEORY section 11: 1.753983207 at alpha_r = 10."""
    from statics_by_hand import lowest_gain

    gain, u = lowest_gain(10.0)
    assert gain == pytest.approx(1.753983207, abs=1e-9)
    assert gain == pytest.approx(gain_for(u, 10.0))
