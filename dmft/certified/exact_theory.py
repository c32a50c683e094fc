"""A compiled theory at exact parameters: matrices and vectors of its tapes in balls or series."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from dmft.codegen.tape import Table, Tape
from dmft.codegen.taylor import Series, taylor
from dmft.codegen.theory import CompiledTheory

__all__ = ["ExactTheory", "determinant", "exact", "pair", "solve_exactly"]


def exact(value: float) -> Fraction:
    """The decimal that a float is printed as: the one that was typed.

    >>> exact(0.1)
    Fraction(1, 10)
    """
    return Fraction(repr(float(value)))


def pair(value: Any, derivative: Any) -> Series:
    """A number with its derivative along one direction."""
    return Series([value, derivative])


@dataclass(frozen=True)
class ExactTheory:
    """``fixed`` holds exact values of all parameters but the unknown ones."""

    theory: CompiledTheory
    fixed: Mapping[str, Fraction]

    def parameters(self, balls: Table, unknown: Mapping[str, Any]) -> dict[str, Any]:
        """All parameters as balls; ``unknown`` ones as given (balls, or pairs with a derivative)."""
        assert balls.admit is not None
        return {k: balls.admit(k, v) for k, v in self.fixed.items()} | dict(unknown)

    def vector(self, name: str, balls: Table, p: Mapping[str, Any]) -> list[Series]:
        """One of the vectors, entries with their derivatives."""
        return _pairs(self.theory.vectors[name], balls, p)

    def matrix(self, name: str, balls: Table, p: Mapping[str, Any]) -> list[list[Series]]:
        """One of the matrices, row by row."""
        part = self.theory.matrices[name]
        entries = _pairs(part.tape, balls, p)
        rows, columns = part.shape
        return [entries[i * columns : (i + 1) * columns] for i in range(rows)]


def _pairs(tape: Tape, balls: Table, p: Mapping[str, Any]) -> list[Series]:
    table, _ = taylor(balls, 1)
    results = tape.run(table, p)
    return [v if isinstance(v, Series) else Series([v, v * 0]) for v in results]


def solve_exactly(matrix: list[list[Series]], right: list[list[Series]]) -> list[list[Series]]:
    """Solve for several right-hand sides (columns) by elimination with pivoting."""
    size = len(matrix)
    rows = [[*matrix[i], *right[i]] for i in range(size)]
    for column in range(size):
        best = max(range(column, size), key=lambda i: abs(float(rows[i][column][0].mid())))
        rows[column], rows[best] = rows[best], rows[column]
        pivot = rows[column][column]
        rows[column] = [entry / pivot for entry in rows[column]]
        for i in range(size):
            if i != column:
                factor = rows[i][column]
                rows[i] = [a - factor * b for a, b in zip(rows[i], rows[column], strict=True)]
    return [row[size:] for row in rows]


def determinant(matrix: list[list[Series]]) -> Series:
    """By expansion along the first row; matrices are small."""
    if len(matrix) == 1:
        return matrix[0][0]
    total: Any = None
    for j, entry in enumerate(matrix[0]):
        minor = [row[:j] + row[j + 1 :] for row in matrix[1:]]
        term = entry * determinant(minor) * (-1) ** j
        total = term if total is None else total + term
    result: Series = total
    return result
