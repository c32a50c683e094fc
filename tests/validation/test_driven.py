"""Networks whose parameters change in time: every rule keeps its order across jumps and bends."""

import numpy as np
import pytest
from orders import observed_order
from scipy.linalg import expm

from dmft.codegen import compile_network
from dmft.protocol import Protocol, Pulse, Ramp, Step
from dmft.validation.integrate import Trajectory, draw_tangents
from dmft.validation.network import draw_network, draw_state

#: Breakpoints at multiples of 0.1, so that the STEPS divide all that lies between.
BUSY = Protocol(
    {"g": 1.5, "m": 0.3, "input_x": 0.1},
    (
        Ramp("g", 0.3, 1.1, 2.5),
        Step("m", 0.7, -1.0),
        Pulse("input_x", 1.3, 1.7, 2.0),
        Ramp("input_x", 1.7, 1.9, 0.2),
    ),
)
STEPS = [0.1, 0.05, 0.025, 0.0125]


def run(dt, protocol=BUSY, integrator="rk4", n=20, advances=1):
    network = draw_network(
        compile_network("mean-coupling"), protocol.at(0.0), n, np.random.default_rng(0), np.float64
    )
    rng = np.random.default_rng(1)
    x, dx = draw_state(network, 3, 1.0, rng), draw_tangents(network, 2, rng)
    trajectory = Trajectory(network, x, dx, dt, integrator=integrator, protocol=protocol)
    growth = sum(trajectory.advance(round(2 / dt) // advances) for _ in range(advances))
    return trajectory, growth


@pytest.mark.parametrize("integrator", ["rk4", "exponential"])
def test_order_across_jumps(integrator):
    """Slope 4 within 0.4: a jump met anywhere but at the end of a step leaves order one."""
    exact, exact_growth = run(1 / 320)
    ends = {dt: run(dt, integrator=integrator) for dt in STEPS}
    for error in (
        lambda dt: np.abs(ends[dt][0].x[0] - exact.x[0]).max(),
        lambda dt: np.abs(ends[dt][1] - exact_growth).max(),
    ):
        assert 3.6 < observed_order(error, STEPS) < 4.4


def test_the_order_test_can_fail(monkeypatch):
    """Taking the value after a jump for the stage before it is what the limits are for."""
    exact, _ = run(1 / 320)
    monkeypatch.setattr(Protocol, "before", Protocol.at)
    order = observed_order(lambda dt: np.abs(run(dt)[0].x[0] - exact.x[0]).max(), STEPS)
    assert order < 1.5


def test_a_protocol_at_rest_changes_no_digit():
    still = Protocol(BUSY.initial)
    for (a, growth), (b, other) in ((run(0.25, still), run(0.25, still, advances=4)),):
        np.testing.assert_allclose(a.x[0], b.x[0], rtol=1e-13)
        np.testing.assert_allclose(growth, other, rtol=1e-10)
    network = a.network
    rng = np.random.default_rng(1)
    plain = Trajectory(
        network, draw_state(network, 3, 1.0, rng), draw_tangents(network, 2, rng), 0.25
    )
    plain.advance(8)
    np.testing.assert_array_equal(plain.x[0], a.x[0])


def test_jumps_between_and_at_the_ends_of_advances():
    """Breakpoints off the grid, on it, and off by rounding: the same end however it is cut."""
    protocol = Protocol(
        BUSY.initial, (Step("g", 0.5, 2.0), Step("m", 0.1 + 0.2, 1.0), Pulse("g", 1.5, 1.75, 0.5))
    )
    whole, growth = run(2.0**-6, protocol)
    cut, other = run(2.0**-6, protocol, advances=8)
    assert cut.time == whole.time == 2.0
    np.testing.assert_allclose(cut.x[0], whole.x[0], atol=1e-8)
    np.testing.assert_allclose(growth, other, atol=1e-8)


def test_landing_forgives_rounding():
    """0.1 added ten times misses 1.0 by rounding; the step at 1.0 must neither vanish nor double."""
    protocol = Protocol(BUSY.initial, (Step("g", 1.0, 2.5),))
    network = draw_network(
        compile_network("mean-coupling"), protocol.at(0.0), 10, np.random.default_rng(0), np.float64
    )
    x = draw_state(network, 1, 1.0, np.random.default_rng(1))
    trajectory = Trajectory(network, x, [x[0][:0]], 0.1, protocol=protocol)
    for _ in range(20):
        trajectory.advance(1)
    two = Trajectory(network, x, [x[0][:0]], 0.1)
    two.advance(10)
    two.network = network.at(protocol.at(1.0))
    two.advance(10)
    np.testing.assert_allclose(trajectory.x[0], two.x[0], rtol=1e-12)


def test_a_ramped_linear_network_against_the_matrix_exponential():
    """tanh of 1e-6 is linear: x(2) = exp(-2 + J int g dt) x(0), since J commutes with itself."""
    protocol = Protocol({"g": 1.0, "m": 0.0, "input_x": 0.0}, (Ramp("g", 0.25, 1.5, 2.0),))
    network = draw_network(
        compile_network("mean-coupling"), protocol.at(0.0), 15, np.random.default_rng(0), np.float64
    )
    x = draw_state(network, 2, 1e-6, np.random.default_rng(1))
    trajectory = Trajectory(network, x, [x[0][:0]], 2.0**-5, protocol=protocol)
    trajectory.advance(64)
    area = 1.0 * 0.25 + 1.5 * 1.25 + 2.0 * 0.5
    exact = x[0] @ expm(network.transposed[0] * area) * np.exp(-2.0)
    np.testing.assert_allclose(trajectory.x[0], exact, rtol=1e-5)


def test_precision_is_kept():
    protocol = Protocol({"g": 1.5, "m": 0.3, "input_x": 0.1}, BUSY.changes)
    network = draw_network(
        compile_network("mean-coupling"), protocol.at(0.0), 10, np.random.default_rng(0)
    )
    rng = np.random.default_rng(1)
    x, dx = draw_state(network, 3, 1.0, rng), draw_tangents(network, 2, rng)
    for integrator in ("rk4", "exponential"):
        trajectory = Trajectory(network, x, dx, 0.125, integrator=integrator, protocol=protocol)
        trajectory.advance(16)
        assert trajectory.x[0].dtype == trajectory.dx[0].dtype == np.float32
