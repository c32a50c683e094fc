"""Starts that stay active and starts that fall silent."""

import numpy as np
import pytest

from dmft.codegen import compile_network
from dmft.validation.ensemble import Ensemble
from dmft.validation.survivors import SurvivorPlan, network_survivors

PLAN = SurvivorPlan(threshold=0.05, transient=30.0, duration=40.0, starts=3)


def survivors(g, starts=1.0, plan=PLAN):
    return network_survivors(
        Ensemble(
            compile_network("vanilla"), {"g": g, "input_x": 0.0, "noise_x": 0.0}, 0, 0.25, starts
        ),
        plan,
        120,
        0,
    )


def test_chaos_lives_with_its_amplitude():
    found = survivors(3.0)
    assert found.alive == 1.0
    assert found.second_moment == pytest.approx(5.446, rel=0.25)
    assert 0.0 < found.lyapunov < 0.3


def test_rest_is_silent_and_its_numbers_are_missing():
    found = survivors(0.5)
    assert found.alive == 0.0
    assert np.isnan([found.second_moment, found.lyapunov]).all()


def test_without_a_threshold_rest_has_an_exponent():
    """The slowest mode of -1 + g J: a rate between -1 and 0 for g < 1."""
    everyone = SurvivorPlan(threshold=0.0, transient=10.0, duration=20.0, starts=2)
    found = survivors(0.5, plan=everyone)
    assert found.alive == 1.0
    assert -0.7 < found.lyapunov < -0.3
