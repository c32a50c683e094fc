"""One-point moments and histograms: merged exactly, in whatever portions values come."""

import numpy as np
import pytest
from scipy import stats

from dmft.validation.distribution import Distribution, RunningMoments, binned, mean_moments


def direct(x):
    return np.mean(x), np.var(x), stats.skew(x), stats.kurtosis(x, fisher=False)


def as_tuple(m):
    return m.mean, m.variance, m.skewness, m.kurtosis


@pytest.mark.parametrize("offset", [0.0, 1e6])
def test_merging_is_exact(offset):
    """Portions of unequal size and mean; an offset of a million costs few digits."""
    rng = np.random.default_rng(0)
    portions = [rng.gamma(2.0, size=size) + shift for size, shift in ((1, 0), (700, 3), (40, -2))]
    running = RunningMoments()
    for portion in [*portions, np.zeros(0)]:
        running.add(portion + offset)
    everything = np.concatenate(portions)
    expected = np.array(direct(everything)) + np.array([offset, 0, 0, 0])
    np.testing.assert_allclose(
        as_tuple(running.moments()), expected, rtol=1e-7 if offset else 1e-12
    )
    assert running.moments().count == 741


def test_known_distributions():
    """Uniform (0, 1.8), exponential (2, 9), two values (0, 1), within four standard errors."""
    rng = np.random.default_rng(1)
    n, portions = 4000, 40
    for draw, skewness, kurtosis in (
        (lambda: rng.uniform(size=n), 0.0, 1.8),
        (lambda: rng.exponential(size=n), 2.0, 9.0),
        (lambda: rng.choice([-1.0, 1.0], size=n), 0.0, 1.0),
    ):
        moments = []
        for _ in range(portions):
            observer = Distribution()
            for _ in range(4):
                observer.add({"x": draw().astype(np.float32).reshape(4, -1)})
            moments.append(observer.result().moments["x"])
        for name, exact in (("skewness", skewness), ("kurtosis", kurtosis)):
            found = mean_moments(moments)[name]
            bias = 0.1 * exact / np.sqrt(n)  # ratios of moments are off by O(1/n)
            assert abs(found.mean - exact) < 4 * found.standard_error + bias + 1e-3
            assert found.standard_error < 0.02 * max(1.0, exact)


def test_constants_and_nothing():
    running = RunningMoments()
    assert np.isnan(running.moments().mean)
    running.add(np.full(5, 2.0))
    assert running.moments().mean == 2.0
    assert running.moments().variance == 0.0
    assert np.isnan(running.moments().kurtosis)


def test_histogram():
    rng = np.random.default_rng(2)
    edges = np.linspace(-2.0, 3.0, 21)
    observer = Distribution(names=("x",), edges={"x": edges})
    values = rng.standard_normal((10, 3, 200))
    for x in values:
        observer.add({"x": x, "y": x})
    found = observer.result()
    assert list(found.moments) == ["x"]
    h = found.histograms["x"]
    counts, _ = np.histogram(values, edges)
    np.testing.assert_allclose(h.density, counts / values.size / np.diff(edges))
    assert h.below == np.mean(values < -2.0)
    assert h.above == np.mean(values >= 3.0)
    assert np.sum(h.density * np.diff(edges)) + h.below + h.above == pytest.approx(1.0)


def test_edges():
    assert binned(np.array([0.0, 1.0, 2.0]), np.array([0.0, 1.0, 2.0])).tolist() == [0, 1, 1, 1]
    with pytest.raises(ValueError, match="increasing"):
        Distribution(edges={"x": [1.0, 0.0]})
