"""Power series of every function against sympy's, over doubles, arrays and balls."""

import math

import mpmath
import numpy as np
import pytest
import sympy as sp

from dmft.codegen.float64 import FLOAT64
from dmft.codegen.taylor import Series, taylor
from dmft.codegen.translate import translate
from dmft.derivations.functions import logistic

x, a = sp.symbols("x a", real=True)
EXPRESSIONS = {
    "exp": sp.exp(a * x),
    "tanh": sp.tanh(a * x + 1),
    "logistic": logistic(a * x - sp.Rational(1, 3)),
    "erf": sp.erf(a * x),
    "log": sp.log(2 + a * x),
    "sqrt": sp.sqrt(2 + x),
    "sin": sp.sin(a * x + x**2),
    "cos": sp.cos(a * x),
    "pow": (2 + x) ** a,
    "quotient": (1 + x) / (3 + a * x**2),
    "inverse": 1 / (2 + sp.tanh(x)),
    "mixed": sp.tanh(x * sp.exp(x)) * logistic(x) / sp.sqrt(1 + x**2) + sp.pi,
}


def plain(expression):
    return expression.replace(logistic, lambda u: 1 / (1 + sp.exp(-u)))


def expected(expression, at, order):
    values = {a: sp.Rational(7, 5), x: at}
    return [
        float(sp.diff(plain(expression), x, k).subs(values).evalf(30)) / math.factorial(k)
        for k in range(order + 1)
    ]


@pytest.mark.parametrize("name", EXPRESSIONS)
def test_derivatives(name):
    tape = translate(name, [x, a], [EXPRESSIONS[name]])
    table, variable = taylor(FLOAT64, 5)
    (series,) = tape.run(table, {"x": variable(0.25), "a": 1.4})
    assert [float(c) for c in series.coefficients] == pytest.approx(
        expected(EXPRESSIONS[name], sp.Rational(1, 4), 5), rel=1e-12, abs=1e-14
    )


@pytest.mark.parametrize("name", EXPRESSIONS)
def test_on_arrays_of_parameters(name):
    tape = translate(name, [x, a], [EXPRESSIONS[name]])
    table, variable = taylor(FLOAT64, 3)
    (series,) = tape.run(table, {"x": variable(0.25), "a": np.array([0.3, 1.4])})
    last = [np.broadcast_to(c, (2,))[1] for c in series.coefficients]
    assert last == pytest.approx(
        expected(EXPRESSIONS[name], sp.Rational(1, 4), 3), rel=1e-12, abs=1e-14
    )


@pytest.mark.parametrize("name", EXPRESSIONS)
def test_on_balls(name):
    pytest.importorskip("flint")
    from dmft.codegen.ball import as_ball, ball_arithmetic, endpoints

    tape = translate(name, [x, a], [EXPRESSIONS[name]])
    with ball_arithmetic(30) as balls:
        table, variable = taylor(balls, 4)
        (series,) = tape.run(table, {"x": variable(as_ball("x", "1/4")), "a": "7/5"})
        values = {a: sp.Rational(7, 5), x: sp.Rational(1, 4)}
        for k, coefficient in enumerate(series.coefficients):
            low, high = endpoints(as_ball("c", coefficient))
            exact = sp.diff(plain(EXPRESSIONS[name]), x, k).subs(values) / sp.factorial(k)
            with mpmath.workdps(60):
                exact = mpmath.mpf(str(exact.evalf(50)))
                assert low <= exact <= high
                assert high - low < 1e-24


def test_a_number_beside_a_series():
    one = Series([1.0, 2.0, 0.0])
    assert (1 / one).coefficients == [1.0, -2.0, 4.0]
    assert (one + 1).coefficients == (1 + one).coefficients == [2.0, 2.0, 0.0]
    assert (one / 2).coefficients == [0.5, 1.0, 0.0]
    assert (2 * one).coefficients == [2.0, 4.0, 0.0]
