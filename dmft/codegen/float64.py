"""The numpy target: double precision (single precision for single-precision arrays)."""

from __future__ import annotations

import math
import operator
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from scipy import special

from .tape import Table

__all__ = ["FLOAT64"]


def _scalar_safe(function: Callable[[Any], Any]) -> Callable[[Any], Any]:
    """A Python number stays one: a numpy scalar would promote single-precision arrays."""

    def of(x: Any) -> Any:
        return float(function(x)) if type(x) in (int, float) else function(x)

    return of


def _logistic(x: Any) -> Any:
    """In single precision by numpy's exponential, which fills vector registers: four times as fast."""
    if getattr(x, "dtype", None) != np.float32:
        return special.expit(x)
    below = np.exp(np.minimum(-x, _LARGEST_SINGLE))
    below += 1.0
    return np.reciprocal(below)


#: exp of it still is a number in single precision, and its inverse not yet denormal.
_LARGEST_SINGLE = 87.0

FLOAT64 = Table(
    target="float64",
    rational=lambda p, q: p / q,
    functions={
        "pi": lambda: math.pi,
        "add": operator.add,
        "mul": operator.mul,
        "div": operator.truediv,
        "pow": operator.pow,
        "sqrt": _scalar_safe(np.sqrt),
        "exp": _scalar_safe(np.exp),
        "log": _scalar_safe(np.log),
        "tanh": _scalar_safe(np.tanh),
        "logistic": _scalar_safe(_logistic),
        "erf": _scalar_safe(special.erf),
        "sin": _scalar_safe(np.sin),
        "cos": _scalar_safe(np.cos),
    },
)


def python_floats(parameters: Mapping[str, float]) -> dict[str, float]:
    """Parameters as Python floats, which never promote a single-precision array."""
    return {name: float(value) for name, value in parameters.items()}
