"""Linear networks, whose two-time covariances are known in closed form."""

import numpy as np
import pytest
from scipy.integrate import solve_ivp
from scipy.linalg import expm, solve_continuous_lyapunov
from scipy.special import iv
from two_time_models import a as drive
from two_time_models import complete, linear, population, rotating, slope

from dmft.codegen.two_time import compile_two_time
from dmft.protocol import Protocol, Pulse, Ramp, Step
from dmft.solvers.two_time_grid import growing_times, uniform_times
from dmft.solvers.two_time_start import FieldStart

#: Steps of very different lengths: without couplings the scheme is exact on any grid.
UNEVEN = np.array([0.0, 0.1, 0.15, 0.9, 1.0, 3.0, 3.2, 7.0])


@pytest.fixture(scope="module")
def theory():
    return compile_two_time(linear())


def bessel(gain, times, variance):
    """x(t) = e^{-t} e^{g t J} x(0): <x x'> = v e^{-t-t'} I_0(2 g sqrt(t t')), N -> infinity.

    From tr J^k (J^T)^l / N = delta_kl for couplings of variance 1/N.
    """
    t = times
    return variance * np.exp(-t[:, None] - t) * iv(0, 2 * gain * np.sqrt(np.outer(t, t)))


@pytest.mark.parametrize("gain", [0.5, 1.5])
def test_coupled_linear_network(theory, gain):
    """Order of convergence: the next lower order, 1, is far outside the band."""
    steps, errors = [0.2, 0.1, 0.05], []
    for step in steps:
        found = population(theory, {"v": gain**2}, uniform_times(4.0, step), {"x": 0.7})
        exact = bessel(gain, found.problem.grid.times, 0.7)
        errors.append(np.max(abs(found.moments["x"] - exact)) / exact.max())
    assert errors[-1] < 2e-4
    assert 1.8 < slope(steps, errors) < 2.7


def test_coupled_linear_network_on_growing_steps(theory):
    """Halving all steps of a grid that grows eightfold divides the error by four."""
    times = growing_times(6.0, 0.04, 0.1, 0.3)
    errors = []
    for grid in (times, np.sort(np.append(times, (times[1:] + times[:-1]) / 2))):
        found = population(theory, {"v": 0.81}, grid, {"x": 1.0})
        exact = bessel(0.9, found.problem.grid.times, 1.0)
        errors.append(np.max(abs(found.moments["x"] - exact)))
    assert errors[1] < 5e-4
    assert 3.3 < errors[0] / errors[1] < 7


def test_relaxation_of_any_start(theory):
    found = population(theory, {}, UNEVEN, {"x": FieldStart(0.3, 2.0)})
    t = UNEVEN
    np.testing.assert_allclose(found.means["x"], 2 * np.exp(-t), rtol=1e-13)
    np.testing.assert_allclose(found.moments["x"], 4.3 * np.exp(-t[:, None] - t), rtol=1e-12)
    fourth = (3 * 0.3**2 + 6 * 0.3 * 2**2 + 2**4) * np.exp(-4 * t)
    np.testing.assert_allclose(found.fourth["x"], fourth, rtol=1e-12)


def test_white_noise(theory):
    """Ornstein-Uhlenbeck: <x x'> = (D/2) (e^{-|t-t'|} - e^{-t-t'})."""
    found = population(theory, {"D": 0.8}, UNEVEN)
    t = UNEVEN
    exact = 0.4 * (np.exp(-abs(t[:, None] - t)) - np.exp(-t[:, None] - t))
    np.testing.assert_allclose(found.moments["x"], exact, atol=1e-14)


def test_pattern_and_constant(theory):
    """x = (1 - e^{-t}) (a + m + sqrt(c) w)."""
    found = population(theory, {"c": 0.5, "m": -0.4, "a": 1.0}, UNEVEN)
    grown = 1 - np.exp(-UNEVEN)
    np.testing.assert_allclose(found.means["x"], 0.6 * grown, atol=1e-14)
    np.testing.assert_allclose(found.moments["x"], 0.86 * np.outer(grown, grown), atol=1e-13)


def test_noise_of_a_coupled_network(theory):
    """d<x x>/dt for v > 0 and t = t' has no closed form; late it is D/2 (1 - v)^{-1/2}.

    White noise through e^{(gJ - 1)t}: int (D) e^{-2t} I_0(2 g t) dt = D / (2 sqrt(1 - g^2)).
    """
    errors = []
    for step in (0.2, 0.1):
        found = population(theory, {"v": 0.36, "D": 0.5}, uniform_times(20.0, step))
        errors.append(found.moments["x"][-1, -1] / (0.25 / np.sqrt(1 - 0.36)) - 1)
    assert abs(errors[1]) < 1e-3
    assert 3 < errors[0] / errors[1] < 8


def test_two_fields_with_everything():
    """dM/dt = A M + M A^T + S at equal times and e^{A tau} M between them, v = 0."""
    times = np.array([0.0, 0.3, 1.0, 1.1, 2.5])
    given = {"c": 0.3, "m": 0.2, "D": 0.4, "a": -0.5}
    found = population(rotating(), given, times, {"x": 0.5, "y": FieldStart(0.2, 1.0)})
    drift = np.array([[-1.0, -2.0], [0.5, -0.5]])
    # x, y and the pattern, which rests, as one linear system
    whole = np.zeros((3, 3))
    whole[:2, :2], whole[0, 2] = drift, 1.0
    mean, square = np.array([0.0, 1.0, 0.2]), np.diag([0.5, 0.2, 0.3])
    noise = np.diag([0.4, 0.0, 0.0])

    def motion(_, state):
        cov, mu = state[:9].reshape(3, 3), state[9:]
        return [
            *(whole @ cov + cov @ whole.T + noise).ravel(),
            *(whole @ mu + [0.0, -0.5, 0.0]),
        ]

    path = solve_ivp(
        motion, (0, 2.5), [*square.ravel(), *mean], t_eval=times, rtol=1e-11, atol=1e-12
    ).y.T
    for n, t in enumerate(times):
        for k, s in enumerate(times[: n + 1]):
            cov = expm((t - s) * whole) @ path[k, :9].reshape(3, 3)
            second = cov + np.outer(path[n, 9:], path[k, 9:])
            assert found.moments["x"][n, k] == pytest.approx(second[0, 0], abs=1e-9)
            assert found.moments["y"][n, k] == pytest.approx(second[1, 1], abs=1e-9)


def test_two_fields_under_noise_reach_the_lyapunov_equation():
    found = population(rotating(), {"D": 0.7}, [0.0, 5.0, 30.0])
    drift = np.array([[-1.0, -2.0], [0.5, -0.5]])
    exact = solve_continuous_lyapunov(drift, -np.diag([0.7, 0.0]))
    assert found.moments["x"][-1, -1] == pytest.approx(exact[0, 0], rel=1e-12)
    assert found.moments["y"][-1, -1] == pytest.approx(exact[1, 1], rel=1e-12)


def test_two_coupled_fields():
    """x' = A x + b g J x_1, summed over powers of J.

    <x x'^T> = sum_k g^2k h_k h_k'^T with h_0 = e^{At} x_0 and h_{k+1}(t) = int e^{A(t-s)} b (h_k(s))_1 ds,
    since tr J^k (J^T)^l / N = delta_kl; each start by itself.
    """
    drift, arm, gain2 = np.array([[-1.0, -2.0], [0.5, -0.5]]), np.array([1.0, 0.5]), 0.9
    fine = np.linspace(0, 3, 1201)
    kernel = np.array([expm(drift * t) for t in fine])
    pushed = kernel @ arm
    exact = np.zeros((3, 2))  # t = 1, 2, 3
    for column, variance in enumerate((0.5, 0.2)):
        h = kernel[:, :, column]
        for k in range(14):
            exact += gain2**k * variance * (h[400::400] ** 2)
            # trapezoidal convolution with the first component
            whole = np.array([np.convolve(pushed[:, j], h[:, 0])[: fine.size] for j in (0, 1)]).T
            h = fine[1] * (whole - (pushed * h[0, 0] + pushed[0] * h[:, :1]) / 2)
    steps, errors = [0.2, 0.1, 0.05], []
    for step in steps:
        every = round(1 / step)
        times = np.linspace(0, 3, 3 * every + 1)
        found = population(rotating(), {"v": gain2}, times, {"x": 0.5, "y": 0.2})
        both = [np.diagonal(found.moments[n])[every::every] for n in "xy"]
        errors.append(np.max(abs(np.transpose(both) - exact)))
    assert errors[-1] < 1e-3 * exact.max()
    assert 1.7 < slope(steps, errors) < 2.7


def test_jumps_ramps_and_pulses_of_inputs(theory):
    """x' = -x + m(t): both sides of each jump are in the grid; ramps to second order."""
    initial = complete(theory, m=1.0)
    protocol = Protocol(
        initial, (Step("m", 0.5, -1.0), Ramp("m", 1.0, 2.0, 3.0), Pulse("a", 2.5, 2.75, 4.0))
    )
    found = population(theory, protocol, [0.0, 0.4, *np.arange(1.025, 2.0, 0.025), 3.0])
    times = found.problem.grid.times
    assert list(times[[1, 2, 3, 4]]) == [0.4, 0.5, 0.5, 1.0]
    assert list(times[-6:]) == [2.0, 2.5, 2.5, 2.75, 2.75, 3.0]

    middle = (np.arange(30000) + 0.5) * 1e-4
    ramp = np.where(middle < 0.5, 1.0, -1 + 4 * np.clip(middle - 1, 0, 1))
    pulse = np.where((middle > 2.5) & (middle < 2.75), 4.0, 0.0)
    summed = np.append(0.0, np.cumsum(np.exp(middle) * (ramp + pulse)) * 1e-4)
    exact = np.exp(-times) * summed[np.round(times * 1e4).astype(int)]
    np.testing.assert_allclose(found.means["x"], exact, atol=2e-4)


def test_a_pattern_that_grows(theory):
    """Its shape stays: x = int e^{-(t-s)} sqrt(c(s)) ds w, and c jumps from 0.04 to 0.25."""
    protocol = Protocol(complete(theory, c=0.04), (Step("c", 1.0, 0.25),))
    found = population(theory, protocol, [0.0, 1.0, 3.0])
    x = [0.0, 0.2 * (1 - np.exp(-1)), 0.2 * (np.exp(-2) - np.exp(-3)) + 0.5 * (1 - np.exp(-2))]
    assert found.moments["x"][-1, -1] == pytest.approx(x[2] ** 2, rel=1e-12)
    assert found.moments["x"][-1, 1] == pytest.approx(x[2] * x[1], rel=1e-12)


def test_couplings_that_change_in_time(theory):
    """J = sqrt(v(t)) J_0: off at t = 1, so that x decays alone and keeps its covariance."""
    protocol = Protocol(complete(theory, v=0.5), (Step("v", 1.0, 0.0),))
    found = population(theory, protocol, uniform_times(2.0, 0.05, [1.0]), {"x": 1.0})
    half = int(np.flatnonzero(found.problem.grid.times == 1.0)[0])
    expected = bessel(np.sqrt(0.5), np.array([1.0]), 1.0)[0, 0] * np.exp(-2)
    assert found.moments["x"][-1, -1] == pytest.approx(expected, rel=5e-4)
    assert found.moments["x"][-1, half] == pytest.approx(expected * np.e, rel=5e-4)


def test_the_second_moment_of_a_square(theory):
    """<x^2 x'^2> = C C' + 2 C(t,t')^2: an observable that no output contains."""
    found = population(theory, {"v": 0.3}, uniform_times(2.0, 0.25), {"x": 1.0})
    c = found.moments["x"]
    diagonal = np.diagonal(c)
    exact = np.outer(diagonal, diagonal) + 2 * c**2
    np.testing.assert_allclose(found.moments["square"], exact, rtol=1e-10)
    np.testing.assert_allclose(found.fourth["x"], 3 * diagonal**2, rtol=1e-12)


def test_constant_drive_of_a_follower():
    """`a` drives y alone: a constant part of one equation of two."""
    assert drive in rotating().dynamics["y"].free_symbols
    found = population(rotating(), {"a": 1.0}, [0.0, 40.0])
    drift = np.array([[-1.0, -2.0], [0.5, -0.5]])
    rest = -np.linalg.solve(drift, [0.0, 1.0])
    assert found.means["x"][-1] == pytest.approx(rest[0], abs=1e-9)
    assert found.means["y"][-1] == pytest.approx(rest[1], abs=1e-9)
