"""Boundaries followed as curves: all folds, cusps, pieces, ends; against hand-typed statics."""

import numpy as np
import pytest
from statics_by_hand import all_folds, driven_solutions, gain_for, lowest_gain, stability

import dmft
from dmft.codegen import compiled_theory
from dmft.parameters import check_parameters
from dmft.solvers.boundaries import Request
from dmft.solvers.boundaries.static_counts import static_counts


def by_row(curve, swept, wanted="g_h"):
    rows = {}
    for q, value, kind in zip(
        curve.columns[swept], curve.columns[wanted], curve.point_kind, strict=True
    ):
        rows.setdefault(float(q), []).append((kind, float(value)))
    return rows


def test_every_fold_at_a_negative_bias():
    """At beta_r = -0.8 two folds exist beyond a cusp, beside the continuous birth on the line."""
    at = [20.0, 29.0, 31.0, 40.0, 55.0]
    curve = dmft.boundary("gated", "fixed-points", alpha_r=at, beta_r=-0.8)
    rows = by_row(curve, "alpha_r")
    for alpha_r in at:
        births = [value for kind, value in rows[alpha_r] if kind == "continuous"]
        folds = sorted(value for kind, value in rows[alpha_r] if kind == "fold")
        assert births == pytest.approx([1 + np.exp(-0.8)], rel=1e-12)
        expected = [g for g, _ in all_folds(alpha_r, -0.8)]
        assert folds == pytest.approx(expected, abs=1e-10)
        assert len(folds) == (0 if alpha_r < 29.3 else 2)
    assert "cusp at alpha_r = 29.38775" in curve.message


def cusp_by_hand(alpha_r, start):
    """g(u; beta) with dg/du = d2g/du2 = 0, differences of the hand formula in log u."""
    from scipy.optimize import fsolve

    h = 0.05

    def conditions(z):
        log_u, beta = z
        g = [gain_for(np.exp(log_u + k * h), alpha_r, beta) for k in (-2, -1, 0, 1, 2)]
        first = (g[0] - 8 * g[1] + 8 * g[3] - g[4]) / (12 * h)
        second = (-g[0] + 16 * g[1] - 30 * g[2] + 16 * g[3] - g[4]) / (12 * h**2)
        return [1e3 * first, 1e3 * second]

    log_u, beta = fsolve(conditions, start, xtol=1e-12)
    return beta, gain_for(np.exp(log_u), alpha_r, beta)


def test_the_cusp_is_where_the_hand_formula_has_it():
    curve = dmft.boundary("gated", "fixed-points", beta_r=dmft.Sweep(-1.2, 0.5), alpha_r=40)
    (i,) = {
        k for k, kind in enumerate(curve.point_kind) if kind == "cusp" and curve.segment[k] == 0
    } or {next(k for k, kind in enumerate(curve.point_kind) if kind == "cusp")}
    beta, g_h = cusp_by_hand(40.0, [np.log(2e-3), -0.8])
    # the differences of the oracle are good to h^4
    assert curve.columns["beta_r"][i] == pytest.approx(beta, abs=2e-5)
    assert curve.columns["g_h"][i] == pytest.approx(g_h, abs=2e-5)


def test_the_pieces_of_an_adaptive_curve():
    """Both folds that leave the cusp; the lower one meets the line in the tricritical point."""
    curve = dmft.boundary("gated", "fixed-points", beta_r=dmft.Sweep(-1, 0.5), alpha_r=40)
    assert curve.answered.all()
    beta, g_h = curve.columns["beta_r"], curve.columns["g_h"]
    for segment in np.unique(curve.segment):
        mine = curve.segment == segment
        turns = np.diff(beta[mine])
        assert np.all(turns >= 0) or "tricritical" in np.array(curve.point_kind)[mine]
    kinds = set(curve.point_kind)
    assert {"fold", "continuous", "cusp", "tricritical"} <= kinds
    tip = beta[curve.point_kind.index("cusp")]
    for b, g, kind in zip(beta, g_h, curve.point_kind, strict=True):
        if kind == "fold" and b > tip + 1e-3:  # closer, the oracle's scan does not see the pair
            assert min(abs(g - x) for x, _ in all_folds(40.0, b)) < 1e-9
        elif kind in ("continuous", "tricritical"):
            assert g == pytest.approx(1 + np.exp(b), rel=1e-8)
    tip = curve.point_kind.index("tricritical")
    s = 1 / (1 + np.exp(beta[tip]))
    assert 2 / ((1 - s) * (2 - 3 * s)) == pytest.approx(40.0**2, rel=1e-7)


def test_points_are_denser_where_the_curve_bends():
    curve = dmft.boundary("gated", "fixed-points", alpha_r=dmft.Sweep(0, 50))
    alpha, g_h = curve.columns["alpha_r"], curve.columns["g_h"]
    folds = np.array([kind == "fold" for kind in curve.point_kind])
    gaps = np.diff(alpha[folds])
    assert np.max(gaps) > 20 * np.min(gaps)
    middle = (alpha[folds][1:] + alpha[folds][:-1]) / 2
    straight = (g_h[folds][1:] + g_h[folds][:-1]) / 2
    some = slice(None, None, 6)
    off = [abs(lowest_gain(a)[0] - g) for a, g in zip(middle[some], straight[some], strict=True)]
    assert max(off) < 2e-3  # a line through the points is the curve to the eye
    assert 20 < len(curve) < 120


def test_exactly_the_values_asked_for_in_their_order():
    at = [7.0, 3.0, 12.0, 3.0]
    curve = dmft.boundary("gated", "fixed-points", alpha_r=at)
    assert curve.columns["alpha_r"].tolist() == at
    assert curve.columns["g_h"] == pytest.approx([lowest_gain(a)[0] for a in at], abs=1e-10)
    assert set(curve.segment) == {0}
    grid = dmft.boundary("gated", "fixed-points", alpha_r=[5.0, 10.0], beta_r=[0.0, 1.0, 0.5])
    assert grid.columns["alpha_r"].tolist() == [5, 5, 5, 10, 10, 10]
    assert grid.columns["beta_r"].tolist() == [0, 1, 0.5] * 2
    for a, b, g in zip(*grid.columns.values(), strict=True):
        assert g == pytest.approx(lowest_gain(a, b)[0], abs=1e-10)


def test_rows_of_a_curve_are_those_of_single_searches():
    """Following from a few rows loses nothing: every row searched by itself gives the same."""
    at = np.linspace(-0.9, 0.3, 25)
    curve = dmft.boundary("gated", "fixed-points", beta_r=at, alpha_r=30)
    rows = by_row(curve, "beta_r")
    for b in at[::4]:
        alone = dmft.boundary("gated", "fixed-points", beta_r=float(b), alpha_r=30)
        mine = sorted(zip(alone.point_kind, alone.columns["g_h"].tolist(), strict=True))
        assert [k for k, _ in mine] == [k for k, _ in sorted(rows[float(b)])]
        assert [v for _, v in mine] == pytest.approx(
            [v for _, v in sorted(rows[float(b)])], abs=1e-10
        )


def test_a_bias_unfolds_the_backward_birth():
    """beta_h: one or three solutions, two folds inside the wedge that ends in cusps."""
    curve = dmft.boundary("gated", "fixed-points", beta_h=[0.01, 0.03], alpha_r=10)
    rows = by_row(curve, "beta_h")
    for beta_h in (0.01, 0.03):
        low, high = sorted(value for _, value in rows[beta_h])
        for g_h, number in (
            (low - 1e-4, 1), (low + 1e-4, 3), (high - 1e-4, 3), (high + 1e-4, 1)
        ):  # fmt: skip
            assert len(driven_solutions(g_h, 10.0, 0.0, beta_h)) == number


def test_the_driven_fixed_point_loses_and_regains_stability():
    """THEORY section 8: at (1.7, 10) V = 1 at two input variances with ratio 496; never at 0."""
    curve = dmft.boundary("gated", "jacobian-edge", g_h=1.7, alpha_r=10, solve_for="input_h")
    low, high = curve.columns["input_h"]
    assert high / low == pytest.approx(496, abs=0.5)
    assert curve.point_kind == ("edge", "edge")
    for value in (low, high):
        (delta,) = driven_solutions(1.7, 10.0, value)
        assert stability(1.7, 10.0, delta) == pytest.approx(1, abs=1e-9)
    for value in (0.5 * low, 0.1 * high, 2 * high):
        (delta,) = driven_solutions(1.7, 10.0, value)
        assert (stability(1.7, 10.0, delta) > 1) == (low < value < high)
    never = dmft.boundary("gated", "jacobian-edge", g_h=1.7, solve_for="input_h")
    assert never.status == ("no-solution",)


def test_input_quiets_the_additive_network():
    """At alpha_r = 0 chaos at g_h = 3 ends where the input restores V = 1 (vanilla at gain 3/2)."""
    gated = dmft.boundary("gated", "jacobian-edge", g_h=3, solve_for="input_h")
    vanilla = dmft.boundary("vanilla", "jacobian-edge", g=1.5, solve_for="input_x")
    (value,) = gated.columns["input_h"]
    # Delta_x = g_h^2 Delta_h; input_h / s^2 with s = 1/2
    assert vanilla.columns["input_x"][0] == pytest.approx(9 * 4 * value, rel=1e-10)


def test_edge_curves_agree_between_both_unknowns():
    forth = dmft.boundary("gated", "jacobian-edge", input_h=[0.01, 0.03, 0.06], alpha_r=10)
    for value, g_h in zip(forth.columns["input_h"], forth.columns["g_h"], strict=True):
        back = dmft.boundary(
            "gated", "jacobian-edge", g_h=float(g_h), alpha_r=10, solve_for="input_h"
        )
        assert np.min(abs(back.columns["input_h"] - value)) < 1e-10


def test_a_resonant_network_loses_stability_at_a_frequency():
    """Adaptation: rest goes at a frequency before fixed points appear at g = 1 + beta."""
    line = dmft.boundary("adaptation", "zero-state", beta=[0.5, 1.0])
    births = dmft.boundary("adaptation", "fixed-points", beta=[0.5, 1.0])
    assert births.columns["g"] == pytest.approx([1.5, 2.0], rel=1e-12)
    assert np.all(line.columns["g"] < births.columns["g"])


def test_means_of_couplings_bound_the_line_of_rest():
    """Rest is stable for g < 1 and m < 1 (`mean-coupling`): the cloud, or the eigenvalue outside."""
    cloud = dmft.boundary("mean-coupling", "zero-state", m=[-2.0, 0.0, 0.9, 1.1])
    assert "corner at m = 1, g = 1" in cloud.message
    assert cloud.columns["g"][:3] == pytest.approx([1, 1, 1], rel=1e-12)
    assert cloud.status[3] == "no-solution"
    outside = dmft.boundary("mean-coupling", "zero-state", g=[0.3, 0.99], solve_for="m")
    assert outside.columns["m"] == pytest.approx([1, 1], rel=1e-12)
    assert dmft.boundary("mean-coupling", "zero-state", g=1.2, solve_for="m").status == (
        "no-solution",
    )


@pytest.mark.parametrize("name", ["tricritical-static", "tricritical-dynamic"])
def test_tricritical_curves(name):
    """alpha_r^2 = 2/((1-s)(2-3s)) and 6/((1-s)(5-8s)), s the gate at rest (derivations.onset)."""
    at = np.linspace(-1, 3, 33)
    curve = dmft.boundary("gated", name, beta_r=at, tau_r=4)
    s = 1 / (1 + np.exp(curve.columns["beta_r"]))
    square = 2 / ((1 - s) * (2 - 3 * s)) if name.endswith("static") else 6 / ((1 - s) * (5 - 8 * s))
    exists = square > 0
    assert curve.solve_for == "alpha_r"
    assert np.array_equal(curve.answered, exists)
    assert {curve.status[i] for i in np.flatnonzero(~exists)} == {"no-solution"}
    assert curve.columns["alpha_r"][exists] ** 2 == pytest.approx(square[exists], rel=1e-10)
    assert curve.others["g_h"][exists] == pytest.approx(
        1 + np.exp(curve.columns["beta_r"][exists]), rel=1e-12
    )


def test_tricritical_points_in_another_parameter():
    """The same curve solved for the bias: s from alpha_r."""
    curve = dmft.boundary("gated", "tricritical-static", alpha_r=4, solve_for="beta_r")
    for beta in curve.columns["beta_r"]:
        s = 1 / (1 + np.exp(beta))
        assert 2 / ((1 - s) * (2 - 3 * s)) == pytest.approx(16, rel=1e-10)
    assert len(curve) == 1


def test_no_tricritical_point_without_gates():
    curve = dmft.boundary("gated", "tricritical-dynamic", alpha_r=1, solve_for="tau_r")
    assert curve.status == ("no-solution",)


@pytest.mark.parametrize(
    ("unknown", "columns", "swept", "rows", "fixed"),
    [
        ("g_h", np.linspace(1.3, 1.6, 31), "beta_r", np.linspace(-1, -0.5, 21), {"alpha_r": 40}),
        ("g_h", np.linspace(1, 4, 31), "alpha_r", np.linspace(0, 20, 21), {}),
    ],
)
def test_numbers_of_solutions_on_a_grid(unknown, columns, swept, rows, fixed):
    from statics_by_hand import solutions

    theory = compiled_theory("gated")
    p = check_parameters(theory.info, {unknown: 1.0, **fixed})
    del p[unknown]
    found = static_counts(
        Request(theory, p, unknown, 1e-12, swept, tuple(float(x) for x in rows)), columns
    )
    assert found.complete
    rng = np.random.default_rng(5)
    for i, j in zip(rng.integers(0, 21, 12), rng.integers(0, 31, 12), strict=True):
        at = {"alpha_r": 0.0, "beta_r": 0.0, **fixed, swept: rows[i]}
        assert found.number[i, j] == len(solutions(columns[j], at["alpha_r"], at["beta_r"]))


def test_numbers_of_solutions_of_a_driven_network():
    theory = compiled_theory("gated")
    p = check_parameters(theory.info, {"g_h": 1.0, "alpha_r": 10})
    del p["input_h"]
    rows, columns = np.linspace(1.65, 2.1, 10), np.linspace(0, 4e-4, 9)
    found = static_counts(
        Request(theory, p, "input_h", 1e-12, "g_h", tuple(float(x) for x in rows)), columns
    )
    assert found.complete
    for i in (1, 4, 8):
        for j in (0, 1, 5):
            number = len(driven_solutions(rows[i], 10.0, columns[j]))
            assert found.number[i, j] == number
