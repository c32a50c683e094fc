"""When does the single-site theory close, and which parameters must vanish for it?

The covariances of the fields obey closed equations when every field is Gaussian: the dynamics are
linear in fields and currents with coefficients that no field moves, and each output is a product of
functions of one field each. A network may be so only where some parameters are zero (a gate without
gain); those are found here, not declared.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations

import sympy as sp

from .model import Model
from .symbols import field_symbol

__all__ = [
    "Condition",
    "Factor",
    "Product",
    "drive_conditions",
    "factorise",
    "needed_zeros",
    "zeros_of_all",
]


@dataclass(frozen=True)
class Condition:
    """A parameter that must be zero, and why; not if all of the parameters ``unless`` are zero."""

    parameter: str
    reason: str
    unless: tuple[str, ...] = ()


@dataclass(frozen=True)
class Factor:
    """A function of one field: ``expression`` in the symbol of ``field``, printed as ``label``."""

    label: str
    field: str
    expression: sp.Expr

    @property
    def is_odd(self) -> bool:
        """Whether f(-x) = -f(x), for all values of the parameters."""
        x = field_symbol(self.field)
        even_part = self.expression + self.expression.subs(x, -x)
        if even_part == 0:
            return True
        # a number that is clearly not zero spares a simplification of seconds
        free = sorted(even_part.free_symbols, key=str)
        sample = {v: sp.Rational(7 + 3 * i, 11 + i) for i, v in enumerate(free)}
        return abs(sp.N(even_part.subs(sample), 30)) < 1e-20 and bool(sp.simplify(even_part) == 0)


@dataclass(frozen=True)
class Product:
    """coefficient * f_1(x_1) * f_2(x_2) ..., each factor a function of another field."""

    coefficient: sp.Expr
    factors: tuple[Factor, ...]

    @property
    def is_odd(self) -> bool:
        """Whether some factor is odd in its field, so that the Gaussian mean vanishes."""
        return any(f.is_odd for f in self.factors)


def factorise(
    model: Model,
    expression: sp.Expr,
    current: str = "",
    zeros: Mapping[sp.Symbol, int] | None = None,
) -> Product | None:
    """Split an output into functions of single fields; None when it is no such product.

    The parameters in ``zeros`` are set to zero first. A factor that is a declared nonlinearity
    bears its name.

    >>> from .models import get
    >>> gated = get("gated")
    >>> [f.label for f in factorise(gated, gated.outputs()[0]).factors]
    ['phi', 'sigma_r']
    """
    zeros = dict(zeros or {})
    names = {n.expression.subs(zeros): n.name for n in reversed(model.nonlinearities)}
    symbols = model.field_symbols()
    coefficient: sp.Expr = sp.Integer(1)
    by_field: dict[str, sp.Expr] = {}
    for part in sp.Mul.make_args(sp.factor_terms(expression.subs(zeros))):
        inside = [x for x in symbols if part.has(x)]
        if len(inside) > 1:
            return None
        if not inside:
            coefficient *= part
        else:
            name = inside[0].name
            by_field[name] = by_field.get(name, sp.Integer(1)) * part
    factors = []
    for name, part in by_field.items():
        factors.append(Factor(names.get(part, f"{current}_{name}"), name, part))
    order = {f.name: i for i, f in enumerate(model.fields)}
    return Product(coefficient, tuple(sorted(factors, key=lambda f: order[f.field])))


def needed_zeros(
    model: Model, holds: Callable[[dict[sp.Symbol, int]], bool], involved: Sequence[sp.Symbol]
) -> tuple[str, ...] | None:
    """The smallest set of parameters whose vanishing makes ``holds`` true; None if there is none.

    Only parameters among ``involved`` that may be zero are tried, one, then two at a time.
    """
    candidates = [p.symbol for p in model.parameters if p.symbol in involved and not p.positive]
    for size in range(min(len(candidates), 2) + 1):
        for chosen in combinations(candidates, size):
            if holds({symbol: 0 for symbol in chosen}):
                return tuple(symbol.name for symbol in chosen)
    return None


def zeros_of_all(model: Model, expressions: Iterable[sp.Expr]) -> tuple[str, ...] | None:
    """Parameters whose vanishing makes every one of the expressions vanish; None if there are none.

    Each expression is looked at by itself, so that many inputs cost no combinatorial search.
    """
    found: dict[str, None] = {}
    for expression in expressions:
        zeros = {p.symbol: 0 for p in model.parameters if p.name in found}
        rest = sp.simplify(sp.sympify(expression).subs(zeros))

        def vanishes(more: dict[sp.Symbol, int], rest: sp.Expr = rest) -> bool:
            return bool(sp.simplify(rest.subs(more)) == 0)

        needed = needed_zeros(model, vanishes, rest.free_symbols)
        if needed is None:
            return None
        found |= dict.fromkeys(needed)
    order = [p.name for p in model.parameters]
    return tuple(sorted(found, key=order.index))


def drive_conditions(model: Model, *kinds: str) -> tuple[Condition, ...] | None:
    """Which parameters must vanish for inputs (of these ``kinds``) to be off; None if some never are."""
    found: dict[str, Condition] = {}
    for drive in model.inputs:
        if kinds and drive.kind not in kinds:
            continue
        needed = zeros_of_all(model, (drive.variance, drive.mean))
        if needed is None:
            return None
        what = "white noise" if drive.kind == "white" else "input"
        for name in needed:
            found.setdefault(name, Condition(name, f"the {what} {drive.name} drives the units"))
    return tuple(found.values())
