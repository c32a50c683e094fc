"""Identities that hold for any function and any network, on drawn examples (Hypothesis)."""

import itertools
from dataclasses import replace

import numpy as np
import sympy as sp
from hypothesis import given, settings
from hypothesis import strategies as st
from small_models import one_field, two_fields, x, y

from dmft.derivations.action import EntryStatistics, characteristic_exponent
from dmft.derivations.closure import Factor, factorise
from dmft.derivations.disorder import disorder_average
from dmft.derivations.filters import power_gain
from dmft.derivations.functions import logistic
from dmft.derivations.gaussian import GaussianAverage, linear_insertions
from dmft.derivations.model import Coupling
from dmft.derivations.models import get
from dmft.derivations.symbols import lambda_, omega, s

drawn = settings(derandomize=True, deadline=None, max_examples=25, database=None)
few = settings(drawn, max_examples=10)

D, C = sp.Symbol("D", positive=True), sp.Symbol("C", real=True)
LABEL = sp.Symbol("f")
whole = st.integers(-4, 4)
polynomials = st.lists(whole, min_size=1, max_size=6)
orders = st.integers(0, 2)
fractions = st.fractions(-2, 2, max_denominator=5)


def pairings(letters: tuple[int, ...], covariance: np.ndarray) -> object:
    """E of a product of jointly normal variables (Isserlis 1918)."""
    if not letters:
        return 1
    first, rest = letters[0], letters[1:]
    return sum(
        covariance[first, other] * pairings(rest[:i] + rest[i + 1 :], covariance)
        for i, other in enumerate(rest)
    )


def average(
    f: list[int], g: list[int], covariance: np.ndarray, extra: tuple[int, ...] = ()
) -> object:
    """E f(x) g(y) times further variables, f and g by their coefficients."""
    return sum(
        a * b * pairings((0,) * i + (1,) * j + extra, covariance)
        for (i, a), (j, b) in itertools.product(enumerate(f), enumerate(g))
        if a and b
    )


def slope(f: list[int], order: int) -> list[int]:
    for _ in range(order):
        f = [k * a for k, a in enumerate(f)][1:]
    return f


@drawn
@given(polynomials, orders, orders, st.sampled_from([D, C]))
def test_price(f: list[int], m: int, n: int, by: sp.Symbol) -> None:
    """d/dC and d/dD of E f^(m) f^(n), for every polynomial."""
    pair = np.array([[D, C], [C, D]])

    def closed(i: int, j: int) -> sp.Expr:
        return sp.sympify(average(slope(f, i), slope(f, j), pair))

    price = sp.diff(GaussianAverage(LABEL, m, n, D, C), by).replace(
        lambda e: isinstance(e, GaussianAverage), lambda e: closed(int(e.args[1]), int(e.args[2]))
    )
    assert sp.expand(price - sp.diff(closed(m, n), by)) == 0


@drawn
@given(
    st.lists(whole, min_size=1, max_size=4),
    st.lists(whole, min_size=1, max_size=4),
    st.lists(whole, min_size=10, max_size=10),
)
def test_two_linear_insertions(f: list[int], g: list[int], entries: list[int]) -> None:
    """E f(x) g(y) u v by partial integration; moments are polynomials, so any symmetric matrix will do."""
    covariance = np.zeros((4, 4), dtype=object)
    covariance[np.triu_indices(4)] = entries
    covariance = covariance + covariance.T - np.diag(np.diag(covariance))
    terms = linear_insertions(
        0, 0, (covariance[0, 2], covariance[1, 2]), (covariance[0, 3], covariance[1, 3]),
        covariance[2, 3],
    )  # fmt: skip
    found = sum(w * average(slope(f, i), slope(g, j), covariance) for (i, j), w in terms.items())
    assert found == average(f, g, covariance, (2, 3))


ODD = (x, sp.tanh(2 * x), sp.sin(x), x**3, sp.erf(x) / 2, x * sp.exp(-(x**2)))
EVEN = (
    sp.cos(x),
    sp.exp(-(x**2)),
    1 / (1 + x**2),
    logistic(x) * logistic(-x),
    sp.Integer(3) + x**2,
)
NEITHER = (logistic(x), sp.exp(x), 1 + x, sp.tanh(x + 1))


@drawn
@given(
    st.lists(st.sampled_from(ODD), min_size=0, max_size=3),
    st.lists(st.sampled_from(EVEN), min_size=0, max_size=2),
    st.sampled_from([None, *NEITHER]),
)
def test_parity(odd: list[sp.Expr], even: list[sp.Expr], neither: sp.Expr | None) -> None:
    """A product is odd if it has an odd number of odd factors and no factor without parity."""
    factors = [*odd, *even] + ([] if neither is None else [neither])
    found = Factor("f", "x", sp.Mul(*factors)).is_odd
    assert found == (len(odd) % 2 == 1 and neither is None)


@drawn
@given(
    st.sampled_from([*ODD, *EVEN, *NEITHER]),
    st.sampled_from([*ODD, *EVEN, *NEITHER]),
    fractions.filter(bool),
)
def test_factors_multiply_to_the_output(f: sp.Expr, h: sp.Expr, coefficient: object) -> None:
    """factorise splits by field and loses nothing."""
    g = sp.Symbol("g", positive=True)
    output = sp.sympify(coefficient) * g * f * h.subs(x, y)
    product = factorise(two_fields(), output, "xi")
    assert product is not None
    whole_again = product.coefficient * sp.prod([part.expression for part in product.factors])
    at = {x: sp.Rational(3, 7), y: sp.Rational(-5, 11), g: sp.Rational(13, 10)}
    assert abs(sp.N((whole_again - output).subs(at), 20)) < 1e-15
    assert [part.field for part in product.factors] == sorted(
        {part.field for part in product.factors}
    )
    for part in product.factors:
        assert part.expression.free_symbols & {x, y} == {sp.Symbol(part.field, real=True)}


@few
@given(st.lists(fractions, min_size=2, max_size=2), fractions)
def test_the_average_is_linear_in_the_cumulants(variances: list[object], mean: object) -> None:
    """Sums of independent couplings: variances and means add, whatever the outputs."""
    one, other = (sp.sympify(v) ** 2 for v in variances)
    m = sp.sympify(mean)

    def derived(variance: sp.Expr, mean: sp.Expr) -> object:
        model = one_field(couplings=(Coupling("xi", sp.tanh(x), variance, mean),))
        return disorder_average(model)

    left, right = derived(one, m), derived(other, 2 * m)
    both = derived(one + other, 3 * m)
    assert both.covariance == left.covariance + right.covariance
    assert both.mean[0] == left.mean[0] + right.mean[0]


@few
@given(st.lists(whole, min_size=4, max_size=4), st.lists(whole, min_size=2, max_size=2))
def test_the_exponent_of_independent_pairs_adds(roots: list[int], means: list[int]) -> None:
    """log E exp(i k J) of J = A + B, A and B independent: any covariance L L^T, zero pivots too."""
    k = sp.symbols("k:2", real=True)
    a = sp.Matrix(2, 2, roots)
    b = sp.Matrix([[1, 0], [roots[0], roots[3]]])
    mean = sp.Matrix(means)
    names = (("J", "ij"), ("J", "ji"))

    def exponent(mean: sp.Matrix, covariance: sp.Matrix) -> sp.Expr:
        return characteristic_exponent(EntryStatistics(names, mean, covariance), k)

    total = exponent(3 * mean, a * a.T + b * b.T)
    assert sp.expand(total - exponent(mean, a * a.T) - exponent(2 * mean, b * b.T)) == 0


@drawn
@given(st.permutations(range(3)))
def test_the_order_of_the_couplings_does_not_matter(order: list[int]) -> None:
    gated = get("gated")
    rho = sp.Rational(1, 3)
    model = replace(gated, correlations={("xi_h", "xi_r"): rho})
    turned = replace(model, couplings=tuple(model.couplings[i] for i in order))
    before, after = disorder_average(model).covariance, disorder_average(turned).covariance
    assert after == before.extract(order, order)


@few
@given(st.lists(whole, min_size=1, max_size=3), st.lists(whole, min_size=2, max_size=3))
def test_a_power_gain_is_an_absolute_square(above: list[int], below: list[int]) -> None:
    """|g(lambda + i omega)|^2 for any rational g, even in omega."""
    numerator = sum(a * s**k for k, a in enumerate(above))
    transfer = sp.sympify(numerator) / (7 + sum(a * s**k for k, a in enumerate(below)))
    gain = sp.lambdify([lambda_, omega], power_gain(transfer, lambda_))
    direct = sp.lambdify(s, transfer)
    for growth, frequency in ((0.0, 0.7), (0.31, 0.4), (-0.2, 1.9)):
        expected = abs(complex(direct(growth + 1j * frequency))) ** 2
        assert np.isclose(gain(growth, frequency), expected, rtol=1e-9, atol=1e-12)
        assert np.isclose(gain(growth, -frequency), expected, rtol=1e-9, atol=1e-12)
