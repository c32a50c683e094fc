"""Structure that holds at any state: conditional-Gaussian roles and the Jacobian's edge."""

from dataclasses import replace

import numpy as np
import pytest
import sympy as sp

from dmft.codegen.cache import compile_model_network
from dmft.derivations.conditional import conditional_structure
from dmft.derivations.disorder import average_over_couplings
from dmft.derivations.edge import JacobianEdge, jacobian_edge
from dmft.derivations.equations import derive_equations
from dmft.derivations.functions import logistic
from dmft.derivations.linearise import linearise
from dmft.derivations.models import get
from dmft.derivations.stages import derive_model
from dmft.derivations.symbols import s


def edge_of(name: str) -> JacobianEdge:
    model = get(name)
    return jacobian_edge(linearise(model), average_over_couplings(model))


def test_the_update_gate_conditions_the_state_and_the_output_gate_does_not() -> None:
    found = conditional_structure(get("gated"))
    assert found is not None and not found.closes
    assert (found.gating, found.conditional, found.gaussian) == (("z",), ("h",), ("r",))
    vanilla = conditional_structure(get("vanilla"))
    assert vanilla is not None and vanilla.closes


def test_gated_without_gain_of_the_update_gate_is_gaussian() -> None:
    gated = get("gated")
    zero = {p.symbol: 0 for p in gated.parameters if p.name == "alpha_z"}
    model = replace(gated, dynamics={k: e.subs(zero) for k, e in gated.dynamics.items()})
    found = conditional_structure(model)
    assert found is not None and found.closes and found.gaussian == ("h", "z", "r")


@pytest.mark.parametrize("kind", ["quadratic", "gate of a gate", "current squared", "loop"])
def test_what_is_not_conditionally_gaussian_is_seen(kind: str) -> None:
    gated = get("gated")
    h, z, _ = gated.field_symbols()
    xi_h, xi_z, _ = gated.current_symbols()
    spoilt = {
        "quadratic": {"h": -h + xi_h - h**2},
        "gate of a gate": {"z": logistic(h) * (-z + xi_z)},
        "current squared": {"h": -h + xi_h**2},
        "loop": {"z": -z + h + xi_z},
    }[kind]
    assert conditional_structure(replace(gated, dynamics={**gated.dynamics, **spoilt})) is None


def test_the_edge_of_gated_is_that_of_theory_section_7() -> None:
    # 1 = <phi'^2 sz^2/|l+sz|^2> (<sr^2> + <phi^2><sr'^2>/|1+tr l|^2)
    #     + <phi'^2 sz'^2 q^2/|l+sz|^2> / |1+tz l|^2,   q = -h + xi_h; h, z independent of r
    edge = edge_of("gated")
    model = get("gated")
    h, z, r = model.field_symbols()
    xi_h, *_ = model.current_symbols()
    p = {symbol.name: symbol for symbol in model.parameter_symbols()}
    phi = sp.tanh(p["g_h"] * h + p["beta_h"])
    sz, sr = logistic(p["alpha_z"] * z - p["beta_z"]), logistic(p["alpha_r"] * r - p["beta_r"])
    slope, q = sp.diff(phi, h), xi_h - h
    from_h = slope**2 * sz**2 / (s + sz) ** 2
    from_z = slope**2 * sp.diff(sz, z) ** 2 * q**2 / (s + sz) ** 2 / (1 + p["tau_z"] * s) ** 2
    from_r = phi**2 * sp.diff(sr, r) ** 2 / (1 + p["tau_r"] * s) ** 2
    expected = [
        [from_h * sr**2, from_z * sr**2, from_r],
        [from_h, from_z, 0],
        [from_h, from_z, 0],
    ]
    for a in range(3):
        for b in range(3):
            assert sp.simplify(edge.squared(a, b) - expected[a][b]) == 0
    # with <f g> = <f><g> for independent fields, det(1 - M) is the scalar condition
    first, second, gate, third = sp.symbols("first second gate third", positive=True)
    averaged = {
        "M_00": first * gate, "M_01": second * gate, "M_02": third,
        "M_10": first, "M_11": second, "M_20": first, "M_21": second,
    }  # fmt: skip
    symbols = {sp.Symbol(k, positive=True): v for k, v in averaged.items()}
    scalar = 1 - (first * (gate + third) + second)
    # (the other products cancel because rows z and r are equal)
    assert sp.expand(edge.condition().subs(symbols) - scalar) == 0


def test_at_zero_the_edge_is_the_amplification_of_rest() -> None:
    for name in ("vanilla", "gated"):
        equations = derive_equations(get(name))
        assert equations.zero_state is not None
        model = equations.model
        rest = dict.fromkeys((*model.field_symbols(), *model.current_symbols()), 0)
        rest |= {p.symbol: 0 for p in model.parameters if p.name == "beta_h"}
        edge, amplification = edge_of(name), equations.zero_state.amplification()
        size = edge.chain.shape[0]
        for a in range(size):
            for b in range(size):
                assert sp.simplify(edge.squared(a, b).subs(rest) - amplification[a, b]) == 0


def test_the_edge_bounds_the_eigenvalues_of_a_finite_jacobian() -> None:
    # independent route: a random state of N = 500 units, the full (3N x 3N) Jacobian, both gates on
    model = get("gated")
    p = dict(g_h=1.5, alpha_z=2.0, alpha_r=3.0, beta_h=0.1, beta_z=-0.3, beta_r=0.2)
    p |= dict(tau_z=2.0, tau_r=0.6) | {q.name: 0.0 for q in model.parameters if q.nonnegative}
    units, random = 500, np.random.default_rng(11)
    x = [random.normal(0, spread, units) for spread in (0.8, 0.6, 0.6)]
    xi = [random.normal(0, spread, units) for spread in (0.9, 0.7, 0.7)]
    network = compile_model_network(model)
    couplings = [random.normal(0, 1 / np.sqrt(units), (units, units)) for _ in range(3)]
    columns = []
    for field in range(3):
        for unit in range(units):
            dx = [np.zeros(units) for _ in range(3)]
            dx[field][unit] = 1.0
            outputs = network.tangent_outputs(x, dx, p)
            dxi = [j[:, unit] * o[unit] for j, o in zip(couplings, outputs, strict=True)]
            columns.append(np.concatenate(network.tangent_drift(x, xi, dx, dxi, p)))
    eigenvalues = np.linalg.eigvals(np.array(columns).T)

    symbols = (*model.field_symbols(), *model.current_symbols(), *model.parameter_symbols(), s)
    modules = [{"logistic": lambda v: 1 / (1 + np.exp(-v))}, "numpy"]
    chain = sp.lambdify(symbols, list(edge_of("gated").chain), modules=modules)

    def radius(growth: complex) -> float:
        entries = chain(*x, *xi, *(p[q.name] for q in model.parameters), growth)
        means = np.array([np.mean(abs(np.broadcast_to(e, units)) ** 2) for e in entries])
        return float(max(abs(np.linalg.eigvals(means.reshape(3, 3)))))

    outside = np.array([radius(e) < 1 for e in eigenvalues])
    # finite size: a few outliers, all close to the edge
    assert outside.mean() < 0.02
    assert min(radius(e) for e in eigenvalues) > 0.75
    # and the cloud reaches the edge: its rightmost point is near where the radius is one
    rightmost = eigenvalues[np.argmax(eigenvalues.real)]
    assert radius(rightmost) == pytest.approx(1, abs=0.25)


def test_stages_name_the_gating_field_and_print_the_condition() -> None:
    derivation = derive_model(get("gated"))
    text = str(derivation.show("conditional"))
    assert "z moves the coefficients of h" in text
    assert "h(t) = int^t ds exp(-int_s^t sigma_z) ([sigma_z](s) xi_h(s) + I_h + eta_h(s))" in text
    assert "M_00" in str(derivation.show("jacobian-edge"))
