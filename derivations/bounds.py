"""Between which numbers does an expression lie? Enough to rule out 1/0 and roots of negatives.

Interval arithmetic with exact ends: the fields take any real value, tanh lies in (-1, 1), a square
is not negative. The answer may be too wide (x*x is not recognised as x^2), never too narrow.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from fractions import Fraction

__all__ = ["ANY", "NONNEGATIVE", "POSITIVE", "Interval", "of_function"]

#: An exact number, or an infinity.
End = Fraction | float


@dataclass(frozen=True)
class Interval:
    """All numbers from ``low`` to ``high``; an end marked open is not reached."""

    low: End
    high: End
    low_open: bool = False
    high_open: bool = False

    @staticmethod
    def point(value: Fraction) -> Interval:
        """A single number."""
        return Interval(value, value)

    @property
    def positive(self) -> bool:
        """Whether every number in it is > 0."""
        return self.low > 0 or (self.low == 0 and self.low_open)

    @property
    def nonzero(self) -> bool:
        """Whether 0 is not in it."""
        return self.positive or (-self).positive

    @property
    def nonnegative(self) -> bool:
        """Whether every number in it is >= 0."""
        return self.low >= 0

    def __neg__(self) -> Interval:
        return Interval(-self.high, -self.low, self.high_open, self.low_open)

    def __add__(self, other: Interval) -> Interval:
        return Interval(
            self.low + other.low,
            self.high + other.high,
            self.low_open or other.low_open,
            self.high_open or other.high_open,
        )

    def __mul__(self, other: Interval) -> Interval:
        ends = [
            _product(a, b)
            for a in ((self.low, self.low_open), (self.high, self.high_open))
            for b in ((other.low, other.low_open), (other.high, other.high_open))
        ]
        low, low_open = min(ends)  # False < True: a reached end wins over an open one
        high, high_open = max(ends, key=lambda end: (end[0], not end[1]))
        return Interval(low, high, low_open, high_open)

    def power(self, n: int) -> Interval:
        """All n-th powers; a negative n needs an interval without 0."""
        if n < 0:
            return self._inverse().power(-n)
        if n == 0:
            return Interval.point(Fraction(1))
        if n % 2 and not self.nonnegative and not (-self).nonnegative:
            return Interval(
                _raise(self.low, n), _raise(self.high, n), self.low_open, self.high_open
            )
        if n % 2 == 0 and self.low < 0 < self.high:
            top, reached = max((-self.low, not self.low_open), (self.high, not self.high_open))
            return Interval(Fraction(0), _raise(top, n), False, not reached)
        if not self.nonnegative and (-self).nonnegative:
            return (-self).power(n) if n % 2 == 0 else -((-self).power(n))
        return Interval(_raise(self.low, n), _raise(self.high, n), self.low_open, self.high_open)

    def _inverse(self) -> Interval:
        if not self.positive:
            return -((-self)._inverse())
        low = Fraction(0) if math.isinf(self.high) else 1 / Fraction(self.high)
        high: End = math.inf if self.low == 0 else 1 / Fraction(self.low)
        return Interval(low, high, self.high_open or low == 0, self.low_open)


ANY = Interval(-math.inf, math.inf, True, True)
NONNEGATIVE = Interval(Fraction(0), math.inf, False, True)
POSITIVE = Interval(Fraction(0), math.inf, True, True)
_UNIT = Interval(Fraction(-1), Fraction(1), True, True)


def of_function(name: str, argument: Interval) -> Interval:
    """Where a function's values lie; ``log`` and ``sqrt`` need a positive argument."""
    if name in ("exp", "sqrt"):
        return POSITIVE
    if name == "log":
        return POSITIVE if argument.low >= 1 and (argument.low > 1 or argument.low_open) else ANY
    if name == "logistic":
        return Interval(Fraction(0), Fraction(1), True, True)
    if name in ("tanh", "erf"):
        if argument.positive:
            return Interval(Fraction(0), Fraction(1), True, True)
        return _UNIT
    if name in ("sin", "cos"):
        return Interval(Fraction(-1), Fraction(1))
    return ANY


def _product(a: tuple[End, bool], b: tuple[End, bool]) -> tuple[End, bool]:
    """An end of a product: 0 times anything is 0, reached where a factor reaches it."""
    if a[0] == 0 or b[0] == 0:
        reached = (a[0] == 0 and not a[1]) or (b[0] == 0 and not b[1])
        return Fraction(0), not reached
    return a[0] * b[0], a[1] or b[1]


def _raise(end: End, n: int) -> End:
    return end**n
