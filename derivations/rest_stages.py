"""Stages at rest: the zero state with its stability line, and static order parameters."""

from __future__ import annotations

from collections.abc import Sequence

import sympy as sp

from .closure import Condition, Product
from .derivation import Equation, Printer, Stage
from .equations import MeanFieldEquations
from .filters import transfer_matrix
from .formula import Formula, joined
from .model import Model
from .symbols import lambda_, s

__all__ = ["needs", "statics_stage", "zero_state_stage"]


def statics_stage(equations: MeanFieldEquations, printer: Printer) -> Stage | None:
    """Means and variances of the fields in constant solutions; None when those are not linear."""
    statics = equations.statics
    if statics is None:
        return None
    model = equations.model
    quenched = [i for i in model.inputs if i.kind == "quenched"]
    means = [c.mean for c in equations.covariances]
    lines = []
    for k in range(len(model.fields)):
        label = Formula(*printer.field(k))
        shift = [
            printer.factor(weight * product.coefficient) + _moments(printer, product, 1)
            for weight, product in zip(
                _products(statics.response.row(k), means), statics.outputs, strict=True
            )
            if weight != 0
        ]
        rest = _products(statics.quenched_response.row(k), [i.mean for i in quenched])
        shift += [printer.shown(e) for e in (*rest, statics.constant[k]) if e != 0]
        if shift:
            total = joined(shift)
            lines.append(
                Equation(
                    f"mu_{label.text} = {total.text}", rf"\mu_{{{label.latex}}} = {total.latex}"
                )
            )
        spread = [
            printer.factor(weight * product.coefficient**2) + _moments(printer, product, 2)
            for weight, product in zip(
                _products(statics.response.row(k), statics.weights, power=2),
                statics.outputs,
                strict=True,
            )
            if weight != 0
        ]
        rest = _products(statics.quenched_response.row(k), [i.variance for i in quenched], power=2)
        total = joined(spread + [printer.shown(e) for e in rest if e != 0])
        lines.append(
            Equation(
                f"Delta_{label.text} = {total.text or 0}",
                rf"\Delta_{{{label.latex}}} = {total.latex or 0}",
            )
        )
    prose = (
        "Solutions constant in time; <f^2>_x is the average of f(x)^2 over a normal x of variance "
        "Delta_x"
    )
    if any(line.text.startswith("mu_") for line in lines):
        prose += " and mean mu_x (zero where it is not given)"
    return Stage(
        "statics", "Static order parameters", f"{prose}.{needs(statics.conditions)}", tuple(lines)
    )


def _products(
    responses: Sequence[sp.Expr], strengths: Sequence[sp.Expr], power: int = 1
) -> list[sp.Expr]:
    return [sp.sympify(r**power * v) for r, v in zip(responses, strengths, strict=True)]


def _moments(printer: Printer, product: Product, power: int) -> Formula:
    """<f^power> of every factor."""
    mark = "" if power == 1 else f"^{power}"
    parts = []
    for f in product.factors:
        field = next(i for i, x in enumerate(printer.model.fields) if x.name == f.field)
        function = printer.function(f.label)
        parts.append(
            Formula(
                f"<{function.text}{mark}>_{f.field}",
                rf"\left\langle {function.latex}{mark} \right\rangle_{{{printer.field(field)[1]}}}",
            )
        )
    return joined(parts, " ", r"\,") if parts else Formula("1", "1")


def zero_state_stage(equations: MeanFieldEquations, printer: Printer) -> Stage | None:
    """Edge of the Jacobian at zero and the line where rest loses stability."""
    zero = equations.zero_state
    if zero is None:
        return None
    matrix = zero.amplification(lambda_)
    lines = []
    if _feeds_forward(matrix):
        kept = [matrix[a, a] for a in range(matrix.shape[0]) if matrix[a, a] != 0]
        lines += [printer.both(("1", "1"), sp.factor(entry)) for entry in kept]
        for entry in kept:
            lines += _line(equations.model, sp.simplify(entry.subs(lambda_, 0)), printer)
    else:
        condition = (sp.eye(matrix.shape[0]) - matrix).det()
        lines.append(printer.both(("0", "0"), sp.factor(condition)))
    prose = (
        "Linearised about zero, the eigenvalues of the network fill a region whose real edge lambda "
        "obeys the first equation (random-matrix theory); rest loses stability at lambda = 0."
    )
    if any(sp.degree(sp.denom(sp.together(e)), lambda_) > 2 for e in matrix):
        prose += " Filters of several fields may resonate: then complex eigenvalues are the first."
    if any(mean != 0 for mean in zero.means):
        transfer = transfer_matrix(zero.drift_matrix, zero.input_matrix).subs(s, lambda_)
        chain = sp.diag(*zero.means) * zero.output_matrix * transfer
        outlier = 1 - (sp.eye(chain.shape[0]) - chain).det()
        lines.append(printer.both(("1", "1"), sp.factor(outlier)))
        prose += (
            " The mean of the couplings puts single eigenvalues outside, at the solutions of the last "
            "equation (Tao 2013)."
        )
    prose += needs(zero.conditions)
    return Stage("zero-state", "Zero state: Jacobian and stability line", prose, tuple(lines))


def _feeds_forward(matrix: sp.Matrix) -> bool:
    """Whether no current acts back on itself through others: eigenvalues are then diagonal entries."""
    size = matrix.shape[0]
    links = sp.Matrix(size, size, lambda a, b: int(a != b and matrix[a, b] != 0))
    return bool((links**size).is_zero_matrix)


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
    """Sentences that say which parameters must be zero, those of one reason together."""
    by_reason: dict[tuple[str, tuple[str, ...]], list[str]] = {}
    for c in conditions:
        by_reason.setdefault((c.reason, c.unless), []).append(c.parameter)
    text = ""
    for (reason, unless), names in by_reason.items():
        spared = f", unless {' = '.join(unless)} = 0" if unless else ""
        text += f" Holds for {' = '.join(names)} = 0 ({reason}{spared})."
    return text
