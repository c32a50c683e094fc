r"""Bounds on a function in a strip about the real axis, from the instructions that compute it.

The trapezoid rule needs to know how large an analytic integrand becomes for |Im z| <= b. A number here
is either affine in z, c_0 + c_1 z with real balls c, or known only by its growth,

    |value| <= sum_d B_d |Re z|^d        for all z in the strip.

A tape run on such numbers (or on series over them, for derivatives) gives bounds for everything it
computes. Functions with poles are bounded where their argument is affine and the strip keeps away from
them:

    |tanh(x + iy)|     <= max(1, tan |y|),               |y| < pi/2,
    |logistic(x + iy)| <= 1, or 1 / sin |y| for |y| > pi/2,      |y| < pi,
    |erf(x + iy)|      <= 1 + erfi |y|,      |exp(-(x + iy)^2)| <= exp y^2,      |sin|, |cos| <= cosh y.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from dmft.codegen.tape import Table
from dmft.codegen.taylor import Series

__all__ = ["Growth", "StripError", "strip_table"]


class StripError(ArithmeticError):
    """No bound is known: the strip is too wide, or the function has none."""


@dataclass(frozen=True)
class Growth:
    """A value in the strip of half-width ``half``: ``affine`` (c_0, c_1), or ``bounds`` B_d."""

    half: Any
    affine: tuple[Any, Any] | None
    bounds: tuple[Any, ...] = ()

    @property
    def growth(self) -> tuple[Any, ...]:
        """B_d, of an affine value too."""
        if self.affine is None:
            return self.bounds
        c0, c1 = self.affine
        slope = abs(c1)
        constant = (abs(c0) + slope * self.half).upper()
        return (constant, slope.upper()) if not slope.is_zero() else (constant,)

    @property
    def is_constant(self) -> bool:
        """Whether it does not depend on z."""
        return self.affine is not None and bool(self.affine[1].is_zero())

    def _other(self, value: Any) -> Growth:
        if isinstance(value, Growth):
            return value
        ball = self.half * 0 + value
        return Growth(self.half, (ball, ball * 0))

    def __add__(self, other: Any) -> Growth:
        if isinstance(other, Series):
            return NotImplemented
        right = self._other(other)
        if self.affine is not None and right.affine is not None:
            (a0, a1), (b0, b1) = self.affine, right.affine
            return Growth(self.half, (a0 + b0, a1 + b1))
        a, b = self.growth, right.growth
        size = max(len(a), len(b))
        zero = self.half * 0
        padded = [(*part, *[zero] * (size - len(part))) for part in (a, b)]
        return Growth(self.half, None, tuple(x + y for x, y in zip(*padded, strict=True)))

    __radd__ = __add__

    def __neg__(self) -> Growth:
        return self * -1

    def __sub__(self, other: Any) -> Growth:
        if isinstance(other, Series):
            return NotImplemented
        return self + self._other(other) * -1

    def __rsub__(self, other: Any) -> Growth:
        if isinstance(other, Series):
            return NotImplemented
        return self._other(other) + self * -1

    def __mul__(self, other: Any) -> Growth:
        if isinstance(other, Series):
            return NotImplemented
        right = self._other(other)
        for constant, value in ((self, right), (right, self)):
            if constant.is_constant and value.affine is not None:
                assert constant.affine is not None
                c = constant.affine[0]
                return Growth(self.half, (c * value.affine[0], c * value.affine[1]))
        a, b = self.growth, right.growth
        product = [self.half * 0 for _ in range(len(a) + len(b) - 1)]
        for i, x in enumerate(a):
            for j, y in enumerate(b):
                product[i + j] = product[i + j] + x * y
        return Growth(self.half, None, tuple(product))

    __rmul__ = __mul__

    def __truediv__(self, other: Any) -> Growth:
        if isinstance(other, Series):
            return NotImplemented
        below = self._other(other)
        if not below.is_constant:
            raise StripError("a quotient by something that varies")
        assert below.affine is not None
        inverse = 1 / below.affine[0]
        result: Growth = self * inverse
        return result

    def __rtruediv__(self, other: Any) -> Growth:
        if isinstance(other, Series):
            return NotImplemented
        quotient: Growth = self._other(other) / self
        return quotient


def strip_table(balls: Table, half: Any) -> Table:
    """Function table of numbers in a strip over the numbers of ``balls``; see `Growth`."""
    base = balls.functions
    pi = base["pi"]()

    def exactly(name: str, value: Any) -> Any:
        return base["exp"](-(value * value)) if name == "bell" else base[name](value)

    def known(name: str, bound: Any) -> Any:
        """Apply to constants exactly, to affine values by their bound."""

        def of(value: Growth) -> Growth:
            if value.is_constant:
                assert value.affine is not None
                result = exactly(name, value.affine[0])
                return Growth(half, (result, result * 0))
            if value.affine is None:
                raise StripError(f"{name} of something that is not affine in the field")
            height = (abs(value.affine[1]) * half).upper()
            return Growth(half, None, (bound(height).upper(),))

        return of

    def refuse(name: str) -> Any:
        def bound(height: Any) -> Any:
            raise StripError(f"{name} grows without a bound that is known")

        return bound

    def tanh(height: Any) -> Any:
        if not height < pi / 2:
            raise StripError("the strip reaches a pole of tanh")
        return (height.sin() / height.cos()).max(height * 0 + 1)

    def logistic(height: Any) -> Any:
        if not height < pi:
            raise StripError("the strip reaches a pole of the logistic function")
        one = height * 0 + 1
        return one if height <= pi / 2 else (1 / height.sin()).max(one)

    bounds = {
        "tanh": tanh,
        "logistic": logistic,
        "erf": lambda height: 1 + height.erfi(),
        "bell": lambda height: (height * height).exp(),
        "sin": lambda height: height.cosh(),
        "cos": lambda height: height.cosh(),
        "exp": refuse("exp"),
        "log": refuse("log"),
        "sqrt": refuse("sqrt"),
    }
    functions: dict[str, Any] = {name: known(name, bound) for name, bound in bounds.items()}
    functions |= {
        "add": lambda a, b: a + b,
        "mul": lambda a, b: a * b,
        "div": lambda a, b: a / b,
        "pi": lambda: Growth(half, (pi, pi * 0)),
    }

    def rational(p: int, q: int) -> Growth:
        value = balls.rational(p, q)
        return Growth(half, (value, value * 0))

    def admit(name: str, value: Any) -> Any:
        if isinstance(value, Growth):
            return value
        assert balls.admit is not None
        ball = balls.admit(name, value)
        return Growth(half, (ball, ball * 0))

    return Table("bounds in a strip", rational, functions, admit)
