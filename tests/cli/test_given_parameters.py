"""Parameters: what is read, what is refused, and that the refusal says what to do."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dmft.codegen.info import ModelInfo, ParameterInfo
from dmft.errors import InputError
from dmft.parameters import (
    MAX_POINTS,
    Sweep,
    check_parameters,
    check_swept,
    find_model,
    merge_parameters,
    parse_assignments,
    parse_number,
)


def parameter(name: str, default: float | None, positive: bool = False) -> ParameterInfo:
    return ParameterInfo(
        name=name, meaning=f"the {name}", default=default, positive=positive, unit="1", latex=name
    )


TOY = ModelInfo(
    name="toy", title="", citation="", fields=("x",), currents=(), nonlinearities=(),
    parameters=(parameter("gain", None, True), parameter("bias", 0.0), parameter("tau", 1.0, True)),
    latex={}, hash="",
)  # fmt: skip


@pytest.mark.parametrize(
    ("text", "value"),
    [("3", 3.0), ("-0.5", -0.5), ("+.5", 0.5), ("2.", 2.0), ("1e-3", 1e-3), ("1E+2", 100.0),
     ("0", 0.0), ("-0", 0.0), ("0e-999", 0.0), ("0.1", 0.1), ("007", 7.0)],
)  # fmt: skip
def test_plain_decimals_are_read(text: str, value: float) -> None:
    assert parse_assignments([f"g={text}"]) == {"g": value}


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_every_double_is_read_exactly(value: float) -> None:
    assert parse_number(repr(value), "g") == value


REFUSED = [
    *("nan", "NaN", "inf", "-inf", "infinity", "abc", "1_000", "0x10", "1e", "1e+", ".", "-", "+"),
    *("--", "1..2", "1.2.3", "1,5", "1e400", "-1e400", "1e-400", "٣", "１", "1j", "True", "None"),
    *(
        "2*3",
        "1/2",
        "1d3",
        "1;2",
        "a:b:c",
        "1:2:",
        "1:1",
        "1:2:3:4",
        ":::",
        "1:2:x",
        "1:2:-3",
        "1:2:0",
    ),
    *("1:2:1", "1:1:5", "1:2:3.5", "nan:1:3", "1:inf:3", "1:2:9999999999", "1:2:1000000", "1:2:٣"),
    *("-1.8e308:1:3", "-1.7e308:1.7e308:3"),
]


@pytest.mark.parametrize("text", [*REFUSED, "", " ", "1 ", " 1", "1\n", "1\n2", "1 2"])
def test_everything_else_is_refused_by_name(text: str) -> None:
    with pytest.raises(InputError) as error:
        parse_assignments([f"gain={text}"])
    message = str(error.value)
    assert "gain" in message
    assert message.isascii()
    assert message.isprintable()  # one line


@pytest.mark.parametrize("text", ["", "=", "=3", "g", "3", "g h=3", "g-h=3", "9=1", "g.h=3", "γ=3",
                                  "--g=3", "g\n=3", "\udcff=1"])  # fmt: skip
def test_what_is_no_assignment_is_refused(text: str) -> None:
    with pytest.raises(InputError, match="write name=value") as error:
        parse_assignments([text])
    assert str(error.value).isprintable()


def test_the_same_name_twice_is_refused() -> None:
    with pytest.raises(InputError, match="gain is given twice"):
        parse_assignments(["gain=1", "bias=2", "gain=1"])
    with pytest.raises(InputError, match="gain is given twice"):
        merge_parameters({"gain": 1}, {"gain": 1})
    assert merge_parameters({"gain": 1}, {"bias": 2}) == {"gain": 1, "bias": 2}
    assert merge_parameters(None, {}) == {}


def test_ranges_hold_both_ends() -> None:
    assert parse_assignments(["g=0:1:5"])["g"] == Sweep(0.0, 1.0, 5)
    assert Sweep(2, 1, 3).values() == (2.0, 1.5, 1.0)
    assert Sweep(3, 3, 1).values() == (3.0,)
    values = Sweep(0.1, 0.7, 7).values()
    assert (values[0], values[-1], len(values)) == (0.1, 0.7, 7)
    np.testing.assert_allclose(values, np.linspace(0.1, 0.7, 7), rtol=1e-15)
    assert len(Sweep(0, 1, MAX_POINTS).values()) == MAX_POINTS


def test_a_stretch_has_two_ends_and_no_points() -> None:
    assert parse_assignments(["g=2:0.5"])["g"] == Sweep(2, 0.5)
    assert Sweep(2, 0.5).values() == (2.0, 0.5)
    assert str(Sweep(0, 1)) == "0:1"
    with pytest.raises(InputError, match="the range 1:2 was given where one number is meant"):
        check_parameters(TOY, {"gain": Sweep(1, 2)})


@pytest.mark.parametrize("bad", [(0, 1, 2.5), (0, 1, True), ("a", 1, 3), (0, math.nan, 3),
                                 (0, 10**400, 3), (None, 1, 3), (0, 1, 1), (1, 1, 2)])  # fmt: skip
def test_bad_ranges_cannot_be_made(bad: tuple[Any, Any, Any]) -> None:
    with pytest.raises(InputError):
        Sweep(*bad)


def test_defaults_are_filled_in_and_order_is_the_model_s() -> None:
    found = check_parameters(TOY, {"tau": np.float32(0.5), "gain": 2})
    assert found == {"gain": 2.0, "bias": 0.0, "tau": 0.5}
    assert list(found) == ["gain", "bias", "tau"]
    assert all(type(value) is float for value in found.values())
    assert check_parameters(TOY, {"gain": np.array(2.0)})["gain"] == 2.0


@pytest.mark.parametrize(
    ("given_", "message"),
    [
        ({"gian": 1}, "toy has no parameter 'gian' .did you mean 'gain'..; parameters: gain, bias"),
        ({"GAIN": 1}, "did you mean 'gain'"),
        ({}, "toy needs gain .the gain.; give a finite number > 0"),
        ({"gain": 0}, "gain: 0 is not allowed; give a finite number > 0"),
        ({"gain": -2.5}, "gain: -2.5 is not allowed; give a finite number > 0"),
        ({"gain": math.nan}, "gain: nan is not allowed"),
        ({"gain": 1, "bias": math.inf}, "bias: inf is not allowed; give any finite number"),
        ({"gain": "2"}, "gain: '2' is not allowed"),
        ({"gain": True}, "gain: True is not allowed"),
        ({"gain": None}, "gain: None is not allowed"),
        ({"gain": 2j}, "gain: 2j is not allowed"),
        ({"gain": 10**400}, "gain: 10000"),
        ({"gain": np.array("a")}, "gain: 'a' is not allowed"),
        ({"gain": Sweep(1, 2, 3)}, "gain: the range 1:2:3 was given where one number is meant"),
        ({"gain": [1, 2]}, "where one number is meant"),
        ({"gain": np.ones(1000)}, "where one number is meant"),
    ],
)
def test_bad_values_are_refused(given_: dict[str, Any], message: str) -> None:
    with pytest.raises(InputError, match=message) as error:
        check_parameters(TOY, given_)
    assert str(error.value).isprintable()
    assert len(str(error.value)) < 200


def test_swept_parameters_are_separated() -> None:
    fixed, swept = check_swept(TOY, {"tau": Sweep(1, 2, 3), "bias": [0, 1]}, solve_for="gain")
    assert fixed == {}
    assert swept == {"tau": (1.0, 1.5, 2.0), "bias": (0.0, 1.0)}
    assert list(swept) == ["tau", "bias"]
    with pytest.raises(InputError, match=r"tau: -1\.0 is not allowed"):
        check_swept(TOY, {"gain": 1, "tau": Sweep(-1, 2, 3)})
    with pytest.raises(InputError, match="gain is what is solved for"):
        check_swept(TOY, {"gain": 1}, solve_for="gain")
    with pytest.raises(InputError, match=r"cannot solve for 'gian'.*gain"):
        check_swept(TOY, {"gain": 1}, solve_for="gian")
    with pytest.raises(InputError, match="0 values"):
        check_swept(TOY, {"gain": []})
    with pytest.raises(InputError, match="several dimensions"):
        check_swept(TOY, {"gain": np.ones((2, 2))})


def test_unknown_models_get_a_suggestion() -> None:
    with pytest.raises(
        InputError, match=r"no model 'gatd' .did you mean 'gated'..; models: .*gated"
    ):
        find_model("gatd")
    with pytest.raises(InputError, match=r"passwd: .*ends in .toml"):
        find_model("../../etc/passwd")
    assert find_model("vanilla").fields
