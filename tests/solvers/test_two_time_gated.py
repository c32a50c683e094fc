"""Fields under moving gates: sampled paths against plain sampling, limits, and what is refused."""

import numpy as np
import pytest
import sympy as sp
from two_time_brute_force import brute_force, moments_of
from two_time_models import complete, gate, population, x, xi, y, z

from dmft.codegen.two_time import compile_two_time, two_time_theory
from dmft.derivations.functions import logistic
from dmft.derivations.model import Coupling, Field
from dmft.errors import NotCoveredError
from dmft.solvers.two_time_start import FieldStart

TIMES = np.concatenate([np.linspace(0, 0.4, 9), np.linspace(0.5, 3.0, 26)])


def expit(v):
    return 1 / (1 + np.exp(-v))


@pytest.fixture(scope="module")
def gated():
    return two_time_theory("gated")


def populations(model, parameters, start, count=6, paths=256, times=TIMES, **options):
    """Mean and standard error of the last row of every moment."""
    theory = model if hasattr(model, "gating") else compile_two_time(model)
    found = [
        population(theory, parameters, times, start, paths, number=k, **options)
        for k in range(count)
    ]
    rows = {n: np.array([f.moments[n][-1] for f in found]) for n in found[0].moments}
    return {n: (r.mean(axis=0), r.std(axis=0, ddof=1) / np.sqrt(count)) for n, r in rows.items()}


def agree(found, exact, sigmas=4.0, floor=0.0):
    """Two means with standard errors."""
    (a, s), (b, e) = found, exact
    assert np.max(abs(a - b) / np.hypot(np.hypot(s, e), floor)) < sigmas


def test_gated_network_against_plain_sampling(gated):
    """THEORY section 2, all three fields sampled, at (g_h, alpha_z, alpha_r) = (3, 5, 5) with biases."""
    paths, step, count = 20000, 0.1, 30
    rng = np.random.default_rng(1)
    start = np.array(
        [
            0.2 + np.sqrt(0.3) * rng.standard_normal(paths),
            0.5 * rng.standard_normal(paths),
            np.zeros(paths),
        ]
    )

    def outputs(state):
        h, _, r = state
        phi = np.tanh(3 * h + 0.1)
        return phi * expit(5 * r - 0.3), phi, phi

    def velocity(state, noise):
        h, v, r = state
        return np.array(
            [
                expit(5 * v - 0.5) * (-h + noise[0]),
                (-v + noise[1]) / 0.7,
                (-r + noise[2]) / 1.5,
            ]
        )

    samples = brute_force(outputs, velocity, start, step, count, paths, 2)
    mean, error = moments_of(samples)
    given = {"g_h": 3, "alpha_z": 5, "alpha_r": 5, "beta_h": 0.1, "beta_z": 0.5, "beta_r": 0.3}
    found = populations(
        gated,
        given | {"tau_z": 0.7, "tau_r": 1.5},
        {"h": FieldStart(0.3, 0.2), "z": 0.25},
    )
    at = [int(np.argmin(abs(TIMES - t))) for t in (0.0, 0.3, 1.0, 2.0, 3.0)]
    of = [round(t / step) for t in (0.0, 0.3, 1.0, 2.0, 3.0)]
    for k, name in enumerate(("h", "z", "r")):
        agree(
            tuple(v[at] for v in found[name]),
            (mean[of, k], error[of, k]),
            floor=0.003 * mean[-1, k],  # Heun's rule and ours
        )


def test_gate_in_the_output_and_couplings_with_a_mean():
    """An output tanh(g x) cos(z): along the paths, with the gate's own values; means of currents."""
    model = gate(sp.tanh(sp.Symbol("g", positive=True) * x) * sp.cos(z))
    paths, step, count = 20000, 0.1, 30
    rng = np.random.default_rng(3)
    pattern = np.sqrt(0.2) * rng.standard_normal(paths)
    start = np.array([1.0 + 0.5 * rng.standard_normal(paths), np.zeros(paths)])

    def outputs(state):
        return np.tanh(1.5 * state[0]) * np.cos(state[1]), np.tanh(1.5 * state[0] + 0.5)

    def velocity(state, noise):
        mean = 0.7 * np.mean(outputs(state)[0])
        h, v = state
        return np.array(
            [expit(3 * v) * (-h + 2 * (noise[0] + mean)) + pattern, (-v + noise[1]) / 2]
        )

    mean, error = moments_of(brute_force(outputs, velocity, start, step, count, paths, 4))
    found = populations(model, {"g": 1.5, "a": 3, "m": 0.7, "c": 0.2}, {"x": FieldStart(0.25, 1.0)})
    at = [int(np.argmin(abs(TIMES - t))) for t in (0.3, 1.0, 2.0, 3.0)]
    of = [round(t / step) for t in (0.3, 1.0, 2.0, 3.0)]
    for k, name in enumerate(("x", "z")):
        agree(
            tuple(v[at] for v in found[name]),
            (mean[of, k], error[of, k]),
            floor=0.003 * mean[-1, k],
        )


@pytest.mark.parametrize("kind", ["binary", "uniform"])
def test_starts_that_are_not_gaussian(gated, kind):
    """h(0) = +-1/2 or uniform: <phi phi'> of the start, in either kind of group, and its decay.

    At tau_z = tau_r = 1e6 both gates stay where they are and g_h is so small that h decays alone.
    """
    start = {"h": FieldStart(0.25, 0.1, kind)}
    decay = np.exp(-0.5 * TIMES)
    if kind == "binary":
        u = np.array([-0.5, 0.5])
    else:
        u = 0.5 * np.sqrt(3) * (2 * (np.arange(4000) + 0.5) / 4000 - 1)
    for gain in (0.0, 5.0):
        given = {"g_h": 3.0, "alpha_z": gain, "beta_r": 40.0, "tau_z": 1e6, "tau_r": 1e6}
        found = population(gated, given, TIMES, start, paths=64)
        assert bool(found.problem.gates) is (gain > 0)
        for n in (0, 10, -1):
            exact = np.mean(np.tanh(3 * (u + 0.1) * decay[n]) * np.tanh(3 * (u + 0.1)))
            assert found.moments["phi"][n, 0] == pytest.approx(exact, abs=3e-4)
    fourth = np.mean((u + 0.1) ** 4)
    assert found.fourth["h"][0] == pytest.approx(fourth, rel=1e-3)


def test_a_gate_without_gain_joins_the_deterministic_theory(gated):
    """alpha_z = 1e-7 samples paths that all do the same; 0 samples nothing."""
    both = [
        population(
            gated,
            {"g_h": 3, "alpha_r": 5, "alpha_z": gain, "input_h": 0.01, "noise_r": 0.1},
            TIMES,
            {"h": 0.2},
            paths=8,
            tolerance=1e-10,
        )
        for gain in (0.0, 1e-7)
    ]
    assert [len(f.problem.gates) for f in both] == [0, 1]
    for name in ("h", "z", "r", "phi", "sigma_r", "sigma_z"):
        np.testing.assert_allclose(both[0].moments[name], both[1].moments[name], atol=2e-7)


def test_inputs_inside_and_outside_the_bracket(gated):
    """At alpha_z = 0 outside with variance c is inside with c / sigma_z^2; under a moving gate not."""
    inside = two_time_theory("gated-input")
    given = {"g_h": 2, "alpha_r": 3, "beta_z": 0.4}
    share = expit(-0.4) ** 2
    for gain, same in ((0.0, True), (4.0, False)):
        one = population(gated, given | {"alpha_z": gain, "input_h": 0.3 * share}, TIMES, None, 16)
        two = population(inside, given | {"alpha_z": gain, "input_h": 0.3}, TIMES, None, 16)
        apart = np.max(abs(one.moments["h"] - two.moments["h"]))
        assert bool(apart < 1e-12) is same


def test_an_uncoupled_field_under_a_gate():
    """c = 0, no couplings: x decays by exp(-int sigma), E over paths of z that only relax: exact.

    z(t) = z(0) e^{-t/2} with z(0) normal: C(t,t) by quadrature over z(0).
    """
    model = gate(
        couplings=(Coupling("xi", sp.tanh(x), sp.Integer(0)), Coupling("eta", sp.tanh(x))),
        dynamics={"x": -logistic(sp.Symbol("a", real=True) * z) * x, "z": -z / 2},
    )
    times = np.linspace(0, 2, 41)
    found = populations(model, {"g": 1, "a": 6}, {"x": 1.0, "z": 0.5}, 6, 400, times)
    nodes, weights = np.polynomial.hermite_e.hermegauss(80)
    fine = np.linspace(0, 2, 801)
    rates = expit(6 * np.sqrt(0.5) * nodes[:, None] * np.exp(-fine / 2))
    total = np.trapezoid(rates, fine, axis=1)
    exact = weights @ np.exp(-2 * total) / weights.sum()
    mean, error = found["x"]
    assert mean[-1] == pytest.approx(exact, abs=4 * error[-1] + 1e-4)
    assert error[-1] < 0.02 * exact


def test_a_gate_that_opens_within_a_step():
    """beta_z falls from 50 to -50 in a ramp: averages along the step see where it passes zero."""
    from dmft.protocol import Protocol, Ramp

    theory = two_time_theory("gated")
    initial = complete(theory, g_h=1, beta_r=40, beta_z=50.0)
    protocol = Protocol(initial, (Ramp("beta_z", 1.0, 2.0, -50.0),))
    found = population(theory, protocol, np.linspace(0, 3, 121), {"h": 1.0})
    # closed until t = 1.5, then open
    assert found.moments["h"][-1, -1] == pytest.approx(np.exp(-2 * 1.5), rel=0.01)


def refusal(model):
    with pytest.raises(NotCoveredError) as caught:
        population(model, {"g": 1.0, "a": 2.0}, [0.0, 0.1])
    return str(caught.value)


def test_refusals_say_what_is_not_covered():
    drift = {"x": logistic(sp.Symbol("a", real=True) * z) * (-x + xi), "z": (-z + xi) / 2}
    assert "z shares a current" in refusal(gate(dynamics=drift, couplings=gate().couplings[:1]))
    noisy = two_time_theory("gated")
    with pytest.raises(NotCoveredError, match="white noise on z"):
        population(noisy, {"g_h": 1, "alpha_z": 1, "noise_z": 0.1}, [0.0, 0.1])
    reciprocal = Coupling("xi", sp.tanh(x), reciprocity=sp.Rational(1, 2))
    assert "reciprocal" in refusal(gate(couplings=(reciprocal, gate().couplings[1])))
    correlated = gate(correlations={("xi", "eta"): sp.Rational(1, 2)})
    assert "correlated" in refusal(correlated)
    assert "no product" in refusal(gate(sp.tanh(x + z)))
    square = gate(dynamics={"x": -(x**3) + xi, "z": (-z + xi) / 2})
    assert "not linear" in refusal(square)


def test_fields_that_share_a_current_in_one_output():
    """x and y both hear xi: their joint average is not covered, each alone is."""
    fields = (Field("x", "a"), Field("y", "b"), Field("z", "c"))
    dynamics = {"x": -x + xi, "y": -2 * y + xi, "z": -z}
    both = gate(sp.tanh(x) * sp.cos(y), fields=fields, dynamics=dynamics)
    with pytest.raises(NotCoveredError, match="x, y in the output of xi share"):
        population(both, {"g": 1.0}, [0.0, 0.1])
    apart = gate(sp.tanh(x), fields=fields, dynamics=dynamics)
    assert population(apart, {"g": 1.0}, [0.0, 0.1], {"x": 1.0}).moments["x"][1, 1] > 0
