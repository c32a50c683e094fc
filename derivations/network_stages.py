"""The first stages: the declared network, and the average over its couplings."""

from __future__ import annotations

import sympy as sp

from .closure import factorise
from .derivation import Equation, Printer, Stage, driven_fields
from .equations import MeanFieldEquations
from .formula import Formula
from .model import Model

__all__ = ["disorder_stage", "input_statistics", "network_stage"]


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
    lines += _unnamed_factors(model, printer)
    for coupling, label in zip(model.couplings, driven_fields(model), strict=True):
        output = printer.shown(coupling.output)
        mean, variance = (_per_unit(printer, e) for e in (coupling.mean, coupling.variance))
        lines.append(
            Equation(
                f"{coupling.current}_i = sum_j J_ij [{output.text}]_j,  "
                f"J_ij ~ N({mean.text}, {variance.text})",
                rf"\xi_{{{label},i}} = \sum_j J^{{{label}}}_{{ij}}\, {output.latex},\quad "
                rf"J^{{{label}}}_{{ij}} \sim \mathcal N({mean.latex}, {variance.latex})",
            )
        )
    special = _special_couplings(model, printer)
    lines += [*special, *input_statistics(model, printer)]
    prose = "Every unit i has the same dynamics; " + (
        "each current has its own couplings, correlated as stated."
        if special
        else "each current has its own independent couplings."
    )
    if model.inputs:
        prose += " Inputs differ between units, independently of the couplings"
        kinds = {drive.kind for drive in model.inputs}
        if "quenched" in kinds:
            prose += "; quenched ones do not change in time"
        if "white" in kinds:
            prose += "; white noise has the stated intensity"
        prose += "."
    return Stage("network", "Network", prose, tuple(lines))


def _unnamed_factors(model: Model, printer: Printer) -> list[Equation]:
    """Factors of outputs that bear no declared name: later stages call them by current and field."""
    declared = {n.name for n in model.nonlinearities}
    found = {}
    for coupling in model.couplings:
        product = factorise(model, sp.sympify(coupling.output), coupling.current)
        for factor in product.factors if product is not None else ():
            if factor.label not in declared:
                function, value = printer.function(factor.label), printer.shown(factor.expression)
                found[factor.label] = Equation(
                    f"{function.text} = {value.text}", f"{function.latex} = {value.latex}"
                )
    return list(found.values())


def _per_unit(printer: Printer, moment: sp.Expr) -> Formula:
    """A moment over N."""
    if moment == 0:
        return Formula("0", "0")
    shown = printer.shown(moment)
    if sp.sympify(moment).is_Add:
        shown = Formula(f"({shown.text})", rf"\left({shown.latex}\right)")
    return shown + Formula("/N", "/N")


def _special_couplings(model: Model, printer: Printer) -> list[Equation]:
    """Reciprocity and correlations between matrices."""
    labels = dict(zip((c.current for c in model.couplings), driven_fields(model), strict=True))
    lines = []
    for coupling in model.couplings:
        if coupling.reciprocity != 0:
            label, value = labels[coupling.current], printer.shown(coupling.reciprocity)
            lines.append(
                Equation(
                    f"corr(J_ij, J_ji) = {value.text}  in {coupling.current}",
                    rf"\operatorname{{corr}}(J^{{{label}}}_{{ij}}, J^{{{label}}}_{{ji}}) = {value.latex}",
                )
            )
    for (a, b), share in model.correlations.items():
        value = printer.shown(share)
        lines.append(
            Equation(
                f"corr(J_ij of {a}, J_ij of {b}) = {value.text}",
                rf"\operatorname{{corr}}(J^{{{labels[a]}}}_{{ij}}, J^{{{labels[b]}}}_{{ij}}) = "
                f"{value.latex}",
            )
        )
    return lines


def input_statistics(model: Model, printer: Printer) -> list[Equation]:
    """<I>, <I^2> of quenched inputs and <eta eta'> of white noise."""
    lines = []
    for drive in model.inputs:
        name, latex = drive.name, printer.names[drive.symbol]
        value = printer.shown(drive.variance)
        if drive.kind == "white":
            lines.append(
                Equation(
                    f"<{name}(t) {name}(t')> = {printer.factor(drive.variance).text}delta(t - t')",
                    rf"\langle {latex}(t)\,{latex}(t') \rangle = "
                    rf"{printer.factor(drive.variance).latex}\delta(t - t')",
                )
            )
        elif drive.mean == 0:
            lines.append(
                Equation(
                    f"<{name}^2> = {value.text}",
                    rf"\langle {latex}^2 \rangle = {value.latex}",
                )
            )
        else:
            mean = printer.shown(drive.mean)
            lines += [
                Equation(f"<{name}> = {mean.text}", rf"\langle {latex} \rangle = {mean.latex}"),
                Equation(
                    f"<{name}^2> - <{name}>^2 = {value.text}",
                    rf"\langle {latex}^2 \rangle - \langle {latex} \rangle^2 = {value.latex}",
                ),
            ]
    return lines


def disorder_stage(equations: MeanFieldEquations, printer: Printer) -> Stage:
    """The action, and the statistics of the currents that its average over the couplings leaves."""
    average, model = equations.average, equations.model
    labels = driven_fields(model)
    outputs = [model.named(c.output) for c in model.couplings]
    lines = [Equation(str(average.action), _action_latex(equations, printer))]

    shown = [printer.shown(o) for o in outputs]
    xi = [
        Formula(c.current, rf"\xi_{{{label}}}")
        for c, label in zip(model.couplings, labels, strict=True)
    ]

    def before(weight: sp.Expr) -> Formula:
        if weight == 1:
            return Formula("", "")
        value = printer.shown(weight)
        return Formula(f"({value.text}) ", printer.factor(weight).latex)

    for a in range(len(model.couplings)):
        for b in range(a, len(model.couplings)):
            if average.covariance[a, b] == 0:
                continue
            weight = before(average.covariance[a, b])
            text = f"<{xi[a].text}(t) {xi[b].text}(t')>"
            latex = rf"\langle {xi[a].latex}(t)\,{xi[b].latex}(t') \rangle"
            if average.mean[a] != 0 and average.mean[b] != 0:
                text += f" - <{xi[a].text}(t)> <{xi[b].text}(t')>"
                latex += rf" - \langle {xi[a].latex}(t) \rangle \langle {xi[b].latex}(t') \rangle"
            lines.append(
                Equation(
                    f"{text} = {weight.text}< [{shown[a].text}](t) [{shown[b].text}](t') >",
                    rf"{latex} = {weight.latex}\left\langle [{shown[a].latex}](t)\,"
                    rf"[{shown[b].latex}](t') \right\rangle",
                )
            )
        if average.mean[a] != 0:
            weight = before(average.mean[a])
            lines.append(
                Equation(
                    f"<{xi[a].text}(t)> = {weight.text}< [{shown[a].text}](t) >",
                    rf"\langle {xi[a].latex}(t) \rangle = "
                    rf"{weight.latex}\langle [{shown[a].latex}](t) \rangle",
                )
            )
        if average.response[a] != 0:
            weight = before(average.response[a])
            lines.append(
                Equation(
                    f"{xi[a].text}(t) gains {weight.text}int dt' R(t, t') [{shown[a].text}](t'),  "
                    f"R(t, t') = d<[{shown[a].text}](t)> / d {xi[a].text}(t')",
                    rf"{xi[a].latex}(t) \leftarrow {weight.latex}\int dt'\,"
                    rf"\frac{{\delta \langle [{shown[a].latex}](t) \rangle}}"
                    rf"{{\delta {xi[a].latex}(t')}}\,[{shown[a].latex}](t')",
                )
            )
    lines += input_statistics(model, printer)
    prose = (
        "In the action S of the generating functional int exp(S) the couplings appear linearly. "
        "Averaging entry by entry leaves their cumulants; summed over all pairs of units they become "
        "order parameters, whose saddle point for N -> infinity is one unit with the dynamics "
        "above, driven by Gaussian currents of the mean-field statistics below (Sompolinsky, "
        "Crisanti & Sommers 1988)."
    )
    if model.inputs:
        prose += " Inputs are independent of the couplings and keep their statistics in one unit."
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
