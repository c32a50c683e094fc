"""Stages that hold for any state: conditional-Gaussian process, two-time equations, Jacobian edge."""

from __future__ import annotations

import sympy as sp

from .conditional import ConditionalStructure, conditional_structure
from .derivation import Equation, Printer, Stage
from .edge import jacobian_edge
from .equations import MeanFieldEquations
from .formula import Formula, joined

__all__ = ["conditional_stage", "edge_stage"]


def conditional_stage(equations: MeanFieldEquations, printer: Printer) -> Stage:
    """Which fields are Gaussian given which others, and the two-time equations that follow."""
    title = "Conditional-Gaussian process and two-time equations"
    structure = conditional_structure(equations.model)
    if structure is None:
        prose = "The fields are not Gaussian given the paths of others: only sampling covers this."
        return Stage("conditional", title, prose, ())
    lines = [
        _propagator(structure, name, printer)
        for name in (*structure.conditional, *structure.gaussian, *structure.gating)
    ]
    given = ", ".join(structure.gating)
    average, average_latex = (
        ("E", r"\mathrm E") if structure.closes else ("E_y E", r"\mathrm E_y\,\mathrm E")
    )
    for coupling, covariance in zip(equations.model.couplings, equations.covariances, strict=True):
        psi, weight = printer.shown(coupling.output), printer.factor(covariance.weight)
        xi = Formula(coupling.current, printer.names[coupling.symbol])
        lines.append(
            Equation(
                f"<{xi.text}(t) {xi.text}(t')> = {weight.text}{average} [{psi.text}](t) [{psi.text}](t')",
                rf"\langle {xi.latex}(t)\,{xi.latex}(t') \rangle = {weight.latex}"
                rf"{average_latex}\,[{psi.latex}](t)\,[{psi.latex}](t')",
            )
        )
    if structure.closes:
        prose = (
            "All fields are linear in their currents with constant coefficients: Gaussian at all "
            "times, with covariance K between two times."
        )
    else:
        prose = (
            f"{given} moves the coefficients of {', '.join(structure.conditional)}: given its path these "
            f"are Gaussian with covariance K, and averages run over the paths of y = ({given}) and "
            "then over Gaussian pairs of covariance K. The equations hold for any two times, from any "
            "start, and determine the covariances step by step in time."
        )
    return Stage("conditional", title, prose, tuple(lines))


def _propagator(structure: ConditionalStructure, name: str, printer: Printer) -> Equation:
    model = printer.model
    k = next(i for i, f in enumerate(model.fields) if f.name == name)
    rate = printer.shown(sp.simplify(-structure.drift_matrix[k, k]))
    gates = {f.symbol for f in model.fields if f.name in structure.gating}

    def driven(weight: sp.Expr, source: Formula) -> Formula:
        if gates & weight.free_symbols:
            inner = printer.shown(weight)
            return Formula(f"[{inner.text}](s) ", rf"[{inner.latex}](s)\,") + source
        return printer.factor(weight) + source

    terms = [
        driven(weight, Formula(c.current, printer.names[c.symbol]).at("s"))
        for c, weight in zip(model.couplings, structure.input_matrix.row(k), strict=True)
        if weight != 0
    ]
    terms += [
        driven(weight, Formula(f.name, f.latex or f.name).at("s"))
        for f, weight in zip(model.fields, structure.drift_matrix.row(k), strict=True)
        if f.name != name and weight != 0
    ]
    for drive in model.inputs:
        weight = sp.diff(model.drift()[k], drive.symbol)
        if weight != 0:
            label = Formula(drive.name, printer.names[drive.symbol])
            terms.append(driven(weight, label.at("s") if drive.kind == "white" else label))
    shown, total = model.fields[k].latex or name, joined(terms)
    return Equation(
        f"{name}(t) = int^t ds exp(-int_s^t {rate.text}) ({total.text})",
        rf"{shown}(t) = \int^t ds\,e^{{-\int_s^t {rate.latex}}}\,\left({total.latex}\right)",
    )


def edge_stage(equations: MeanFieldEquations, printer: Printer) -> Stage:
    """M_ab(s) and the condition for the edge of the eigenvalue cloud."""
    edge = jacobian_edge(equations.linearisation, equations.covariances)
    model = equations.model
    matrix = edge.matrix()
    lines = []
    for a in range(matrix.shape[0]):
        for b in range(matrix.shape[1]):
            if matrix[a, b] == 0:
                continue
            entry = model.named(edge.squared(a, b))
            shown = sp.latex(entry, symbol_names=printer.names)
            lines.append(
                Equation(
                    f"{matrix[a, b]} = < {sp.sstr(entry)} >",
                    rf"M_{{{a}{b}}} = \left\langle {shown} \right\rangle",
                )
            )
    condition = edge.condition()
    lines.append(Equation(f"0 = {condition}", f"0 = {sp.latex(condition)}"))
    prose = (
        "A perturbation exp(s t) at a typical state; a, b count the currents from 0, < > is the average "
        "over the joint state of a unit, and for complex s the squares are absolute squares. The "
        "eigenvalue cloud ends where the largest eigenvalue of M(s) is one: the last equation "
        "(random-matrix theory)."
    )
    return Stage("jacobian-edge", "Edge of the Jacobian's spectrum", prose, tuple(lines))
