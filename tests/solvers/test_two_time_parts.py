"""The parts of the two-time solver, each against plain linear algebra or another rule."""

import numpy as np
import pytest
from scipy.integrate import quad_vec
from scipy.linalg import expm

from dmft.solvers.two_time_average import PathAverage
from dmft.solvers.two_time_covariance import LinearGroup
from dmft.solvers.two_time_gates import (
    GatePaths,
    GrowingCholesky,
    block_normals,
    coarse_normals,
)
from dmft.solvers.two_time_history import BLOCK, History, PropagatorHistory, times
from dmft.solvers.two_time_step import StepWeights, step_weights


def random_weights(rng, size, drives, paths):
    """A contraction, and anything else."""
    return StepWeights(
        0.7 * rng.standard_normal((size, size, paths)) / size,
        rng.standard_normal((size, drives, paths)),
        rng.standard_normal((size, drives, paths)),
        rng.standard_normal((size, drives, paths)),
        rng.standard_normal((size, paths)),
        np.diag(rng.random(size)),
    )


@pytest.mark.parametrize("steps", [1, BLOCK - 1, BLOCK, BLOCK + 1, 3 * BLOCK + 5])
def test_recursion_in_blocks(steps):
    """g_{m+1} = P_m g_m + s_m, one after the other."""
    rng = np.random.default_rng(steps)
    history = PropagatorHistory(2, 3)
    propagators = rng.standard_normal((steps, 2, 2, 3))
    for p in propagators:
        history.append(p)
    sources = np.zeros((BLOCK * -(-steps // BLOCK), 2, 4, 3))
    sources[:steps] = rng.standard_normal((steps, 2, 4, 3))
    given, expected, g = sources.copy(), [], np.zeros((2, 4, 3))
    for m in range(steps):
        g = np.einsum("ijp,jkp->ikp", propagators[m], g) + given[m]
        expected.append(g)
    found = history.recursion(sources)[:steps]
    np.testing.assert_allclose(found, expected, rtol=1e-9, atol=1e-9 * np.max(np.abs(expected)))


def test_history_grows_and_keeps():
    history = History((2,), capacity=0)
    for k in range(100):
        history.append(np.array([k, -k]))
    assert history.rows.shape == (100, 2)
    assert history.rows[77, 1] == -77
    history.replace(np.ones((3, 2)))
    assert history.rows.shape == (3, 2)


def test_products_of_stacks():
    rng = np.random.default_rng(0)
    a, b = rng.standard_normal((5, 2, 3, 4)), rng.standard_normal((5, 3, 2, 4))
    np.testing.assert_allclose(times(a, b), np.einsum("tijp,tjkp->tikp", a, b))
    assert times(a[:, :, :0], b[:, :0]).shape == (5, 2, 2, 4)


@pytest.mark.parametrize(("size", "drives"), [(1, 1), (2, 2), (2, 0)])
def test_covariances_of_a_linear_process(size, drives):
    """All x^ are linear in start, drives and noises: K = M (covariance of those) M^T, path by path."""
    rng = np.random.default_rng(7)
    steps, paths = 6, 3
    variance = rng.random((size, paths))
    mean = rng.standard_normal((size, paths))
    root = rng.standard_normal((drives, steps + 1, steps + 1))
    drive = root @ root.swapaxes(1, 2)
    drive_mean = rng.standard_normal((steps + 1, drives))
    group = LinearGroup(drives, variance, mean)
    group.begin(drive[:, 0, 0])
    weights = [random_weights(rng, size, drives, paths) for _ in range(steps)]
    weights[0].extrapolation[:] = 0.0
    rows, means = [group.covariance], [mean]
    for n, w in enumerate(weights):
        before = max(n - 1, 0)
        rows.append(group.predict(w, drive_mean[[before, n]]))
        means.append(group.predicted_mean)
        group.correct(drive[:, n + 1, : n + 2], drive_mean[[n, n + 1]])
    for path in range(paths):
        # basis: x_0, then w(n, a), then one noise vector a step
        extent = size + (steps + 1) * drives + steps * size
        basis = np.zeros((extent, extent))
        basis[:size, :size] = np.diag(variance[:, path])
        level = np.concatenate([mean[:, path], drive_mean.ravel(), np.zeros(steps * size)])
        for a in range(drives):
            places = size + np.arange(steps + 1) * drives + a
            basis[np.ix_(places, places)] = drive[a]
        for n, w in enumerate(weights):
            first = size + (steps + 1) * drives + n * size
            basis[first : first + size, first : first + size] = w.noise

        def at(n, extent=extent):
            unit = np.zeros((drives, extent))
            unit[:, size + n * drives : size + (n + 1) * drives] = np.eye(drives)
            return unit

        x = np.eye(size, extent)
        predicted, forced = [x], [np.zeros(size)]
        shift = np.zeros(size)
        for n, w in enumerate(weights):
            p, u, v, e = (
                part[..., path] for part in (w.propagator, w.before, w.after, w.extrapolation)
            )
            first = size + (steps + 1) * drives + n * size
            noise = np.zeros((size, extent))
            noise[:, first : first + size] = np.eye(size)
            earlier = at(n - 1) if n else at(n)
            predicted.append(p @ x + (u + v) @ at(n) + e @ (at(n) - earlier) + noise)
            x = p @ x + u @ at(n) + v @ at(n + 1) + noise
            shift = p @ shift + w.constant[:, path]
            forced.append(shift)
        for n in range(steps + 1):
            for m in range(n + 1):
                exact = predicted[n] @ basis @ predicted[m].T
                np.testing.assert_allclose(rows[n][m, ..., path], exact, atol=1e-9)
            exact = predicted[n] @ level + forced[n]
            np.testing.assert_allclose(means[n][:, path], exact, atol=1e-9)


@pytest.mark.parametrize("scale", [1e-6, 1e-2, 1.0, 40.0])
def test_weights_of_a_step(scale):
    """P, U, V, f and the noise as integrals over the step, for two fields and for one."""
    drift = -scale * np.array([[1.0, 0.4], [-0.3, 0.7]])
    arm, push = np.array([[1.0, 0.0], [0.5, 2.0]]), np.array([0.3, -1.0])
    noise, h = np.array([[0.5, 0.1], [0.1, 0.2]]), 0.8
    w = step_weights(h, 0.5, drift[..., None], arm[..., None], push[:, None], noise)
    flow = lambda s: expm(drift * (h - s))  # noqa: E731
    integral = lambda f: quad_vec(f, 0, h, epsabs=1e-13, epsrel=1e-11)[0]  # noqa: E731
    np.testing.assert_allclose(w.propagator[..., 0], flow(0), atol=1e-13)
    after = integral(lambda s: flow(s) @ arm * (s / h))
    np.testing.assert_allclose(w.after[..., 0], after, atol=1e-11)
    np.testing.assert_allclose(
        w.before[..., 0], integral(lambda s: flow(s) @ arm) - after, atol=1e-11
    )
    np.testing.assert_allclose(w.constant[..., 0], integral(lambda s: flow(s) @ push), atol=1e-11)
    np.testing.assert_allclose(w.noise, integral(lambda s: flow(s) @ noise @ flow(s).T), atol=1e-11)
    damping = flow(0) @ (np.eye(2) - h * drift)
    np.testing.assert_allclose(
        w.extrapolation[..., 0],
        0.5 * np.linalg.matrix_power(damping, 3) @ after,
        atol=1e-11,
    )
    one = step_weights(
        h, 0.5, drift[:1, :1, None], arm[:1, :1, None], push[:1, None], noise[:1, :1]
    )
    single = lambda s: np.exp(drift[0, 0] * (h - s))  # noqa: E731
    assert one.after.item() == pytest.approx(integral(lambda s: single(s) * s / h), rel=1e-10)
    assert one.noise.item() == pytest.approx(integral(lambda s: 0.5 * single(s) ** 2), rel=1e-10)


@pytest.mark.parametrize("length", [0.05, 0.5, 1.0, 1.6, 3.0, 10.0])
def test_stable_for_any_step(length):
    """x' = -x + lambda x for complex |lambda| < 1, the spectrum of a coupled network: all modes shrink."""
    one = np.ones((1, 1, 1))
    w = step_weights(length, 1.0, -one, one, np.zeros((1, 1)), np.zeros((1, 1)))
    p, u, v, e = (part.item() for part in (w.propagator, w.before, w.after, w.extrapolation))
    for angle in np.linspace(0, np.pi, 25):
        mode = 0.98 * np.exp(1j * angle)
        predicted = np.array([p, u + v + e, -e])
        following = mode * predicted  # w_{n+1} from x_n, w_n, w_{n-1}
        matrix = [np.array([p, u, 0]) + v * following, following, [0, 1, 0]]
        assert np.max(abs(np.linalg.eigvals(np.array(matrix)))) < 1


def test_growing_cholesky_of_a_well_conditioned_matrix():
    rng = np.random.default_rng(3)
    root = rng.standard_normal((90, 90))
    matrix = root @ root.T + 90 * np.eye(90)
    factor = GrowingCholesky()
    for n in range(90):
        factor.append(matrix[n, : n + 1])
    np.testing.assert_allclose(factor.lower, np.linalg.cholesky(matrix), rtol=1e-8, atol=1e-8)


def test_paths_of_a_smooth_process():
    """exp(-tau^2/2) at steps of 0.05: singular in double precision, yet paths have its covariance.

    A field that starts at 0 and one with it, half a unit late: rows of zeros are allowed.
    """
    t = np.arange(150) * 0.05
    lag = t[:, None] - t
    grown = np.outer(1 - np.exp(-t), 1 - np.exp(-t))
    table = {
        (0, 0): np.exp(-(lag**2) / 2) * grown,
        (1, 1): np.exp(-(lag**2) / 2) * grown,
        (0, 1): np.exp(-((lag - 0.5) ** 2) / 2) * grown,
    }
    table[1, 0] = table[0, 1].T
    both = np.array([[table[i, j] for j in (0, 1)] for i in (0, 1)])
    paths = 4000
    gates = GatePaths(2, paths)
    drawn = []
    for n in range(t.size):
        covariance = np.moveaxis(both[:, :, n, : n + 1], -1, 0)
        normals = block_normals(5, 0, 0, n, (2, paths))
        drawn.append(gates.append(covariance, np.zeros((2, paths)), normals))
    drawn = np.array(drawn)
    assert np.all(drawn[0] == 0)
    for i in (0, 1):
        for j in (0, 1):
            found = drawn[:, i] @ drawn[:, j].T / paths
            # antithetic pairs: paths / 2 independent products
            deviation = np.sqrt(
                (np.outer(np.diagonal(both[i, i]), np.diagonal(both[j, j])) + both[i, j] ** 2)
                / (paths / 2)
            )
            assert np.max(abs(found - both[i, j]) / (deviation + 1e-12)) < 5


def test_normals_of_a_block():
    first = block_normals(1, 2, 0, 3, (2, 6))
    np.testing.assert_array_equal(first, block_normals(1, 2, 0, 3, (2, 6)))
    assert not np.any(first == block_normals(1, 2, 1, 3, (2, 6)))
    assert not np.any(first == block_normals(1, 3, 0, 3, (2, 6)))
    np.testing.assert_array_equal(first[:, ::2], -first[:, 1::2])


def test_coarse_normals_draw_the_same_values():
    rng = np.random.default_rng(1)
    root = rng.standard_normal((9, 9))
    matrix = root @ root.T
    lower = np.linalg.cholesky(matrix)
    normals, kept = rng.standard_normal((9, 5)), np.array([0, 2, 4, 8])
    coarse = np.linalg.cholesky(matrix[np.ix_(kept, kept)])
    np.testing.assert_allclose(
        coarse @ coarse_normals(lower, normals, kept), (lower @ normals)[kept], atol=1e-10
    )


def shifted_sine(scale):
    """sin(scale x): E sin sin is elementary for any means and variances."""
    return lambda x, n: np.sin(scale * x + 0.1 * n)


def test_averages_of_a_pair_with_means_and_unequal_variances():
    """E sin(a+u) sin(b+w) = (cos(a-b) e^{-V(u-w)/2} - cos(a+b) e^{-V(u+w)/2}) / 2."""
    rng = np.random.default_rng(2)
    paths, count, scale = 7, 6, 1.3
    average = PathAverage(shifted_sine(scale), np.full(paths, 1 / paths), 1e-13)
    root = rng.standard_normal((paths, count, 4))
    covariance = root @ root.swapaxes(1, 2) / 4
    mean = rng.standard_normal((count, paths))
    for n in range(count):
        variance = covariance[:, n, n]
        average.append(mean[n], variance)
        found = average.lagged(covariance[:, n, : n + 1].T)
        for m in range(n + 1):
            a, b = scale * mean[n] + 0.1 * n, scale * mean[m] + 0.1 * m
            one, two = variance + covariance[:, m, m], 2 * covariance[:, n, m]
            exact = np.cos(a - b) * np.exp(-(scale**2) * (one - two) / 2)
            exact -= np.cos(a + b) * np.exp(-(scale**2) * (one + two) / 2)
            np.testing.assert_allclose(found[m], exact / 2, atol=1e-10)
        exact_mean = np.sin(scale * mean[n] + 0.1 * n) * np.exp(-(scale**2) * variance / 2)
        np.testing.assert_allclose(average.mean.rows[-1], exact_mean, atol=1e-11)


def test_no_variance_is_no_trouble():
    average = PathAverage(lambda x, n: np.tanh(x), np.array([0.5, 0.5]), 1e-6)
    average.append(np.array([0.3, -0.2]), np.zeros(2))
    average.append(np.array([0.1, 0.4]), np.array([0.0, 0.5]))
    found = average.lagged(np.zeros((2, 2)))
    np.testing.assert_allclose(found[0, 0], np.tanh(0.3) * np.tanh(0.1), atol=1e-14)
    np.testing.assert_allclose(found[1, 0], np.tanh(0.1) ** 2, atol=1e-14)


def test_a_cut_sum_is_exact_for_equal_states():
    """Two times with the same state: E f^2 however early the sum is cut; nothing jumps from step to step."""
    average = PathAverage(lambda x, n: np.tanh(6 * x), np.full(2, 0.5), 0.02)
    mean, variance = np.array([0.0, 0.3]), np.array([1.0, 0.4])
    for _ in range(2):
        average.append(mean, variance)
    assert 0.002 < average.tail <= 0.02
    found = average.lagged(np.array([variance, variance]))
    np.testing.assert_allclose(found[0], found[1], rtol=1e-12)
    np.testing.assert_allclose(found[1], average.square.rows[-1], rtol=1e-14)


def test_cut_sums_are_covariances():
    """The order at which a sum is cut changes as the variance grows tenfold: no negative eigenvalue.

    Rules that differ between pairs would leave some of the size of the tolerance.
    """
    t = np.arange(60) * 0.1
    size = 0.3 + 0.7 * t / t[-1]
    covariance = np.exp(-((t[:, None] - t) ** 2) / 2) * np.outer(size, size)
    average = PathAverage(lambda x, n: np.tanh(3 * x), np.ones(1), 1e-3)
    table, lengths = np.zeros((60, 60)), set()
    for n in range(60):
        average.append(np.zeros(1), covariance[n, n, None])
        row = average.lagged(covariance[n, : n + 1, None])[:, 0]
        table[n, : n + 1] = table[: n + 1, n] = row
        lengths.add(int(np.count_nonzero(average.coefficients.rows[-1])))
    assert len(lengths) > 1
    assert np.linalg.eigvalsh(table)[0] > -1e-13
    assert 0 < average.tail <= 1e-3
