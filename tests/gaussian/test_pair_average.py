"""F(D, C) = E f(x) f(y) and its derivatives against closed forms and a direct double sum."""

import numpy as np
import pytest
from double_trapezoid import as_list, double_average, logistic_family, tanh_family
from scipy import special

from dmft.gaussian.pair_average import AverageBudgetError, pair_average

RHO = np.array([-1.0, -0.99, -0.5, 0.0, 0.3, 0.9, 0.97, 0.99, 0.9999, 1.0])


def truth(family, variance, rho, steepness):
    """E f f, E f' f', E f'' f (Price) at every rho."""
    f, slope, curvature = family
    pairs = ((f, f), (slope, slope), (curvature, f))
    return np.array([[double_average(a, b, variance, r, steepness) for r in rho] for a, b in pairs])


@pytest.mark.parametrize("steepness", [0.1, 1.0, 3.0, 10.0, 30.0])
@pytest.mark.parametrize("gain", [1.0, 4.0])
def test_tanh(steepness, gain):
    family, variance = tanh_family(gain), (steepness / gain) ** 2
    rho = RHO if steepness < 30 else RHO[[1, 4, 6, 8, 9]]
    exact = truth(family, variance, rho, steepness)
    average = pair_average(as_list(family), variance)
    ours = average.at(rho * variance)
    power = exact[0, -1]
    assert np.max(abs(ours[0] - exact[0])) <= max(average.error, 1e-15)
    slopes, curvatures = abs(exact[1]).max(), abs(exact[2]).max()
    assert np.max(abs(ours[1] - exact[1])) <= 1e-10 * slopes, power
    assert np.max(abs(ours[2] - exact[2])) <= 1e-9 * curvatures


@pytest.mark.parametrize(("steepness", "bias"), [(1.0, 0.0), (5.0, 1.3), (12.0, -2.0), (40.0, 3.0)])
def test_logistic(steepness, bias):
    """A biased gate has even and odd parts; its own scale is half its gain."""
    family, variance = logistic_family(5.0, bias), (steepness / 5) ** 2
    rho = RHO if steepness < 40 else RHO[[1, 6, 9]]
    exact = truth(family, variance, rho, steepness / 2)
    average = pair_average(as_list(family), variance)
    ours = average.at(rho * variance)
    assert np.max(abs(ours[0] - exact[0])) <= max(average.error, 1e-15)
    assert np.max(abs(ours[1] - exact[1])) <= 1e-10 * abs(exact[1]).max()
    assert np.max(abs(ours[2] - exact[2])) <= 1e-9 * abs(exact[2]).max()


@pytest.mark.parametrize("variance", [0.01, 0.7, 5.0, 400.0, 2e4])
def test_error_function_in_closed_form(variance):
    """E erf erf = (2/pi) asin(2C/(1+2D)); derivatives by hand."""

    def erf(x):
        slope = 2 / np.sqrt(np.pi) * np.exp(-(x**2))
        return [special.erf(x), slope, -2 * x * slope]

    c, d = RHO * variance, variance
    root = np.sqrt((1 + 2 * d) ** 2 - 4 * c**2)
    average = pair_average(erf, d)
    value, by_c, by_d = average.at(c)
    assert np.max(abs(value - 2 / np.pi * np.arcsin(2 * c / (1 + 2 * d)))) <= average.error
    np.testing.assert_allclose(by_c, 4 / np.pi / root, rtol=1e-9)
    exact = -8 * c / np.pi / ((1 + 2 * d) * root)
    np.testing.assert_allclose(by_d, exact, rtol=1e-8, atol=1e-10 * abs(exact).max())


@pytest.mark.parametrize("variance", [0.3, 2.0])
def test_polynomial_in_closed_form(variance):
    """f = 1 + x^3: F = 1 + 9 D^2 C + 6 C^3, a series of four terms."""
    c, d = RHO * variance, variance
    average = pair_average(lambda x: [1 + x**3, 3 * x**2, 6 * x], d)
    assert average.coefficients.size == 4
    value, by_c, by_d = average.at(c)
    np.testing.assert_allclose(value, 1 + 9 * d**2 * c + 6 * c**3, rtol=1e-13)
    np.testing.assert_allclose(by_c, 9 * d**2 + 18 * c**2, rtol=1e-13)
    np.testing.assert_allclose(by_d, 18 * d * c, rtol=1e-13, atol=1e-13)


@pytest.mark.parametrize("variance", [0.2, 1.5])
def test_sine_in_closed_form(variance):
    """E sin x sin y = e^{-D} sinh C."""
    c, d = RHO * variance, variance
    value, by_c, by_d = pair_average(lambda x: [np.sin(x), np.cos(x), -np.sin(x)], d).at(c)
    np.testing.assert_allclose(value, np.exp(-d) * np.sinh(c), rtol=1e-13, atol=1e-16)
    np.testing.assert_allclose(by_c, np.exp(-d) * np.cosh(c), rtol=1e-12)
    np.testing.assert_allclose(by_d, -np.exp(-d) * np.sinh(c), rtol=1e-12, atol=1e-14)


@pytest.mark.parametrize("constant", [0.5, 0.0])
def test_constant(constant):
    """A gate without gain; zero itself has no scale and must not divide by it."""

    def f(x):
        return [constant + 0 * x, 0 * x, 0 * x]

    value, by_c, by_d = pair_average(f, 0.8).at(0.8 * RHO)
    assert np.all(abs(value - constant**2) < 1e-15)
    assert np.all(abs(by_c) < 1e-15)
    assert np.all(abs(by_d) < 1e-15)


@pytest.mark.parametrize("tol", [1e-3, 1e-6, 1e-10, 1e-14])
@pytest.mark.parametrize("steepness", [0.5, 3.0, 12.0])
def test_reported_error_bounds_the_true_error(tol, steepness):
    """And says something: it is not far above what was asked for."""
    family = tanh_family(1.0)
    exact = truth(family, steepness**2, RHO, steepness)[0]
    average = pair_average(as_list(family), steepness**2, tol)
    error = np.max(abs(average.at(RHO * steepness**2)[0] - exact))
    assert error <= average.error + 2e-15
    assert average.error <= 4 * tol * exact[-1]


@pytest.mark.parametrize("tol", [1e-4, 1e-13])
def test_derivatives_are_those_of_the_cut_series(tol):
    """By C: differences of the same series. By D: differences of its coefficients."""
    family, variance = tanh_family(2.0), 1.9
    average = pair_average(as_list(family), variance, tol)
    c = np.linspace(-0.9, 0.9, 9) * variance
    step = 1e-3

    def slope(function):
        near, far = (function(k * step) - function(-k * step) for k in (1, 2))
        return (8 * near - far) / (12 * step)

    by_c = slope(lambda e: average.at(c + e)[0])
    np.testing.assert_allclose(average.at(c)[1], by_c, rtol=1e-8)
    size = average.coefficients.size

    def coefficients(e):
        found = pair_average(as_list(family), variance + e, tol / 10).coefficients
        return found[:size]

    np.testing.assert_allclose(average.slopes, slope(coefficients), rtol=0, atol=1e-9)


def test_series_and_smoothing_meet():
    """Beyond a steepness the series gives way near rho = 1: no step at the seam, in any of three."""
    family = tanh_family(1.0)
    average = pair_average(as_list(family), 400.0)
    assert average.near_one is not None
    assert 0.5 < average.switch < 1
    seam = average.switch * 400.0
    below, above = (average.at(np.array([c])) for c in (seam * (1 - 1e-12), seam * (1 + 1e-12)))
    for a, b in zip(below, above, strict=True):
        assert b[0] == pytest.approx(a[0], rel=1e-9)


def test_averages_against_fifty_digit_series():
    """Mehler's series in 50 digits, with Price's derivatives from the series of f' and f''."""
    import mpmath

    context = mpmath.MPContext()
    context.dps = 50
    gain, variance = context.mpf(1), context.mpf("1.44")
    step, reach, terms = context.mpf("0.06"), 230, 160
    nodes = [step * k for k in range(-reach, reach + 1)]
    density = [step * context.exp(-(x**2) / 2) / context.sqrt(2 * context.pi) for x in nodes]
    inside = [context.tanh(gain * context.sqrt(variance) * x) for x in nodes]
    families = [
        inside,
        [gain * (1 - t**2) for t in inside],
        [-2 * gain**2 * t * (1 - t**2) for t in inside],
    ]
    before, now = [context.mpf(0)] * len(nodes), list(density)
    series = [[], [], []]
    for n in range(terms):
        for found, family in zip(series, families, strict=True):
            found.append(context.fdot(now, family))
        following = [
            (x * b - context.sqrt(n) * a) / context.sqrt(n + 1)
            for x, a, b in zip(nodes, before, now, strict=True)
        ]
        before, now = now, following
    average = pair_average(as_list(tanh_family(1.0)), 1.44)
    for rho in (-0.6, 0.25, 0.7):
        r = context.mpf(rho)
        exact = [
            sum(a * b * r**n for n, (a, b) in enumerate(zip(series[i], series[j], strict=True)))
            for i, j in ((0, 0), (1, 1), (2, 0))
        ]
        ours = average.at(np.array([rho * 1.44]))
        for a, b in zip(ours, exact, strict=True):
            assert a[0] == pytest.approx(float(b), rel=1e-12)


def test_too_steep_is_refused():
    with pytest.raises(AverageBudgetError, match="gain times standard deviation is too large"):
        pair_average(as_list(tanh_family(1.0)), 1e14)


@pytest.mark.parametrize("variance", [-1.0, float("nan")])
def test_variance_must_not_be_negative(variance):
    with pytest.raises(ValueError, match="must be >= 0"):
        pair_average(as_list(tanh_family(1.0)), variance)


@pytest.mark.parametrize(
    ("steepness", "mean"), [(0.3, 2.0), (3.0, -0.7), (12.0, 1.5), (40.0, 0.6), (1.0, -9.0)]
)
def test_with_a_mean(steepness, mean):
    """x and y of one mean: values and derivatives, also where the series gives way to smoothing."""
    gain, variance = 2.0, (steepness / 2) ** 2
    f, slope, curvature = tanh_family(gain)
    shifted = tuple(lambda x, part=part: part(mean + x) for part in (f, slope, curvature))
    rho = RHO if steepness < 40 else RHO[[1, 6, 9]]
    exact = truth(shifted, variance, rho, steepness)
    by_mean = [2 * double_average(*shifted[1::-1], variance, r, steepness) for r in rho]
    average = pair_average(as_list(tanh_family(gain)), variance, mean=mean)
    ours = average.at(rho * variance)
    assert np.max(abs(ours[0] - exact[0])) <= max(average.error, 2e-15)
    # the cut is relative to E f^2, which the mean of f dominates; its n-th term is n times larger in dF/dC
    slack = 20 * average.error / variance + 1e-14
    assert np.max(abs(ours[1] - exact[1])) <= 1e-10 * abs(exact[1]).max() + slack
    assert np.max(abs(ours[2] - exact[2])) <= 1e-9 * abs(exact[2]).max() + slack
    error = abs(average.by_mean(rho * variance) - by_mean)
    assert np.max(error) <= 1e-9 * np.max(np.abs(by_mean)) + slack
