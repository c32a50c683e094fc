"""A derivation that one can read: the stages of a theory as numbered equations, text or LaTeX."""

from __future__ import annotations

import textwrap
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import sympy as sp

from .closure import Condition, Product
from .equations import MeanFieldEquations, derive_equations
from .gaussian import GaussianAverage
from .model import Model
from .symbols import covariance_symbol, lambda_, variance_symbol

__all__ = ["STAGES", "Derivation", "Equation", "Printer", "Stage", "derive_model"]

#: Names of the stages, in order; the last is worked out on request.
STAGES = ("network", "disorder", "statics", "zero-state", "stationary", "lyapunov", "tricritical")


@dataclass(frozen=True)
class Equation:
    """Two sides, in plain text and in LaTeX."""

    text: str
    latex: str


@dataclass(frozen=True)
class Stage:
    """A step of the derivation: what is done, and the equations it gives. ``key`` names it."""

    key: str
    title: str
    prose: str
    equations: tuple[Equation, ...]


@dataclass(frozen=True)
class Derivation:
    """All stages of a model's mean-field theory. Prints as text; `latex` gives a document."""

    equations: MeanFieldEquations
    stages: tuple[Stage, ...]

    def __str__(self) -> str:
        model = self.equations.model
        lines = [f"{model.name}: {model.title}", f"Source: {model.citation}", ""]
        number = 0
        for position, stage in enumerate(self.stages, 1):
            prose = textwrap.fill(stage.prose, 88, initial_indent="   ", subsequent_indent="   ")
            lines += [f"{position}. {stage.title}", prose, ""]
            for equation in stage.equations:
                number += 1
                lines.append(f"   ({number})  {equation.text}")
            lines.append("")
        return "\n".join(lines)

    def show(self, key: str) -> Derivation:
        """One stage alone; KeyError unless it is one of `STAGES`.

        ``tricritical`` is the small-amplitude expansion, worked out on request because it takes
        seconds.
        """
        if key == "tricritical":
            from .onset_stage import onset_stage

            return Derivation(
                self.equations, (onset_stage(self.equations, Printer(self.equations.model)),)
            )
        stages = tuple(stage for stage in self.stages if stage.key == key)
        if not stages:
            raise KeyError(key)
        return Derivation(self.equations, stages)

    def latex(self) -> str:
        """A document for pdflatex."""
        model = self.equations.model
        body = [r"\documentclass{article}", r"\usepackage{amsmath}", r"\begin{document}"]
        body.append(rf"\section*{{{_escape(model.title)}}}")
        body.append(_escape(f"Source: {model.citation}. Times in units of the leak."))
        for stage in self.stages:
            body += [rf"\subsection*{{{_escape(stage.title)}}}", _escape(stage.prose)]
            for equation in stage.equations:
                body += [r"\begin{equation}", f"  {equation.latex}", r"\end{equation}"]
        body.append(r"\end{document}")
        return "\n".join(body)


def _escape(text: str) -> str:
    for character in "&%$#_{}":
        text = text.replace(character, "\\" + character)
    return text.replace("^", r"\textasciicircum{}").replace("<", "$<$").replace(">", "$>$")


class Printer:
    """Prints with the declared names: nonlinearities by name, symbols by their LaTeX."""

    def __init__(self, model: Model) -> None:
        self.model = model
        self.named = {n.expression: sp.Symbol(n.name) for n in model.nonlinearities}
        names: dict[sp.Symbol, str] = {}
        for field in model.fields:
            names[field.symbol] = field.latex or field.name
        for parameter in model.parameters:
            names[parameter.symbol] = parameter.latex or parameter.name
        for n in model.nonlinearities:
            names[sp.Symbol(n.name)] = n.latex or n.name
        for c, f in zip(model.couplings, _driven(model), strict=True):
            names[c.symbol] = rf"\xi_{{{f}}}"
        for field in model.fields:
            label = field.latex or field.name
            names[variance_symbol(field.name)] = rf"C_{{{label}}}(0)"
            names[covariance_symbol(field.name)] = rf"C_{{{label}}}(\tau)"
        self.names = names

    def both(self, left: tuple[str, str], right: sp.Expr | int) -> Equation:
        """An equation whose left side is given in text and LaTeX."""
        short = sp.sympify(right).xreplace(self.named)
        return Equation(
            f"{left[0]} = {sp.sstr(short, order='none')}",
            f"{left[1]} = {sp.latex(short, symbol_names=self.names, order='none')}",
        )

    def field(self, index: int) -> tuple[str, str]:
        """Name and LaTeX of a field."""
        part = self.model.fields[index]
        return part.name, part.latex or part.name

    def product(self, product: Product) -> str:
        """<f^2> of every factor, as text."""
        return " ".join(f"<{f.label}^2>_{f.field}" for f in product.factors) or "1"


def _driven(model: Model) -> list[str]:
    """For each current, the LaTeX of a field that it drives."""
    labels = []
    for coupling in model.couplings:
        fields = [f for f in model.fields if model.dynamics[f.name].has(coupling.symbol)]
        labels.append((fields[0].latex or fields[0].name) if fields else coupling.current)
    return labels


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
        _statics,
        _zero_state,
        _stationary,
        _lyapunov,
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
    for coupling, label in zip(model.couplings, _driven(model), strict=True):
        output = coupling.output.xreplace(printer.named)
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
    lines = []
    for covariance, label in zip(equations.covariances, _driven(equations.model), strict=True):
        short = covariance.output.xreplace(printer.named)
        weight = "" if covariance.weight == 1 else f"{covariance.weight} "
        weight_latex = "" if covariance.weight == 1 else sp.latex(covariance.weight)
        psi = sp.latex(short, symbol_names=printer.names)
        lines.append(
            Equation(
                f"<{covariance.current}(t) {covariance.current}(t')> = {weight}"
                f"< [{short}](t) [{short}](t') >",
                rf"\langle \xi_{{{label}}}(t)\,\xi_{{{label}}}(t') \rangle = {weight_latex}"
                rf"\left\langle [{psi}](t)\,[{psi}](t') \right\rangle",
            )
        )
    prose = (
        "In the generating functional the couplings appear linearly in the exponent; averaging entry "
        "by entry leaves their second cumulant. For N -> infinity one unit remains, with the "
        "dynamics above, driven by independent Gaussian currents of mean-field covariance "
        "(Sompolinsky, Crisanti & Sommers 1988)."
    )
    return Stage("disorder", "Average over the couplings: single-site process", prose, tuple(lines))


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
        + _needs((*stationary.gaussian_conditions, *stationary.decay_conditions))
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
