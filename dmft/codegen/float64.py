"""The numpy target: double precision (single precision for single-precision arrays)."""

from __future__ import annotations

import operator
from collections.abc import Mapping

import numpy as np
from scipy import special

from .tape import Table

__all__ = ["FLOAT64"]

FLOAT64 = Table(
    target="float64",
    rational=lambda p, q: p / q,
    functions={
        "add": operator.add,
        "mul": operator.mul,
        "div": operator.truediv,
        "pow": operator.pow,
        "sqrt": np.sqrt,
        "exp": np.exp,
        "log": np.log,
        "tanh": np.tanh,
        "logistic": special.expit,
        "erf": special.erf,
        "sin": np.sin,
        "cos": np.cos,
    },
)


def python_floats(parameters: Mapping[str, float]) -> dict[str, float]:
    """Parameters as Python floats, which never promote a single-precision array."""
    return {name: float(value) for name, value in parameters.items()}
