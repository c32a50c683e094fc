"""States at rest beside moving gates: which there are, when rest is proved to be alone, what `solve` says."""

import numpy as np
import pytest
from gate_models import complete, conditional_theory

import dmft
from dmft.codegen import compiled_theory
from dmft.errors import InputError
from dmft.solvers import conditional
from dmft.solvers.resting_states import RestingStates


def at_rest(**parameters):
    values = complete("gated", alpha_z=5, **parameters)
    return RestingStates(compiled_theory("gated"), conditional_theory("gated"), values)


@pytest.fixture
def no_paths(monkeypatch):
    """Sampling fails."""

    def refuse(*args, **options):
        raise AssertionError("paths were sampled")

    monkeypatch.setattr(conditional, "solve_conditional", refuse)


@pytest.mark.parametrize("parameters", [{"g_h": 1}, {"g_h": 1.99}, {"g_h": 1.5, "alpha_r": 2}])
def test_below_the_zero_state_line_rest_is_the_answer(no_paths, parameters):
    """THEORY, section 7: the edge of the zero state is sigma_z(0) (g_h s0 - 1), for any alpha_z."""
    found = dmft.solve("gated", alpha_z=5, beta_z=0.4, **parameters)
    assert (found.status, found.branch, found.other_branches) == ("converged", "zero", ())
    assert found.variance == {"h": 0, "z": 0, "r": 0} and not found.standard_error
    expected = (parameters["g_h"] / 2 - 1) / (1 + np.exp(0.4))
    assert found.lyapunov == pytest.approx(expected, abs=1e-12)


def test_rest_is_not_called_alone_where_something_else_may_be():
    assert at_rest(g_h=1.99).rest_is_all
    # chaos; static solutions beside stable rest; a bias, with which rest is no state
    assert not at_rest(g_h=2.01).rest_is_all
    assert not at_rest(g_h=1.9, alpha_r=10).rest_is_all
    assert not at_rest(g_h=1.2, beta_h=0.1).rest_is_all


def test_rest_is_not_called_alone_where_an_average_falls_with_the_variance():
    """beta_r = -3: <sigma_r^2> falls from its value at rest, on which the bound builds."""
    assert not at_rest(g_h=0.9, beta_r=-3, alpha_r=3).rest_is_all
    assert at_rest(g_h=0.9, beta_r=-3).rest_is_all


@pytest.mark.parametrize("branch", ["zero", "fixed-point", "fixed-point-lower"])
def test_states_at_rest_do_not_depend_on_the_gain_of_the_update_gate(no_paths, branch):
    moving = dmft.solve("gated", g_h=1.9, alpha_r=10, alpha_z=5, branch=branch)
    still = dmft.solve("gated", g_h=1.9, alpha_r=10, branch=branch)
    assert moving.status == "converged" and moving.variance == still.variance
    assert moving.other_branches == tuple(n for n in still.other_branches if "chaotic" not in n)
    if branch == "zero":
        assert moving.lyapunov == still.lyapunov
    else:
        # V > 1 at both: Kac-Rice; frozen gates have no slowest rate
        assert moving.lyapunov is None and "no Lyapunov exponent" in moving.message
        assert moving.message.startswith("unstable")


def test_an_input_beside_a_gate_has_no_theory_of_constant_states():
    found = dmft.solve("gated", g_h=1, alpha_z=5, input_h=0.1, branch="fixed-point")
    assert found.status == "no-solution" and "beside a moving factor" in found.message


def test_a_constant_state_is_the_answer_where_nothing_fluctuates():
    """beta_h = 0.1: the iteration ends in the fixed point, which is no chaotic state."""
    found = dmft.solve("gated", g_h=1.2, beta_h=0.1, alpha_z=5, precision=1e-2)
    still = dmft.solve("gated", g_h=1.2, beta_h=0.1)
    assert (
        (found.status, found.branch) == ("converged", "fixed-point") == (still.status, still.branch)
    )
    assert found.variance["h"] == pytest.approx(still.variance["h"], rel=1e-9)
    assert "does not change in time" in found.message


def test_other_kinds_of_branches_are_refused():
    with pytest.raises(InputError, match="chaotic-lower"):
        dmft.solve("gated", g_h=3, alpha_z=5, branch="chaotic-lower")
