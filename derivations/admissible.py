"""What may stand in a declaration: the functions, and the reasons for refusing everything else.

The solvers use the first two derivatives of every function (Price's theorem, Newton's method) and
average over Gaussian fields by quadrature that converges fast for smooth functions only. So a kink,
a jump or a delay is refused where it is declared, with what it would need, and not approximated.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable

import sympy as sp
from sympy.core.function import AppliedUndef

from .functions import logistic

__all__ = [
    "DELAY",
    "FUNCTIONS",
    "HEAVY_TAIL",
    "KINK",
    "KINKED",
    "SYNONYMS",
    "objection",
    "suggestion",
]

#: Functions of a declaration by the name under which a model file knows them.
FUNCTIONS = {
    "tanh": sp.tanh,
    "logistic": logistic,
    "exp": sp.exp,
    "log": sp.log,
    "sqrt": sp.sqrt,
    "erf": sp.erf,
    "sin": sp.sin,
    "cos": sp.cos,
}

#: Functions with a kink or a jump, by the names that people give them, in small letters.
KINKED = frozenset(
    {
        *("abs", "fabs", "sign", "sgn", "signum", "step", "heaviside", "theta", "round", "floor"),
        *("relu", "rectifier", "hinge", "max", "min", "maximum", "minimum", "clip", "ceil", "mod"),
        *("hardtanh", "hard_tanh", "htanh", "hardsigmoid", "hard_sigmoid", "piecewise", "where"),
        *("leakyrelu", "leaky_relu", "elu", "ceiling", "diracdelta", "delta", "threshold"),
    }
)

KINK = (
    "it has a kink or a jump, and the derivation needs two derivatives (Price's theorem); it would "
    "need Gaussian averages in closed form; take a smooth function instead, like log(1 + exp(k*x))/k "
    "for relu, tanh(k*x) for sign, logistic(k*x) for a step"
)
DELAY = (
    "delays are not covered: the derivation is for first-order equations without memory and would "
    "need transfer functions with exp(-s*delay); a chain of fields, like dy/dt = (x - y)/tau_y, "
    "approximates one"
)
HEAVY_TAIL = (
    "currents of such couplings are not Gaussian, so that covariances do not close the theory; it "
    'would need the generating functional of stable laws; only "gaussian" is covered'
)

#: What people write for a function of the language.
SYNONYMS = {
    "sigmoid": "logistic",
    "sigma": "logistic",
    "expit": "logistic",
    "ln": "log",
    "sech": "1/cosh by 2/(exp(x) + exp(-x))",
    "cosh": "(exp(x) + exp(-x))/2",
    "sinh": "(exp(x) - exp(-x))/2",
    "tan": "sin(x)/cos(x), unless that diverges",
    "softplus": "log(1 + exp(x))",
    "erfc": "1 - erf(x)",
    "pow": "x^n",
    "th": "tanh",
}

_KINKED_CLASSES = (
    *(sp.Abs, sp.sign, sp.Heaviside, sp.DiracDelta, sp.Max, sp.Min, sp.Piecewise),
    *(sp.floor, sp.ceiling, sp.Mod),
)
_SMOOTH_CLASSES = (sp.tanh, logistic, sp.exp, sp.log, sp.erf, sp.sin, sp.cos)


def objection(expression: sp.Expr) -> str:
    """Why an expression may not stand in a declaration; empty if it may.

    >>> import sympy as sp
    >>> x = sp.Symbol("x", real=True)
    >>> objection(sp.tanh(x)), objection(sp.sqrt(x**2))[:23]
    ('', 'Abs(x): it has a kink o')
    """
    for node in sp.preorder_traversal(expression):
        if isinstance(node, _KINKED_CLASSES):
            return f"{node}: {KINK}"
        if isinstance(node, AppliedUndef):
            return f"{node}: an unknown function; if it stands for a field at another time, {DELAY}"
        if isinstance(node, sp.Function) and not isinstance(node, _SMOOTH_CLASSES):
            return (
                f"{node}: there is no numerical form of {type(node).__name__}; "
                f"functions: {', '.join(FUNCTIONS)}"
            )
        if node.is_Float:
            return f"{node} is a floating-point number; give its exact value, like sympy.Rational(1, 10)"
        if node in (sp.zoo, sp.nan, sp.oo, -sp.oo):
            return f"{expression}: it is not finite (a division by zero?)"
        if node is sp.I:
            return f"{expression}: it is complex (the root or logarithm of a negative number?)"
    return ""


def suggestion(given: str, allowed: Iterable[str]) -> str:
    """A near name, to append to a message, or nothing.

    >>> suggestion("Tanh", ["tanh", "exp"])
    " (did you mean 'tanh'?)"
    """
    by_small = {name.lower(): name for name in allowed}
    near = difflib.get_close_matches(given[:60].lower(), by_small, n=1)
    return f" (did you mean {by_small[near[0]]!r}?)" if near else ""
