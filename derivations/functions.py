"""Elementary functions that sympy lacks, with exact derivatives."""

from __future__ import annotations

from typing import Any

import sympy as sp

__all__ = ["logistic"]


class logistic(sp.Function):  # type: ignore[misc]  # sympy is untyped
    r"""The logistic function :math:`\sigma(x) = 1 / (1 + e^{-x})`.

    It is a function of its own, not ``1/(1 + exp(-x))``, because its derivative
    :math:`\sigma'(x) = \sigma(x)\,\sigma(-x)` then stays accurate where ``1 - sigma`` would cancel
    and ``exp(-x)`` would overflow.

    >>> import sympy as sp
    >>> x = sp.Symbol("x", real=True)
    >>> sp.diff(logistic(x), x)
    logistic(-x)*logistic(x)
    >>> logistic(0)
    1/2
    """

    nargs = 1
    is_extended_real = True
    is_extended_positive = True

    @classmethod
    def eval(cls, argument: sp.Expr) -> sp.Expr | None:
        """Evaluate at zero only; everything else stays symbolic."""
        return sp.Rational(1, 2) if argument.is_zero else None

    def fdiff(self, argindex: int = 1) -> sp.Expr:
        """First derivative."""
        (x,) = self.args
        return logistic(x) * logistic(-x)

    def _eval_rewrite_as_exp(self, x: sp.Expr, **kwargs: Any) -> sp.Expr:
        return 1 / (1 + sp.exp(-x))

    def _eval_rewrite_as_tanh(self, x: sp.Expr, **kwargs: Any) -> sp.Expr:
        return (1 + sp.tanh(x / 2)) / 2

    def _eval_evalf(self, prec: int) -> sp.Expr:
        return self.rewrite(sp.exp)._eval_evalf(prec)

    def _latex(self, printer: Any, exp: str | None = None) -> str:
        power = "" if exp is None else f"^{{{exp}}}"
        return rf"\sigma{power}\left({printer._print(self.args[0])}\right)"
