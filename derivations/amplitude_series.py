r"""Averages and filters expanded for small amplitudes and slow correlations.

E f(x) f(y) = sum_n C^n/n! (E f^(n))^2,     E f^(n) = sum_m (D/2)^m/m! f^(n+2m)(0),
|G(lambda + i omega)|^2 = G0 + G2 omega^2 + L lambda + ...
"""

from __future__ import annotations

from collections.abc import Sequence

import sympy as sp

from .closure import Product
from .stationary import StationaryEquations
from .symbols import lambda_, omega

__all__ = ["average_series", "linear_outputs", "low_frequency", "output_series"]


def low_frequency(
    stationary: StationaryEquations, active: Sequence[int]
) -> tuple[sp.Matrix, sp.Matrix, sp.Matrix]:
    """|G|^2 at zero, its coefficient of omega^2, and its derivative by the growth rate."""

    def entry(k: int, a: int, what: str) -> sp.Expr:
        gain = stationary.filter(active[k], a, lambda_)
        if what == "growth":
            return sp.diff(gain, lambda_).subs({omega: 0, lambda_: 0})
        at_rest = gain.subs(lambda_, 0)
        return (at_rest if what == "value" else sp.diff(at_rest, omega, 2) / 2).subs(omega, 0)

    shape = (len(active), len(stationary.outputs))
    parts = ("value", "omega", "growth")
    value, second, growth = (
        sp.Matrix(*shape, lambda k, a, part=part: entry(k, a, part)) for part in parts
    )
    return value, second, growth


def linear_outputs(stationary: StationaryEquations, active: Sequence[int]) -> sp.Matrix:
    """dS_a/dC_j at the zero state."""
    model = stationary.model
    symbols = model.field_symbols()
    step = sp.Dummy("step")
    columns = []
    for j in active:
        name = model.fields[j].name
        covariance = {f.name: step if f.name == name else sp.Integer(0) for f in model.fields}
        nothing = dict.fromkeys(covariance, sp.Integer(0))
        columns.append(
            [
                weight * sp.expand(output_series(symbols, p, nothing, covariance, 1)).coeff(step, 1)
                for weight, p in zip(stationary.weights, stationary.outputs, strict=True)
            ]
        )
    return sp.Matrix(columns).T


def output_series(
    symbols: Sequence[sp.Symbol],
    product: Product,
    variance: dict[str, sp.Expr],
    covariance: dict[str, sp.Expr],
    order: int,
) -> sp.Expr:
    """c^2 prod_f E f(x) f(y) up to total order ``order`` in every factor."""
    by_name = {s.name: s for s in symbols}
    total = product.coefficient**2
    for f in product.factors:
        total *= average_series(
            f.expression, by_name[f.field], variance[f.field], covariance[f.field], order
        )
    return total


def average_series(function: sp.Expr, x: sp.Symbol, d: sp.Expr, c: sp.Expr, order: int) -> sp.Expr:
    """E f(x) f(y) up to total order ``order`` in the variance d and the covariance c."""
    derivatives = [function]
    for _ in range(2 * order + 1):
        derivatives.append(sp.diff(derivatives[-1], x))
    at_zero = [sp.simplify(e.subs(x, 0)) for e in derivatives]
    total: sp.Expr = sp.Integer(0)
    for n in range(order + 1):
        mean = sum(
            (d / 2) ** m / sp.factorial(m) * at_zero[n + 2 * m]
            for m in range(order + 1)
            if n + 2 * m < len(at_zero)
        )
        total += c**n / sp.factorial(n) * mean**2
    return total
