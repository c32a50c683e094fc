r"""The ball target: real numbers with rigorous error bounds (Arb, through python-flint).

A ball is a midpoint and a radius and contains the true value whatever happens. That promise is lost
where a double slips in: 1/3 as a double, taken for exact, gives a tiny ball that does not contain
1/3. So fractions of a tape become ``fmpq``, floating-point inputs are refused by name, and decimals
come in as strings or fractions. Needs the extra ``certified``.

flint's working precision is global to the process and not safe with threads: `ball_arithmetic` sets
it and puts it back; use processes, not threads.
"""

from __future__ import annotations

import operator
from collections.abc import Iterator
from contextlib import contextmanager
from fractions import Fraction
from typing import Any

import mpmath

from ..errors import MissingExtraError
from .tape import Table

__all__ = ["as_ball", "ball_arithmetic", "endpoints"]

#: Working bits beyond the digits asked for.
_GUARD_BITS = 32


def _flint() -> Any:
    try:
        import flint
    except ImportError as error:
        raise MissingExtraError("certified digits", "certified") from error
    return flint


@contextmanager
def ball_arithmetic(digits: int) -> Iterator[Table]:
    """Work with ``digits`` decimal digits; yields the function table.

    Raises `MissingExtraError` without python-flint, ValueError unless ``digits`` > 0. In a tape run
    on the table an input that is no exact number raises TypeError, see `as_ball`.

    >>> from .tape import Tape
    >>> third = Tape("third", ("x",), (("input", "x"), ("rational", 1, 3), ("mul", 0, 1)), (2,))
    >>> with ball_arithmetic(20) as table:
    ...     print(third.run(table, {"x": "0.5"})[0].str(10))
    [0.1666666667 +/- 3.34e-11]
    """
    flint = _flint()
    if digits < 1:
        raise ValueError(f"digits = {digits}: give an integer > 0")
    before = flint.ctx.prec
    flint.ctx.prec = int(digits * 3.3219280948873626) + _GUARD_BITS
    arb, fmpq = flint.arb, flint.fmpq
    try:
        yield Table(
            target=f"ball ({digits} digits)",
            rational=lambda p, q: arb(fmpq(p, q)),
            functions={
                "add": operator.add,
                "mul": operator.mul,
                "div": operator.truediv,
                "pow": operator.pow,
                "sqrt": arb.sqrt,
                "exp": arb.exp,
                "log": arb.log,
                "tanh": arb.tanh,
                "logistic": lambda x: 1 / (1 + (-x).exp()),
                "erf": arb.erf,
                "sin": arb.sin,
                "cos": arb.cos,
                "pi": arb.pi,
            },
            admit=as_ball,
        )
    finally:
        flint.ctx.prec = before


def as_ball(name: str, value: Any) -> Any:
    """An exact number as the smallest ball at the working precision that contains it.

    Parameters
    ----------
    name
        What the number is, for the message.
    value
        An int, a Fraction, a decimal or fraction in a string, a ball, or an interval or number of
        mpmath, whose endpoints are exact.

    Raises
    ------
    TypeError
        For a float (is 0.1 the decimal or the double next to it?) and anything else.
    ValueError
        For a string that is no number, and for what is not finite.
    """
    flint = _flint()
    if isinstance(value, flint.arb):
        return value
    if isinstance(value, str):
        try:
            value = Fraction(value)
        except (ValueError, ZeroDivisionError) as error:
            raise ValueError(f"{name} = {value!r} is no decimal and no fraction") from error
    if isinstance(value, int) and not isinstance(value, bool):
        return flint.arb(flint.fmpq(value, 1))
    if isinstance(value, Fraction):
        return flint.arb(flint.fmpq(value.numerator, value.denominator))
    if hasattr(value, "_mpi_"):  # an interval of mpmath
        low, high = (_exact(flint, name, end) for end in value._mpi_)
        return low.union(high)
    if hasattr(value, "_mpf_"):
        return _exact(flint, name, value._mpf_)
    raise TypeError(
        f"{name} = {value!r} is {type(value).__name__}, whose digits are not known to be exact; give "
        "an int, a Fraction, or the decimal as a string"
    )


def _exact(flint: Any, name: str, mpf: tuple[int, int, int, int]) -> Any:
    """A binary floating-point number of mpmath, exactly."""
    sign, mantissa, exponent, _ = mpf
    if not mantissa and exponent:  # how mpmath encodes infinities and nan
        raise ValueError(f"{name} is not finite")
    return flint.arb((int(-mantissa if sign else mantissa), int(exponent)))


def endpoints(ball: Any) -> tuple[mpmath.mpf, mpmath.mpf]:
    """The interval that a ball is, as exact mpmath numbers; the radius is never dropped.

    The only way from balls to mpmath: ``mpmath.mpf(ball)`` would take the midpoint for the value.

    >>> with ball_arithmetic(20) as table:
    ...     low, high = endpoints(table.rational(1, 3))
    >>> with mpmath.workdps(40):
    ...     print(bool(3 * low < 1 < 3 * high), bool(high - low < 1e-20))
    True True
    """
    if not ball.is_finite():
        return mpmath.mpf("-inf"), mpmath.mpf("inf")
    # exact sums: flint's own lower() would round to the working precision of the moment
    middle, radius = (_raw(part) for part in (ball.mid(), ball.rad()))
    low, high = mpmath.libmp.mpf_sub(middle, radius), mpmath.libmp.mpf_add(middle, radius)
    return mpmath.mp.make_mpf(low), mpmath.mp.make_mpf(high)


def _raw(exact: Any) -> Any:
    """A ball of radius zero in mpmath's raw form."""
    mantissa, exponent = exact.man_exp()
    return mpmath.libmp.from_man_exp(int(mantissa), int(exponent))
