"""Perturbations along a path of the gating fields, in text and LaTeX: propagator, sources, moments."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import sympy as sp

from .derivation import Equation, Printer
from .formula import Formula, braced, joined
from .replicas import ReplicaEquations

__all__ = ["PathLayout"]


@dataclass(frozen=True)
class _Drive:
    """What perturbs a conditional field: a weight times the perturbation of ``name``."""

    weight: Formula
    name: str
    label: Formula


class PathLayout:
    """Lays out what the operator says of the conditional fields at a given path."""

    def __init__(self, operator: ReplicaEquations, printer: Printer) -> None:
        self.operator, self.printer, self.model = operator, printer, operator.model
        self.shown = printer.shown
        self.currents = [c.current for c in self.model.couplings]
        self.labels = {f.name: Formula(f.name, f.latex or f.name) for f in self.model.fields}
        self.labels |= {
            c.current: Formula(c.current, printer.names[c.symbol]) for c in self.model.couplings
        }

    def indexed(self, letter: str, *names: str, latex: str | None = None) -> Formula:
        """A letter with fields or currents as indices."""
        index = joined((self.labels[n] for n in names), "," if len(names) > 1 else "")
        return Formula(f"{letter}_{index.text}", f"{latex or letter}_{{{index.latex}}}")

    def second_moment(self, first: str, second: str) -> Formula:
        """S of currents, chi of free and k of conditional fields, <delta delta'> of a mixed pair."""
        if first in self.currents and second in self.currents:
            names = sorted({first, second}, key=self.currents.index)
            return self.indexed("S", *names)
        if first == second:
            if first in self.operator.conditional:
                return self.indexed("k", first)
            return self.indexed("chi", first, latex=r"\chi")
        one, other = self.labels[first], self.labels[second]
        return Formula(
            f"<delta {one.text} delta {other.text}'>",
            rf"\langle \delta {one.latex}\,\delta {other.latex}' \rangle",
        )

    def correlated(self, first: str, second: str) -> bool:
        """Whether perturbations of two fields or currents are."""
        reached = [
            {name} if name in self.currents else self.operator.driven_by[name]
            for name in (first, second)
        ]
        return any(
            self.operator.covariance[a, b] != 0
            for a, one in enumerate(self.currents)
            for b, other in enumerate(self.currents)
            if one in reached[0] and other in reached[1]
        )

    @cached_property
    def followed(self) -> list[list[int]]:
        """For every conditional field the conditional ones that it follows, itself first."""
        size = len(self.operator.conditional)
        result = []
        for c in range(size):
            seen = [c]
            for row in seen:
                seen += [
                    d for d in range(size) if self.operator.generator[row, d] != 0 and d not in seen
                ]
            result.append(seen)
        return result

    def propagator(self, c: int, d: int) -> Formula:
        """P, or P_cd when several fields are conditional."""
        names = self.operator.conditional
        return self.indexed("P", names[c], names[d]) if len(names) > 1 else Formula("P", "P")

    def propagators(self) -> list[Equation]:
        """dP/dt = A_cc P."""
        lines = []
        for c, row in enumerate(self.followed):
            for d in row:
                p = self.propagator(c, d)
                terms = [
                    self._bracketed(self.operator.generator[c, e]).at("t")
                    + Formula(" ", r"\,")
                    + self.propagator(e, d).at("t,u")
                    for e in row
                    if self.operator.generator[c, e] != 0 and d in self.followed[e]
                ]
                change = joined(terms) if terms else Formula("0", "0")
                start = int(c == d)
                lines.append(
                    Equation(
                        f"d/dt {p.text}(t,u) = {change.text},  {p.text}(u,u) = {start}",
                        rf"\partial_t {p.latex}(t,u) = {change.latex},\quad {p.latex}(u,u) = {start}",
                    )
                )
        return lines

    def _bracketed(self, expression: sp.Expr) -> Formula:
        inner = self.shown(expression)
        return Formula(f"[{inner.text}]", f"[{inner.latex}]")

    def slope(self, row: int, gate: str) -> Formula:
        """The slope of a conditional field's drift by a gating field: q_hz."""
        return self.indexed("q", self.operator.conditional[row], gate)

    def gates_of(self, row: int) -> list[str]:
        """Gating fields whose perturbation is a source of a conditional field."""
        operator = self.operator
        return [
            y for y in operator.gating if operator.source_matrix[row, operator.free.index(y)] != 0
        ]

    def slopes(self) -> list[Equation]:
        """q = (dA/dy) x + (dB/dy) xi + (dE/dy) I along the unperturbed path."""
        lines = []
        for row in range(len(self.operator.conditional)):
            for gate in self.gates_of(row):
                q = self.slope(row, gate)
                value = self.shown(self.operator.source_matrix[row, self.operator.free.index(gate)])
                lines.append(Equation(f"{q.text} = {value.text}", f"{q.latex} = {value.latex}"))
        return lines

    def drives(self, row: int) -> list[_Drive]:
        """Perturbed currents, gates and other fields that drive a conditional field."""
        operator = self.operator
        direct = zip(self.currents, operator.input_matrix.row(row), strict=True)
        passed = zip(operator.free, operator.source_matrix.row(row), strict=True)
        found = []
        for name, weight in (*direct, *passed):
            if weight != 0:
                gate = name in operator.gating
                shown = self.slope(row, name) if gate else self._bracketed(weight)
                label = Formula("delta ", r"\delta ") + self.labels[name]
                found.append(_Drive(shown, name, label))
        return found

    def perturbations(self) -> list[Equation]:
        """delta x_c along a path."""
        lines = []
        for c, name in enumerate(self.operator.conditional):
            terms = []
            for d in self.followed[c]:
                inner = [
                    drive.weight.at("u") + Formula(" ", r"\,") + drive.label.at("u")
                    for drive in self.drives(d)
                ]
                if inner:
                    space = Formula(" ", "")
                    terms.append(self.propagator(c, d).at("t,u") + space + braced(joined(inner)))
            total, label = joined(terms), self.labels[name]
            lines.append(
                Equation(
                    f"delta {name}(t) = int^t du exp(-lambda*(t - u)) {total.text}",
                    rf"\delta {label.latex}(t) = \int^t du\,e^{{-\lambda (t-u)}}\,{total.latex}",
                )
            )
        return lines

    def path_moments(self) -> list[Equation]:
        """k(t, t') = <delta x_c delta x_c'> at a given path."""
        lines = []
        for c, name in enumerate(self.operator.conditional):
            terms = []
            for d in self.followed[c]:
                for e in self.followed[c]:
                    inner = self._drive_moments(d, e)
                    if inner:
                        p = self.propagator(c, d).at("t,u") + Formula(" ", r"\,")
                        p += self.propagator(c, e).at("t',u'") + Formula(" ", "")
                        terms.append(p + braced(joined(inner)))
            total, k = joined(terms), self.second_moment(name, name)
            lines.append(
                Equation(
                    f"{k.text}(t,t') = int int du du' exp(-lambda*(t - u + t' - u')) {total.text}",
                    rf"{k.latex}(t,t') = \iint du\,du'\,e^{{-\lambda(t-u+t'-u')}}\,{total.latex}",
                )
            )
        return lines

    def _drive_moments(self, row: int, other: int) -> list[Formula]:
        found = []
        for one in self.drives(row):
            for two in self.drives(other):
                if self.correlated(one.name, two.name):
                    moment = self.second_moment(one.name, two.name)
                    weights = one.weight.at("u") + Formula(" ", r"\,") + two.weight.at("u'")
                    found.append(weights + Formula(" ", r"\,") + moment.at("u-u'"))
        return found
