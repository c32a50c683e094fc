"""From sympy expressions to tapes."""

from __future__ import annotations

from collections.abc import Sequence
from functools import reduce
from typing import Any

import sympy as sp

from .tape import MissingFunctionError, Tape

__all__ = ["translate"]

#: sympy function class name -> operation name. A function that is not here is refused.
_OPERATIONS = {
    "exp": "exp",
    "log": "log",
    "tanh": "tanh",
    "logistic": "logistic",
    "erf": "erf",
    "sin": "sin",
    "cos": "cos",
}


def translate(
    title: str, inputs: Sequence[sp.Symbol], expressions: Sequence[sp.Expr | int]
) -> Tape:
    """One tape for all ``expressions``, common subexpressions computed once.

    Rational numbers stay exact; a floating-point number raises ValueError (its digits would be
    wrong on a high-precision target); an unknown function raises `MissingFunctionError`.

    >>> import sympy as sp
    >>> x = sp.Symbol("x", real=True)
    >>> print(translate("double", [x], [2 * x]))
    double(x)
      v0 = 2/1
      v1 = x
      v2 = mul(v0, v1)
      return v2
    """
    program, outputs = sp.cse([sp.sympify(e) for e in expressions], order="canonical")
    code: list[tuple[Any, ...]] = []
    known: dict[sp.Basic, int] = {}
    names = {symbol: symbol.name for symbol in inputs}

    def emit(*instruction: Any) -> int:
        code.append(instruction)
        return len(code) - 1

    def place(node: sp.Basic) -> int:
        if node not in known:
            known[node] = build(node)
        return known[node]

    def build(node: sp.Basic) -> int:
        if node in names:
            return emit("input", names[node])
        if node.is_Rational:
            return emit("rational", int(node.p), int(node.q))
        if node is sp.pi:
            return emit("pi")  # every target gives it all its digits
        if node.is_Add or node.is_Mul:
            operation = "add" if node.is_Add else "mul"
            parts = [place(argument) for argument in node.args]
            return reduce(lambda left, right: emit(operation, left, right), parts)
        if node.is_Pow:
            base, exponent = node.args
            if exponent.is_Integer and exponent < 0:
                one = place(sp.Integer(1))
                below = place(sp.Pow(base, -exponent)) if exponent != -1 else place(base)
                return emit("div", one, below)
            if exponent.is_Integer:
                factor = place(base)
                return reduce(
                    lambda left, _: emit("mul", left, factor), range(int(exponent) - 1), factor
                )
            if exponent == sp.Rational(1, 2):
                return emit("sqrt", place(base))
            if exponent == sp.Rational(-1, 2):
                return emit("div", place(sp.Integer(1)), place(sp.sqrt(base)))
            return emit("pow", place(base), place(exponent))
        if node is sp.E:
            return emit("exp", place(sp.Integer(1)))
        operation = _OPERATIONS.get(type(node).__name__, "")
        if operation:
            return emit(operation, *[place(argument) for argument in node.args])
        if node.is_Float:
            raise ValueError(
                f"{title}: {node} is a floating-point number; write it as a Rational, so that every "
                "target gets all its digits"
            )
        if node.is_Symbol:
            raise ValueError(f"{title}: {node} is not among the inputs {list(map(str, inputs))}")
        raise MissingFunctionError(
            f"{title}: no translation for {type(node).__name__} in {node}; known functions are "
            f"{', '.join(sorted(_OPERATIONS))}"
        )

    for symbol, expression in program:
        known[symbol] = place(expression)
    positions = tuple(place(output) for output in outputs)
    return Tape(title, tuple(names.values()), tuple(code), positions)
