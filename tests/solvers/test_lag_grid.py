"""Cosine series on a window: transforms, an exact filter pair, and spectral convergence."""

import numpy as np
import pytest
from scipy.special import erfc, erfcx

from dmft.solvers.lag_grid import LagGrid, evaluate_series


def filtered_gaussian(tau, width):
    """(1 - d^2)^{-1} of exp(-tau^2 / 2 w^2): convolved with exp(-|tau|)/2, in closed form."""
    w, tau = width, abs(tau)
    scale = w / 2 * np.sqrt(np.pi / 2)
    a, b = (w**2 - tau) / (w * np.sqrt(2)), (w**2 + tau) / (w * np.sqrt(2))
    # exp(w^2/2 + tau) erfc(b) would overflow: use the scaled erfcx
    right = np.exp(-(tau**2) / (2 * w**2)) * erfcx(b)
    left = np.exp(w**2 / 2 - tau) * erfc(a)
    return scale * (left + right)


def test_coefficients_of_a_cosine():
    grid = LagGrid(7.0, 16)
    for k in (0, 1, 5, 16):
        a = grid.coefficients(np.cos(grid.frequencies[k] * grid.lags))
        np.testing.assert_allclose(a, np.eye(17)[k], atol=1e-14)


def test_transforms_are_inverse_and_keep_their_input():
    grid = LagGrid(3.0, 33)
    values = np.random.default_rng(3).standard_normal((2, 3, 34))
    before = values.copy()
    np.testing.assert_allclose(grid.values(grid.coefficients(values)), values, atol=1e-14)
    np.testing.assert_array_equal(values, before)


def test_series_interpolates():
    grid = LagGrid(20.0, 128)
    a = grid.coefficients(np.exp(-(grid.lags**2) / 2))
    anywhere = np.linspace(0, 20, 1201)
    np.testing.assert_allclose(
        evaluate_series(a, 20.0, anywhere), np.exp(-(anywhere**2) / 2), atol=1e-14
    )


def test_filter_of_a_gaussian_in_closed_form():
    grid = LagGrid(40.0, 400)
    source = np.exp(-(grid.lags**2) / (2 * 1.3**2))
    gain = 1 / (1 + grid.frequencies**2)
    ours = grid.values(gain * grid.coefficients(source))
    np.testing.assert_allclose(ours, filtered_gaussian(grid.lags, 1.3), atol=3e-15)


def spectral_error(n):
    grid = LagGrid(40.0, n)
    gain = 1 / (1 + grid.frequencies**2)
    ours = grid.values(gain * grid.coefficients(np.exp(-(grid.lags**2) / 2)))
    return np.max(abs(ours - filtered_gaussian(grid.lags, 1.0)))


def fourth_order_error(n):
    """The same filter by fourth-order differences of the equation f - f'' = source."""
    h = 40.0 / n
    lags = h * np.arange(n + 1)
    matrix = np.eye(n + 1)
    for i in range(n + 1):
        for offset, c in ((-2, -1), (-1, 16), (0, -30), (1, 16), (2, -1)):
            j = abs(i + offset)  # even at 0
            if j <= n:
                matrix[i, j] -= c / (12 * h**2)
    return np.max(
        abs(np.linalg.solve(matrix, np.exp(-(lags**2) / 2)) - filtered_gaussian(lags, 1.0))
    )


def is_spectral(errors):
    """Each doubling gains more than twice the digits that the one before did, and over 2^12."""
    gains = np.log2(np.array(errors[:-1]) / np.array(errors[1:]))
    return bool(gains[-1] > 12 and np.all(np.diff(gains) > 0))


def test_convergence_is_faster_than_any_power():
    assert is_spectral([spectral_error(n) for n in (20, 40, 80)])


def test_a_fourth_order_scheme_would_fail_that():
    errors = [fourth_order_error(n) for n in (40, 80, 160, 320)]
    slope = np.polyfit(np.log([40, 80, 160, 320][1:]), np.log(errors[1:]), 1)[0]
    assert slope == pytest.approx(-4, abs=0.3)
    assert not is_spectral(errors)


def test_resample_to_a_denser_grid_is_exact():
    coarse, fine = LagGrid(25.0, 96), LagGrid(25.0, 250)
    function = np.exp(-(coarse.lags**2) / 3)
    np.testing.assert_allclose(
        coarse.resample(function, fine), np.exp(-(fine.lags**2) / 3), atol=1e-13
    )


def test_resample_to_a_longer_window_continues_the_decay():
    short, long = LagGrid(10.0, 96), LagGrid(14.0, 140)
    rows = np.stack([np.exp(-0.5 * short.lags), 2 * np.exp(-0.3 * short.lags)])
    expected = np.stack([np.exp(-0.5 * long.lags), 2 * np.exp(-0.3 * long.lags)])
    ours = short.resample(rows, long)
    beyond = long.lags > 10
    np.testing.assert_allclose(ours[:, beyond], expected[:, beyond], rtol=0.1)  # a guess only


def test_unresolved_tells_a_coarse_grid():
    fine, coarse = LagGrid(20.0, 200), LagGrid(20.0, 24)
    assert fine.unresolved(np.exp(-(fine.lags**2) / 2)) < 1e-14
    assert coarse.unresolved(np.exp(-(coarse.lags**2) / 2)) > 1e-3
