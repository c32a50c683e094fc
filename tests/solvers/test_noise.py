"""States that white noise drives: exact limits, energy integral, another discretisation, transitions."""

import numpy as np
import pytest
from collocation import Collocation, averages, gated, tanh_family
from scipy.optimize import brentq
from solved import solved
from statics_by_hand import mean

import dmft
from dmft.verify_solution import violation


def test_weak_couplings_leave_the_ornstein_uhlenbeck_process():
    """<eta eta'> = D delta and leak 1: C = (D/2) exp(-|tau|), exponent -1 (the leak)."""
    sol = solved("vanilla", g=1e-4, noise_x=0.8)
    assert (sol.branch, sol.status, sol.interpolation) == ("driven", "converged", "spline")
    lags = np.array([0.0, 0.013, 0.4, 3.3, -3.3])
    assert sol.at(lags)["x"] == pytest.approx(0.4 * np.exp(-abs(lags)), rel=1e-7)
    assert sol.correlation_time["x"] == pytest.approx(1, rel=1e-7)
    assert sol.lyapunov == pytest.approx(-1, abs=2e-4)


def test_slope_at_lag_zero():
    """C'(0+) = -D/2 for every field that noise reaches: THEORY section 4."""
    sol = solved("gated", g_h=3, alpha_r=5, noise_h=0.1, noise_r=0.3, tau_r=0.7)
    step = 1e-4
    for field, slope in (("h", 0.05), ("r", 0.15 / 0.7**2)):
        c = sol.at([0, step, 2 * step])[field]
        assert (-3 * c[0] + 4 * c[1] - c[2]) / (2 * step) == pytest.approx(-slope, rel=1e-5)


@pytest.mark.parametrize(("g", "noise"), [(2.0, 0.5), (0.7, 0.2), (3.0, 4.0)])
def test_energy_with_noise(g, noise):
    """int_0^Delta (c - g^2 F) dc = (D/2)^2 / 2."""
    delta = solved("vanilla", g=g, noise_x=noise).variance["x"]
    points, weights = np.polynomial.legendre.leggauss(40)

    def energy(d):
        c = d * np.sin(np.pi / 4 * (points + 1))  # crowds nodes at d
        f = averages(tanh_family(1.0), np.append(d, c))[0, 1:]
        jacobian = d * np.pi / 4 * np.cos(np.pi / 4 * (points + 1))
        return weights @ ((c - g**2 * f) * jacobian) - (noise / 2) ** 2 / 2

    expected = brentq(energy, 0.9 * delta, 1.1 * delta, xtol=1e-14)
    assert delta == pytest.approx(expected, rel=2e-10)


class NoisyCollocation(Collocation):
    """`Collocation` with C'(0+) = -D/2 of every field: the cusp of white noise."""

    noise = (0.0, 0.0)

    def solve(self, start, steps=12):
        c, n = np.array(start, dtype=float), self.nodes
        left, size = self._left(), len(start)
        for _ in range(steps):
            total, by_c, by_d = self._sources(c)
            jacobian = np.zeros((size, n, size, n))
            residual = np.empty((size, n))
            for k in range(size):
                right = total[k].copy()
                right[0], right[-1] = -self.noise[k] / 2, 0
                residual[k] = left[k] @ c[k] - right
                jacobian[k, :, k, :] += left[k]
                for j in range(size):
                    if (k, j) in by_c:
                        jacobian[k, range(1, n - 1), j, range(1, n - 1)] -= by_c[k, j][1:-1]
                        jacobian[k, 1:-1, j, 0] -= by_d[k, j][1:-1]
            step = np.linalg.solve(jacobian.reshape(size * n, -1), -residual.ravel())
            c += step.reshape(size, n)
            if np.max(abs(step)) < 3e-11 * c[0, 0]:
                return c
        raise AssertionError("the oracle did not converge")


@pytest.mark.parametrize("noise", [(0.1, 0.0), (0.03, 0.4)])
def test_collocation(noise):
    """Two fields, another discretisation, and the exponent from it."""
    sol = solved("gated", g_h=3, alpha_r=5, noise_h=noise[0], noise_r=noise[1])
    oracle = NoisyCollocation(gated(3, 5), 80.0, 80, middle=4.0)
    oracle.noise = noise
    at = sol.at(oracle.lags)
    expected = np.stack([at["h"], at["r"]])
    found = oracle.solve(expected * (1 + 0.01 * np.exp(-oracle.lags / 5)))
    np.testing.assert_allclose(found, expected, atol=2e-8 * expected[0, 0])
    low, high = sol.lyapunov - 0.02, sol.lyapunov + 0.02
    assert oracle.exponent(found, low, high) == pytest.approx(sol.lyapunov, abs=2e-7)


def test_transition_of_the_classical_network():
    """Schuecker, Goedeke & Helias 2018: lambda_max = 0 exactly where C(0) = g^2 <phi^2>."""

    def excess(noise):
        delta = dmft.solve("vanilla", g=1.7, noise_x=noise, lyapunov=False).variance["x"]
        return delta - 1.7**2 * mean(lambda x: np.tanh(x) ** 2, delta)

    critical = brentq(excess, 0.01, 1.0, xtol=1e-7)
    at_it = solved("vanilla", g=1.7, noise_x=critical)
    assert at_it.lyapunov == pytest.approx(0, abs=1e-6)
    chaotic, quiet = (solved("vanilla", g=1.7, noise_x=f * critical) for f in (0.8, 1.25))
    assert chaotic.lyapunov > 1e-3 > -1e-3 > quiet.lyapunov
    assert "and chaotic" in chaotic.message
    assert "not chaotic" in quiet.message


def test_noise_that_vanishes_leaves_chaos():
    """Continuously: C(0) and lambda of the autonomous network."""
    without = solved("vanilla", g=2)
    with_little = solved("vanilla", g=2, noise_x=1e-6)
    assert with_little.variance["x"] == pytest.approx(without.variance["x"], rel=1e-5)
    assert with_little.lyapunov == pytest.approx(without.lyapunov, abs=1e-5)


def test_noise_blurs_a_fold_into_three_states():
    """(1.9, 10): rest, and the two decaying states, each a little changed by weak noise."""
    noise = 1e-6
    states = [
        solved("gated", g_h=1.9, alpha_r=10, noise_h=noise, branch=branch)
        for branch in ("driven", "driven-2", "driven-3")
    ]
    expected = [
        solved("gated", g_h=1.9, alpha_r=10, branch=branch)
        for branch in ("chaotic", "chaotic-lower")
    ]
    for state, without in zip(states, expected, strict=False):
        assert state.variance["h"] == pytest.approx(without.variance["h"], rel=3e-3)
        assert state.lyapunov == pytest.approx(without.lyapunov, abs=3e-4)
    assert states[2].variance["h"] < 1e-4
    assert states[2].lyapunov == pytest.approx(-0.025, abs=1e-3)  # that of rest: (1.9/2 - 1)/2
    auto = solved("gated", g_h=1.9, alpha_r=10, noise_h=noise)
    assert (auto.branch, auto.other_branches) == ("driven", ("driven-2", "driven-3"))


def test_noise_that_the_outputs_do_not_hear():
    """Noise of r alone leaves h = 0 a state: r is an Ornstein-Uhlenbeck process, C_r(0) = D/(2 tau_r)."""
    sol = solved("gated", g_h=3, alpha_r=5, noise_r=0.1, branch="driven-lower")
    assert sol.status == "converged"
    assert sol.variance == {"h": 0, "z": 0, "r": pytest.approx(0.05, rel=1e-12)}
    # without noise this is rest, whose exponent (3/2 - 1)/2 a gate that moves can but raise a little
    assert 0.25 < sol.lyapunov < 0.27
    active = solved("gated", g_h=3, alpha_r=5, noise_r=0.1)
    assert active.variance["h"] == pytest.approx(0.1372, abs=1e-4)
    assert active.other_branches == ("driven-lower",)


def test_noise_beside_bias_and_input():
    """C(infinity) from its own equation, and the slope at lag 0."""
    sol = solved("gated", g_h=3, alpha_r=3, beta_h=0.4, input_h=0.02, noise_h=0.2)
    assert sol.status == "converged"
    biased = (lambda x: np.tanh(3 * x + 0.4), lambda x: 3 / np.cosh(3 * x + 0.4) ** 2,
              lambda x: 0 * x, 3.0)  # fmt: skip
    from collocation import logistic_family

    phi = averages(biased, np.array([sol.variance["h"], sol.limit["h"]]))[0, 1]
    gate = averages(logistic_family(3.0), np.array([sol.variance["r"], sol.limit["r"]]))[0, 1]
    assert sol.limit["r"] == pytest.approx(phi, rel=1e-9)
    assert sol.limit["h"] == pytest.approx(phi * gate + 4 * 0.02, rel=1e-9)
    c = sol.at([0, 1e-4, 2e-4])["h"]
    assert (-3 * c[0] + 4 * c[1] - c[2]) / 2e-4 == pytest.approx(-0.1, rel=1e-5)


@pytest.mark.parametrize("branch", ["zero", "fixed-point", "chaotic", "driven-4"])
def test_other_branches_do_not_exist_with_noise(branch):
    sol = dmft.solve("vanilla", g=2, noise_x=0.1, branch=branch)
    assert sol.status == "no-solution"
    assert sol.variance == {"x": None}
    assert sol.message


def test_driven_needs_noise():
    sol = dmft.solve("vanilla", g=2, branch="driven")
    assert (sol.status, sol.message) == ("no-solution", "no white noise drives the units")


def test_a_fast_field_in_a_long_window_keeps_its_cusp(tmp_path):
    """Uniform lags would miss it: 16385 of them are 0.18 apart, three times tau_r."""
    found = dmft.solve("gated", g_h=3, alpha_r=5, noise_r=0.01, tau_r=0.05, beta_z=4)
    assert found.status == "converged" and found.lag[-1] > 2000
    assert found.error_estimate["autocorrelation"] < 1e-7
    assert np.all(np.diff(found.lag) > 0) and found.lag[1] < 0.05 * 0.1
    assert violation(found).worst < 1e-8
    # close to lag 0 the slope is that of the noise, -noise / (2 tau_r^2) (THEORY section 4)
    step = 1e-4
    slope = (found.at(step)["r"] - found.variance["r"]) / step
    assert slope == pytest.approx(-0.01 / (2 * 0.05**2), rel=0.01)
    found.save(tmp_path / "a.nc")
    again = dmft.load(tmp_path / "a.nc")
    assert np.array_equal(again.at([0.01, 3.3])["r"], found.at([0.01, 3.3])["r"])
