r"""Constant solutions: the zero state with its Jacobian, and static order parameters.

At rest in time every field is a linear function of the currents, x = R xi, so that the variances
Delta_k = <x_k^2> obey Delta_k = sum_a R_ka^2 v_a c_a^2 prod_j <f_j^2>_{Delta_j}.

At the zero state a perturbation exp(s t) obeys delta x = G0(s) delta xi with
G0(s) = (s - A0)^{-1} B0, and delta psi_a = sum_l P_al delta x_l. For independent Gaussian
couplings the eigenvalues s of the whole network fill the region where the spectral radius of

    M_ab(s) = v_a | sum_l P_al G0_lb(s) |^2

exceeds one (random-matrix theory: J. T. Chalker and B. Mehlig, PRL 81, 3367 (1998); Ahmadian,
Fumarola & Miller, PRE 91, 012820 (2015)).
"""

from __future__ import annotations

from dataclasses import dataclass

import sympy as sp
from sympy.solvers.solveset import NonlinearError

from .closure import Condition, Product, factorise, needed_zeros
from .disorder import CurrentCovariance
from .linearise import linearise
from .model import Model
from .symbols import s

__all__ = ["StaticEquations", "ZeroState", "static_equations", "zero_state"]


@dataclass(frozen=True)
class ZeroState:
    """Linearisation about x = 0, which is a state where ``conditions`` hold.

    ``drift_matrix`` A0, ``input_matrix`` B0, ``output_matrix`` P; ``weights`` v_a.
    """

    model: Model
    conditions: tuple[Condition, ...]
    drift_matrix: sp.Matrix
    input_matrix: sp.Matrix
    output_matrix: sp.Matrix
    weights: tuple[sp.Expr, ...]

    def amplification(self, growth: sp.Expr = s) -> sp.Matrix:
        """M(s) for real s: the edge is where its largest eigenvalue is one."""
        size = self.drift_matrix.shape[0]
        transfer = (growth * sp.eye(size) - self.drift_matrix).inv() * self.input_matrix
        chain = self.output_matrix * transfer
        return sp.Matrix(
            chain.shape[0],
            chain.shape[1],
            lambda a, b: sp.simplify(self.weights[a] * chain[a, b] ** 2),
        )


def zero_state(model: Model, covariances: tuple[CurrentCovariance, ...]) -> ZeroState | None:
    """Linearise the declaration about zero; None when zero is no state for any parameters."""
    rest = dict.fromkeys((*model.field_symbols(), *model.current_symbols()), 0)
    must_vanish = sp.Matrix([f.subs(rest) for f in (*model.drift(), *model.outputs())])

    def holds(zeros: dict[sp.Symbol, int]) -> bool:
        return all(sp.simplify(e.subs(zeros)) == 0 for e in must_vanish)

    needed = needed_zeros(model, holds, must_vanish.free_symbols)
    if needed is None:
        return None
    zeros = {p.symbol: 0 for p in model.parameters if p.name in needed}
    tangent = linearise(model)

    def at_zero(matrix: sp.Matrix) -> sp.Matrix:
        return matrix.subs(rest).subs(zeros).applyfunc(sp.simplify)

    return ZeroState(
        model=model,
        conditions=tuple(
            Condition(name, "zero is no state: outputs or dynamics do not vanish there")
            for name in needed
        ),
        drift_matrix=at_zero(tangent.drift_by_field),
        input_matrix=at_zero(tangent.drift_by_current),
        output_matrix=at_zero(tangent.output_by_field),
        weights=tuple(c.weight for c in covariances),
    )


@dataclass(frozen=True)
class StaticEquations:
    """Static response R (rows fields, columns currents) and the outputs as products."""

    response: sp.Matrix
    weights: tuple[sp.Expr, ...]
    outputs: tuple[Product, ...]


def static_equations(
    model: Model, covariances: tuple[CurrentCovariance, ...]
) -> StaticEquations | None:
    """Solve f(x, xi) = 0 for x; None when that is not linear or an output is no product.

    Positive prefactors (a gate that is never quite closed) do not move the solution and are dropped.
    """
    fields, currents = model.field_symbols(), model.current_symbols()
    balances = []
    for drift in model.drift():
        parts = sp.Mul.make_args(sp.factor_terms(drift))
        balances.append(sp.Mul(*[p for p in parts if not p.is_extended_positive]))
    try:
        matrix, _ = sp.linear_eq_to_matrix(balances, fields)
        forcing, constant = sp.linear_eq_to_matrix(balances, currents)
    except NonlinearError:
        return None
    if matrix.has(*fields, *currents) or forcing.has(*fields, *currents):
        return None
    if any(sp.simplify(c.subs(dict.fromkeys(fields, 0))) != 0 for c in constant):
        return None
    if matrix.det() == 0:
        return None  # some combination of fields has no leak: no current holds it in place
    products = [factorise(model, c.output, c.current) for c in covariances]
    if any(p is None for p in products):
        return None
    return StaticEquations(
        response=(-matrix.inv() * forcing).applyfunc(sp.simplify),
        weights=tuple(c.weight for c in covariances),
        outputs=tuple(p for p in products if p is not None),
    )
