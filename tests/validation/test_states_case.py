"""Several states in one table: rows by state, a rival that is shown and not judged, resumed runs."""

import numpy as np
import pytest

from dmft.validation.case import Panel
from dmft.validation.compare import decide
from dmft.validation.exponent_case import Point, exponent_panel
from dmft.validation.journal import Journal
from dmft.validation.schedule import lag_at_level
from dmft.validation.states_case import State, Wrong, states_case
from dmft.validation.watch import Silent

SETTINGS = {
    "states": ("low", "high"),
    "n": 200,
    "counts": {"200": 3, "100": 4},
    "transient": 20.0,
    "duration": 10.0,
    "starts": 2,
    "precision": 0.1,
}


def two_gains(**changes):
    whole = {
        "name": "states",
        "title": "Two gains",
        "claim": "Both are chaotic.",
        "equation": "dx/dt = -x + g J tanh(x)",
        "source": "Sompolinsky, Crisanti & Sommers 1988",
        "model": "vanilla",
        "states": [
            State("low", {"g": 2.0}),
            State("high", {"g": 4.0}),
            State("unused", {"g": 0.1}),
        ],
        "lags": (1, 2, 4),
        "judged": (1, 4),
        "rival": ("static", {"branch": "fixed-point"}),
        "quick": SETTINGS,
        "full": SETTINGS,
        "faults": {
            "ten times stronger": Wrong({"g": 30.0}, {}),
            "static": Wrong({}, {"branch": "zero"}),
        },
    }
    return states_case(**(whole | changes))


@pytest.fixture(scope="module")
def case():
    return two_gains()


@pytest.fixture(scope="module")
def measured(case, tmp_path_factory):
    journal = Journal(tmp_path_factory.mktemp("kept") / "states.jsonl")
    theory = case.predict(SETTINGS)
    found = case.measure(theory, SETTINGS, 1, 1, journal, Silent())
    again = case.measure(theory, SETTINGS, 1, 1, journal, Silent())
    assert again == found
    return found


def test_networks_and_schedule_are_those_of_the_settings(measured):
    assert list(measured) == ["low", "high"]
    for part in measured.values():
        assert [m["n"] for m in part["networks"]] == [100] * 4 + [200] * 3
        schedule = part["schedule"]
        assert (schedule["batch"], schedule["tangents"], schedule["transient"]) == (2, 2, 20.0)
        assert (schedule["lags"], schedule["judged_lags"]) == ((2, 4, 8), (2, 8))


def test_rows_of_every_state_and_the_rival_that_is_only_shown(case, measured):
    rows, _ = decide(case.judge(case.predict(SETTINGS), measured))
    for label in ("low", "high"):
        mine = [row for row in rows if row.quantity.startswith(f"{label}: ")]
        judged = [row.quantity.removeprefix(f"{label}: ") for row in mine if row.judged]
        assert judged == ["C_x(0)", "C_x(1)", "C_x(4)", "lambda (N = inf)"]
        other = [row for row in rows if row.quantity.startswith(f"{label}, static: ")]
        assert [row.quantity.split(": ")[1] for row in other] == judged[:-1]
        assert not any(row.judged for row in other)
        assert {row.verdict for row in other} == {"shown"}
        assert other[2].theory == pytest.approx(other[0].theory, rel=1e-9)  # static: C(4) = C(0)
        assert mine[0].simulation == other[0].simulation
    scores = [row.score for row in rows if ", static: C_x(4)" in row.quantity]
    assert all(score < 0 for score in scores)


def test_a_fault_is_another_theory_beside_the_same_rival(case):
    wrong, right = case.faults["ten times stronger"](SETTINGS), case.predict(SETTINGS)
    assert wrong[0].theory.parameters["g"] == 30.0
    assert wrong[0].rival is right[0].rival


def test_panels_show_theory_rival_and_networks(case, measured):
    panels = case.draw(case.predict(SETTINGS), measured)
    assert len(panels) == 2
    assert [s.label for s in panels[0].series] == ["theory", "static", "3 networks, N = 200"]
    assert panels[0].series[2].x == [1.0, 2.0, 4.0]


def test_without_a_rival_and_with_the_exponent_alone(measured):
    states = [State("low", {"g": 2.0}), State("high", {"g": 4.0}, exponent_only=True)]
    plain = two_gains(states=states, rival=None)
    theory = plain.predict(SETTINGS)
    rows, _ = decide(plain.judge(theory, measured))
    judged = [row.quantity for row in rows if row.judged]
    assert judged == [
        *(f"low: {name}" for name in ("C_x(0)", "C_x(1)", "C_x(4)", "lambda (N = inf)")),
        "high: lambda (N = inf)",
    ]
    assert not any("static" in row.quantity or row.quantity.startswith("high: C") for row in rows)
    assert [s.label for s in plain.draw(theory, measured)[0].series] == [
        "theory",
        "3 networks, N = 200",
    ]


def test_moments_are_those_of_the_limit(case, measured):
    squares = {
        n: np.mean([m["second_moment"]["x"] for m in part if m["n"] == n])
        for n, part in ((n, measured["low"]["networks"]) for n in (100, 200))
    }
    rows = case.judge(case.predict(SETTINGS), measured)
    for part in ("low", "low, static"):
        (seen,) = [row.simulation for row in rows if row.quantity == f"{part}: C_x(0)"]
        # the line in 1/N through both sizes
        assert seen == pytest.approx(2 * squares[200] - squares[100], rel=1e-12)


def test_a_fault_at_one_state_leaves_the_others_right(measured):
    partly = two_gains(rival=None, faults={"at one": Wrong({"g": 30.0}, {}, at=("low",))})
    right, wrong = partly.predict(SETTINGS), partly.faults["at one"](SETTINGS)
    assert [found.theory.parameters["g"] for found in wrong] == [30.0, 4.0]
    assert wrong[1].theory is right[1].theory  # solved once
    told = [[row.theory for row in partly.judge(theory, measured)] for theory in (right, wrong)]
    half = len(told[0]) // 2
    assert told[0][half:] == told[1][half:]
    assert all(a != b for a, b in zip(*(values[:half] for values in told), strict=True))


def test_times_suit_the_theory_unless_they_are_given(case):
    short = {k: v for k, v in SETTINGS.items() if k != "transient"}
    short |= {"states": ("low",), "counts": {"40": 2, "20": 2}, "duration": 5.0}
    theory = case.predict(short)
    found = case.measure(theory, short, 1, 1, Journal(), Silent())["low"]["schedule"]
    half = lag_at_level(theory[0].theory.lag, theory[0].theory.autocorrelation["x"], 0.5)
    assert found["duration"] == 5.0
    assert found["transient"] == pytest.approx(max(40.0, 6 * half))


def test_a_case_may_draw_its_own_figure(measured):
    panel = Panel("x", "y", ())
    assert two_gains(draw=lambda theory, measured: (panel,)).draw((), measured) == (panel,)


def test_exponents_are_drawn_by_lines(case, measured):
    rows, _ = decide(case.judge(case.predict(SETTINGS), measured))
    limits = [row for row in rows if row.quantity.endswith("lambda (N = inf)")]
    points = [Point("low", 2.0, "a", {}), Point("high", 4.0, "b", {})]
    series = exponent_panel(points, limits, "g").series
    assert [s.label for s in series] == [
        "theory, a",
        "networks, N to infinity, a",
        "theory, b",
        "networks, N to infinity, b",
    ]
    assert (series[2].x, series[2].y) == ([4.0], [limits[1].theory])
    assert series[3].error == [limits[1].standard_error]
