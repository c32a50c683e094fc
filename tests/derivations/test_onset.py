"""The small-amplitude expansion: closed forms known by hand, and the numeric solvers near onset."""

from itertools import pairwise

import numpy as np
import pytest
import sympy as sp

import dmft
from dmft.codegen import compiled_theory
from dmft.derivations.equations import derive_equations
from dmft.derivations.models import get
from dmft.derivations.onset import OnsetLaws, onset_laws
from dmft.solvers.decaying import first_point
from dmft.solvers.stationary import Survey
from dmft.solvers.stationary_problem import LinearTheory

ALPHA = sp.Symbol("alpha_r", real=True)
OUTPUT_GATE = sp.Symbol("sigma_r0", positive=True)
UPDATE_GATE = sp.Symbol("sigma_z0", positive=True)


@pytest.fixture(scope="module")
def gated() -> OnsetLaws:
    return onset_laws(derive_equations(get("gated")))


def on_the_line(alpha_r: float, beta_r: float) -> dict[str, float]:
    gain = float(1 + np.exp(beta_r))
    return dict(
        g_h=gain, alpha_z=0.0, alpha_r=alpha_r, beta_h=0.0, beta_z=0.3, beta_r=beta_r, tau_z=1.0,
        tau_r=0.7,
    )  # fmt: skip


def test_tricritical_gains_are_those_derived_by_hand(gated: OnsetLaws) -> None:
    # <tanh^2> and <sigma^2> expanded by hand: alpha^2 (1-s)(2-3s) = 2; with the sech^2 energy
    # integral: alpha^2 (1-s)(5-8s) = 6 (THEORY section 8: sqrt 8 and sqrt 12 at s = 1/2)
    s = OUTPUT_GATE
    static = gated.tricritical(gated.static_coefficient)
    dynamic = gated.tricritical(gated.dynamic_coefficient)
    assert static is not None and dynamic is not None
    assert sp.simplify(static.square - 2 / ((1 - s) * (2 - 3 * s))) == 0
    assert sp.simplify(dynamic.square - 6 / ((1 - s) * (5 - 8 * s))) == 0
    assert static.square.subs(s, sp.Rational(1, 2)) == 8
    assert dynamic.square.subs(s, sp.Rational(1, 2)) == 12
    assert static.exists_where == (s < sp.Rational(2, 3))
    assert dynamic.exists_where == (s < sp.Rational(5, 8))


def test_vanilla_laws_are_those_of_sompolinsky_crisanti_sommers() -> None:
    # SCS 1988 near g = 1: Delta_0 = g - 1, C = Delta_0 sech(tau Delta_0 / sqrt 3), lambda = (g-1)^2/2
    laws = onset_laws(derive_equations(get("vanilla")))
    u0 = sp.Symbol("u0", positive=True)
    assert laws.dynamic_coefficient == 2  # g^2 - 1 = 2 u0
    assert sp.simplify(laws.slow_rate_square(u0) - u0**2 / 3) == 0
    assert sp.simplify(laws.lyapunov(u0) - u0**2 / 2) == 0


@pytest.mark.parametrize("beta_r", [-0.4, 0.0, 1.0])
def test_static_coefficient_is_the_slope_of_the_static_curve(
    gated: OnsetLaws, beta_r: float
) -> None:
    s0 = 1 / (1 + np.exp(beta_r))
    for alpha_r in (0.0, 2.0, 6.0):
        expected = float(gated.static_coefficient.subs({ALPHA: alpha_r, OUTPUT_GATE: s0}))
        linear = LinearTheory(compiled_theory("gated"), on_the_line(alpha_r, beta_r))
        amplitudes = 1e-4 / (1 / s0**2 + alpha_r**2) * np.array([1, 2, 4])
        slopes = (Survey(linear).static_curve.at(amplitudes)[0] - 1) / amplitudes
        # two steps of Richardson extrapolation to zero amplitude
        once = 2 * slopes[:-1] - slopes[1:]
        found = (4 * once[0] - once[1]) / 3
        assert found == pytest.approx(expected, rel=1e-5)


@pytest.mark.parametrize("beta_r", [-0.2, 0.0, 1.0])
def test_dynamic_coefficient_is_the_slope_of_the_curve_of_decaying_solutions(
    gated: OnsetLaws, beta_r: float
) -> None:
    s0 = float(1 / (1 + np.exp(beta_r)))
    for alpha_r in (3.0, 6.0):
        expected = float(gated.dynamic_coefficient.subs({ALPHA: alpha_r, OUTPUT_GATE: s0}))
        linear = LinearTheory(compiled_theory("gated"), on_the_line(alpha_r, beta_r))
        slopes = []
        for amplitude in (1e-3 * s0**2, 2e-3 * s0**2, 4e-3 * s0**2):
            point = first_point(linear, amplitude)
            assert point is not None
            slopes.append((point.scale - 1) / amplitude)
        once = [2 * a - b for a, b in pairwise(slopes)]
        found = (4 * once[0] - once[1]) / 3
        # the points are solved to 1e-7 in q, which is divided by the amplitude
        scale = 1 / s0**2 + alpha_r**2
        assert found == pytest.approx(expected, abs=1e-2 * scale)


def test_lyapunov_law_near_the_continuous_onset(gated: OnsetLaws) -> None:
    u0 = sp.Symbol("u0", positive=True)
    law = sp.lambdify(u0, gated.lyapunov(u0).subs({ALPHA: 2, OUTPUT_GATE: 0.5, UPDATE_GATE: 0.5}))
    ratios = []
    for excess in (4e-4, 2e-4, 1e-4):
        solution = dmft.solve("gated", g_h=2 + excess, alpha_r=2)
        assert solution.status == "converged" and solution.lyapunov is not None
        amplitude = solution.variance["h"]
        assert amplitude is not None
        ratios.append(solution.lyapunov / law(amplitude))
        # e = g^2/4 - 1 is the dynamic coefficient times the amplitude
        coefficient = float(gated.dynamic_coefficient.subs({ALPHA: 2, OUTPUT_GATE: 0.5}))
        assert ((2 + excess) ** 2 / 4 - 1) / amplitude == pytest.approx(coefficient, rel=0.05)
    deviations = abs(np.array(ratios) - 1)
    assert deviations[-1] < 0.05
    assert np.all(np.diff(deviations) < 0)  # the law is the limit
