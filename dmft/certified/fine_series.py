r"""The Hermite series of `gaussian.pair_average` with many digits.

F(D, rho D) = sum_n c_n(D)^2 rho^n,  c_n = E f(sqrt(D) x) he_n(x), from the trapezoid rule with Hermite
functions psi_n = he_n sqrt(w) on its nodes (a stable recurrence). The step must resolve both f and
psi_n, whose wave number is sqrt(n).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import mpmath
import numpy as np

from dmft.codegen.multiprecision import multiprecision
from dmft.codegen.tape import Tape

from .fixed_point import FixedPoint, Integers
from .trapezoid import first_output

__all__ = ["FineSeries", "HermiteNodes", "fine_series"]

_MOST_TERMS = 12000


@dataclass
class HermiteNodes:
    """Rows psi_n at nodes 0, h, 2h, ...; made once and longer as needed."""

    fixed: FixedPoint
    step: mpmath.mpf
    digits: int

    def __post_init__(self) -> None:
        with mpmath.workprec(self.fixed.bits + 32):
            reach = mpmath.sqrt(4 * (self.digits + 6) * mpmath.log(10))
            count = int(reach / self.step) + 1
            self.places = [self.step * k for k in range(count)]
            self.nodes = self.fixed.array(self.places)
            norm = (2 * mpmath.pi) ** mpmath.mpf("-0.25")
            self.root_density = self.fixed.array(
                [norm * mpmath.exp(-x * x / 4) for x in self.places]
            )
            self.weights = self.fixed.array([2 * self.step] * count)
            self.weights[0] //= 2
        self._rows: list[Integers] = [self.root_density]

    def row(self, n: int) -> Integers:
        """psi_n at the nodes."""
        fixed = self.fixed
        while len(self._rows) <= n:
            k = len(self._rows)
            with mpmath.workprec(fixed.bits + 32):
                root, before = fixed.of(mpmath.sqrt(k)), fixed.of(mpmath.sqrt(k - 1))
            following = self.nodes * self._rows[-1]
            if k > 1:
                following = following - before * self._rows[-2]
            self._rows.append(following // root)
        return self._rows[n]


@dataclass(frozen=True)
class FineSeries:
    """c_n^2 as fixed-point numbers; ``error``: what is cut from F, relative to F(D, D)."""

    fixed: FixedPoint
    squares: Integers
    error: float

    def at(self, rho: Integers) -> Integers:
        """F at correlations rho."""
        return self._sum(self.squares, rho)

    def slope(self, rho: Integers) -> Integers:
        """D dF/dC at correlations rho."""
        return self._sum(self.squares[1:] * np.arange(1, self.squares.size).astype(object), rho)

    def _sum(self, terms: Integers, rho: Integers) -> Integers:
        total = rho * 0 + int(terms[-1])
        for term in terms[-2::-1]:
            total = ((total * rho) >> self.fixed.bits) + int(term)
        return np.asarray(total)


def fine_series(
    tape: Tape, parameters: Mapping[str, Any], variance: Any, nodes: HermiteNodes
) -> FineSeries:
    """The series of the first output of ``tape`` at one variance (numbers of mpmath).

    Raises ArithmeticError when more terms are needed than allowed.
    """
    fixed, digits = nodes.fixed, nodes.digits
    table, context = multiprecision(digits + 20)
    short = first_output(tape)
    deviation = context.sqrt(context.mpf(variance))
    p = {name: context.mpf(value) for name, value in parameters.items()}

    def f(sign: int) -> Integers:
        return fixed.array(
            [
                short.run(table, {**p, short.inputs[0]: sign * deviation * context.mpf(x)})[0]
                for x in nodes.places
            ]
        )

    plus, minus = f(1), f(-1)
    scaled = [
        fixed.product(fixed.product((plus + s * minus) // 2, nodes.weights), nodes.root_density)
        for s in (1, -1)
    ]
    density = fixed.product(nodes.root_density, nodes.root_density)
    power = sum(
        fixed.product(fixed.product(part, part), fixed.product(density, nodes.weights)).sum()
        for part in ((plus + minus) // 2, (plus - minus) // 2)
    )
    cut = power // 10 ** (digits + 2)
    squares: list[int] = []
    rest = power
    while rest * (len(squares) + 1) > cut or len(squares) < 4:
        n = len(squares)
        if n >= _MOST_TERMS:
            raise ArithmeticError("a Hermite series needs more terms than allowed")
        c = int((nodes.row(n) * scaled[n % 2]).sum()) >> fixed.bits
        squares.append((c * c) >> fixed.bits)
        rest -= squares[-1]
        if n > 8 and rest < 0 and -rest < cut:
            break
    table_of = np.empty(len(squares), dtype=object)
    table_of[:] = squares
    return FineSeries(fixed, table_of, abs(rest) / power)


def adequate_step(square: Callable[[Any], Any], digits: int) -> mpmath.mpf:
    """The step at which the trapezoid rule for E f^2 is good to ``digits``, f^2(x) by ``square``."""
    with mpmath.workdps(digits + 15):
        step, before = mpmath.mpf(1) / 4, None
        reach = mpmath.sqrt(2 * (digits + 6) * mpmath.log(10))
        while step > mpmath.mpf(1) / 2048:
            count = int(reach / step)
            total = mpmath.fsum(
                square(step * k) * mpmath.exp(-((step * k) ** 2) / 2)
                for k in range(-count, count + 1)
            )
            total *= step
            if before is not None and abs(total - before) < mpmath.mpf(10) ** (
                -digits // 2 - 2
            ) * abs(total):
                return step
            before, step = total, step / 2
    raise ArithmeticError("a function is too steep for many digits")
