"""Boundary points against closed forms, hand-typed folds and THEORY section 11."""

import numpy as np
import pytest
from statics_by_hand import lowest_gain

import dmft
from dmft.errors import InputError, NotCoveredError


@pytest.mark.parametrize("beta_r", np.linspace(-3, 3, 7))
def test_line_of_rest(beta_r):
    """g_h = 1 + exp(beta_r) (THEORY section 7)."""
    curve = dmft.boundary("gated", "zero-state", beta_r=float(beta_r), alpha_r=4, tau_r=3, beta_z=1)
    assert curve.columns["g_h"] == pytest.approx([1 + np.exp(beta_r)], rel=1e-12)
    assert curve.status == ("converged",)
    assert abs(curve.columns["g_h"][0] - 1 - np.exp(beta_r)) <= curve.error[0]


def test_line_of_rest_of_vanilla():
    curve = dmft.boundary("vanilla", "zero-state")
    assert curve.columns["g"] == pytest.approx([1.0], rel=1e-12)


@pytest.mark.parametrize("g_h", [1.2, 3.0, 9.0])
def test_line_of_rest_the_other_way_round(g_h):
    curve = dmft.boundary("gated", "zero-state", g_h=g_h, solve_for="beta_r")
    assert curve.columns["beta_r"] == pytest.approx([np.log(g_h - 1)], abs=1e-12)


def test_no_bias_makes_a_weak_network_unstable():
    curve = dmft.boundary("gated", "zero-state", g_h=0.9, solve_for="beta_r")
    assert curve.status == ("no-solution",)
    assert np.isnan(curve.columns["beta_r"]).all()


@pytest.mark.parametrize("g_h", [1.7, 2.0])
@pytest.mark.parametrize("solve_for", ["alpha_r", "tau_r", "beta_z"])
def test_a_parameter_that_does_not_move_the_line_has_no_solution(g_h, solve_for):
    """At g_h = 2 every value lies on the line: no isolated point either."""
    curve = dmft.boundary("gated", "zero-state", g_h=g_h, solve_for=solve_for)
    assert curve.status == ("no-solution",)


def test_fold_of_the_theory_notes():
    curve = dmft.boundary("gated", "fixed-points", alpha_r=10)
    assert curve.columns["g_h"] == pytest.approx([1.753983207], abs=1e-9)
    assert curve.status == ("converged",)


@pytest.mark.parametrize("alpha_r", [2.9, 4.0, 10.0, 50.0])
def test_fold_at_zero_bias(alpha_r):
    curve = dmft.boundary("gated", "fixed-points", alpha_r=alpha_r)
    exact, u = lowest_gain(alpha_r)
    assert curve.status == ("converged",)
    assert curve.columns["g_h"] == pytest.approx([exact], abs=1e-10)
    assert u > 1e-3


@pytest.mark.parametrize(
    ("alpha_r", "beta_r"), [(10.0, 1.0), (10.0, -0.4), (25.0, -1.0), (6.0, 2.0)]
)
def test_fold_with_bias(alpha_r, beta_r):
    curve = dmft.boundary("gated", "fixed-points", alpha_r=alpha_r, beta_r=beta_r)
    exact, u = lowest_gain(alpha_r, beta_r)
    line = 1 + np.exp(beta_r)
    if exact < line - 1e-6 and u > 1e-4:
        assert curve.status == ("converged",)
        assert curve.columns["g_h"] == pytest.approx([exact], abs=1e-10)
    else:
        assert curve.status == ("continuous",)
        assert curve.columns["g_h"] == pytest.approx([line], rel=1e-12)


def test_below_the_static_tricritical_point_it_is_continuous():
    """sqrt(8) at beta_r = 0 (THEORY section 8): the row has the zero-state value and says so."""
    at = [0.0, 2.0, 2.82, 2.84, 3.5]
    curve = dmft.boundary("gated", "fixed-points", alpha_r=at)
    assert curve.status == ("continuous",) * 3 + ("converged",) * 2
    assert curve.columns["g_h"][:3] == pytest.approx([2, 2, 2], rel=1e-12)
    assert np.all(np.diff(curve.columns["g_h"][2:]) < 0)


def test_fold_of_very_steep_gates_tends_to_the_square_root_of_two():
    """At alpha_r = infinity <sigma_r^2> = 1/2 for any Delta_r > 0; the approach is slow."""
    curve = dmft.boundary("gated", "fixed-points", alpha_r=[25.0, 100.0])
    values = curve.columns["g_h"]
    assert values[0] > values[1] > np.sqrt(2)
    assert values[1] == pytest.approx(lowest_gain(100.0)[0], abs=1e-9)
    assert (values[1] - np.sqrt(2)) < 0.6 * (values[0] - np.sqrt(2))


def test_gates_too_steep_for_the_averages_are_right_or_refused():
    curve = dmft.boundary("gated", "fixed-points", alpha_r=1e5)
    assert curve.status == ("budget-exceeded",)
    assert np.isnan(curve.columns["g_h"]).all()


def test_fold_solved_for_the_gate_gain():
    """The same point from the other side, and its mirror image: r -> -r."""
    (g_h,) = dmft.boundary("gated", "fixed-points", alpha_r=10).columns["g_h"]
    curve = dmft.boundary("gated", "fixed-points", g_h=float(g_h), solve_for="alpha_r")
    assert curve.columns["alpha_r"] == pytest.approx([10, -10], abs=1e-8)
    assert list(curve.segment) == [0, 1]


def test_fold_solved_for_the_bias():
    (g_h,) = dmft.boundary("gated", "fixed-points", alpha_r=10, beta_r=1).columns["g_h"]
    curve = dmft.boundary("gated", "fixed-points", alpha_r=10, g_h=float(g_h), solve_for="beta_r")
    assert np.min(abs(curve.columns["beta_r"] - 1)) < 1e-9


def test_statics_do_not_depend_on_times_or_the_update_gate():
    plain = dmft.boundary("gated", "fixed-points", alpha_r=10).columns["g_h"]
    other = dmft.boundary(
        "gated", "fixed-points", alpha_r=10, tau_r=7, alpha_z=3, beta_z=1, tau_z=2
    )
    assert other.columns["g_h"] == pytest.approx(plain, rel=1e-12)


def test_fixed_points_of_vanilla_are_born_on_the_line():
    curve = dmft.boundary("vanilla", "fixed-points")
    assert curve.status == ("continuous",)
    assert curve.columns["g"] == pytest.approx([1.0], rel=1e-12)


def test_solutions_exist_on_one_side_of_the_fold_only():
    """The boundary and the solver know of each other through nothing but the equations."""
    (g_h,) = dmft.boundary("gated", "fixed-points", alpha_r=10).columns["g_h"]
    below = dmft.solve("gated", g_h=g_h * (1 - 1e-6), alpha_r=10, branch="fixed-point")
    above = dmft.solve("gated", g_h=g_h * (1 + 1e-6), alpha_r=10, branch="fixed-point")
    assert below.status == "no-solution"
    assert above.status == "converged"


def test_refused():
    with pytest.raises(InputError, match=r"no meaning at beta_h = 0\.1: .*beta_h must be 0"):
        dmft.boundary("gated", "zero-state", beta_h=[0.0, 0.1])
    with pytest.raises(InputError, match=r"no meaning at input_x = 1"):
        dmft.boundary("vanilla", "zero-state", input_x=1)
    with pytest.raises(InputError, match="no meaning where beta_h varies"):
        dmft.boundary("gated", "zero-state", g_h=2, solve_for="beta_h")
    with pytest.raises(NotCoveredError, match="fixed-points is not covered at alpha_z = 1"):
        dmft.boundary("gated", "fixed-points", alpha_z=1, input_h=0.1)
    with pytest.raises(NotCoveredError, match="no state is constant"):
        dmft.boundary("vanilla", "jacobian-edge", noise_x=0.1)
    with pytest.raises(InputError, match="did you mean 'zero-state'"):
        dmft.boundary("gated", "zero_state")
    with pytest.raises(InputError):
        dmft.boundary("gated", "zero-state", g_h=2, solve_for="g_h")
    with pytest.raises(InputError, match="leave g_h out"):
        dmft.boundary("gated", "tricritical-static", g_h=2)
    with pytest.raises(InputError, match="keeps the point on the line"):
        dmft.boundary("gated", "tricritical-static", solve_for="g_h")
    with pytest.raises(InputError, match="followed in one parameter"):
        dmft.boundary("gated", "fixed-points", alpha_r=dmft.Sweep(1, 2), beta_r=dmft.Sweep(0, 1))
