r"""Generating functional of a declared network (Martin-Siggia-Rose, Janssen, De Dominicis).

    Z = int D[x, x^, xi, xi^] exp(S),
    S = i sum_i int [ sum_k x^_k (dx_k/dt - f_k(x, xi)) + sum_a xi^_a (xi_a - sum_j J^a_ij psi_a(x_j)) ]

with a response field x^ or xi^ for every equation. The couplings enter linearly in S: unit i
receives J^a_ij psi_a(x_j), so that each matrix entry comes with the source
k^a_ij = - int xi^_a,i(t) psi_a(x_j(t)) dt  in  exp(i sum_a,ij J^a_ij k^a_ij).  Source: L. Crisanti and
H. Sompolinsky, Phys. Rev. E 98, 062120 (2018); M. Helias and D. Dahmen, Statistical Field Theory
for Neural Networks (2020).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

import sympy as sp

from .model import Model
from .symbols import N

__all__ = ["Action", "EntryStatistics", "action", "characteristic_exponent"]


@dataclass(frozen=True)
class EntryStatistics:
    """Joint Gaussian statistics of the entries J^a_ij and J^a_ji of one pair of units.

    ``names``: one label per entry; ``mean`` a column and ``covariance`` a matrix, both of order 1/N.
    """

    names: tuple[tuple[str, str], ...]
    mean: sp.Matrix
    covariance: sp.Matrix


@dataclass(frozen=True)
class Action:
    """The free part (dynamics) and, for the couplings, the statistics of a pair's entries."""

    model: Model
    entries: EntryStatistics

    def __str__(self) -> str:
        terms = [f"{f.name}^ (d{f.name}/dt - f_{f.name})" for f in self.model.fields]
        terms += [
            f"{c.current}^ ({c.current} - sum_j J_ij [{self.model.named(c.output)}]_j)"
            for c in self.model.couplings
        ]
        return f"S = i sum_i int dt {{ {' + '.join(terms)} }}"


def action(model: Model) -> Action:
    """Write down the action of a model and the statistics of its couplings.

    The entries of a pair (i, j) are J^a_ij and J^a_ji for every coupling a: variance sigma_a^2/N,
    mean m_a/N; J^a_ij and J^b_ij have the declared correlation, J^a_ij and J^a_ji the reciprocity.
    """
    names = [(c.current, way) for way in ("ij", "ji") for c in model.couplings]
    size = len(model.couplings)
    mean = sp.Matrix([c.mean / N for c in model.couplings] * 2)
    covariance = sp.zeros(2 * size, 2 * size)
    for a, first in enumerate(model.couplings):
        for b, second in enumerate(model.couplings):
            share = 1 if a == b else model.correlation(first.current, second.current)
            same = share * sp.sqrt(first.variance) * sp.sqrt(second.variance) / N
            covariance[a, b] = covariance[a + size, b + size] = same
        back = first.reciprocity * first.variance / N
        covariance[a, a + size] = covariance[a + size, a] = back
    return Action(model, EntryStatistics(tuple(names), mean, covariance))


@cache
def _standard_normal_exponent() -> tuple[sp.Symbol, sp.Expr]:
    """log E exp(i k g) of a standard normal g: the Gaussian integral by completing the square.

    int exp(a g^2 + b g + c) dg = sqrt(-pi/a) exp(c - b^2/(4a)), Re a < 0, for the density too.
    """
    k, g = sp.Dummy("k", real=True), sp.Dummy("g", real=True)

    def log_integral(exponent: sp.Expr) -> sp.Expr:
        a, b, c = sp.Poly(exponent, g).all_coeffs()
        return c - b**2 / (4 * a) + sp.log(-sp.pi / a) / 2

    density = -(g**2) / 2
    return k, sp.expand(log_integral(density + sp.I * k * g) - log_integral(density))


def characteristic_exponent(statistics: EntryStatistics, sources: Sequence[sp.Expr]) -> sp.Expr:
    r"""log E exp(i sum_n k_n J_n) for the entries of one pair.

    The entries are J = mean + L g with independent standard normals g and L L^T = covariance; the
    average factorises into one integral for each g.
    """
    k, exponent = _standard_normal_exponent()
    # L L^T = covariance by completing squares, which needs no positive symbols
    _, lower, diagonal = _ldl(statistics.covariance)
    total = sp.I * (statistics.mean.T * sp.Matrix(sources))[0]
    for n, weight in enumerate(diagonal):
        # g_n enters with k_n = sqrt(d_n) (L^T sources)_n; the exponent is even in it
        along = (lower.T * sp.Matrix(sources))[n]
        total += exponent.subs(k, sp.sqrt(weight) * along)
    return sp.expand(sp.simplify(total))


def _ldl(matrix: sp.Matrix) -> tuple[int, sp.Matrix, list[sp.Expr]]:
    """Unit lower triangular L and diagonal d with L diag(d) L^T = matrix; zero pivots allowed."""
    size = matrix.shape[0]
    lower, diagonal = sp.eye(size), [sp.Integer(0)] * size
    for j in range(size):
        diagonal[j] = sp.simplify(
            matrix[j, j] - sum(lower[j, m] ** 2 * diagonal[m] for m in range(j))
        )
        for i in range(j + 1, size):
            rest = matrix[i, j] - sum(lower[i, m] * lower[j, m] * diagonal[m] for m in range(j))
            lower[i, j] = 0 if diagonal[j] == 0 else sp.simplify(rest / diagonal[j])
    return size, lower, diagonal
