r"""How non-zero states leave the zero state: a small-amplitude expansion of the stationary equations.

Near the zero-state line the amplitude u0 = C_1(0) is small and correlations are slow. Averages are
expanded in covariances,  E f(x) f(y) = sum_n C^n/n! (E f^(n))^2,  E f^(n) = sum_m (D/2)^m/m! f^(n+2m)(0),
filters in frequency and growth,  |G(lambda + i omega)|^2 = G0 + G2 omega^2 + L lambda + ...  To leading
order all covariances follow the critical eigenvector v of M = G0 dS/dC, C_j = v_j u(tau) with v_1 = 1;
projected on the left eigenvector w (w v = 1) the equations become, with e the excess of M's eigenvalue
over one,

    -B u'' = e u + kappa u0 u + a u^2                     (a not zero: gates that multiply), or
    -B u'' = e u + kappa u0 u + kappa_2 u0^2 u + c u^3    (a = 0),

a particle in a potential. Constant solutions have e = -(kappa + a) u0. Decaying ones have zero energy:

    a > 0:  e = -(kappa + 2a/3) u0,  u = u0 sech^2(k tau), k^2 = a u0 / (6B),
            lambda_max = 5 a u0 / (6 L)            (sech^2 well with l = 3: levels 9, 4, 1 times k^2);
    a = 0:  e = -kappa u0 + ...,  u = u0 sech(k tau), k^2 = c u0^2 / (2B),
            lambda_max = 3 c u0^2 / (2 L)          (l = 2: levels 4, 1 times k^2).

For c, fields that follow the critical mode at second order, C = v u + X u^2 with
(1 - M + v w) X = (u^2 part of the second order), are fed back into the third order. No u0 u^2 can
appear where a = 0: coefficients are squares times gains, nothing cancels, and a square that
vanishes at zero does so at first order in u0 too. Where a vanishes for some parameters only (a gate
without gain) the cubic laws hold there: `OnsetLaws.degenerate`. B > 0 is needed: else rest is lost
by an oscillation first.

A tricritical point is where the coefficient between e and u0 changes sign: states appear
continuously on one side and through a fold on the other. For the gated network at beta_r = 0 this gives
alpha_r = sqrt(8) for fixed points and sqrt(12) for chaos (KCS 2022 find the discontinuous onset).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import sympy as sp

from .amplitude_series import linear_outputs, low_frequency, output_series
from .closure import Product, needed_zeros
from .equations import MeanFieldEquations
from .functions import logistic
from .stationary import ClosureError, StationaryEquations

__all__ = ["OnsetError", "OnsetLaws", "TricriticalGain", "onset_laws"]


class OnsetError(ValueError):
    """The expansion does not apply to this model; the message says why."""


@dataclass(frozen=True)
class TricriticalGain:
    """Where a coefficient vanishes: ``square`` is the square of ``parameter`` there.

    ``exists_where`` is the condition on the gates' values at zero under which the square is
    positive.
    """

    parameter: sp.Symbol
    square: sp.Expr
    exists_where: sp.Basic


@dataclass(frozen=True)
class OnsetLaws:
    """Coefficients of the reduced equation, on the zero-state line where it matters.

    ``values_at_zero`` explains symbols such as sigma_r0: the value of a nonlinearity at zero.
    ``zeros`` names parameters that are zero here beside those that the theory needs; ``degenerate``
    are the laws where some parameters are zero and the quadratic coefficient vanishes for them.
    """

    excess: sp.Expr
    kappa: sp.Expr
    quadratic: sp.Expr
    cubic: sp.Expr | None
    inertia: sp.Expr
    friction: sp.Expr
    line: dict[sp.Symbol, sp.Expr]
    values_at_zero: dict[sp.Symbol, sp.Expr]
    gains: tuple[sp.Symbol, ...]
    zeros: tuple[str, ...] = ()
    degenerate: OnsetLaws | None = None

    @cached_property
    def static_coefficient(self) -> sp.Expr:
        """e / u0 on the branch of constant solutions."""
        return sp.factor(-(self.kappa + self.quadratic))

    @cached_property
    def dynamic_coefficient(self) -> sp.Expr:
        """e / u0 on the branch of decaying solutions."""
        return sp.factor(-(self.kappa + sp.Rational(2, 3) * self.quadratic))

    def lyapunov(self, amplitude: sp.Expr) -> sp.Expr:
        """lambda_max of the decaying solution at amplitude u0, to leading order."""
        if self.quadratic != 0:
            return sp.simplify(5 * self.quadratic * amplitude / (6 * self.friction))
        assert self.cubic is not None
        return sp.simplify(3 * self.cubic * amplitude**2 / (2 * self.friction))

    def slow_rate_square(self, amplitude: sp.Expr) -> sp.Expr:
        """k^2 of the decaying solution sech^2(k tau), or sech(k tau) when a = 0."""
        if self.quadratic != 0:
            return sp.simplify(self.quadratic * amplitude / (6 * self.inertia))
        assert self.cubic is not None
        return sp.simplify(self.cubic * amplitude**2 / (2 * self.inertia))

    def tricritical(self, coefficient: sp.Expr) -> TricriticalGain | None:
        """Where the coefficient vanishes, as the square of the first gain that can do it."""
        for gain in self.gains:
            if not coefficient.has(gain):
                continue
            square = sp.Dummy("square", positive=True)
            numerator = sp.numer(sp.together(coefficient)).subs(gain, sp.sqrt(square))
            roots = sp.solve(numerator, square)
            if len(roots) != 1:
                continue
            root = sp.factor(roots[0])
            return TricriticalGain(gain, root, _where_positive(root, self.values_at_zero))
        return None


def _where_positive(expression: sp.Expr, values: dict[sp.Symbol, sp.Expr]) -> sp.Basic:
    """Condition for expression > 0 when a gate's value at zero lies between 0 and 1."""
    involved = [s for s in values if expression.has(s)]
    if len(involved) != 1:
        return sp.StrictGreaterThan(expression, 0)
    plain = sp.Dummy("v", real=True)
    domain = sp.solveset(expression.subs(involved[0], plain) > 0, plain, sp.Interval.open(0, 1))
    return sp.simplify(domain.as_relational(plain)).subs(plain, involved[0])


def onset_laws(equations: MeanFieldEquations) -> OnsetLaws:
    """Expand the stationary equations of a closed theory about the zero state.

    Raises `OnsetError` when the theory does not close, couplings have a mean, or several modes may
    become critical.

    >>> from .equations import derive_equations
    >>> from .models import get
    >>> laws = onset_laws(derive_equations(get("gated")))
    >>> half = {sp.Symbol("sigma_r0", positive=True): sp.Rational(1, 2)}
    >>> laws.tricritical(laws.static_coefficient).square.subs(half)
    8
    >>> laws.degenerate.zeros, laws.degenerate.lyapunov(sp.Symbol("u0"))
    (('alpha_r',), sigma_z0*u0**2/(2*sigma_r0**4))
    """
    if equations.stationary is None:
        raise OnsetError(f"the stationary theory does not close: {equations.closure_failure}")
    try:
        stationary = equations.stationary.decaying()
    except ClosureError as error:
        raise OnsetError(str(error)) from None
    if any(mean != 0 for mean in stationary.current_means):
        raise OnsetError("couplings with a mean are not covered: a mean activity may appear first")
    values, shorten = _values_at_zero(equations)
    laws = _Expansion(stationary, values, shorten).laws()
    if laws.quadratic == 0:
        return laws
    model = equations.model
    needed = needed_zeros(
        model,
        lambda zeros: sp.simplify(laws.quadratic.subs(zeros)) == 0,
        tuple(laws.quadratic.free_symbols),
    )
    if needed is None:
        return laws
    zeros = {p.symbol: 0 for p in model.parameters if p.name in needed}
    special = _Expansion(_without(stationary, zeros), values, shorten).laws()
    return replace(laws, degenerate=replace(special, zeros=needed))


def _without(stationary: StationaryEquations, zeros: dict[sp.Symbol, int]) -> StationaryEquations:
    """The equations with some parameters set to zero."""

    def at(product: Product) -> Product:
        factors = [replace(f, expression=f.expression.subs(zeros)) for f in product.factors]
        return Product(product.coefficient.subs(zeros), tuple(factors))

    return replace(
        stationary,
        drift_matrix=stationary.drift_matrix.subs(zeros),
        input_matrix=stationary.input_matrix.subs(zeros),
        weights=tuple(sp.sympify(v).subs(zeros) for v in stationary.weights),
        outputs=tuple(at(o) for o in stationary.outputs),
    )


class _Expansion:
    """The orders of amplitude, projected on the critical mode."""

    def __init__(
        self,
        stationary: StationaryEquations,
        values: dict[sp.Symbol, sp.Expr],
        shorten: dict[sp.Expr, sp.Expr],
    ) -> None:
        self.stationary, self.values, self.shorten = stationary, values, shorten
        self.model = stationary.model
        self.active = [
            i
            for i, f in enumerate(self.model.fields)
            if any(factor.field == f.name for o in stationary.outputs for factor in o.factors)
        ]
        self.u, self.u0 = sp.Dummy("u"), sp.Dummy("u0", positive=True)
        self.gain, self.second, self.growth = low_frequency(stationary, self.active)
        self.slopes = linear_outputs(stationary, self.active)
        self.matrix = (self.gain * self.slopes).applyfunc(sp.simplify)
        self.critical, self.v, self.w = _critical_mode(self.matrix)
        self.line = _zero_state_line(self.model.parameters, self.critical.subs(shorten))

    def tidy(self, expression: sp.Expr) -> sp.Expr:
        """Short, on the zero-state line."""
        return sp.factor(sp.simplify(expression.subs(self.shorten).subs(self.line)))

    def order(self, n: int, follower: sp.Matrix | None = None) -> sp.Matrix:
        """G0 S at order n, for C = v u + X u^2 and D = v u0: polynomials in u and u0.

        What X and the other second-order parts add to D, as X u0^2, multiplies u only: no u^3.
        """
        book = sp.Dummy("book", positive=True)
        x = sp.zeros(len(self.active), 1) if follower is None else follower
        names = [self.model.fields[i].name for i in self.active]
        covariance = {
            name: book * self.v[k] * self.u + book**2 * x[k] * self.u**2
            for k, name in enumerate(names)
        }
        variance = {name: book * self.v[k] * self.u0 for k, name in enumerate(names)}
        outputs = sp.Matrix(
            [
                weight * output_series(self.model.field_symbols(), product, variance, covariance, n)
                for weight, product in zip(
                    self.stationary.weights, self.stationary.outputs, strict=True
                )
            ]
        )
        return (self.gain * outputs).applyfunc(lambda e: sp.expand(e).coeff(book, n))

    def laws(self) -> OnsetLaws:
        """All coefficients of the reduced equation."""
        u, u0, tidy = self.u, self.u0, self.tidy
        orders = self.order(2)
        projected = sp.Poly((self.w.T * orders)[0], u)
        quadratic = tidy(projected.coeff_monomial(u**2))
        return OnsetLaws(
            excess=sp.simplify(self.critical.subs(self.shorten) - 1),
            kappa=tidy(projected.coeff_monomial(u) / u0),
            quadratic=quadratic,
            cubic=None if quadratic != 0 else self._cubic(orders),
            inertia=tidy(-(self.w.T * self.second * self.slopes * self.v)[0]),
            friction=tidy(-(self.w.T * self.growth * self.slopes * self.v)[0]),
            line=self.line,
            values_at_zero=self.values,
            gains=tuple(p.symbol for p in self.model.parameters if not p.positive),
        )

    def _cubic(self, orders: sp.Matrix) -> sp.Expr:
        """The coefficient of u^3, with the fields that follow at second order."""
        square = orders.applyfunc(lambda e: sp.Poly(e, self.u).coeff_monomial(self.u**2))
        follower = sp.zeros(len(self.active), 1)
        if not square.applyfunc(self.tidy).is_zero_matrix:
            operator = sp.eye(len(self.active)) - self.matrix + self.v * self.w.T
            follower = operator.applyfunc(self.tidy).LUsolve(square.applyfunc(self.tidy))
        third = sp.Poly((self.w.T * self.order(3, follower))[0], self.u)
        return self.tidy(third.coeff_monomial(self.u**3))


def _values_at_zero(
    equations: MeanFieldEquations,
) -> tuple[dict[sp.Symbol, sp.Expr], dict[sp.Expr, sp.Expr]]:
    """Symbols for gates at zero, and the substitutions that bring them in."""
    model, values, shorten = equations.model, {}, {}
    rest = dict.fromkeys(model.field_symbols(), 0)
    for nonlinearity in model.nonlinearities:
        value = nonlinearity.expression.subs(rest)
        if isinstance(value, logistic):
            symbol = sp.Symbol(f"{nonlinearity.name}0", positive=True)
            values[symbol] = value
            shorten[value] = symbol
            shorten[logistic(-value.args[0])] = 1 - symbol
    return values, shorten


def _critical_mode(matrix: sp.Matrix) -> tuple[sp.Expr, sp.Matrix, sp.Matrix]:
    """The one non-zero eigenvalue of M with right and left eigenvectors, v_1 = 1 and w v = 1."""
    modes = [(value, vectors) for value, _, vectors in matrix.eigenvects() if value != 0]
    if len(modes) != 1 or len(modes[0][1]) != 1:
        raise OnsetError("several modes of the zero state may become critical")
    value, (right,) = modes[0]
    (left,) = next(vectors for found, _, vectors in matrix.T.eigenvects() if found != 0)
    v = (right / right[0]).applyfunc(sp.simplify)
    w = (left / (left.T * v)[0]).applyfunc(sp.simplify)
    return sp.simplify(value), v, w


def _zero_state_line(parameters: Sequence[object], critical: sp.Expr) -> dict[sp.Symbol, sp.Expr]:
    """The required parameter on the line where the critical eigenvalue is one."""
    for parameter in parameters:
        symbol = getattr(parameter, "symbol")  # noqa: B009
        if getattr(parameter, "default") is None and critical.has(symbol):  # noqa: B009
            for root in sp.solve(sp.Eq(critical, 1), symbol):
                if not root.could_extract_minus_sign():
                    return {symbol: root}
    return {}
