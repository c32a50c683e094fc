"""Leading edges and relaxation times against the fixed-point solver, by hand, and random matrices."""

import numpy as np
import pytest
from scipy import integrate, optimize, special, stats

import dmft
from dmft import find_slow_modes
from dmft.codegen import compiled_theory
from dmft.errors import InputError, NotCoveredError
from dmft.solvers.slow_modes import loop_gain, relaxation, slow_modes

THEORY = compiled_theory("gated")
BASE = {p.name: p.default for p in THEORY.info.parameters if p.default is not None}


def at(**values):
    return BASE | {k: float(v) for k, v in values.items()}


@pytest.mark.parametrize("beta_z", [0.0, 0.7])
def test_without_a_moving_gate_it_is_the_exponent_of_the_fixed_point(beta_z):
    """Fixed point, real lambda: the edge is the largest exponent (THEORY section 7)."""
    p = at(g_h=3, alpha_r=5, tau_r=2, beta_z=beta_z)
    (found,) = slow_modes(THEORY, p)
    known = dmft.solve("gated", p, branch="fixed-point")
    assert found.amplitude == pytest.approx(known.variance["h"], rel=1e-10)
    assert found.edge == pytest.approx(known.lyapunov, rel=1e-7)
    assert found.variance == pytest.approx(known.variance["z"], rel=1e-10)


def by_hand(p, state):
    """<s^2/(lambda+s)^2> <phi'^2> (<sr^2> + <phi^2> <sr'^2> / (1 + tau_r lambda)^2) = 1."""
    x = np.linspace(-9, 9, 6001)
    w = np.exp(-(x**2) / 2) / np.exp(-(x**2) / 2).sum()
    phi = np.tanh(p["g_h"] * np.sqrt(state.amplitude) * x)
    gate = special.expit(p["alpha_r"] * np.sqrt(state.variance) * x)
    squares = w @ phi**2
    slopes = w @ (p["g_h"] * (1 - phi**2)) ** 2
    moved = w @ (p["alpha_r"] * gate * (1 - gate)) ** 2

    def excess(log_rate):
        rate = np.exp(log_rate)

        def integrand(z):
            s = special.expit(p["alpha_z"] * z - p["beta_z"])
            return stats.norm.pdf(z, scale=np.sqrt(state.variance)) * (s / (rate + s)) ** 2

        middle = (p["beta_z"] + log_rate) / p["alpha_z"]
        share = integrate.quad(integrand, -6, 6, points=[middle], limit=500, epsabs=1e-13)[0]
        return share * slopes * (w @ gate**2 + squares * moved / (1 + p["tau_r"] * rate) ** 2) - 1

    return np.exp(optimize.brentq(excess, -60, 2, xtol=1e-12))


@pytest.mark.parametrize(("alpha_z", "beta_z"), [(1, 0.5), (10, -2), (40, 8)])
def test_edge_by_hand(alpha_z, beta_z):
    p = at(g_h=3, alpha_r=5, tau_r=2, alpha_z=alpha_z, beta_z=beta_z)
    (found,) = slow_modes(THEORY, p)
    assert found.edge == pytest.approx(by_hand(p, found), rel=1e-8)
    assert found.error < 1e-9


def test_the_edge_falls_exponentially_below_the_line_and_stays_above_it():
    """theta = 0.2 at alpha_r = 5: marginal stability ends at g_h = 3.74."""
    (line,) = dmft.boundary("gated", "marginal-stability", alpha_r=5, theta_z=0.2).columns["g_h"]
    edges = {
        gain: [
            slow_modes(THEORY, at(g_h=gain * line, alpha_r=5, alpha_z=a, beta_z=0.2 * a))[0].edge
            for a in (50, 100, 200)
        ]
        for gain in (0.8, 1.5)
    }
    falls = np.diff(np.log(edges[0.8])) / [50, 100]
    assert falls[1] == pytest.approx(falls[0], rel=0.05)
    assert falls[1] < -0.02
    assert edges[1.5][2] > 0.8 * edges[1.5][1] > 0.02


def test_stable_states_have_their_edge_at_zero():
    """V < 1: an upper fixed point between fold and the line where rest loses stability."""
    states = slow_modes(THEORY, at(g_h=1.9, alpha_r=4, alpha_z=3))
    assert all((s.radius < 1) == (s.loop_gain < 1) == (s.edge == 0.0) for s in states)
    driven = compiled_theory("gated-input")
    base = {p.name: p.default for p in driven.info.parameters if p.default is not None}
    (state,) = slow_modes(driven, base | {"g_h": 0.5, "input_h": 1.0, "alpha_z": 5.0})
    assert (state.radius < 1, state.edge) == (True, 0.0)


@pytest.mark.parametrize("alpha_r", [0.0, 5.0])
def test_gain_once_around_by_hand(alpha_r):
    """V of THEORY section 3; the radius of [[a, b], [c, 0]] with V = a + b c solves x^2 = a x + b c."""
    (found,) = slow_modes(THEORY, at(g_h=3, alpha_r=alpha_r, alpha_z=10))
    x = np.linspace(-9, 9, 6001)
    w = np.exp(-(x**2) / 2) / np.exp(-(x**2) / 2).sum()
    phi = np.tanh(3 * np.sqrt(found.amplitude) * x)
    gate = special.expit(alpha_r * np.sqrt(w @ phi**2) * x)
    slopes = w @ (3 * (1 - phi**2)) ** 2
    direct = slopes * (w @ gate**2)
    through = slopes * (w @ phi**2) * (w @ (alpha_r * gate * (1 - gate)) ** 2)
    assert found.loop_gain == pytest.approx(direct + through, rel=1e-9)
    radius = (direct + np.sqrt(direct**2 + 4 * through)) / 2
    assert found.radius == pytest.approx(radius, rel=1e-9)


def test_gain_once_around_of_matrices():
    """On the same side of one as the radius; times f where the gated rows are; infinite without them."""
    rng = np.random.default_rng(2)
    for scale in (0.2, 0.3, 0.45, 0.7):
        matrix = scale * rng.random((4, 4))
        gain = loop_gain(matrix, [0, 2])
        assert (gain > 1) == (max(abs(np.linalg.eigvals(matrix))) > 1)
        critical = matrix.copy()
        critical[[0, 2]] /= gain
        assert max(abs(np.linalg.eigvals(critical))) == pytest.approx(1.0, rel=1e-9)
    assert loop_gain([[0.5, 0.0], [0.0, 1.5]], [0]) == np.inf


def test_edge_of_a_random_matrix():
    """The whole Jacobian at states drawn as the statics say: its rightmost eigenvalue."""
    p = at(g_h=3, alpha_r=5, alpha_z=10, beta_z=-2)
    (found,) = slow_modes(THEORY, p)
    units, rng, seen = 350, np.random.default_rng(3), []
    for _ in range(8):
        h, z, r = (
            rng.standard_normal(units) * np.sqrt(v)
            for v in (found.amplitude, found.variance, found.variance)
        )
        j = rng.standard_normal((2, units, units)) / np.sqrt(units)
        phi, s = np.tanh(3 * h), special.expit(10 * z + 2)[:, None]
        gate = special.expit(5 * r)
        slope = 3 * (1 - phi**2)
        rows = [
            [s * (j[0] * (slope * gate) - np.eye(units)), s * j[0] * (phi * 5 * gate * (1 - gate))],
            [j[1] * slope, -np.eye(units)],
        ]
        seen.append(np.linalg.eigvals(np.block(rows)).real.max())
    error = np.std(seen, ddof=1) / np.sqrt(len(seen))
    assert abs(np.mean(seen) - found.edge) < 5 * error
    assert error < 0.4 * found.edge


def test_relaxation_times():
    """1 / sigma_z > T where z < (beta_z - ln(T - 1)) / alpha_z."""
    p, times = at(g_h=3, alpha_z=10, beta_z=-2), np.array([1.5, 3.0, 10.0, 1000.0])
    places = (-2 - np.log(times - 1)) / 10
    expected = stats.norm.cdf(places, loc=0.1, scale=0.4)
    assert relaxation(THEORY, p, 0.1, 0.16, times) == pytest.approx(expected, abs=1e-4)


def test_the_public_entry_refuses_what_it_does_not_cover():
    with pytest.raises(InputError, match="no gate multiplies"):
        find_slow_modes.slow_modes("vanilla", g=2)
    with pytest.raises(NotCoveredError, match="noise_h"):
        find_slow_modes.slow_modes("gated", g_h=2, noise_h=1)
    with pytest.raises(NotCoveredError, match="alpha_z"):
        find_slow_modes.slow_modes("gated", g_h=2, alpha_z=1, input_h=1)
    with pytest.raises(InputError, match="variance"):
        find_slow_modes.relaxation_times("gated", [1.0], g_h=2, variance=-1)
