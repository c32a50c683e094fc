"""Where values lie: never too narrow, whatever the operation."""

import math
from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dmft.derivations.bounds import ANY, POSITIVE, Interval, of_function

ends = st.one_of(
    st.integers(-4, 4).map(Fraction), st.sampled_from([-math.inf, math.inf, Fraction(1, 3)])
)


@st.composite
def interval_and_member(draw):
    """An interval with a number in it."""
    value = draw(st.fractions(-6, 6, max_denominator=12))
    low = draw(ends.filter(lambda e: e <= value))
    high = draw(ends.filter(lambda e: e >= value))
    low_open = low < value and (math.isinf(low) or draw(st.booleans()))
    high_open = high > value and (math.isinf(high) or draw(st.booleans()))
    return Interval(low, high, low_open, high_open), value


def holds(interval, value):
    above = value > interval.low or (value == interval.low and not interval.low_open)
    below = value < interval.high or (value == interval.high and not interval.high_open)
    return above and below


@settings(derandomize=True, deadline=None, max_examples=500)
@given(interval_and_member(), interval_and_member(), st.integers(0, 5))
def test_results_lie_inside(first, second, n):
    (a, u), (b, v) = first, second
    assert holds(a, u)
    assert holds(-a, -u)
    assert holds(a + b, u + v)
    assert holds(a * b, u * v)
    assert holds(a.power(n), u**n)
    if a.nonzero:
        assert u != 0
        assert holds(a.power(-n), u**-n)
    if a.positive:
        assert u > 0


@pytest.mark.parametrize("name", ["tanh", "erf", "exp", "sin", "cos", "logistic", "log", "sqrt"])
def test_functions_lie_inside(name):
    def value(x):
        return 1 / (1 + math.exp(-x)) if name == "logistic" else getattr(math, name)(x)

    for domain, points in ((ANY, (-2, -0.1, 0, 0.1, 2)), (POSITIVE, (0.01, 1, 3))):
        if domain is ANY and name in ("log", "sqrt"):
            continue
        for x in points:
            assert holds(of_function(name, domain), value(x)), x
    above_one = Interval(Fraction(1), math.inf, True, True)
    assert of_function("log", above_one).positive
    assert not of_function("log", Interval(Fraction(1), math.inf, False, True)).positive


def test_what_it_can_prove():
    square = ANY.power(2)
    one = Interval.point(Fraction(1))
    assert square.nonnegative
    assert not square.positive
    assert (one + square).positive
    assert (one + of_function("tanh", ANY)).positive
    assert not (one + of_function("sin", ANY)).positive
    assert POSITIVE.power(-3).positive
    assert not ANY.nonzero
