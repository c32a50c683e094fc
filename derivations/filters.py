r"""Power gains of linear filters: |G(lambda + i omega)|^2 as a rational function of omega^2."""

from __future__ import annotations

import sympy as sp

from .symbols import omega, s

__all__ = ["power_gain", "transfer_matrix"]


def transfer_matrix(drift_matrix: sp.Matrix, input_matrix: sp.Matrix) -> sp.Matrix:
    """G(s) = (s - A)^{-1} B of x' = A x + B xi."""
    size = drift_matrix.shape[0]
    return ((s * sp.eye(size) - drift_matrix).inv() * input_matrix).applyfunc(sp.factor)


def power_gain(transfer: sp.Expr, growth: sp.Expr | int = 0) -> sp.Expr:
    """|g(growth + i omega)|^2 of one entry g(s) of a transfer matrix.

    Numerator and denominator are polynomials in omega whose coefficients are factorised.

    >>> from .symbols import s
    >>> power_gain(1 / (1 + 2 * s))
    1/(4*omega**2 + 1)
    """
    along = transfer.subs(s, growth + sp.I * omega) * transfer.subs(s, growth - sp.I * omega)
    above, below = sp.fraction(sp.factor(sp.simplify(along)))

    def in_omega(polynomial: sp.Expr) -> sp.Expr:
        terms = sp.Poly(polynomial, omega).terms()
        return sp.Add(*[sp.factor(c) * omega**k for (k,), c in terms])

    return in_omega(above) / in_omega(below)
