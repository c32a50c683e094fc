"""A tape: a straight-line program for several expressions at once, as plain data.

Expressions are translated once (`translate.py`) into a list of instructions, each an operation name
and the positions of earlier results. A tape can be printed, stored as JSON and run on any target
that has a function table (`float64.py`, `multiprecision.py`, `ball.py`). Nothing is ever evaluated
as code: an operation that a table lacks raises `MissingFunctionError`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

__all__ = ["MissingFunctionError", "Table", "Tape"]


class MissingFunctionError(NotImplementedError):
    """A target has no implementation of a function that an equation needs."""


@dataclass(frozen=True)
class Table:
    """What a target offers: how to make a number from a fraction, and its functions by name.

    ``admit(name, value)`` turns an input into a number of the target or refuses it; None takes
    inputs as they are.
    """

    target: str
    rational: Callable[[int, int], Any]
    functions: Mapping[str, Callable[..., Any]]
    admit: Callable[[str, Any], Any] | None = None


@dataclass(frozen=True)
class Tape:
    """Inputs, instructions and outputs of a straight-line program.

    ``code[i]`` is ``("input", name)``, ``("rational", p, q)`` or ``(operation, i1, i2, ...)`` with
    the positions of earlier results (none for a constant, ``("pi",)``); ``outputs`` are positions.
    """

    title: str
    inputs: tuple[str, ...]
    code: tuple[tuple[Any, ...], ...]
    outputs: tuple[int, ...]

    def run(self, table: Table, values: Mapping[str, Any]) -> list[Any]:
        """The values of all outputs, in order. ``values`` must hold every input."""
        found, waiting, _ = self.partial(table, values)
        for name in waiting.values():
            raise KeyError(name)
        return [found[i] for i in self.outputs]

    @staticmethod
    def joined(title: str, tapes: Sequence[Tape]) -> Tape:
        """One tape with the outputs of all, in order; what several compute is computed once."""
        code: dict[tuple[Any, ...], int] = {}
        outputs: list[int] = []
        for tape in tapes:
            moved: list[int] = []
            for operation, *arguments in tape.code:
                if operation not in ("input", "rational"):
                    arguments = [moved[i] for i in arguments]
                moved.append(code.setdefault((operation, *arguments), len(code)))
            outputs += [moved[i] for i in tape.outputs]
        inputs = dict.fromkeys(name for tape in tapes for name in tape.inputs)
        return Tape(title, tuple(inputs), tuple(code), tuple(outputs))

    def partial(
        self, table: Table, known: Mapping[str, Any]
    ) -> tuple[list[Any], dict[int, str], dict[int, tuple[Callable[..., Any], tuple[int, ...]]]]:
        """Results that follow from ``known`` (None for others), the inputs and the operations that wait."""
        start: list[Any] = []
        waiting: dict[int, str] = {}
        later: dict[int, tuple[Callable[..., Any], tuple[int, ...]]] = {}
        for position, (operation, *arguments) in enumerate(self.code):
            value = None
            if operation == "input":
                (name,) = arguments
                if name in known:
                    value = known[name] if table.admit is None else table.admit(name, known[name])
                else:
                    waiting[position] = name
            elif operation == "rational":
                value = table.rational(arguments[0], arguments[1])
            else:
                function = table.functions.get(operation)
                if function is None:
                    raise MissingFunctionError(
                        f"{self.title}: the {table.target} target has no function {operation!r}; "
                        f"it has {', '.join(sorted(table.functions))}"
                    )
                if waiting and any(i in waiting or i in later for i in arguments):
                    later[position] = function, tuple(arguments)
                else:
                    value = function(*[start[i] for i in arguments])
            start.append(value)
        return start, waiting, later

    def to_json(self) -> dict[str, Any]:
        """The tape as lists and strings."""
        return {
            "title": self.title,
            "inputs": list(self.inputs),
            "code": [list(line) for line in self.code],
            "outputs": list(self.outputs),
        }

    @staticmethod
    def from_json(data: Mapping[str, Any]) -> Tape:
        """Rebuild a tape; ValueError when the data are not a well-formed tape."""
        code: list[tuple[Any, ...]] = []
        for position, line in enumerate(data["code"]):
            operation, *arguments = line
            if operation == "input":
                good = len(arguments) == 1 and arguments[0] in data["inputs"]
            elif operation == "rational":
                good = len(arguments) == 2 and all(isinstance(a, int) for a in arguments)
                good = good and arguments[1] > 0
            else:
                good = isinstance(operation, str) and _are_positions(arguments, position)
            if not good:
                raise ValueError(f"tape {data['title']!r}: bad instruction {line!r} at {position}")
            code.append((operation, *arguments))
        if not _are_positions(data["outputs"], len(code)):
            raise ValueError(f"tape {data['title']!r}: bad outputs {data['outputs']!r}")
        return Tape(str(data["title"]), tuple(data["inputs"]), tuple(code), tuple(data["outputs"]))

    def __str__(self) -> str:
        lines = [f"{self.title}({', '.join(self.inputs)})"]
        for i, (operation, *arguments) in enumerate(self.code):
            if operation == "input":
                text = arguments[0]
            elif operation == "rational":
                text = f"{arguments[0]}/{arguments[1]}"
            else:
                text = f"{operation}({', '.join(f'v{j}' for j in arguments)})"
            lines.append(f"  v{i} = {text}")
        return "\n".join([*lines, f"  return {', '.join(f'v{j}' for j in self.outputs)}"])


def _are_positions(values: Sequence[Any], end: int) -> bool:
    return all(isinstance(v, int) and 0 <= v < end for v in values)
