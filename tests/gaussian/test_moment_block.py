"""Blocks of averages at one value against closed forms and the scalar routine."""

import numpy as np
import pytest
from scipy import special

from dmft.gaussian.moment_block import moment_block
from dmft.gaussian.square_moments import square_moments


def tanh(x, rows=None):
    t = np.tanh(x)
    return t, 1 - t**2, -2 * t * (1 - t**2)


def test_polynomials_with_means():
    """f = x^2: E f = D + m^2, E f^2 = 3 D^2 + 6 D m^2 + m^4, E f'^2 = 4 (D + m^2)."""
    m, d = np.array([0.0, -1.3, 2.0]), np.array([0.7, 2.0, 0.1])
    block = moment_block(lambda x, rows: (x**2, 2 * x, 2 + 0 * x), m, d)
    assert block.mean == pytest.approx(d + m**2, rel=1e-14)
    assert block.mean_by_mean == pytest.approx(2 * m, rel=1e-13, abs=1e-14)
    assert block.mean_by_variance == pytest.approx(1, rel=1e-14)
    assert block.square == pytest.approx(3 * d**2 + 6 * d * m**2 + m**4, rel=1e-14)
    assert block.square_by_mean == pytest.approx(12 * d * m + 4 * m**3, rel=1e-13, abs=1e-13)
    assert block.square_by_variance == pytest.approx(6 * d + 6 * m**2, rel=1e-13)
    assert block.slope_square == pytest.approx(4 * (d + m**2), rel=1e-14)


def test_erf_has_a_closed_form():
    """E erf(x)^2 = (2/pi) arcsin(2 D / (1 + 2 D)) (C. K. I. Williams 1998)."""

    def erf(x, rows):
        slope = 2 / np.sqrt(np.pi) * np.exp(-(x**2))
        return special.erf(x), slope, -2 * x * slope

    d = np.geomspace(1e-6, 1e3, 50)
    block = moment_block(erf, np.zeros(50), d)
    assert block.square == pytest.approx(2 / np.pi * np.arcsin(2 * d / (1 + 2 * d)), rel=1e-12)


def test_parameters_differ_from_row_to_row():
    gains = np.array([0.1, 1.0, 7.0, 40.0])

    def family(x, rows):
        g = gains[rows][:, None]
        t = np.tanh(g * x)
        return t, g * (1 - t**2), -2 * g**2 * t * (1 - t**2)

    block = moment_block(family, np.zeros(4), np.full(4, 0.8))
    for i, g in enumerate(gains):
        one = square_moments(
            lambda x, g=g: [np.tanh(g * x), g / np.cosh(g * x) ** 2,
                            -2 * g**2 * np.tanh(g * x) / np.cosh(g * x) ** 2], 0.8
        )  # fmt: skip
        assert block.square[i] == pytest.approx(one.square[0], rel=1e-13)
        assert block.square_by_variance[i] == pytest.approx(one.square_by_variance[0], rel=1e-11)
        assert block.slope_square[i] == pytest.approx(one.slope_square[0], rel=1e-13)


def test_derivatives_are_those_of_the_averages():
    m, d, h = np.array([0.4]), np.array([1.7]), 1e-5
    block = moment_block(tanh, m, d)
    for by, up, down in (
        ("mean", (m + h, d), (m - h, d)),
        ("variance", (m, d + h), (m, d - h)),
    ):
        high, low = moment_block(tanh, *up), moment_block(tanh, *down)
        for name in ("mean", "square"):
            slope = (getattr(high, name) - getattr(low, name)) / (2 * h)
            assert getattr(block, f"{name}_by_{by}") == pytest.approx(slope, rel=1e-8)


def test_too_steep_is_nan_or_rough():
    d = np.array([1.0, 1e8])
    exact = moment_block(tanh, np.zeros(2), d)
    assert np.isfinite(exact.square[0])
    assert np.isnan(exact.square[1])
    rough = moment_block(tanh, np.zeros(2), d, 1e-6, 5, True)
    # a sign function in the limit: E f^2 = 1, and D dE f^2 / dD vanishes
    assert rough.square[1] == pytest.approx(1, abs=0.02)
    assert abs(rough.square_by_variance[1] * d[1]) < 0.02
