"""Translation keeps rational numbers exact and refuses what it cannot carry."""

import numpy as np
import pytest
import sympy as sp

from dmft.codegen.float64 import FLOAT64
from dmft.codegen.multiprecision import multiprecision
from dmft.codegen.tape import MissingFunctionError
from dmft.codegen.translate import translate
from dmft.derivations.functions import logistic

x, y = sp.symbols("x y", real=True)
p = sp.Symbol("p", positive=True)


@pytest.mark.parametrize(
    "expression",
    [
        x + y + p,
        x * y * p - 3,
        x**2 - y**5,
        1 / (1 + x**2),
        p**-3,
        sp.sqrt(p),
        1 / sp.sqrt(p),
        p ** sp.Rational(1, 3),
        p**y,
        sp.exp(-x * y),
        sp.log(p),
        sp.tanh(x - y),
        logistic(3 * x),
        sp.erf(x / 2),
        sp.sin(x) * sp.cos(y),
        -x,
        sp.Integer(0),
        sp.Rational(-22, 7),
        (x + y) ** 2 * sp.exp((x + y) ** 2) + 1 / (x + y) ** 2,
    ],
)
def test_against_sympy_at_fifty_digits(expression):
    """sympy's evalf is the independent route."""
    table, context = multiprecision(50)
    point = {x: sp.Rational(3, 8), y: sp.Rational(-5, 4), p: sp.Rational(7, 3)}
    exact = expression.rewrite(sp.exp) if expression.has(logistic) else expression
    exact = context.mpf(str(sp.N(exact.subs(point), 60)))
    tape = translate("case", [x, y, p], [expression])
    values = {k.name: context.mpf(v.p) / v.q for k, v in point.items()}
    (ours,) = tape.run(table, values)
    assert abs(ours - exact) <= context.mpf(10) ** -48 * max(1, abs(exact))
    floats = {k.name: float(v) for k, v in point.items()}
    assert float(tape.run(FLOAT64, floats)[0]) == pytest.approx(float(exact), rel=1e-14, abs=1e-15)


def test_a_third_is_a_third_at_fifty_digits():
    """The trap of DEPENDENCIES: Rational(1, 3) as a double has 16 digits only."""
    table, context = multiprecision(50)
    (third,) = translate("third", [x], [x / 3]).run(table, {"x": context.mpf(1)})
    assert abs(third - context.mpf(1) / 3) == 0
    assert abs(third - context.mpf(1 / 3)) > 1e-18


@pytest.mark.parametrize("expression", [0.5 * x, x + sp.Float("0.1"), sp.tanh(2.0 * x)])
def test_floats_are_refused(expression):
    with pytest.raises(ValueError, match="write it as a Rational"):
        translate("case", [x], [expression])


@pytest.mark.parametrize(
    "expression", [sp.gamma(x), sp.Abs(x), sp.Heaviside(x), sp.EulerGamma * x, sp.I]
)
def test_unknown_functions_are_refused_by_name(expression):
    with pytest.raises(MissingFunctionError, match=r"case: no translation for \w+"):
        translate("case", [x], [expression])


def test_unknown_symbols_are_refused():
    with pytest.raises(ValueError, match="y is not among the inputs"):
        translate("case", [x], [x * y])


def test_common_subexpressions_are_computed_once():
    tape = translate("case", [x], [sp.tanh(x), sp.tanh(x) ** 2, 1 - sp.tanh(x)])
    assert [line[0] for line in tape.code].count("tanh") == 1


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_precision_of_arrays_is_kept(dtype):
    everything = sp.exp(x) / 3 + sp.sqrt(p) * logistic(x) + sp.tanh(x) ** 3 / (1 + x**2) + 2
    tape = translate("case", [x, p], [everything, sp.diff(everything, x)])
    for result in tape.run(FLOAT64, {"x": np.ones(3, dtype), "p": 0.7}):
        assert result.dtype == dtype
