r"""Averages over one Gaussian value in balls: E f^2, E f'^2 and derivatives, rigorous.

For x = m + sqrt(D) xi and a function f, both averages and their derivatives by D,
d/dD E g(x) = E g''(x) / 2, and by a parameter come from one pass over the nodes of the trapezoid rule
(`trapezoid`): the tape is run on Taylor series in the field over pairs (value, derivative by the
parameter). Bounds in a strip come from the same tape on numbers that are bounds (`strip`).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from dmft.codegen.tape import Table, Tape
from dmft.codegen.taylor import Series, taylor

from .strip import Growth, strip_table
from .trapezoid import best_rule, first_output, series_of_balls, widened

__all__ = ["Functionals", "functionals"]

#: Terms of the series in the field: E f^2 needs derivatives of f^2 up to the fourth.
_ORDER = 4
#: Names of the functionals, in the order in which they are summed.
_NAMES = ("square", "square_d", "square_dd", "slope", "slope_d")


@dataclass(frozen=True)
class Functionals:
    """E f^2 with two derivatives by D, E f'^2 with one; ``by_parameter`` the same by a parameter.

    ``by_parameter`` has no entry for the highest derivatives by D.
    """

    square: Any
    square_d: Any
    square_dd: Any
    slope: Any
    slope_d: Any
    by_parameter: Mapping[str, Any]


def functionals(
    tape: Tape,
    parameters: Mapping[str, Any],
    by: str,
    mean: Any,
    variance: Any,
    balls: Table,
    digits: int,
) -> Functionals:
    """All functionals of the first output of ``tape``, a function of its first input.

    ``parameters`` are balls; ``by`` names the one to differentiate by. The quadrature is good to
    ``digits`` digits or so; what the results enclose does not depend on that. Raises `StripError` for
    functions without a known bound in any strip.
    """
    tape = first_output(tape)
    deviation = variance.sqrt()
    rule = best_rule(
        lambda half: _in_strip(tape, parameters, by, mean, deviation, balls, half),
        tape.title,
        balls,
        digits,
    )
    sums: list[Any] = [balls.rational(0, 1)] * (2 * len(_NAMES))
    with series_of_balls(balls, _ORDER + 1) as (inner, variable):
        table, of_parameter = taylor(inner, 1)
        p = {name: of_parameter(v) if name == by else v for name, v in parameters.items()}
        for k, weight in rule.nodes(balls):
            values = _at(tape, p, variable(mean + deviation * rule.step * k), table)
            sums = [total + weight * value for total, value in zip(sums, values, strict=True)]
    enclosed = [widened(value, error) for value, error in zip(sums, rule.errors, strict=True)]
    derivatives = dict(zip(_NAMES, enclosed[len(_NAMES) :], strict=True))
    plain = dict(zip(_NAMES, enclosed, strict=False))
    return Functionals(
        square=plain["square"],
        square_d=plain["square_d"],
        square_dd=plain["square_dd"],
        slope=plain["slope"],
        slope_d=plain["slope_d"],
        by_parameter={name: derivatives[name] for name in ("square", "square_d", "slope")},
    )


def _at(tape: Tape, p: Mapping[str, Any], x: Any, table: Table) -> list[Any]:
    """The integrands at one node: `_NAMES`, then their derivatives by the parameter."""
    (found,) = tape.run(table, {**p, tape.inputs[0]: x})
    both = found if isinstance(found, Series) else Series([found, found * 0])
    f, f_p = (_padded(part, table.rational(0, 1)) for part in both.coefficients)
    return _integrands(f) + _integrands_by_parameter(f, f_p)


def _padded(series: Any, zero: Any) -> list[Any]:
    coefficients = series.coeffs() if hasattr(series, "coeffs") else [series]
    return [*coefficients, *[zero] * (_ORDER + 1 - len(coefficients))]


def _integrands(f: list[Any]) -> list[Any]:
    """From f = sum_n f_n t^n: f^2, its second and fourth derivative halved twice, f'^2 likewise.

    The coefficient g_2 of g = f^2 is g''/2, and g''''/4 = 6 g_4.
    """
    slope = [n * f[n] for n in range(1, _ORDER + 1)]
    return [
        f[0] * f[0],
        2 * f[0] * f[2] + f[1] * f[1],
        6 * (2 * f[0] * f[4] + 2 * f[1] * f[3] + f[2] * f[2]),
        slope[0] * slope[0],
        2 * slope[0] * slope[2] + slope[1] * slope[1],
    ]


def _integrands_by_parameter(f: list[Any], f_p: list[Any]) -> list[Any]:
    slope = [n * f[n] for n in range(1, _ORDER + 1)]
    slope_p = [n * f_p[n] for n in range(1, _ORDER + 1)]
    zero = f[0] * 0
    return [
        2 * f[0] * f_p[0],
        2 * (f_p[0] * f[2] + f[0] * f_p[2] + f[1] * f_p[1]),
        zero,
        2 * slope[0] * slope_p[0],
        zero,
    ]


def _in_strip(
    tape: Tape,
    parameters: Mapping[str, Any],
    by: str,
    mean: Any,
    deviation: Any,
    balls: Table,
    half: Any,
) -> list[tuple[Any, ...]]:
    """Growth of every integrand (without the Gaussian) for |Im xi| <= half."""
    strip = strip_table(balls, half)
    inner, variable = taylor(strip, _ORDER)
    table, of_parameter = taylor(inner, 1, level=2)
    zero = balls.rational(0, 1)
    p: dict[str, Any] = {name: Growth(half, (value, zero)) for name, value in parameters.items()}
    p[by] = of_parameter(p[by])
    x = variable(Growth(half, (mean, deviation)))
    (found,) = tape.run(table, {**p, tape.inputs[0]: x})
    both = found if _is_series(found, 2) else Series([found, found * 0], 2)
    nothing = Growth(half, (zero, zero))
    f, f_p = (
        part.coefficients if _is_series(part, 1) else [part] + [nothing] * _ORDER
        for part in both.coefficients
    )
    return [value.growth for value in _integrands(f) + _integrands_by_parameter(f, f_p)]


def _is_series(value: Any, level: int) -> bool:
    return isinstance(value, Series) and value.level == level
