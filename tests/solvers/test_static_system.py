"""Blocks of static equations against the curve of one parameter set and formulas typed in the tests."""

from dataclasses import replace

import numpy as np
import pytest
import sympy as sp
from solved import linear_theory
from statics_by_hand import edge, solutions, stability

from dmft.codegen import compiled_theory
from dmft.codegen.cache import compile_model_theory
from dmft.derivations.equations import derive_equations
from dmft.derivations.models import get
from dmft.derivations.onset import onset_laws
from dmft.parameters import check_parameters
from dmft.solvers.rest_expansion import rest_expansion
from dmft.solvers.static_system import StaticSystem
from dmft.solvers.statics import StaticCurve


def system(model, **parameters):
    theory = compiled_theory(model)
    return StaticSystem(theory), check_parameters(theory.info, parameters)


def test_excess_vanishes_at_constant_solutions():
    s, p = system("gated", g_h=1.9, alpha_r=10)
    found = s.at(np.array(solutions(1.9, 10.0)), p)
    assert found.excess == pytest.approx([0, 0], abs=1e-12)
    assert found.slope[0] < 0 < found.slope[1]  # upper and lower of the pair born at the fold
    v = found.weights[0, 0] + found.weights[0, 1] * found.weights[2, 0]
    assert v == pytest.approx([stability(1.9, 10, d) for d in solutions(1.9, 10.0)], rel=1e-11)


@pytest.mark.parametrize(
    ("model", "parameters"),
    [
        ("gated", {"g_h": 2.3, "alpha_r": 7, "beta_r": -0.5, "beta_h": 0.4}),
        ("gated", {"g_h": 1.2, "alpha_r": -3, "input_h": 0.2, "input_r": 0.1}),
        ("vanilla", {"g": 1.4, "input_x": 0.3}),
        ("mean-coupling", {"g": 0.8, "m": 0.5, "input_x": 0.1}),
    ],
)
def test_the_slope_is_that_of_the_excess(model, parameters):
    s, p = system(model, **parameters)
    a, h = np.array([0.02, 0.3, 0.9]), 1e-5
    slope = (s.at(a * np.exp(h), p).excess - s.at(a * np.exp(-h), p).excess) / (2 * h)
    assert s.at(a, p).slope == pytest.approx(slope, abs=1e-9)


def test_rows_of_parameters_are_independent():
    s, p = system("gated", g_h=2)
    rng = np.random.default_rng(1)
    rows = {k: rng.uniform(0.5, 4, 100) for k in ("g_h", "alpha_r", "beta_r", "beta_h", "input_h")}
    a = rng.uniform(0.01, 0.5, 100)
    block = s.at(a, {**p, **rows})
    for i in (0, 17, 99):
        one = s.at(a[i : i + 1], {**p, **{k: float(v[i]) for k, v in rows.items()}})
        assert block.excess[i] == pytest.approx(one.excess[0], abs=1e-14)
        assert block.weights[..., i] == pytest.approx(one.weights[..., 0], rel=1e-13)


def test_against_the_curve_of_coupling_scales():
    """An independent routine: scaling all couplings' variance by q(A) makes A a solution."""
    linear = linear_theory("gated", g_h=2, alpha_r=6, beta_r=0.3, input_h=0.01)
    curve = StaticCurve.of(linear.theory, linear.parameters)
    s = StaticSystem(linear.theory)
    for crossing in curve.crossings():
        found = s.at(crossing.variances[:1], linear.parameters)
        assert found.excess[0] == pytest.approx(0, abs=1e-11)
        assert found.variances[:, 0] == pytest.approx(crossing.variances, rel=1e-11)


def test_means_follow_curie_weiss():
    """Without randomness the mean solves mu = m tanh mu at zero variance (g -> 0)."""
    s, p = system("mean-coupling", g=1e-3, m=1.5, input_x=1e-9)
    found = s.at(np.array([1e-9]), p, means=np.array([[1.0]]))
    from scipy.optimize import brentq

    mu = brentq(lambda x: 1.5 * np.tanh(x) - x, 0.1, 2)
    assert found.means[0, 0] == pytest.approx(mu, abs=1e-8)


@pytest.fixture(scope="module")
def entangled():
    """Two gates each of which is driven through the other: substitution cannot settle them."""
    from two_gates import MODEL

    sigma_r, sigma_q = (n.expression for n in MODEL.nonlinearities[1:])
    phi = MODEL.nonlinearities[0].expression
    couplings = tuple(
        replace(c, output=output)
        for c, output in zip(
            MODEL.couplings, (phi * sigma_r * sigma_q, phi * sigma_q, phi * sigma_r), strict=True
        )
    )
    return compile_model_theory(replace(MODEL, name="entangled", couplings=couplings))


def test_fields_that_drive_each_other(entangled):
    """Variances of the gates by plain iteration of the two equations, typed here."""
    from statics_by_hand import mean, sigma
    from two_gates import complete

    p = complete(g_h=2.0, alpha_r=4, beta_r=-0.5, alpha_q=-6, beta_q=0.3, v_q=1.7)
    s = StaticSystem(entangled)
    found = s.at(np.array([0.3]), p)
    phi = mean(lambda x: np.tanh(2 * x) ** 2, 0.3)
    r = q = phi
    for _ in range(200):
        r, q = (
            phi * mean(lambda x: sigma(-6, 0.3)(x) ** 2, q),
            1.7 * phi * mean(lambda x: sigma(4, -0.5)(x) ** 2, r),
        )
    assert found.variances[:, 0] == pytest.approx([0.3, r, q], rel=1e-12)
    drive = (
        phi * mean(lambda x: sigma(4, -0.5)(x) ** 2, r) * mean(lambda x: sigma(-6, 0.3)(x) ** 2, q)
    )
    assert found.excess[0] == pytest.approx(np.log(drive / 0.3), abs=1e-12)
    h = 1e-5
    ends = s.at(0.3 * np.exp(np.array([h, -h])), p).excess
    assert found.slope[0] == pytest.approx((ends[0] - ends[1]) / (2 * h), abs=1e-9)


@pytest.fixture(scope="module")
def laws():
    return onset_laws(derive_equations(get("gated")))


@pytest.mark.parametrize("beta_r", [-0.5, 0.0, 1.2])
def test_expansion_at_rest_against_the_symbolic_one(beta_r, laws):
    """The derivation's coefficients of one parameter set; the numbers know nothing of them."""
    s, p = system("gated", g_h=1 + np.exp(beta_r), alpha_r=3, beta_r=beta_r)
    found = rest_expansion(s, p, 1)
    assert found.eigenvalue[0] == pytest.approx(1, rel=1e-14)
    values = {"alpha_r": 3.0, "sigma_r0": 1 / (1 + np.exp(beta_r)), "sigma_z0": 0.5}

    def at(expression):
        named = {x: sp.Float(values[x.name]) for x in expression.free_symbols}
        return float(expression.subs(named))

    assert found.static[0] == pytest.approx(at(laws.static_coefficient), rel=1e-11)
    assert found.dynamic[0] == pytest.approx(at(laws.dynamic_coefficient), rel=1e-11)


def test_expansion_at_rest_against_the_equations_themselves():
    """Phi(A) = e + (kappa + a) A + ...: its slope at small amplitudes."""
    s, p = system("gated", g_h=1 + np.exp(0.4), alpha_r=5, beta_r=0.4)
    a = np.array([1e-6, 2e-6])
    excess = s.at(a, p).excess / a
    extrapolated = 2 * excess[0] - excess[1]
    # what is left is of second order in the amplitude, 1e-6 with a coefficient of some 1e5
    assert -rest_expansion(s, p, 1).static[0] == pytest.approx(extrapolated, rel=1e-6)


def test_expansion_is_nan_where_rest_is_no_state():
    s, p = system("gated", g_h=2, beta_h=0.1)
    assert np.isnan(rest_expansion(s, p, 1).eigenvalue).all()
    s, p = system("vanilla", g=2, input_x=0.1)
    assert np.isnan(rest_expansion(s, p, 1).eigenvalue).all()


def test_edge_condition_is_the_edge():
    from dmft.solvers.boundaries.jacobian_edge import edge_condition

    s, p = system("gated", g_h=1.9, alpha_r=10, tau_r=3)
    condition = edge_condition(s)
    for delta in solutions(1.9, 10.0):
        log_radius = condition(s.at(np.array([delta]), p), p)[0]
        assert (log_radius > 0) == (edge(1.9, 10, delta, tau_r=3) > 0)
