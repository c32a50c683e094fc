r"""Constant solutions: the zero state with its Jacobian, and static order parameters.

At rest in time every field is a linear function of the currents and of the quenched inputs,
x = R xi + R_I I + x0. Currents have mean m_a M_a and variance v_a Q_a, M_a = <psi_a>,
Q_a = <psi_a^2>, so that the mean mu_k and the variance d_k of every field obey

    mu_k = sum_a R_ka m_a M_a + sum_b R_kb <I_b> + x0_k,
    d_k  = sum_a R_ka^2 v_a Q_a + sum_b R_kb^2 var I_b,

the averages running over Gaussian fields of these means and variances. Without means d_k is Delta_k.

At the zero state a perturbation exp(s t) obeys delta x = G0(s) delta xi with
G0(s) = (s - A0)^{-1} B0, and delta psi_a = sum_l P_al delta x_l. For independent Gaussian
couplings the eigenvalues s of the whole network fill the region where the spectral radius of

    M_ab(s) = v_a | sum_l P_al G0_lb(s) |^2

exceeds one (random-matrix theory: J. T. Chalker and B. Mehlig, PRL 81, 3367 (1998); Ahmadian,
Fumarola & Miller, PRE 91, 012820 (2015)). A mean m_a / N of the couplings adds a few eigenvalues
outside, where the matrix  m_a sum_l P_al G0_lb(s)  has the eigenvalue one (T. Tao, Probab. Theory
Relat. Fields 155, 231 (2013)).
"""

from __future__ import annotations

from dataclasses import dataclass

import sympy as sp

from .closure import (
    Condition,
    Product,
    drive_conditions,
    factorise,
    needed_zeros,
    zeros_of_all,
)
from .disorder import CurrentCovariance
from .linearise import linearise
from .model import Model
from .symbols import s

__all__ = ["StaticEquations", "ZeroState", "static_equations", "zero_state"]


@dataclass(frozen=True)
class ZeroState:
    """Linearisation about x = 0, which is a state where ``conditions`` hold.

    ``drift_matrix`` A0, ``input_matrix`` B0, ``output_matrix`` P; ``weights`` v_a, ``means`` m_a.
    """

    model: Model
    conditions: tuple[Condition, ...]
    drift_matrix: sp.Matrix
    input_matrix: sp.Matrix
    output_matrix: sp.Matrix
    weights: tuple[sp.Expr, ...]
    means: tuple[sp.Expr, ...]

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
    still = (*model.field_symbols(), *model.current_symbols(), *model.input_symbols())
    rest = dict.fromkeys(still, 0)
    moved = zeros_of_all(model, [f.subs(rest) for f in (*model.drift(), *model.outputs())])
    driven = drive_conditions(model)
    if moved is None or driven is None:
        return None
    reason = "zero is no state: outputs or dynamics do not vanish there"
    conditions = (
        *(Condition(name, reason) for name in moved),
        *(Condition(c.parameter, f"zero is no state: {c.reason}") for c in driven),
    )
    zeros = {p.symbol: 0 for p in model.parameters if p.name in {c.parameter for c in conditions}}
    tangent = linearise(model)

    def at_zero(matrix: sp.Matrix) -> sp.Matrix:
        return matrix.subs(rest).subs(zeros).applyfunc(sp.simplify)

    return ZeroState(
        model=model,
        conditions=conditions,
        drift_matrix=at_zero(tangent.drift_by_field),
        input_matrix=at_zero(tangent.drift_by_current),
        output_matrix=at_zero(tangent.output_by_field),
        weights=tuple(c.weight for c in covariances),
        means=tuple(c.mean for c in covariances),
    )


@dataclass(frozen=True)
class StaticEquations:
    """Static responses R and R_I (rows fields, columns currents or quenched inputs), and x0.

    Valid where the ``conditions`` hold. ``weights`` v_a, ``outputs`` psi_a as products;
    `MeanFieldEquations.stationary` and the model hold means and variances of currents and inputs.
    """

    response: sp.Matrix
    quenched_response: sp.Matrix
    constant: sp.Matrix
    weights: tuple[sp.Expr, ...]
    outputs: tuple[Product, ...]
    conditions: tuple[Condition, ...]


def static_equations(
    model: Model, covariances: tuple[CurrentCovariance, ...]
) -> StaticEquations | None:
    """Solve f(x, xi, I) = 0 for x; None when that is not linear or an output is no product.

    Positive prefactors (a gate that is never quite closed) do not move the solution and are dropped.
    Where an input stands beside such a prefactor, either the gate must have no gain or the input
    must be off: that is what ``unless`` of a condition says.
    """
    noise = dict.fromkeys(model.input_symbols("white"), 0)
    drifts = [f.subs(noise) for f in model.drift()]
    quenched = model.input_symbols("quenched")
    products = [factorise(model, c.output, c.current) for c in covariances]
    driven = drive_conditions(model, "quenched")
    if any(p is None for p in products):
        return None
    free = _static_response(model, [f.subs(dict.fromkeys(quenched, 0)) for f in drifts])
    zeros = _zeros_for_linearity(model, drifts)
    if zeros is None and (free is None or driven is None):
        return None
    still = _disturbing(model, drifts)
    conditions: list[Condition] = []
    if zeros is None:
        assert free is not None
        solved = (free[0], sp.zeros(len(drifts), len(quenched)), free[2])
        reason = "with an input the statics are not linear"
        conditions = [Condition(c.parameter, reason) for c in driven or ()]
    else:
        at = {p.symbol: 0 for p in model.parameters if p.name in zeros}
        found = _static_response(model, [f.subs(at) for f in drifts])
        assert found is not None
        solved = found
        same = free is not None and still is not None and _equal(free[0], found[0])
        for name in zeros:
            reason = "an input beside a moving factor makes static states non-Gaussian"
            conditions.append(Condition(name, reason, still if same and still else ()))
    noisy = drive_conditions(model, "white")
    if noisy is None:
        return None
    conditions += [Condition(c.parameter, f"no state is constant: {c.reason}") for c in noisy]
    return StaticEquations(
        response=solved[0],
        quenched_response=solved[1],
        constant=solved[2],
        weights=tuple(c.weight for c in covariances),
        outputs=tuple(p for p in products if p is not None),
        conditions=tuple({c.parameter: c for c in conditions}.values()),
    )


def _equal(a: sp.Matrix, b: sp.Matrix) -> bool:
    return all(sp.simplify(x - y) == 0 for x, y in zip(a, b, strict=True))


def _disturbing(model: Model, drifts: list[sp.Expr]) -> tuple[str, ...] | None:
    """Parameters that switch off the inputs which, alone, make f = 0 nonlinear; None if one cannot be."""
    quenched = [i for i in model.inputs if i.kind == "quenched"]
    found: list[str] = []
    for drive in quenched:
        others = {i.symbol: 0 for i in quenched if i is not drive}
        if _static_response(model, [f.subs(others) for f in drifts]) is None:
            needed = zeros_of_all(model, (drive.variance, drive.mean))
            if needed is None:
                return None
            found += needed
    return tuple(dict.fromkeys(found))


def _zeros_for_linearity(model: Model, drifts: list[sp.Expr]) -> tuple[str, ...] | None:
    def holds(zeros: dict[sp.Symbol, int]) -> bool:
        return _static_response(model, [f.subs(zeros) for f in drifts]) is not None

    gains = {p.symbol for p in model.parameters if not (p.positive or p.nonnegative)}
    return needed_zeros(model, holds, tuple(gains & sp.Matrix(drifts).free_symbols))


def _static_response(
    model: Model, drifts: list[sp.Expr]
) -> tuple[sp.Matrix, sp.Matrix, sp.Matrix] | None:
    """R, R_I and x0 of f(x, xi, I) = 0; None when that is not linear or leaves x undetermined."""
    fields, currents = model.field_symbols(), model.current_symbols()
    quenched = model.input_symbols("quenched")
    moving = (*fields, *currents, *quenched)
    balances = []
    for drift in drifts:
        parts = sp.Mul.make_args(sp.factor_terms(drift))
        balances.append(sp.Mul(*[p for p in parts if not p.is_extended_positive]))
    equations = sp.Matrix(balances)

    def slopes(symbols: tuple[sp.Symbol, ...]) -> sp.Matrix:
        if not symbols:
            return sp.zeros(len(drifts), 0)
        return equations.jacobian(symbols).applyfunc(sp.simplify)

    matrix, forcing, driving = slopes(fields), slopes(currents), slopes(quenched)
    if any(m.has(*moving) for m in (matrix, forcing, driving)) or matrix.det() == 0:
        # without a leak of some combination of fields no current holds it in place
        return None
    inverse = -matrix.inv()
    rest = equations.subs(dict.fromkeys(moving, 0)).applyfunc(sp.simplify)
    return (
        (inverse * forcing).applyfunc(sp.simplify),
        (inverse * driving).applyfunc(sp.simplify) if quenched else sp.zeros(len(drifts), 0),
        (inverse * rest).applyfunc(sp.simplify),
    )
