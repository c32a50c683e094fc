"""An expression under construction, with what is known of it before sympy does any work.

Where its values lie rules out 1/0 and kinks hidden in roots; its size, if written out, rules out
expressions that a later simplification would drown in. Each operation checks first and computes
then: nothing large is ever evaluated.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from math import comb

import sympy as sp

from .admissible import FUNCTIONS, objection
from .bounds import ANY, NONNEGATIVE, POSITIVE, Interval, of_function

__all__ = ["MAX_EXPONENT", "Quantity", "RefusedError"]

#: |n| in x^n.
MAX_EXPONENT = 20
#: Bits in numerator and denominator of an exact number: 10^30 to the third.
_MAX_BITS = 300
#: Symbols, numbers and operations, declared nonlinearities written out.
_MAX_NODES = 400
#: Terms of the sum that one gets by multiplying out.
_MAX_TERMS = 200
#: Total power in the same sum.
_MAX_DEGREE = 40


class RefusedError(ValueError):
    """An operation that the language does not allow; the parser adds where."""


@dataclass(frozen=True)
class Quantity:
    """``expression``; the ``range`` of its values; ``nodes``, and ``terms`` and ``degree`` once
    multiplied out (functions count as variables)."""

    expression: sp.Expr
    range: Interval
    nodes: int = 1
    terms: int = 1
    degree: int = 1

    @staticmethod
    def number(value: sp.Rational) -> Quantity:
        """An exact number."""
        point = Interval.point(Fraction(int(value.p), int(value.q)))
        return _checked(Quantity(value, point, degree=0))

    @staticmethod
    def of_symbol(symbol: sp.Symbol) -> Quantity:
        """A field, current or parameter; a positive one is known to be."""
        if symbol.is_positive:
            return Quantity(symbol, POSITIVE)
        return Quantity(symbol, NONNEGATIVE if symbol.is_nonnegative else ANY)

    @staticmethod
    def constant(name: str) -> Quantity:
        """A number with a name; KeyError if there is none."""
        return _CONSTANTS[name]

    def __neg__(self) -> Quantity:
        return self._sized(-self.range, self.nodes + 1, self.terms, self.degree, lambda x: -x)

    def __add__(self, other: Quantity) -> Quantity:
        return self._sized(
            self.range + other.range,
            self.nodes + other.nodes + 1,
            self.terms + other.terms,
            max(self.degree, other.degree),
            lambda x: x + other.expression,
        )

    def __sub__(self, other: Quantity) -> Quantity:
        return self + -other

    def __mul__(self, other: Quantity) -> Quantity:
        return self._sized(
            self.range * other.range,
            self.nodes + other.nodes + 1,
            self.terms * other.terms,
            self.degree + other.degree,
            lambda x: x * other.expression,
        )

    def __truediv__(self, other: Quantity) -> Quantity:
        return self * other.power(-1)

    def power(self, n: int) -> Quantity:
        """The n-th power for a whole number n."""
        if abs(n) > MAX_EXPONENT:
            raise RefusedError(
                f"exponents are whole numbers from -{MAX_EXPONENT} to {MAX_EXPONENT}"
            )
        if n < 0 and not self.range.nonzero:
            raise RefusedError(
                f"the divisor {_short(self.expression)} may be zero; it must be shown to be nonzero "
                "for all fields and all allowed parameters, like 1 + x^2 or a parameter with "
                "positive = true"
            )
        return self._sized(
            self.range.power(n),
            self.nodes + 2,
            comb(self.terms + abs(n) - 1, abs(n)),
            self.degree * abs(n),
            lambda x: x**n,
        )

    def apply(self, name: str) -> Quantity:
        """A function of the table `FUNCTIONS`."""
        if name in ("log", "sqrt") and not self.range.positive:
            raise RefusedError(
                f"the argument {_short(self.expression)} of {name} may be zero or negative, where "
                f"{name} is not smooth; it must be shown to be positive for all fields and all "
                "allowed parameters, like 1 + x^2 or a parameter with positive = true"
            )
        if name == "exp":  # sympy turns exp(n*log(m)) into the number m^n
            for term in sp.Add.make_args(self.expression):
                if term.has(sp.log) and abs(term.as_coeff_Mul()[0]) > MAX_EXPONENT:
                    raise RefusedError(f"exp(n*log(...)) needs |n| <= {MAX_EXPONENT}")
        return self._sized(of_function(name, self.range), self.nodes + 1, 1, 1, FUNCTIONS[name])

    def _sized(
        self,
        values: Interval,
        nodes: int,
        terms: int,
        degree: int,
        compute: Callable[[sp.Expr], sp.Expr],
    ) -> Quantity:
        """Refuse what is too large, then let sympy build it."""
        if nodes > _MAX_NODES:
            raise RefusedError(f"the expression written out has more than {_MAX_NODES} parts")
        if terms > _MAX_TERMS:
            raise RefusedError(f"the expression multiplied out has more than {_MAX_TERMS} terms")
        if degree > _MAX_DEGREE:
            raise RefusedError(f"powers multiply to more than {_MAX_DEGREE}")
        return _checked(Quantity(compute(self.expression), values, nodes, terms, degree))


_CONSTANTS = {"pi": Quantity(sp.pi, Interval(Fraction(3), Fraction(4)))}


def _checked(made: Quantity) -> Quantity:
    """Refuse long numbers, and what sympy turned into something that may not stand here."""
    for number in made.expression.atoms(sp.Rational):
        if max(int(number.p).bit_length(), int(number.q).bit_length()) > _MAX_BITS:
            raise RefusedError(f"a number here has more than {_MAX_BITS} binary digits")
    reason = objection(made.expression)
    if reason:
        raise RefusedError(reason)
    return made


def _short(expression: sp.Expr) -> str:
    text = str(expression)
    return text if len(text) <= 40 else f"{text[:37]}..."
