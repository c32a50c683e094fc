"""Traces in networks under protocols, where the state is known in closed form."""

import numpy as np
import pytest

from dmft.codegen import compile_network, load_info
from dmft.parameters import check_parameters
from dmft.protocol import Pulse
from dmft.validation.ensemble import Ensemble
from dmft.validation.trace_case import Condition, Told, TracePlan, network_trace

#: Next to no recurrence: dh/dt = sigma_z (-h) + I with sigma_z = 1/2, or what the bias makes of it.
QUIET = {"g_h": 1e-9}


def trace(condition, times, batch=1):
    p = check_parameters(load_info("gated"), condition.parameters)
    ensemble = Ensemble(compile_network("gated"), p, seed=3, dt=0.125, dtype="float64")
    plan = TracePlan(condition, "h", times, batch)
    return np.array(network_trace(ensemble, plan, 50, 0)["trace"]), ensemble


def test_an_input_fills_the_state_and_leaks_away():
    """h_i(6) = 2 w_i (1 - exp(-2)) after the input w_i from 2 to 6, then exp(-(t - 6)/2)."""
    condition = Condition(QUIET, (Pulse("input_h", 2.0, 6.0, 1.0),))
    times = (6.0, 7.0, 10.0)
    found, ensemble = trace(condition, times)
    pattern = ensemble.network(50, 0)[0].patterns[0].astype(float)
    first = np.mean((2 * pattern * (1 - np.exp(-2.0))) ** 2)
    assert found == pytest.approx(first * np.exp([0.0, -0.5, -2.0]), rel=1e-5)


def test_a_pulse_on_the_bias_stops_the_leak():
    """A start of variance 4; the update gate is shut from 1 to 3, so that two leak times do not count."""
    condition = Condition(QUIET, (Pulse("beta_z", 1.0, 3.0, 60.0),), (("h", 4.0),))
    found, _ = trace(condition, (1.0, 3.0, 5.0), batch=40)
    assert found / found[0] == pytest.approx([1.0, 1.0, np.exp(-1.0)], rel=1e-5)
    # 2000 numbers: the variance has a relative standard error of 3%
    assert found[0] == pytest.approx(4.0 * np.exp(-1.0), rel=0.15)


def test_errors_of_a_ratio():
    """As if independent: relative errors add in squares; nothing is told of a ratio to zero."""
    ratio = Told(2.0, 0.06).over(Told(4.0, 0.16))
    assert (ratio.value, ratio.error) == pytest.approx((0.5, 0.5 * np.hypot(0.03, 0.04)))
    assert np.isnan([Told(1.0, 0.1).over(Told(0.0, 0.0)).value]).all()
