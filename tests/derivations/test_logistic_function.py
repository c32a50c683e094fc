"""The logistic function: derivatives, rewrites and values."""

import pytest
import sympy as sp

from dmft.derivations.functions import logistic

x = sp.Symbol("x", real=True)


@pytest.mark.parametrize("order", [1, 2, 3])
def test_derivatives_are_those_of_the_formula(order):
    formula = 1 / (1 + sp.exp(-x))
    ours = sp.diff(logistic(x), x, order).rewrite(sp.exp)
    assert sp.simplify(ours - sp.diff(formula, x, order)) == 0


def test_chain_rule():
    a = sp.Symbol("a", real=True)
    assert sp.diff(logistic(a * x), x) == a * logistic(a * x) * logistic(-a * x)


def test_values_and_rewrites():
    assert logistic(0) == sp.Rational(1, 2)
    assert logistic(sp.Integer(2)).evalf(30) == (1 / (1 + sp.exp(-2))).evalf(30)
    tanh = logistic(x).rewrite(sp.tanh)
    assert sp.simplify((tanh - logistic(x)).rewrite(sp.exp)) == 0
    assert logistic(x).is_extended_positive
    assert sp.latex(logistic(x) ** 2) == r"\sigma^{2}\left(x\right)"
