"""Length, step and memory of a run are decided sensibly, and absurd requests refused."""

from math import factorial

import numpy as np
import pytest
from scs_oracle import scs

from dmft.codegen import compile_network
from dmft.errors import DmftError, InputError
from dmft.validation.couplings import Couplings
from dmft.validation.memory import bytes_needed, machine_memory, workers_that_fit
from dmft.validation.network import draw_network, draw_state, generators
from dmft.validation.schedule import SAMPLE, choose_step, lag_at_level, plan
from dmft.validation.simulate import estimated_seconds, network_counts

GATED = {
    "g_h": 3.0,
    "alpha_z": 0.0,
    "alpha_r": 5.0,
    "beta_h": 0.0,
    "beta_z": 0.0,
    "beta_r": 0.0,
    "tau_z": 1.0,
    "tau_r": 1.0,
}
QUIET = {"input_x": 0.0, "noise_x": 0.0}


def test_lags_follow_the_theory():
    theory = scs(4.0)
    schedule = plan(theory.lag, theory.curve, 0.25, "chaotic", 0.11)
    times = SAMPLE * np.array(schedule.judged_lags)
    ratio = theory.at(times)["x"] / theory.variance["x"]
    assert len(times) >= 3
    assert np.all(np.diff(ratio) < 0)
    assert 0.05 < ratio[-1] < ratio[0] < 0.97
    assert set(schedule.judged_lags) <= set(schedule.lags)
    assert list(schedule.lags) == sorted(set(schedule.lags))
    assert schedule.steps == 2 * (schedule.transient_samples + schedule.samples)


def test_slow_theories_get_long_runs():
    lag = np.linspace(0, 400, 4001)
    fast, slow = (plan(lag, np.exp(-((lag / t) ** 2)), 0.25, "chaotic", 0.1) for t in (4, 40))
    assert slow.transient > 3 * fast.transient
    assert slow.duration > 3 * fast.duration
    assert max(slow.lags) * SAMPLE < slow.duration / 2


def test_constant_branches():
    rest = plan(np.linspace(0, 1, 5), np.zeros(5), 0.25, "zero", -0.5)
    assert rest.amplitude < 1e-2
    assert rest.transient == 40
    slow = plan(np.linspace(0, 1, 5), np.ones(5), 0.25, "fixed-point", -0.1)
    assert slow.amplitude == 1
    assert slow.transient == 150


def test_frozen_parts_do_not_hide_the_time_scale():
    """C = 3 + exp(-(t/5)^2) never falls to 3/4 of C(0); its changing part does as if alone."""
    lag = np.linspace(0, 40, 401)
    decaying = np.exp(-((lag / 5) ** 2))
    alone, on_top = (plan(lag, c, 0.25, "chaotic", 0.1) for c in (decaying, 3 + decaying))
    assert on_top == alone
    assert len(alone.judged_lags) == 3


def test_networks_start_around_the_means_of_the_theory():
    """Which of two mirror states is meant is the theory's choice; means of zero need no start."""
    lag = np.linspace(0, 1, 5)
    schedule = plan(
        lag, np.ones(5), 0.25, "fixed-point", -0.5, mean={"x": 1.5, "y": 0.0, "z": None}
    )
    assert schedule.mean == {"x": 1.5}
    assert plan(lag, np.ones(5), 0.25, "fixed-point", -0.5).mean == {}


def test_lag_at_level_of_what_never_falls():
    assert lag_at_level(np.arange(3.0), np.ones(3), 0.5) is None
    assert lag_at_level(np.arange(3.0), np.zeros(3), 0.5) is None
    assert lag_at_level(np.array([0.0, 2.0]), np.array([1.0, 0.0]), 0.25) == pytest.approx(1.5)


@pytest.mark.parametrize(("change", "largest"), [({}, 0.5), ({"tau_r": 0.05}, 0.0625)])
def test_step_follows_the_shortest_time(change, largest):
    """RK4 is stable up to dt = 2.8 time constants and accurate well below that."""
    p = GATED | change
    dt = choose_step(compile_network("gated"), p, 0)
    assert dt <= largest
    assert dt > largest / 8


def test_the_step_follows_what_errors_add_up_to():
    """x' = -x - a, a' = -a + 20 x turns by 4.5 and decays by 1 in a leak time: the error of
    C(10, 10) is that of |R(dt z)|^(20/dt) against exp(20 Re z), R the polynomial of the rule."""
    right = compile_network("adaptation")
    p = {"g": 1e-3, "beta": 20.0, "gamma": 1.0}
    z = -1 + 20**0.5 * 1j

    def error(dt):
        factor = sum((dt * z) ** k / factorial(k) for k in range(5))
        return abs(abs(factor) ** (20 / dt) / np.exp(20 * z.real) - 1)

    dt = choose_step(right, p, 0)
    assert error(dt) < 3e-3 < error(2 * dt)


def test_chaos_is_not_taken_for_an_error():
    """At g = 20 two runs part within a few leak times, however small the step; what that does to
    C(t,t) of 800 numbers is chance. Counted as an error it asks for steps of 1/256."""
    assert choose_step(compile_network("vanilla"), {"g": 20.0, **QUIET}, 0) > 0.02


def test_white_noise_limits_the_step():
    p = {"g": 0.5, **QUIET}
    assert choose_step(compile_network("vanilla"), p, 0) == 0.5
    assert choose_step(compile_network("vanilla"), p | {"noise_x": 0.1}, 0) == 0.25


def test_hopelessly_stiff_models_are_refused():
    with pytest.raises(DmftError, match="time step"):
        choose_step(compile_network("gated"), GATED | {"tau_z": 1e-4}, 0)


def test_bias_of_the_time_step_is_below_the_error_bars():
    """The chosen step against a quarter of it, same networks and starts, before chaos separates
    the runs: C(t,t) moves by less than 1e-3, where error bars of a validation are 5e-3."""
    right = compile_network("gated")
    couplings, starts = generators(0, 250, 0)
    network = draw_network(right, GATED, 250, couplings, np.float64)
    start = draw_state(network, 32, 1.0, starts)
    dt = choose_step(right, GATED, 0)
    curves = [c_of_time(network, start, step) for step in (dt, dt / 4)]
    np.testing.assert_allclose(*curves, rtol=1e-3)


def c_of_time(network, x, dt):
    from dmft.validation.integrate import rk4_step

    curve = []
    for _ in range(20):
        for _ in range(round(1 / dt)):
            x = rk4_step(network.velocity, x, dt)
        curve.append(np.mean(x[0] ** 2))
    return curve


def test_memory():
    right = compile_network("gated")
    schedule = plan(np.linspace(0, 9, 90), np.exp(-np.linspace(0, 9, 90)), 0.25, "chaotic", 0.1)
    needed = bytes_needed(right, schedule, 2000)
    assert 3 * 4 * 2000**2 < needed < 200e6
    assert workers_that_fit(right, schedule, 2000, 4, int(2.6 * needed / 0.8)) == 2
    with pytest.raises(InputError) as caught:
        workers_that_fit(right, schedule, 1_000_000, 4, 16 * 10**9)
    message = str(caught.value)
    assert "1000000" in message
    assert "GB" in message
    fits = int(message.rsplit(" ", 1)[-1])
    assert workers_that_fit(right, schedule, fits, 1, 16 * 10**9) == 1
    memory = machine_memory()
    assert memory is None or memory > 10**8


def test_memory_of_what_is_drawn():
    """Double precision doubles; masks and numbers that are not drawn in place come on top."""
    right = compile_network("gated")
    schedule = plan(np.linspace(0, 9, 90), np.exp(-np.linspace(0, 9, 90)), 0.25, "chaotic", 0.1)
    n = 2000
    needed = bytes_needed(right, schedule, n)
    assert 2 * needed < bytes_needed(right, schedule, n, 8) < 2 * needed + 6 * n * n
    assert bytes_needed(right, schedule, n, 4, Couplings(density=0.1)) > needed + 3 * n * n


def test_estimated_time():
    """Eight long tasks on two workers, then the short ones; 2 s for starting processes."""
    counts = network_counts(2000, 8)
    assert counts == {2000: 8, 1000: 16, 500: 32}
    seconds = {2000: 16.0, 1000: 4.0, 500: 1.0}
    assert estimated_seconds(seconds, counts, 1) == 16 * 8 + 4 * 16 + 32
    assert estimated_seconds(seconds, counts, 2) == pytest.approx(112 + 2)
