"""The first stages: the declared network, and the average over its couplings."""

from __future__ import annotations

import sympy as sp

from .derivation import Equation, Printer, Stage, driven_fields
from .equations import MeanFieldEquations

__all__ = ["disorder_stage", "network_stage"]


def network_stage(equations: MeanFieldEquations, printer: Printer) -> Stage:
    """Dynamics, nonlinearities and couplings as they were declared."""
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


def disorder_stage(equations: MeanFieldEquations, printer: Printer) -> Stage:
    """The action, and the statistics of the currents that its average over the couplings leaves."""
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
