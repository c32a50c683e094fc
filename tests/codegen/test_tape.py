"""Tapes are plain data: they survive JSON, and what is no tape is refused."""

import copy
import json

import mpmath
import numpy as np
import pytest
import sympy as sp

from dmft.codegen.float64 import FLOAT64
from dmft.codegen.multiprecision import multiprecision
from dmft.codegen.tape import MissingFunctionError, Table, Tape
from dmft.codegen.translate import translate

x, y = sp.symbols("x y", real=True)


@pytest.fixture
def tape():
    expressions = [sp.tanh(x) * y / 3, sp.exp(-(x**2)) + sp.sqrt(y), sp.Rational(2, 7)]
    return translate("sample", [x, y], expressions)


def test_json_round_trip(tape):
    again = Tape.from_json(json.loads(json.dumps(tape.to_json())))
    assert again == tape
    values = {"x": np.linspace(-2, 2, 5), "y": 1.7}
    for a, b in zip(tape.run(FLOAT64, values), again.run(FLOAT64, values), strict=True):
        np.testing.assert_array_equal(a, b)


def test_values(tape):
    a, b, c = tape.run(FLOAT64, {"x": 0.4, "y": 2.0})
    assert a == pytest.approx(np.tanh(0.4) * 2 / 3, rel=1e-15)
    assert b == pytest.approx(np.exp(-0.16) + np.sqrt(2), rel=1e-15)
    assert c == 2 / 7


def test_joined_tapes_compute_once_what_they_share(tape):
    other = translate("other", [y, x], [sp.tanh(x) * y / 3, x - sp.tanh(x)])
    both = Tape.joined("both", [tape, other])
    assert both.title == "both"
    assert both.inputs == ("x", "y")
    assert [line[0] for line in both.code].count("tanh") == 1
    values = {"x": np.linspace(-2, 2, 5), "y": 1.7}
    expected = tape.run(FLOAT64, values) + other.run(FLOAT64, values)
    for a, b in zip(both.run(FLOAT64, values), expected, strict=True):
        np.testing.assert_array_equal(a, b)
    assert Tape.from_json(both.to_json()) == both


def test_printed_form_names_every_step(tape):
    text = str(tape)
    assert text.startswith("sample(x, y)")
    assert "tanh(v" in text
    assert "2/7" in text
    assert text.splitlines()[-1].strip().startswith("return v")
    assert len(text.splitlines()) == len(tape.code) + 2


def _later(data):
    data["code"][0] = ["exp", 3]


def _itself(data):
    data["code"][2] = ["exp", 2]


def _negative(data):
    data["code"][-1] = ["exp", -1]


def _unknown_input(data):
    data["code"][0] = ["input", "w"]


def _zero_denominator(data):
    data["code"][0] = ["rational", 1, 0]


def _fractional(data):
    data["code"][0] = ["rational", 1.5, 2]


def _no_name(data):
    data["code"][0] = [7, 1]


def _outputs_beyond(data):
    data["outputs"] = [len(data["code"])]


def _outputs_text(data):
    data["outputs"] = ["0"]


def _empty_line(data):
    data["code"][0] = []


@pytest.mark.parametrize(
    "spoil",
    [
        _later,
        _itself,
        _negative,
        _unknown_input,
        _zero_denominator,
        _fractional,
        _no_name,
        _outputs_beyond,
        _outputs_text,
        _empty_line,
    ],
)
def test_malformed_tapes_are_refused(tape, spoil):
    data = copy.deepcopy(tape.to_json())
    spoil(data)
    with pytest.raises(ValueError):
        Tape.from_json(data)


def test_an_operation_that_a_target_lacks_is_named():
    poor = Table("poor", lambda p, q: p / q, {"add": lambda a, b: a + b})
    tape = translate("tanh of x", [x], [sp.tanh(x)])
    with pytest.raises(MissingFunctionError, match=r"tanh of x: the poor target has no .*'tanh'"):
        tape.run(poor, {"x": 1.0})


@pytest.mark.parametrize("name", ["__import__", "eval", "os.system", "open"])
def test_names_of_foreign_functions_run_nothing(name):
    data = {"title": "bad", "inputs": [], "code": [["rational", 1, 1], [name, 0]], "outputs": [1]}
    with pytest.raises(MissingFunctionError, match="no function"):
        Tape.from_json(data).run(FLOAT64, {})


def test_every_operation_agrees_on_both_targets():
    """The two tables hold the same functions."""
    table, context = multiprecision(50)
    assert set(table.functions) == set(FLOAT64.functions)
    for name in ("sqrt", "exp", "log", "tanh", "logistic", "erf", "sin", "cos"):
        exact = table.functions[name](context.mpf("0.625"))
        assert float(FLOAT64.functions[name](0.625)) == pytest.approx(float(exact), rel=4e-16)
    for name in ("add", "mul", "div", "pow"):
        exact = table.functions[name](context.mpf("0.625"), context.mpf("1.5"))
        assert FLOAT64.functions[name](0.625, 1.5) == pytest.approx(float(exact), rel=4e-16)


def test_multiprecision_leaves_the_global_precision_alone():
    before = mpmath.mp.dps
    table, context = multiprecision(80)
    assert (mpmath.mp.dps, context.dps) == (before, 80)
    third = translate("third", [], [sp.Rational(1, 3)]).run(table, {})[0]
    assert abs(3 * third - 1) < context.mpf(10) ** -79
