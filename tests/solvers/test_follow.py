"""Branches over a parameter: closed forms, solutions one by one, tangents by differences, refusals."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import numpy as np
import pytest
from energy_integral import scs_bracket
from statics_by_hand import gain_for

import dmft
from dmft.errors import InputError, NotCoveredError
from dmft.results.branches import Branch, BranchDiagram
from dmft.solvers import branch_curves as module


@pytest.fixture(scope="module")
def vanilla() -> BranchDiagram:
    return dmft.follow("vanilla", g=dmft.Sweep(0.5, 2))


@pytest.fixture(scope="module")
def gated() -> BranchDiagram:
    return dmft.follow("gated", g_h=dmft.Sweep(1.7, 2.1), alpha_r=10)


@pytest.fixture(scope="module")
def woken() -> BranchDiagram:
    """A network at rest that an input wakes, with hysteresis."""
    return dmft.follow("gated", g_h=1.85, alpha_r=10, input_h=dmft.Sweep(1e-5, 4e-5))


#: One worker computes the diagrams of this module.
pytestmark = pytest.mark.xdist_group("follow")


def delta(g: float) -> float:
    """Delta_0 of SCS (1988); its slope in g is below 5 for g < 2."""
    return sum(scs_bracket(float(g))) / 2


def events(branch: Branch) -> dict[str, list[float]]:
    found: dict[str, list[float]] = {}
    for event in branch.events:
        found.setdefault(event.kind, []).append(event.value)
    return found


def test_the_classical_network(vanilla: BranchDiagram) -> None:
    """Rest to g = 1 with edge g - 1; both other states are born there; Delta_0 of SCS (1988)."""
    rest, fixed, chaos = vanilla.branches
    assert [branch.kind for branch in vanilla.branches] == ["zero", "fixed-point", "chaotic"]
    assert rest.growth == pytest.approx(rest.value - 1, abs=1e-12)
    assert np.array_equal(rest.stable, rest.value < 1)
    assert events(rest) == {"stability": [pytest.approx(1, abs=1e-12)]}
    for branch in (fixed, chaos):
        assert events(branch) == {"birth": [pytest.approx(1, abs=1e-12)]}
        assert branch.ends == ("birth", "range") and branch.answered.all()
    assert chaos.stable.all() and not fixed.stable.any()
    for i in range(0, len(chaos), 7):
        assert abs(chaos.variance["x"][i] - delta(chaos.value[i])) < 6 * chaos.error[i] + 1e-9


def test_constant_states_of_the_gated_network(gated: BranchDiagram) -> None:
    """u = g_h^2 Delta_h fixes g_h (statics_by_hand); the fold at 1.753983207 (theory notes)."""
    (fixed,) = gated.of("fixed-point")
    for value, moment in zip(fixed.value, fixed.variance["h"], strict=True):
        assert gain_for(value**2 * moment, 10.0) == pytest.approx(value, rel=1e-12)
    assert events(fixed) == {
        "fold": [pytest.approx(1.753983207, abs=1e-9)],
        "birth": [pytest.approx(2, abs=1e-12)],
    }


def test_chaotic_states_are_those_found_one_by_one(gated: BranchDiagram) -> None:
    (chaos,) = gated.of("chaotic")
    (fold,) = events(chaos)["fold"]
    onset = dmft.boundary("gated", "chaos-onset", alpha_r=10).columns["g_h"][0]
    assert fold == pytest.approx(onset, rel=1e-10)
    assert chaos.value.min() >= fold
    turn = int(np.argmin(chaos.value))
    for i in (turn - 4, turn + 4):
        name = "chaotic" if chaos.stable[i] else "chaotic-lower"
        one = dmft.solve("gated", g_h=float(chaos.value[i]), alpha_r=10, branch=name)
        assert one.variance["h"] == pytest.approx(chaos.variance["h"][i], rel=1e-6)
        assert one.lyapunov == pytest.approx(chaos.growth[i], abs=1e-6)
    assert set(np.sign(np.diff(chaos.stable.astype(int)))) <= {0, 1}  # one change, at the fold


def test_tangents_are_those_of_the_curve(gated: BranchDiagram, woken: BranchDiagram) -> None:
    """Chords between neighbours lie between their tangents, to second order in the step."""
    for branch in (*gated.of("chaotic"), *gated.of("fixed-point"), *woken.of("chaotic")):
        first = "h"
        amplitude = branch.decaying[first]
        if branch.kind == "fixed-point":
            amplitude = branch.variance[first]
        step = np.diff(branch.length)
        for column, tangent in (
            (np.log(amplitude), branch.tangent_amplitude),
            (branch.value, branch.tangent_value),
        ):
            mean = (tangent[1:] + tangent[:-1]) / 2
            assert np.max(abs(np.diff(column) / step - mean)) < 0.05 * np.max(abs(tangent))


def test_an_input_wakes_a_network_with_hysteresis(woken: BranchDiagram) -> None:
    """The chaotic curve turns at folds of `chaos-onset` and starts where a fixed point loses stability."""
    (chaos,) = woken.of("chaotic")
    found = events(chaos)
    onset = dmft.boundary("gated", "chaos-onset", g_h=1.85, alpha_r=10, solve_for="input_h")
    kinds = np.array(onset.point_kind)
    folds = onset.columns["input_h"][kinds == "fold"]
    assert sorted(found["fold"]) == pytest.approx(sorted(folds), rel=1e-8)
    losing = [v for branch in woken.of("fixed-point") for v in events(branch).get("stability", [])]
    birth = onset.columns["input_h"][kinds == "continuous"].min()
    assert [*found["birth"], *losing] == pytest.approx([birth, birth], rel=1e-10)
    for branch in woken.of("fixed-point"):
        assert np.array_equal(branch.stable, branch.growth < 0)
        turns = [a for a, b in pairwise(branch.stable) if a != b]
        assert len(turns) == len(events(branch).get("stability", []))


def test_errors_bound_what_a_coarser_probe_changes(monkeypatch: pytest.MonkeyPatch) -> None:
    """With tails and cosines cut earlier the stated errors grow and hold."""
    from dmft.solvers.boundaries import chaos_probe

    monkeypatch.setattr(chaos_probe, "_TAIL", 1e-4)
    monkeypatch.setattr(chaos_probe, "_ROUGH", 1e-5)
    coarse = dmft.follow("vanilla", g=dmft.Sweep(1.5, 2)).of("chaotic")[0]
    assert 1e-8 < np.max(coarse.error) < 1e-3
    for value, moment, error in zip(coarse.value, coarse.variance["x"], coarse.error, strict=True):
        assert abs(moment - delta(value)) < 6 * error + 1e-9


def test_a_lost_curve_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    """Steep states far from the onset need more lags than are allowed here."""
    monkeypatch.setattr(module, "_MOST_INTERVALS", 192)
    found = dmft.follow("vanilla", g=dmft.Sweep(0.9, 2))
    (chaos,) = found.of("chaotic")
    assert chaos.ends == ("birth", "step") and chaos.value[-1] < 2
    assert found.message == "branch 2 (chaotic) was lost before an end of the range"


@pytest.mark.parametrize(
    ("model", "given", "said"),
    [
        ("vanilla", {"g": 2}, "exactly one"),
        ("vanilla", {"g": dmft.Sweep(1, 2), "input_x": dmft.Sweep(0, 1)}, "exactly one"),
        ("vanilla", {"g": dmft.Sweep(1, 2, 5)}, "both ends"),
        ("vanilla", {"g": [1.0, 2.0]}, "both ends"),
        ("vanilla", {"x": dmft.Sweep(1, 2)}, "parameter"),
    ],
)
def test_bad_input(model: str, given: dict[str, Any], said: str) -> None:
    with pytest.raises(InputError, match=said):
        dmft.follow(model, given)


@pytest.mark.parametrize(
    ("model", "given"),
    [
        ("gated", {"g_h": dmft.Sweep(1, 3), "alpha_z": 2}),
        ("vanilla", {"g": dmft.Sweep(1, 3), "noise_x": 1}),
        ("mean-coupling", {"g": dmft.Sweep(1, 3), "m": 1}),
    ],
)
def test_what_is_not_covered(model: str, given: dict[str, Any]) -> None:
    with pytest.raises(NotCoveredError):
        dmft.follow(model, given)
