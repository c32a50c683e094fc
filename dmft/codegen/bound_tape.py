"""A tape on a target with some of its inputs known: what is left to do for the others.

A simulation runs the same few tapes millions of times at the same parameters. What follows from those
alone is computed once; of the rest nothing is done that cannot change a digit (1 x, x / 1, 0 + x, x^1),
(-1) x is a change of sign, and a + (-b) a difference. Memory of a result is given back once it has been used:
the next one then lies in the processor's cache.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from operator import add, mul, neg, sub, truediv
from operator import pow as pow_
from typing import Any

from .tape import Table, Tape

__all__ = ["BoundTape", "bind"]

#: Function and positions of its arguments.
_Step = tuple[Callable[..., Any], tuple[int, ...]]


@dataclass(frozen=True)
class BoundTape:
    """A straight-line program over slots of memory: ``start`` holds what is known, None elsewhere.

    ``waiting``: slots and names of the inputs; ``code``: slot of the result, function, slots of its
    arguments. A slot is used anew when its value is no longer needed.
    """

    start: tuple[Any, ...]
    waiting: tuple[tuple[int, str], ...]
    code: tuple[tuple[int, Callable[..., Any], tuple[int, ...]], ...]
    outputs: tuple[int, ...]
    admit: Callable[[str, Any], Any] | None

    def run(self, values: Mapping[str, Any]) -> list[Any]:
        """The values of all outputs, in order. ``values`` must hold every waiting input."""
        memory = list(self.start)
        for slot, name in self.waiting:
            value = values[name]
            memory[slot] = value if self.admit is None else self.admit(name, value)
        at = memory.__getitem__
        for slot, function, arguments in self.code:
            memory[slot] = function(*map(at, arguments))
        return [memory[slot] for slot in self.outputs]


def bind(tape: Tape, table: Table, known: Mapping[str, Any]) -> BoundTape:
    """Compute what follows from ``known`` inputs alone; the rest waits for the others.

    The digits are those of `Tape.run`, up to the sign of a zero. Inputs that no output depends on must
    be given all the same.

    >>> import sympy as sp
    >>> from .float64 import FLOAT64
    >>> from .translate import translate
    >>> x, y = sp.symbols("x y", real=True)
    >>> bound = bind(translate("difference", [x, y], [x * y - x]), FLOAT64, {"y": 3.0})
    >>> bound.run({"x": 2.0}), len(bound.code)
    ([4.0], 2)
    """
    start, waiting, later = tape.partial(table, known)
    steps, place = _without_trifles(start, later)
    outputs = tuple(place.get(i, i) for i in tape.outputs)
    needed = _needed(steps, outputs)
    return _in_slots(start, waiting, needed, outputs, table)


def _without_trifles(
    start: list[Any], later: Mapping[int, _Step]
) -> tuple[dict[int, _Step], dict[int, int]]:
    """The steps with what changes no digit left out, and where the results of those left out stand.

    Only where the target computes with Python's operators on numbers that it knows as int or float.
    """
    steps: dict[int, _Step] = {}
    place: dict[int, int] = {}
    negative: dict[int, int] = {}  # position of -x -> position of x

    def number(position: int) -> float | None:
        value = start[position]
        return value if type(value) in (int, float) else None

    for position, (function, given) in later.items():
        arguments = tuple(place.get(i, i) for i in given)
        steps[position] = function, arguments
        if function not in (add, mul, truediv, pow_):
            continue
        a, b = arguments
        if function in (add, mul) and number(b) is not None:
            a, b = b, a  # both commute
        if (function, number(a)) in ((mul, 1), (add, 0)):
            place[position] = b
        elif (function, number(b)) in ((truediv, 1), (pow_, 1)):
            place[position] = a
        elif (function, number(a)) == (mul, -1):
            negative[position] = b
            steps[position] = neg, (b,)
        elif function is add and b in negative:
            steps[position] = sub, (a, negative[b])
        elif function is add and a in negative:
            steps[position] = sub, (b, negative[a])
    return steps, place


def _needed(steps: Mapping[int, _Step], outputs: tuple[int, ...]) -> list[tuple[int, _Step]]:
    """The steps that an output depends on, in their order."""
    wanted = set(outputs)
    kept = []
    for position in sorted(steps, reverse=True):
        if position in wanted:
            kept.append((position, steps[position]))
            wanted.update(steps[position][1])
    return kept[::-1]


def _in_slots(
    start: list[Any],
    waiting: Mapping[int, str],
    steps: list[tuple[int, _Step]],
    outputs: tuple[int, ...],
    table: Table,
) -> BoundTape:
    """Give every position a slot; a result takes one whose value is needed no more."""
    last_use = {i: n for n, (_, (_, arguments)) in enumerate(steps) for i in arguments}
    last_use.update(dict.fromkeys(outputs, len(steps)))
    computed = {position for position, _ in steps}
    fixed = sorted({*waiting, *last_use} - computed)
    slot = {position: k for k, position in enumerate(fixed)}
    memory = [start[position] for position in fixed]
    free: list[int] = []
    code = []
    for n, (position, (function, arguments)) in enumerate(steps):
        read = tuple(slot[i] for i in arguments)
        free += {slot[i] for i in arguments if i in computed and last_use[i] == n}
        if not free:
            free.append(len(memory))
            memory.append(None)
        slot[position] = free.pop()
        code.append((slot[position], function, read))
    return BoundTape(
        tuple(memory),
        tuple((slot[position], name) for position, name in waiting.items()),
        tuple(code),
        tuple(slot[i] for i in outputs),
        table.admit,
    )
