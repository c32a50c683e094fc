"""E f^2, its derivative by the variance, and E f'^2, against closed forms and mpmath."""

import mpmath
import numpy as np
import pytest
from double_trapezoid import as_list, logistic_family, tanh_family

from dmft.gaussian.pair_average import AverageBudgetError, pair_average
from dmft.gaussian.square_moments import square_moments


@pytest.mark.parametrize("variance", [0.0, 0.3, 7.0])
def test_polynomial(variance):
    """f = x^3: 15 D^3, 45 D^2, 27 D^2."""
    moments = square_moments(lambda x: [x**3, 3 * x**2, 6 * x], variance)
    assert moments.square[0] == pytest.approx(15 * variance**3, rel=1e-13)
    assert moments.square_by_variance[0] == pytest.approx(45 * variance**2, rel=1e-13)
    assert moments.slope_square[0] == pytest.approx(27 * variance**2, rel=1e-13)


@pytest.mark.parametrize("variance", [0.5, 3.0])
def test_sine(variance):
    """E sin^2 = (1 - e^{-2D})/2."""
    moments = square_moments(lambda x: [np.sin(x), np.cos(x), -np.sin(x)], variance)
    decay = np.exp(-2 * variance)
    assert moments.square[0] == pytest.approx((1 - decay) / 2, rel=1e-14)
    assert moments.square_by_variance[0] == pytest.approx(decay, rel=1e-12)
    assert moments.slope_square[0] == pytest.approx((1 + decay) / 2, rel=1e-14)


@pytest.mark.parametrize("steepness", [0.1, 1.0, 3.0, 10.0, 60.0])
def test_tanh_against_thirty_digits(steepness):
    """THEORY section 10: 120 Gauss-Hermite nodes are off by 1e-2 at 10."""
    with mpmath.workdps(30):
        a = mpmath.mpf(steepness)
        edges = [-12, -4, *(k / a for k in (-6, -2, 0, 2, 6) if abs(k / a) < 4), 4, 12]

        def normal(f):
            return mpmath.quad(lambda u: f(a * u) * mpmath.npdf(u), edges)

        exact = (
            normal(lambda x: mpmath.tanh(x) ** 2),
            normal(lambda x: mpmath.sech(x) ** 4 * (1 - 2 * mpmath.sinh(x) ** 2)),
            normal(lambda x: mpmath.sech(x) ** 4),
        )
    moments = square_moments(as_list(tanh_family(1.0)), steepness**2)
    assert moments.square[0] == pytest.approx(float(exact[0]), rel=2e-14)
    assert moments.slope_square[0] == pytest.approx(float(exact[2]), rel=2e-13)
    scale = float(exact[2])
    assert moments.square_by_variance[0] == pytest.approx(float(exact[1]), abs=1e-12 * scale)


def test_derivative_is_the_slope_of_the_square():
    family, d, step = as_list(logistic_family(6.0, 1.0)), 0.8, 1e-3
    values = square_moments(family, [d - 2 * step, d - step, d + step, d + 2 * step]).square
    slope = (8 * (values[2] - values[1]) - (values[3] - values[0])) / (12 * step)
    assert square_moments(family, d).square_by_variance[0] == pytest.approx(slope, rel=1e-9)


def test_agrees_with_pair_averages_at_full_correlation():
    """Two routes of the package: trapezoid of f^2 and the summed series."""
    family = as_list(logistic_family(9.0, -0.7))
    for d in (0.05, 1.0, 6.0):
        moments, pair = square_moments(family, d), pair_average(family, d).at(np.array([d]))
        assert moments.square[0] == pytest.approx(pair[0][0], rel=1e-13)
        assert moments.slope_square[0] == pytest.approx(pair[1][0], rel=1e-10)
        total = pair[1][0] + pair[2][0]  # C and D grow together
        assert moments.square_by_variance[0] == pytest.approx(total, rel=1e-8)


def test_many_variances_at_once_are_each_as_if_alone():
    family = as_list(tanh_family(3.0))
    variances = np.array([0.0, 1e-9, 0.02, 1.0, 30.0])
    together = square_moments(family, variances)
    for i, d in enumerate(variances):
        alone = square_moments(family, d)
        assert together.square[i] == pytest.approx(alone.square[0], rel=1e-13)
        assert together.slope_square[i] == pytest.approx(alone.slope_square[0], rel=1e-13)


def test_too_steep_is_refused():
    with pytest.raises(AverageBudgetError, match="gain times standard deviation is too large"):
        square_moments(as_list(tanh_family(1.0)), [1.0, 1e14])


@pytest.mark.parametrize(("gain", "mean", "variance"), [(1.0, 0.6, 0.8), (4.0, -1.2, 2.0)])
def test_with_a_mean(gain, mean, variance):
    """Every average against a plain sum, and Stein's derivatives against differences."""
    nodes = np.linspace(-9, 9, 40001)
    weights = np.exp(-(nodes**2) / 2)
    weights /= weights.sum()
    f, slope, curvature = (part(mean + np.sqrt(variance) * nodes) for part in tanh_family(gain))
    family = as_list(tanh_family(gain))
    moments = square_moments(family, variance, mean=mean)
    for ours, values in (
        (moments.square, f**2),
        (moments.square_by_variance, slope**2 + f * curvature),
        (moments.slope_square, slope**2),
        (moments.mean, f),
        (moments.slope, slope),
        (moments.curvature, curvature),
        (moments.value_slope, f * slope),
    ):
        assert ours[0] == pytest.approx(float(weights @ values), rel=1e-12, abs=1e-14)
    step = 1e-4
    up, down = (square_moments(family, variance, mean=mean + s) for s in (step, -step))
    assert (up.mean - down.mean)[0] / (2 * step) == pytest.approx(moments.slope[0], rel=1e-6)
    assert (up.square - down.square)[0] / (4 * step) == pytest.approx(
        moments.value_slope[0], rel=1e-6
    )
    up, down = (square_moments(family, variance + s, mean=mean) for s in (step, -step))
    assert (up.mean - down.mean)[0] / step == pytest.approx(moments.curvature[0], rel=1e-6)


@pytest.mark.parametrize("mean", [3.0, 12.0, 40.0, -1e4])
def test_saturated_outputs_do_not_exhaust_the_nodes(mean):
    """1 - tanh^2 is mere rounding there; that must not look like a lack of nodes."""
    moments = square_moments(as_list((np.tanh, lambda x: 1 - np.tanh(x) ** 2,
                                      lambda x: -2 * np.tanh(x) * (1 - np.tanh(x) ** 2))),
                             [0.0, 1e-3, 0.5, 7.0], mean=mean)  # fmt: skip
    assert np.all(moments.square <= 1 + 1e-14)
    assert moments.mean[0] == pytest.approx(np.tanh(mean))
