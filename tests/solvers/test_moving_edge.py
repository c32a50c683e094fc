"""The edge at chaotic states: the formula by hand on drawn units, the limit of a gate at rest, refusals."""

from types import SimpleNamespace

import numpy as np
import pytest

import dmft
from dmft.codegen import compiled_conditional
from dmft.errors import InputError, NotCoveredError
from dmft.results.solution import Solution
from dmft.solvers import moving_edge as edges
from dmft.solvers.conditional_model import ConditionalModel
from dmft.solvers.edge_units import EdgeUnits, _moments, edge_units

P = {"g_h": 3.0, "alpha_r": 5.0, "alpha_z": 4.0, "beta_z": -0.4, "tau_z": 2.0, "tau_r": 0.5}


def model_at(**changes):
    theory = compiled_conditional("gated")
    base = {p.name: p.default for p in theory.info.parameters if p.default is not None}
    return ConditionalModel(theory, base | P | changes)


def given_currents(lags, risen):
    """Covariances of currents of no particular state, smooth at lag 0, those of h and of z, r."""
    return np.array([0.30, 0.65])[:, None] * (1 + risen / 100) / np.cosh(lags / 3) ** 1.5


@pytest.fixture(scope="module")
def prepared():
    model = model_at()
    problem, state = edges._prepared(model, given_currents, 40.0, 0.15, 7)
    return problem, state


def test_joint_moments_of_a_moment_are_those_of_simulated_units(prepared):
    """x' = s(y) (xi - x) stepped for many units: <phi'^2 w^2>, <phi'^2 b^2 q^2>, w = s/(0.2 + s)."""
    problem, state = prepared
    units = [edge_units(problem, state, b) for b in range(4)]
    one, two, three = [], [], []
    for u in units:
        resolvent = u.resolvent(0.2)
        f = next(iter(u.moments))
        gates = np.array([0.7])
        for current, kept in ((0, one), (1, two)):
            c0, c1, rest = u.given(0, *u.affine(resolvent, 0, current, gates * (current == 1)))
            s0, s1, s2 = u.moments[f].slopes
            kept.append(np.mean((c0**2 + rest) * s0 + 2 * c0 * c1 * s1 + c1**2 * s2))
        three.append(np.mean(u.moments[f].squares))
    rng, count, dt, length = np.random.default_rng(5), 3000, 0.05, 240
    spectrum = np.fft.rfft(circle(dt, length)).real.clip(0)
    h_drive, y_drive = (np.sqrt(v) * paths(rng, spectrum, count) for v in (0.30, 0.65))
    y = np.zeros(count)
    h = np.zeros(count)
    seen = []
    for n in range(h_drive.shape[0] - 1):
        s = 1 / (1 + np.exp(-4 * y - 0.4))
        if n > 60 / dt and n % round(6 / dt) == 0:
            slope, move = 3 / np.cosh(3 * h) ** 2, s / (0.2 + s)
            bend = 0.7 * 4 * s * (1 - s) * (h_drive[n] - h) / (0.2 + s)
            terms = (slope * move) ** 2, (slope * bend) ** 2, np.tanh(3 * h) ** 2
            seen.append([t.mean() for t in terms])
        middle = [(d[n] + d[n + 1]) / 2 for d in (h_drive, y_drive)]
        y_half = y + dt / 4 * (y_drive[n] - y)
        s_half = 1 / (1 + np.exp(-4 * y_half - 0.4))
        h_half = h + dt / 2 * s * (h_drive[n] - h)
        h, y = h + dt * s_half * (middle[0] - h_half), y + dt / 2 * (middle[1] - y_half)
    seen = np.array(seen)
    # moments six time units apart are correlated: blocks of five, six of them or more
    groups = [g.mean(axis=0) for g in np.array_split(seen, 6)]
    spread = np.std(groups, axis=0, ddof=1) / np.sqrt(6)
    for kept, value, error in zip((one, two, three), np.mean(groups, axis=0), spread, strict=True):
        total = np.hypot(error, np.std(kept, ddof=1) / 2)
        assert abs(np.mean(kept) - value) < 5 * total
        assert total < 0.05 * value


def test_mean_square_of_a_perturbed_output_is_that_of_drawn_fields():
    """One place, two gated fields and two sources, a gating field in drift, inputs, constant and output.

    P = f' D dx_j + f dD with dx = (lambda - A)^-1 (B_b + Q(w) G), w drawn.
    """
    rng = np.random.default_rng(3)
    root = rng.normal(size=(4, 4))
    means, covariance = rng.normal(size=4), root @ root.T / 4
    drift = np.array([[-0.8, 0.3], [0.2, -0.5]])
    inputs = rng.normal(size=(2, 2))
    bends = {(i, 0, w): rng.normal() for i, w in ((0, 0), (0, 2), (1, 1), (1, 3))}
    factor, bent, gate, growth, current = 0.7, 0.9, 0.6, 0.4, 1
    functions = [SimpleNamespace(field=0), SimpleNamespace(field=5)]
    model = SimpleNamespace(
        theory=SimpleNamespace(functions=functions, block=(0, 1), gating=(5,)),
        function=lambda f, x, order=0: 1 / np.cosh(x) ** 2 if order else np.tanh(x),
    )
    problem = SimpleNamespace(model=model)
    units = EdgeUnits(
        size=2,
        means=means[:, None],
        covariance=covariance[:, :, None],
        drift=drift[:, :, None],
        inputs=inputs[:, :, None],
        bends={place: np.array([v]) for place, v in bends.items()},
        bend_constants={(0, 0): np.array([0.5])},
        gate_factors={1: (np.array([factor]), np.array([bent]))},
        moments={0: _moments(problem, 0, means[:1], covariance[0, :1])},
    )
    squares = edges._Squares(problem, None, units)
    resolvent = units.resolvent(growth)
    (found,) = squares._moved((0, 1), resolvent, current, np.array([gate]))

    w = rng.multivariate_normal(means, covariance, size=1_000_000).T
    pushed = np.array([np.full(w.shape[1], inputs[i, current]) for i in range(2)])
    for (i, _, k), value in bends.items():
        pushed[i] += value * gate * w[k]
    pushed[0] += 0.5 * gate
    dx = np.linalg.inv(growth * np.eye(2) - drift) @ pushed
    change = factor * dx[0] / np.cosh(w[0]) ** 2 + bent * gate * np.tanh(w[0])
    assert abs(found - np.mean(change**2)) < 5 * np.std(change**2) / 1000
    assert np.std(change**2) / 1000 < 3e-3 * found


def test_scatter_is_the_standard_error_of_the_logarithm():
    values = np.random.default_rng(4).normal(2.0, 0.1, 64)
    blocks = [SimpleNamespace(matrix=lambda growth, v=v: np.array([[v]])) for v in values]
    expected = np.std(values, ddof=1) / 8 / np.mean(values)
    assert edges._Edge(blocks).scatter(0.0) == pytest.approx(expected, rel=1e-2)


def circle(dt, length):
    points = round(length / dt)
    lags = dt * np.minimum(np.arange(points), points - np.arange(points))
    return 1 / np.cosh(lags / 3) ** 1.5


def paths(rng, spectrum, count):
    """Stationary Gaussian processes on a circle, (times, units)."""
    points = 2 * (spectrum.size - 1)
    white = np.fft.rfft(rng.standard_normal((points, count)), axis=0)
    return np.fft.irfft(white * np.sqrt(spectrum)[:, None], n=points, axis=0)


def test_other_seeds_differ_by_no_more_than_they_say():
    found = [
        edges.moving_edge(model_at(), given_currents, 40.0, variance=0.15, seed=s) for s in (1, 2)
    ]
    first, second = (np.log(f.edge) for f in found)
    error = np.hypot(found[0].error, found[1].error)
    assert 0 < error < 0.05
    assert abs(first - second) < 5 * error


def test_a_gate_at_rest_has_the_edge_of_random_matrix_theory():
    """alpha_z = 0: independent Gaussian h, z, r, evenly spread points to half a per cent."""
    from dmft.validation.cases.jacobian_spectrum import _units

    solution = dmft.solve("gated", g_h=3, alpha_r=5, tau_r=2, beta_z=0.4, lyapunov=False)
    (found,) = dmft.slow_modes("gated", at=solution)
    units = _units(solution)
    assert found.edge == pytest.approx(units.edge()[0].real, rel=5e-3)
    assert found.radius == pytest.approx(float(units.radius(0.0)), rel=5e-3)
    assert (found.status, found.error) == ("converged", 0.0)
    assert found.variance == pytest.approx(solution.variance["z"], rel=1e-3)
    # a moving gate of nearly no gain joins it, at the same covariances
    values = dict(solution.parameters) | {"alpha_z": 0.02}
    (near,) = dmft.slow_modes("gated", at=replaced(solution, parameters=values))
    assert near.edge == pytest.approx(found.edge, rel=2e-3)


def replaced(solution, **changes):
    return Solution(**{k: getattr(solution, k) for k in Solution.__slots__} | changes)


def test_what_is_no_chaotic_answer_gives_no_number():
    chaos = dmft.solve("gated", g_h=3, alpha_r=5, lyapunov=False)
    lost = replaced(chaos, status="history-dependent", message="it remembers")
    (found,) = dmft.slow_modes("gated", at=lost)
    assert found.status == "history-dependent" and "it remembers" in found.message
    assert np.isnan([found.edge, found.radius, found.error]).all()
    with pytest.raises(InputError, match="constant"):
        dmft.slow_modes("gated", at=dmft.solve("gated", g_h=3, branch="fixed-point"))
    with pytest.raises(InputError, match="g_h"):
        dmft.slow_modes("gated", at=chaos, g_h=2)
    with pytest.raises(InputError, match="another model"):
        dmft.slow_modes("gated-input", at=chaos)
    with pytest.raises(NotCoveredError, match="moving gate"):
        dmft.slow_modes("vanilla", at=dmft.solve("vanilla", g=2))
    with pytest.raises(InputError, match="returns"):
        dmft.slow_modes("gated", at=3)
