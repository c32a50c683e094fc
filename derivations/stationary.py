r"""Stationary equations of a closed theory, and their linearisation (the Lyapunov operator).

With linear dynamics x' = A x + B xi the transfer matrix is G(s) = (s - A)^{-1} B, and the
autocorrelations obey, in Fourier space,

    C_k(omega) = sum_a |G_ka(i omega)|^2 S_a(omega),
    S_a(tau)   = v_a c_a^2 prod_f F_f(C_j(0), C_j(tau)),

v_a the variance of the couplings, c_a the constant coefficient and f_j the factors of the output
(for the gated network see KCS 2022). Two replicas with equal couplings,
linearised, give for the growing perturbations chi_k(tau) e^{lambda (t + t')} the same structure:

    chi_k(omega) = sum_a |G_ka(lambda + i omega)|^2 [ sum_j dS_a/dC_j chi_j ](omega)

because dF_f/dC = F_{f'} (Price) is exactly the average that the linearised outputs leave. The
largest Lyapunov exponent is where the spectral radius of the right-hand side is one (section 6).
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import sympy as sp

from .closure import Condition, Factor, Product, factorise, needed_zeros
from .disorder import CurrentCovariance
from .gaussian import GaussianAverage
from .model import Model
from .symbols import covariance_symbol, omega, s, variance_symbol

__all__ = ["ClosureError", "StationaryEquations", "stationary_equations"]


class ClosureError(ValueError):
    """The theory of this model does not close in covariances; the message says why."""


@dataclass(frozen=True)
class StationaryEquations:
    """Closed equations for autocorrelations, valid where all ``conditions`` hold.

    ``gaussian_conditions`` make every field Gaussian; ``decay_conditions`` make every current's
    mean output vanish, so that correlations decay to zero. Drift matrices and products have the
    parameters named there already set to zero.
    """

    model: Model
    gaussian_conditions: tuple[Condition, ...]
    decay_conditions: tuple[Condition, ...]
    drift_matrix: sp.Matrix
    input_matrix: sp.Matrix
    weights: tuple[sp.Expr, ...]
    outputs: tuple[Product, ...]
    observables: tuple[Product | None, ...]

    @cached_property
    def transfer(self) -> sp.Matrix:
        """G(s) = (s - A)^{-1} B, rows fields, columns currents."""
        size = self.drift_matrix.shape[0]
        return ((s * sp.eye(size) - self.drift_matrix).inv() * self.input_matrix).applyfunc(
            sp.factor
        )

    def filter(self, field: int, current: int, growth: sp.Expr | int = 0) -> sp.Expr:
        """|G(growth + i omega)|^2 as a rational function of omega^2."""
        g = self.transfer[field, current]
        along = g.subs(s, growth + sp.I * omega) * g.subs(s, growth - sp.I * omega)
        above, below = sp.fraction(sp.factor(sp.simplify(along)))

        def in_omega(polynomial: sp.Expr) -> sp.Expr:
            terms = sp.Poly(polynomial, omega).terms()
            return sp.Add(*[sp.factor(c) * omega**k for (k,), c in terms])

        return in_omega(above) / in_omega(below)

    def current_covariance(self, current: int) -> sp.Expr:
        """S_a as a function of D_j = C_j(0) and C_j = C_j(tau)."""
        product = self.outputs[current]
        averages = [self.average(f) for f in product.factors]
        return self.weights[current] * product.coefficient**2 * sp.prod(averages)

    @staticmethod
    def average(factor: Factor) -> GaussianAverage:
        """F_f(D, C) of the factor's field."""
        return GaussianAverage(
            sp.Symbol(factor.label),
            0,
            0,
            variance_symbol(factor.field),
            covariance_symbol(factor.field),
        )

    def lyapunov_weight(self, current: int, field: int) -> sp.Expr:
        """dS_a/dC_j: what multiplies chi_j in the Lyapunov operator."""
        name = self.model.fields[field].name
        return sp.diff(self.current_covariance(current), covariance_symbol(name))


def _gaussian_conditions(model: Model) -> tuple[Condition, ...]:
    """Which parameters must vanish for the dynamics to be linear."""
    fields, currents = model.field_symbols(), model.current_symbols()
    moving = (*fields, *currents)

    found: dict[str, str] = {}
    for declared, drift in zip(model.fields, model.drift(), strict=True):
        slopes = [sp.diff(drift, v) for v in moving]

        def is_constant(zeros: dict[sp.Symbol, int], slopes: list[sp.Expr] = slopes) -> bool:
            return not any(sp.simplify(e.subs(zeros)).has(*moving) for e in slopes)

        involved = sp.Matrix(slopes).free_symbols
        needed = needed_zeros(model, is_constant, involved)
        if needed is None:
            raise ClosureError(
                f"the dynamics of {declared.name} are not linear for any choice of zero parameters, "
                f"so {declared.name} is not Gaussian"
            )
        own = [sp.diff(drift, v) for v in (declared.symbol, *currents)]
        movers = sorted(str(v) for v in fields if any(e.has(v) for e in own))
        for name in needed:
            found[name] = (
                f"{' and '.join(movers)} multiplies the dynamics of {declared.name}, "
                "which is then not Gaussian"
            )
    return tuple(Condition(name, reason) for name, reason in found.items())


def stationary_equations(
    model: Model, covariances: tuple[CurrentCovariance, ...]
) -> StationaryEquations:
    """Derive the closed stationary equations, with the conditions under which they hold.

    Raises `ClosureError` when fields multiply currents for all parameter values, when an output is
    no product of functions of single fields, or when two fields in one output share a current.
    """
    gaussian = _gaussian_conditions(model)
    zeros = {p.symbol: 0 for p in model.parameters if p.name in {c.parameter for c in gaussian}}
    drift = sp.Matrix([sp.simplify(f.subs(zeros)) for f in model.drift()])
    fields, currents = model.field_symbols(), model.current_symbols()
    at_rest = dict.fromkeys((*fields, *currents), 0)
    if any(sp.simplify(f.subs(at_rest)) != 0 for f in drift):
        raise ClosureError("the dynamics have a constant part: fields have a mean, not covered yet")

    def outputs_with(extra: dict[sp.Symbol, int]) -> list[Product]:
        products = []
        for covariance in covariances:
            product = factorise(model, covariance.output, covariance.current, zeros | extra)
            if product is None:
                raise ClosureError(
                    f"the output of {covariance.current} is no product of functions of one field each"
                )
            products.append(product)
        return products

    def decays(extra: dict[sp.Symbol, int]) -> bool:
        return all(p.is_odd for p in outputs_with(extra))

    involved = sp.Matrix([c.output for c in covariances]).free_symbols
    needed = needed_zeros(model, decays, involved)
    if needed is None:
        raise ClosureError("outputs have a mean for all parameter values: not covered yet")
    decay = tuple(
        Condition(name, "outputs have a mean, so correlations do not decay to zero")
        for name in needed
    )
    odd = {p.symbol: 0 for p in model.parameters if p.name in needed}
    observables = tuple(
        factorise(model, n.expression, n.name, zeros | odd) for n in model.nonlinearities
    )
    equations = StationaryEquations(
        model=model,
        gaussian_conditions=gaussian,
        decay_conditions=decay,
        drift_matrix=drift.jacobian(fields).applyfunc(sp.simplify),
        input_matrix=drift.jacobian(currents).applyfunc(sp.simplify),
        weights=tuple(c.weight for c in covariances),
        outputs=tuple(outputs_with(odd)),
        observables=observables,
    )
    _check_independence(equations)
    return equations


def _check_independence(equations: StationaryEquations) -> None:
    """Fields that meet in one output must share no current, else their joint average is needed."""
    index = {f.name: i for i, f in enumerate(equations.model.fields)}
    driven = equations.transfer.applyfunc(lambda e: 0 if e == 0 else 1)
    for coupling, product in zip(equations.model.couplings, equations.outputs, strict=True):
        rows = [driven.row(index[f.field]) for f in product.factors]
        if any(sum(row[a] for row in rows) > 1 for a in range(driven.shape[1])):
            names = ", ".join(f.field for f in product.factors)
            raise ClosureError(
                f"the fields {names} in the output of {coupling.current} share a current: "
                "their joint average is not covered yet"
            )
