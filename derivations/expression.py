r"""A small language for formulas, read without evaluating anything.

    sum      = product { ("+" | "-") product }
    product  = sign { ("*" | "/") sign }
    sign     = { "+" | "-" } power
    power    = atom [ ("^" | "**") sign ]
    atom     = number | name | function "(" sum ")" | "(" sum ")"

Powers bind to the right and closer than signs: ``-x^2`` is ``-(x^2)`` and ``2^3^2`` is ``2^9``.
``^`` and ``**`` are the same. Decimals are exact: ``0.1`` is 1/10. Names come from the declaration,
functions from `admissible.FUNCTIONS`, ``pi`` is the only constant. sympy's own parser is Python's
`eval` in disguise and takes no part: every object is made here, from this grammar (operator
precedence after V. R. Pratt, Top down operator precedence, POPL 1973).
"""

from __future__ import annotations

import re
from collections.abc import Mapping

import sympy as sp

from .admissible import DELAY, FUNCTIONS, KINK, KINKED, SYNONYMS, suggestion
from .characters import describe
from .model import DeclarationError
from .quantity import MAX_EXPONENT, Quantity, RefusedError

__all__ = ["CONSTANTS", "ExpressionError", "exact_number", "parse_expression"]

MAX_LENGTH = 2000
MAX_DEPTH = 40
MAX_DIGITS = 30
#: |n| in 1e<n>.
MAX_DECIMAL_EXPONENT = 30

CONSTANTS = ("pi",)

_SPACE = re.compile(r"[ \t\r\n]*")
_TOKEN = re.compile(
    r"(?P<number>(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?)"
    r"|(?P<name>[A-Za-z_][A-Za-z0-9_]*)"
    r"|(?P<sign>\*\*|[-+*/^()])"
)
_DECIMAL = re.compile(r"([0-9]*)\.?([0-9]*)(?:[eE]([+-]?[0-9]+))?")

#: How closely an infix operator binds.
_BINDING = {"+": 10, "-": 10, "*": 20, "/": 20, "^": 40, "**": 40}
_SIGN_BINDING = 30
_ALLOWED = "numbers, names, + - * / ^ ( ) and the functions " + ", ".join(FUNCTIONS)


class ExpressionError(DeclarationError):
    """A formula that cannot be read. ``position`` counts characters from 0."""

    def __init__(self, problem: str, text: str, position: int) -> None:
        before, after = text[:position], text[position:]
        before = before if len(before) <= 20 else f"...{before[-17:]}"
        after = after if len(after) <= 20 else f"{after[:17]}..."
        where = " and ".join(
            [*([f"after {before!a}"] if before else []), f"before {after!a}"]
            if after
            else [f"at the end, after {before!a}"]
        )
        super().__init__(f"character {position + 1} ({where}): {problem}")
        self.problem = problem
        self.position = position


def parse_expression(
    text: str,
    names: Mapping[str, Quantity | sp.Symbol],
    elsewhere: Mapping[str, str] | None = None,
) -> Quantity:
    """Read a formula; raises `ExpressionError` with the position for anything else.

    ``names`` are the symbols and earlier formulas that may stand in it, ``elsewhere`` says of
    other declared names what they are, for the message.

    >>> import sympy as sp
    >>> g, x = sp.Symbol("g", positive=True), sp.Symbol("x", real=True)
    >>> parse_expression("tanh(g*x)/2 - 0.1*x^3", {"g": g, "x": x}).expression
    -x**3/10 + tanh(g*x)/2
    """
    if len(text) > MAX_LENGTH:
        raise ExpressionError(
            f"the expression has {len(text)} characters, at most {MAX_LENGTH} are allowed; name "
            "parts of it under [nonlinearities]",
            text,
            MAX_LENGTH,
        )
    known = {
        name: value if isinstance(value, Quantity) else Quantity.of_symbol(value)
        for name, value in names.items()
    }
    return _Parser(text, known, elsewhere or {}).read()


def exact_number(text: str) -> sp.Rational:
    """The exact value of a decimal; `RefusedError` for one of too many digits.

    >>> exact_number("2.50"), exact_number("1e-3")
    (5/2, 1/1000)
    """
    match = _DECIMAL.fullmatch(text)
    if match is None or not (match[1] or match[2]):
        raise RefusedError(f"{text[:40]!a} is not a plain decimal number, like 0.5 or 1e-3")
    whole, fraction, exponent = match[1], match[2], match[3] or "0"
    digits = (whole + fraction).lstrip("0")
    if len(digits) > MAX_DIGITS or len(fraction) > MAX_DIGITS:
        raise RefusedError(f"the number has more than {MAX_DIGITS} digits")
    if len(exponent) > 4 or abs(int(exponent)) > MAX_DECIMAL_EXPONENT:
        raise RefusedError(
            f"decimal exponents lie between -{MAX_DECIMAL_EXPONENT} and {MAX_DECIMAL_EXPONENT}"
        )
    shift = int(exponent) - len(fraction)
    value = int(digits or "0")
    if shift >= 0:
        return sp.Integer(value * 10**shift)
    return sp.Rational(value, 10**-shift)


class _Parser:
    """One formula. ``kind`` and ``token`` are the current token, ``position`` where it starts."""

    def __init__(
        self, text: str, names: Mapping[str, Quantity], elsewhere: Mapping[str, str]
    ) -> None:
        self.text, self.names, self.elsewhere = text, names, elsewhere
        self.position = self.end = 0
        self.kind = self.token = ""

    def read(self) -> Quantity:
        self._advance()
        if self.kind == "end":
            raise self._error("the expression is empty")
        value = self._sum(0, 0)
        if self.token == ")":
            raise self._error("this bracket was never opened")
        if self.kind != "end":
            raise self._unexpected()
        return value

    def _sum(self, binding: int, depth: int) -> Quantity:
        """Everything up to an operator that binds no closer than ``binding``."""
        if depth > MAX_DEPTH:
            raise self._error(f"brackets, signs and powers are nested more than {MAX_DEPTH} deep")
        value = self._prefix(depth)
        while _BINDING.get(self.token, 0) > binding:
            operator, at = self.token, self.position
            self._advance()
            if operator in ("^", "**"):
                exponent = self._sum(_SIGN_BINDING - 1, depth + 1)
                value = self._at(at, lambda v, e=exponent: v.power(_whole(e)), value)
            else:
                right = self._sum(_BINDING[operator], depth + 1)
                value = self._at(at, _combine, value, operator, right)
        return value

    def _prefix(self, depth: int) -> Quantity:
        kind, token, at = self.kind, self.token, self.position
        if kind == "number":
            self._advance()
            if self.kind == "name" and self.position == at + len(token):
                raise self._error(f"write {token}*{self.token[:20]} for a product")
            return self._at(at, lambda: Quantity.number(exact_number(token)))
        if kind == "name":
            self._advance()
            return self._named(token, at, depth)
        if token in ("+", "-"):
            self._advance()
            value = self._sum(_SIGN_BINDING, depth + 1)
            return value if token == "+" else self._at(at, lambda v: -v, value)
        if token == "(":
            self._advance()
            value = self._sum(0, depth + 1)
            self._close(at)
            return value
        raise self._unexpected()

    def _named(self, name: str, at: int, depth: int) -> Quantity:
        """A name or a call, whose name has just been read."""
        called = self.token == "("
        if called and name in FUNCTIONS:
            opened = self.position
            self._advance()
            value = self._sum(0, depth + 1)
            self._close(opened)
            return self._at(at, lambda v: v.apply(name), value)
        if name in FUNCTIONS:
            raise self._error(f"the function {name} needs an argument in brackets, {name}(...)", at)
        if not called and name in self.names:
            return self.names[name]
        if not called and name in CONSTANTS:
            return Quantity.constant(name)
        raise self._error(self._why_not(name, called), at)

    def _why_not(self, name: str, called: bool) -> str:
        """What is wrong with a name."""
        small, shown = name.lower(), ascii(name[:40])
        if called and (name in self.names or name in self.elsewhere):
            return (
                f"{name} is no function and takes no brackets: write {name} alone, or {name}*(...) "
                f"for a product; if it means {name} at another time, {DELAY}"
            )
        if name in self.elsewhere:
            return (
                f"{name} is {self.elsewhere[name]}, which may not stand here; allowed here: "
                f"{_listed(self.names)}"
            )
        if small in KINKED:
            return f"{name} is refused: {KINK}"
        if small in SYNONYMS:
            return f"{shown} is not known; write {SYNONYMS[small]}"
        if called:
            return (
                f"there is no function {shown}{suggestion(name, FUNCTIONS)}; functions: "
                f"{', '.join(FUNCTIONS)}"
            )
        near = suggestion(name, [*self.names, *FUNCTIONS])
        return f"there is no {shown} here{near}; names: {_listed(self.names)}"

    def _close(self, opened: int) -> None:
        if self.token != ")":
            if self.kind == "end":
                raise self._error("this bracket is never closed", opened)
            raise self._unexpected()
        self._advance()

    def _advance(self) -> None:
        """Read the next token; characters outside the language are refused by name."""
        match = _SPACE.match(self.text, self.end)
        self.position = match.end() if match else self.end
        found = _TOKEN.match(self.text, self.position)
        if self.position == len(self.text):
            self.kind, self.token = "end", ""
        elif found is None:
            shown = describe(self.text[self.position])
            if self.kind == "name" and shown == "'.'":
                shown += " (nothing here has attributes)"
            raise self._error(f"{shown} may not stand here; allowed are {_ALLOWED}")
        else:
            self.kind, self.token, self.end = found.lastgroup or "", found[0], found.end()

    def _unexpected(self) -> ExpressionError:
        if self.kind == "end":
            return self._error("the expression ends where a number, a name or ( should follow")
        if self.kind in ("number", "name") or self.token == "(":
            return self._error(f"an operator such as * is missing before {self.token[:40]!a}")
        return self._error(f"{self.token!r} should not stand here; expected a number, a name or (")

    def _at(self, position: int, operation, *arguments) -> Quantity:  # type: ignore[no-untyped-def]
        """Run an operation and say where it was refused."""
        try:
            result: Quantity = operation(*arguments)
        except RefusedError as error:
            raise self._error(str(error), position) from None
        return result

    def _error(self, problem: str, position: int | None = None) -> ExpressionError:
        return ExpressionError(problem, self.text, self.position if position is None else position)


def _combine(left: Quantity, operator: str, right: Quantity) -> Quantity:
    if operator == "+":
        return left + right
    if operator == "-":
        return left - right
    return left * right if operator == "*" else left / right


def _whole(exponent: Quantity) -> int:
    if not exponent.expression.is_Integer:
        raise RefusedError(
            f"the exponent {str(exponent.expression)[:40]} is not allowed: exponents are whole numbers "
            f"from -{MAX_EXPONENT} to {MAX_EXPONENT}; write sqrt(...) for a root and exp(a*log(b)) "
            "for other powers"
        )
    return int(exponent.expression)


def _listed(names: Mapping[str, object]) -> str:
    shown = list(names)[:20]
    return (", ".join(shown) or "none") + (", ..." if len(names) > 20 else "")
