"""Stages of the closed stationary theory: autocorrelations and the Lyapunov operator."""

from __future__ import annotations

from typing import Any

import sympy as sp

from .derivation import Equation, Printer, Stage
from .equations import MeanFieldEquations
from .gaussian import GaussianAverage
from .rest_stages import needs
from .symbols import lambda_

__all__ = ["lyapunov_stage", "stationary_stage"]


def stationary_stage(equations: MeanFieldEquations, printer: Printer) -> Stage | None:
    """Autocorrelations in frequency; why they do not close when they do not."""
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
        + needs((*stationary.gaussian_conditions, *stationary.decay_conditions))
    )
    return Stage("stationary", "Stationary autocorrelations", prose, tuple(lines))


def lyapunov_stage(equations: MeanFieldEquations, printer: Printer) -> Stage | None:
    """The closed operator; None when the stationary equations do not close."""
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
