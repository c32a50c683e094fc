"""Networks of Gaussian fields: late states against the stationary solvers and identities, pulses."""

from itertools import pairwise

import numpy as np
import pytest
from collocation import averages, tanh_family
from scipy.integrate import quad
from solved import solved
from two_time_models import complete, population

from dmft.codegen.cache import compile_network
from dmft.codegen.two_time import two_time_theory
from dmft.protocol import Protocol, Pulse
from dmft.solvers.two_time_grid import growing_times, uniform_times
from dmft.solvers.two_time_start import FieldStart
from dmft.validation.integrate import Trajectory
from dmft.validation.network import draw_network, draw_state, generators
from dmft.validation.start import Start


def late_difference(model, given, start, times, fields, depth):
    """Largest |C(T, T - tau) - C(tau)| / C(0) up to the lag ``depth``, and the stationary solution."""
    found = population(two_time_theory(model), given, times, start)
    sol = solved(model, lyapunov=False, **given)
    lag = times[-1] - times
    near = lag <= depth
    exact = sol.at(lag[near])
    return max(np.max(abs(found.moments[k][-1, near] - exact[k])) / sol.variance[k] for k in fields)


@pytest.mark.parametrize("variance", [0.05, 4.0])
def test_vanilla_reaches_the_stationary_state_from_below_and_above(variance):
    times = growing_times(80.0, 0.05, 0.05, 0.18)
    assert late_difference("vanilla", {"g": 2.0}, {"x": variance}, times, ["x"], 4.0) < 2e-3


@pytest.mark.parametrize("variance", [0.01, 1.0])
def test_gated_reaches_the_stationary_state(variance):
    """THEORY: C_h(0) = 0.142274619, C_r(0) = 0.417489830; the slow start takes t = 100."""
    times = growing_times(110.0, 0.1, 0.05, 0.4)
    given = {"g_h": 3.0, "alpha_r": 5.0}
    assert late_difference("gated", given, {"h": variance}, times, ["h", "r"], 10.0) < 3e-3


def test_the_step_is_all_the_error():
    """At the step 0.4 and 0.2: a quarter of the distance from the stationary C(0), or less."""
    given = {"g_h": 3.0, "alpha_r": 5.0}
    errors = []
    for step in (0.5, 0.25):
        times = uniform_times(120.0, step)
        errors.append(late_difference("gated", given, {"h": 0.15}, times, ["h"], 0.0))
    assert errors[0] < 5e-3
    assert errors[1] < errors[0] / 3.3


def test_adaptation_reaches_its_damped_oscillation():
    """Two linear fields that share a current, C(tau) with a negative lobe."""
    given = {"g": 4.0, "beta": 1.0, "gamma": 0.25}
    times = growing_times(80.0, 0.05, 0.05, 0.2)
    assert solved("adaptation", lyapunov=False, **given).at(3.0)["x"] < 0
    assert late_difference("adaptation", given, {"x": 1.0}, times, ["x", "a"], 5.0) < 1.2e-2


def test_noise_energy():
    """THEORY section 4: white noise on a quiet network, int_0^Delta (c - g^2 E tanh tanh) dc = D^2 / 2
    for <noise noise'> = 2 D delta.
    """
    gain, intensity = 0.8, 0.5
    found = population(
        two_time_theory("vanilla"),
        {"g": gain, "noise_x": intensity},
        uniform_times(25.0, 0.05),
    )
    top = found.moments["x"][-1, -1]

    def force(c):
        return c - gain**2 * averages(tanh_family(1.0), np.array([top, c]))[0][1]

    energy = quad(force, 0, top, epsabs=1e-9)[0]
    assert energy == pytest.approx((intensity / 2) ** 2 / 2, rel=3e-3)


def test_mean_couplings_find_the_mean_state():
    """x = m M + Gaussian at rest: M = E tanh, Delta = g^2 E tanh^2 by damped iteration, typed by hand."""
    gain, strength = 0.5, 2.0
    found = population(
        two_time_theory("mean-coupling"),
        {"g": gain, "m": strength, "input_x": 0.1},
        uniform_times(30.0, 0.1),
        {"x": 0.3},
    )
    assert abs(found.means["x"][-1]) < 1e-15  # nothing breaks the symmetry of this start
    found = population(
        two_time_theory("mean-coupling"),
        {"g": gain, "m": strength, "input_x": 0.1},
        uniform_times(30.0, 0.1),
        {"x": FieldStart(0.3, 0.5)},
    )
    nodes, weights = np.polynomial.hermite_e.hermegauss(200)
    weights /= weights.sum()
    mean, variance = 1.0, 1.0
    for _ in range(300):
        values = np.tanh(mean + np.sqrt(variance) * nodes)
        mean, variance = strength * weights @ values, gain**2 * weights @ values**2 + 0.1
    assert found.means["x"][-1] == pytest.approx(mean, rel=1e-6)
    assert found.moments["x"][-1, -1] == pytest.approx(mean**2 + variance, rel=1e-6)


def test_slow_states_afford_long_steps():
    """A fixed point is approached through t = 3000 on some 150 times; late steps are of length 100.

    gated (2.5, 0, beta_r = -3): a static state; the relaxation is over long before.
    """
    given = {"g_h": 0.9, "beta_r": -3.0, "input_h": 0.02}
    times = growing_times(3000.0, 0.1, 0.08, 100.0)
    assert times.size < 160
    found = population(two_time_theory("gated"), given, times, {"h": 1.0})
    late = found.moments["h"][-1]
    assert np.max(abs(late[-10:] / late[-1] - 1)) < 1e-6
    # statics: Delta_h = <phi^2><sigma^2> + C_I / s^2, sigma = 1/(1 + e^{-3}), C_I outside the bracket
    nodes, weights = np.polynomial.hermite_e.hermegauss(100)
    variance = 1.0
    for _ in range(2000):
        square = weights @ np.tanh(0.9 * np.sqrt(variance) * nodes) ** 2 / weights.sum()
        variance = square / (1 + np.exp(-3.0)) ** 2 + 0.02 / 0.25
    assert late[-1] == pytest.approx(variance, rel=1e-5)


def test_a_pulse_on_the_output_gate_against_simulation():
    """beta_r jumps to 8 from t = 10 to 13: the output gate shuts and activity decays, then grows again.

    Twelve networks of 500 units; the finite size shifts C by far less than four standard errors.
    """
    model, moments = "gated", [0.0, 4.0, 10.0, 13.0, 16.0, 20.0]
    theory = two_time_theory(model)
    initial = complete(theory, g_h=3, alpha_r=5)
    protocol = Protocol(initial, (Pulse("beta_r", 10.0, 13.0, 8.0),))
    times = np.unique(np.concatenate([np.linspace(0, 2, 21), np.arange(2.0, 20.01, 0.25)]))
    found = population(theory, protocol, times, {"h": 0.3})
    at = [int(np.flatnonzero(found.problem.grid.times == t)[0]) for t in moments]
    exact = found.moments["h"][np.ix_(at, at)]
    assert exact[3, 3] < 0.1 * exact[2, 2]
    right, tables = compile_network(model), []
    for number in range(12):
        couplings, starts = generators(3, 500, number)
        network = draw_network(right, protocol.at(0.0), 500, couplings)
        state = draw_state(network, 4, Start({"h": np.sqrt(0.3)}), starts)
        nothing = [np.zeros((0, 500), dtype=np.float32) for _ in right.info.fields]
        run = Trajectory(network, state, nothing, 0.25, protocol=protocol)
        kept = [run.x[0].ravel()]
        for first, last in pairwise(moments):
            run.advance(round((last - first) / 0.25))
            kept.append(run.x[0].ravel())
        kept = np.array(kept, dtype=np.float64)
        tables.append(kept @ kept.T / kept.shape[1])
    mean = np.mean(tables, axis=0)
    error = np.std(tables, axis=0, ddof=1) / np.sqrt(len(tables))
    assert np.max(abs(mean - exact) / error) < 4.5
