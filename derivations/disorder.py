r"""Average over the couplings: what the rest of a large network does to one unit.

The couplings appear in the action only through exp(i sum_n k_n J_n), pair by pair of units, with
sources k^a_ij = - int xi^_a,i psi_a(x_j). Its average is the exponential of the cumulants
(`action.characteristic_exponent`). Summed over all pairs, each product of sources becomes, for
every unit i, a product of its response fields with an order parameter of the whole network:

    k^a_ij                ->  - xi^_a,i M_a,           M_a(t) = <psi_a(t)>
    k^a_ij k^b_ij         ->  xi^_a,i xi^_b,i' Q_ab,    Q_ab(t, t') = <psi_a(t) psi_b(t')>
    k^a_ij k^a_ji         ->  xi^_a,i psi_a,i' R_a,     R_a(t, t') = d<psi_a(t)>/d xi_a(t')  (response)

(the response from <psi(t) xi^(t')> = -i R). The saddle point makes these averages over the
single-site process itself: one unit whose currents have mean m_a M_a, covariance c_ab Q_ab, and,
for reciprocal couplings, a retarded self-interaction. For independent matrices without mean and
symmetry only Q_aa remains. Source: Sompolinsky, Crisanti & Sommers 1988; D. Marti, N. Brunel,
S. Ostojic, Phys. Rev. E 97, 062314 (2018) for reciprocal couplings.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import sympy as sp

from .action import Action, action, characteristic_exponent
from .model import Model
from .symbols import N

__all__ = ["CurrentCovariance", "DisorderAverage", "average_over_couplings", "disorder_average"]


@dataclass(frozen=True)
class CurrentCovariance:
    """One effective current: covariance weight * < psi_a(t) psi_a(t') >, mean ``mean`` * < psi_a >."""

    current: str
    weight: sp.Expr
    output: sp.Expr
    mean: sp.Expr = field(default_factory=lambda: sp.Integer(0))


@dataclass(frozen=True)
class DisorderAverage:
    """Coefficients of the averaged action, one row or entry per current.

    ``mean``: the current has mean  mean_a <psi_a>;  ``covariance``: <xi_a xi_b'> is
    covariance_ab <psi_a psi_b'>;  ``response``: xi_a contains  response_a int R_a(t, t') psi_a(t') dt'.
    """

    action: Action
    mean: tuple[sp.Expr, ...]
    covariance: sp.Matrix
    response: tuple[sp.Expr, ...]

    @property
    def currents(self) -> tuple[CurrentCovariance, ...]:
        """The diagonal part: the covariance of each current with itself."""
        return tuple(
            CurrentCovariance(c.current, self.covariance[a, a], sp.sympify(c.output), self.mean[a])
            for a, c in enumerate(self.action.model.couplings)
        )


def disorder_average(model: Model) -> DisorderAverage:
    """Average the action of a model over its couplings and read off the order parameters.

    >>> from .models import get
    >>> disorder_average(get("gated")).covariance
    Matrix([
    [1, 0, 0],
    [0, 1, 0],
    [0, 0, 1]])
    """
    declared = action(model)
    size = len(model.couplings)
    labels = [f"{current}_{way}" for current, way in declared.entries.names]
    sources = [sp.Symbol(f"k_{label}", real=True) for label in labels]
    exponent = characteristic_exponent(declared.entries, sources)
    # A network has N^2/2 pairs; unit i is in N of them and meets k_ij and, as j of the other, k_ji.
    polynomial = sp.Poly(N * exponent, *sources)

    def coefficient(*which: int) -> sp.Expr:
        powers = [which.count(n) for n in range(2 * size)]
        return polynomial.coeff_monomial(
            sp.prod([s**p for s, p in zip(sources, powers, strict=True)])
        )

    mean = tuple(sp.simplify(coefficient(a) / sp.I) for a in range(size))
    covariance = sp.Matrix(
        size,
        size,
        lambda a, b: sp.simplify(-coefficient(a, b) * (2 if a == b else 1)),
    )
    # - c k_ij k_ji  ->  - c xi^_i(t) psi_i(t') (-i) R(t, t'): the current gains c int R psi
    response = tuple(sp.simplify(-coefficient(a, a + size)) for a in range(size))
    return DisorderAverage(declared, mean, covariance, response)


def average_over_couplings(model: Model) -> tuple[CurrentCovariance, ...]:
    """The covariance of every effective current, in order of the couplings.

    >>> from .models import get
    >>> average_over_couplings(get("vanilla"))[0].weight
    1
    """
    return disorder_average(model).currents
