"""Regions named from constant states alone: against closed forms, and against the whole diagram."""

from __future__ import annotations

import pytest

import dmft

#: Where non-zero fixed points appear at alpha_r = 10 (theory notes, section 11); rest is stable to g_h = 2.
FOLD, LINE = 1.753983207, 2.0


def test_between_the_fold_and_the_line_of_rest() -> None:
    values = [FOLD - 1e-6, FOLD + 1e-6, LINE - 1e-6, LINE + 1e-6]
    diagram = dmft.phase("gated", g_h=values, alpha_r=[10.0, 11.0], statics=True)
    found = [diagram.label_at(value, 10.0) for value in values]
    between = "rest (unstable fixed points)"
    assert found == ["rest", between, between, "none stable (unstable fixed points)"]
    assert {curve.boundary for curve in diagram.curves} == {"zero-state", "fixed-points"}


def test_stable_states_are_those_of_the_whole_diagram() -> None:
    plane = {"g": [0.5, 1.6, 2.5], "input_x": [0.1, 2.0]}
    whole, static = dmft.phase("vanilla", plane), dmft.phase("vanilla", plane, statics=True)
    seen = set()
    for g in plane["g"]:
        for v in plane["input_x"]:
            pair = whole.label_at(g, v), static.label_at(g, v)
            seen.add(pair)
    assert seen == {
        ("fixed point", "fixed point"),
        ("chaos", "none stable (unstable fixed points)"),
    }


@pytest.mark.parametrize("bias", [0.3, -0.3])
def test_a_bias_leaves_a_fixed_point(bias: float) -> None:
    diagram = dmft.phase("gated", g_h=[0.5, 0.8], beta_h=[bias], statics=True)
    assert diagram.labels == ("fixed point",)
