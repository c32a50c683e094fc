"""Where chaos appears: continuous births and folds, against the solver and the expansion at rest."""

import numpy as np
import pytest
from solved import linear_theory

import dmft
from dmft.codegen import compiled_theory
from dmft.errors import NotCoveredError
from dmft.parameters import check_parameters
from dmft.solvers.boundaries import Request
from dmft.solvers.boundaries import chaos_probe as probe_module
from dmft.solvers.boundaries.chaos_onset import chaos_families
from dmft.solvers.branches import Survey


@pytest.fixture(scope="module")
def onset():
    """g_d at alpha_r = 10."""
    return dmft.boundary("gated", "chaos-onset", alpha_r=10, tol=1e-9)


def test_a_fold_beyond_the_dynamic_tricritical_point(onset):
    """THEORY section 8: g_FP < g_d < 2."""
    assert onset.status == ("converged",)
    assert onset.point_kind == ("fold",)
    (static,) = dmft.boundary("gated", "fixed-points", alpha_r=10).columns["g_h"]
    assert static < onset.columns["g_h"][0] < 2


def test_one_curve_through_the_dynamic_tricritical_point():
    """Continuous at g_h = 2 up to sqrt(12), then the fold: followed from one to the other."""
    curve = dmft.boundary("gated", "chaos-onset", alpha_r=[3.4, 3.5], tol=1e-9)
    assert curve.status == ("continuous", "converged")
    assert curve.columns["g_h"][0] == pytest.approx(2, rel=1e-12)
    assert 2 - 1e-4 < curve.columns["g_h"][1] < 2
    assert "tricritical at alpha_r = 3.4641016" in curve.message
    assert set(curve.segment) == {0}


def test_chaos_exists_on_one_side_of_the_fold_only(onset):
    """The solver searches anew at fixed parameters and knows nothing of the boundary."""
    g_d = float(onset.columns["g_h"][0])
    for share, number in ((1 - 1e-5, 0), (1 + 1e-5, 2)):
        found = Survey(linear_theory("gated", g_h=share * g_d, alpha_r=10)).chaos
        assert found.complete
        # the search sees the pair if its steps in amplitude happen to fall between them
        assert len(found.brackets) in (number, 0)
        assert found.lowest == pytest.approx(1, abs=2e-3)
    upper = dmft.solve("gated", g_h=1.002 * g_d, alpha_r=10)
    assert upper.branch == "chaotic"
    assert upper.lyapunov > 0
    assert "chaotic-lower" in upper.other_branches
    rest = dmft.solve("gated", g_h=0.998 * g_d, alpha_r=10)
    assert rest.branch == "zero"
    assert rest.lyapunov < 0  # the exponent jumps


def test_the_fold_near_the_tricritical_point_follows_the_expansion():
    """e = b u0 + d u0^2 is lowest at -b^2 / (4 d): b from the expansion, d the same for both."""
    from dmft.solvers.rest_expansion import rest_expansion
    from dmft.solvers.static_system import StaticSystem

    theory = compiled_theory("gated")
    p = check_parameters(theory.info, {"g_h": 2, "alpha_r": 0})
    at = np.array([3.48, 3.5])
    b = rest_expansion(StaticSystem(theory), {**p, "alpha_r": at}, 2).dynamic
    gaps = []
    for alpha_r in at:
        curve = dmft.boundary("gated", "chaos-onset", alpha_r=float(alpha_r), tol=1e-9)
        gaps.append(2 - curve.columns["g_h"][0])
    # the next order is of the size of the distance to sqrt(12), 2 per cent
    assert gaps[1] / gaps[0] == pytest.approx((b[1] / b[0]) ** 2, rel=0.03)


def test_positions_do_not_depend_on_the_grid(onset, monkeypatch):
    """Tails and cosines cut a thousand times earlier move the fold by less than 1e-6."""
    theory = compiled_theory("gated")
    p = check_parameters(theory.info, {"g_h": 1, "alpha_r": 10})
    del p["g_h"]
    monkeypatch.setattr(probe_module, "_TAIL", 1e-5)
    monkeypatch.setattr(probe_module, "_ROUGH", 1e-6)
    request = Request(theory, p, "g_h", 1e-9)
    folds = chaos_families(request)[0]
    (seed,) = folds.seeds(np.zeros(1))
    value = float(np.exp(seed.z[1]))
    exact = float(onset.columns["g_h"][0])
    assert abs(value - exact) < 1e-6
    assert 1e-13 < abs(value - exact) < seed.error * value  # the error estimate holds


def test_chaos_of_a_driven_network_ends_where_its_fixed_point_is_stable():
    """Vanilla: input quiets chaos continuously, at V = 1 of the driven fixed point."""
    curve = dmft.boundary("vanilla", "chaos-onset", g=1.5, solve_for="input_x")
    edge = dmft.boundary("vanilla", "jacobian-edge", g=1.5, solve_for="input_x")
    assert curve.columns["input_x"] == pytest.approx(edge.columns["input_x"], rel=1e-12)
    assert curve.status == ("continuous",)
    (value,) = curve.columns["input_x"]
    assert dmft.solve("vanilla", g=1.5, input_x=0.97 * value, lyapunov=False).branch == "chaotic"
    assert dmft.solve("vanilla", g=1.5, input_x=1.03 * value, lyapunov=False).branch == (
        "fixed-point"
    )


def test_derivatives_of_a_probe():
    """f and g by log A and both coordinates against differences of whole solutions."""
    theory = compiled_theory("gated")
    p = check_parameters(theory.info, {"g_h": 2.3, "alpha_r": 10, "beta_h": 0.05})

    def parameters(c):
        return {**p, "g_h": float(np.exp(c[0])), "alpha_r": float(c[1])}

    probe = probe_module.Probe(theory, parameters)
    bracket = Survey(probe.linear(np.array([np.log(2.3), 10.0]))).chaos.brackets[0]
    place = np.array([np.log(bracket.low.amplitude), np.log(2.3), 10.0])
    probe.start(place, bracket.low)
    here = probe.read(place)
    h = 1e-4
    for i in range(3):
        step = np.zeros(3)
        step[i] = h
        up, down = probe.read(place + step), probe.read(place - step)
        assert here.f_slopes[i] == pytest.approx((up.f - down.f) / (2 * h), abs=1e-7)
        assert here.g_slopes[i] == pytest.approx((up.g - down.g) / (2 * h), rel=2e-3, abs=1e-5)
    assert here.g == here.f_slopes[0]


def test_refused():
    with pytest.raises(NotCoveredError, match="couplings have a mean"):
        dmft.boundary("mean-coupling", "chaos-onset", m=0.5)
    with pytest.raises(NotCoveredError, match="alpha_z = 1"):
        dmft.boundary("gated", "chaos-onset", alpha_z=1)
