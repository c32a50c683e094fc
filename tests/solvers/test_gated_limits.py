"""Limits in which the gated network has one field: SCS, a fast gate, a slow gate (THEORY 1, 4)."""

import numpy as np
import pytest
from collocation import averages, logistic_family, tanh_family
from energy_integral import fast_gate_variance, scs_variance
from scipy.integrate import simpson
from solved import solved


@pytest.mark.parametrize(
    ("g_h", "beta_r", "beta_z"), [(4.0, 0.0, 0.0), (6.0, 0.0, 1.3), (3.0, -0.7, -2.0)]
)
def test_without_gate_gain_it_is_scs(g_h, beta_r, beta_z):
    """Gain g = g_h s0, C_h(0) = Delta_0(g) / g_h^2, lambda = s lambda_SCS(g), time in 1/s."""
    g, s = float(g_h / (1 + np.exp(beta_r))), 1 / (1 + np.exp(beta_z))
    sol = solved("gated", g_h=g_h, beta_r=beta_r, beta_z=beta_z)
    scs = solved("vanilla", g=g)
    exact = float(scs_variance(repr(float(g)))) / g_h**2
    assert sol.variance["h"] == pytest.approx(exact, rel=1e-11)
    assert sol.lyapunov == pytest.approx(s * scs.lyapunov, abs=1e-11)
    lags = np.array([0.7, 3.0, 10.0])
    np.testing.assert_allclose(
        sol.at(lags / s)["h"], scs.at(lags)["x"] / g_h**2, atol=1e-10 * exact
    )


def test_exponent_of_the_notes_through_the_gated_network():
    """g_h = 4: half of lambda_SCS(2) = 0.1124581."""
    assert solved("gated", g_h=4).lyapunov == pytest.approx(0.1124581 / 2, abs=1e-7)
    assert solved("gated", g_h=4).variance["h"] == pytest.approx(1.9248054137370581867 / 16)


def test_fast_gate_conserves_an_energy():
    """tau_r -> 0: the error of C_h(0) is of order tau_r^2, extrapolated here."""
    g_h, alpha_r = 3.0, 5.0
    found = [
        solved("gated", g_h=g_h, alpha_r=alpha_r, tau_r=tau, lyapunov=False).variance["h"]
        for tau in (0.04, 0.02)
    ]
    limit = (4 * found[1] - found[0]) / 3

    def phi(variance, covariances):
        values = np.append(variance, covariances)
        return averages(tanh_family(g_h), values)[0][1:]

    def gate(variance, covariances):
        return averages(logistic_family(alpha_r), np.append(variance, covariances))[0][1:]

    exact = fast_gate_variance(phi, gate, found[1])
    assert limit == pytest.approx(exact, rel=2e-6)
    # and the approach is of second order: it would be of first order with a wrong limit
    assert (found[0] - exact) / (found[1] - exact) == pytest.approx(4, abs=0.2)


def test_slow_gate_becomes_scs():
    """tau_r -> infinity: C_r(0) ~ 1/tau_r, so sigma_r = s0 and the gain is g_h s0.

    Extrapolated in 1/tau_r from three values; the distance at the largest is a per cent.
    """
    g_h, alpha_r = 6.0, 0.5
    found = [solved("gated", g_h=g_h, alpha_r=alpha_r, tau_r=tau) for tau in (10, 20, 40)]
    exact = float(scs_variance("3")) / g_h**2

    def extrapolated(v):
        return (8 * v[2] - 6 * v[1] + v[0]) / 3

    variances = [sol.variance["h"] for sol in found]
    assert variances[2] > 1.005 * exact
    assert extrapolated(variances) == pytest.approx(exact, rel=2e-3)
    exponents = [sol.lyapunov for sol in found]
    limit = 0.2354610 / 2  # s lambda_SCS(3), THEORY section 11
    assert (exponents[1] - limit) / (exponents[2] - limit) == pytest.approx(2, abs=0.05)
    assert extrapolated(exponents) == pytest.approx(limit, rel=1e-3)
    assert found[2].variance["r"] / found[1].variance["r"] == pytest.approx(0.5, abs=0.1)


@pytest.mark.parametrize("scale", [0.5, 4.0])
def test_time_units(scale):
    """Stretching s and tau_r together only stretches time: s = 1/2 -> s / scale."""
    s = 0.5 / scale if scale > 1 else 0.8
    stretch = 0.5 / s
    slow = solved("gated", g_h=3, alpha_r=5, beta_z=float(np.log(1 / s - 1)), tau_r=stretch)
    base = solved("gated", g_h=3, alpha_r=5)
    assert slow.variance["h"] == pytest.approx(base.variance["h"], rel=1e-10)
    assert slow.lyapunov * stretch == pytest.approx(base.lyapunov, abs=1e-10)
    assert slow.at([5 * stretch])["h"][0] == pytest.approx(base.at([5.0])["h"][0], abs=1e-11)


@pytest.mark.parametrize("tau_z", [0.05, 40.0, 300.0])
def test_a_field_that_only_follows_is_the_filtered_current(tau_z):
    """C_z(0) = int exp(-u/tau_z) C_phi(u) du / tau_z; it may be far slower than what drives it."""
    sol = solved("gated", g_h=3, alpha_r=5, tau_z=tau_z)
    reference = solved("gated", g_h=3, alpha_r=5)
    lags = np.linspace(0, 100, 200_001)
    kernel = np.exp(-lags / tau_z) / tau_z * reference.at(lags)["phi"]
    assert sol.variance["z"] == pytest.approx(simpson(kernel, x=lags), rel=1e-8)
    assert sol.variance["h"] == pytest.approx(reference.variance["h"], rel=1e-10)
    assert sol.lyapunov == pytest.approx(reference.lyapunov, abs=1e-9)
    assert sol.autocorrelation["z"][-1] <= 1e-10 * sol.variance["z"]
