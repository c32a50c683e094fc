"""Drawn paths of gating fields and what the block does along them, against plain sampling."""

import numpy as np
import pytest
from gate_models import complete, conditional_model, conditional_theory

from dmft.codegen.conditional import CompiledConditional
from dmft.solvers.block_steps import PathGrid
from dmft.solvers.conditional_errors import finer_steps
from dmft.solvers.conditional_problem import ConditionalProblem, Sampling
from dmft.solvers.conditional_scales import adapted_averages
from dmft.solvers.exponential_fit import ExponentialBasis, graded_lags
from dmft.solvers.gate_paths import draw_gates
from dmft.solvers.path_controls import PathControls
from dmft.solvers.replica_operator import replica_terms
from dmft.solvers.replica_paths import _draw_block

STEP = 0.4


def problem(name="gated", paths=64, **parameters):
    """A problem on a window of 100, without asking for a solution."""
    model = conditional_model(name, **parameters)
    nodes = graded_lags(1.2, 40.0, 24, STEP)
    grid = PathGrid(STEP, 250, 10, 150, tuple(nodes.tolist()))
    basis = ExponentialBasis.between(grid.lags, 0.08, 4.0, constant=not model.decays)
    return ConditionalProblem(
        model, grid, basis, Sampling(4, paths, PathControls.for_time(6.0), {})
    )


def some_values(found, height=1.0):
    """Covariances of the currents that are none of a solution."""
    shape = height / np.cosh(found.grid.lags / 4)
    rows = [0.2 * shape + 0.1 * shape**3 for _ in found.model.groups]
    floor = 0.0 if found.model.decays else 0.05
    return found.basis.projected(np.array(rows) + floor)


def test_the_theory_survives_storage():
    theory = conditional_theory("adapting")
    assert CompiledConditional.from_json(theory.to_json()) == theory
    assert theory.gating == (2, 3) and theory.block == (0, 1)


def test_gate_and_gated_field_must_not_share_a_current():
    assert "xi_h drives both" in conditional_theory("shared").failure
    assert "without sampling" in conditional_theory("vanilla").failure


@pytest.mark.parametrize(
    ("name", "parameters"),
    [
        ("gated", {"g_h": 3, "alpha_z": 5, "beta_h": 0.2, "input_z": 0.1, "tau_z": 2}),
        ("adapting", {"g": 3, "alpha": 2}),
    ],
)
def test_paths_have_the_covariance_of_the_filtered_currents(name, parameters):
    found = problem(name, paths=2000, **parameters)
    state = found.state(some_values(found))
    drawn = draw_gates(state.gates, 1, 0, 2000).values()
    for row, place in enumerate(found.model.steady.gating):
        y = drawn[row] - state.means[place]
        for lag in (0, 3, 12):
            products = np.mean(y * np.roll(y, -2 * found.grid.nodes[lag], axis=0), axis=0)
            error = products.std() / np.sqrt(products.size)
            assert abs(products.mean() - state.steady[place, lag]) < 4 * error


def test_a_finer_grid_has_the_same_paths():
    coarse = problem(g_h=3, alpha_z=5)
    x = some_values(coarse)
    one, two = (
        draw_gates(p.state(x).gates, 2, 5, 8).values()[0, ::stride]
        for p, stride in ((coarse, 1), (finer_steps(coarse), 2))
    )
    assert np.max(abs(one - two)) < 1e-3 * np.std(one)


def test_controls_have_no_mean():
    found = problem(g_h=3, alpha_z=5, beta_h=0.2, paths=4000)
    state = found.state(some_values(found))
    values = found.sampling.controls.of(draw_gates(state.gates, 3, 0, 4000))
    errors = values.std(axis=1) / np.sqrt(4000)
    assert values.shape[0] == found.sampling.controls.number(1)
    assert np.max(abs(values.mean(axis=1) / errors)) < 4


@pytest.mark.parametrize(
    ("name", "parameters"),
    [
        ("gated", {"g_h": 3, "alpha_z": 5, "alpha_r": 5}),
        (
            "gated",
            {"g_h": 2, "alpha_z": 3, "beta_h": 0.3, "beta_z": 0.5, "input_h": 0.02, "tau_z": 2},
        ),
        ("gated-input", {"g_h": 2, "alpha_z": 3, "input_h": 0.2}),
        ("adapting", {"g": 3, "alpha": 2, "kappa": 0.5}),
    ],
)
def test_averages_over_the_block_are_those_of_drawn_fields(name, parameters):
    """One evaluation against sampling the block's fields too, along the same gates."""
    found = problem(name, paths=400, **parameters)
    x = some_values(found)
    found = adapted_averages(found, x, 1e-5)
    state = found.state(x)
    along, gates, _ = found.along_paths(state, 0)
    rows, _, _ = found.block_rows(state, 0)
    lags = len(found.grid.nodes)
    theory = found.model.theory
    drawn, _ = _draw_block(found, state, along, 0)
    drawn = drawn[:, ::2]
    here = along.at_starts(0)
    for p, part in enumerate(found.model.parts):
        values = np.ones_like(drawn[0])
        for f in part:
            field = theory.functions[f].field
            j = theory.block.index(field) if field in theory.block else None
            source = drawn[j] if j is not None else gates[theory.gating.index(field)]
            values = values * found.model.function(f, source)
        for n in (0, 4, 12, 20):
            pairs = values[here] * values[along.at_starts(found.grid.nodes[n])]
            difference = pairs.mean(axis=0) - rows[p * lags + n]
            error = difference.std() / np.sqrt(difference.size)
            assert abs(difference.mean()) < 4 * error + 1e-4 * rows[p * lags].mean()
    for j in range(len(theory.block)):
        first = (len(found.model.parts) + j) * lags
        for n in (0, 8, 16):
            pairs = drawn[j][here] * drawn[j][along.at_starts(found.grid.nodes[n])]
            difference = pairs.mean(axis=0) - rows[first + n]
            error = difference.std() / np.sqrt(difference.size)
            assert abs(difference.mean()) < 4 * error + 1e-4 * rows[first].mean()


def test_new_covariances_are_linear_in_the_sampled_averages():
    found = problem(g_h=3, alpha_z=5, alpha_r=5)
    x = some_values(found)
    found = adapted_averages(found, x, 1e-4)
    evaluation = found.evaluate(x, [0])
    values, reports = found.sampled_gains(evaluation.state)
    means = evaluation.moments.means
    assert np.allclose(values @ means, evaluation.values.ravel(), atol=1e-13)
    sampled = np.any(reports, axis=1)
    assert sampled.sum() == 2 * len(found.grid.nodes)
    assert np.allclose((reports @ means)[sampled], evaluation.reports[sampled], atol=1e-13)


def test_terms_of_the_replica_operator():
    terms = replica_terms(conditional_model("gated", g_h=3))
    assert [(t.part, t.factor) for t in terms] == [((0,), 0)]
    assert complete("gated", g_h=3)["tau_z"] == 1
