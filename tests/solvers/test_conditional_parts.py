"""The parts of the path sampler, each against a closed form or plain linear algebra."""

import numpy as np
import pytest
from scipy.linalg import expm, solve_continuous_lyapunov
from scipy.special import eval_hermitenorm, factorial

from dmft.gaussian.pair_average import pair_average
from dmft.solvers.anderson import AndersonHistory
from dmft.solvers.block_steps import BlockSource, PathGrid, block_steps
from dmft.solvers.conditional_average import ConditionalAverage
from dmft.solvers.conditional_covariance import block_paths
from dmft.solvers.exponential_fit import ExponentialBasis, graded_lags
from dmft.solvers.lag_grid import LagGrid
from dmft.solvers.path_matrix import PathMatrix, runge_kutta_step
from dmft.solvers.path_moments import PathMoments, PathSums, total

GRID = PathGrid(0.2, 100, 10, 300, (0, 1, 5, 20, 60))


# -- sums of exponentials ---------------------------------------------------------------------


def basis(*, smooth=True, constant=False):
    """For functions that bend on a time of 2 and last for 3."""
    lags = 0.1 * graded_lags(0.25, 25.0, 40, 0.1)
    return ExponentialBasis.between(lags, 0.13, 8.0, constant=constant, smooth=smooth)


def test_a_smooth_covariance_is_fitted_between_the_nodes_with_a_positive_spectrum():
    grid, errors, negative = LagGrid(40.0, 2048), [], []
    for smooth in (True, False):
        fit = basis(smooth=smooth)
        values = fit.at(grid.lags) @ fit.weights(1 / np.cosh(fit.lags / 2))
        errors.append(np.max(abs(values - 1 / np.cosh(grid.lags / 2))))
        negative.append(-np.sum(np.minimum(grid.coefficients(values), 0)))
    assert errors[0] < 2e-4 and negative[0] < 1e-5
    # what the conditions at lag 0 are for
    assert errors[1] > 3 * errors[0] and negative[1] > 1e-4


@pytest.mark.parametrize("constant", [False, True])
def test_sums_of_the_rates_are_fitted_exactly(constant):
    fit = basis(smooth=False, constant=constant)
    weights = np.random.default_rng(3).standard_normal((2, fit.rates.size))
    values = weights @ fit.values.T
    assert fit.has_constant == constant
    assert np.allclose(fit.projected(values), values, atol=1e-9)


def test_a_shorter_fit_looks_at_no_later_lag():
    whole = basis()
    fit = ExponentialBasis(whole.lags, whole.rates, used=30)
    assert not np.any(fit.fit[:, 30:])


# -- one step of a linear system --------------------------------------------------------------


def matrix(values):
    return PathMatrix(
        {(i, j): float(v) for (i, j), v in np.ndenumerate(np.asarray(values)) if v != 0}
    )


def dense(m, size):
    return np.array([[m.entries.get((i, j), 0.0) for j in range(size)] for i in range(size)])


def test_the_step_is_of_fourth_order():
    a = np.array([[-1.0, 0.7], [-0.4, -0.3]])
    errors = []
    for step in (0.4, 0.2, 0.1):
        moving = tuple(matrix(a) for _ in range(3))
        once = dense(runge_kutta_step(moving, 2, step).propagator, 2)
        many = np.linalg.matrix_power(once, round(2 / step))
        errors.append(np.max(abs(many - expm(2 * a))))
    slope = np.polyfit(np.log([0.4, 0.2, 0.1]), np.log(errors), 1)[0]
    assert 3.7 < slope < 4.5


def test_a_gated_field_keeps_what_it_follows():
    # x' = a(t) (f - x): x = f stays, whatever a does within the step
    a = [matrix([[-v]]) for v in (0.2, 0.9, 0.4)]
    b = [matrix([[v]]) for v in (0.2, 0.9, 0.4)]
    stepped = runge_kutta_step(tuple(a), 1, 0.5)
    pushed = sum(dense(u @ f, 1) for u, f in zip(stepped.forcing, b, strict=True))
    assert dense(stepped.propagator, 1) + pushed == pytest.approx(np.ones((1, 1)), abs=1e-15)


# -- covariances along a path -----------------------------------------------------------------


def still(a, b, sources, c=None):
    """The recursion with constant coefficients, two paths that are alike."""
    size = len(a)
    constant = PathMatrix({} if c is None else {(i, 0): v for i, v in enumerate(c)})
    steps = block_steps(size, GRID.step, matrix(a), matrix(b), constant, sources, (GRID.steps, 2))
    return block_paths(GRID, steps, sources)


def test_a_field_with_constant_rate():
    # S = sum_m w_m e^{-k|tau|} through x' = -r x + b s: each term gives
    # w b^2 / (r^2 - k^2) (e^{-k tau} - (k/r) e^{-r tau})
    rate, b = 0.5, 0.8
    # smooth at lag 0, for which the rule is of fourth order: sum_m w_m k_m = 0
    rates, weights = np.array([0.13, 0.9, 2.0]), np.array([1.2, 0.9, -0.483])
    along = still([[-rate]], [[b]], [BlockSource(rates, weights)])
    lags = GRID.lags[:, None]
    terms = weights * b**2 / (rate**2 - rates**2)
    expected = (terms * (np.exp(-rates * lags) - rates / rate * np.exp(-rate * lags))).sum(axis=1)
    found = np.array([c[0].mean() for c in along.lagged()])
    assert np.allclose(found, expected, atol=2e-5 * expected[0])
    assert np.allclose(along.variances[0], expected[0], atol=2e-5 * expected[0])


def test_two_fields_white_noise_and_a_pattern():
    # x' = A x + B s: the noise by Lyapunov's equation, the pattern by the static response
    a, b = np.array([[-0.9, 0.5], [-0.3, -0.6]]), np.array([[1.0, 0.4], [0.0, 0.7]])
    pattern = BlockSource(np.zeros(1), np.array([0.3]), mean=0.2)
    noise = BlockSource(np.zeros(0), np.zeros(0), intensity=0.5)
    along = still(a, b, [pattern, noise], c=[0.1, 0.0])
    response = -np.linalg.solve(a, b)
    frozen = 0.3 * np.outer(response[:, 0], response[:, 0])
    moving = solve_continuous_lyapunov(a, -0.5 * np.outer(b[:, 1], b[:, 1]))
    mean = 0.2 * response[:, 0] - np.linalg.solve(a, [0.1, 0.0])
    for j in range(2):
        assert along.means[j].mean() == pytest.approx(mean[j], rel=1e-6)
        assert along.variances[j].mean() == pytest.approx((frozen + moving)[j, j], rel=1e-5)
    for lag, found in zip(GRID.lags, along.lagged(), strict=True):
        expected = frozen + expm(a * lag) @ moving
        assert [found[j].mean() for j in range(2)] == pytest.approx(
            [expected[j, j] for j in range(2)], abs=1e-5
        )


def test_moving_coefficients_against_the_double_integral():
    # K(t, t') = int int P(t, u) b(u) S(u - u') b(u') P(t', u') on a fine grid of the same circle
    period, fine = GRID.period, 8
    time = np.arange(2 * GRID.steps * fine) * GRID.step / 2 / fine

    def drift(t):
        return 0.6 + 0.35 * np.sin(2 * np.pi * t / period) + 0.2 * np.cos(6 * np.pi * t / period)

    def strength(t):
        return 0.5 + 0.4 * np.cos(4 * np.pi * t / period)

    rates, weights = np.array([0.3, 1.1]), np.array([1.0, -0.4])
    source = BlockSource(rates, weights)
    half = time[::fine][:, None]
    steps = block_steps(
        1,
        GRID.step,
        PathMatrix({(0, 0): -np.repeat(drift(half), 1, axis=1)}),
        PathMatrix({(0, 0): np.repeat(strength(half), 1, axis=1)}),
        PathMatrix({}),
        [source],
        (GRID.steps, 1),
    )
    along = block_paths(GRID, steps, [source])
    # three circles of history are enough: P falls like e^{-0.6 t}
    d = time[1] - time[0]
    u = np.arange(-2 * time.size, time.size + GRID.nodes[-1] * 2 * fine + 1) * d
    decay = np.concatenate([[0.0], np.cumsum((drift(u)[1:] + drift(u)[:-1]) / 2) * d])
    s = (weights[:, None, None] * np.exp(-rates[:, None, None] * abs(u - u[:, None]))).sum(axis=0)

    def row(n):
        values = np.exp(decay[: n + 1] - decay[n]) * strength(u[: n + 1])
        values[[0, -1]] *= 0.5
        return np.pad(values * d, (0, u.size - n - 1))

    start = 2 * time.size + 3 * GRID.stride * 2 * fine
    for lag, found in zip(GRID.nodes, along.lagged(), strict=True):
        expected = row(start) @ s @ row(start + lag * 2 * fine)
        assert found[0][3, 0] == pytest.approx(expected, rel=2e-4)


def test_memory_is_what_is_left_of_a_start():
    short = PathGrid(0.2, 100, 10, 10, (0, 1))
    source = BlockSource(np.array([1.0]), np.array([0.0]))
    steps = block_steps(
        1, 0.2, matrix([[-0.5]]), matrix([[1.0]]), PathMatrix({}), [source], (100, 1)
    )
    along = block_paths(short, steps, [source], start_variance=3.0)
    left = np.exp(-2 * 0.5 * 2.0)
    assert along.memory == pytest.approx(left, rel=1e-5)
    assert along.variances[0][0, 0] == pytest.approx(3 * left, rel=1e-5)


# -- Gaussian averages ------------------------------------------------------------------------

VARIANCES = np.random.default_rng(8).gamma(3.0, 0.3, 400)


def pairs(average, v1, v2, c, m1=None, m2=None):
    first = average.coefficients(m1, v1)
    second = average.coefficients(m2, v2)
    return average.pairs(first, second, c / np.sqrt(v1 * v2))


def test_cubes_in_closed_form():
    # E x^3 y^3 = 9 v1 v2 c + 6 c^3
    average = ConditionalAverage.adapted(lambda x: x**3, 0 * VARIANCES, VARIANCES, 1e-9)
    v1, v2 = VARIANCES, VARIANCES[::-1]
    c = np.linspace(-0.99, 1.0, v1.size) * np.sqrt(v1 * v2)
    assert average.odd
    assert np.allclose(pairs(average, v1, v2, c).values, 9 * v1 * v2 * c + 6 * c**3, rtol=1e-6)


@pytest.mark.parametrize("mean", [0.0, 0.7])
def test_exponentials_in_closed_form(mean):
    # E e^{bx} e^{by} = e^{2bm + b^2 (v1 + v2 + 2c)/2}
    b = 0.5
    means = np.full_like(VARIANCES, mean)
    average = ConditionalAverage.adapted(lambda x: np.exp(b * x), means, VARIANCES, 1e-9)
    v1, v2 = VARIANCES, VARIANCES[::-1]
    c = np.linspace(-0.99, 1.0, v1.size) * np.sqrt(v1 * v2)
    expected = np.exp(2 * b * mean + b**2 * (v1 + v2 + 2 * c) / 2)
    assert np.allclose(pairs(average, v1, v2, c, means, means).values, expected, rtol=1e-6)


@pytest.mark.parametrize("gain", [1.0, 4.0, 30.0])
@pytest.mark.parametrize("tol", [1e-3, 1e-5])
def test_the_bound_holds_against_the_series_of_the_closed_theory(gain, tol):
    def function(x):
        return np.tanh(gain * x)

    def with_slopes(x):
        f = np.tanh(gain * x)
        return [f, gain * (1 - f * f), -2 * gain**2 * f * (1 - f * f)]

    average = ConditionalAverage.adapted(function, np.zeros(50), np.full(50, 0.4), tol)
    rho = np.array([0.2, 0.6, 0.9, 0.97, 0.995, 1.0])
    expected = pair_average(with_slopes, 0.4).at(0.4 * rho)[0]
    v = np.full(1, 0.4)
    for r, value in zip(rho, expected, strict=True):
        found = pairs(average, v, v, r * v)
        assert abs(found.values[0] - value) <= found.error + 2 * tol * expected[-1]
    assert pairs(average, v, v, v).values[0] == pytest.approx(expected[-1], abs=2 * tol)


def test_enough_terms_for_the_tolerance():
    few, many = (
        ConditionalAverage.adapted(np.tanh, np.zeros(50), np.full(50, 3.0), tol)
        for tol in (1e-2, 1e-5)
    )
    assert few.terms < many.terms < 80


@pytest.mark.parametrize(
    "gain", [1.0, 3.0, 30.0]
)  # steep ones would take more points than they save
def test_many_coefficients_come_from_a_table(gain):
    """Cubes: c_1 = 3 v^(3/2), c_3 = 6^(1/2) v^(3/2); steep functions against sums one by one."""
    variances = np.random.default_rng(9).gamma(3.0, 0.3, 20_000)
    cubes = ConditionalAverage.adapted(lambda x: x**3, 0 * VARIANCES, VARIANCES, 1e-9)
    found = cubes.coefficients(None, variances)
    expected = np.array([3.0, np.sqrt(6.0)])[:, None] * variances**1.5
    # the sums end at 6.5 standard deviations
    assert np.max(abs(found[:2] - expected)) <= 2e-6 * np.max(np.hypot(*expected))

    average = ConditionalAverage.adapted(
        lambda x: np.tanh(gain * x), 0 * VARIANCES, VARIANCES, 1e-4
    )
    few = slice(0, 1000)  # too few for a table
    difference = average.coefficients(None, variances)[:, few] - average.coefficients(
        None, variances[few]
    )
    assert np.max(abs(difference)) <= 1e-7


# -- sums over paths --------------------------------------------------------------------------


def rows(rng, paths):
    """A target that the controls explain up to 0.01."""
    controls = rng.standard_normal((2, paths))
    noise = 0.01 * rng.standard_normal((1, paths))
    return 2.0 + np.array([[3.0, -1.0]]) @ controls + noise, controls


def test_controls_take_out_what_they_explain():
    rng = np.random.default_rng(5)
    found = total(1, [PathSums.of(*rows(rng, 500)) for _ in range(8)])
    error = np.sqrt(found.covariance[0, 0])
    assert found.count == 4000 and len(found.folds) == 4
    assert error == pytest.approx(0.01 / np.sqrt(4000), rel=0.1)
    assert abs(found.means[0] - 2) < 4 * error
    assert abs(found.plain[0] - 2) > 4 * error


def test_folds_keep_the_spread_honest_where_controls_have_long_tails():
    # e^x is regressed on Hermite polynomials of x: the residuals are largest where leverage is
    rng = np.random.default_rng(7)
    squares, dealt, alone = np.zeros(2), 0.0, 0.0
    for _ in range(300):
        parts = []
        for _ in range(4):
            z = rng.standard_normal((3, 128))
            controls = [hermite(x, d) for x in z for d in range(1, 7)]
            targets = np.exp(z.sum(axis=0) / np.sqrt(3)) - np.exp(0.5)
            parts.append(PathSums.of(targets[None], np.array(controls)))
        folds = total(1, parts)
        single = PathMoments(1, (sum(parts[1:], start=parts[0]),))
        squares += folds.means[0] ** 2, single.means[0] ** 2
        dealt += folds.covariance[0, 0]
        alone += single.covariance[0, 0]
    # 300 squares scatter by 8% of their mean, long tails by more
    assert 0.7 < squares[0] / dealt < 1.4
    assert squares[1] / alone > 1.6


def hermite(x, degree):
    return eval_hermitenorm(degree, x) / np.sqrt(factorial(degree))


def test_few_paths_go_without_controls():
    rng = np.random.default_rng(6)
    found = total(1, [PathSums.of(rng.standard_normal((1, 20)), rng.standard_normal((10, 20)))])
    assert found.means == pytest.approx(found.plain)


def test_anderson_on_a_linear_map():
    rng = np.random.default_rng(9)
    slow = np.diag(0.99 - 0.1 * np.arange(4)) + 0.02 * rng.standard_normal((4, 4))
    shift = 1 + rng.random(4)
    x, history = shift[None], AndersonHistory()
    for _ in range(7):
        history.add(x, x @ slow.T + shift)
        x = history.combined()
    assert x[0] == pytest.approx(np.linalg.solve(np.eye(4) - slow, shift), rel=1e-6)
