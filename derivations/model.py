"""The declaration of a network: fields, couplings, dynamics and parameters, in symbols.

A network has N units with the fields x_1 .. x_n each. Unit i obeys

    dx_k/dt = f_k(x, xi, I),       xi_a = sum_j J^a_ij psi_a(x_j),

with Gaussian coupling matrices J^a of entries N(m_a / N, sigma_a^2 / N); m_a = 0 and independence
between entries and matrices unless declared otherwise; I are inputs (`inputs`). Everything else in
this package is derived from an object of the class `Model`: mean-field theory, solvers, simulator.
Times are in units of the leak of the first field.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property

import sympy as sp

from .admissible import objection
from .functions import logistic
from .inputs import Input
from .names import DeclarationError, check_name
from .symbols import field_symbol

__all__ = ["Coupling", "DeclarationError", "Field", "Input", "Model", "Nonlinearity", "Parameter"]


@dataclass(frozen=True)
class Parameter:
    """A number that the user chooses.

    Attributes
    ----------
    name, meaning, latex
        How it is typed, explained and printed.
    default
        Value when not given; None makes it required.
    positive, nonnegative
        Values > 0, values >= 0; otherwise any finite real number is allowed.
    unit
        "1" for pure numbers, "leak time" for times.
    """

    name: str
    meaning: str
    default: sp.Rational | int | None = None
    positive: bool = False
    unit: str = "1"
    latex: str = ""
    nonnegative: bool = False

    def __post_init__(self) -> None:
        check_name("parameter", self.name)

    @property
    def symbol(self) -> sp.Symbol:
        """The symbol, with the assumptions that the domain justifies."""
        if self.positive:
            return sp.Symbol(self.name, positive=True)
        if self.nonnegative:
            return sp.Symbol(self.name, nonnegative=True)
        return sp.Symbol(self.name, real=True)


@dataclass(frozen=True)
class Field:
    """A dynamical variable of every unit."""

    name: str
    meaning: str
    latex: str = ""

    def __post_init__(self) -> None:
        check_name("field", self.name)

    @property
    def symbol(self) -> sp.Symbol:
        """The real symbol of the field."""
        return field_symbol(self.name)


@dataclass(frozen=True)
class Nonlinearity:
    """A named function of the fields of one unit, reported beside the fields themselves."""

    name: str
    expression: sp.Expr
    latex: str = ""

    def __post_init__(self) -> None:
        check_name("nonlinearity", self.name)


@dataclass(frozen=True)
class Coupling:
    """A current xi_a = sum_j J_ij psi(x_j) with Gaussian J_ij of given variance and mean over N.

    ``output`` is psi, a smooth function of the fields of one unit. ``reciprocity`` is the
    correlation of J_ij with J_ji, between -1 and 1.
    """

    current: str
    output: sp.Expr
    variance: sp.Expr = field(default_factory=lambda: sp.Integer(1))
    mean: sp.Expr = field(default_factory=lambda: sp.Integer(0))
    reciprocity: sp.Expr = field(default_factory=lambda: sp.Integer(0))

    def __post_init__(self) -> None:
        check_name("current", self.current)

    @property
    def symbol(self) -> sp.Symbol:
        """The real symbol of the current."""
        return sp.Symbol(self.current, real=True)


@dataclass(frozen=True)
class Model:
    """A network, declared once. See the module's docstring for the equations.

    ``dynamics`` maps each field's name to f_k, an expression in field, current, input and parameter
    symbols; ``correlations`` maps pairs of currents to the correlation of J^a_ij with J^b_ij.
    Raises `DeclarationError` when names clash, a field has no dynamics, or a symbol is
    unknown.
    """

    name: str
    title: str
    citation: str
    fields: tuple[Field, ...]
    parameters: tuple[Parameter, ...]
    nonlinearities: tuple[Nonlinearity, ...]
    couplings: tuple[Coupling, ...]
    dynamics: Mapping[str, sp.Expr]
    correlations: Mapping[tuple[str, str], sp.Expr] = field(default_factory=dict)
    inputs: tuple[Input, ...] = ()

    def __post_init__(self) -> None:
        named = [
            *(f.name for f in self.fields),
            *(p.name for p in self.parameters),
            *(n.name for n in self.nonlinearities),
            *(c.current for c in self.couplings),
            *(i.name for i in self.inputs),
        ]
        twice = sorted({name for name in named if named.count(name) > 1})
        if twice:
            raise DeclarationError(f"model {self.name}: {', '.join(twice)} declared twice")
        moving = [
            *(f.name for f in self.fields),
            *(c.current for c in self.couplings),
            *(i.name for i in self.inputs),
        ]
        taken = sorted({f"{letter}_{x}" for letter in "dkCD" for x in moving}.intersection(named))
        if taken:
            raise DeclarationError(
                f"model {self.name}: {', '.join(taken)} stands for a perturbation (d_), a source "
                "(k_) or a covariance (C_, D_) in the derived equations; rename it"
            )
        if set(self.dynamics) != {f.name for f in self.fields}:
            raise DeclarationError(
                f"model {self.name}: dynamics for {sorted(self.dynamics)}, "
                f"fields are {[f.name for f in self.fields]}; give exactly one equation per field"
            )
        declared = [c.current for c in self.couplings]
        for a, b in self.correlations:
            if a not in declared or b not in declared or a == b or (b, a) in self.correlations:
                raise DeclarationError(
                    f"model {self.name}: correlation of {a} and {b}; name two different currents of "
                    f"{declared}, each pair once"
                )
        states = {f.symbol for f in self.fields}
        knobs = {p.symbol for p in self.parameters}
        currents = {c.symbol for c in self.couplings}
        driven = states | knobs | currents | {i.symbol for i in self.inputs}
        for what, expression, allowed in [
            *((f"d{k}/dt", e, driven) for k, e in self.dynamics.items()),
            *((f"variance of {i.name}", i.variance, knobs) for i in self.inputs),
            *((f"mean of {i.name}", i.mean, knobs) for i in self.inputs),
            *((f"output of {c.current}", c.output, states | knobs) for c in self.couplings),
            *((f"variance of {c.current}", c.variance, knobs) for c in self.couplings),
            *((f"mean of {c.current}", c.mean, knobs) for c in self.couplings),
            *((f"reciprocity of {c.current}", c.reciprocity, knobs) for c in self.couplings),
            *((f"correlation of {a} and {b}", e, knobs) for (a, b), e in self.correlations.items()),
            *((n.name, n.expression, states | knobs) for n in self.nonlinearities),
        ]:
            if isinstance(expression, str):
                raise DeclarationError(
                    f"model {self.name}: {what} is a text; give a sympy expression (formulas as text "
                    "are read from model files only)"
                )
            reason = objection(sp.sympify(expression))
            if reason:
                raise DeclarationError(f"model {self.name}: {what}: {reason}")
            unknown = sp.sympify(expression).free_symbols - allowed
            if unknown:
                raise DeclarationError(
                    f"model {self.name}: {what} contains {sorted(map(str, unknown))}, which is no "
                    "declared field, current or parameter that may stand there (check the name and "
                    "use the .symbol of the declared object)"
                )
        self._check_noise()

    def _check_noise(self) -> None:
        moving = {*self.field_symbols(), *self.current_symbols(), *self.input_symbols()}
        for noise in self.inputs:
            if noise.kind != "white":
                continue
            for name, drift in self.dynamics.items():
                if moving & sp.diff(drift, noise.symbol).free_symbols:
                    raise DeclarationError(
                        f"model {self.name}: d{name}/dt: the white noise {noise.name} is multiplied by "
                        "something that moves; it must be added with a constant coefficient (else its "
                        "meaning would depend on Ito's or Stratonovich's rule)"
                    )

    @cached_property
    def hash(self) -> str:
        """SHA-256 of the declaration, over everything that changes a number."""
        parts = [
            self.name,
            *(f.name for f in self.fields),
            *(f"{p.name} {p.default} {p.positive} {p.nonnegative}" for p in self.parameters),
            *(f"{n.name} {sp.srepr(n.expression)}" for n in self.nonlinearities),
            *(
                " ".join(
                    [
                        c.current,
                        *(
                            sp.srepr(sp.sympify(e))
                            for e in (c.output, c.variance, c.mean, c.reciprocity)
                        ),
                    ]
                )
                for c in self.couplings
            ),
            *(f"{a} {b} {sp.srepr(sp.sympify(e))}" for (a, b), e in self.correlations.items()),
            *(f"{k} {sp.srepr(self.dynamics[k])}" for k in sorted(self.dynamics)),
            *(
                f"{i.name} {i.kind} {sp.srepr(sp.sympify(i.variance))} {sp.srepr(sp.sympify(i.mean))}"
                for i in self.inputs
            ),
        ]
        return hashlib.sha256("\n".join(parts).encode()).hexdigest()[:16]

    def correlation(self, first: str, second: str) -> sp.Expr:
        """The correlation of J^a_ij with J^b_ij, zero unless declared."""
        declared = self.correlations
        return declared.get((first, second), declared.get((second, first), sp.Integer(0)))

    def named(self, expression: sp.Expr) -> sp.Expr:
        """The expression with the declared nonlinearities as symbols of their names."""
        names: dict[sp.Expr, sp.Expr] = {}
        for n in self.nonlinearities:
            names[n.expression] = sp.Symbol(n.name)
            if isinstance(n.expression, logistic):
                names[logistic(-n.expression.args[0])] = 1 - sp.Symbol(n.name)
        return sp.sympify(expression).xreplace(names)

    def field_symbols(self) -> tuple[sp.Symbol, ...]:
        """The field symbols in order of declaration."""
        return tuple(f.symbol for f in self.fields)

    def current_symbols(self) -> tuple[sp.Symbol, ...]:
        """The current symbols in order of declaration."""
        return tuple(c.symbol for c in self.couplings)

    def input_symbols(self, kind: str | None = None) -> tuple[sp.Symbol, ...]:
        """The symbols of the inputs, or of those of one kind, in order of declaration."""
        return tuple(i.symbol for i in self.inputs if kind is None or i.kind == kind)

    def parameter_symbols(self) -> tuple[sp.Symbol, ...]:
        """The parameter symbols in order of declaration."""
        return tuple(p.symbol for p in self.parameters)

    def drift(self) -> tuple[sp.Expr, ...]:
        """The right-hand sides f_k(x, xi, I) in order of the fields."""
        return tuple(sp.sympify(self.dynamics[f.name]) for f in self.fields)

    def outputs(self) -> tuple[sp.Expr, ...]:
        """The outputs psi_a(x) in order of the couplings."""
        return tuple(sp.sympify(c.output) for c in self.couplings)
