"""The mpmath target: any number of digits, one number at a time.

The working precision belongs to the context that is passed in (``mpmath.MPContext``), never to a
global.
"""

from __future__ import annotations

import operator
from typing import Any

import mpmath

from .tape import Table

__all__ = ["multiprecision"]


def multiprecision(digits: int) -> tuple[Table, Any]:
    """A function table with ``digits`` decimal digits, and the mpmath context it works in."""
    context = mpmath.MPContext()
    context.dps = digits
    one = context.mpf(1)
    table = Table(
        target=f"mpmath ({digits} digits)",
        rational=lambda p, q: context.mpf(p) / q,
        functions={
            "add": operator.add,
            "mul": operator.mul,
            "div": operator.truediv,
            "pow": operator.pow,
            "sqrt": context.sqrt,
            "exp": context.exp,
            "log": context.log,
            "tanh": context.tanh,
            "logistic": lambda x: one / (one + context.exp(-x)),
            "erf": context.erf,
            "sin": context.sin,
            "cos": context.cos,
            "pi": lambda: +context.pi,
        },
    )
    return table, context
