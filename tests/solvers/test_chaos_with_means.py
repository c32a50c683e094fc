"""Fluctuating states whose correlations do not decay to zero: biases, quenched inputs, mean couplings.

Judges: reference values, the energy integral (one field), Chebyshev collocation (two fields), and a
plain iteration in time with nothing of the package in it.
"""

from itertools import pairwise

import numpy as np
import pytest
from collocation import Collocation, averages, gated, logistic_family, tanh_family
from scipy.optimize import brentq, fsolve
from solved import linear_theory, solved
from statics_by_hand import mean

from dmft.solvers.onset import onsets


def test_gated_reference():
    """THEORY section 11: C_h(0) = 0.125907, C_h(inf) = 0.003738, lambda = 0.09488."""
    sol = solved("gated", g_h=3, alpha_r=3, beta_h=0.1)
    assert (sol.branch, sol.status) == ("chaotic", "converged")
    assert sol.variance["h"] == pytest.approx(0.125907, abs=6e-7)
    assert sol.limit["h"] == pytest.approx(0.003738, abs=1.5e-6)
    assert sol.lyapunov == pytest.approx(0.09488, abs=6e-6)
    assert sol.mean == {"h": 0, "z": 0, "r": 0}
    assert "zero" not in sol.other_branches


def test_biased_tanh_reference():
    """THEORY section 11, SCS g = 3 with tanh(x + 0.3): gated without output gate, x = g_h h, g_h = 6.

    C_x(0)/9 = 4 C_h(0) = 0.616955, C_x(inf)/9 = 0.0839, and lambda = 0.2303 in units of 1/s.
    """
    sol = solved("gated", g_h=6, beta_h=0.3)
    assert 4 * sol.variance["h"] == pytest.approx(0.616955, abs=6e-7)
    assert 4 * sol.limit["h"] == pytest.approx(0.0839, abs=5e-5)
    assert 2 * sol.lyapunov == pytest.approx(0.2303, abs=5e-5)


def energy_solution(g2, family, variance_in, guess):
    """(C(0), C(inf)) of C'' = C - g^2 F(C(0), C) - I, which conserves an energy.

    C(inf) is a rest point, and the energy there is that at lag 0:
    int_{C(inf)}^{C(0)} [c - g^2 F(C(0), c) - I] dc = 0.
    """
    points, weights = np.polynomial.legendre.leggauss(24)

    def mismatch(v):
        d, c_inf = v
        c = c_inf + (d - c_inf) * (points + 1) / 2
        force = np.append(c, c_inf) - variance_in
        force -= g2 * averages(family, np.concatenate([[d], c, [c_inf]]))[0, 1:]
        return [weights @ force[:-1], force[-1]]

    found, _, flag, text = fsolve(mismatch, guess, xtol=1e-13, full_output=True)
    assert flag == 1, text
    return found


def test_energy_with_a_quenched_input():
    sol = solved("vanilla", g=3, input_x=0.5)
    d, c_inf = energy_solution(9.0, tanh_family(1.0), 0.5, (6.3, 2.8))
    assert sol.variance["x"] == pytest.approx(d, rel=1e-10)
    assert sol.limit["x"] == pytest.approx(c_inf, rel=1e-9)


def test_energy_with_a_bias():
    value, slope, curvature, gain = tanh_family(1.0)
    family = (lambda x: value(x + 0.3), slope, curvature, gain)
    sol = solved("gated", g_h=6, beta_h=0.3)
    d, c_inf = energy_solution(9.0, family, 0.0, (5.5, 0.76))
    assert 36 * sol.variance["h"] == pytest.approx(d, rel=1e-10)
    assert 36 * sol.limit["h"] == pytest.approx(c_inf, rel=1e-9)


class DrivenCollocation(Collocation):
    """`Collocation` for C - C(inf): inputs add to the equations, and C' = 0 at both ends."""

    inputs = (0.0, 0.0)

    def _left(self, growth=0.0):
        matrices = super()._left(growth)
        if growth == 0:
            for m in matrices:
                m[-1] = self.first[-1]
        return matrices

    def _sources(self, c):
        total, by_c, by_d = super()._sources(c)
        return [t + i for t, i in zip(total, self.inputs, strict=True)], by_c, by_d


@pytest.mark.parametrize("case", ["bias", "input"])
def test_collocation(case):
    """Another discretisation, two fields: a bias of h, or inputs of h (outside the bracket) and r."""
    from dataclasses import replace

    if case == "bias":
        sol = solved("gated", g_h=3, alpha_r=3, beta_h=0.1, tau_r=2.0)
        value, slope, curvature, gain = tanh_family(3.0)
        biased = (lambda x: value(x + 0.1 / 3), lambda x: slope(x + 0.1 / 3),
                  lambda x: curvature(x + 0.1 / 3), gain)  # fmt: skip
        equations = replace(gated(3, 3, tau_r=2.0), families=(biased, logistic_family(3.0)))
        inputs = (0.0, 0.0)
    else:
        sol = solved("gated", g_h=1.7, alpha_r=10, input_h=0.004, input_r=0.02)
        equations, inputs = gated(1.7, 10), (0.004 * 4, 0.02)
    assert (sol.branch, sol.status) == ("chaotic", "converged")
    oracle = DrivenCollocation(equations, 140.0, 90, middle=8.0)
    oracle.inputs = inputs
    at = sol.at(oracle.lags)
    expected = np.stack([at["h"], at["r"]])
    found = oracle.solve(expected * (1 + 0.01 * np.exp(-oracle.lags / 5)))
    np.testing.assert_allclose(found, expected, atol=2e-9 * expected[0, 0])
    assert oracle.exponent(found, sol.lyapunov - 0.03, sol.lyapunov + 0.03) == pytest.approx(
        sol.lyapunov, abs=2e-8
    )


def test_limit_solves_its_own_equation():
    sol = solved("gated", g_h=1.7, alpha_r=10, input_h=0.004, input_r=0.02)
    d_h, d_r = sol.variance["h"], sol.variance["r"]
    c_h, c_r = sol.limit["h"], sol.limit["r"]
    phi = averages(tanh_family(1.7), np.array([d_h, c_h]))[0, 1]
    gate = averages(logistic_family(10.0), np.array([d_r, c_r]))[0, 1]
    assert c_r == pytest.approx(phi + 0.02, rel=1e-9)
    assert c_h == pytest.approx(phi * gate + 4 * 0.004, rel=1e-9)
    assert sol.autocorrelation["h"][-1] == pytest.approx(c_h, abs=1e-9)


def test_correlation_time_is_of_what_decays():
    sol = solved("vanilla", g=3, input_x=0.5)
    part = (sol.autocorrelation["x"] - sol.limit["x"]) / (sol.variance["x"] - sol.limit["x"])
    assert sol.correlation_time["x"] == pytest.approx(np.trapezoid(part, sol.lag), rel=1e-8)


def critical_input(g):
    """Vanilla with a quenched input: g^2 <phi'^2> = 1 at Delta = g^2 <phi^2> + I (V = 1)."""

    def excess(delta):
        return g**2 * mean(lambda x: 1 / np.cosh(x) ** 4, delta) - 1

    delta = brentq(excess, 0.01, 200, xtol=1e-14)
    return delta - g**2 * mean(lambda x: np.tanh(x) ** 2, delta)


def test_input_quiets_the_classical_network():
    """THEORY section 8: beyond the input at which V = 1 the constant state is stable and alone."""
    at_onset = critical_input(2.0)
    below = solved("vanilla", g=2, input_x=0.97 * at_onset)
    above = solved("vanilla", g=2, input_x=1.03 * at_onset)
    assert (below.branch, below.status) == ("chaotic", "converged")
    assert below.variance["x"] - below.limit["x"] < 0.1 * below.variance["x"]
    assert 0 < below.lyapunov < 0.01
    assert (above.branch, above.status, above.other_branches) == ("fixed-point", "converged", ())
    assert -0.02 < above.lyapunov < 0


def test_exponents_fall_with_the_input():
    """From the value without input, continuously, to zero at V = 1."""
    exponents = [
        solved("vanilla", g=2, input_x=i).lyapunov
        for i in (0.0, 1e-4, 0.1, 0.5 * critical_input(2.0), 0.9 * critical_input(2.0))
    ]
    assert exponents[0] == pytest.approx(0.1124581, abs=1e-6)  # THEORY section 11
    assert exponents[1] == pytest.approx(exponents[0], abs=1e-3)
    assert all(a > b > 0 for a, b in pairwise(exponents))


@pytest.mark.parametrize("factor", [0.5, 2.0, 30.0, 400.0, 600.0])
def test_input_makes_chaos_in_the_gated_network(factor):
    """THEORY section 8: (1.7, 10) is chaotic between V = 1 and 496 times that input variance."""
    first = 1.70387e-4
    sol = solved("gated", g_h=1.7, alpha_r=10, input_h=factor * first)
    assert sol.status == "converged"
    expected = "chaotic" if 1 < factor < 496.17 else "fixed-point"
    assert sol.branch == expected
    assert (sol.lyapunov > 0) == (expected == "chaotic")


def test_onset_is_where_the_constant_state_is_marginal():
    linear = linear_theory("vanilla", g=2, input_x=critical_input(2.0))
    (onset,) = onsets(linear)
    assert onset.rising
    assert onset.scale == pytest.approx(1, rel=1e-9)


def test_a_tiny_bias_leaves_what_is_without_it():
    """Chaos at (3, 5), and rest and the fold's pairs at (1.9, 10), survive a small bias."""
    sol = solved("gated", g_h=3, alpha_r=5, beta_h=1e-7)
    assert sol.variance["h"] == pytest.approx(0.142274619, abs=1e-9)
    assert sol.lyapunov == pytest.approx(0.13216866, abs=1e-7)
    near = solved("gated", g_h=1.9, alpha_r=10, beta_h=1e-6)
    assert (near.branch, near.status) == ("chaotic", "converged")
    assert set(near.other_branches) == {
        "chaotic-lower", "fixed-point", "fixed-point-2", "fixed-point-3",
    }  # fmt: skip
    without = solved("gated", g_h=1.9, alpha_r=10, branch="chaotic-lower")
    lower = solved("gated", g_h=1.9, alpha_r=10, beta_h=1e-6, branch="chaotic-lower")
    assert lower.variance["h"] == pytest.approx(without.variance["h"], rel=1e-6)


def test_sign_of_the_bias_does_not_matter():
    plus, minus = (solved("gated", g_h=3, alpha_r=3, beta_h=b) for b in (0.1, -0.1))
    assert plus.variance["h"] == pytest.approx(minus.variance["h"], rel=1e-11)
    assert plus.lyapunov == pytest.approx(minus.lyapunov, abs=1e-11)


@pytest.mark.parametrize(("g", "m", "input_x"), [(2.5, 3.0, 0.0), (3.0, 4.0, 1.0)])
def test_chaos_with_a_mean_activity(g, m, input_x):
    """Energy integral and Curie-Weiss equation of the classical network with mean couplings."""
    sol = solved("mean-coupling", g=g, m=m, input_x=input_x)
    assert (sol.branch, sol.status) == ("chaotic", "converged")
    mu, second, limit = sol.mean["x"], sol.variance["x"], sol.limit["x"]
    assert mu > 0
    value, slope, curvature, gain = tanh_family(1.0)
    family = (lambda x: value(x + mu), slope, curvature, gain)
    d, c_inf = energy_solution(g**2, family, input_x, (second - mu**2, limit - mu**2))
    assert second - mu**2 == pytest.approx(d, rel=1e-9)
    assert limit - mu**2 == pytest.approx(c_inf, rel=1e-9)
    assert mu == pytest.approx(m * mean(lambda x: np.tanh(mu + x), d), rel=1e-10)
    # the state without a mean activity exists too, but a mean activity grows from it
    other = solved("mean-coupling", g=g, m=m, input_x=input_x, branch="chaotic-lower")
    assert other.mean["x"] == 0
    assert "mean activity" in other.message


@pytest.mark.parametrize("m", [-2.0, 0.9, 1.3])
def test_mean_couplings_without_mean_activity_are_the_classical_network(m):
    sol = solved("mean-coupling", g=2, m=m)
    assert (sol.branch, sol.status) == ("chaotic", "converged")
    assert sol.variance["x"] == pytest.approx(1.9248054137370581867, rel=1e-11)  # THEORY section 11
    assert sol.mean["x"] == 0
    assert sol.message == ""


def test_magnet_instead_of_chaos():
    """Strong mean couplings: a stable state with a mean activity, though the bulk alone is chaotic."""
    sol = solved("mean-coupling", g=1.2, m=1.6)
    assert (sol.branch, sol.status) == ("fixed-point", "converged")
    assert sol.lyapunov < 0
    assert sol.mean["x"] > 0
    assert set(sol.other_branches) == {"zero", "fixed-point-lower", "chaotic"}
    assert "mean activity" in solved("mean-coupling", g=1.2, m=1.6, branch="chaotic").message
