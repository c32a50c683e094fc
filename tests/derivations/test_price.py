"""Price's theorem, as `GaussianAverage` differentiates, against closed forms and by numbers."""

import itertools

import numpy as np
import pytest
import sympy as sp
from sympy.core.function import ArgumentIndexError

from dmft.derivations.gaussian import GaussianAverage

f = sp.Symbol("f")
D = sp.Symbol("D", positive=True)
C = sp.Symbol("C", real=True)
x, y = sp.symbols("x y", real=True)


def moment(m, n):
    """E x^m y^n for variances D and covariance C, by counting pairings (Isserlis 1918)."""
    total = 0
    for cross in range(min(m, n) + 1):
        left, right = m - cross, n - cross
        if left % 2 or right % 2:
            continue
        ways = (
            sp.binomial(m, cross)
            * sp.binomial(n, cross)
            * sp.factorial(cross)
            * sp.factorial2(left - 1)
            * sp.factorial2(right - 1)
        )
        total += ways * D ** ((left + right) // 2) * C**cross
    return total


def polynomial_average(p, m, n):
    """E p^(m)(x) p^(n)(y) for a polynomial p in x."""
    left = sp.Poly(sp.diff(p, x, m), x).terms()
    right = sp.Poly(sp.diff(p, x, n), x).terms()
    return sum(a * b * moment(i, j) for ((i,), a), ((j,), b) in itertools.product(left, right))


def filled(expression, average):
    """Replace every GaussianAverage by its closed form ``average(m, n)``."""
    return expression.replace(
        lambda e: isinstance(e, GaussianAverage), lambda e: average(int(e.args[1]), int(e.args[2]))
    )


@pytest.mark.parametrize("polynomial", [x, x**2, x**3, x**4 - 3 * x, 1 + x + 5 * x**6])
@pytest.mark.parametrize(("m", "n"), [(0, 0), (1, 1), (2, 0)])
@pytest.mark.parametrize("by", [D, C])
def test_polynomials(polynomial, m, n, by):
    def closed(i, j):
        return polynomial_average(polynomial, i, j)

    price = filled(sp.diff(GaussianAverage(f, m, n, D, C), by), closed)
    assert sp.expand(price - sp.diff(closed(m, n), by)) == 0


@pytest.mark.parametrize("by", [D, C])
def test_exponential(by):
    """E e^{bx} e^{by} = exp(b^2 (D + C)); each derivative of e^{bx} is a factor b."""
    b = sp.Symbol("b", real=True)

    def closed(i, j):
        return b ** (i + j) * sp.exp(b**2 * (D + C))

    price = filled(sp.diff(GaussianAverage(f, 0, 0, D, C), by), closed)
    assert sp.simplify(price - sp.diff(closed(0, 0), by)) == 0


def test_error_function_by_covariance():
    """E erf erf = (2/pi) asin(2C/(1+2D)) (Williams 1998); E erf' erf' is a Gaussian integral."""
    closed = 2 / sp.pi * sp.asin(2 * C / (1 + 2 * D))
    slopes = 4 / sp.pi / sp.sqrt((1 + 2 * D) ** 2 - 4 * C**2)
    price = sp.diff(GaussianAverage(f, 0, 0, D, C), C)
    assert price == GaussianAverage(f, 1, 1, D, C)
    assert sp.simplify((sp.diff(closed, C) / slopes) ** 2) == 1
    at = {D: sp.Rational(3, 2), C: sp.Rational(1, 2)}
    assert sp.N((sp.diff(closed, C) - slopes).subs(at), 30) == pytest.approx(0, abs=1e-28)


def double_integral(left, right, variance, covariance):
    """E left(x) right(y) by the trapezoid rule in two independent normals (error below 1e-13)."""
    nodes = np.linspace(-9, 9, 301)
    weights = np.exp(-(nodes**2) / 2)
    weights /= weights.sum()
    rho = covariance / variance
    first = np.sqrt(variance) * nodes
    second = np.sqrt(variance) * (rho * nodes[:, None] + np.sqrt(1 - rho**2) * nodes[None, :])
    return float(weights @ (left(first) * (right(second) @ weights)))


def test_by_numbers_on_the_unit_of_the_gated_network():
    """tanh(3x) at D = 0.4, C = 0.15: differences of the average itself against Price's forms."""
    orders = [sp.lambdify(x, sp.diff(sp.tanh(3 * x), x, k), "numpy") for k in range(3)]
    step = 2e-3

    def average(variance, covariance, m=0, n=0):
        return double_integral(orders[m], orders[n], variance, covariance)

    def difference(function):
        near, far = (function(k * step) - function(-k * step) for k in (1, 2))
        return (8 * near - far) / (12 * step)

    by_c = difference(lambda e: average(0.4, 0.15 + e))
    assert by_c == pytest.approx(average(0.4, 0.15, 1, 1), rel=1e-7)
    by_d = difference(lambda e: average(0.4 + e, 0.15))
    assert by_d == pytest.approx(average(0.4, 0.15, 2, 0), rel=1e-7)


def test_orders_are_exchangeable_and_printed():
    assert GaussianAverage(f, 0, 2, D, C) == GaussianAverage(f, 2, 0, D, C)
    assert str(GaussianAverage(f, 2, 0, D, C)) == "<f'' f>"
    assert sp.latex(GaussianAverage(f, 1, 1, D, C)) == r"\left\langle f'\,f' \right\rangle"
    assert (
        sp.diff(GaussianAverage(f, 1, 0, D, C), D)
        == (GaussianAverage(f, 3, 0, D, C) + GaussianAverage(f, 2, 1, D, C)) / 2
    )


def test_only_variance_and_covariance_can_be_differentiated_by():
    with pytest.raises(ArgumentIndexError):
        GaussianAverage(f, 0, 0, D, C).fdiff(1)
