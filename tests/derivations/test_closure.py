"""Which parameters must vanish for the theory to close is found, with the reason."""

import pytest
import sympy as sp
from small_models import a, eta, g, one_field, two_fields, x, xi, y
from two_gates import MODEL as TWO_GATES

from dmft.derivations.closure import factorise
from dmft.derivations.equations import derive_equations
from dmft.derivations.model import Coupling, Parameter
from dmft.derivations.models import get
from dmft.derivations.stationary import ClosureError


def test_gated_closes_without_update_gate_and_bias():
    stationary = derive_equations(get("gated")).stationary
    (gaussian,) = stationary.gaussian_conditions
    assert gaussian.parameter == "alpha_z"
    assert "z multiplies the dynamics of h" in gaussian.reason
    decay, *inputs = stationary.decay_conditions
    assert decay.parameter == "beta_h"
    assert "mean" in decay.reason
    assert [c.parameter for c in inputs] == ["input_h", "input_z", "input_r"]


@pytest.mark.parametrize("model", [get("vanilla"), TWO_GATES], ids=lambda m: m.name)
def test_models_that_always_close(model):
    equations = derive_equations(model)
    assert equations.closure_failure == ""
    assert equations.stationary.gaussian_conditions == ()
    drives = [c.parameter for c in equations.stationary.decay_conditions]
    assert drives == (["input_x"] if model.name == "vanilla" else [])


def test_condition_of_another_model_is_found_too():
    """Nothing is special about the shipped models: here an asymmetry and a nonlinear leak."""
    b = sp.Symbol("b", real=True)
    model = one_field(
        parameters=(
            Parameter("g", "gain", positive=True),
            Parameter("a", "asymmetry", 0),
            Parameter("b", "nonlinear leak", 0),
        ),
        dynamics={"x": -x - b * x**3 + xi},
    )
    stationary = derive_equations(model).stationary
    assert [c.parameter for c in stationary.gaussian_conditions] == ["b"]
    assert [c.parameter for c in stationary.decay_conditions] == ["a"]
    assert stationary.drift_matrix == sp.Matrix([[-1]])


@pytest.mark.parametrize(
    ("model", "reason"),
    [
        (one_field(dynamics={"x": -(x**3) + xi}), "dynamics of x are not linear"),
        (one_field(dynamics={"x": -x + x * xi}), "dynamics of x are not linear"),
        (two_fields(output=sp.tanh(x + y)), "no product of functions of one field"),
        (two_fields(output=sp.tanh(x) + sp.sin(y)), "no product of functions of one field"),
        # both fields feel xi: they are correlated, and <tanh(x) cos(y)> is no product of averages
        (two_fields(drift_y=-y + xi), "x, y in the output of xi share a current"),
        (two_fields(drift_y=-y + eta + xi), "share a current"),
        # y follows x, which feels xi
        (two_fields(drift_y=-y + x + eta), "share a current"),
    ],
)
def test_theories_that_do_not_close_say_why(model, reason):
    equations = derive_equations(model)
    assert equations.stationary is None
    assert reason in equations.closure_failure


@pytest.mark.parametrize(
    "model",
    [
        one_field(dynamics={"x": 1 - x + xi}),
        one_field(couplings=(Coupling("xi", g * (1 + sp.tanh(x))),)),
        one_field(couplings=(Coupling("xi", sp.exp(x)),)),
    ],
)
def test_with_a_mean_the_equations_close_and_zero_is_no_state(model):
    stationary = derive_equations(model).stationary
    assert stationary.decay_conditions is None
    with pytest.raises(ClosureError, match="zero is no state"):
        stationary.decaying()


def test_fields_may_share_a_current_when_they_meet_in_no_output():
    output = g * sp.tanh(x)
    model = two_fields(drift_y=-y + xi, output=output)
    assert derive_equations(model).stationary is not None


def test_factorise_names_what_is_declared():
    gated = get("gated")
    product = factorise(gated, 3 * gated.outputs()[0])
    assert product.coefficient == 3
    assert [(f.label, f.field) for f in product.factors] == [("phi", "h"), ("sigma_r", "r")]
    h = sp.Symbol("h", real=True)
    (unnamed,) = factorise(gated, sp.cos(h), "xi_h").factors
    assert unnamed.label == "xi_h_h"


def test_odd_factors():
    model = one_field()
    odd = factorise(model, g * sp.tanh(x + a * x**2), "xi", {a: 0})
    assert odd.is_odd
    assert not factorise(model, g * sp.tanh(x + a * x**2), "xi").is_odd
    assert not factorise(model, sp.cos(x)).is_odd
    assert factorise(model, x * sp.cos(x)).is_odd
