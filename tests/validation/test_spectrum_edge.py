"""The edge of the eigenvalue cloud: compiled tangents against the derived matrix and closed forms."""

import numpy as np
import pytest

import dmft
from dmft.codegen import compile_network
from dmft.codegen.float64 import FLOAT64
from dmft.codegen.translate import translate
from dmft.derivations.disorder import average_over_couplings
from dmft.derivations.edge import jacobian_edge
from dmft.derivations.linearise import linearise
from dmft.derivations.models import get
from dmft.derivations.symbols import s
from dmft.validation.eigenvalues import fraction_outside, jacobian
from dmft.validation.network import draw_network
from dmft.validation.spectrum_edge import gaussian_states, unit_jacobians

ALL = {"g_h": 3.0, "alpha_z": 2.0, "alpha_r": 5.0, "beta_h": 0.1, "beta_z": 0.2, "beta_r": 0.3}


@pytest.mark.parametrize("name", ["gated", "adaptation"])
def test_radius_is_that_of_the_derived_matrix(name):
    """M(s) at complex s, all gates moving, by `dmft.derivations.edge`."""
    model, right = get(name), compile_network(name)
    solution = dmft.solve(name, {"g_h": 3.0} if name == "gated" else {"g": 3.0}, lyapunov=False)
    p = dict(solution.parameters) | (ALL | {"tau_r": 0.7} if name == "gated" else {})
    rng = np.random.default_rng(0)
    x = [rng.standard_normal(50) for _ in right.info.fields]
    xi = [rng.standard_normal(50) for _ in right.info.currents]
    edge = jacobian_edge(linearise(model), average_over_couplings(model))
    inputs = [*model.field_symbols(), *model.current_symbols(), *model.parameter_symbols(), s]
    tape = translate("edge", inputs, list(edge.chain))
    values = dict(zip([i.name for i in inputs], [*x, *xi], strict=False)) | p
    units = unit_jacobians(right, p, x, xi)
    size = len(right.info.currents)
    for growth in (0.4, 0.3 + 0.8j, -0.2 + 1.1j):
        entries = tape.run(FLOAT64, values | {"s": growth})
        means = [np.mean(np.abs(np.broadcast_to(e, 50)) ** 2) for e in entries]
        matrix = np.array(right.variance(p))[:, None] * np.reshape(means, (size, size))
        expected = np.abs(np.linalg.eigvals(matrix)).max()
        assert units.radius(growth) == pytest.approx(expected, rel=1e-12)


def test_edge_of_the_gated_network_in_the_closed_form():
    """The formula of Krishnamurthy, Can & Schwab at alpha_z = 0 equals one all around the polygon."""
    solution = dmft.solve("gated", g_h=3, alpha_r=10, tau_r=2, beta_z=-1, lyapunov=False)
    p = dict(solution.parameters)
    right = compile_network("gated")
    states = gaussian_states([solution.variance[k] for k in right.info.fields])
    edge = unit_jacobians(right, p, states, [np.zeros(1024)] * 3).edge()
    node, weight = np.polynomial.hermite_e.hermegauss(200)
    weight = weight / weight.sum()
    h, r = (np.sqrt(solution.variance[k]) * node for k in "hr")
    gate, open_ = 1 / (1 + np.exp(-10 * r)), 1 / (1 + np.exp(-1.0))
    slope2 = weight @ (3 / np.cosh(3 * h) ** 2) ** 2
    gate2, phi2 = weight @ gate**2, weight @ np.tanh(3 * h) ** 2
    dgate2 = weight @ (10 * gate * (1 - gate)) ** 2
    ratio = open_**2 / np.abs(edge + open_) ** 2
    right_side = slope2 * ratio * (gate2 + phi2 * dgate2 / np.abs(1 + 2 * edge) ** 2)
    np.testing.assert_allclose(right_side, 1.0, rtol=5e-3)


def test_circular_law():
    """At rest the edge of the classical network is the circle of radius g about -1."""
    right, p = compile_network("vanilla"), {"g": 2.0}
    p |= {k: 0.0 for k in dmft.solve("vanilla", g=0.5).parameters if k != "g"}
    units = unit_jacobians(right, p, [np.zeros(8)], [np.zeros(8)])
    edge = units.edge()
    np.testing.assert_allclose(np.abs(edge + 1), 2.0, rtol=1e-6)
    assert edge[0] == pytest.approx(1.0, abs=1e-6)
    network = draw_network(right, p, 200, np.random.default_rng(1), np.float64)
    values = np.linalg.eigvals(jacobian(network, [np.zeros((1, 200))]))
    assert fraction_outside(values, [-1 + 1.1 * (edge + 1)]) < 0.01
    assert fraction_outside(values, [-1 + 0.9 * (edge + 1)]) > 0.1


def test_states_have_the_variances_of_the_theory():
    h, r = gaussian_states([0.2, 3.0])
    assert np.mean(h**2) == pytest.approx(0.2, rel=1e-2)
    assert np.mean(r**2) == pytest.approx(3.0, rel=1e-2)
    assert abs(np.mean(h * r)) < 5e-3
