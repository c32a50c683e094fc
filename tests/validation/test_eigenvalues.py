"""The Jacobian of a whole network, and where its eigenvalues are."""

from functools import partial

import numpy as np
import pytest

from dmft.codegen import compile_network
from dmft.protocol import Protocol, Step
from dmft.validation.eigenvalues import (
    EigenvaluePlan,
    eigenvalues_along,
    fraction_outside,
    jacobian,
    network_eigenvalues,
)
from dmft.validation.ensemble import Ensemble, each_network
from dmft.validation.integrate import Trajectory
from dmft.validation.network import draw_network, draw_state

GATED = {
    "g_h": 3.0,
    "alpha_z": 1.0,
    "alpha_r": 5.0,
    "beta_h": 0.1,
    "beta_z": 0.2,
    "beta_r": 0.3,
    "tau_z": 2.0,
    "tau_r": 0.5,
}


def circle(centre, radius, vertices=400):
    return centre + radius * np.exp(2j * np.pi * np.arange(vertices) / vertices)


INPUTS = {"input_h": 0.5, "input_z": 0.4, "input_r": 0.3}


@pytest.mark.parametrize(
    ("model", "p"),
    [
        ("gated", GATED),
        ("gated-input", GATED | INPUTS),
        ("mean-coupling", {"g": 2.0, "m": 1.5, "input_x": 0.2}),
    ],
)
def test_against_differences(model, p):
    """Every entry, by central differences of the velocity; also at other parameters than drawn."""
    rng = np.random.default_rng(0)
    network = draw_network(compile_network(model), p, 6, rng, np.float64)
    x = draw_state(network, 1, 1.0, rng)
    size, step = 6 * len(x), 1e-5
    flat = np.concatenate(x, axis=1)
    moved = flat + step * np.concatenate([np.eye(size), -np.eye(size)])
    for one in (network, network.at(p | {next(iter(p)): 1.7})):
        velocity = np.concatenate(one.velocity(np.split(moved, len(x), axis=1)), axis=1)
        expected = (velocity[:size] - velocity[size:]).T / (2 * step)
        np.testing.assert_allclose(jacobian(one, x), expected, atol=1e-8)


def test_the_vanilla_network_at_rest():
    """D = g J - 1, in the orientation of the couplings."""
    rng = np.random.default_rng(1)
    network = draw_network(compile_network("vanilla"), {"g": 2.0}, 7, rng, np.float64)
    dense = jacobian(network, [np.zeros((1, 7))])
    np.testing.assert_allclose(dense, 2.0 * network.transposed[0].T - np.eye(7), atol=1e-14)


def test_shares_outside_polygons():
    """A square with a square hole and an island, by areas of a fine grid."""
    square, hole = 2 * np.array([1 + 1j, -1 + 1j, -1 - 1j, 1 - 1j]), circle(0.0, 1.0)
    island = circle(4.0, 0.5)
    axis = np.linspace(-5, 5, 251)
    grid = axis[:, None] + 1j * axis[None, :]
    area = 16 - np.pi + np.pi / 4
    assert 100 * (1 - fraction_outside(grid, [square, hole, island])) == pytest.approx(
        area, rel=1e-2
    )
    reversed_order = [np.conj(square), hole[::-1], island]
    assert fraction_outside(grid, reversed_order) == pytest.approx(
        fraction_outside(grid, [square, hole, island]), abs=2e-3
    )


def test_circular_law():
    """At rest, shares outside radius rho g are 1 - rho^2 within the rigid fluctuations of the cloud.

    The number inside a disc of the Ginibre ensemble has variance rho sqrt(N / pi) (Shirai, J. Stat.
    Phys. 123, 615 (2006)).
    """
    n, g = 250, 2.0
    network = draw_network(
        compile_network("vanilla"), {"g": g}, n, np.random.default_rng(2), np.float64
    )
    values = np.linalg.eigvals(jacobian(network, [np.zeros((1, n))]))
    sigma = np.sqrt(np.sqrt(n / np.pi)) / n
    for rho in (0.5, 0.8):
        outside = fraction_outside(values, [circle(-1.0, rho * g)])
        assert abs(outside - (1 - rho**2)) < 4 * sigma
    assert fraction_outside(values, [circle(-1.0, 1.05 * g)]) < 0.01


def test_leading_edge_of_the_gated_network_at_rest():
    """s (g_h s0 - 1) with s = s0 = 1/2 (THEORY section 7), up to finite size of order N^(-1/2)."""
    quiet = GATED | {"alpha_z": 0.0, "beta_h": 0.0, "beta_z": 0.0, "beta_r": 0.0}
    network = draw_network(
        compile_network("gated"), quiet, 120, np.random.default_rng(3), np.float64
    )
    found = np.linalg.eigvals(jacobian(network, [np.zeros((1, 120))] * 3)).real.max()
    assert found == pytest.approx(0.25, abs=0.5 * 3 * 0.5 * 2 / np.sqrt(120))


def test_along_a_trajectory():
    """Times, shapes, the first start only; share outside a curve that everything or nothing leaves."""
    rng = np.random.default_rng(4)
    network = draw_network(compile_network("vanilla"), {"g": 3.0}, 20, rng, np.float64)
    x = draw_state(network, 2, 1.0, rng)
    run = Trajectory(network, x, [np.zeros((0, 20))], 0.125)
    found = eigenvalues_along(run, 3, 8, [circle(0.0, 100.0)])
    assert found.time.tolist() == [1.0, 2.0, 3.0]
    assert found.eigenvalues.shape == (3, 20)
    assert found.outside.tolist() == [0.0, 0.0, 0.0]
    last = np.linalg.eigvals(jacobian(network, [run.x[0][:1]]))
    assert found.leading[-1] == pytest.approx(last.real.max())
    assert np.isnan(eigenvalues_along(run, 1, 1).outside).all()
    assert eigenvalues_along(run, 1, 1, [circle(0.0, 1e-6)]).outside[0] == 1.0


def test_parameters_that_move():
    """Under a protocol the eigenvalues are those of the moment: g jumps from 2 to 0.5 at rest."""
    steps = Protocol({"g": 2.0}, (Step("g", 1.0, 0.5),))
    ensemble = Ensemble(
        compile_network("vanilla"), {"g": 2.0}, 0, 0.125, 0.0, dtype="float64", protocol=steps
    )
    run = ensemble.begin(30, 0)
    found = eigenvalues_along(run, 2, 6)
    real = np.linalg.eigvals(run.network.transposed[0]).real.max()
    np.testing.assert_allclose(found.leading, [2 * real - 1, 0.5 * real - 1], atol=1e-12)


def test_over_networks():
    ensemble = Ensemble(compile_network("vanilla"), {"g": 0.5}, 5, 0.125)
    plan = EigenvaluePlan(transient=30.0, moments=2, spacing=1.0)
    found = each_network(partial(network_eigenvalues, ensemble, plan, [circle(-1.0, 0.7)]), {40: 3})
    for one in found[40]:
        assert one.time.tolist() == [31.0, 32.0]
        assert (one.leading < 0).all()  # a network at rest is stable for g < 1
        assert (one.outside < 0.1).all()
