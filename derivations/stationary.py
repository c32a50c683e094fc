r"""Stationary equations of a closed theory, and their linearisation (the Lyapunov operator).

With linear dynamics x' = A x + B xi + E I + W eta + b, quenched inputs I and white noise eta, the
transfer matrix is G(s) = (s - A)^{-1} B. Fields are Gaussian of mean mu and covariances that obey,
in Fourier space,

    C_k(omega) = sum_a |G_ka|^2 S_a(omega) + sum_b |E_kb|^2 var I_b 2 pi delta(omega) + sum_c |W_kc|^2 D_c,
    S_a(tau)   = v_a c_a^2 prod_f F_f(C_j(0), C_j(tau)),
    mu         = -A^{-1} (B (m_a M_a) + E <I> + b),       M_a = c_a prod_f E f(x_j),

with G, and likewise E and W filtered by (i omega - A)^{-1}, v_a the variance and m_a the mean of the
couplings, c_a the constant coefficient and f_j the factors of the output, averaged over fields of
mean mu_j; <eta eta'> = D delta. S_a is the full second moment, so that C_k keeps a constant part
wherever an output has a mean (for the gated network see KCS 2022). Two replicas with equal couplings,
linearised, give for the growing perturbations chi_k(tau) e^{lambda (t + t')} the same structure:

    chi_k(omega) = sum_a |G_ka(lambda + i omega)|^2 [ sum_j dS_a/dC_j chi_j ](omega)

because dF_f/dC = F_{f'} (Price) is exactly the average that the linearised outputs leave. The
largest Lyapunov exponent is where the spectral radius of the right-hand side is one (section 6).
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property

import sympy as sp

from .closure import (
    Condition,
    Factor,
    Product,
    drive_conditions,
    factorise,
    needed_zeros,
    zeros_of_all,
)
from .disorder import CurrentCovariance
from .filters import power_gain, transfer_matrix
from .gaussian import GaussianAverage
from .model import Model
from .symbols import covariance_symbol, s, variance_symbol

__all__ = ["ClosureError", "StationaryEquations", "stationary_equations"]


class ClosureError(ValueError):
    """The theory of this model does not close in covariances; the message says why."""


@dataclass(frozen=True)
class StationaryEquations:
    """Closed equations for autocorrelations, valid where the ``gaussian_conditions`` hold.

    Those make every field Gaussian: matrices and products have the parameters named there already
    set to zero. Where the ``decay_conditions`` hold too (outputs without a mean, no quenched input)
    correlations can decay to zero and fields have no mean; None when they never hold.
    """

    model: Model
    gaussian_conditions: tuple[Condition, ...]
    decay_conditions: tuple[Condition, ...] | None
    drift_matrix: sp.Matrix
    input_matrix: sp.Matrix
    quenched_matrix: sp.Matrix
    noise_matrix: sp.Matrix
    constant: sp.Matrix
    weights: tuple[sp.Expr, ...]
    current_means: tuple[sp.Expr, ...]
    quenched_means: tuple[sp.Expr, ...]
    quenched_variances: tuple[sp.Expr, ...]
    noise_intensities: tuple[sp.Expr, ...]
    outputs: tuple[Product, ...]
    observables: tuple[Product | None, ...]

    def decaying(self) -> StationaryEquations:
        """The same where the ``decay_conditions`` hold, their parameters set to zero in the outputs.

        Raises `ClosureError` when they never hold.
        """
        if self.decay_conditions is None:
            raise ClosureError("outputs have a mean for all parameter values: zero is no state")
        names = {c.parameter for c in self.decay_conditions}
        zeros = {p.symbol: 0 for p in self.model.parameters if p.name in names}

        def at(product: Product) -> Product:
            factors = [replace(f, expression=f.expression.subs(zeros)) for f in product.factors]
            return Product(product.coefficient.subs(zeros), tuple(factors))

        return replace(
            self,
            outputs=tuple(at(o) for o in self.outputs),
            observables=tuple(None if o is None else at(o) for o in self.observables),
        )

    @cached_property
    def transfer(self) -> sp.Matrix:
        """G(s) = (s - A)^{-1} B, rows fields, columns currents."""
        return transfer_matrix(self.drift_matrix, self.input_matrix)

    def filter(self, field: int, current: int, growth: sp.Expr | int = 0) -> sp.Expr:
        """|G(growth + i omega)|^2 as a rational function of omega^2."""
        return power_gain(self.transfer[field, current], growth)

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
    moving = (*fields, *currents, *model.input_symbols())

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
    no product of functions of single fields, or when two fields in one output share a current or
    an input.
    """
    gaussian = _gaussian_conditions(model)
    zeros = {p.symbol: 0 for p in model.parameters if p.name in {c.parameter for c in gaussian}}
    drift = sp.Matrix([sp.simplify(f.subs(zeros)) for f in model.drift()])
    fields, currents = model.field_symbols(), model.current_symbols()
    products = []
    for covariance in covariances:
        product = factorise(model, covariance.output, covariance.current, zeros)
        if product is None:
            raise ClosureError(
                f"the output of {covariance.current} is no product of functions of one field each"
            )
        products.append(product)
    at_rest = dict.fromkeys((*fields, *currents, *model.input_symbols()), 0)

    def slopes(symbols: tuple[sp.Symbol, ...]) -> sp.Matrix:
        if not symbols:
            return sp.zeros(len(fields), 0)
        return drift.jacobian(symbols).applyfunc(sp.simplify)

    quenched = [i for i in model.inputs if i.kind == "quenched"]
    equations = StationaryEquations(
        model=model,
        gaussian_conditions=gaussian,
        decay_conditions=_decay_conditions(model, covariances, zeros, drift.subs(at_rest)),
        drift_matrix=slopes(fields),
        input_matrix=slopes(currents),
        quenched_matrix=slopes(model.input_symbols("quenched")),
        noise_matrix=slopes(model.input_symbols("white")),
        constant=drift.subs(at_rest).applyfunc(sp.simplify),
        weights=tuple(c.weight for c in covariances),
        current_means=tuple(c.mean for c in covariances),
        quenched_means=tuple(sp.sympify(i.mean) for i in quenched),
        quenched_variances=tuple(sp.sympify(i.variance) for i in quenched),
        noise_intensities=tuple(sp.sympify(i.variance) for i in model.inputs if i.kind == "white"),
        outputs=tuple(products),
        observables=tuple(
            factorise(model, n.expression, n.name, zeros) for n in model.nonlinearities
        ),
    )
    _check_independence(equations)
    return equations


def _decay_conditions(
    model: Model,
    covariances: tuple[CurrentCovariance, ...],
    zeros: dict[sp.Symbol, int],
    constant: sp.Matrix,
) -> tuple[Condition, ...] | None:
    """Which parameters must vanish for no field and no output to have a mean; None if none do."""

    def odd(extra: dict[sp.Symbol, int]) -> bool:
        products = [factorise(model, c.output, c.current, zeros | extra) for c in covariances]
        return all(p is not None and p.is_odd for p in products)

    involved = sp.Matrix([c.output for c in covariances]).free_symbols
    parities = needed_zeros(model, odd, involved)
    constants = zeros_of_all(model, constant)
    driven = drive_conditions(model, "quenched")
    if parities is None or constants is None or driven is None:
        return None
    return (
        *(
            Condition(name, "outputs have a mean, so correlations do not decay to zero")
            for name in parities
        ),
        *(
            Condition(name, "the dynamics have a constant part, so fields have a mean")
            for name in constants
            if name not in parities
        ),
        *driven,
    )


def _check_independence(equations: StationaryEquations) -> None:
    """Fields that meet in one output must share no current, else their joint average is needed."""
    index = {f.name: i for i, f in enumerate(equations.model.fields)}
    size = equations.drift_matrix.shape[0]
    spread = (s * sp.eye(size) - equations.drift_matrix).inv()
    sources = sp.Matrix.hstack(
        equations.input_matrix, equations.quenched_matrix, equations.noise_matrix
    )
    driven = (spread * sources).applyfunc(lambda e: 0 if sp.simplify(e) == 0 else 1)
    for coupling, product in zip(equations.model.couplings, equations.outputs, strict=True):
        rows = [driven.row(index[f.field]) for f in product.factors]
        if any(sum(row[a] for row in rows) > 1 for a in range(driven.shape[1])):
            names = ", ".join(f.field for f in product.factors)
            raise ClosureError(
                f"the fields {names} in the output of {coupling.current} share a current or an input: "
                "their joint average is not covered yet"
            )
