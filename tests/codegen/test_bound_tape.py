"""Tapes with some inputs known: the same digits, less work, less memory."""

import numpy as np
import pytest
import sympy as sp
from hypothesis import given, settings
from hypothesis import strategies as st

from dmft.codegen.bound_tape import bind
from dmft.codegen.float64 import FLOAT64
from dmft.codegen.multiprecision import multiprecision
from dmft.codegen.tape import Table, Tape
from dmft.codegen.translate import translate

x, y, z = sp.symbols("x y z", real=True)
SAMPLE = translate(
    "sample", [x, y], [sp.tanh(x) * y / 3, sp.exp(-(x**2)) + sp.sqrt(y), sp.Rational(2, 7)]
)


def test_known_inputs_are_computed_with_once_and_change_no_digit():
    calls = []

    def counted(name):
        def called(*arguments):
            calls.append(name)
            return FLOAT64.functions[name](*arguments)

        return called

    table = Table("counted", FLOAT64.rational, {name: counted(name) for name in FLOAT64.functions})
    values = {"x": np.linspace(-2, 2, 5), "y": 1.7}
    bound = bind(SAMPLE, table, {"y": 1.7})
    assert "sqrt" in calls and "tanh" not in calls
    calls.clear()
    for n in (1, 2):
        found = bound.run({"x": n * values["x"]})
        expected = SAMPLE.run(FLOAT64, {"x": n * values["x"], "y": 1.7})
        for a, b in zip(found, expected, strict=True):
            np.testing.assert_array_equal(a, b)
    assert calls.count("tanh") == 2 and "sqrt" not in calls
    with pytest.raises(KeyError, match="x"):
        bound.run({})


def test_inputs_are_admitted_early_and_late():
    admitting = Table("halves", FLOAT64.rational, FLOAT64.functions, lambda name, value: value / 2)
    halved = bind(SAMPLE, admitting, {"y": 4.0}).run({"x": 0.8})
    assert halved[:2] == SAMPLE.run(FLOAT64, {"x": 0.4, "y": 2.0})[:2]


@pytest.mark.parametrize(
    ("expression", "known", "left"),
    [
        (x * y, {"y": 1.0}, []),
        (x + y, {"y": 0.0}, []),
        (x / y, {"y": 1.0}, []),
        (x**y, {"y": 1.0}, []),
        (x * y, {"y": -1.0}, ["neg"]),
        (x - z, {}, ["sub"]),
        (1 - x, {}, ["sub"]),
        (-x - z, {}, ["neg", "sub"]),
        # What changes digits stays.
        (x * y, {"y": 2.0}, ["mul"]),
        (x * y, {"y": 0.0}, ["mul"]),  # not a number where x is none
        (x + y, {"y": 1.0}, ["add"]),
        (y / x, {"y": 1.0}, ["truediv"]),
        (y**x, {"y": 1.0}, ["pow"]),
        (x**y, {"y": 2.0}, ["pow"]),
        (y - x, {"y": 0.0}, ["neg"]),
    ],
)
def test_what_changes_no_digit_is_not_done(expression, known, left):
    tape = translate("trifle", [x, y, z], [expression])
    bound = bind(tape, FLOAT64, known)
    assert sorted(f.__name__ for _, f, _ in bound.code) == sorted(left)
    values = {"x": np.array([-1.5, 0.3, 7.0]), "y": 0.4, "z": np.array([0.1, 2.0, -3.0])}
    (found,) = bound.run(values | known)
    (expected,) = tape.run(FLOAT64, values | known)
    np.testing.assert_array_equal(found, expected)


@pytest.mark.parametrize("arguments", [(3, 1), (1, 3)])
def test_a_difference_has_its_sign_in_either_order(arguments):
    code = (("input", "x"), ("input", "y"), ("rational", -1, 1), ("mul", 2, 0), ("add", *arguments))
    bound = bind(Tape("y - x", ("x", "y"), code, (4,)), FLOAT64, {})
    assert [f.__name__ for _, f, _ in bound.code] == ["sub"]
    assert bound.run({"x": 1.0, "y": 5.0}) == [4.0]


def test_numbers_with_other_digits_are_computed_with_as_ever():
    """x + 0 rounds to the digits of the target; left out, it would not."""
    table, context = multiprecision(15)
    long = context.mpf("0.1234567890123")
    context.dps = 5
    tape = translate("sum", [x, y], [x + y])
    (found,) = bind(tape, table, {"y": context.mpf(0)}).run({"x": long})
    assert found == long + 0
    assert found != long


def test_memory_is_used_anew():
    """A chain of twenty functions needs room for the input and one result."""
    chain = x
    for _ in range(20):
        chain = sp.tanh(chain) + z
    bound = bind(translate("chain", [x, z], [chain]), FLOAT64, {})
    assert len(bound.code) == 40
    assert len(bound.start) == 3


PARTS = st.tuples(st.sampled_from(["add", "mul", "div", "tanh"]), st.integers(0), st.integers(0))


@settings(max_examples=200, deadline=None)
@given(
    st.lists(st.sampled_from([-1, 0, 1, 2]), min_size=1, max_size=4),
    st.lists(PARTS, min_size=1, max_size=25),
    st.lists(st.integers(0), min_size=1, max_size=4),
    st.sets(st.sampled_from(["x", "y"])),
)
def test_any_program_gives_the_digits_of_the_whole_tape(numbers, parts, outputs, known):
    code = [("input", "x"), ("input", "y"), *(("rational", n, 1) for n in numbers)]
    for operation, a, b in parts:
        positions = (a % len(code), b % len(code))
        code.append((operation, *positions[: 1 if operation == "tanh" else 2]))
    tape = Tape("any", ("x", "y"), tuple(code), tuple(o % len(code) for o in outputs))
    values = {"x": np.array([0.7, -1.3]), "y": np.array([1.0, 0.25])}
    with np.errstate(all="ignore"):
        try:
            expected = tape.run(FLOAT64, values)
        except ZeroDivisionError:  # of two numbers of the tape
            return
        bound = bind(tape, FLOAT64, {name: values[name] for name in known})
        for _ in range(2):
            for a, b in zip(bound.run(values), expected, strict=True):
                np.testing.assert_array_equal(a, b)
