"""Averages in balls hold the true values, and their bounds hold in the strip."""

from fractions import Fraction

import mpmath
import numpy as np
import pytest
import sympy as sp

pytest.importorskip("flint")

from exact_by_hand import mean, sigma

from dmft.certified.functionals import functionals
from dmft.certified.strip import Growth, StripError, strip_table
from dmft.certified.trapezoid import first_output
from dmft.codegen import compiled_theory
from dmft.codegen.ball import as_ball, ball_arithmetic, endpoints
from dmft.codegen.taylor import Series, taylor
from dmft.codegen.translate import translate

THEORY = compiled_theory("gated")
VALUES = {"g_h": "7/4", "alpha_r": "10", "beta_r": "3/10", "beta_h": "1/5"}


def evaluated(function, by, variance, digits, quadrature=None):
    with ball_arithmetic(digits + 10) as balls:
        p = {
            q.name: as_ball(q.name, VALUES.get(q.name, str(int(q.default or 0))))
            for q in THEORY.info.parameters
        }
        zero = balls.rational(0, 1)
        return functionals(
            THEORY.functions[function].tape, p, by, zero, as_ball("D", variance), balls,
            digits if quadrature is None else quadrature,
        )  # fmt: skip


def holds(ball, exact, width):
    low, high = endpoints(ball)
    return low <= exact <= high and high - low < width


def test_averages_of_tanh_and_logistic():
    found = evaluated(0, "g_h", "3/10", 40), evaluated(1, "alpha_r", "3/10", 40)
    with mpmath.workdps(60):
        d, g = mpmath.mpf(3) / 10, mpmath.mpf(7) / 4

        def phi(x):
            return mpmath.tanh(g * x + mpmath.mpf(1) / 5)

        def slope(x):
            return g * (1 - phi(x) ** 2)

        gate = sigma(10, mpmath.mpf(3) / 10)
        assert holds(found[0].square, mean(lambda x: phi(x) ** 2, d), 1e-35)
        assert holds(found[0].slope, mean(lambda x: slope(x) ** 2, d), 1e-35)
        assert holds(
            found[0].square_d,
            mean(lambda x: slope(x) ** 2 * (1 - 2 * phi(x) ** 2 / (1 - phi(x) ** 2)), d),
            1e-35,
        )
        assert holds(
            found[0].by_parameter["square"], mean(lambda x: 2 * phi(x) * x * slope(x) / g, d), 1e-35
        )
        assert holds(found[1].square, mean(lambda x: gate(x) ** 2, d, step="0.01"), 1e-35)
        gate_slope = lambda x: 10 * gate(x) * (1 - gate(x))  # noqa: E731
        assert holds(found[1].slope, mean(lambda x: gate_slope(x) ** 2, d, step="0.01"), 1e-33)


@pytest.mark.parametrize("by", ["g_h", "beta_h"])
def test_derivatives_against_differences(by):
    """By the variance up to the second, and by a parameter, mixed too."""
    h = Fraction(1, 10**12)
    at = {k: evaluated(0, by, Fraction(3, 10) + k * h, 50) for k in (-1, 0, 1)}
    keep = VALUES[by]
    moved = {}
    for k in (-1, 1):
        VALUES[by] = str(Fraction(keep) + k * h)
        moved[k] = evaluated(0, by, Fraction(3, 10), 50)
    VALUES[by] = keep
    with mpmath.workdps(60):

        def mid(ball):
            low, high = endpoints(ball)
            return (low + high) / 2

        step = mpmath.mpf(10) ** -12

        def slope(name, pair):
            return (mid(getattr(pair[1], name)) - mid(getattr(pair[-1], name))) / (2 * step)

        here = at[0]
        assert abs(slope("square", at) - mid(here.square_d)) < 1e-20
        assert abs(slope("square_d", at) - mid(here.square_dd)) < 1e-20
        assert abs(slope("slope", at) - mid(here.slope_d)) < 1e-20
        for name in ("square", "square_d", "slope"):
            assert abs(slope(name, moved) - mid(here.by_parameter[name])) < 1e-20


def test_erf_has_a_closed_form():
    """E erf(x)^2 = (2/pi) arcsin(2 D / (1 + 2 D)) (C. K. I. Williams 1998)."""
    x, a = sp.symbols("x a", real=True)
    tape = translate("erf", [x, a], [sp.erf(a * x)])
    with ball_arithmetic(60) as balls:
        d = as_ball("D", "7/3")
        found = functionals(tape, {"a": as_ball("a", 1)}, "a", balls.rational(0, 1), d, balls, 50)
        with mpmath.workdps(80):
            d = mpmath.mpf(7) / 3
            exact = 2 / mpmath.pi * mpmath.asin(2 * d / (1 + 2 * d))
            assert holds(found.square, exact, 1e-48)


@pytest.mark.parametrize("quadrature", [2, 3, 5, 8])
def test_a_coarse_rule_is_wide_but_right(quadrature):
    """With few nodes the quadrature's error is not small: the bound must cover it."""
    exact = evaluated(0, "g_h", "9", 40)
    rough = evaluated(0, "g_h", "9", 40, quadrature)
    for name in ("square", "square_d", "slope"):
        low, high = endpoints(getattr(exact, name))
        wide_low, wide_high = endpoints(getattr(rough, name))
        assert wide_low <= low <= high <= wide_high
        assert 10.0 ** (-quadrature - 6) < wide_high - wide_low < 10.0 ** (3 - quadrature)


def test_the_bound_on_aliasing_is_not_idle():
    """Two digits asked for: the sum without its proved error misses the value by a visible part."""
    exact = evaluated(0, "g_h", "9", 40)
    rough = evaluated(0, "g_h", "9", 40, 2)
    with mpmath.workdps(50):
        middle = sum(endpoints(rough.slope)) / 2
        off = abs(middle - sum(endpoints(exact.slope)) / 2)
        low, high = endpoints(rough.slope)
        assert off > 1e-5 * (high - low)


@pytest.mark.parametrize(("function", "width"), [(0, "1/8"), (0, "4/5"), (1, "1/8"), (1, "7/25")])
def test_bounds_in_the_strip_hold(function, width):
    """Sampled complex points: f and its first derivatives are below their growth."""
    tape = first_output(THEORY.functions[function].tape)
    rng = np.random.default_rng(7)
    with ball_arithmetic(20) as balls:
        half = as_ball("half", width)
        strip, zero = strip_table(balls, half), balls.rational(0, 1)
        table, variable = taylor(strip, 2)
        p = {k: Growth(half, (as_ball(k, v), zero)) for k, v in VALUES.items()}
        p |= {q.name: Growth(half, (zero, zero)) for q in THEORY.info.parameters if q.name not in p}
        one = balls.rational(1, 1)
        (bounds,) = tape.run(table, {**p, tape.inputs[0]: variable(Growth(half, (zero, one)))})
        plain = {k: complex(Fraction(v)) for k, v in VALUES.items()}
        for _ in range(500):
            z = complex(rng.normal(scale=2), rng.uniform(-1, 1) * float(Fraction(width)))
            u = (
                plain["g_h"] * z + plain["beta_h"]
                if function == 0
                else plain["alpha_r"] * z - plain["beta_r"]
            )
            value = np.tanh(u) if function == 0 else 1 / (1 + np.exp(-u))
            slope = (
                plain["g_h"] * (1 - value**2)
                if function == 0
                else plain["alpha_r"] * value * (1 - value)
            )
            for order, found in enumerate((value, slope)):
                growth = bounds[order].growth
                limit = sum(float(b) * abs(z.real) ** d for d, b in enumerate(growth))
                assert abs(found) <= limit * (1 + 1e-12)


@pytest.mark.parametrize(
    ("expression", "reason"),
    [
        (lambda x: sp.exp(x), "exp"),
        (lambda x: sp.tanh(x**2), "not affine"),
        (lambda x: 1 / (1 + x**2), "quotient"),
    ],
)
def test_functions_without_a_known_bound_are_refused(expression, reason):
    x, a = sp.symbols("x a", real=True)
    tape = translate("f", [x, a], [expression(a * x)])
    with ball_arithmetic(30) as balls, pytest.raises(StripError, match=reason):
        one = as_ball("a", 1)
        functionals(tape, {"a": one}, "a", balls.rational(0, 1), one, balls, 20)


@pytest.mark.parametrize("degree", [0, 1, 2, 3])
def test_what_is_left_out_is_bounded(degree):
    """Nodes beyond X add less than the Gaussian's tail integral, and not much less."""
    from dmft.certified.trapezoid import _tail

    with ball_arithmetic(20) as balls:
        one, zero, step = balls.rational(1, 1), balls.rational(0, 1), 0.05
        growth = (zero,) * degree + (one,)
        bound = float(_tail(growth, balls.rational(4, 1), balls))
        x = np.arange(4 + step, 12, step)
        left_out = 2 * step * np.sum(x**degree * np.exp(-(x**2) / 2)) / np.sqrt(2 * np.pi)
        assert 0.7 * bound < left_out < bound


def test_polynomials_grow_and_are_integrated():
    """f = x + a x^2: E f^2 = D + 3 a^2 D^2."""
    x, a = sp.symbols("x a", real=True)
    tape = translate("f", [x, a], [x + a * x**2])
    with ball_arithmetic(40) as balls:
        found = functionals(
            tape, {"a": as_ball("a", "1/2")}, "a", balls.rational(0, 1), as_ball("D", 2), balls, 30
        )
        assert holds(found.square, 2 + 3, 1e-25)
        assert holds(found.by_parameter["square"], 3 * 2 * 0.5 * 4, 1e-25)


def test_series_over_series_keep_their_levels():
    from dmft.codegen.float64 import FLOAT64

    inner, x = taylor(FLOAT64, 3)
    outer, y = taylor(inner, 2, level=2)
    z = outer.functions["exp"](y(x(0.0)) * x(1.0))  # exp((t + s)(1 + t)), s outer, t inner
    assert isinstance(z[0], Series)
    assert z[1].coefficients == pytest.approx([1, 2, 2.5, 2 + 2 / 3])
