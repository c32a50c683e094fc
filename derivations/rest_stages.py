"""Stages at rest: the zero state with its stability line, and static order parameters."""

from __future__ import annotations

from collections.abc import Sequence

import sympy as sp

from .closure import Condition
from .derivation import Equation, Printer, Stage
from .equations import MeanFieldEquations
from .model import Model
from .symbols import lambda_

__all__ = ["needs", "statics_stage", "zero_state_stage"]


def statics_stage(equations: MeanFieldEquations, printer: Printer) -> Stage | None:
    """Variances of the fields in constant solutions; None when those are no linear functions."""
    statics = equations.statics
    if statics is None:
        return None
    lines = []
    for k in range(len(equations.model.fields)):
        name, latex = printer.field(k)
        text, terms = [], []
        for a, product in enumerate(statics.outputs):
            weight = statics.response[k, a] ** 2 * statics.weights[a] * product.coefficient**2
            if weight == 0:
                continue
            prefix = "" if weight == 1 else f"{weight} "
            text.append(f"{prefix}{printer.product(product)}")
            factors = "".join(
                rf"\langle {printer.names[sp.Symbol(f.label)]}^2 \rangle"
                if sp.Symbol(f.label) in printer.names
                else rf"\langle f^2_{{{f.field}}} \rangle"
                for f in product.factors
            )
            shown = "" if weight == 1 else sp.latex(weight, symbol_names=printer.names)
            terms.append(f"{shown}{factors}")
        lines.append(
            Equation(
                f"Delta_{name} = {' + '.join(text)}", rf"\Delta_{{{latex}}} = {' + '.join(terms)}"
            )
        )
    prose = (
        "Solutions constant in time; <f^2>_x is the average of f(x)^2 over a normal x of variance "
        "Delta_x."
    )
    return Stage("statics", "Static order parameters", prose, tuple(lines))


def zero_state_stage(equations: MeanFieldEquations, printer: Printer) -> Stage | None:
    """Edge of the Jacobian at zero and the line where rest loses stability."""
    zero = equations.zero_state
    if zero is None:
        return None
    growth = lambda_
    matrix = zero.amplification(growth)
    lines = []
    kept = [a for a in range(matrix.shape[0]) if matrix[a, a] != 0]
    triangular = matrix.is_lower or matrix.is_upper or len(kept) == 1
    for a in kept if triangular else range(matrix.shape[0]):
        lines.append(printer.both(("1", "1"), sp.factor(matrix[a, a])))
    if triangular:
        for a in kept:
            lines += _line(equations.model, sp.simplify(matrix[a, a].subs(growth, 0)), printer)
    prose = (
        "Linearised about zero, the eigenvalues of the network fill a region whose real edge lambda "
        "obeys the first equation (random-matrix theory); rest loses stability at lambda = 0."
        + needs(zero.conditions)
    )
    return Stage("zero-state", "Zero state: Jacobian and stability line", prose, tuple(lines))


def _line(model: Model, amplification: sp.Expr, printer: Printer) -> list[Equation]:
    """Solve amplification = 1 for the first required parameter."""
    for parameter in model.parameters:
        if parameter.default is None and amplification.has(parameter.symbol):
            rewritten = sp.simplify(amplification.rewrite(sp.exp))
            for root in sp.solve(sp.Eq(rewritten, 1), parameter.symbol):
                if root.could_extract_minus_sign():
                    continue
                return [printer.both((parameter.name, parameter.latex or parameter.name), root)]
    return []


def needs(conditions: Sequence[Condition]) -> str:
    """Sentences that say which parameters must be zero."""
    return "".join(f" Holds for {c.parameter} = 0 ({c.reason})." for c in conditions)
