"""The participation ratio: no bias from few, correlated samples."""

import numpy as np
import pytest

from dmft.validation.participation import GROUPS, Participation


def correlated(covariance_root, mean, samples, batch, rng, rho=0.8):
    """AR(1) in time, every start by itself; the stationary covariance is root root'."""
    n = len(mean)
    x = rng.standard_normal((batch, n))
    for _ in range(samples):
        yield (x @ covariance_root.T + mean).astype(np.float32)
        x = rho * x + np.sqrt(1 - rho**2) * rng.standard_normal((batch, n))


def measured(root, mean, samples, batch, rng):
    observer = Participation("x")
    for x in correlated(root, mean, samples, batch, rng):
        observer.add({"x": x, "other": x[:, :1]})
    return observer.result()


def test_no_bias_where_the_plain_ratio_fails():
    """Ten correlated samples of 20 units: unbiased within 4 errors, the plain ratio far too low."""
    rng = np.random.default_rng(0)
    n = 20
    basis, _ = np.linalg.qr(rng.standard_normal((n, n)))
    root = basis @ np.diag(np.linspace(0.2, 1.5, n))
    mean = rng.standard_normal(n)
    covariance = root @ root.T
    trace, square = np.trace(covariance), np.sum(covariance**2)
    results = [measured(root, mean, 10, 4, rng) for _ in range(400)]
    for values, exact in (
        ([r.trace for r in results], trace),
        ([r.trace_of_square for r in results], square),
    ):
        error = np.std(values, ddof=1) / np.sqrt(len(values))
        assert abs(np.mean(values) - exact) < 4 * error
        assert error < 0.05 * exact
    assert np.mean([r.naive for r in results]) < 0.6 * trace**2 / square


def test_many_samples_of_independent_units():
    """D = N for equal variances; both estimates agree once samples are many."""
    rng = np.random.default_rng(1)
    result = measured(np.eye(6), np.zeros(6), 4000, 8, rng)
    assert result.value == pytest.approx(6.0, abs=0.1)
    assert result.naive == pytest.approx(6.0, abs=0.1)
    assert result.trace == pytest.approx(6.0, abs=0.2)
    assert result.samples == 4000 * 8


def test_one_direction():
    rng = np.random.default_rng(2)
    direction = rng.standard_normal((9, 1))
    root = np.concatenate([direction, np.zeros((9, 8))], axis=1)
    assert measured(root, np.full(9, 3.0), 3000, 4, rng).value == pytest.approx(1.0, abs=0.02)


def test_samples_that_fill_no_block_count():
    """Rows kept back are taken at the end, and reading the result twice changes nothing."""
    rng = np.random.default_rng(3)
    rows = [rng.standard_normal((GROUPS, 5)) for _ in range(7)]
    observer = Participation("x")
    for row in rows:
        observer.add({"x": row})
    result = observer.result()
    pooled = np.concatenate(rows)
    covariance = np.cov(pooled.T, bias=True)
    assert result.naive == pytest.approx(np.trace(covariance) ** 2 / np.sum(covariance**2))
    assert observer.result() == result


def test_batches_that_cannot_be_split():
    with pytest.raises(ValueError, match="multiple of 4"):
        Participation("x").add({"x": np.zeros((6, 3))})
    assert np.isnan(Participation("x").result().value)
