"""Which branches exist, which one `auto` takes, and what the names mean."""

import pytest
from solved import solved

import dmft

ALL = ("zero", "fixed-point", "fixed-point-lower", "chaotic", "chaotic-lower")


@pytest.fixture(scope="module")
def coexisting():
    """(1.9, 10): rest, two constant and two decaying solutions (THEORY section 8)."""
    return {branch: solved("gated", g_h=1.9, alpha_r=10, branch=branch) for branch in ALL}


def test_all_five_at_once(coexisting):
    for branch, sol in coexisting.items():
        assert (sol.branch, sol.status) == (branch, "converged")
        assert set(sol.other_branches) == set(ALL) - {branch}


def test_order_of_amplitudes(coexisting):
    """Constant above decaying on each sheet; lower sheets below upper ones; rest is zero."""
    h = {branch: sol.variance["h"] for branch, sol in coexisting.items()}
    assert h["fixed-point"] > h["chaotic"] > h["chaotic-lower"] > h["fixed-point-lower"] > h["zero"]
    assert h["zero"] == 0


def test_signs_of_stability(coexisting):
    """Rest is stable below g_h = 2; decaying states are chaotic; static ones unstable (V > 1)."""
    exponent = {branch: sol.lyapunov for branch, sol in coexisting.items()}
    assert exponent["zero"] == pytest.approx(0.5 * (1.9 / 2 - 1), abs=1e-12)
    assert exponent["zero"] < 0
    assert all(exponent[branch] > 0 for branch in ALL[1:])
    assert "Kac-Rice" in coexisting["fixed-point"].message


def test_lower_chaotic_state_solves_the_equations_too(coexisting):
    """By the second discretisation."""
    import numpy as np
    from collocation import Collocation, gated

    sol = coexisting["chaotic-lower"]
    oracle = Collocation(gated(1.9, 10), 150.0, 96, middle=8.0)
    at = sol.at(oracle.lags)
    expected = np.stack([at["h"], at["r"]])
    c = oracle.solve(expected)
    np.testing.assert_allclose(c, expected, atol=1e-9 * expected[0, 0])


def test_chaotic_and_lower_meet_at_a_fold():
    """Upper amplitude grows with g_h, lower one falls: the signature of the two sheets."""
    amplitudes = {
        branch: [
            solved("gated", g_h=g_h, alpha_r=10, branch=branch, lyapunov=False).variance["h"]
            for g_h in (1.88, 1.92)
        ]
        for branch in ("chaotic", "chaotic-lower")
    }
    assert amplitudes["chaotic"][1] > amplitudes["chaotic"][0]
    assert amplitudes["chaotic-lower"][1] < amplitudes["chaotic-lower"][0]


@pytest.mark.parametrize(
    ("given", "branch", "others"),
    [
        (("vanilla", {"g": 0.9}), "zero", set()),
        (("vanilla", {"g": 1.5}), "chaotic", {"zero", "fixed-point"}),
        (("gated", {"g_h": 3, "alpha_r": 5}), "chaotic", {"zero", "fixed-point"}),
        (("gated", {"g_h": 1.5, "alpha_r": 10}), "zero", set()),
        # between the static fold (1.754) and the onset of chaos: rest, and fixed points besides
        (("gated", {"g_h": 1.76, "alpha_r": 10}), "zero", {"fixed-point", "fixed-point-lower"}),
        (("gated", {"g_h": 1.95, "alpha_r": 3.2}), "zero", set()),
    ],
)
def test_auto(given, branch, others):
    model, parameters = given
    sol = solved(model, **parameters)
    assert (sol.branch, sol.status) == (branch, "converged")
    assert set(sol.other_branches) == others


def test_auto_takes_the_fixed_point_where_chaos_is_absent_and_rest_unstable(monkeypatch):
    """No shipped model has such a place; the choice is tested on its own."""
    from dmft.solvers.branches import Survey
    from dmft.solvers.decaying import Search

    monkeypatch.setattr(Survey, "chaos", Search((), True, 2.0))
    sol = dmft.solve("vanilla", g=1.5)
    assert (sol.branch, sol.other_branches) == ("fixed-point", ("zero",))


def test_auto_does_not_claim_that_chaos_is_absent_when_the_search_broke_off(monkeypatch):
    from dmft.solvers.branches import Survey
    from dmft.solvers.decaying import Search

    monkeypatch.setattr(Survey, "chaos", Search((), False, 2.0))
    sol = dmft.solve("vanilla", g=1.5)
    assert sol.status == "not-converged"
    assert sol.variance == {"x": None}
    assert "could not be decided" in sol.message


def test_critical_point_itself():
    """At g = 1 exactly nothing but rest exists, marginally stable."""
    sol = dmft.solve("vanilla", g=1)
    assert (sol.branch, sol.status, sol.other_branches) == ("zero", "converged", ())
    assert sol.lyapunov == pytest.approx(0, abs=1e-12)


@pytest.mark.parametrize("branch", ["chaotic", "chaotic-lower", "fixed-point", "fixed-point-lower"])
def test_absent_branches_are_no_solution(branch):
    sol = dmft.solve("vanilla", g=0.9, branch=branch)
    assert sol.status == "no-solution"
    assert sol.variance == {"x": None}
    assert sol.lyapunov is None
    assert sol.lag.size == 0
    assert sol.other_branches == ("zero",)
    assert sol.message


def test_lower_branches_are_absent_beyond_the_line_of_rest():
    for branch in ("chaotic-lower", "fixed-point-lower"):
        assert dmft.solve("gated", g_h=3, alpha_r=5, branch=branch).status == "no-solution"


@pytest.mark.parametrize(
    ("g_h", "beta_r", "alpha_r"), [(1.06, -3, 10), (1.2, -3, 10), (3.0, 2.0, 10), (2.0, -0.5, 25)]
)
def test_biased_gates(g_h, beta_r, alpha_r):
    """Whatever the branch: converged, and checked against the zero-state line."""
    sol = dmft.solve("gated", g_h=g_h, beta_r=beta_r, alpha_r=alpha_r)
    assert (sol.status, sol.branch) == ("converged", "chaotic")
    import math

    rest_is_stable = g_h < 1 + math.exp(beta_r)
    lower = "chaotic-lower" in sol.other_branches
    assert lower == rest_is_stable
