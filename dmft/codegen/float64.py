"""The numpy target: double precision (single precision for single-precision arrays)."""

from __future__ import annotations

import math
import operator
from collections.abc import Callable, Mapping
from functools import wraps
from typing import Any

import numpy as np
from scipy import special

from .tape import Table

__all__ = ["FLOAT64"]


def _keeping_python_floats(function: Callable[[Any], Any]) -> Callable[[Any], Any]:
    """Python floats stay Python floats: numpy's own scalars would promote single precision."""

    @wraps(function)
    def evaluate(x: Any) -> Any:
        return float(function(x)) if type(x) is float else function(x)

    return evaluate


_UNARY = {
    "sqrt": np.sqrt,
    "exp": np.exp,
    "log": np.log,
    "tanh": np.tanh,
    "logistic": special.expit,
    "erf": special.erf,
    "sin": np.sin,
    "cos": np.cos,
}

FLOAT64 = Table(
    target="float64",
    rational=lambda p, q: p / q,
    functions={
        "add": operator.add,
        "mul": operator.mul,
        "div": operator.truediv,
        "pow": operator.pow,
        "pi": lambda: math.pi,
        **{name: _keeping_python_floats(function) for name, function in _UNARY.items()},
    },
)


def python_floats(parameters: Mapping[str, float]) -> dict[str, float]:
    """Parameters as Python floats, which never promote a single-precision array."""
    return {name: float(value) for name, value in parameters.items()}
