"""Jacobian at rest, its stability line, and static order parameters (THEORY sections 3 and 7)."""

import numpy as np
import pytest
import sympy as sp
from small_models import g, one_field, two_fields, x, xi, y
from two_gates import MODEL as TWO_GATES

from dmft.derivations.equations import derive_equations
from dmft.derivations.functions import logistic
from dmft.derivations.linearise import linearise
from dmft.derivations.model import Coupling, Input
from dmft.derivations.models import get
from dmft.derivations.symbols import lambda_

g_h, tau_r, tau_z = sp.symbols("g_h tau_r tau_z", positive=True)
beta_r, beta_z = sp.symbols("beta_r beta_z", real=True)
s0, rate = logistic(-beta_r), logistic(-beta_z)


@pytest.fixture(scope="module")
def gated():
    return derive_equations(get("gated"))


def test_gated_jacobian_at_rest(gated):
    """KCS: dh = s(-dh + g_h s0 J dh); the gates follow and do not act back at rest."""
    zero = gated.zero_state
    assert [c.parameter for c in zero.conditions] == [
        *("beta_h", "input_h", "input_z", "input_r", "noise_h", "noise_z", "noise_r")
    ]
    assert zero.drift_matrix == sp.diag(-rate, -1 / tau_z, -1 / tau_r)
    assert zero.input_matrix == sp.diag(rate, 1 / tau_z, 1 / tau_r)
    expected = sp.Matrix([[g_h * s0, 0, 0], [g_h, 0, 0], [g_h, 0, 0]])
    assert sp.simplify(zero.output_matrix - expected) == sp.zeros(3)


def test_line_of_rest_comes_out(gated):
    """g_h = 1 + exp(beta_r) (THEORY section 7), from the edge of the cloud at lambda = 0."""
    radius = gated.zero_state.amplification(lambda_)[0, 0]
    expected = (rate * g_h * s0 / (lambda_ + rate)) ** 2
    assert sp.simplify(radius - expected) == 0
    (line,) = sp.solve(sp.Eq(radius.subs(lambda_, 0).rewrite(sp.exp), 1), g_h)
    assert sp.simplify(line - (1 + sp.exp(beta_r))) == 0


def test_edge_lies_where_a_large_random_jacobian_has_it(gated):
    """An independent route: eigenvalues of one network's Jacobian at rest, N = 500."""
    values = {g_h: 3.0, beta_r: 0.3, beta_z: -0.5, tau_z: 1.0, tau_r: 0.4}
    zero = gated.zero_state
    a, b, p = (
        np.array(m.subs(values).evalf(), dtype=float)
        for m in (zero.drift_matrix, zero.input_matrix, zero.output_matrix)
    )
    n = 500
    rng = np.random.default_rng(1)
    couplings = rng.standard_normal((3, n, n)) / np.sqrt(n)
    jacobian = np.kron(a, np.eye(n))
    for c, matrix in enumerate(couplings):
        jacobian += np.kron(np.outer(b[:, c], p[c]), matrix)
    largest = np.linalg.eigvals(jacobian).real.max()
    s_value, s0_value = 1 / (1 + np.exp(-0.5)), 1 / (1 + np.exp(0.3))
    # the edge of a Ginibre cloud fluctuates by about n^(-1/2) of its radius
    assert largest == pytest.approx(s_value * (3.0 * s0_value - 1), abs=0.06)


def test_two_gates_line():
    radius = derive_equations(TWO_GATES).zero_state.amplification(sp.Integer(0))
    beta_q = sp.Symbol("beta_q", real=True)
    expected = (g_h * logistic(-beta_r) * logistic(-beta_q)) ** 2
    assert sp.simplify(radius[0, 0] - expected) == 0


def test_coupling_variance_enters_the_radius():
    model = one_field(couplings=(Coupling("xi", sp.tanh(x), g**2 / 4),))
    radius = derive_equations(model).zero_state.amplification(sp.Integer(0))
    assert sp.simplify(radius[0, 0] - g**2 / 4) == 0


def test_rest_that_is_no_state():
    assert derive_equations(one_field(dynamics={"x": 1 - x + xi})).zero_state is None
    shifted = one_field(couplings=(Coupling("xi", sp.cos(x)),))
    assert derive_equations(shifted).zero_state is None


def test_static_equations_of_gated(gated):
    """Delta_h = <phi^2><sigma_r^2>, Delta_r = Delta_z = <phi^2>; alpha_z drops out."""
    statics = gated.statics
    assert statics.response == sp.eye(3)
    labels = [[f.label for f in product.factors] for product in statics.outputs]
    assert labels == [["phi", "sigma_r"], ["phi"], ["phi"]]
    assert [product.coefficient for product in statics.outputs] == [1, 1, 1]


def test_static_response_is_the_transfer_at_zero_frequency():
    model = two_fields(drift_y=-2 * y + x + sp.Symbol("eta", real=True), output=sp.tanh(x))
    equations = derive_equations(model)
    at_zero = equations.stationary.transfer.subs(sp.Symbol("s"), 0)
    assert sp.simplify(equations.statics.response - at_zero) == sp.zeros(2)
    assert equations.statics.response == sp.Matrix([[1, 0], [sp.S.Half, sp.S.Half]])


@pytest.mark.parametrize(
    "model",
    [
        one_field(dynamics={"x": -x - x**3 + xi}),
        one_field(dynamics={"x": -x + x * xi}),
        two_fields(output=sp.tanh(x + y)),
    ],
)
def test_statics_that_are_not_linear_or_no_product_do_not_exist(model):
    assert derive_equations(model).statics is None


def test_static_constant_and_input():
    drive = Input("I", "input", "quenched", sp.Integer(1))
    model = one_field(dynamics={"x": 1 - 2 * x + xi + 3 * drive.symbol}, inputs=(drive,))
    statics = derive_equations(model).statics
    assert statics.constant == sp.Matrix([[sp.S.Half]])
    assert statics.quenched_response == sp.Matrix([[sp.Rational(3, 2)]])


def test_an_input_beside_a_moving_gate_needs_one_of_them_off():
    """Outside the bracket h = xi + I / sigma_z(z) at rest: not Gaussian unless the gate is still."""
    condition, *noises = derive_equations(get("gated")).statics.conditions
    assert (condition.parameter, condition.unless) == ("alpha_z", ("input_h",))
    assert [c.parameter for c in noises] == ["noise_h", "noise_z", "noise_r"]
    assert derive_equations(get("gated-input")).statics.conditions == ()


def test_linearisation_by_hand(gated):
    tangent = linearise(get("gated"))
    h, z, r, xi_h = sp.symbols("h z r xi_h", real=True)
    d_h, d_z, d_xi_h = tangent.field_perturbations[0], tangent.field_perturbations[1], None
    d_xi_h = tangent.current_perturbations[0]
    alpha_z = sp.Symbol("alpha_z", real=True)
    gate = logistic(alpha_z * z - beta_z)
    expected = gate * (d_xi_h - d_h) + sp.diff(gate, z) * (xi_h - h) * d_z
    assert sp.simplify(tangent.tangent_drift()[0] - expected) == 0
    assert r not in tangent.tangent_drift()[0].free_symbols
