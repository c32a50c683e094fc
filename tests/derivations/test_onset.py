"""The small-amplitude expansion: closed forms known by hand, and the numeric solvers near onset."""

from itertools import pairwise

import numpy as np
import pytest
import sympy as sp

import dmft
from dmft.codegen import compiled_theory
from dmft.derivations.equations import derive_equations
from dmft.derivations.functions import logistic
from dmft.derivations.model import Coupling, Field, Model, Nonlinearity, Parameter
from dmft.derivations.models import get
from dmft.derivations.onset import OnsetLaws, onset_laws
from dmft.derivations.stages import derive_model
from dmft.solvers.branches import Survey
from dmft.solvers.first_decaying_point import first_point
from dmft.solvers.stationary_problem import LinearTheory

ALPHA = sp.Symbol("alpha_r", real=True)
OUTPUT_GATE = sp.Symbol("sigma_r0", positive=True)
UPDATE_GATE = sp.Symbol("sigma_z0", positive=True)


@pytest.fixture(scope="module")
def gated() -> OnsetLaws:
    return onset_laws(derive_equations(get("gated")))


def on_the_line(alpha_r: float, beta_r: float) -> dict[str, float]:
    gain = float(1 + np.exp(beta_r))
    given = dict(g_h=gain, alpha_r=alpha_r, beta_z=0.3, beta_r=beta_r, tau_r=0.7)
    return {p.name: float(given.get(p.name, p.default or 0)) for p in get("gated").parameters}


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


@pytest.mark.parametrize(
    ("beta_r", "beta_z", "tau_r", "alpha_r"),
    [(0.0, 0.0, 1.0, 2.0), (1.0, 0.7, 3.0, 1.2), (-0.5, -1.0, 0.3, 2.0), (0.4, 0.5, 1.5, 0.0),
     (-0.6, -0.4, 0.5, 0.0)],
)  # fmt: skip
def test_laws_near_the_continuous_onset(
    gated: OnsetLaws, beta_r: float, beta_z: float, tau_r: float, alpha_r: float
) -> None:
    """Amplitude, exponent and slow rate of solved chaos: the laws are their limits."""
    laws = gated if alpha_r else gated.degenerate
    assert laws is not None
    s0, sz = 1 / (1 + np.exp(beta_r)), 1 / (1 + np.exp(beta_z))
    u0 = sp.Symbol("u0", positive=True)
    at = {ALPHA: alpha_r, OUTPUT_GATE: s0, UPDATE_GATE: sz}
    exponent = sp.lambdify(u0, laws.lyapunov(u0).subs(at))
    rate = sp.lambdify(u0, laws.slow_rate_square(u0).subs(at))
    coefficient = float(laws.dynamic_coefficient.subs(at))
    deviations = []
    for excess in (8e-3, 4e-3, 2e-3):
        if alpha_r:
            excess /= 10
        solution = dmft.solve(
            "gated",
            g_h=(1 + excess) / s0,
            alpha_r=alpha_r,
            beta_r=beta_r,
            beta_z=beta_z,
            tau_r=tau_r,
        )
        assert solution.status == "converged" and solution.lyapunov is not None
        amplitude = solution.variance["h"]
        # C = u0 sech^2(k tau) or u0 sech(k tau): where it has fallen to sech^2(1) or sech(1)
        lag = 1 / np.sqrt(rate(amplitude))
        fall = np.cosh(1.0) ** (-2 if alpha_r else -1)
        deviations.append(
            [
                ((1 + excess) ** 2 - 1) / amplitude / coefficient - 1,
                solution.lyapunov / exponent(amplitude) - 1,
                float(solution.at([lag])["h"][0]) / amplitude / fall - 1,
            ]
        )
    # all corrections are of first order in the excess: extrapolated, they vanish
    first, second, third = np.array(deviations)
    once = 2 * second - first, 2 * third - second
    assert np.max(abs(once[1])) < 0.1 * np.max(abs(first))
    assert np.max(abs(4 * once[1] - once[0]) / 3) < 2e-3


def test_what_drops_out_of_the_laws(gated: OnsetLaws) -> None:
    """No time constant of a gate: slow correlations do not see it; sigma_z(0) only sets the time."""
    u0 = sp.Symbol("u0", positive=True)
    assert gated.degenerate is not None and gated.degenerate.zeros == ("alpha_r",)
    for laws in (gated, gated.degenerate):
        static = laws.static_coefficient.free_symbols | laws.dynamic_coefficient.free_symbols
        assert static <= {ALPHA, OUTPUT_GATE}
        assert laws.lyapunov(u0).free_symbols <= {ALPHA, OUTPUT_GATE, UPDATE_GATE, u0}
        assert sp.simplify(sp.diff(laws.lyapunov(u0) / UPDATE_GATE, UPDATE_GATE)) == 0
        assert sp.simplify(sp.diff(laws.slow_rate_square(u0) / UPDATE_GATE**2, UPDATE_GATE)) == 0
    # without gate gain: SCS in x = g_h h, gain g_h s0 and time in units of 1/sigma_z
    still = gated.degenerate
    scaled = u0 / OUTPUT_GATE**2
    assert sp.simplify(still.dynamic_coefficient * u0 - 2 * scaled) == 0
    assert sp.simplify(still.lyapunov(u0) - UPDATE_GATE * scaled**2 / 2) == 0
    assert sp.simplify(still.slow_rate_square(u0) - UPDATE_GATE**2 * scaled**2 / 3) == 0


def late_gate() -> Model:
    """A gate that hears a product of odd functions: it follows at second order and acts at third."""
    h, q, r, xi_h, xi_q, xi_r = sp.symbols("h q r xi_h xi_q xi_r", real=True)
    g, alpha, beta = (
        Parameter("g", "gain", positive=True),
        Parameter("alpha", "gate gain", 0),
        Parameter("beta", "gate bias", 0),
    )
    gate = logistic(alpha.symbol * r - beta.symbol)
    return Model(
        name="late gate", title="a gate of second order", citation="none: declared in the tests",
        fields=(Field("h", "state"), Field("q", "follower"), Field("r", "gate")),
        parameters=(g, alpha, beta),
        nonlinearities=(Nonlinearity("sigma", gate),),
        couplings=(
            Coupling("xi_h", sp.tanh(h) * gate, g.symbol**2),
            Coupling("xi_q", 2 * sp.tanh(h)),
            Coupling("xi_r", sp.tanh(h) * sp.sin(q)),
        ),
        dynamics={"h": -h + xi_h, "q": -q + xi_q, "r": -r + xi_r},
    )  # fmt: skip


def test_a_field_that_follows_at_second_order_feeds_back() -> None:
    laws = onset_laws(derive_equations(late_gate()))
    alpha, s = sp.Symbol("alpha", real=True), sp.Symbol("sigma0", positive=True)
    # by hand: C_q = 4 u, C_r = 4 u^2, and E sigma sigma = s^2 (1 + alpha^2 (1 - s)^2 C_r)
    expected = sp.Rational(2, 3) + 4 * alpha**2 * (1 - s) ** 2
    assert laws.quadratic == 0 and laws.cubic is not None
    assert sp.simplify(laws.cubic - expected) == 0
    u0, s0 = sp.Symbol("u0", positive=True), 1 / (1 + np.exp(0.3))
    law = sp.lambdify(u0, laws.lyapunov(u0).subs({alpha: 1.5, s: s0}))
    ratios = []
    for excess in (4e-3, 2e-3):
        solution = dmft.solve(late_gate(), g=(1 + excess) / s0, alpha=1.5, beta=0.3)
        assert solution.status == "converged" and solution.lyapunov is not None
        ratios.append(solution.lyapunov / law(solution.variance["h"]))
    assert 2 * ratios[1] - ratios[0] == pytest.approx(1, abs=1e-3)
    assert abs(ratios[0] - 1) < 0.05


def test_where_filters_resonate_the_laws_say_that_they_do_not_hold() -> None:
    laws = onset_laws(derive_equations(get("adaptation")))
    gamma, beta = sp.Symbol("gamma", positive=True), sp.Symbol("beta", real=True)
    # B > 0 where gamma^4 > K: the condition for no resonance (Muscinelli et al. 2019)
    k = gamma**2 * beta * (2 + 2 * gamma + beta)
    assert sp.simplify(laws.inertia * gamma**4 * (1 + beta) ** 2 - (gamma**4 - k)) == 0
    text = " ".join(str(derive_model(get("adaptation")).show("tricritical")).split())
    assert "Valid where k^2 > 0" in text
    assert "Valid where" not in str(derive_model(get("gated")).show("tricritical"))


def test_the_printed_laws_of_gated() -> None:
    text = str(derive_model(get("gated")).show("tricritical"))
    for line in (
        "static tricritical: alpha_r^2 = 2/((sigma_r0 - 1)*(3*sigma_r0 - 2)), where sigma_r0 < 2/3",
        "dynamic tricritical: alpha_r^2 = 6/((sigma_r0 - 1)*(8*sigma_r0 - 5)), where sigma_r0 < 5/8",
        "C_h(tau) = u0 sech^2(k tau)",
        "alpha_r = 0: C_h(tau) = u0 sech(k tau)",
        "alpha_r = 0: lambda_max = sigma_z0*u0**2/(2*sigma_r0**4)",
    ):
        assert line in text, line
