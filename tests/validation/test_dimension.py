"""Kaplan-Yorke dimension and entropy rate: closed forms, partial spectra, and their errors."""

import numpy as np
import pytest

from dmft.validation.dimension import (
    entropy_rate,
    kaplan_yorke,
    kaplan_yorke_dimension,
    positive_sum,
)
from dmft.validation.lyapunov_spectrum import LyapunovSpectrum


def spectrum_of(block_means, dimension=None, status="converged"):
    means = np.asarray(block_means, dtype=np.float64)
    times = np.arange(1.0, len(means) + 1)
    return LyapunovSpectrum(means, times, dimension or means.shape[1], 0.0, 0, status, "")


def constant(exponents, dimension=None, status="converged"):
    return spectrum_of([exponents] * 16, dimension, status)


@pytest.mark.parametrize(
    ("exponents", "dimension"),
    [
        ([0.9056, 0.0, -14.5723], 2 + 0.9056 / 14.5723),  # Lorenz, Sprott (2003): 2.062
        ([0.41922, -1.62319], 1.2583),  # Henon, Sprott (2003): 1.258
        ([-0.1, -0.2], 0.0),  # a fixed point
        ([0.0, -1.0], 1.0),  # a cycle
        ([0.0, 0.0, -1.0], 2.0),  # a torus
        ([0.5, -0.5], 2.0),  # volume conserved
        ([1.0, 0.5], 2.0),  # volume gained
        ([0.3, -0.1, -0.1, -0.1, -0.4], 4.0),
        ([0.2, -0.3, 0.2, -0.5], 3.0 + 0.1 / 0.5),  # sums decide, not single signs
    ],
)
def test_kaplan_yorke(exponents, dimension):
    assert kaplan_yorke_dimension(exponents) == pytest.approx(dimension, abs=1e-4)


def test_linear_spectrum():
    """lambda(u) = a - b u has D = 2 a N / b and entropy a^2 N / (2 b), up to O(1)."""
    n, a, b = 1000, 0.2, 2.0
    u = (np.arange(n) + 0.5) / n
    assert kaplan_yorke_dimension(a - b * u) == pytest.approx(2 * a / b * n, abs=1.0)
    assert positive_sum(a - b * u) == pytest.approx(a**2 / (2 * b) * n, abs=0.1)


def test_part_of_a_spectrum_gives_bounds_by_name():
    enough = constant([0.2, 0.1, -0.4], dimension=100)
    assert kaplan_yorke(enough).bracket == "value"
    assert kaplan_yorke(enough).value == pytest.approx(2.75)
    assert entropy_rate(enough).bracket == "upper bound"
    assert entropy_rate(enough).value == pytest.approx(0.3)
    short = constant([0.2, 0.1], dimension=100)
    assert kaplan_yorke(short).bracket == "lower bound"
    assert kaplan_yorke(short).value == 2.0
    assert entropy_rate(short).bracket == "incomplete"
    whole = constant([0.2, 0.1])
    assert kaplan_yorke(whole).bracket == "value"
    assert entropy_rate(whole).bracket == "upper bound"


def test_an_unsettled_spectrum_is_passed_on_as_such():
    unsettled = constant([0.1, -0.2], status="drifting")
    assert kaplan_yorke(unsettled).spectrum_status == "drifting"
    assert entropy_rate(unsettled).spectrum_status == "drifting"


def test_time_errors():
    """Against error propagation: D = 1 + a/b, h = a, from independent blocks with known scatter."""
    rng = np.random.default_rng(0)
    a, b, sigma, blocks = 0.5, 1.0, 0.05, 32
    dimensions, entropies, errors = [], [], []
    for _ in range(400):
        noise = sigma * rng.standard_normal((blocks, 2))
        spectrum = spectrum_of(np.array([a, -b]) + noise)
        dimensions.append(kaplan_yorke(spectrum).value)
        entropies.append(entropy_rate(spectrum).value)
        errors.append((kaplan_yorke(spectrum).time_error, entropy_rate(spectrum).time_error))
    one = sigma / np.sqrt(blocks)
    exact = np.array([one * np.hypot(1 / b, a / b**2), one])
    np.testing.assert_allclose(np.std([dimensions, entropies], axis=1), exact, rtol=0.15)
    np.testing.assert_allclose(np.sqrt(np.mean(np.square(errors), axis=0)), exact, rtol=0.05)
