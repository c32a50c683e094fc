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

A tricritical point is where the coefficient between e and u0 changes sign: states appear
continuously on one side and through a fold on the other. For the gated network at beta_r = 0 this gives
alpha_r = sqrt(8) for fixed points and sqrt(12) for chaos (KCS 2022 find the discontinuous onset).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import sympy as sp

from .closure import Product
from .equations import MeanFieldEquations
from .functions import logistic
from .stationary import ClosureError, StationaryEquations
from .symbols import lambda_, omega

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


def _average_series(function: sp.Expr, x: sp.Symbol, d: sp.Expr, c: sp.Expr, order: int) -> sp.Expr:
    """E f(x) f(y) up to total order ``order`` in the variance d and the covariance c."""
    derivatives = [function]
    for _ in range(2 * order + 1):
        derivatives.append(sp.diff(derivatives[-1], x))
    at_zero = [sp.simplify(e.subs(x, 0)) for e in derivatives]
    total: sp.Expr = sp.Integer(0)
    for n in range(order + 1):
        mean = sum(
            (d / 2) ** m / sp.factorial(m) * at_zero[n + 2 * m]
            for m in range(order + 1)
            if n + 2 * m < len(at_zero)
        )
        total += c**n / sp.factorial(n) * mean**2
    return total


def onset_laws(equations: MeanFieldEquations) -> OnsetLaws:
    """Expand the stationary equations of a closed theory about the zero state.

    Raises `OnsetError` when the theory does not close, several modes are critical at once, or a
    cubic expansion would need fields that feed back on the first.

    >>> from .equations import derive_equations
    >>> from .models import get
    >>> laws = onset_laws(derive_equations(get("gated")))
    >>> laws.tricritical(laws.static_coefficient).square.subs("sigma_r0", sp.Rational(1, 2))
    8
    """
    if equations.stationary is None:
        raise OnsetError(f"the stationary theory does not close: {equations.closure_failure}")
    try:
        stationary = equations.stationary.decaying()
    except ClosureError as error:
        raise OnsetError(str(error)) from None
    if any(mean != 0 for mean in stationary.current_means):
        raise OnsetError("couplings with a mean are not covered: a mean activity may appear first")
    model = equations.model
    active = [
        i
        for i, f in enumerate(model.fields)
        if any(factor.field == f.name for o in stationary.outputs for factor in o.factors)
    ]
    values, shorten = _values_at_zero(equations)
    zero_gain, second, friction = _low_frequency(stationary, active)
    book, u, u0 = sp.Dummy("book", positive=True), sp.Dummy("u"), sp.Dummy("u0", positive=True)
    first_order = _linear_outputs(stationary, active)
    matrix = (zero_gain * first_order).applyfunc(sp.simplify)
    critical, v, w = _critical_mode(matrix)

    def projected(order: int) -> sp.Expr:
        covariance = {model.fields[i].name: book * v[k] * u for k, i in enumerate(active)}
        variance = {model.fields[i].name: book * v[k] * u0 for k, i in enumerate(active)}
        outputs = sp.Matrix(
            [
                weight * _output_series(model.field_symbols(), product, variance, covariance, order)
                for weight, product in zip(stationary.weights, stationary.outputs, strict=True)
            ]
        )
        return sp.expand((w.T * zero_gain * outputs)[0]).coeff(book, order)

    def tidy(expression: sp.Expr) -> sp.Expr:
        return sp.factor(sp.simplify(expression.subs(shorten).subs(line)))

    line = _zero_state_line(model.parameters, critical.subs(shorten))
    quadratic_part = sp.Poly(projected(2), u)
    kappa = tidy(quadratic_part.coeff_monomial(u) / u0)
    quadratic = tidy(quadratic_part.coeff_monomial(u**2))
    cubic = None
    if quadratic == 0:
        if any(matrix[0, k] != 0 for k in range(1, len(active))):
            raise OnsetError("a cubic expansion with fields that feed back is not covered")
        cubic = tidy(sp.Poly(projected(3), u).coeff_monomial(u**3))
    return OnsetLaws(
        excess=sp.simplify(critical.subs(shorten) - 1),
        kappa=kappa,
        quadratic=quadratic,
        cubic=cubic,
        inertia=tidy(-(w.T * second * first_order * v)[0]),
        friction=tidy(-(w.T * friction * first_order * v)[0]),
        line=line,
        values_at_zero=values,
        gains=tuple(p.symbol for p in model.parameters if not p.positive),
    )


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


def _low_frequency(
    stationary: StationaryEquations, active: Sequence[int]
) -> tuple[sp.Matrix, sp.Matrix, sp.Matrix]:
    """|G|^2 at zero, its coefficient of omega^2, and its derivative by the growth rate."""

    def entry(k: int, a: int, what: str) -> sp.Expr:
        gain = stationary.filter(active[k], a, lambda_)
        if what == "growth":
            return sp.diff(gain, lambda_).subs({omega: 0, lambda_: 0})
        at_rest = gain.subs(lambda_, 0)
        return (at_rest if what == "value" else sp.diff(at_rest, omega, 2) / 2).subs(omega, 0)

    shape = (len(active), len(stationary.outputs))
    parts = ("value", "omega", "growth")
    value, second, growth = (
        sp.Matrix(*shape, lambda k, a, part=part: entry(k, a, part)) for part in parts
    )
    return value, second, growth


def _linear_outputs(stationary: StationaryEquations, active: Sequence[int]) -> sp.Matrix:
    """dS_a/dC_j at the zero state."""
    model = stationary.model
    symbols = model.field_symbols()
    step = sp.Dummy("step")
    columns = []
    for j in active:
        name = model.fields[j].name
        covariance = {f.name: step if f.name == name else sp.Integer(0) for f in model.fields}
        nothing = dict.fromkeys(covariance, sp.Integer(0))
        columns.append(
            [
                weight
                * sp.expand(_output_series(symbols, p, nothing, covariance, 1)).coeff(step, 1)
                for weight, p in zip(stationary.weights, stationary.outputs, strict=True)
            ]
        )
    return sp.Matrix(columns).T


def _output_series(
    symbols: Sequence[sp.Symbol],
    product: Product,
    variance: dict[str, sp.Expr],
    covariance: dict[str, sp.Expr],
    order: int,
) -> sp.Expr:
    by_name = {s.name: s for s in symbols}
    total = product.coefficient**2
    for f in product.factors:
        total *= _average_series(
            f.expression, by_name[f.field], variance[f.field], covariance[f.field], order
        )
    return total


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
