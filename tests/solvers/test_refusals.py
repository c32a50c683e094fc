"""What is no answer is never reported as one."""

from dataclasses import replace

import numpy as np
import pytest
from solved import linear_theory, solved

import dmft
from dmft.errors import InputError, NotCoveredError
from dmft.solvers import decaying_states as states_module
from dmft.solvers import refine as refine_module
from dmft.solvers.decaying import DecayingPoint, is_covariance
from dmft.solvers.lag_grid import LagGrid
from dmft.solvers.newton import newton
from dmft.solvers.refine import refine
from dmft.solvers.stationary_problem import StationaryProblem
from dmft.solvers.status import Status


@pytest.fixture(scope="module")
def linear():
    return linear_theory("gated", g_h=3, alpha_r=5)


def point_at(length, n, branch="chaotic"):
    """A point of the amplitude curve close to the solution, on a window of our choice."""
    sol = solved("gated", g_h=3, alpha_r=5, branch=branch)
    grid = LagGrid(float(length), n)
    at = sol.at(grid.lags)
    c = np.stack([at["h"], at["r"]])
    return DecayingPoint(float(c[0, 0]), 1.0, grid, c)


def test_a_constant_solution_is_not_taken_for_chaos(linear):
    """Newton stays on the static solution when started there; it must be told apart."""
    found = refine(linear, point_at(60, 128, "fixed-point"), 1e-10, "auto")
    assert "constant" in found.failure


def test_a_slightly_disturbed_constant_is_found_out_too(linear):
    point = point_at(60, 128, "fixed-point")
    c = point.covariance * (1 - 1e-3 * np.tanh(point.grid.lags / 5))
    found = refine(linear, replace(point, covariance=c), 1e-10, "auto")
    assert found.failure


@pytest.mark.parametrize("length", [6, 15, 40])
def test_a_window_too_short_is_lengthened_or_refused(linear, length):
    """On [0, 6] C has hardly begun to decay. The answer is the true one, or there is none."""
    sol = solved("gated", g_h=3, alpha_r=5)
    found = refine(linear, point_at(length, 16 * length), 1e-10, "auto")
    if found.failure:
        return
    assert found.problem.grid.length > 60
    assert found.everything[0, 0] == pytest.approx(sol.variance["h"], rel=1e-9)
    assert found.everything[0, -1] < 1e-9 * found.everything[0, 0]


def test_short_windows_recover(linear):
    """At least from half the needed window the answer is found."""
    found = refine(linear, point_at(40, 160), 1e-10, "auto")
    assert not found.failure
    assert found.everything[0, 0] == pytest.approx(0.142274619, abs=1e-9)  # THEORY section 11


def test_a_grid_too_coarse_is_made_denser(linear):
    """120 intervals solve their own equations, with an answer wrong by more than 1e-9."""
    point = point_at(130, 120)  # long enough, so that only the density is wrong
    problem = StationaryProblem(linear, point.grid, 4e-15)
    coarse = newton(problem, point.covariance, tol=1e-10)
    assert coarse.converged
    assert abs(coarse.covariance[0, 0] - 0.142274619) > 2e-9
    found = refine(linear, point, 1e-10, "auto")
    assert not found.failure
    assert found.problem.grid.intervals > 150
    assert found.everything[0, 0] == pytest.approx(0.142274619, abs=1e-9)


def test_a_very_coarse_grid_is_no_success(linear):
    found = refine(linear, point_at(100, 32), 1e-10, "auto")
    assert found.failure or abs(found.everything[0, 0] - 0.142274619) < 1e-9


def test_negative_power_is_no_covariance():
    grid = LagGrid(40.0, 128)
    good = np.exp(-(grid.lags**2) / 8)[None]
    assert is_covariance(grid, good, 1e-12)
    # a narrower peak on a broad negative pedestal: bounded by C(0), but its spectrum dips below 0
    bad = good - 0.3 * np.exp(-(grid.lags**2) / 128)
    assert np.all(abs(bad) <= bad[:, :1])
    assert not is_covariance(grid, bad, 1e-6)


def test_negative_power_is_reported(linear, monkeypatch):
    """The verdict of `is_covariance` reaches the status."""
    point = point_at(100, 240)  # solved (and kept) before the verdict is bent
    monkeypatch.setattr(refine_module, "is_covariance", lambda *_: False)
    assert "negative" in refine(linear, point, 1e-10, "auto").failure
    sol = dmft.solve("gated", g_h=3, alpha_r=5)
    assert sol.status == "not-converged"
    assert "no covariance" in sol.message
    assert sol.variance["h"] is None


def test_a_solution_of_another_branch_is_refused(linear):
    """Newton may slide from one sheet to another: the amplitude gives it away."""
    point = point_at(100, 240)
    elsewhere = replace(point, amplitude=1.2 * point.amplitude)
    assert "left the branch" in refine(linear, elsewhere, 1e-10, "auto").failure


def test_the_sheet_of_a_solution_is_told_by_its_slope(monkeypatch):
    """q falls with the amplitude on the lower sheet: such a solution is not "chaotic"."""

    def turned(*arguments):
        return replace(refine(*arguments), slope=-1.0)

    monkeypatch.setattr(states_module, "refine", turned)
    sol = dmft.solve("gated", g_h=3, alpha_r=5, lyapunov=False)
    assert sol.status == "not-converged"
    assert "another branch" in sol.message


def test_too_many_lags_is_budget_exceeded(monkeypatch):
    monkeypatch.setattr(refine_module, "_MOST_INTERVALS", 100)
    sol = dmft.solve("gated", g_h=3, alpha_r=5)
    assert sol.status == "budget-exceeded"
    assert "more than 100 lags" in sol.message
    assert sol.lag.size == 0


def test_gains_that_are_too_large_are_budget_exceeded():
    sol = dmft.solve("vanilla", g=1e8)
    assert sol.status == "budget-exceeded"
    assert "too large" in sol.message
    assert sol.lyapunov is None


def test_what_is_not_covered_is_refused_by_name():
    with pytest.raises(NotCoveredError, match="white noise is not covered") as e:
        dmft.solve("gated", g_h=3, alpha_z=0.5, noise_h=0.1)
    assert e.value.exit_code == 2
    assert "\n" not in str(e.value)


@pytest.mark.parametrize(
    ("options", "named"),
    [
        ({"branch": "chaos"}, "branch: 'chaos'.*did you mean 'chaotic'"),
        ({"method": "sparse"}, "method"),
        ({"tol": 0.0}, "tol"),
        ({"tol": 1.0}, "tol"),
        ({"tol": float("nan")}, "tol"),
        ({"tol": "small"}, "tol"),
        ({"precision": 0.0}, "precision"),
        ({"precision": float("nan")}, "precision"),
        ({"precision": "fine"}, "precision"),
        ({"method": "sampled"}, "without sampling"),
        ({"seed": -1}, "seed"),
        ({"seed": 1.5}, "seed"),
        ({"seed": True}, "seed"),
    ],
)
def test_bad_options(options, named):
    with pytest.raises(InputError, match=named):
        dmft.solve("vanilla", g=2, **options)


@pytest.mark.parametrize(
    ("parameters", "reason"),
    [
        ({"beta_h": 0.1}, "do not vanish"),
        ({"input_r": 0.1}, "input I_r drives"),
        ({"noise_h": 0.1}, "white noise eta_h drives"),
    ],
)
def test_rest_is_refused_where_zero_is_no_state(parameters, reason):
    sol = dmft.solve("gated", g_h=3, branch="zero", **parameters)
    assert sol.status == "no-solution"
    assert reason in sol.message
    assert sol.variance["h"] is None


def test_numbered_branches_may_be_asked_for():
    sol = dmft.solve("vanilla", g=2, branch="fixed-point-3")
    assert sol.status == "no-solution"
    with pytest.raises(InputError, match="branch"):
        dmft.solve("vanilla", g=2, branch="fixed-point-1")


def test_statuses_are_words_with_a_sentence():
    assert {str(s) for s in Status} == {
        "converged",
        "continuous",
        "no-solution",
        "not-converged",
        "budget-exceeded",
        "history-dependent",
        "interrupted",
    }
    assert {s for s in Status if s.is_answer} == {Status.CONVERGED, Status.CONTINUOUS}
    for status in Status:
        assert len(status.explanation.split()) > 4
