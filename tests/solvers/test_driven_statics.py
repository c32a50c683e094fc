"""Constant solutions with biases, inputs and mean couplings, against formulas typed here."""

import numpy as np
import pytest
from scipy.optimize import brentq, fsolve
from solved import linear_theory
from statics_by_hand import mean, sigma

from dmft.solvers.branches import Survey
from dmft.solvers.constant_states import constant_weights, is_stable
from dmft.solvers.lyapunov import leading_edge
from dmft.solvers.outliers import order_parameter_growth
from dmft.solvers.statics import StaticCurve


def gated_solutions(g_h, alpha_r, beta_h, beta_r, input_h, input_r, *, s=0.5):
    """All Delta_h of THEORY section 3, smallest first; an input of h outside the bracket counts 1/s^2."""

    def excess(delta):
        phi = mean(lambda x: np.tanh(g_h * x + beta_h) ** 2, delta)
        gate = mean(lambda x: sigma(alpha_r, beta_r)(x) ** 2, phi + input_r)
        return phi * gate + input_h / s**2 - delta

    grid = np.geomspace(1e-9, 3 * (1 + input_h / s**2), 600)
    values = [excess(d) for d in grid]
    return [
        brentq(excess, grid[i], grid[i + 1], xtol=1e-16, rtol=1e-15)
        for i in range(len(grid) - 1)
        if values[i] * values[i + 1] < 0
    ]


CASES = [
    (3.0, 3.0, 0.1, 0.0, 0.0, 0.0),
    (3.0, 3.0, -2.0, 0.5, 0.0, 0.0),
    (1.7, 10.0, 0.0, 0.0, 1e-3, 0.0),
    (1.7, 10.0, 0.0, 0.0, 0.05, 0.02),
    (1.9, 10.0, 0.003, 0.0, 0.0, 0.0),  # three: one near rest, the fold's two
    (1.9, 10.0, 0.0, 0.0, 1e-5, 0.0),
    (0.5, 2.0, 0.0, 0.0, 4.0, 9.0),
    (6.0, 40.0, 1e-5, 2.0, 0.0, 0.3),
]


@pytest.mark.parametrize("case", CASES, ids=str)
def test_all_constant_solutions(case):
    g_h, alpha_r, beta_h, beta_r, input_h, input_r = case
    linear = linear_theory(
        "gated",
        g_h=g_h,
        alpha_r=alpha_r,
        beta_h=beta_h,
        beta_r=beta_r,
        input_h=input_h,
        input_r=input_r,
    )
    expected = gated_solutions(*case)
    assert len(expected) % 2 == 1
    for curve in (
        Survey(linear).static_curve,
        StaticCurve.of(linear.theory, linear.parameters),
    ):
        found = [c.variances[0] for c in curve.crossings()]
        assert found == pytest.approx(expected[::-1], rel=1e-9)


def test_names_of_three():
    from dmft.solvers.stationary import solve_stationary

    linear = linear_theory("gated", g_h=1.9, alpha_r=10, beta_h=0.003)
    names = Survey(linear).constant_names
    assert names == ("fixed-point", "fixed-point-2", "fixed-point-3")
    found = [solve_stationary(linear.theory, linear.parameters, branch=b)[0] for b in names]
    expected = gated_solutions(1.9, 10.0, 0.003, 0.0, 0.0, 0.0)[::-1]
    assert [s.covariance[0, 0] for s in found] == pytest.approx(expected, rel=1e-9)
    # the smallest continues rest, which is stable below g_h = 2
    assert [s.lyapunov < 0 for s in found] == [False, False, True]
    assert ["unstable" in s.message for s in found] == [True, True, False]


def mean_coupling_by_hand(g, m, input_x, start):
    """(mu, d) with mu = m <tanh>, d = g^2 <tanh^2> + input."""

    def mismatch(v):
        mu, d = v[0], abs(v[1])
        return [
            m * mean(lambda x: np.tanh(mu + x), d) - mu,
            g**2 * mean(lambda x: np.tanh(mu + x) ** 2, d) + input_x - d,
        ]

    solution, _, flag, _ = fsolve(mismatch, start, xtol=1e-14, full_output=True)
    assert flag == 1
    return solution


@pytest.mark.parametrize(
    ("g", "m", "input_x", "start"),
    [(0.5, 1.4, 0.1, (0.9, 0.2)), (0.9, 1.6, 0.0, (1.0, 0.3)), (1.2, 2.5, 0.3, (2.0, 1.0))],
)
def test_polarised_state(g, m, input_x, start):
    linear = linear_theory("mean-coupling", g=g, m=m, input_x=input_x)
    found = Survey(linear).fixed_points[0]
    mu, d = mean_coupling_by_hand(g, m, input_x, start)
    assert (found.means[0], found.variances[0]) == pytest.approx((mu, d), rel=1e-8)
    assert found.means[0] > 0


def test_curie_weiss_limit():
    """g -> 0: x = m tanh x."""
    found = Survey(linear_theory("mean-coupling", g=1e-4, m=1.4)).fixed_points
    mu = brentq(lambda x: 1.4 * np.tanh(x) - x, 0.5, 2)
    assert [c.means[0] for c in found] == pytest.approx([mu], rel=1e-7)


def test_without_polarisation_the_mean_changes_nothing():
    for m in (-3.0, 0.9):
        found = Survey(linear_theory("mean-coupling", g=1.5, m=m)).fixed_points
        expected = Survey(linear_theory("vanilla", g=1.5)).fixed_points
        assert [(c.variances[0], c.means[0]) for c in found] == [
            (pytest.approx(expected[0].variances[0], rel=1e-12), 0.0)
        ]


def test_rest_with_mean_couplings():
    """Eigenvalues: the bulk g - 1 and the outlier m - 1."""
    from dmft.solvers.stationary import solve_stationary

    for g, m, growth in ((0.5, 0.8, -0.2), (0.5, 1.3, 0.3), (0.9, 0.2, -0.1), (0.5, -4.0, -0.5)):
        linear = linear_theory("mean-coupling", g=g, m=m)
        sol, _ = solve_stationary(linear.theory, linear.parameters, branch="zero")
        assert sol.lyapunov == pytest.approx(growth, abs=1e-12)
        assert (sol.message == "rest is unstable") == (growth > 0)


def test_outlier_at_zero_is_a_fold_of_constant_solutions():
    """At s = 0 the order parameters' own linearisation is singular exactly where q(A) turns."""
    from dmft.solvers.boundaries import BOUNDARIES, Request

    at = linear_theory("gated", g_h=1.8, alpha_r=10)
    base = {key: value for key, value in at.parameters.items() if key != "g_h"}
    located = BOUNDARIES["fixed-points"].locate(Request(at.theory, base, "g_h", 1e-12))
    fold = located.rows[0][1].value
    pair = []
    for g_h in (fold * (1 + 1e-7), fold * (1 + 4e-7)):
        linear = linear_theory("gated", g_h=g_h, alpha_r=10)
        pair.append(
            [
                order_parameter_growth(linear, c.variances, c.means)
                for c in Survey(linear).fixed_points
            ]
        )
    for upper, lower in pair:
        assert upper < 0 < lower
    # it leaves zero like a square root
    assert pair[1][0] / pair[0][0] == pytest.approx(2, rel=0.02)
    assert abs(pair[0][0]) < 1e-3


def test_outlier_against_a_network():
    """Mean couplings with an input: one eigenvalue beside the bulk of one network's Jacobian.

    Finite size shifts the outlier by O(1/sqrt(N)): 0.05 allowed at N = 700, the bulk is 0.27 away.
    """
    g, m, n = 0.4, 1.2, 700
    linear = linear_theory("mean-coupling", g=g, m=m)
    state = Survey(linear).fixed_points[0]
    rng = np.random.default_rng(5)
    j = rng.normal(0, g / np.sqrt(n), (n, n)) + m / n
    x = np.full(n, state.means[0])
    for _ in range(400):
        x = 0.5 * x + 0.5 * (j @ np.tanh(x))
    assert np.max(abs(j @ np.tanh(x) - x)) < 1e-9
    eigenvalues = np.linalg.eigvals(j / np.cosh(x) ** 2 - np.eye(n))
    growth = order_parameter_growth(linear, state.variances, state.means)
    edge = leading_edge(linear, constant_weights(linear, state.variances, state.means))
    assert edge < -0.7 < growth - 0.2
    largest = np.sort(eigenvalues.real)[::-1]
    assert largest[0] == pytest.approx(growth, abs=0.05)
    assert largest[1] == pytest.approx(edge, abs=0.05)


def test_reentrant_stability_of_the_driven_state():
    """THEORY section 8: at (1.7, 10) V = 1 at a small input variance and again at 496 times that."""

    def excess(log_input):
        linear = linear_theory("gated", g_h=1.7, alpha_r=10, input_h=float(np.exp(log_input)))
        (state,) = Survey(linear).fixed_points
        assert is_stable(linear, state.variances, state.means) == (
            leading_edge(linear, constant_weights(linear, state.variances, state.means)) < 0
        )
        return leading_edge(linear, constant_weights(linear, state.variances, state.means))

    logs = np.linspace(np.log(1e-5), np.log(10), 30)
    values = np.array([excess(v) for v in logs])
    (up, down) = np.flatnonzero(np.diff(np.sign(values)))
    first, second = (brentq(excess, logs[i], logs[i + 1], xtol=1e-10) for i in (up, down))
    assert np.exp(second - first) == pytest.approx(496, abs=0.5)
