"""Parameters as functions of time."""

import pickle
from itertools import pairwise

import pytest

from dmft.codegen import load_info
from dmft.errors import InputError
from dmft.protocol import Protocol, Pulse, Ramp, Step

BUSY = Protocol(
    {"a": 1.0, "b": 0.0, "rest": 7.0},
    (
        Step("a", 30.0, 5.0),
        Ramp("a", 10.0, 20.0, 3.0),
        Pulse("b", 2.0, 4.0, 10.0),
        Ramp("b", 4.0, 8.0, -4.0),
        Pulse("a", 20.0, 30.0, 0.0),
    ),
)


@pytest.mark.parametrize(
    ("time", "before", "at"),
    [
        (-1.0, (1.0, 0.0), (1.0, 0.0)),
        (0.0, (1.0, 0.0), (1.0, 0.0)),
        (2.0, (1.0, 0.0), (1.0, 10.0)),
        (3.9, (1.0, 10.0), (1.0, 10.0)),
        (4.0, (1.0, 10.0), (1.0, 0.0)),
        (5.0, (1.0, -1.0), (1.0, -1.0)),
        (8.0, (1.0, -4.0), (1.0, -4.0)),
        (15.0, (2.0, -4.0), (2.0, -4.0)),
        (20.0, (3.0, -4.0), (0.0, -4.0)),
        (30.0, (0.0, -4.0), (5.0, -4.0)),
        (1e9, (5.0, -4.0), (5.0, -4.0)),
    ],
)
def test_values_from_both_sides(time, before, at):
    """By hand: the pulse of a falls back to 3 and the step overtakes it at the same moment."""
    names = ("a", "b", "rest")
    assert BUSY.before(time) == pytest.approx(dict(zip(names, (*before, 7.0), strict=True)))
    assert BUSY.at(time) == pytest.approx(dict(zip(names, (*at, 7.0), strict=True)))


def test_breakpoints():
    assert BUSY.breakpoints == (2.0, 4.0, 8.0, 10.0, 20.0, 30.0)
    assert Protocol({"a": 1.0}).breakpoints == ()
    assert Protocol({"a": 1.0}).at(3.0) == {"a": 1.0}


def test_linear_between_breakpoints():
    """What an integrator relies on: values inside a step are those of the straight line."""
    for start, end in pairwise([0.0, *BUSY.breakpoints, 40.0]):
        first, last = BUSY.at(start), BUSY.before(end)
        for share in (0.25, 0.5, 0.9):
            line = {k: v + share * (last[k] - v) for k, v in first.items()}
            assert BUSY.at(start + share * (end - start)) == pytest.approx(line)


def test_a_step_at_time_zero_is_the_start():
    protocol = Protocol({"a": 1.0}, (Step("a", 0.0, 2.0),))
    assert protocol.at(0.0) == {"a": 2.0}


def test_it_is_a_value():
    """Frozen, equal to its like, and able to travel to another process."""
    again = Protocol(dict(BUSY.initial), BUSY.changes)
    assert again == BUSY
    assert pickle.loads(pickle.dumps(BUSY)).at(15.0) == BUSY.at(15.0)
    with pytest.raises(AttributeError):
        BUSY.changes = ()


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ((Step("c", 1, 2),), "'c' changes but has no initial value"),
        ((Step("a", -1, 2),), ">= 0"),
        ((Step("a", float("nan"), 2),), "finite"),
        ((Ramp("a", 1, 2, float("inf")),), "finite"),
        ((Ramp("a", 2, 2, 1.0),), "a jump is a Step"),
        ((Pulse("a", 3, 2, 1.0),), "end after its start"),
        ((Ramp("a", 0, 10, 3.0), Step("a", 5, 1.0)), "still changing until 10"),
        ((Pulse("a", 0, 10, 3.0), Pulse("a", 9, 12, 1.0)), "still changing until 10"),
    ],
)
def test_what_is_refused(changes, words):
    with pytest.raises(InputError, match=words):
        Protocol({"a": 1.0, "b": 2.0}, changes)


def test_complete_fills_in_and_checks_domains():
    info = load_info("gated")
    protocol = Protocol({"g_h": 2.0, "tau_r": 1.0}, (Ramp("tau_r", 0, 5, 0.5),)).complete(info)
    assert protocol.at(2.5)["tau_r"] == 0.75
    assert protocol.at(2.5)["beta_z"] == 0.0
    with pytest.raises(InputError, match="tau_r"):
        Protocol({"g_h": 2.0, "tau_r": 1.0}, (Ramp("tau_r", 0, 5, 0.0),)).complete(info)
    with pytest.raises(InputError, match="g_h"):
        Protocol({"alpha_r": 2.0}).complete(info)
