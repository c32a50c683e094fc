r"""Roots of small systems, proved: Newton's method to many digits, then Krawczyk's test in balls.

For F: R^n -> R^n, a box X with midpoint m and any matrix Y near the inverse of the Jacobian,

    K(X) = m - Y F(m) + (1 - Y F'(X)) (X - m).

If K(X) lies in the interior of X, then X contains exactly one root of F, and it lies in K(X)
(R. Krawczyk, Computing 4, 187 (1969); R. E. Moore, SIAM J. Numer. Anal. 14, 611 (1977)). F' is needed
over the whole box; all that is evaluated in balls encloses what it should, whatever the quadrature.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from dmft.codegen.ball import ball_arithmetic
from dmft.codegen.tape import Table

__all__ = ["GUARD", "CertificationError", "System", "certified_root"]

#: (point, table of balls, digits of the quadrature) -> values, and their Jacobian row by row.
System = Callable[[Sequence[Any], Table, int], tuple[list[Any], list[list[Any]]]]

#: Digits of the arithmetic beyond those asked for.
GUARD = 12
_FIRST_DIGITS = 24
#: Radii that are tried, in units of the last digit asked for.
_RADII = (-3, -1, 1)


class CertificationError(ArithmeticError):
    """No proof was found; the message says where it failed."""


def certified_root(system: System, start: Sequence[float], digits: int) -> list[Any]:
    """Enclosures of one root near ``start``, good to ``digits`` digits or so.

    The balls are returned at the working precision of `ball_arithmetic` (digits + guard). Raises
    `CertificationError` when Newton's method or the proof fails.
    """
    point = _refined(system, start, digits)
    with ball_arithmetic(digits + GUARD) as balls:
        for power in _RADII:
            enclosure = _proved(system, point, balls, digits, power)
            if enclosure is not None:
                return enclosure
    raise CertificationError(
        f"Krawczyk's test failed at {digits} digits: the root may be double, or the start too far away"
    )


def _refined(system: System, start: Sequence[float], digits: int) -> list[Any]:
    """Newton's method with doubling precision; exact midpoints, as (mantissa, exponent)."""
    import flint

    work = min(_FIRST_DIGITS, digits + GUARD)
    point = [flint.arb(float(x)).man_exp() for x in start]
    attempts = 0
    while True:
        with ball_arithmetic(work) as balls:
            x = [flint.arb(pair) for pair in point]
            values, jacobian = system(x, balls, work)
            step = _solved(jacobian, values)
            if step is None:
                raise CertificationError("the Jacobian is singular to working precision")
            size = max(
                float(abs(s).upper()) / max(1e-6, float(abs(v)))
                for s, v in zip(step, x, strict=True)
            )
            point = [(v - s).mid().man_exp() for v, s in zip(x, step, strict=True)]
        attempts += 1
        if not size < 1e-3 and attempts > 3:
            raise CertificationError("Newton's method does not converge from the given start")
        # quadratic: the step's square is what is left, until the arithmetic ends it
        if size < 10.0 ** -(0.45 * work):
            if work >= digits + GUARD:
                return point
            work = min(2 * work, digits + GUARD)
        elif attempts > 12:
            raise CertificationError("Newton's method does not converge from the given start")


def _solved(jacobian: list[list[Any]], values: list[Any]) -> list[Any] | None:
    import flint

    size = len(values)
    try:
        solution = flint.arb_mat(jacobian).solve(flint.arb_mat(size, 1, values))
    except ZeroDivisionError:
        return None
    result = [solution[i, 0] for i in range(size)]
    return result if all(v.is_finite() for v in result) else None


def _proved(
    system: System, point: list[Any], balls: Table, digits: int, power: int
) -> list[Any] | None:
    """Krawczyk's test around the midpoints with a radius of 10^power last digits."""
    import flint

    middle = [flint.arb(pair) for pair in point]
    size = len(middle)
    radii = [
        (abs(m) + balls.rational(1, 10**6)).upper()
        * balls.rational(10 ** (power + 3), 10 ** (digits + 3))
        for m in middle
    ]
    box = [m + (-r).union(r) for m, r in zip(middle, radii, strict=True)]
    values, _ = system(middle, balls, digits + GUARD)
    _, jacobian = system(box, balls, digits + GUARD)
    slopes = flint.arb_mat(jacobian)
    try:
        inverse = flint.arb_mat(size, size, [entry.mid() for entry in slopes.mid().inv().entries()])
    except ZeroDivisionError:
        return None
    unit = flint.arb_mat(size, size, [int(i == j) for i in range(size) for j in range(size)])
    shift = inverse * flint.arb_mat(size, 1, values)
    spread = (unit - inverse * slopes) * flint.arb_mat(
        size, 1, [x - m for x, m in zip(box, middle, strict=True)]
    )
    result = [middle[i] - shift[i, 0] + spread[i, 0] for i in range(size)]
    inside = all(x.contains_interior(k) for x, k in zip(box, result, strict=True))
    return result if inside else None
