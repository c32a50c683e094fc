"""Branches, folds, branch points and ends of textbook equations."""

import numpy as np
import pytest
from normal_forms import (
    BRATU_FOLD,
    CIRCLE,
    FOLD,
    HYSTERESIS,
    PITCHFORK,
    TRANSCRITICAL,
    bratu,
    mixed_hysteresis,
    one,
)

from dmft.continuation import (
    BRANCH_POINT,
    EventStatus,
    Options,
    Point,
    Problem,
    Stop,
    Watch,
    departures,
    follow,
    follow_both,
)
from dmft.continuation.events import advance

FOLD_OF_CUBIC = 2 / np.sqrt(27)


def check(branch, problem, tol=1e-9):
    """What holds for any branch: on it, ordered, events bracketed, stability changes at folds."""
    for z in branch.points:
        assert np.max(abs(problem.value(z))) < tol
    assert np.all(np.diff(branch.length) > 0)
    assert np.allclose(np.linalg.norm(branch.tangents, axis=1), 1)
    forward = np.einsum("ij,ij->i", np.diff(branch.points, axis=0), branch.tangents[:-1])
    assert np.all(forward > 0)
    for event in branch.events:
        assert event.status is EventStatus.CONVERGED
        low, high = sorted(event.interval)
        assert low - event.error <= event.parameter <= high + event.error
        assert 0 < event.index < len(branch)


def test_a_quadratic_fold():
    branch = follow(FOLD, np.array([-1.0]), 1.0, direction=-1, upper=np.array([9.0, 1.0]))
    check(branch, FOLD)
    (fold,) = branch.of("fold")
    assert abs(fold.parameter) <= fold.error < 1e-12
    assert branch.points[-1] == pytest.approx([1, 1], abs=1e-9)
    assert branch.stops == (Stop.START, Stop.BOUND)
    # du/dt = p - u^2: the upper half is stable
    assert np.array_equal(branch.stable, branch.unknowns[:, 0] > 0)


@pytest.mark.parametrize("problem", [HYSTERESIS, mixed_hysteresis()], ids=["plain", "mixed"])
def test_hysteresis(problem):
    n = 1 if problem is HYSTERESIS else 3
    bound = np.append(np.full(n, 9.0), 1.0)
    start = np.zeros(n)
    start[0] = 1.2
    branch = follow_both(problem, start, 1.2**3 - 1.2, lower=-bound, upper=bound)
    check(branch, problem)
    values = [event.parameter for event in branch.of("fold")]
    assert sorted(values) == pytest.approx([-FOLD_OF_CUBIC, FOLD_OF_CUBIC], abs=1e-11)
    assert branch.stops == (Stop.BOUND, Stop.BOUND)
    assert sorted(branch.parameter[[0, -1]]) == [-1, 1]
    assert not branch.of("branch-point")
    if n == 1:
        middle = abs(branch.unknowns[:, 0]) < 1 / np.sqrt(3)
        # du/dt = p + u - u^3: stable where 1 - 3 u^2 < 0
        assert np.array_equal(branch.stable, ~middle)


def test_a_closed_branch_is_walked_once():
    branch = follow_both(CIRCLE, np.array([0.6]), 0.8, options=Options(largest=0.05))
    check(branch, CIRCLE)
    assert branch.stops[1] is Stop.CLOSED
    assert branch.length[-1] == pytest.approx(2 * np.pi, rel=2e-3)
    assert np.array_equal(branch.points[0], branch.points[-1])
    assert [e.parameter for e in branch.of("fold")] == pytest.approx([1, -1], abs=1e-12)


@pytest.mark.parametrize(
    ("problem", "other"),
    [(PITCHFORK, lambda u: u**2), (TRANSCRITICAL, lambda u: u)],
    ids=["pitchfork", "transcritical"],
)
def test_branch_points_and_the_other_branch(problem, other):
    branch = follow(problem, np.zeros(1), -1.0, upper=np.array([9.0, 1.0]))
    check(branch, problem)
    (event,) = branch.events
    assert event.kind == "branch-point"
    assert abs(event.parameter) <= event.error < 1e-8
    assert list(branch.stable) == [p < 0 for p in branch.parameter]
    away = departures(problem, event, 0.1)
    assert len(away) == 2
    for z in away:
        # to second order in the distance the direction is right
        assert np.linalg.norm(z - event.point) == pytest.approx(0.1, rel=0.02)
        assert z[1] == pytest.approx(other(z[0]), abs=1e-9)
        assert abs(z[0]) > 0.04
        side = follow(problem, z[:-1], z[-1], upper=np.array([9.0, 0.5]), watches=())
        assert side.points[-1, 1] == pytest.approx(other(side.points[-1, 0]), abs=1e-9)


def test_a_fold_has_no_other_branch():
    branch = follow(FOLD, np.array([-1.0]), 1.0, direction=-1, upper=np.array([9.0, 1.0]))
    assert departures(FOLD, branch.of("fold")[0], 0.1) == ()


def test_bratu():
    """Twenty-three unknowns, analytic Jacobian: the fold of the closed form."""
    problem = bratu()
    n = 23
    branch = follow(
        problem,
        np.zeros(n),
        0.0,
        lower=np.append(np.full(n, -1.0), 0.0),
        options=Options(points=400),
    )
    check(branch, problem)
    (fold,) = branch.of("fold")
    assert abs(fold.parameter - BRATU_FOLD) < 1e-11
    assert list(np.flatnonzero(np.diff(branch.stable.astype(int)))) == [fold.index - 1]


def test_the_closed_form_of_the_bratu_fold():
    mpmath = pytest.importorskip("mpmath")
    with mpmath.workdps(30):
        a = mpmath.findroot(lambda a: a * mpmath.tanh(a) - 1, 1.2)
        assert abs(8 * (a / mpmath.cosh(a)) ** 2 - BRATU_FOLD) < 1e-14


def test_the_predictor_is_of_second_order():
    """Off the branch by curvature h^2 / 2: a tangent of wrong direction would give slope one."""
    start = follow(CIRCLE, np.array([0.6]), 0.8, options=Options(points=1))
    here = Point(start.points[0], start.tangents[0], CIRCLE.slopes(start.points[0]), 1, 0.0)
    steps = 0.4 / 2 ** np.arange(6)
    off = []
    for h in steps:
        point = advance(CIRCLE, here, h, 1e-12)
        off.append(np.linalg.norm(point.z - here.z - h * here.tangent))
    slope = np.polyfit(np.log(steps), np.log(off), 1)[0]
    assert slope == pytest.approx(2, abs=0.05)
    assert off[-1] == pytest.approx(steps[-1] ** 2 / 2, rel=1e-3)


def test_the_angle_between_tangents_is_what_was_asked_for():
    branch = follow(CIRCLE, np.array([0.6]), 0.8, options=Options(angle=0.05, largest=1.0))
    angles = np.arccos(np.einsum("ij,ij->i", branch.tangents[2:-2], branch.tangents[3:-1]))
    assert np.max(angles) < 0.1
    assert np.median(angles) == pytest.approx(0.05, rel=0.1)


def test_a_branch_ends_exactly_on_a_bound_of_an_unknown():
    branch = follow(FOLD, np.array([0.5]), 0.25, upper=np.array([0.8, 99.0]), watches=())
    assert branch.points[-1, 0] == 0.8
    assert branch.points[-1, 1] == pytest.approx(0.64, abs=1e-12)
    assert branch.stops[1] is Stop.BOUND


def test_a_function_of_the_user_and_an_event_that_ends_the_branch():
    half = Watch("half", lambda point: point.z[0] - 0.5)
    branch = follow(FOLD, np.array([0.2]), 0.04, watches=(half,), upper=np.array([9.0, 1.0]))
    (event,) = branch.events
    assert event.kind == "half"
    assert abs(event.parameter - 0.25) <= event.error < 1e-8
    ended = follow(
        FOLD,
        np.array([0.2]),
        0.04,
        watches=(Watch("half", half.value, ends=True), BRANCH_POINT),
        upper=np.array([9.0, 1.0]),
    )
    assert ended.stops[1] is Stop.EVENT
    assert ended.points[-1] == pytest.approx([0.5, 0.25], abs=1e-8)


def test_scales_make_units_irrelevant():
    """The same curve with the parameter in millionths: the same points."""
    small = Problem(
        lambda u, p: np.array([1e6 * p + u[0] - u[0] ** 3]), scale=np.array([1.0, 1e-6])
    )
    bounds = {"lower": np.array([-9.0, -1.0]), "upper": np.array([9.0, 1.0])}
    plain = follow(HYSTERESIS, np.array([1.2]), 1.2**3 - 1.2, direction=-1, **bounds)
    bounds = {name: value * [1, 1e-6] for name, value in bounds.items()}
    scaled = follow(small, np.array([1.2]), 1e-6 * (1.2**3 - 1.2), direction=-1, **bounds)
    assert len(plain) == len(scaled)
    assert scaled.points * [1, 1e6] == pytest.approx(plain.points, abs=1e-8)


def test_a_start_off_the_branch_is_corrected_or_refused():
    near = follow(FOLD, np.array([0.52]), 0.25, options=Options(points=1))
    assert FOLD.value(near.points[0])[0] == pytest.approx(0, abs=1e-9)
    nowhere = one(lambda u, p: u**2 + p**2 + 1)
    branch = follow_both(nowhere, np.array([0.5]), 0.5)
    assert len(branch) == 0
    assert branch.stops == (Stop.FAILED, Stop.FAILED)
    assert "not close enough" in branch.stops[0].explanation


def test_where_the_equations_end_the_branch_ends():
    ends = one(lambda u, p: u - np.sqrt(p))  # not a number for p < 0
    branch = follow(ends, np.array([1.0]), 1.0, direction=-1, options=Options(smallest=1e-4))
    assert branch.stops[1] is Stop.STEP
    assert 0 <= branch.parameter[-1] < 1e-4


def test_the_number_of_points_is_a_limit():
    branch = follow(FOLD, np.array([0.5]), 0.25, options=Options(points=7))
    assert len(branch) == 7
    assert branch.stops[1] is Stop.POINTS


def test_a_bracket_that_cannot_be_closed_is_a_guess():
    """A function that jumps has a bracket, but no zero where the corrector could not go."""

    def residual(u, p):
        return np.array([u[0] - p if abs(p - 0.3) > 1e-3 else np.nan])

    jump = Watch("jump", lambda point: -1.0 if point.z[-1] < 0.3 else 1.0)
    slopes = Problem(residual, lambda u, p: (np.ones((1, 1)), -np.ones(1)))
    branch = follow(slopes, np.zeros(1), 0.0, watches=(jump,), upper=np.array([9.0, 1.0]))
    (event,) = branch.events
    assert event.status is EventStatus.GUESS
    assert event.interval[0] < 0.3 < event.interval[1]
    assert event.error >= event.interval[1] - event.parameter


def test_results_are_read_only_and_refuse_nonsense():
    branch = follow(FOLD, np.array([0.5]), 0.25, options=Options(points=3))
    with pytest.raises(ValueError, match="read-only"):
        branch.points[0] = 0
    with pytest.raises(ValueError, match="smallest"):
        Options(step=1.0, largest=0.5)
    with pytest.raises(ValueError, match="angle"):
        Options(angle=2.0)
    with pytest.raises(ValueError, match="bounds"):
        follow(FOLD, np.array([0.5]), 0.25, lower=np.zeros(3))
    with pytest.raises(ValueError, match="not between the bounds"):
        follow(FOLD, np.array([0.5]), 0.25, upper=np.array([0.4, 1.0]))
    with pytest.raises(ValueError, match="scale"):
        follow(Problem(FOLD.residual, scale=np.zeros(2)), np.array([0.5]), 0.25)
    with pytest.raises(ValueError, match="residual"):
        follow(Problem(lambda u, p: np.zeros(3)), np.array([0.5]), 0.25)


def test_a_reversed_branch_is_the_same_branch():
    branch = follow(HYSTERESIS, np.array([1.2]), 1.2**3 - 1.2, direction=-1,
                    lower=np.array([-9.0, -1.0]), upper=np.array([9.0, 1.0]))  # fmt: skip
    back = branch.reversed()
    assert back.reversed().length == pytest.approx(branch.length)
    assert np.array_equal(back.points[::-1], branch.points)
    for event, mirrored in zip(branch.events, back.events[::-1], strict=True):
        assert mirrored.parameter == event.parameter
        low, high = back.parameter[mirrored.index - 1], back.parameter[mirrored.index]
        assert {low, high} == {
            branch.parameter[event.index - 1], branch.parameter[event.index]
        }  # fmt: skip
