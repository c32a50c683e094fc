r"""Folds and stability edges of constant solutions, as systems for Krawczyk's test.

Unknowns are the variances Delta_k of the driven fields and the parameter p; for a fold also the null
vector v of the linearised equations, one component of which is one:

    fold:  F_k = drive_k(Delta, p) - Delta_k = 0,      sum_j dF_k/dDelta_j v_j = 0
    edge:  F_k = 0,                                    det(1 - R^2 dS/dC) = 0

with drive and dS/dC as in `solvers.static_system`. Fields must have no mean.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from dmft.codegen.tape import Table
from dmft.codegen.taylor import Series

from ..solvers.static_system import StaticSystem
from .exact_theory import ExactTheory, determinant, exact, pair
from .functionals import Functionals, functionals
from .krawczyk import CertificationError, certified_root

__all__ = ["certified_edge", "certified_fold"]


def certified_fold(
    system: StaticSystem,
    base: Mapping[str, float],
    unknown: str,
    start: tuple[float, float],
    digits: int,
) -> Any:
    """The unknown parameter at a fold near ``start`` = (amplitude, parameter), as a ball."""
    equations = _Static.of(system, base, unknown)
    variances, null = equations.float_start(*start)
    leading = int(np.argmax(abs(null)))
    null = null / null[leading]
    others = [i for i in range(len(null)) if i != leading]

    def fold(x: Sequence[Any], balls: Table, quadrature: int) -> tuple[list[Any], list[list[Any]]]:
        n = len(variances)
        read = equations.averages(x[:n], x[n], balls, quadrature)
        columns = []
        for direction in range(2 * n):
            u = _along(x, direction, balls)
            v: list[Any] = [balls.rational(1, 1)] * n
            for place, value in zip(others, u[n + 1 :], strict=True):
                v[place] = value
            columns.append(equations.fold(u[:n], u[n], v, read, balls))
        return _assembled(columns)

    root = certified_root(fold, [*variances, start[1], *(null[i] for i in others)], digits)
    return root[len(variances)]


def certified_edge(
    system: StaticSystem,
    base: Mapping[str, float],
    unknown: str,
    start: tuple[float, float],
    digits: int,
) -> Any:
    """The unknown parameter where a constant state has det(1 - R^2 dS/dC) = 0, as a ball."""
    equations = _Static.of(system, base, unknown)
    variances, _ = equations.float_start(*start)

    def edge(x: Sequence[Any], balls: Table, quadrature: int) -> tuple[list[Any], list[list[Any]]]:
        n = len(variances)
        read = equations.averages(x[:n], x[n], balls, quadrature)
        columns = []
        for direction in range(n + 1):
            u = _along(x, direction, balls)
            columns.append(equations.edge(u[:n], u[n], read, balls))
        return _assembled(columns)

    return certified_root(edge, [*variances, start[1]], digits)[len(variances)]


def _along(x: Sequence[Any], direction: int, balls: Table) -> list[Series]:
    """The unknowns with their derivative along one of them."""
    return [pair(v, balls.rational(int(i == direction), 1)) for i, v in enumerate(x)]


def _assembled(columns: list[list[Series]]) -> tuple[list[Any], list[list[Any]]]:
    """Values and Jacobian from one list of equations per direction."""
    values = [equation[0] for equation in columns[0]]
    return values, [[column[i][1] for column in columns] for i in range(len(values))]


@dataclass(frozen=True)
class _Static:
    """The equations of a theory; averages are evaluated once for all directions."""

    system: StaticSystem
    exact: ExactTheory
    base: Mapping[str, float]
    unknown: str

    @staticmethod
    def of(system: StaticSystem, base: Mapping[str, float], unknown: str) -> _Static:
        fixed = {name: exact(value) for name, value in base.items() if name != unknown}
        return _Static(system, ExactTheory(system.theory, fixed), base, unknown)

    def float_start(self, amplitude: float, value: float) -> tuple[list[float], Any]:
        """Variances, and the null vector of the linearised equations."""
        rows = self.system.at(np.array([amplitude]), {**self.base, self.unknown: value})
        if np.any(rows.means):
            raise CertificationError("fields have a mean: such states are not certified")
        n = len(self.system.fields)
        jacobian = rows.jacobian[:n, :n, 0]
        null = np.linalg.svd(jacobian)[2][-1] * rows.variances[:, 0]
        return [float(v) for v in rows.variances[:, 0]], null

    def averages(
        self, variances: Sequence[Any], value: Any, balls: Table, digits: int
    ) -> dict[int, Functionals]:
        """Functionals of every function at balls."""
        p = self.exact.parameters(balls, {self.unknown: value})
        theory, place = self.system.theory, {f: i for i, f in enumerate(self.system.fields)}
        return {
            f: functionals(
                theory.functions[f].tape,
                p,
                self.unknown,
                balls.rational(0, 1),
                variances[place[theory.functions[f].field]],
                balls,
                digits,
            )
            for f in {f for o in theory.static_outputs for f in o.factors}
        }

    def _moment(
        self, read: Mapping[int, Functionals], f: int, name: str, variance: Series, p: Series
    ) -> Series:
        """A functional along the direction of the variance's and the parameter's derivatives."""
        found = read[f]
        following = {"square": "square_d", "square_d": "square_dd", "slope": "slope_d"}[name]
        derivative = getattr(found, following) * variance[1] + found.by_parameter[name] * p[1]
        return pair(getattr(found, name), derivative)

    def _coefficients(
        self, p: Series, balls: Table
    ) -> tuple[list[list[Series]], list[Series], list[Series]]:
        """R_ka^2 of the driven fields, v_a c_a^2, and what inputs add."""
        q = self.exact.parameters(balls, {self.unknown: p})
        fields = self.system.fields
        response = self.exact.matrix("response", balls, q)
        power = [[entry * entry for entry in response[k]] for k in fields]
        weights = self.exact.vector("weights", balls, q)
        factors = self.exact.vector("static_coefficients", balls, q)
        strength = [v * c * c for v, c in zip(weights, factors, strict=True)]
        zero = pair(balls.rational(0, 1), balls.rational(0, 1))
        added = [zero for _ in fields]
        if self.system.theory.info.inputs:
            forcing = self.exact.matrix("quenched_response", balls, q)
            variances = self.exact.vector("quenched_variances", balls, q)
            added = [
                sum((r * r * v for r, v in zip(forcing[k], variances, strict=True)), zero)
                for k in fields
            ]
        return power, strength, added

    def _outputs(self) -> list[list[tuple[int, int]]]:
        """(function, place of its field) of every factor of every output."""
        theory, place = self.system.theory, {f: i for i, f in enumerate(self.system.fields)}
        return [
            [(f, place[theory.functions[f].field]) for f in output.factors]
            for output in theory.static_outputs
        ]

    def _products(
        self,
        read: Mapping[int, Functionals],
        u: Sequence[Series],
        p: Series,
        one: Series,
        special: str,
    ) -> tuple[list[Series], list[dict[int, Series]]]:
        """prod E f^2 of every output, and for each field the same with one factor replaced."""
        totals, replaced = [], []
        for factors in self._outputs():
            squares = [self._moment(read, f, "square", u[j], p) for f, j in factors]
            total = one
            for square in squares:
                total = total * square
            parts: dict[int, Series] = {}
            for i, (f, j) in enumerate(factors):
                term = self._moment(read, f, special, u[j], p)
                for k, square in enumerate(squares):
                    if k != i:
                        term = term * square
                parts[j] = parts[j] + term if j in parts else term
            totals.append(total)
            replaced.append(parts)
        return totals, replaced

    def _balance(
        self,
        u: Sequence[Series],
        totals: Sequence[Series],
        power: Sequence[Sequence[Series]],
        strength: Sequence[Series],
        added: Sequence[Series],
    ) -> list[Series]:
        result = []
        for k, variance in enumerate(u):
            total = added[k] - variance
            for a, product in enumerate(totals):
                total = total + power[k][a] * strength[a] * product
            result.append(total)
        return result

    def fold(
        self,
        u: Sequence[Series],
        p: Series,
        v: Sequence[Any],
        read: Mapping[int, Functionals],
        balls: Table,
    ) -> list[Series]:
        """F and F' v."""
        one = pair(balls.rational(1, 1), balls.rational(0, 1))
        power, strength, added = self._coefficients(p, balls)
        totals, slopes = self._products(read, u, p, one, "square_d")
        linear = []
        for k in range(len(u)):
            total = -1 * (one * v[k])
            for a, parts in enumerate(slopes):
                for j, slope in parts.items():
                    total = total + power[k][a] * strength[a] * slope * v[j]
            linear.append(total)
        return self._balance(u, totals, power, strength, added) + linear

    def edge(
        self, u: Sequence[Series], p: Series, read: Mapping[int, Functionals], balls: Table
    ) -> list[Series]:
        """F and det(1 - R^2 dS/dC)."""
        one = pair(balls.rational(1, 1), balls.rational(0, 1))
        zero = pair(balls.rational(0, 1), balls.rational(0, 1))
        power, strength, added = self._coefficients(p, balls)
        totals, weights = self._products(read, u, p, one, "slope")
        n = len(u)
        matrix = []
        for k in range(n):
            row = []
            for j in range(n):
                entry = one if k == j else zero
                for a, parts in enumerate(weights):
                    if j in parts:
                        entry = entry - power[k][a] * strength[a] * parts[j]
                row.append(entry)
            matrix.append(row)
        return [*self._balance(u, totals, power, strength, added), determinant(matrix)]
