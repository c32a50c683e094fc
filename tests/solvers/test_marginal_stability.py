"""The binary gate's marginal-stability line: typed by hand, from finite gains, and from random matrices."""

import numpy as np
import pytest
from scipy import integrate, optimize, special

import dmft
from dmft.errors import InputError

NODES = np.linspace(-9.0, 9.0, 4001)  # the trapezoid rule, spectrally accurate
WEIGHTS = np.exp(-(NODES**2) / 2) / np.exp(-(NODES**2) / 2).sum()


def average(f, variance):
    return float(WEIGHTS @ f(np.sqrt(variance) * NODES))


def by_hand(g_h, alpha_r, amplitude, beta_r=0.0):
    """Delta_z = Delta_r, the static equation's ratio and V of THEORY sections 3 and 7."""
    phi = lambda x: np.tanh(g_h * x)  # noqa: E731
    gate = lambda x: special.expit(alpha_r * x - beta_r)  # noqa: E731
    squares = average(lambda x: phi(x) ** 2, amplitude)
    slopes = average(lambda x: (g_h * (1 - phi(x) ** 2)) ** 2, amplitude)
    open_ = average(lambda x: gate(x) ** 2, squares)
    moved = average(lambda x: (alpha_r * gate(x) * (1 - gate(x))) ** 2, squares)
    return squares, squares * open_ / amplitude, slopes * (open_ + squares * moved)


def state_at(g_h, alpha_r):
    """Variance of h of the static solution beyond g_h = 2, its Delta_z and V."""
    amplitude = optimize.brentq(
        lambda a: by_hand(g_h, alpha_r, a)[1] - 1, 1e-4, 1.0, xtol=1e-15, rtol=1e-14
    )
    return amplitude, *by_hand(g_h, alpha_r, amplitude)[::2]


def open_share(theta, delta):
    return special.erfc(theta / np.sqrt(2 * delta)) / 2


@pytest.mark.parametrize(
    ("alpha_r", "theta", "between"),
    [(0.0, 0.0, (5, 8)), (0.0, 0.5, (10, 14)), (5.0, 0.2, (3, 4.5)), (0.0, -0.5, (3, 5))],
)
def test_line_by_hand(alpha_r, theta, between):
    """f V = 1 on the static solutions."""

    def excess(g_h):
        _, delta, v = state_at(g_h, alpha_r)
        return open_share(theta, delta) * v - 1

    g_h = optimize.brentq(excess, *between, xtol=1e-13)
    curve = dmft.boundary("gated", "marginal-stability", alpha_r=alpha_r, theta_z=theta)
    assert np.min(abs(curve.columns["g_h"] - g_h)) < 1e-10 * g_h
    assert set(curve.status) == {"converged"}
    assert set(curve.point_kind) == {"edge"}


def edge(alpha_z, theta, delta, v):
    """The real edge at a finite gain of the gate: <s^2 / (s + lambda)^2> V = 1 for tau_r -> 0."""

    def excess(log_rate):
        def share(z):
            ratio = log_rate + np.logaddexp(0.0, -alpha_z * (z - theta))
            density = np.exp(-(z**2) / (2 * delta)) / np.sqrt(2 * np.pi * delta)
            return density * special.expit(-ratio) ** 2

        end = 10 * np.sqrt(delta)
        middle = theta - np.log1p(-1e-300) + log_rate / alpha_z
        places = [x for x in (theta, middle) if -end < x < end]
        found, _ = integrate.quad(share, -end, end, points=places, limit=400, epsabs=1e-12)
        return found * v - 1

    return optimize.brentq(excess, -400.0, 10.0, xtol=1e-10)


def test_edge_at_finite_gains_of_the_gate():
    """Between V = 1 and the line log lambda falls like -alpha_z (theta - z*), P(z > z*) = 1 / V."""
    theta = 0.5
    line = dmft.boundary("gated", "marginal-stability", theta_z=theta).columns["g_h"][0]
    _, delta, v = state_at(0.7 * line, 0.0)
    z_star = np.sqrt(2 * delta) * special.erfcinv(2 / v)
    assert v > 1 > open_share(theta, delta) * v
    gains = np.array([100.0, 200.0, 400.0])
    logs = [edge(gain, theta, delta, v) for gain in gains]
    slopes = np.diff(logs) / np.diff(gains)
    assert slopes == pytest.approx([-(theta - z_star)] * 2, rel=1e-2)
    _, delta, v = state_at(1.3 * line, 0.0)
    f = open_share(theta, delta)
    assert f * v > 1
    # open units have s = 1: f V / (1 + lambda)^2 = 1
    assert np.exp(edge(2000.0, theta, delta, v)) == pytest.approx(np.sqrt(f * v) - 1, rel=2e-2)


def quantiles(units, rng):
    """Normal numbers without scatter, in random order."""
    return rng.permutation(np.sqrt(2) * special.erfinv(2 * (np.arange(units) + 0.5) / units - 1))


def jacobian(g_h, alpha_r, theta, units, rng, draw=None):
    """At states drawn independently, as the statics say, with q = 0 and a binary gate."""
    draw = draw or (lambda n, rng: rng.standard_normal(n))
    amplitude, delta, _ = state_at(g_h, alpha_r)
    h, z, r = (draw(units, rng) * np.sqrt(x) for x in (amplitude, delta, delta))
    couplings = rng.standard_normal((2, units, units)) / np.sqrt(units)
    phi, gate = np.tanh(g_h * h), special.expit(alpha_r * r)
    slope, moved = g_h * (1 - phi**2), alpha_r * gate * (1 - gate)
    is_open = (z > theta)[:, None] * 1.0
    of_h = [
        is_open * (couplings[0] * (slope * gate) - np.eye(units)),
        is_open * couplings[0] * (phi * moved),
    ]
    return np.block([of_h, [couplings[1] * slope, -np.eye(units)]])


def test_eigenvalues_of_random_matrices_on_both_sides():
    """At a moderate gain: at large ones few units have a slope, and edges scatter wildly."""
    (g_h,) = dmft.boundary("gated", "marginal-stability", alpha_r=5).columns["g_h"]
    rng = np.random.default_rng(5)

    def leading(gain, count):
        matrices = [jacobian(gain, 5.0, 0.0, 500, rng) for _ in range(count)]
        return np.array([np.linalg.eigvals(m).real.max() for m in matrices])

    _, delta, v = state_at(0.75 * g_h, 5.0)
    assert open_share(0.0, delta) * v < 1 < v
    # closed units: exact zeros, and nothing to their right
    assert abs(leading(0.75 * g_h, 2)).max() < 1e-9
    assert leading(2 * g_h, 4).min() > 0.01


@pytest.mark.parametrize("theta", [-0.3, 0.0, 0.3])
def test_spectral_radius_of_the_open_units(theta):
    """sqrt(f V), that of delta -> delta + D delta in open units (alpha_r = 0)."""
    rng = np.random.default_rng(7)
    _, delta, v = state_at(4.0, 0.0)
    radii = []
    for _ in range(5):
        matrix = jacobian(4.0, 0.0, theta, 500, rng)[:500, :500]
        is_open = np.diag(matrix) != 0
        inner = matrix[np.ix_(is_open, is_open)] + np.eye(is_open.sum())
        radii.append(np.max(abs(np.linalg.eigvals(inner))))
    error = np.std(radii, ddof=1) / np.sqrt(5)
    assert abs(np.mean(radii) - np.sqrt(open_share(theta, delta) * v)) < 4.5 * error
    assert error < 0.05


@pytest.mark.parametrize("alpha_r", [0.0, 5.0])
def test_gain_once_around_is_that_of_random_matrices(alpha_r):
    """|A + B C|^2 / (open units) = f V: from open units to open units, directly and through r of all."""
    theta, units, rng = 0.3, 600, np.random.default_rng(11)
    (state,) = dmft.slow_modes("gated", g_h=3, alpha_r=alpha_r, alpha_z=100, beta_z=100 * theta)
    f, gains = open_share(theta, state.variance), []
    for _ in range(12):
        matrix = jacobian(3.0, alpha_r, theta, units, rng, quantiles)
        direct, through, follows = (
            matrix[:units, :units],
            matrix[:units, units:],
            matrix[units:, :units],
        )
        is_open = np.diag(direct) != 0
        around = (direct + through @ follows)[np.ix_(is_open, is_open)] + np.eye(is_open.sum())
        gains.append(np.sum(around**2) / is_open.sum())
    error = np.std(gains, ddof=1) / np.sqrt(12)
    assert abs(np.mean(gains) - f * state.loop_gain) < 4.5 * error
    # the spectral radius of the statics times f is another number where r is part of the loop
    assert alpha_r == 0 or f * (state.loop_gain - state.radius) > 5 * error


def test_without_closed_units_it_is_the_edge_of_the_jacobian():
    """theta -> -oo: f = 1, on states that an input keeps away from rest."""
    at = {"g_h": 1.7, "alpha_r": 10, "solve_for": "input_h"}
    always_open = dmft.boundary("gated-input", "marginal-stability", theta_z=-50, **at)
    plain = dmft.boundary("gated-input", "jacobian-edge", **at)
    assert always_open.columns["input_h"] == pytest.approx(plain.columns["input_h"], rel=1e-9)
    half_open = dmft.boundary("gated-input", "marginal-stability", theta_z=0, **at)
    assert half_open.status == ("no-solution",)


def test_rest_is_no_point_of_an_edge():
    """At g_h = 2 solutions are born at rest, where V - 1 vanishes with them."""
    assert dmft.boundary("gated", "jacobian-edge").status == ("no-solution",)


def test_a_root_near_rest_is_listed_once():
    """theta < 0: f -> 1 faster than V - 1 ~ A^2 vanishes at rest, so that f V = 1 has a root close to it."""
    theta = -0.02

    def gain_of(amplitude):
        return optimize.brentq(lambda g: by_hand(g, 0.0, amplitude)[1] - 1, 1.9, 2.1, xtol=1e-15)

    def excess(amplitude):
        delta, _, v = by_hand(gain_of(amplitude), 0.0, amplitude)
        return v - 1 - v * special.erfc(-theta / np.sqrt(2 * delta)) / 2

    near = gain_of(optimize.brentq(excess, 1e-6, 1e-5, xtol=1e-14))
    for asked in ({"theta_z": theta}, {"theta_z": [2 * theta, theta]}):
        curve = dmft.boundary("gated", "marginal-stability", **asked)
        assert set(curve.status) == {"converged"}
        here = curve.columns.get("theta_z", np.full(2, theta)) == theta
        faint, far = np.sort(curve.columns["g_h"][here])
        assert faint - 2 == pytest.approx(near - 2, rel=1e-4)
        assert far > 6


def test_an_input_of_the_gate_is_part_of_its_variance():
    quiet, driven = (
        dmft.boundary("gated", "marginal-stability", theta_z=0.5, input_z=x).columns["g_h"][0]
        for x in (0.0, 100.0)
    )
    free = dmft.boundary("gated", "marginal-stability", theta_z=0.0).columns["g_h"][0]
    assert quiet > 1.5 * free
    assert driven == pytest.approx(free, rel=0.06)  # a wide gate is half open wherever it closes


def test_refusals():
    with pytest.raises(
        InputError, match=r"alpha_z has no meaning there; give the threshold theta_z"
    ):
        dmft.boundary("gated", "marginal-stability", alpha_z=3)
    with pytest.raises(InputError, match=r"beta_z has no meaning"):
        dmft.boundary("gated", "marginal-stability", g_h=3, solve_for="beta_z")
    with pytest.raises(InputError, match="no gate multiplies the dynamics"):
        dmft.boundary("vanilla", "marginal-stability")
    with pytest.raises(InputError, match="theta_z"):
        dmft.boundary("gated", "zero-state", theta_z=1)
    with pytest.raises(InputError, match="input_h"):
        dmft.boundary("gated", "marginal-stability", input_h=1)
