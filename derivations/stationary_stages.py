"""Stages of the closed stationary theory: autocorrelations and the Lyapunov operator."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import sympy as sp

from .closure import Condition
from .derivation import Equation, Printer, Stage
from .equations import MeanFieldEquations
from .filters import power_gain, transfer_matrix
from .formula import Formula, averaged, joined
from .gaussian import GaussianAverage
from .rest_stages import needs
from .stationary import StationaryEquations
from .symbols import lambda_, s

__all__ = ["lyapunov_stage", "stationary_stage"]


def stationary_stage(equations: MeanFieldEquations, printer: Printer) -> Stage | None:
    """Autocorrelations in frequency; why they do not close when they do not."""
    stationary = equations.stationary
    if stationary is None:
        prose = f"Not closed: {equations.closure_failure}."
        return Stage("stationary", "Stationary equations", prose, ())
    fields = range(len(equations.model.fields))
    lines = [line for k in fields if (line := _mean(stationary, k, printer)) is not None]
    moved = bool(lines)
    for k in fields:
        name, latex = printer.field(k)
        terms = []
        for a in range(len(stationary.outputs)):
            gain = stationary.filter(k, a)
            if gain != 0:
                source, shown = stationary.current_covariance(a), printer.filter(gain)
                terms.append(
                    Formula(
                        f"{shown.text} FT[{source}]",
                        rf"{shown.latex}\;\mathcal F\!\left[{_averages(source, printer)}\right]",
                    )
                )
        terms += _driven(stationary, k, printer)
        total = joined(terms) if terms else Formula("0", "0")
        lines.append(
            Equation(f"C_{name}(omega) = {total.text}", rf"C_{{{latex}}}(\omega) = {total.latex}")
        )
    prose = (
        "Fields are Gaussian; <f f> is E f(x)f(y) for normal x, y of variance C(0) and covariance "
        "C(tau)"
    )
    if moved:
        prose += ", both of mean mu (zero where it is not given)"
    prose += "; FT is the Fourier transform in tau."
    if any(variance != 0 for variance in stationary.quenched_variances):
        prose += " A quenched input is a constant part of C, white noise a flat power."
    prose += needs(stationary.gaussian_conditions) + _decays(stationary.decay_conditions)
    return Stage("stationary", "Stationary autocorrelations", prose, tuple(lines))


def _at_rest(stationary: StationaryEquations, matrix: sp.Matrix) -> sp.Matrix:
    """-A^{-1} B: how a constant force moves the fields."""
    return transfer_matrix(stationary.drift_matrix, matrix).subs(s, 0)


def _mean(stationary: StationaryEquations, k: int, printer: Printer) -> Equation | None:
    """mu_k = -A^{-1} (B m M + E <I> + b); None where nothing gives the field a mean."""
    terms = []
    response = _at_rest(stationary, stationary.input_matrix).row(k)
    for weight, mean, output in zip(
        response, stationary.current_means, stationary.outputs, strict=True
    ):
        if weight * mean != 0:
            terms.append(
                printer.factor(weight * mean * output.coefficient)
                + joined(
                    (averaged([printer.function(f.label)]) for f in output.factors), " ", r"\,"
                )
            )
    means = sp.Matrix(len(stationary.quenched_means), 1, stationary.quenched_means)
    held = _at_rest(stationary, stationary.quenched_matrix) * means
    held += _at_rest(stationary, stationary.constant)
    if held[k] != 0:
        terms.append(printer.shown(sp.factor(held[k])))
    if not terms:
        return None
    (name, latex), total = printer.field(k), joined(terms)
    return Equation(f"mu_{name} = {total.text}", rf"\mu_{{{latex}}} = {total.latex}")


def _driven(stationary: StationaryEquations, k: int, printer: Printer) -> list[Formula]:
    """What quenched inputs and noise add to the power of a field."""
    terms = []
    rest = _at_rest(stationary, stationary.quenched_matrix).row(k)
    for response, variance in zip(rest, stationary.quenched_variances, strict=True):
        if response * variance != 0:
            shown = printer.shown(sp.factor(response**2 * variance))
            terms.append(
                Formula(f"({shown.text}) 2 pi delta(omega)", rf"{shown.latex}\;2\pi\delta(\omega)")
            )
    filters = transfer_matrix(stationary.drift_matrix, stationary.noise_matrix).row(k)
    for transfer, intensity in zip(filters, stationary.noise_intensities, strict=True):
        if transfer * intensity != 0:
            gain, power = printer.filter(power_gain(transfer)), printer.factor(intensity)
            terms.append(
                Formula(f"{gain.text} {power.text}".rstrip(), f"{power.latex}{gain.latex}")
            )
    return terms


def _decays(conditions: Sequence[Condition] | None) -> str:
    if conditions is None:
        return " Fields or outputs have a mean, so that correlations keep a constant part."
    if not conditions:
        return ""
    names = [c.parameter for c in conditions]
    verb = "vanish" if len(names) > 1 else "vanishes"
    return f" Correlations decay to zero where {', '.join(names)} {verb}; else they keep a constant part."


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
        "Two replicas with equal couplings and inputs, linearised: covariances of perturbations that "
        "grow like exp(lambda (t + t')). The largest Lyapunov exponent is the lambda at which the largest "
        "eigenvalue of the right-hand side is one; primes are derivatives (Price's theorem)."
    )
    return Stage("lyapunov", "Largest Lyapunov exponent", prose, tuple(lines))


def _averages(expression: sp.Expr, printer: Printer) -> str:
    names: dict[Any, str] = dict(printer.names)
    for average in expression.atoms(GaussianAverage):
        label = average.args[0]
        names.setdefault(label, printer.function(str(label)).latex)
    return str(sp.latex(expression, symbol_names=names, order="none"))
