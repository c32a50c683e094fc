"""The stages of a derivation as equations: each function lays out one of them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import sympy as sp

from .closure import Condition
from .derivation import Derivation, Equation, Printer, Stage, driven_fields
from .equations import MeanFieldEquations, derive_equations
from .gaussian import GaussianAverage
from .model import Model
from .process_stages import conditional_stage, edge_stage
from .symbols import lambda_

__all__ = ["derive_model"]


def derive_model(model: Model) -> Derivation:
    """Derive a declared model and lay out the stages.

    >>> from .models import get
    >>> print(derive_model(get("vanilla")).stages[0].equations[0].text)
    dx/dt = -x + g*xi_x
    """
    equations = derive_equations(model)
    printer = Printer(model)
    steps: Sequence[Callable[[MeanFieldEquations, Printer], Stage | None]] = (
        _network,
        _disorder,
        conditional_stage,
        _statics,
        _zero_state,
        _stationary,
        _lyapunov,
        edge_stage,
    )
    stages = tuple(stage for step in steps if (stage := step(equations, printer)) is not None)
    return Derivation(equations, stages)


def _network(equations: MeanFieldEquations, printer: Printer) -> Stage:
    model = equations.model
    lines = []
    for i, drift in enumerate(model.drift()):
        name, latex = printer.field(i)
        lines.append(printer.both((f"d{name}/dt", rf"\dot{{{latex}}}"), drift))
    for n in model.nonlinearities:
        text = f"{n.name} = {n.expression}"
        lines.append(
            Equation(
                text, f"{n.latex or n.name} = {sp.latex(n.expression, symbol_names=printer.names)}"
            )
        )
    for coupling, label in zip(model.couplings, driven_fields(model), strict=True):
        output = model.named(coupling.output)
        lines.append(
            Equation(
                f"{coupling.current}_i = sum_j J_ij [{output}]_j,  J_ij ~ N(0, {coupling.variance}/N)",
                rf"\xi_{{{label},i}} = \sum_j J^{{{label}}}_{{ij}}\, "
                rf"{sp.latex(output, symbol_names=printer.names)},\quad "
                rf"J_{{ij}} \sim \mathcal N(0, {sp.latex(coupling.variance)}/N)",
            )
        )
    prose = "Every unit i has the same dynamics; each current has its own independent couplings."
    return Stage("network", "Network", prose, tuple(lines))


def _disorder(equations: MeanFieldEquations, printer: Printer) -> Stage:
    average, model = equations.average, equations.model
    labels = driven_fields(model)
    outputs = [model.named(c.output) for c in model.couplings]
    lines = [Equation(str(average.action), _action_latex(equations, printer))]

    def shown(weight: sp.Expr) -> tuple[str, str]:
        if weight == 1:
            return "", ""
        return f"({sp.sstr(weight)}) ", sp.latex(weight, symbol_names=printer.names)

    for a, coupling in enumerate(model.couplings):
        psi = sp.latex(outputs[a], symbol_names=printer.names)
        for b in range(a, len(model.couplings)):
            if average.covariance[a, b] == 0:
                continue
            text, latex = shown(average.covariance[a, b])
            other = sp.latex(outputs[b], symbol_names=printer.names)
            lines.append(
                Equation(
                    f"<{coupling.current}(t) {model.couplings[b].current}(t')> = {text}"
                    f"< [{outputs[a]}](t) [{outputs[b]}](t') >",
                    rf"\langle \xi_{{{labels[a]}}}(t)\,\xi_{{{labels[b]}}}(t') \rangle = {latex}"
                    rf"\left\langle [{psi}](t)\,[{other}](t') \right\rangle",
                )
            )
        if average.mean[a] != 0:
            text, latex = shown(average.mean[a])
            lines.append(
                Equation(
                    f"<{coupling.current}(t)> = {text}< [{outputs[a]}](t) >",
                    rf"\langle \xi_{{{labels[a]}}}(t) \rangle = {latex}\langle [{psi}](t) \rangle",
                )
            )
        if average.response[a] != 0:
            text, latex = shown(average.response[a])
            lines.append(
                Equation(
                    f"{coupling.current}(t) gains {text}int dt' R(t, t') [{outputs[a]}](t'),  "
                    f"R(t, t') = d<[{outputs[a]}](t)> / d {coupling.current}(t')",
                    rf"\xi_{{{labels[a]}}}(t) \leftarrow {latex}\int dt'\,"
                    rf"\frac{{\delta \langle [{psi}](t) \rangle}}{{\delta \xi_{{{labels[a]}}}(t')}}\,"
                    rf"[{psi}](t')",
                )
            )
    prose = (
        "In the action S of the generating functional int exp(S) the couplings appear linearly. "
        "Averaging entry by entry leaves their cumulants; summed over all pairs of units they become "
        "order parameters, whose saddle point for N -> infinity is one unit with the dynamics "
        "above, driven by Gaussian currents of the mean-field statistics below (Sompolinsky, "
        "Crisanti & Sommers 1988)."
    )
    return Stage("disorder", "Average over the couplings: single-site process", prose, tuple(lines))


def _action_latex(equations: MeanFieldEquations, printer: Printer) -> str:
    model = equations.model
    terms = []
    for field in model.fields:
        label = field.latex or field.name
        terms.append(rf"\hat{{{label}}}_i(\dot{{{label}}}_i - f_{{{label}}})")
    for coupling, label in zip(model.couplings, driven_fields(model), strict=True):
        psi = sp.latex(model.named(coupling.output), symbol_names=printer.names)
        terms.append(
            rf"\hat\xi_{{{label},i}}(\xi_{{{label},i}} - \textstyle\sum_j J^{{{label}}}_{{ij}}"
            rf"[{psi}]_j)"
        )
    return rf"S = i \sum_i \int dt\,\left\{{ {' + '.join(terms)} \right\}}"


def _statics(equations: MeanFieldEquations, printer: Printer) -> Stage | None:
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


def _zero_state(equations: MeanFieldEquations, printer: Printer) -> Stage | None:
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
        + _needs(zero.conditions)
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


def _decays(conditions: Sequence[Condition] | None) -> str:
    if conditions is None:
        return " Fields or outputs have a mean, so that correlations keep a constant part."
    if not conditions:
        return ""
    names = ", ".join(c.parameter for c in conditions)
    return f" Correlations decay to zero where {names} vanish; else they keep a constant part."


def _needs(conditions: Sequence[Condition]) -> str:
    return "".join(f" Holds for {c.parameter} = 0 ({c.reason})." for c in conditions)


def _stationary(equations: MeanFieldEquations, printer: Printer) -> Stage | None:
    stationary = equations.stationary
    if stationary is None:
        prose = f"Not closed: {equations.closure_failure}."
        return Stage("stationary", "Stationary equations", prose, ())
    lines = []
    for k in range(len(equations.model.fields)):
        name, latex = printer.field(k)
        text, terms = [], []
        for a in range(len(stationary.outputs)):
            gain = stationary.filter(k, a)
            if gain == 0:
                continue
            source = stationary.current_covariance(a)
            text.append(f"({gain}) FT[{source}]")
            terms.append(
                rf"{sp.latex(gain, symbol_names=printer.names)}\;"
                rf"\mathcal F\!\left[{_averages(source, printer)}\right]"
            )
        lines.append(
            Equation(
                f"C_{name}(omega) = {' + '.join(text)}",
                rf"C_{{{latex}}}(\omega) = {' + '.join(terms)}",
            )
        )
    prose = (
        "Fields are Gaussian; <f f> is E f(x)f(y) for normal x, y of variance C(0) and covariance "
        "C(tau); FT is the Fourier transform in tau."
        + _needs(stationary.gaussian_conditions)
        + _decays(stationary.decay_conditions)
    )
    return Stage("stationary", "Stationary autocorrelations", prose, tuple(lines))


def _lyapunov(equations: MeanFieldEquations, printer: Printer) -> Stage | None:
    stationary = equations.stationary
    if stationary is None:
        return None
    lines = []
    for k in range(len(equations.model.fields)):
        name, latex = printer.field(k)
        text, terms = [], []
        for a in range(len(stationary.outputs)):
            gain = stationary.filter(k, a, lambda_)
            if gain == 0:
                continue
            for j, field in enumerate(equations.model.fields):
                weight = stationary.lyapunov_weight(a, j)
                if weight == 0:
                    continue
                text.append(f"({gain}) FT[{weight} chi_{field.name}]")
                terms.append(
                    rf"{sp.latex(gain, symbol_names=printer.names)}\;\mathcal F\!\left["
                    rf"{_averages(weight, printer)}\,\chi_{{{field.latex or field.name}}}\right]"
                )
        if terms:
            lines.append(
                Equation(
                    f"chi_{name}(omega) = {' + '.join(text)}",
                    rf"\chi_{{{latex}}}(\omega) = {' + '.join(terms)}",
                )
            )
    prose = (
        "Two replicas with equal couplings, linearised: covariances of perturbations that grow like "
        "exp(lambda (t + t')). The largest Lyapunov exponent is the lambda at which the largest "
        "eigenvalue of the right-hand side is one; primes are derivatives (Price's theorem)."
    )
    return Stage("lyapunov", "Largest Lyapunov exponent", prose, tuple(lines))


def _averages(expression: sp.Expr, printer: Printer) -> str:
    names: dict[Any, str] = dict(printer.names)
    for average in expression.atoms(GaussianAverage):
        label = average.args[0]
        names.setdefault(label, str(label))
    return str(sp.latex(expression, symbol_names=names, order="none"))
