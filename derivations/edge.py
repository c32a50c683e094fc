r"""Edge of the Jacobian's eigenvalue cloud at a typical state of any declared network.

A perturbation exp(s t) of unit i obeys delta x = G_i(s) delta xi with G_i(s) = (s - A_i)^{-1} B_i,
A = df/dx and B = df/dxi at the unit's own state (x_i, xi_i), and delta xi^a = J^a delta psi^a with
delta psi = P_i delta x, P = dpsi/dx. For independent Gaussian couplings the eigenvalues lie where the
spectral radius of

    M_ab(s) = v_a < |(P G(s))_ab|^2 >

exceeds one, the average running over units, that is over the joint state of the single-site process
(random-matrix theory: Ahmadian, Fumarola & Miller, PRE 91, 012820 (2015); for gated networks KCS
2022). At the zero state, where all units are alike, this is `statics.ZeroState.amplification`.
"""

from __future__ import annotations

from dataclasses import dataclass

import sympy as sp

from .disorder import CurrentCovariance
from .linearise import Linearisation
from .symbols import s

__all__ = ["JacobianEdge", "jacobian_edge"]


@dataclass(frozen=True)
class JacobianEdge:
    """``chain`` = P G(s), rows and columns the currents, in field, current and parameter symbols."""

    chain: sp.Matrix
    weights: tuple[sp.Expr, ...]

    def squared(self, a: int, b: int) -> sp.Expr:
        """What is averaged in M_ab for real s: v_a (P G)_ab^2."""
        return sp.factor(self.weights[a] * self.chain[a, b] ** 2)

    def matrix(self) -> sp.Matrix:
        """M with symbols M_ab where the entry does not vanish."""
        size = self.chain.shape[0]
        return sp.Matrix(
            size,
            size,
            lambda a, b: 0 if self.chain[a, b] == 0 else sp.Symbol(f"M_{a}{b}", positive=True),
        )

    def condition(self) -> sp.Expr:
        """det(1 - M), which vanishes at the edge."""
        size = self.chain.shape[0]
        return sp.expand((sp.eye(size) - self.matrix()).det())


def jacobian_edge(
    linearisation: Linearisation, covariances: tuple[CurrentCovariance, ...]
) -> JacobianEdge:
    """Multiply the derivatives of a declaration into the chain P (s - A)^{-1} B.

    >>> from .linearise import linearise
    >>> from .disorder import average_over_couplings
    >>> from .models import get
    >>> vanilla = get("vanilla")
    >>> jacobian_edge(linearise(vanilla), average_over_couplings(vanilla)).squared(0, 0)
    g**2*(tanh(x) - 1)**2*(tanh(x) + 1)**2/(s + 1)**2
    """
    size = linearisation.drift_by_field.shape[0]
    transfer = (s * sp.eye(size) - linearisation.drift_by_field).inv()
    chain = linearisation.output_by_field * transfer * linearisation.drift_by_current
    return JacobianEdge(chain.applyfunc(sp.factor), tuple(c.weight for c in covariances))
