"""Fixed points: all of a network that can be solved by hand, and honesty about the rest."""

from functools import partial

import numpy as np
import pytest
from scipy.optimize import brentq

from dmft.codegen import compile_network
from dmft.errors import InputError
from dmft.validation.ensemble import Ensemble, each_network
from dmft.validation.fixed_points import (
    FixedPointPlan,
    FixedPoints,
    find_fixed_points,
    network_fixed_points,
)
from dmft.validation.network import FiniteNetwork

GAINS = np.array([1.5, 2.0, 3.0])


def uncoupled():
    """dx_i/dt = -x_i + c_i tanh x_i: each unit at 0 or at the two roots, 3^N points in all."""
    return FiniteNetwork(compile_network("vanilla"), {"g": 1.0}, (np.diag(GAINS),))


def starts(count, seed=0, n=3):
    rng = np.random.default_rng(seed)
    return [[rng.uniform(0.1, 4.0) * rng.standard_normal((1, n))] for _ in range(count)]


def test_all_of_an_uncoupled_network():
    found = find_fixed_points(uncoupled(), starts(400), FixedPointPlan())
    roots = [brentq(lambda x, c=c: c * np.tanh(x) - x, 0.1, 10.0, xtol=1e-15) for c in GAINS]
    assert found.lower_bound == 27
    assert found.is_sound
    expected = {(a, b, c) for a in (-1, 0, 1) for b in (-1, 0, 1) for c in (-1, 0, 1)}
    signs = {tuple(s) for s in np.rint(found.states[:, 0] / roots).astype(int)}
    assert signs == expected
    np.testing.assert_allclose(
        found.states[:, 0], np.rint(found.states[:, 0] / roots) * roots, atol=1e-9
    )
    at_zero = np.rint(found.states[:, 0] / roots) == 0
    np.testing.assert_array_equal(found.unstable, at_zero.sum(axis=1))
    slopes = np.where(at_zero, GAINS - 1, GAINS / np.cosh(roots) ** 2 - 1)
    np.testing.assert_allclose(found.leading, slopes.max(axis=1), atol=1e-9)
    assert found.hits.sum() + found.failed == 400
    assert (np.diff(found.hits) <= 0).all()
    assert "at least 27 fixed points (8 stable) from 400 starts" in found.statement
    assert found.residual.max() < 1e-11


def test_few_starts_are_a_lower_bound_that_says_so():
    found = find_fixed_points(uncoupled(), starts(12), FixedPointPlan())
    assert found.lower_bound < 27
    assert found.estimated_number > found.lower_bound
    assert found.unseen_probability > 0.1


def test_chao_and_good():
    """Six points, found 4, 2, 1, 1, 1, 1 times: 6 + 4 * 3 / (2 * 2) = 9; 4 of 10 singletons."""
    one = np.ones(6)
    found = FixedPoints(
        np.zeros((6, 1, 1)), one, 0 * one, -one, 0 * one, np.array([4, 2, 1, 1, 1, 1]), 0, 1e-5
    )
    assert found.estimated_number == 9.0
    assert found.unseen_probability == 0.4


def test_chao_is_a_lower_bound_on_average():
    """Unequal chances: between the number seen and the truth, on average over draws."""
    rng = np.random.default_rng(1)
    chances = rng.dirichlet(np.full(60, 0.7))
    seen, estimated = [], []
    for _ in range(200):
        hits = rng.multinomial(80, chances)
        hits = hits[hits > 0]
        one = np.ones(len(hits))
        found = FixedPoints(np.zeros((len(hits), 1, 1)), one, 0 * one, -one, 0 * one, hits, 0, 1e-5)
        seen.append(found.lower_bound)
        estimated.append(found.estimated_number)
    assert np.mean(seen) < np.mean(estimated) < 60


def test_failed_starts_are_counted():
    found = find_fixed_points(uncoupled(), starts(10), FixedPointPlan(iterations=1))
    assert found.failed == 10
    assert found.lower_bound == 0
    assert found.states.shape == (0, 1, 3)
    assert "10 of which failed" in found.statement


def test_points_closer_than_their_error_are_not_sound():
    """At criticality zero is a triple root: Newton creeps and corrections stay large."""
    network = FiniteNetwork(compile_network("vanilla"), {"g": 1.0}, (np.eye(2),))
    found = find_fixed_points(network, starts(20, n=2), FixedPointPlan(separation=1e-7))
    assert found.lower_bound > 1
    assert not found.is_sound
    assert "candidates" in found.statement


def test_single_precision_is_refused():
    network = FiniteNetwork(compile_network("vanilla"), {"g": 1.0}, (np.eye(2, dtype=np.float32),))
    with pytest.raises(InputError, match="float64 is needed"):
        find_fixed_points(network, starts(1, n=2), FixedPointPlan())


def test_gated_networks():
    """All three fields vanish in velocity at what is found; the symmetric network has pairs."""
    p = {"g_h": 4.0, "alpha_z": 2.0, "alpha_r": 3.0}
    p |= {"beta_h": 0.0, "beta_z": 0.0, "beta_r": 0.0, "tau_z": 1.0, "tau_r": 1.0}
    ensemble = Ensemble(compile_network("gated"), p, 2, 0.25, dtype="float64")
    plan = FixedPointPlan(starts=80)
    found = each_network(partial(network_fixed_points, ensemble, plan), {6: 2})[6]
    again = network_fixed_points(ensemble, plan, 6, 1)
    np.testing.assert_array_equal(again.states, found[1].states)
    for one in found:
        assert one.is_sound
        network, _ = ensemble.network(6, found.index(one))
        for state in one.states:
            velocity = network.velocity([field[None] for field in state])
            assert max(np.abs(v).max() for v in velocity) < 1e-11
        assert np.abs(one.states).max(axis=(1, 2)).min() < 1e-9  # zero is among them
