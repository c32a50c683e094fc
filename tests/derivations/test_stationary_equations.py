"""The derived stationary equations and Lyapunov operator against THEORY sections 4 and 6.

The right-hand sides below are typed from the theory notes (KCS 2022, Eqs. 5-8): the package derives
its own from the declarations.
"""

import pytest
import sympy as sp
from two_gates import MODEL as TWO_GATES

from dmft.derivations.disorder import average_over_couplings
from dmft.derivations.functions import logistic
from dmft.derivations.gaussian import GaussianAverage
from dmft.derivations.models import get
from dmft.derivations.stationary import stationary_equations
from dmft.derivations.symbols import (
    covariance_symbol,
    lambda_,
    omega,
    s,
    variance_symbol,
)


def derived(model):
    return stationary_equations(model, average_over_couplings(model))


@pytest.fixture(scope="module")
def gated():
    return derived(get("gated"))


tau_r, tau_z = sp.symbols("tau_r tau_z", positive=True)
rate = logistic(-sp.Symbol("beta_z", real=True))  # s of the theory notes


def average(label, field, m=0):
    """<f^(m) f^(m)> of a factor."""
    variance, covariance = variance_symbol(field), covariance_symbol(field)
    return GaussianAverage(sp.Symbol(label), m, m, variance, covariance)


def equal(a, b):
    return sp.simplify(a - b) == 0


def test_transfer_functions(gated):
    expected = sp.diag(rate / (s + rate), 1 / (1 + s * tau_z), 1 / (1 + s * tau_r))
    assert all(equal(a, b) for a, b in zip(gated.transfer, expected, strict=True))


def test_filters(gated):
    """[1 - s^-2 d^2] C_h and [1 - tau_r^2 d^2] C_r: low-pass filters in frequency."""
    assert equal(gated.filter(0, 0), 1 / (1 + omega**2 / rate**2))
    assert equal(gated.filter(1, 1), 1 / (1 + tau_z**2 * omega**2))
    assert equal(gated.filter(2, 2), 1 / (1 + tau_r**2 * omega**2))
    assert gated.filter(0, 2) == 0


def test_filters_with_growth(gated):
    """[(1 + lambda/s)^2 - s^-2 d^2] chi_h and [(1 + lambda tau_r)^2 - tau_r^2 d^2] chi_r."""
    expected = 1 / ((1 + lambda_ / rate) ** 2 + omega**2 / rate**2)
    assert equal(gated.filter(0, 0, lambda_), expected)
    expected = 1 / ((1 + lambda_ * tau_r) ** 2 + tau_r**2 * omega**2)
    assert equal(gated.filter(2, 2, lambda_), expected)


def test_current_covariances(gated):
    """C_phi C_sigma_r drives h; C_phi drives both gates."""
    phi, sigma = average("phi", "h"), average("sigma_r", "r")
    assert equal(gated.current_covariance(0), phi * sigma)
    assert equal(gated.current_covariance(1), phi)
    assert equal(gated.current_covariance(2), phi)


def test_lyapunov_weights(gated):
    """C_sigma_r F_phi' chi_h + C_phi F_sigma' chi_r, and F_phi' chi_h for the gates."""
    phi, sigma = average("phi", "h"), average("sigma_r", "r")
    phi_slope, sigma_slope = average("phi", "h", 1), average("sigma_r", "r", 1)
    expected = [
        [sigma * phi_slope, 0, phi * sigma_slope],
        [phi_slope, 0, 0],
        [phi_slope, 0, 0],
    ]
    for current, row in enumerate(expected):
        for field, weight in enumerate(row):
            assert equal(gated.lyapunov_weight(current, field), weight), (current, field)


def test_conditions_are_already_applied(gated):
    """At alpha_z = 0 the dynamics are linear; about rest beta_h = 0 makes phi odd."""
    h, r = sp.symbols("h r", real=True)
    g_h = sp.Symbol("g_h", positive=True)
    alpha_r, beta_r = sp.symbols("alpha_r beta_r", real=True)
    biased = sp.tanh(g_h * h + sp.Symbol("beta_h", real=True))
    assert gated.outputs[0].factors[0].expression == biased
    gated = gated.decaying()
    phi, sigma = gated.outputs[0].factors
    assert phi.expression == sp.tanh(g_h * h)
    assert sigma.expression == logistic(alpha_r * r - beta_r)
    gone = {sp.Symbol("alpha_z", real=True), sp.Symbol("beta_h", real=True)}
    assert not gone & gated.drift_matrix.free_symbols
    (sigma_z,) = gated.observables[1:2]
    assert (sigma_z.coefficient, sigma_z.factors) == (rate, ())


def test_vanilla_is_the_scs_equation():
    """(1 - d^2) C = g^2 <tanh tanh>: g sits in the filter or before the average, not in both."""
    equations = derived(get("vanilla"))
    g = sp.Symbol("g", positive=True)
    whole = equations.filter(0, 0) * equations.current_covariance(0)
    assert equal(whole, g**2 / (1 + omega**2) * average("phi", "x"))


def test_two_gates_multiply():
    equations = derived(TWO_GATES)
    phi, r, q = average("phi", "h"), average("sigma_r", "r"), average("sigma_q", "q")
    v_q = sp.Symbol("v_q", positive=True)
    assert equal(equations.current_covariance(0), phi * r * q)
    assert equal(equations.current_covariance(2), v_q * phi)
    assert equal(equations.lyapunov_weight(0, 0), average("phi", "h", 1) * r * q)
    assert equal(equations.lyapunov_weight(0, 1), phi * average("sigma_r", "r", 1) * q)
    assert equal(equations.lyapunov_weight(0, 2), phi * r * average("sigma_q", "q", 1))
    assert equal(equations.lyapunov_weight(2, 0), v_q * average("phi", "h", 1))


def test_coupled_linear_dynamics_give_the_matrix_inverse():
    """y follows x: the transfer is a product of low-passes, and cross terms appear."""
    from small_models import eta, two_fields, x, y

    model = two_fields(drift_y=(-y + x + eta) / 2, output=sp.tanh(x))
    g = derived(model).transfer
    assert equal(g[0, 0], 1 / (1 + s))
    assert equal(g[1, 0], 1 / ((1 + s) * (1 + 2 * s)))
    assert equal(g[1, 1], 1 / (1 + 2 * s))
