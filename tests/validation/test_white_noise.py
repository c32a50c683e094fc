"""White noise: order conditions, strong and weak order, closed forms, and what the seed fixes."""

import math
from itertools import pairwise

import numpy as np
import pytest
import sympy as sp
from orders import observed_order
from scipy import stats
from scipy.optimize import brentq

from dmft.codegen import compile_network
from dmft.codegen.cache import compile_model_network
from dmft.derivations.model import Coupling, Field, Input, Model, Parameter
from dmft.errors import InputError
from dmft.protocol import Protocol, Ramp, Step
from dmft.validation import white_noise
from dmft.validation.estimate import measure
from dmft.validation.integrate import Trajectory
from dmft.validation.network import draw_network, draw_state
from dmft.validation.runge_kutta import NODES, WEIGHTS, rk4_step
from dmft.validation.schedule import Schedule
from dmft.validation.white_noise import AREA_SHARES, Brownian, draw_brownian, noisy_rk4_step

LEVEL = 1e-3
NORMAL = stats.norm.isf(LEVEL / 2)


def test_order_conditions():
    """The three sums of the docstring, over all four stages."""
    w, c, b = np.array(WEIGHTS), np.array((0.0, *NODES)), np.array((0.0, *AREA_SHARES))
    assert w @ c == pytest.approx(1 / 2, rel=1e-15)
    assert w @ b == pytest.approx(1, rel=1e-15)
    assert w @ (c**2 + b**2 / 12) == pytest.approx(1 / 2, rel=1e-15)


def test_the_brownian_numbers():
    """W ~ N(0, h) and H ~ N(0, h/12), independent."""
    path = draw_brownian(2, (50, 200), 0.25, np.random.default_rng(0), np.float64)
    numbers = [*path.increment, *path.area]
    for values, variance in zip(numbers, (0.25, 0.25, 0.25 / 12, 0.25 / 12), strict=True):
        assert stats.kstest(values.ravel() / math.sqrt(variance), "norm").pvalue > LEVEL / 4
    together = np.corrcoef([v.ravel() for v in numbers])[np.triu_indices(4, 1)]
    assert np.abs(together).max() < stats.norm.isf(LEVEL / 12) / math.sqrt(10_000)


def drift(y):
    """One asymmetric, strongly nonlinear unit."""
    return [y[0] - y[0] ** 3 / 3 + 1.2 * np.sin(3 * y[0] + 0.5)]


def halved(path, step):
    """The path of steps twice as long: int W ds adds up, and H = int W ds / h - W/2."""
    (w1, w2), (h1, h2) = ((v[0::2], v[1::2]) for v in path)
    area = step * (w1 / 2 + h1) + step * w1 + step * (w2 / 2 + h2)
    return w1 + w2, area / (2 * step) - (w1 + w2) / 2


def ends(levels=8, paths=2000, amplitude=0.8):
    """Step -> end points at time 1 on the same Brownian paths, finest first."""
    rng = np.random.default_rng(0)
    count = 2**levels
    path = (
        rng.standard_normal((count, paths)) / math.sqrt(count),
        rng.standard_normal((count, paths)) / math.sqrt(12 * count),
    )
    found = {}
    while count >= 4:
        y = [np.full(paths, 0.5)]
        for w, h in zip(*path, strict=True):
            step = Brownian([w], [h])
            y = noisy_rk4_step(lambda f: drift, y, 1 / count, step, np.array([[amplitude]]))
        found[1 / count] = y[0]
        path, count = halved(path, 1 / count), count // 2
    return found


def strong_error(found, finest, steps):
    return observed_order(lambda dt: np.sqrt(np.mean((found[dt] - found[finest]) ** 2)), steps)


STEPS = [2.0**-k for k in range(3, 7)]


def test_strong_order_three_halves():
    """Root mean square over 2000 paths: slope 1.5 within 0.2; order 1 and 2 are outside."""
    assert 1.3 < strong_error(ends(), 2.0**-8, STEPS) < 1.7


def test_the_strong_order_can_fail(monkeypatch):
    """Noise that is constant within a step: order one."""
    monkeypatch.setattr(white_noise, "AREA_SHARES", (0.0, 0.0, 0.0))
    assert strong_error(ends(), 2.0**-8, STEPS) < 1.2


def propagator(dt, rate=1.0):
    """x -> r x + a W + b H, the rule for dx = -rate x dt + dW."""

    def step(x, w, h):
        y = noisy_rk4_step(
            lambda f: lambda y: [-rate * y[0]],
            [np.array([x])],
            dt,
            Brownian([np.array([w])], [np.array([h])]),
            np.ones((1, 1)),
        )
        return float(y[0][0])

    return step(1.0, 0.0, 0.0), step(0.0, 1.0, 0.0), step(0.0, 0.0, 1.0)


def test_stationary_variance_of_a_linear_unit():
    """Exactly 1/2 for dx = -x dt + dW; the rule's own is a geometric series, wrong by 4e-6 at 1/4."""

    def error(dt):
        r, a, b = propagator(dt)
        return abs((a**2 * dt + b**2 * dt / 12) / (1 - r**2) - 0.5)

    assert error(0.25) < 5e-6
    assert error(0.125) < 5e-7


def test_weak_order_two():
    """E x^4 of a linear unit from x = 1 at time 1 is exact to O(dt^2) or better, per Gaussian moments."""

    def error(dt):
        r, a, b = propagator(dt, 2.0)
        mean, variance = 1.0, 0.0
        for _ in range(round(1 / dt)):
            mean, variance = r * mean, r**2 * variance + a**2 * dt + b**2 * dt / 12
        exact_mean, exact_variance = math.exp(-2), (1 - math.exp(-4)) / 4
        fourth, exact = (
            m**4 + 6 * m**2 * v + 3 * v**2
            for m, v in ((mean, variance), (exact_mean, exact_variance))
        )
        return abs(fourth - exact)

    assert observed_order(error, [2.0**-3, 2.0**-4, 2.0**-5]) > 1.8


def test_weak_order_of_a_nonlinear_unit():
    """The mean over common paths, which cancels most scatter: the bias at dt = 1/4 is below 1e-3,
    where noise that is constant within a step is off by 5e-3 or more."""
    found = ends(levels=8, paths=6000)
    difference = found[2.0**-2] - found[2.0**-8]
    error = difference.std() / math.sqrt(difference.size)
    assert abs(difference.mean()) < 1e-3 + NORMAL * error


def test_without_noise_it_is_the_classical_rule():
    y = [np.array([[0.3, -1.2]])]
    path = draw_brownian(1, (1, 2), 0.1, np.random.default_rng(0), np.float64)
    for amplitude in (np.zeros((1, 1)), np.zeros((1, 0))):
        np.testing.assert_array_equal(
            noisy_rk4_step(lambda f: drift, y, 0.1, path, amplitude)[0], rk4_step(drift, y, 0.1)[0]
        )


def test_a_moving_amplitude_knows_when_the_noise_came():
    """int A dW of a linear A is fixed by W and H: two half steps and the whole one agree exactly."""
    rng = np.random.default_rng(2)
    fine = (rng.standard_normal((2, 50)), rng.standard_normal((2, 50)))
    coarse = halved(fine, 0.5)

    def end(path, amplitudes):
        y = [np.zeros(50)]
        for w, h, (first, last) in zip(*path, pairwise(amplitudes), strict=True):
            numbers = np.array([[first]]), np.array([[last]])
            y = noisy_rk4_step(
                lambda f: lambda x: [0 * x[0]], y, 1 / len(path[0]), Brownian([w], [h]), *numbers
            )
        return y[0]

    np.testing.assert_allclose(end(fine, [1.0, 2.0, 3.0]), end(coarse, [1.0, 3.0]), rtol=1e-12)


x, y, xi = sp.symbols("x y xi", real=True)
ONE, TWO = (
    Input(n, "noise", "white", sp.Symbol(f"D{n}", nonnegative=True)) for n in ("one", "two")
)
MODEL = Model(
    name="noisy",
    title="linear, with one noise in both fields",
    citation="none",
    fields=(Field("x", "state"), Field("y", "state")),
    parameters=tuple(Parameter(n, "intensity", 1, nonnegative=True) for n in ("Done", "Dtwo")),
    nonlinearities=(),
    couplings=(Coupling("xi", sp.tanh(x)),),
    dynamics={
        "x": -x + ONE.symbol + 0 * xi,
        "y": -2 * y - 3 * ONE.symbol + 2 * TWO.symbol,
    },
    inputs=(ONE, TWO),
)


def stationary(right, p, dt=0.25, protocol=None, end=40):
    network = draw_network(right, p, 50, np.random.default_rng(0))
    start = draw_state(network, 400, 0.0, np.random.default_rng(0))
    run = Trajectory(
        network,
        start,
        [a[:0] for a in start],
        dt,
        noise=np.random.default_rng(9),
        protocol=protocol,
    )
    run.advance(end)
    return run


def test_shared_noise_of_two_fields():
    """Lyapunov equation by hand: <xx> = D1/2, <yy> = (9 D1 + 4 D2)/4, <xy> = -3 D1/3."""
    right = compile_model_network(MODEL)
    p = {"Done": 0.5, "Dtwo": 2.0}
    np.testing.assert_allclose(right.noise(p), [[0.5**0.5, 0], [-3 * 0.5**0.5, 2 * 2**0.5]])
    a, b = (f.astype(float).ravel() for f in stationary(right, p).x)
    covariance = {"xx": a * a, "yy": b * b, "xy": a * b}
    for name, exact in {"xx": 0.25, "yy": 12.5 / 4, "xy": -0.5}.items():
        values = covariance[name]
        assert abs(values.mean() - exact) < NORMAL * values.std() / math.sqrt(values.size)


def test_noise_that_is_switched_on_and_ramped():
    """d<x^2>/dt = -2 <x^2> + D(t): D = 0 until 1, 1 until 2, then in a line to 3 at time 4."""
    right = compile_model_network(MODEL)
    protocol = Protocol(
        {"Done": 0.0, "Dtwo": 0.0}, (Step("Done", 1.0, 1.0), Ramp("Done", 2.0, 4.0, 3.0))
    )
    values = stationary(right, protocol.at(0.0), 0.25, protocol, end=16).x[0].ravel() ** 2
    at_two = (1 - math.exp(-2)) / 2
    # particular solution of v' = -2 v + 1 + s with s = t - 2: v = s/2 + 1/4
    exact = 1 + 0.25 + (at_two - 0.25) * math.exp(-4)
    assert abs(values.mean() - exact) < NORMAL * values.std() / math.sqrt(values.size)


def test_negative_intensities_are_refused():
    """Also where a protocol leads there; a declaration may well compute an intensity."""
    right = compile_model_network(MODEL)
    with pytest.raises(InputError, match="noisy: the intensity of a white input is negative"):
        stationary(right, {"Done": -1.0, "Dtwo": 1.0})
    protocol = Protocol({"Done": 1.0, "Dtwo": 0.0}, (Step("Done", 1.0, -0.5),))
    with pytest.raises(InputError, match="negative or not finite"):
        stationary(right, protocol.at(0.0), protocol=protocol)


def test_starts_have_noise_of_their_own_and_the_seed_fixes_it():
    right, p = compile_network("vanilla"), {"g": 1.2, "noise_x": 0.3}
    schedule = Schedule(0.25, 3.0, 6.0, (1,), (1,), batch=4, tangents=2)
    one = measure(right, p, schedule, 50, 0, 1)
    assert measure(right, p, schedule, 50, 0, 1) == one
    assert measure(right, p, schedule, 50, 0, 2) != one
    network = draw_network(right, {"g": 0.1, "noise_x": 1.0}, 500, np.random.default_rng(0))
    zero = draw_state(network, 2, 0.0, np.random.default_rng(0))
    run = Trajectory(network, zero, [zero[0][:0]], 0.25, noise=np.random.default_rng(1))
    run.advance(8)
    correlation = np.corrcoef(*run.x[0])[0, 1]
    assert abs(correlation) < NORMAL / math.sqrt(500)


def test_a_noisy_chaotic_network_against_its_energy_integral():
    """THEORY section 4, <eta eta'> = 2 D delta:  Delta^2/2 - g^2 Var[ln cosh(sqrt(Delta) u)] = D^2/2.

    Twelve networks of N = 400; two-sided t-test; the bias of 1/N is below the error bar of 1%.
    """
    g, intensity = 1.5, 1.0
    nodes = np.linspace(-8.5, 8.5, 401)
    weights = np.exp(-(nodes**2) / 2)
    weights /= weights.sum()

    def excess(variance):
        u = np.sqrt(variance) * nodes
        values = np.abs(u) + np.log1p(np.exp(-2 * np.abs(u)))
        spread = weights @ values**2 - (weights @ values) ** 2
        return variance**2 / 2 - g**2 * spread - (intensity / 2) ** 2 / 2

    exact = brentq(excess, 0.5, 10.0)
    schedule = Schedule(0.25, 20.0, 40.0, (1,), (1,), batch=8, tangents=0)
    right = compile_network("vanilla")
    p = {"g": g, "noise_x": intensity}
    seen = [measure(right, p, schedule, 400, r, 3).second_moment["x"] for r in range(12)]
    assert stats.ttest_1samp(seen, exact).pvalue > LEVEL
    assert np.std(seen) / math.sqrt(12) < 0.02 * exact
    quiet = 0.74768638055339806737  # without noise: seen to be another number
    assert stats.ttest_1samp(seen, quiet).pvalue < LEVEL
