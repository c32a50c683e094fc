"""The rule that ``dmft/`` knows no model: which mentions of a model's names count.

Names are taken from the declared models: fields, parameters and nonlinearities, plus the
names of the models themselves. A mention counts when

* a name of three or more characters stands anywhere (code, string, docstring or comment)
  with no letter or digit directly before or after it. An underscore is no protection:
  ``tau_z`` is found in ``_tau_z_max``;
* a name of one or two characters, or a model's name, is the whole of a string literal:
  ``values["g"]``, ``model == "vanilla"``. Elsewhere ``x`` or ``r`` are ordinary variables, the
  ``g`` of ``f"{value:g}"`` is a format, the ``"x"`` of ``path.open("x")`` a mode, and prose may
  speak of a model, without the code depending on any.

Examples for the reader do not count. An example is a line of a string that starts with
``>>>``, ``...`` or ``dmft`` (after an optional ``$`` or ``Example:``); what an example prints
follows it up to the next blank line.
"""

import ast
import re
from collections.abc import Iterable
from dataclasses import dataclass

EXAMPLE = re.compile(r"^\s*(>>>|\.\.\. |(\$ |Example: )?dmft )")


@dataclass(frozen=True)
class Mention:
    """``name`` is mentioned on line ``line`` (counted from 1)."""

    line: int
    name: str


def mentions(source: str, names: Iterable[str], models: Iterable[str] = ()) -> list[Mention]:
    """Every mention of ``names`` or ``models`` in ``source`` that the rule above counts."""
    names = set(names)
    nodes = list(ast.walk(ast.parse(source)))
    strings = [n for n in nodes if isinstance(n, ast.Constant) and isinstance(n.value, str)]
    pieces = {id(piece) for n in nodes if isinstance(n, ast.JoinedStr) for piece in n.values}
    modes = {id(a) for n in nodes if isinstance(n, ast.Call) and _opens(n) for a in n.args}
    whole = {name for name in names if len(name) < 3} | set(models)
    found = {
        Mention(node.lineno, node.value)
        for node in strings
        if node.value in whole and id(node) not in pieces | modes
    }

    examples = {line for node in strings for line in _example_lines(source, node)}
    longer = sorted((re.escape(name) for name in names if len(name) >= 3), key=len, reverse=True)
    if longer:
        word = re.compile(rf"(?<![A-Za-z0-9])({'|'.join(longer)})(?![A-Za-z0-9])")
        for number, line in enumerate(source.splitlines(), start=1):
            if number not in examples:
                found |= {Mention(number, match) for match in word.findall(line)}
    return sorted(found, key=lambda mention: (mention.line, mention.name))


def _opens(call: ast.Call) -> bool:
    """Whether ``call`` is ``open(...)`` or ``something.open(...)``."""
    function = call.func
    return getattr(function, "attr", getattr(function, "id", "")) == "open"


def _example_lines(source: str, node: ast.Constant) -> set[int]:
    """Line numbers of the examples inside the string ``node``."""
    assert node.end_lineno is not None
    lines = source.splitlines()
    numbers, inside = set(), False
    for number in range(node.lineno, node.end_lineno + 1):
        line = lines[number - 1]
        if number == node.lineno:  # what stands before the string is code, never an example
            line = line.encode()[node.col_offset :].decode().lstrip("rRbBfFuU\"'")
            if EXAMPLE.match(line) and lines[number - 1].encode()[: node.col_offset].strip():
                continue
        if EXAMPLE.match(line):
            inside = True
        elif not line.strip():
            inside = False
        if inside:
            numbers.add(number)
    return numbers
