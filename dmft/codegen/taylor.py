r"""The Taylor target: truncated power series over the numbers of another target.

A tape run on series of order n, its field being x0 + t, gives the derivatives f^(k)(x0) / k! to
order n, exact to the arithmetic of the numbers below: doubles and arrays of them, or balls with
rigorous bounds. Functions follow from their differential equations by recurrence (D. E. Knuth, The
Art of Computer Programming, vol. 2, section 4.7), y = f(u):

    exp: y' = y u'     tanh: y' = (1 - y^2) u'     logistic: y' = y (1 - y) u'     log: u y' = u' ...
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from .tape import Table

__all__ = ["Series", "taylor"]


class Series:
    """Coefficients c_0 ... c_n of a power series in t, cut after t^n.

    Series may be coefficients of series in another variable, of a higher ``level``: a product with
    something of a lower level multiplies every coefficient.
    """

    __slots__ = ("coefficients", "level")
    __array_ufunc__ = None  # an array leaves products with a series to the series

    def __init__(self, coefficients: Sequence[Any], level: int = 1) -> None:
        self.coefficients = list(coefficients)
        self.level = level

    def __len__(self) -> int:
        return len(self.coefficients)

    def __getitem__(self, order: int) -> Any:
        return self.coefficients[order]

    def _is_peer(self, other: Any) -> bool:
        return isinstance(other, Series) and other.level == self.level

    def _is_above(self, other: Any) -> bool:
        return isinstance(other, Series) and other.level > self.level

    def _other(self, value: Any) -> Series:
        if self._is_peer(value):
            peer: Series = value
            return peer
        return Series([value] + [value * 0 for _ in range(len(self) - 1)], self.level)

    def __add__(self, other: Any) -> Any:
        if self._is_above(other):
            return other + self
        if not self._is_peer(other):
            return Series([self[0] + other, *self.coefficients[1:]], self.level)
        pairs = zip(self.coefficients, other.coefficients, strict=True)
        return Series([a + b for a, b in pairs], self.level)

    __radd__ = __add__

    def __neg__(self) -> Series:
        return Series([-a for a in self.coefficients], self.level)

    def __sub__(self, other: Any) -> Any:
        return self + -other

    def __rsub__(self, other: Any) -> Any:
        return -self + other

    def __mul__(self, other: Any) -> Any:
        if self._is_above(other):
            return other * self
        if not self._is_peer(other):
            return Series([a * other for a in self.coefficients], self.level)
        return Series([_convolution(self, other, k) for k in range(len(self))], self.level)

    __rmul__ = __mul__

    def __truediv__(self, other: Any) -> Any:
        if self._is_above(other):
            return other._other(self) / other
        if not self._is_peer(other):
            return Series([a / other for a in self.coefficients], self.level)
        quotient: list[Any] = []
        for k in range(len(self)):
            rest = self[k]
            for j in range(1, k + 1):
                rest = rest - other[j] * quotient[k - j]
            quotient.append(rest / other[0])
        return Series(quotient, self.level)

    def __rtruediv__(self, other: Any) -> Any:
        return self._other(other) / self


def _convolution(a: Series, b: Series, order: int) -> Any:
    total = a[0] * b[order]
    for j in range(1, order + 1):
        total = total + a[j] * b[order - j]
    return total


def _integrated(start: Any, u: Series, slope: Callable[[list[Any]], Any]) -> Series:
    """y with y(0) = start and y' = w u'; ``slope`` gives the next coefficient of w from those of y."""
    y, w = [start], []
    for k in range(1, len(u)):
        w.append(slope(y))
        total = u[1] * w[k - 1]
        for j in range(2, k + 1):
            total = total + j * u[j] * w[k - j]
        y.append(total / k)
    return Series(y, u.level)


def _square(y: list[Any]) -> Any:
    """The last coefficient of y^2 that the known ones determine."""
    k = len(y) - 1
    total = y[0] * y[k]
    for j in range(1, k + 1):
        total = total + y[j] * y[k - j]
    return total


def taylor(table: Table, order: int, level: int = 1) -> tuple[Table, Callable[[Any], Series]]:
    """A table of series of ``order`` over the numbers of ``table``, and x0 -> x0 + t.

    Over series, ``level`` is one more than theirs.

    >>> from .float64 import FLOAT64
    >>> series, variable = taylor(FLOAT64, 3)
    >>> [round(c, 6) for c in series.functions["exp"](variable(0.0)).coefficients]
    [1.0, 1.0, 0.5, 0.166667]
    """
    base = table.functions
    zero, one = table.rational(0, 1), table.rational(1, 1)

    def variable(value: Any) -> Series:
        return Series([value, one] + [zero] * (order - 1), level)

    def lifted(name: str, of: Callable[[Series], Series]) -> Callable[[Any], Any]:
        return lambda u: of(u) if isinstance(u, Series) and u.level == level else base[name](u)

    def exp(u: Series) -> Series:
        return _integrated(base["exp"](u[0]), u, lambda y: y[-1])

    def tanh(u: Series) -> Series:
        def slope(y: list[Any]) -> Any:
            return one - y[0] * y[0] if len(y) == 1 else -_square(y)

        return _integrated(base["tanh"](u[0]), u, slope)

    def logistic(u: Series) -> Series:
        return _integrated(base["logistic"](u[0]), u, lambda y: y[-1] - _square(y))

    def bell_at(value: Any) -> Any:
        return base["bell"](value) if "bell" in base else base["exp"](-(value * value))

    def bell(u: Series) -> Series:
        """exp(-u^2): y' = -2 u y u'."""

        def slope(y: list[Any]) -> Any:
            k = len(y) - 1
            total = u[0] * y[k]
            for j in range(1, k + 1):
                total = total + u[j] * y[k - j]
            return -2 * total

        return _integrated(bell_at(u[0]), u, slope)

    def erf(u: Series) -> Series:
        slope = bell(u) * (table.rational(2, 1) / base["sqrt"](base["pi"]()))
        return _integrated(base["erf"](u[0]), u, lambda y: slope[len(y) - 1])

    def log(u: Series) -> Series:
        inverse = one / u
        return _integrated(base["log"](u[0]), u, lambda y: inverse[len(y) - 1])

    def sqrt(u: Series) -> Series:
        y = [base["sqrt"](u[0])]
        for k in range(1, len(u)):
            rest = u[k]
            for j in range(1, k):
                rest = rest - y[j] * y[k - j]
            y.append(rest / (2 * y[0]))
        return Series(y, level)

    def rotation(u: Series) -> tuple[Series, Series]:
        s, c = [base["sin"](u[0])], [base["cos"](u[0])]
        for k in range(1, len(u)):
            up, down = u[1] * c[k - 1], u[1] * s[k - 1]
            for j in range(2, k + 1):
                up, down = up + j * u[j] * c[k - j], down + j * u[j] * s[k - j]
            s.append(up / k)
            c.append(-down / k)
        return Series(s, level), Series(c, level)

    def power(u: Any, exponent: Any) -> Any:
        if isinstance(u, Series) or isinstance(exponent, Series):
            return functions["exp"](exponent * functions["log"](u))
        return base["pow"](u, exponent)

    own: dict[str, Callable[[Series], Series]] = {
        "exp": exp,
        "tanh": tanh,
        "logistic": logistic,
        "erf": erf,
        "log": log,
        "sqrt": sqrt,
        "bell": bell,
        "sin": lambda u: rotation(u)[0],
        "cos": lambda u: rotation(u)[1],
    }
    functions: dict[str, Callable[..., Any]] = {
        "add": lambda a, b: a + b,
        "mul": lambda a, b: a * b,
        "div": lambda a, b: a / b,
        "pow": power,
        "pi": base["pi"],
    }
    functions |= {name: lifted(name, of) for name, of in own.items() if name in base}

    def admit(name: str, value: Any) -> Any:
        if isinstance(value, Series) or table.admit is None:
            return value
        return table.admit(name, value)

    return Table(f"series over {table.target}", table.rational, functions, admit), variable
