"""Stages that hold for any state: conditional-Gaussian process, two-time equations, Jacobian edge."""

from __future__ import annotations

import sympy as sp

from .conditional import ConditionalStructure, conditional_structure
from .derivation import Equation, Printer, Stage
from .edge import jacobian_edge
from .equations import MeanFieldEquations

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
        psi = equations.model.named(coupling.output)
        weight = "" if covariance.weight == 1 else f"{covariance.weight} "
        weight_latex = "" if covariance.weight == 1 else sp.latex(covariance.weight)
        psi_latex = sp.latex(psi, symbol_names=printer.names)
        lines.append(
            Equation(
                f"<{coupling.current}(t) {coupling.current}(t')> = {weight}{average} [{psi}](t) [{psi}](t')",
                rf"\langle \xi(t)\,\xi(t') \rangle = {weight_latex}"
                rf"{average_latex}\,[{psi_latex}](t)\,[{psi_latex}](t')",
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
    rate = model.named(sp.simplify(-structure.drift_matrix[k, k]))
    terms, latex_terms = [], []
    for a, coupling in enumerate(model.couplings):
        strength = structure.input_matrix[k, a]
        if strength != 0:
            shown = model.named(strength)
            terms.append(f"[{shown}](s) {coupling.current}(s)")
            latex_terms.append(
                rf"[{sp.latex(shown, symbol_names=printer.names)}](s)\,"
                rf"{printer.names[coupling.symbol]}(s)"
            )
    for other, field in enumerate(model.fields):
        weight = structure.drift_matrix[k, other]
        if other != k and weight != 0:
            terms.append(f"[{model.named(weight)}](s) {field.name}(s)")
            latex_terms.append(
                rf"[{sp.latex(model.named(weight), symbol_names=printer.names)}](s)\,"
                rf"{field.latex or field.name}(s)"
            )
    label = model.fields[k].latex or name
    return Equation(
        f"{name}(t) = int^t ds exp(-int_s^t {rate}) ({' + '.join(terms)})",
        rf"{label}(t) = \int^t ds\,e^{{-\int_s^t {sp.latex(rate, symbol_names=printer.names)}}}\,"
        rf"\left({' + '.join(latex_terms)}\right)",
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
