"""A derivation that one can read: the stages of a theory as numbered equations, text or LaTeX."""

from __future__ import annotations

import textwrap
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import TypeAlias

import sympy as sp

from .equations import MeanFieldEquations
from .formula import Formula
from .model import Model
from .symbols import covariance_symbol, variance_symbol

__all__ = ["STAGES", "Derivation", "Equation", "Layout", "Printer", "Stage", "driven_fields"]

#: Names of the stages, in order; the last is worked out on request only.
STAGES = (
    *("network", "disorder", "conditional", "statics", "zero-state", "stationary", "lyapunov"),
    *("replicas", "jacobian-edge", "tricritical"),
)


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


#: Why a model may lack a stage.
_ABSENT = {
    "statics": "Not available: constant states are no linear functions of the currents, or an output "
    "is no product of functions of one field each.",
    "zero-state": "Not available: zero is no state of this network, whatever the parameters.",
    "lyapunov": "Not available: the stationary equations do not close (see the stage stationary).",
    "replicas": "Not needed: no gate moves, so that the operator of the stage lyapunov holds.",
}


@dataclass(frozen=True)
class Derivation:
    """All stages of a model's mean-field theory. Prints as text; `latex` gives a document.

    ``layouts`` maps the names of the stages to the functions that lay them out; one that finds its
    stage missing in a model returns None.
    """

    equations: MeanFieldEquations
    layouts: Mapping[str, Layout]

    @cached_property
    def stages(self) -> tuple[Stage, ...]:
        """The stages that the model has; the small-amplitude expansion only when it is shown alone."""
        printer = Printer(self.equations.model)
        alone = len(self.layouts) == 1
        found = []
        for key, layout in self.layouts.items():
            if key == STAGES[-1] and not alone:
                continue
            stage = layout(self.equations, printer)
            if stage is None and alone:
                stage = Stage(key, key.capitalize(), _ABSENT[key], ())
            if stage is not None:
                found.append(stage)
        return tuple(found)

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
        """One stage alone, the only one that is laid out; KeyError unless it is one of `STAGES`.

        ``tricritical`` is the small-amplitude expansion, shown on request only because it takes
        seconds. A stage that the model lacks says why.
        """
        return Derivation(self.equations, {key: self.layouts[key]})

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
        names: dict[sp.Symbol, str] = {}
        for field in model.fields:
            names[field.symbol] = field.latex or field.name
        for parameter in model.parameters:
            names[parameter.symbol] = parameter.latex or parameter.name
        for n in model.nonlinearities:
            names[sp.Symbol(n.name)] = n.latex or n.name
        for c, f in zip(model.couplings, driven_fields(model), strict=True):
            names[c.symbol] = rf"\xi_{{{f}}}"
            for field in model.fields:  # factors of outputs that bear no declared name
                unnamed = rf"f_{{\xi_{{{f}}},{field.latex or field.name}}}"
                names.setdefault(sp.Symbol(f"{c.current}_{field.name}"), unnamed)
        for i in model.inputs:
            names[i.symbol] = i.latex or i.name
        for field in model.fields:
            label = field.latex or field.name
            names[variance_symbol(field.name)] = rf"C_{{{label}}}(0)"
            names[covariance_symbol(field.name)] = rf"C_{{{label}}}(\tau)"
        self.names = names

    def both(self, left: tuple[str, str], right: sp.Expr | int) -> Equation:
        """An equation whose left side is given in text and LaTeX."""
        shown = self.shown(right)
        return Equation(f"{left[0]} = {shown.text}", f"{left[1]} = {shown.latex}")

    def shown(self, expression: sp.Expr | int, order: str | None = "none") -> Formula:
        """An expression with the declared names; ``order`` of its sums as in sympy's printers."""
        short = self.model.named(expression)
        latex = sp.latex(short, symbol_names=self.names, order=order)
        return Formula(sp.sstr(short, order=order), str(latex))

    def filter(self, gain: sp.Expr) -> Formula:
        """A rational function of the frequency, in brackets in text."""
        shown = self.shown(gain, order=None)
        return Formula(f"({shown.text})", shown.latex)

    def factor(self, expression: sp.Expr | int) -> Formula:
        """An expression that stands before another: nothing for one, brackets where they are needed."""
        if expression == 1:
            return Formula("", "")
        shown = self.shown(expression)
        sign = sp.sympify(expression).is_Add or shown.text.startswith("-")
        text = f"({shown.text})" if sign or "/" in shown.text else shown.text
        latex = rf"\left({shown.latex}\right)" if sign else shown.latex
        return Formula(f"{text} ", rf"{latex}\,")

    def function(self, label: str) -> Formula:
        """The label of a factor of an output, with the primes of its derivatives."""
        base = label.rstrip("'")
        symbol = sp.Symbol(base)
        return Formula(label, self.names.get(symbol, sp.latex(symbol)) + label[len(base) :])

    def field(self, index: int) -> tuple[str, str]:
        """Name and LaTeX of a field."""
        part = self.model.fields[index]
        return part.name, part.latex or part.name


def driven_fields(model: Model) -> list[str]:
    """For each current, the LaTeX of a field that it drives; numbered if several drive the same."""
    labels = []
    for coupling in model.couplings:
        fields = [
            f for f in model.fields if sp.sympify(model.dynamics[f.name]).has(coupling.symbol)
        ]
        labels.append((fields[0].latex or fields[0].name) if fields else coupling.current)
    return [
        f"{label},{labels[: i + 1].count(label)}" if labels.count(label) > 1 else label
        for i, label in enumerate(labels)
    ]


#: Lays out one stage of a theory.
Layout: TypeAlias = Callable[[MeanFieldEquations, Printer], Stage | None]
