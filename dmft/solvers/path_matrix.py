r"""Sparse matrices whose entries are arrays over times and paths, and one Runge-Kutta step with them.

A linear system x' = A(t) x + f(t) is stepped by the classical fourth-order rule, which is a linear
map of x and of f at the beginning, the middle and the end of the step:

    x(t + h) = P x(t) + U_0 f(t) + U_1 f(t + h/2) + U_2 f(t + h),

    P   = 1 + h/6 (k_1 + 2 k_2 + 2 k_3 + k_4),   k_1 = A_0,  k_2 = A_1 (1 + h/2 k_1),
                                                 k_3 = A_1 (1 + h/2 k_2),  k_4 = A_2 (1 + h k_3),
    U_0 = h/6 (1 + h A_1 + h^2/2 A_1^2 + h^3/4 A_2 A_1^2),
    U_1 = h/6 (4 + h A_1 + h A_2 + h^2/2 A_2 A_1),     U_2 = h/6

(Hairer, Norsett & Wanner, Solving ODEs I, table II.1.2). It keeps a constant where the exact system
does: for x' = a(t) (f - x) with f constant, x = f stays.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

__all__ = ["PathMatrix", "RungeKuttaStep", "identity", "runge_kutta_step"]


@dataclass(frozen=True)
class PathMatrix:
    """``entries`` maps (row, column) to an array or a number; what is absent is zero."""

    entries: Mapping[tuple[int, int], Any]

    def __add__(self, other: PathMatrix) -> PathMatrix:
        total = dict(self.entries)
        for place, value in other.entries.items():
            total[place] = total[place] + value if place in total else value
        return PathMatrix(total)

    def __matmul__(self, other: PathMatrix) -> PathMatrix:
        total: dict[tuple[int, int], Any] = {}
        for (i, k), left in self.entries.items():
            for (m, j), right in other.entries.items():
                if k == m:
                    term = left * right
                    total[i, j] = total[i, j] + term if (i, j) in total else term
        return PathMatrix(total)

    def scaled(self, factor: float) -> PathMatrix:
        """The matrix times a number."""
        return PathMatrix({place: factor * value for place, value in self.entries.items()})


def identity(size: int) -> PathMatrix:
    """The unit matrix."""
    return PathMatrix({(i, i): 1.0 for i in range(size)})


@dataclass(frozen=True)
class RungeKuttaStep:
    """P and (U_0, U_1, U_2)."""

    propagator: PathMatrix
    forcing: tuple[PathMatrix, PathMatrix, PathMatrix]


def runge_kutta_step(
    a: tuple[PathMatrix, PathMatrix, PathMatrix], size: int, step: float
) -> RungeKuttaStep:
    """The linear map of one step; ``a`` is A at its beginning, middle and end."""
    a0, a1, a2 = a
    one, h = identity(size), step
    k2 = a1 @ (one + a0.scaled(h / 2))
    k3 = a1 @ (one + k2.scaled(h / 2))
    k4 = a2 @ (one + k3.scaled(h))
    square = a1 @ a1
    return RungeKuttaStep(
        propagator=one + (a0 + k2.scaled(2) + k3.scaled(2) + k4).scaled(h / 6),
        forcing=(
            (
                one + a1.scaled(h) + square.scaled(h * h / 2) + (a2 @ square).scaled(h * h * h / 4)
            ).scaled(h / 6),
            (one.scaled(4) + (a1 + a2).scaled(h) + (a2 @ a1).scaled(h * h / 2)).scaled(h / 6),
            one.scaled(h / 6),
        ),
    )
