r"""Averages over a pair of Gaussian values of one field, and Price's theorem.

For x, y jointly Gaussian with zero mean, equal variance D and covariance C, write

    F_{f^(m) f^(n)}(D, C) = E[ f^(m)(x) f^(n)(y) ].

Price's theorem (R. Price, IRE Trans. Inf. Theory 4, 69 (1958)) gives the derivatives

    dF/dC = E[ f^(m+1)(x) f^(n+1)(y) ],
    dF/dD = ( E[ f^(m+2)(x) f^(n)(y) ] + E[ f^(m)(x) f^(n+2)(y) ] ) / 2,

D being both variances. Further Gaussian values u, v beside them are integrated by parts (C. Stein,
Ann. Stat. 9, 1135 (1981)): `linear_insertions`.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import sympy as sp
from sympy.core.function import ArgumentIndexError

__all__ = ["GaussianAverage", "linear_insertions"]


class GaussianAverage(sp.Function):  # type: ignore[misc]  # sympy is untyped
    """E[f^(m)(x) f^(n)(y)], arguments (f, m, n, D, C); f is the label of a function.

    The two values are exchangeable, so m >= n is the standard order.

    >>> import sympy as sp
    >>> f, D, C = sp.symbols("f D C")
    >>> sp.diff(GaussianAverage(f, 0, 0, D, C), C)
    <f' f'>
    >>> sp.diff(GaussianAverage(f, 0, 0, D, C), D)
    <f'' f>
    """

    nargs = 5

    @classmethod
    def eval(
        cls, f: sp.Symbol, m: sp.Integer, n: sp.Integer, variance: sp.Expr, covariance: sp.Expr
    ) -> sp.Expr | None:
        """Put the larger order first."""
        if m.is_Integer and n.is_Integer and m < n:
            return cls(f, n, m, variance, covariance)
        return None

    def fdiff(self, argindex: int = 1) -> sp.Expr:
        """Derivative by D (argument 4) or C (argument 5), from Price's theorem."""
        f, m, n, variance, covariance = self.args
        if argindex == 5:
            return GaussianAverage(f, m + 1, n + 1, variance, covariance)
        if argindex == 4:
            first = GaussianAverage(f, m + 2, n, variance, covariance)
            second = GaussianAverage(f, m, n + 2, variance, covariance)
            return (first + second) / 2
        raise ArgumentIndexError(self, argindex)

    def _latex(self, printer: Any, exp: str | None = None) -> str:
        f, m, n, *_ = self.args
        label = printer._print(f)
        primes = [label + "'" * int(k) for k in (m, n)]
        text = rf"\left\langle {primes[0]}\,{primes[1]} \right\rangle"
        return text if exp is None else f"{text}^{{{exp}}}"

    def _sympystr(self, printer: Any) -> str:
        f, m, n, *_ = self.args
        return f"<{f}{chr(39) * int(m)} {f}{chr(39) * int(n)}>"


def linear_insertions(
    m: int, n: int, with_u: Sequence[sp.Expr], with_v: Sequence[sp.Expr], uv: sp.Expr
) -> dict[tuple[int, int], sp.Expr]:
    r"""E[f^(m)(x) g^(n)(y) u v] of jointly normal x, y, u, v of zero mean, by two partial integrations:

        <u v> E[f^(m) g^(n)] + sum_pq <u p> <v q> E[d_p d_q f^(m)(x) g^(n)(y)],     p, q in {x, y}.

    ``with_u`` = (<x u>, <y u>), ``with_v`` likewise. Keys are the orders of the averages, values their
    coefficients; x and y may have different variances, so (m, n) and (n, m) differ.

    >>> import sympy as sp
    >>> xu, yu, xv, yv, uv = sp.symbols("xu yu xv yv uv")
    >>> linear_insertions(1, 1, (xu, yu), (xv, yv), uv)
    {(1, 1): uv, (3, 1): xu*xv, (2, 2): xu*yv + xv*yu, (1, 3): yu*yv}
    """
    return {
        (m, n): uv,
        (m + 2, n): with_u[0] * with_v[0],
        (m + 1, n + 1): with_u[0] * with_v[1] + with_u[1] * with_v[0],
        (m, n + 2): with_u[1] * with_v[1],
    }
