"""Balls contain the true value, and nothing inexact slips in."""

import importlib
import sys
from fractions import Fraction

import mpmath
import pytest
import sympy as sp

from dmft.codegen import compiled_theory, model_names
from dmft.codegen.multiprecision import multiprecision
from dmft.codegen.tape import MissingFunctionError, Tape
from dmft.codegen.translate import translate
from dmft.errors import MissingExtraError

flint = pytest.importorskip("flint")
ball = importlib.import_module("dmft.codegen.ball")

x = sp.Symbol("x", real=True)
POINTS = ("-7/3", "0", "0.1", "11/5")


def contains(enclosure, value):
    low, high = ball.endpoints(enclosure)
    return low <= value <= high


def complete(info):
    """Every parameter an exact number that is no double; none zero, so that no term drops out."""
    return {p.name: Fraction(7 + i, 5 + i) for i, p in enumerate(info.parameters)}


@pytest.mark.parametrize("name", model_names())
def test_functions_of_every_model_enclose_60_digits(name):
    theory = compiled_theory(name)
    given = complete(theory.info)
    table, context = multiprecision(60)
    assert theory.functions
    for function in theory.functions:
        for point in map(Fraction, POINTS):
            exact = {k: context.mpf(v.numerator) / v.denominator for k, v in given.items()}
            at = context.mpf(point.numerator) / point.denominator
            expected = function.at(at, exact, table)
            with ball.ball_arithmetic(40) as balls:
                found = function.at(point, given, balls)
            for enclosure, value in zip(found, expected, strict=True):
                assert contains(enclosure, mpmath.mp.make_mpf(value._mpf_))
                low, high = ball.endpoints(enclosure)
                assert high - low < mpmath.mpf("1e-38")


@pytest.mark.parametrize("name", model_names())
def test_matrices_and_vectors_of_every_model(name):
    theory = compiled_theory(name)
    given = complete(theory.info)
    table, context = multiprecision(60)
    exact = {k: context.mpf(v.numerator) / v.denominator for k, v in given.items()}
    for tape in (*(m.tape for m in theory.matrices.values()), *theory.vectors.values()):
        with ball.ball_arithmetic(40) as balls:
            found = tape.run(balls, given)
        for enclosure, value in zip(found, tape.run(table, exact), strict=True):
            assert contains(enclosure, mpmath.mp.make_mpf(context.convert(value)._mpf_))


@pytest.mark.parametrize(
    "expression",
    [
        *(sp.pi, sp.sqrt(sp.pi) / 2, 1 / sp.sqrt(x), x ** sp.Rational(2, 3), sp.log(x)),
        *(sp.sin(x) + sp.cos(x), sp.exp(-(x**2)), x**-3, sp.erf(x)),
    ],
)
def test_every_operation_against_sympy(expression):
    tape = translate("test", [x], [expression])
    with ball.ball_arithmetic(50) as balls:
        (found,) = tape.run(balls, {"x": "7/3"})
    digits = sp.N(expression.subs(x, sp.Rational(7, 3)), 90)
    with mpmath.workdps(90):
        assert contains(found, mpmath.mpf(str(digits)))
    low, high = ball.endpoints(found)
    assert high - low < mpmath.mpf("1e-48")


def test_a_third_is_a_third():
    """The trap: 1/3 as a double in a ball of radius zero, and a false enclosure."""
    tape = translate("third", [x], [x * sp.Rational(1, 3)])
    with ball.ball_arithmetic(30) as balls:
        (found,) = tape.run(balls, {"x": 1})
        double = flint.arb(1 / 3)
        assert not double.contains(flint.fmpq(1, 3))
        assert found.contains(flint.fmpq(1, 3))
        assert not found.overlaps(double)


@pytest.mark.parametrize("value", [0.1, 1.0, float("nan"), True, None, 1j, [1]])
def test_what_is_not_exact_is_refused_by_name(value):
    tape = translate("double", [sp.Symbol("gain", real=True)], [2 * sp.Symbol("gain", real=True)])
    with ball.ball_arithmetic(20) as balls, pytest.raises(TypeError, match=r"gain = .*string"):
        tape.run(balls, {"gain": value})


def test_numpy_floats_are_floats():
    numpy = pytest.importorskip("numpy")
    with pytest.raises(TypeError, match="gain"):
        ball.as_ball("gain", numpy.float64(0.5))


@pytest.mark.parametrize("value", ["nan", "inf", "one", "", "1/0", "0x10"])
def test_strings_that_are_no_number(value):
    with pytest.raises(ValueError, match="gain"):
        ball.as_ball("gain", value)


def test_decimals_and_numbers_of_mpmath():
    with ball.ball_arithmetic(30):
        assert ball.as_ball("x", "0.1").contains(flint.fmpq(1, 10))
        assert ball.as_ball("x", "1e-3").contains(flint.fmpq(1, 1000))
        assert ball.as_ball("x", mpmath.mpf(0.1)) == flint.arb(0.1)
        with pytest.raises(ValueError, match="finite"):
            ball.as_ball("x", mpmath.inf)


def test_there_and_back_keeps_the_radius():
    with ball.ball_arithmetic(30):
        wide = flint.arb(2, 1).sqrt()
        low, high = ball.endpoints(wide)
        assert low < 1.0001 and high > 1.7
        again = ball.as_ball("x", mpmath.iv.mpf([low, high]))
        assert again.contains(wide)
        low, high = ball.endpoints(1 / flint.arb(0, 1))
        assert low == -mpmath.inf and high == mpmath.inf


def test_precision_is_put_back():
    before = flint.ctx.prec
    with ball.ball_arithmetic(100):
        assert flint.ctx.prec > 332
        with ball.ball_arithmetic(10):
            assert flint.ctx.prec < 100
        assert flint.ctx.prec > 332
    assert flint.ctx.prec == before
    with pytest.raises(ZeroDivisionError), ball.ball_arithmetic(100):
        raise ZeroDivisionError
    assert flint.ctx.prec == before


def test_a_missing_function_is_refused():
    tape = Tape("odd", ("x",), (("input", "x"), ("gamma", 0)), (1,))
    with ball.ball_arithmetic(20) as balls, pytest.raises(MissingFunctionError, match="gamma"):
        tape.run(balls, {"x": 1})


def test_without_flint(monkeypatch):
    monkeypatch.setitem(sys.modules, "flint", None)
    with pytest.raises(MissingExtraError, match=r"dmft\[certified\]"), ball.ball_arithmetic(20):
        pass
    with pytest.raises(MissingExtraError, match="certified digits"):
        ball.as_ball("x", 1)


def test_digits_must_be_positive():
    with pytest.raises(ValueError, match="digits = 0"), ball.ball_arithmetic(0):
        pass
