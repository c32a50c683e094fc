r"""The variance of a chaotic state with one field, from its energy integral, in balls.

One field with x' = -k x + b xi and one current of output c f(x) has decaying solutions with

    C - C''/k^2 = R^2 v c^2 F(D, C),      D = C(0),   R = b/k:

a particle that rolls from C = D to rest at C = 0. Its energy is conserved: with P' = f and
int_0^D F(D, C) dC = Var P(x), x of variance D (Price's theorem),

    R^2 v c^2 Var P(x) = D^2 / 2

(H. Sompolinsky, A. Crisanti, H. J. Sommers, PRL 61, 259 (1988), where P = ln cosh). P is integrated
along the nodes of the trapezoid rule by Taylor series with rigorous remainders; its bounds in a strip
follow from those of f. For Krawczyk's test, d E P^2 / dD = E [f^2 + f' P] and d E P / dD = E f' / 2.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from dmft.codegen.tape import Table, Tape
from dmft.codegen.taylor import Series, taylor
from dmft.codegen.theory import CompiledTheory

from .exact_theory import ExactTheory, exact
from .krawczyk import CertificationError, certified_root
from .strip import Growth, StripError, strip_table
from .trapezoid import best_rule, first_output, series_of_balls, widened

__all__ = ["certified_variance"]


def certified_variance(
    theory: CompiledTheory, parameters: Mapping[str, float], start: float, digits: int
) -> Any:
    """C(0) of the decaying state near ``start``, as a ball.

    For theories with one active field that is its own leaky integral, driven by one current whose
    output is one function. Raises `CertificationError` for any other.
    """
    equations = ExactTheory(theory, {name: exact(v) for name, v in parameters.items()})
    function, field, current = _single(theory, parameters)
    tape = first_output(theory.functions[function].tape)

    def system(
        x: Sequence[Any], balls: Table, quadrature: int
    ) -> tuple[list[Any], list[list[Any]]]:
        p = equations.parameters(balls, {})
        response = equations.matrix("response", balls, p)[field][current][0]
        weight = equations.vector("weights", balls, p)[current][0]
        coefficient = equations.vector("coefficients", balls, p)[current][0]
        strength = response * response * weight * coefficient * coefficient
        (d,) = x
        mean, square, slope, change = _averages(tape, p, d, balls, quadrature)
        value = strength * (square - mean * mean) - d * d / 2
        derivative = strength * (change - mean * slope) - d
        return [value], [[derivative]]

    return certified_root(system, [start], digits)[0]


def _single(theory: CompiledTheory, p: Mapping[str, float]) -> tuple[int, int, int]:
    """Positions of the function, its field and the current that closes on itself."""
    reason = "the energy integral needs one field, driven by one current, with one function"
    if "drift" not in theory.matrices or len(theory.info.fields) != 1:
        raise CertificationError(reason)
    if len(theory.outputs) != 1 or len(theory.outputs[0].factors) != 1:
        raise CertificationError(reason)
    unmet = theory.unmet("decay", p) if "decay" in theory.conditions else [None]
    if (
        unmet
        or any(theory.vector("noise_intensities", p))
        or any(theory.vector("current_means", p))
    ):
        raise CertificationError(
            "the energy integral needs correlations that decay to zero by themselves"
        )
    return theory.outputs[0].factors[0], 0, 0


def _averages(
    tape: Tape, p: Mapping[str, Any], variance: Any, balls: Table, digits: int
) -> tuple[Any, Any, Any, Any]:
    """E P, E P^2, E f' and d E P^2 / dD, with P(0) = 0."""
    deviation = variance.sqrt()

    def bounds(half: Any) -> list[tuple[Any, ...]]:
        f, slope = _in_strip(tape, p, deviation, balls, half)
        # |P(z)| <= |x| sup |f| along the straight path from 0, |x| <= sqrt D (|Re xi| + b)
        reach = Growth(half, None, ((deviation * half).upper(), deviation.upper()))
        primitive = reach * f
        return [
            v.growth for v in (primitive, primitive * primitive, slope, f * f + slope * primitive)
        ]

    rule = best_rule(bounds, tape.title, balls, digits)
    weights = dict(rule.nodes(balls))
    sums: list[Any] = [balls.rational(0, 1)] * 4
    for k, primitive, f, slope in _along(tape, p, deviation * rule.step, rule.count, balls, digits):
        values = (primitive, primitive * primitive, slope, f * f + slope * primitive)
        sums = [total + weights[k] * value for total, value in zip(sums, values, strict=True)]
    mean, square, slope, change = (widened(s, e) for s, e in zip(sums, rule.errors, strict=True))
    return mean, square, slope, change


def _in_strip(
    tape: Tape, p: Mapping[str, Any], deviation: Any, balls: Table, half: Any
) -> tuple[Growth, Growth]:
    """Bounds of f and f' for |Im xi| <= half."""
    zero = balls.rational(0, 1)
    table, variable = taylor(strip_table(balls, half), 1)
    q = {name: Growth(half, (value, zero)) for name, value in p.items()}
    x = variable(Growth(half, (zero, deviation)))
    (found,) = tape.run(table, {**q, tape.inputs[0]: x})
    if not isinstance(found, Series):
        found = Series([found, found * 0])
    for value in found.coefficients:
        if len(value.growth) > 1:
            raise StripError("f is not bounded in any strip")
    return found[0], found[1]


def _along(
    tape: Tape, p: Mapping[str, Any], spacing: Any, count: int, balls: Table, digits: int
) -> list[tuple[int, Any, Any, Any]]:
    """(k, P, f, f') at x = k spacing, k = -count ... count.

    P grows from node to node by the integral of the Taylor polynomial of f about the middle; the
    remainder is the next coefficient over the whole interval (Lagrange).
    """
    with series_of_balls(balls, 2) as (table, variable):
        values = {
            k: _coefficients(tape, p, variable(spacing * k), table, 2)
            for k in range(-count, count + 1)
        }
    order = _order(tape, p, spacing, balls, digits)
    result = [(0, balls.rational(0, 1), *values[0])]
    with series_of_balls(balls, order + 2) as (table, variable):
        for sign in (1, -1):
            primitive = balls.rational(0, 1)
            for k in range(count):
                middle = spacing * (sign * (2 * k + 1)) / 2
                about = _coefficients(tape, p, variable(middle), table, order + 2)
                whole = middle + (-spacing / 2).union(spacing / 2)
                last = _coefficients(tape, p, variable(whole), table, order + 2)[-1]
                primitive = primitive + sign * _integral(about, last, spacing / 2, order)
                here = sign * (k + 1)
                result.append((here, primitive, *values[here]))
    return result


def _coefficients(tape: Tape, p: Mapping[str, Any], x: Any, table: Table, length: int) -> list[Any]:
    """The first ``length`` Taylor coefficients of f at x."""
    (found,) = tape.run(table, {**p, tape.inputs[0]: x})
    values = found.coeffs() if hasattr(found, "coeffs") else [found]
    return [*values, *[table.rational(0, 1)] * (length - len(values))]


def _order(tape: Tape, p: Mapping[str, Any], spacing: Any, balls: Table, digits: int) -> int:
    """An even order at which the remainder next to zero is below the quadrature's error."""
    whole = (balls.rational(0, 1)).union(spacing)
    target = balls.rational(1, 10 ** (digits + 4))
    for order in (12, 18, 26, 36, 48, 64, 90, 120):
        with series_of_balls(balls, order + 2) as (table, variable):
            last = _coefficients(tape, p, variable(whole), table, order + 2)[-1]
        if _remainder(last, spacing / 2, order) < target:
            return order
    raise CertificationError(f"{tape.title}: Taylor series converge too slowly between the nodes")


def _remainder(last: Any, reach: Any, order: int) -> Any:
    return (2 * abs(last) * reach ** (order + 2) / (order + 2)).upper()


def _integral(about: list[Any], last: Any, reach: Any, order: int) -> Any:
    """int of f over [middle - reach, middle + reach]: even Taylor terms, and the remainder."""
    total, power = 2 * reach * about[0], reach**3
    for n in range(2, order + 1, 2):
        total = total + 2 * about[n] * power / (n + 1)
        power = power * reach * reach
    return widened(total, _remainder(last, reach, order))
