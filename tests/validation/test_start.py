"""Initial states: mean, width and shape per field."""

import numpy as np
import pytest
from scipy import stats

from dmft.codegen import compile_network
from dmft.errors import InputError
from dmft.validation.network import draw_network, draw_state
from dmft.validation.start import Start

FIELDS = ("x", "y")
SHAPE = (40, 500)
LEVEL = 1e-3


@pytest.mark.parametrize("distribution", ["gaussian", "uniform", "binary"])
def test_mean_and_deviation_of_every_field(distribution):
    """Normal test of the mean; of the variance with its own scatter (none for binary)."""
    start = Start({"x": 0.5, "y": 2.0}, {"y": -1.0}, distribution)
    states = start.draw(FIELDS, SHAPE, np.random.default_rng(1), np.float64)
    for state, mean, deviation in zip(states, (0.0, -1.0), (0.5, 2.0), strict=True):
        u = (state - mean) / deviation
        assert abs(u.sum()) / np.sqrt(u.size) < stats.norm.isf(LEVEL / 2)
        error = (u**2).std() / np.sqrt(u.size)
        assert abs((u**2).mean() - 1) < stats.norm.isf(LEVEL / 2) * error + 1e-6


def test_a_number_counts_for_all_and_zero_is_exact():
    states = Start(0.0, 0.3).draw(FIELDS, (2, 3), np.random.default_rng(0))
    for state in states:
        np.testing.assert_array_equal(state, np.full((2, 3), np.float32(0.3)))


def test_a_number_is_a_gaussian_start():
    network = draw_network(compile_network("vanilla"), {"g": 2.0}, 20, np.random.default_rng(0))
    by_number, by_start = (
        draw_state(network, 3, start, np.random.default_rng(5))[0] for start in (0.7, Start(0.7))
    )
    expected = 0.7 * np.random.default_rng(5).standard_normal((3, 20), dtype=np.float32)
    np.testing.assert_array_equal(by_number, expected)
    np.testing.assert_array_equal(by_start, expected)
    assert by_number.dtype == np.float32


@pytest.mark.parametrize("bad", [Start({"z": 1.0}), Start(1.0, {"X": 0.1})])
def test_unknown_fields(bad):
    with pytest.raises(InputError, match="there is no field"):
        bad.draw(FIELDS, (1, 2), np.random.default_rng(0))


def test_unknown_distribution():
    with pytest.raises(InputError, match="gaussian, uniform, binary"):
        Start(distribution="cauchy")
