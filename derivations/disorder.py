r"""Average over the couplings: what the rest of a large network does to one unit.

In the generating functional the couplings of current a appear as
:math:`\exp(-i \sum_{ij} J^a_{ij} \int \hat\xi_i(t)\,\psi_a(x_j(t))\,dt)`. The entries are
independent Gaussian numbers, so the average is the exponential of their cumulants, entry by entry.
For variance v/N only the second cumulant exists; summed over j it is, with Q = v <psi psi'>,

    -1/2 int int  xi^_i(t) Q_a(t, t') xi^_i(t')  dt dt'    for every unit i:

each unit is driven by a Gaussian process of covariance Q_a, independent between currents because
the matrices are. (J has no symmetry, so no response term appears.) Source: Sompolinsky, Crisanti &
Sommers 1988; review: Crisanti & Sompolinsky, Phys. Rev. E 98, 062120 (2018).
"""

from __future__ import annotations

from dataclasses import dataclass

import sympy as sp

from .model import Coupling, Model
from .symbols import N

__all__ = ["CurrentCovariance", "average_over_couplings"]


@dataclass(frozen=True)
class CurrentCovariance:
    """Q_a(t, t') = weight * < psi_a(t) psi_a(t') >, the covariance of one effective current."""

    current: str
    weight: sp.Expr
    output: sp.Expr


def _second_cumulant(coupling: Coupling) -> sp.Expr:
    """Coefficient of -xi^ xi^' psi psi' / 2 from one entry, times the N entries of a row."""
    now, then, psi, psi_then = sp.symbols("xihat xihat' psi psi'", real=True)
    variance = coupling.variance / N
    # log E exp(i k J) of one entry J ~ N(0, variance), from the Gaussian integral itself
    k, entry, v = (
        sp.Symbol("k", real=True),
        sp.Symbol("J", real=True),
        sp.Symbol("v", positive=True),
    )
    density = sp.exp(-(entry**2) / (2 * v)) / sp.sqrt(2 * sp.pi * v)
    average = sp.integrate(sp.cos(k * entry) * density, (entry, -sp.oo, sp.oo))
    cumulants = sp.expand_log(sp.log(average), force=True)
    source = cumulants.subs({k: -(now * psi + then * psi_then), v: variance})
    cross = sp.expand(source).coeff(now, 1).coeff(then, 1)
    return sp.simplify(-cross * N / (psi * psi_then))


def average_over_couplings(model: Model) -> tuple[CurrentCovariance, ...]:
    """The covariance of every effective current, in order of the couplings.

    >>> from .models import get
    >>> average_over_couplings(get("vanilla"))[0].weight
    1
    """
    return tuple(
        CurrentCovariance(c.current, _second_cumulant(c), sp.sympify(c.output))
        for c in model.couplings
    )
