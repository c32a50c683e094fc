"""The average over couplings leaves v <psi psi'>, whatever the variance v / N of an entry."""

import pytest
import sympy as sp
from small_models import a, g, one_field, two_fields, x
from two_gates import MODEL as TWO_GATES

from dmft.derivations.disorder import average_over_couplings
from dmft.derivations.model import Coupling
from dmft.derivations.models import get


@pytest.mark.parametrize(
    "variance", [sp.Integer(1), g**2, sp.Rational(1, 3), g / 2, 1 + a**2, sp.exp(a)]
)
def test_weight_is_the_variance(variance):
    model = one_field(couplings=(Coupling("xi", sp.tanh(x), variance),))
    (covariance,) = average_over_couplings(model)
    assert sp.simplify(covariance.weight - variance) == 0
    assert covariance.output == sp.tanh(x)
    assert covariance.current == "xi"


def test_one_covariance_per_current_in_order():
    found = average_over_couplings(two_fields())
    assert [c.current for c in found] == ["xi", "eta"]
    assert [c.output for c in found] == list(two_fields().outputs())


def test_shipped_and_test_models():
    assert [c.weight for c in average_over_couplings(get("vanilla"))] == [1]
    assert [c.weight for c in average_over_couplings(get("gated"))] == [1, 1, 1]
    v_q = TWO_GATES.parameters[-1].symbol
    assert [c.weight for c in average_over_couplings(TWO_GATES)] == [1, 1, v_q]


def test_weight_against_the_row_sum_of_an_explicit_average():
    """E exp(i k J), N entries of variance v/N, expanded to second order: N (v/N) psi psi'."""
    k, v, n, p1, p2 = sp.symbols("k v n p1 p2", positive=True)
    characteristic = sp.exp(-(v / n) * (k * (p1 + p2)) ** 2 / 2)  # Gaussian integral, by hand
    exponent = sp.expand(-n * sp.log(characteristic))
    cross = sp.simplify(exponent.coeff(p1, 1).coeff(p2, 1)) / k**2
    model = one_field(couplings=(Coupling("xi", sp.tanh(x), g**2),))
    assert sp.simplify(cross.subs(v, g**2) - average_over_couplings(model)[0].weight) == 0
