"""Lyapunov spectra of systems whose exponents are known, and what the error bars promise."""

from functools import partial

import numpy as np
import pytest
from by_hand import Plain
from scipy import stats

from dmft.codegen import compile_network
from dmft.errors import DmftError, InputError
from dmft.validation.compare import t_test
from dmft.validation.eigenvalues import jacobian
from dmft.validation.ensemble import Ensemble, each_network, number_in_the_limit
from dmft.validation.flow import Flow
from dmft.validation.integrate import Trajectory, draw_tangents
from dmft.validation.lyapunov_spectrum import (
    LyapunovSpectrum,
    binned_error,
    halves_difference,
    lyapunov_spectrum,
)
from dmft.validation.network import FiniteNetwork, draw_network, draw_state
from dmft.validation.orthonormalise import orthonormalise
from dmft.validation.spectrum_of_networks import (
    SpectrumPlan,
    at_fraction,
    mean_running,
    mean_spectrum,
    network_spectrum,
)

LEVEL = 1e-3
GATED = {
    "g_h": 3.0,
    "alpha_z": 1.0,
    "alpha_r": 5.0,
    "beta_h": 0.1,
    "beta_z": 0.2,
    "beta_r": 0.3,
    "tau_z": 2.0,
    "tau_r": 0.5,
}


def linear_flow(matrix, tangents, rng, dt=1 / 32):
    n = len(matrix)
    return Flow(
        lambda x, dx: ([x[0] @ matrix.T], [dx[0] @ matrix.T]),
        [np.zeros((1, n))],
        [rng.standard_normal((tangents, n))],
        dt,
    )


def matrix_with(values, rng, skew=1.0):
    """A non-normal matrix with the given real parts; equal neighbours become a spiral."""
    n = len(values)
    core = np.diag(values).astype(float)
    for k in range(n - 1):
        if values[k] == values[k + 1]:
            core[k, k + 1], core[k + 1, k] = 2.0, -2.0
    basis = np.eye(n) + skew * rng.standard_normal((n, n)) / np.sqrt(n) / 2
    return basis @ core @ np.linalg.inv(basis)


# ---------------------------------------------------------------- orthonormalisation


def test_blocked_factors_are_those_of_householder():
    rng = np.random.default_rng(0)
    dx = [
        rng.standard_normal((7, 20)) * 10.0 ** rng.uniform(-3, 3, (7, 1)),
        rng.standard_normal((7, 5)),
    ]
    q, growth, loss = orthonormalise(dx)
    a = np.concatenate(dx, axis=1)
    upper = np.linalg.qr(a.T, mode="r")
    np.testing.assert_allclose(growth, np.log(np.abs(np.diagonal(upper))), atol=1e-12)
    rows = np.concatenate(q, axis=1)
    np.testing.assert_allclose(rows @ rows.T, np.eye(7), atol=1e-12)
    lower = a @ rows.T
    np.testing.assert_allclose(lower, np.tril(lower), atol=1e-9)  # nested spans, in order
    assert (np.diagonal(lower) > 0).all()
    lost = np.log(np.linalg.norm(a, axis=1)) - growth
    assert loss == pytest.approx(lost.max(), rel=1e-9)


def test_householder_takes_over_where_rows_are_dependent():
    """Angles of 1e-12 make the Gram matrix singular in doubles; growth is still right."""
    rng = np.random.default_rng(1)
    a = rng.standard_normal((3, 8))
    close = a[0] + 1e-12 * a[1]
    q, growth, loss = orthonormalise([np.stack([a[0], close, a[2]])])
    np.testing.assert_allclose(q[0] @ q[0].T, np.eye(3), atol=1e-12)
    away = a[1] - (a[1] @ a[0]) / (a[0] @ a[0]) * a[0]
    assert growth[1] == pytest.approx(np.log(1e-12 * np.linalg.norm(away)), abs=1e-3)
    assert loss > np.log(1e11)


def test_orthonormal_only_nearly_is_harmless():
    """Growths along a chain telescope to those of the whole product, however large the angles lost."""
    rng = np.random.default_rng(2)
    q, total, product = [np.eye(4)], np.zeros(4), np.eye(4)
    for _ in range(6):
        step = matrix_with(np.exp([1.0, 0.0, -1.0, -7.0]), rng, skew=1.5)
        product = product @ step.T
        q, growth, _ = orthonormalise([q[0] @ step.T])
        total += growth
    assert total.sum() == pytest.approx(6 * (1.0 + 0.0 - 1.0 - 7.0), abs=1e-6)
    assert total[0] == pytest.approx(np.log(np.linalg.norm(product[0])), abs=1e-12)


# ---------------------------------------------------------------- known systems


def test_linear_flow_has_the_real_parts_of_its_eigenvalues():
    """Non-normal, real and complex: blocks of whole turns, so that spirals average out."""
    rng = np.random.default_rng(3)
    values = [0.5, 0.5, 0.1, -0.4, -0.4, -1.0]
    flow = linear_flow(matrix_with(values, rng), 6, rng, dt=np.pi / 128)
    found = lyapunov_spectrum(flow, warm_up=40.0, duration=32 * np.pi, blocks=32, tol=1e-3)
    np.testing.assert_allclose(found.exponents, values, atol=2e-5)
    assert found.status == "converged"
    assert found.is_complete
    np.testing.assert_allclose(found.running[-1], found.exponents)
    np.testing.assert_allclose(found.running[0], found.block_means[0])
    assert found.times[-1] == pytest.approx(32 * np.pi)


@pytest.mark.parametrize(("dtype", "tolerance"), [(np.float64, 1e-6), (np.float32, 3e-5)])
def test_linear_network(dtype, tolerance):
    """The vanilla network at rest is dx/dt = (J - 1) x; the leading 12 of 40, in both precisions."""
    rng = np.random.default_rng(4)
    values = np.linspace(0.4, -3.5, 40)
    coupling = matrix_with(values, rng) + np.eye(40)
    network = FiniteNetwork(
        compile_network("vanilla"), {"g": 1.0}, (np.ascontiguousarray(coupling.T, dtype=dtype),)
    )
    run = Trajectory(network, [np.zeros((1, 40), dtype)], draw_tangents(network, 12, rng), 1 / 32)
    found = lyapunov_spectrum(run, warm_up=150.0, duration=64.0, tol=1e-3)
    np.testing.assert_allclose(found.exponents, values[:12], atol=tolerance)
    assert found.status == "converged"
    assert found.dimension == 40
    assert not found.is_complete
    assert run.dx[0].dtype == dtype


def test_white_noise_moves_the_state_but_not_linear_tangents():
    """dx = A x dt + dW: the exponents are those of A, on a path that never comes to rest."""

    class Driven(Plain):
        def noise(self, p):
            return np.eye(1)

    rng = np.random.default_rng(14)
    values = [0.3, -0.2, -0.9]
    matrix = matrix_with(values, rng) - np.eye(3)
    network = FiniteNetwork(Driven(), {}, (np.ascontiguousarray(matrix.T),))
    x, dx = [np.ones((1, 3))], draw_tangents(network, 3, rng)
    run = Trajectory(network, x, dx, 1 / 16, noise=np.random.default_rng(15))
    found = lyapunov_spectrum(run, warm_up=30.0, duration=16.0)
    np.testing.assert_allclose(found.exponents, np.array(values) - 1.0, atol=1e-4)
    assert np.abs(run.x[0]).max() > 0.01


def lorenz(x, dx):
    (a, b, c), (u, v, w) = x[0][0], dx[0].T
    velocity = [10.0 * (b - a), a * (28.0 - c) - b, a * b - 8.0 / 3.0 * c]
    tangent = [10.0 * (v - u), (28.0 - c) * u - v - a * w, b * u + a * v - 8.0 / 3.0 * w]
    return [np.array([velocity])], [np.array(tangent).T]


def test_lorenz():
    """0.9056, 0, -14.5723 (Sprott 2003); the sum is the divergence, -41/3, at every moment."""
    flow = Flow(lorenz, [np.array([[1.0, 1.0, 20.0]])], [np.eye(3)], 1 / 64)
    found = lyapunov_spectrum(flow, warm_up=20.0, duration=150.0, tol=0.1)
    assert np.abs(found.block_means.sum(axis=1) + 41 / 3).max() < 2e-3
    error = np.maximum(found.time_error, 2e-3)  # the second: of RK4 at this step
    assert (np.abs(found.exponents - [0.9056, 0.0, -14.5723]) < 4 * error).all()
    assert found.time_error.max() < 0.06
    assert found.status == "converged"


class Henon:
    """x' = 1 - 1.4 x^2 + y, y' = 0.3 x: a map, whose time step is one."""

    def __init__(self):
        self.x, self.dx, self.dt = (0.1, 0.1), [np.eye(2)], 1.0

    def advance(self, steps):
        (x, y), d = self.x, self.dx[0]
        for _ in range(steps):
            d = np.stack([-2.8 * x * d[:, 0] + d[:, 1], 0.3 * d[:, 0]], axis=1)
            x, y = 1 - 1.4 * x * x + y, 0.3 * x
        self.x, self.dx = (x, y), [d]
        return np.zeros(2)


def test_henon_map():
    """0.41922 and ln 0.3 - 0.41922 (Sprott 2003), sum exact."""
    found = lyapunov_spectrum(Henon(), warm_up=100, duration=12_000)
    assert found.exponents.sum() == pytest.approx(np.log(0.3), abs=1e-9)
    assert abs(found.exponents[0] - 0.41922) < 4 * found.time_error[0]
    assert found.time_error[0] < 0.006


def test_volumes_of_a_gated_network():
    """All exponents of a chaotic network sum to the mean trace of its Jacobian (Liouville)."""
    rng = np.random.default_rng(6)
    network = draw_network(compile_network("gated"), GATED, 8, rng, np.float64)
    x, dt, steps = draw_state(network, 1, 1.0, rng), 1 / 64, 512
    run = Trajectory(network, [f.copy() for f in x], draw_tangents(network, 24, rng), dt)
    found = lyapunov_spectrum(run, warm_up=0.0, duration=steps * dt, blocks=16)
    again = Trajectory(network, x, [f[:0] for f in run.dx], dt)
    trace = [np.trace(jacobian(network, again.x))]
    for _ in range(steps):
        again.advance(1)
        trace.append(np.trace(jacobian(network, again.x)))
    assert found.exponents.sum() == pytest.approx(np.trapezoid(trace) / steps, abs=1e-4)


def test_tangents_on_one_state_follow_its_jacobian():
    """One start with many tangents: each obeys the same linearisation."""
    rng = np.random.default_rng(7)
    network = draw_network(compile_network("gated"), GATED, 9, rng, np.float64)
    x, dx = draw_state(network, 1, 1.0, rng), draw_tangents(network, 5, rng)
    velocity, tangent = network.velocity_with_tangent(x, dx)
    matrix = jacobian(network, x)
    expected = np.concatenate(dx, axis=1) @ matrix.T
    np.testing.assert_allclose(np.concatenate(tangent, axis=1), expected, atol=1e-12)
    for a, b in zip(velocity, network.velocity(x), strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-12)


def test_the_state_settles_before_tangents_start():
    """A quiet network far from rest: all exponents sum to the trace at rest, tr(g J) - N."""
    ensemble = Ensemble(
        compile_network("vanilla"), {"g": 0.5}, 0, 0.125, starts=20.0, dtype="float64"
    )
    plan = SpectrumPlan(transient=80.0, warm_up=0.0, duration=16.0)
    found = network_spectrum(ensemble, plan, 20, 0)
    network, _ = ensemble.network(20, 0)
    at_rest = 0.5 * np.trace(network.transposed[0]) - 20
    assert found.exponents.sum() == pytest.approx(at_rest, abs=2e-3)  # RK4 at 1/8: 2e-5 each


def test_precisions_agree_before_chaos_separates_them():
    """The full spectrum of N = 60 over ten leak times: single precision is no bias."""
    plan = SpectrumPlan(transient=0.0, warm_up=0.0, duration=10.0, blocks=16)
    right = compile_network("vanilla")
    single, double = (
        network_spectrum(Ensemble(right, {"g": 2.0}, 3, 0.125, dtype=dtype), plan, 60, 0)
        for dtype in ("float32", "float64")
    )
    assert single.block_means.dtype == np.float64
    assert np.abs(single.exponents - double.exponents).max() < 1e-3
    assert single.rounding < 0.01
    assert double.rounding < 1e-10


def test_largest_exponent_of_sompolinsky_crisanti_sommers():
    """lambda = 0.2354610 at g = 3 (THEORY section 11), from N = 200, 400 in 1/N, two-sided."""
    ensemble = Ensemble(compile_network("vanilla"), {"g": 3.0}, 1, 0.25)
    plan = SpectrumPlan(leading=1, transient=40.0, warm_up=40.0, duration=320.0)
    found = each_network(partial(network_spectrum, ensemble, plan), {200: 12, 400: 8})
    fit = number_in_the_limit(found, lambda s: float(s.exponents[0]))
    p, _ = t_test(fit.limit.mean - 0.2354610, fit.limit.standard_error, fit.limit.dof)
    assert p > LEVEL
    assert fit.limit.standard_error < 0.025
    assert fit.slope < 0  # finite networks are less chaotic


# ---------------------------------------------------------------- errors and status


def test_errors_of_correlated_blocks():
    """AR(1) blocks with correlation 0.6: merging finds most of the exact error sqrt(1' C 1) / B.

    At least what the coarsest merging finds on average, 1' C 1 less the correlation of its own bins.
    """
    rng = np.random.default_rng(8)
    rho, blocks, series = 0.6, 64, 3000
    noise = rng.standard_normal((blocks, series))
    x = np.zeros((blocks, series))
    x[0] = noise[0] / np.sqrt(1 - rho**2)
    for t in range(1, blocks):
        x[t] = rho * x[t - 1] + noise[t]
    lag = np.abs(np.subtract.outer(np.arange(blocks), np.arange(blocks)))
    covariance = rho**lag / (1 - rho**2)
    exact = covariance.sum() / blocks**2
    merge = np.kron(np.eye(8), np.full(8, 1 / 8))
    bins = merge @ covariance @ merge.T
    coarsest = (np.trace(bins) - bins.sum() / 8) / 7 / 8 / exact
    assert coarsest > 0.7
    ratio = np.mean(binned_error(x) ** 2) / exact
    assert coarsest < ratio < 1.3
    assert np.mean(x.var(axis=0, ddof=1) / blocks) / exact < 0.4  # without merging


def test_halves():
    """The difference, and an error that a step between the halves does not touch."""
    rng = np.random.default_rng(10)
    means = rng.standard_normal((32, 400))
    drift, error = halves_difference(means)
    np.testing.assert_allclose(drift, means[16:].mean(axis=0) - means[:16].mean(axis=0))
    assert np.mean(drift**2) / np.mean(error**2) == pytest.approx(1.0, abs=0.25)
    means[16:] += 100.0
    np.testing.assert_allclose(halves_difference(means)[1], error, rtol=1e-9)


def test_status_drifting():
    """A tangent turns at the rate of its gap, 0.05, for lack of a warm-up; with one it does not."""

    def found(warm_up):
        flow = linear_flow(np.diag([0.05, 0.0]), 2, np.random.default_rng(0))
        flow.dx = [np.array([[0.02, 1.0], [1.0, 0.0]])]
        return lyapunov_spectrum(flow, warm_up=warm_up, duration=160.0, tol=0.01)

    assert found(0.0).status == "drifting"
    assert "warm-up" in found(0.0).message
    assert found(300.0).status == "converged"


def test_status_imprecise():
    flow = Flow(lorenz, [np.array([[1.0, 1.0, 20.0]])], [np.eye(3)], 1 / 64)
    found = lyapunov_spectrum(flow, warm_up=5.0, duration=10.0)
    assert found.status == "imprecise"
    assert found.time_error.max() > 0.01


def shear(dtype):
    """Exponents 0.5 and -2 at an angle of 0.02: independence is lost and has to be kept up."""
    matrix = np.array([[0.5, 50.0], [0.0, -2.0]], dtype=dtype)
    flow = linear_flow(matrix, 2, np.random.default_rng(0))
    flow.x, flow.dx = [flow.x[0].astype(dtype)], [flow.dx[0].astype(dtype)]
    return flow


def test_status_rounded():
    """A tolerance below what single precision can promise is refused, though all went well here."""
    single = lyapunov_spectrum(shear(np.float32), warm_up=16.0, duration=160.0, tol=1e-5)
    assert single.status == "rounded"
    assert "float64" in single.message
    assert np.abs(single.exponents - [0.5, -2.0]).max() < single.rounding
    double = lyapunov_spectrum(shear(np.float64), warm_up=16.0, duration=160.0, tol=1e-5)
    assert double.status == "converged"


def test_pace_follows_growth():
    """Rates 1 and -3: orthonormalised every 6/3 leak times, not every step, not once a block."""
    flow = linear_flow(np.diag([1.0, -3.0]), 2, np.random.default_rng(0))
    found = lyapunov_spectrum(flow, warm_up=10.0, duration=192.0, blocks=16)
    assert 192 / 3 < found.orthonormalisations < 192
    np.testing.assert_allclose(found.exponents, [1.0, -3.0], atol=1e-4)


def test_bad_input():
    def flow():
        return linear_flow(np.eye(2), 2, np.random.default_rng(0))

    good = {"warm_up": 1.0, "duration": 8.0}
    for wrong in ({"warm_up": -1.0}, {"duration": 0.0}, {"blocks": 3}, {"tol": 0.0}):
        with pytest.raises(InputError, match=next(iter(wrong))):
            lyapunov_spectrum(flow(), **(good | wrong))
    with pytest.raises(InputError, match="3 were given; 1 to 2"):
        lyapunov_spectrum(linear_flow(np.eye(2), 3, np.random.default_rng(0)), **good)


def test_what_is_not_finite_is_an_error():
    explosive = Flow(
        lambda x, dx: ([x[0] ** 3], [3 * x[0] ** 2 * dx[0]]),
        [np.full((1, 2), 3.0)],
        [np.eye(2)],
        0.5,
    )
    with np.errstate(all="ignore"), pytest.raises(DmftError, match="not finite"):
        lyapunov_spectrum(explosive, warm_up=0.0, duration=16.0)


# ---------------------------------------------------------------- over networks


def spectrum_of(block_means, dimension=None):
    means = np.asarray(block_means, dtype=np.float64)
    times = np.arange(1.0, len(means) + 1)
    return LyapunovSpectrum(means, times, dimension or means.shape[1], 0.0, 0, "converged", "")


def test_means_over_networks():
    rng = np.random.default_rng(9)
    spectra = [spectrum_of(rng.standard_normal((8, 3))) for _ in range(5)]
    values = np.array([s.exponents for s in spectra])
    mean = mean_spectrum(spectra)
    np.testing.assert_allclose(mean.mean, values.mean(axis=0))
    np.testing.assert_allclose(mean.standard_error, stats.sem(values, axis=0))
    np.testing.assert_allclose(mean_running(spectra)[-1], mean.mean)


def test_place_in_the_spectrum():
    """A linear spectrum 1 - 2u is the same function of the fraction at every size."""
    for n in (10, 50):
        u = (np.arange(n) + 0.5) / n
        assert at_fraction(spectrum_of([1 - 2 * u] * 8), 0.3) == pytest.approx(0.4)
    with pytest.raises(ValueError, match="outside"):
        at_fraction(spectrum_of([[1.0, 0.0]] * 8, dimension=100), 0.5)
