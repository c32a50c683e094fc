"""From the tables of a model file to a `Model`: every key is known, typed and limited.

Order matters where it does in a declaration: fields, parameters and currents keep that of the
file, and a nonlinearity may use the ones before it.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

import sympy as sp

from .admissible import FUNCTIONS, HEAVY_TAIL
from .characters import describe
from .expression import CONSTANTS, MAX_DIGITS, parse_expression
from .file_values import (
    MAX_NAME,
    NOT_COVERED,
    TABLES,
    DecimalText,
    check_keys,
    kind_of,
    latex_of,
    number_of,
    table_of,
    text_of,
)
from .model import Coupling, DeclarationError, Field, Input, Model, Nonlinearity, Parameter
from .quantity import Quantity

__all__ = ["build_model"]

#: Most entries of a table.
LIMITS = {"fields": 10, "parameters": 40, "nonlinearities": 20, "couplings": 10, "inputs": 20}

_MODEL_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_-]*")
_KEYS = {
    "parameters": ("meaning", "default", "positive", "nonnegative", "unit", "latex"),
    "inputs": ("meaning", "kind", "variance", "mean", "latex"),
    "fields": ("meaning", "latex"),
    "nonlinearities": ("expression", "latex"),
    "couplings": ("output", "variance", "mean", "reciprocity", "distribution"),
}
_GAUSSIAN = ("gaussian", "normal")


def build_model(data: Mapping[str, Any]) -> Model:
    """The declaration in the tables of a model file; `DeclarationError` names table and key."""
    check_keys("the file", data, TABLES)
    head = table_of(data, "model")
    check_keys("[model]", head, ("name", "title", "citation"))
    name = text_of("[model]", head, "name", longest=MAX_NAME)
    if not _MODEL_NAME.fullmatch(name):
        raise DeclarationError(f"[model] name: {name!a} is not made of letters, digits, - and _")
    parameters = tuple(_parameter(key, table) for key, table in _entries(data, "parameters"))
    fields = tuple(_field(key, table) for key, table in _entries(data, "fields"))
    formulas = _Formulas(data, parameters, fields)
    nonlinearities = formulas.nonlinearities()
    couplings = formulas.couplings()
    return Model(
        name=name,
        title=text_of("[model]", head, "title", default=name),
        citation=text_of("[model]", head, "citation", default="none given"),
        fields=fields,
        parameters=parameters,
        nonlinearities=nonlinearities,
        couplings=couplings,
        dynamics=formulas.dynamics(),
        correlations=formulas.correlations(),
        inputs=formulas.inputs(),
    )


class _Formulas:
    """Reads the formulas of a file, each with the names that may stand in it."""

    def __init__(
        self, data: Mapping[str, Any], parameters: tuple[Parameter, ...], fields: tuple[Field, ...]
    ) -> None:
        self.data = data
        self.fields = fields
        self.parameters = {p.name: Quantity.of_symbol(p.symbol) for p in parameters}
        self.states = {f.name: Quantity.of_symbol(f.symbol) for f in fields}
        self.named: dict[str, Quantity] = {}
        self.currents: dict[str, Quantity] = {}
        for current, _ in _entries(data, "couplings"):
            symbol = Coupling(current, sp.Integer(0)).symbol
            self.currents[current] = Quantity.of_symbol(symbol)
        self.external = {
            name: Quantity.of_symbol(sp.Symbol(name, real=True))
            for name, _ in _entries(data, "inputs")
        }
        self.kinds: dict[str, str] = {}
        for kind, names in (
            ("a parameter", list(self.parameters)),
            ("a field", list(self.states)),
            ("a current", list(self.currents)),
            ("an input", list(self.external)),
            ("a nonlinearity declared later", [n for n, _ in _entries(data, "nonlinearities")]),
        ):
            for name in names:
                if name in self.kinds:
                    raise DeclarationError(
                        f"{name} is declared twice, as {self.kinds[name]} and as {kind}; rename one"
                    )
                self.kinds[name] = kind

    def nonlinearities(self) -> tuple[Nonlinearity, ...]:
        """In order; each may use those before it."""
        found = []
        for name, table in _entries(self.data, "nonlinearities"):
            where = f"[nonlinearities.{name}]"
            value = self._read(
                where, table, "expression", self.parameters | self.states | self.named
            )
            found.append(Nonlinearity(name, value.expression, latex_of(where, table)))
            self.named[name] = value
            self.kinds[name] = "a nonlinearity"
        return tuple(found)

    def couplings(self) -> tuple[Coupling, ...]:
        """One per current, at least one."""
        found = []
        for current, table in _entries(self.data, "couplings"):
            where = f"[couplings.{current}]"
            law = text_of(where, table, "distribution", default=_GAUSSIAN[0])
            if law.lower() not in _GAUSSIAN:
                raise DeclarationError(f"{where} distribution: {law!a} is refused: {HEAVY_TAIL}")
            output = self._read(where, table, "output", self.parameters | self.states | self.named)
            found.append(
                Coupling(
                    current,
                    output.expression,
                    self._statistics(where, table, "variance", 1),
                    self._statistics(where, table, "mean", 0),
                    self._statistics(where, table, "reciprocity", 0),
                )
            )
        if not found:
            raise DeclarationError("[couplings] is missing: declare the current of at least one")
        return tuple(found)

    def inputs(self) -> tuple[Input, ...]:
        """One per external drive; there may be none."""
        return tuple(
            Input(
                name,
                text_of(where, table, "meaning"),
                text_of(where, table, "kind", default="quenched"),  # type: ignore[arg-type]
                self._statistics(where, table, "variance", 1),
                self._statistics(where, table, "mean", 0),
                latex_of(where, table),
            )
            for name, table in _entries(self.data, "inputs")
            for where in [f"[inputs.{name}]"]
        )

    def correlations(self) -> dict[tuple[str, str], sp.Expr]:
        """[correlations.CURRENT] OTHER = value; the model checks the names."""
        found = {}
        for current, table in table_of(self.data, "correlations", required=False).items():
            where = f"[correlations.{ascii(current[:MAX_NAME])[1:-1]}]"
            if current not in self.currents or not isinstance(table, dict):
                raise DeclarationError(
                    f"{where} is refused: give [correlations.CURRENT] with OTHER = value for two "
                    f"currents of {', '.join(self.currents)}"
                )
            check_keys(where, table, tuple(c for c in self.currents if c != current))
            for other in table:
                found[current, other] = self._statistics(where, table, other, 0)
        return found

    def _statistics(self, where: str, table: Mapping[str, Any], key: str, default: int) -> sp.Expr:
        """A number of the couplings: parameters only, and in its domain where that can be seen."""
        if key not in table:
            return sp.Integer(default)
        value = self._read(where, table, key, self.parameters)
        if key == "variance" and not value.range.nonnegative:
            raise DeclarationError(
                f"{where} variance: {value.expression} may be negative; square it or declare its "
                "parameters with positive = true or nonnegative = true"
            )
        bounded = key not in ("variance", "mean")
        if bounded and value.expression.is_Rational and abs(value.expression) > 1:
            raise DeclarationError(f"{where} {key}: a correlation lies between -1 and 1")
        return value.expression

    def dynamics(self) -> dict[str, sp.Expr]:
        """One equation per field, in order of the fields."""
        table = table_of(self.data, "dynamics")
        check_keys("[dynamics]", table, tuple(self.states))
        names = self.parameters | self.states | self.named | self.currents | self.external
        found = {f.name: self._read("[dynamics]", table, f.name, names) for f in self.fields}
        for kind, what, entries in (
            ("couplings", "current", self.currents),
            ("inputs", "input", self.external),
        ):
            for name, quantity in entries.items():
                if not any(f.expression.has(quantity.expression) for f in found.values()):
                    raise DeclarationError(
                        f"[{kind}.{name}]: the {what} {name} stands in no equation of [dynamics]"
                    )
        return {name: quantity.expression for name, quantity in found.items()}

    def _read(
        self, where: str, table: Mapping[str, Any], key: str, names: Mapping[str, Quantity]
    ) -> Quantity:
        value = table.get(key)
        if isinstance(value, int) and not isinstance(value, bool):
            if abs(value) >= 10**MAX_DIGITS:
                raise DeclarationError(
                    f"{where} {key}: the number has more than {MAX_DIGITS} digits"
                )
            value = str(value)
        if isinstance(value, DecimalText):
            value = value.text
        if not isinstance(value, str):
            given = "is missing" if value is None else f"is {kind_of(value)}"
            raise DeclarationError(f'{where} {key} {given}; give an expression, like "tanh(x)"')
        elsewhere = {name: kind for name, kind in self.kinds.items() if name not in names}
        try:
            return parse_expression(value, names, elsewhere)
        except DeclarationError as error:
            raise DeclarationError(f"{where} {key}: {error}") from None


def _parameter(name: str, table: Mapping[str, Any]) -> Parameter:
    where = f"[parameters.{name}]"
    flags = {key: table.get(key, False) for key in ("positive", "nonnegative")}
    for key, flag in flags.items():
        if not isinstance(flag, bool):
            raise DeclarationError(f"{where} {key} is {kind_of(flag)}; give true or false")
    default = None
    if "default" in table:
        default = number_of(where, table["default"])
        if flags["positive"] and default <= 0:
            raise DeclarationError(f"{where} default = {default}: the parameter is positive")
        if flags["nonnegative"] and default < 0:
            raise DeclarationError(f"{where} default = {default}: the parameter is nonnegative")
    return Parameter(
        name=name,
        meaning=text_of(where, table, "meaning"),
        default=default,
        positive=flags["positive"],
        nonnegative=flags["nonnegative"],
        unit=text_of(where, table, "unit", default="1", longest=80),
        latex=latex_of(where, table),
    )


def _field(name: str, table: Mapping[str, Any]) -> Field:
    where = f"[fields.{name}]"
    return Field(name, text_of(where, table, "meaning"), latex_of(where, table))


def _entries(data: Mapping[str, Any], kind: str) -> list[tuple[str, Mapping[str, Any]]]:
    """The tables [kind.NAME], checked for their keys and names."""
    tables = table_of(data, kind, required=kind == "fields")
    if len(tables) > LIMITS[kind]:
        raise DeclarationError(
            f"[{kind}] has {len(tables)} entries, at most {LIMITS[kind]} are allowed"
        )
    for name, table in tables.items():
        shown = ascii(name[:MAX_NAME])
        if len(name) > MAX_NAME:
            raise DeclarationError(f"[{kind}] {shown}...: names have at most {MAX_NAME} characters")
        if not name.isascii() or not name.isidentifier():
            odd = next((c for c in name if not (c.isascii() and (c.isalnum() or c == "_"))), "")
            why = f" ({describe(odd)} is none)" if odd else ""
            raise DeclarationError(
                f"[{kind}] {shown}: names are made of ASCII letters, digits and _ and start with a "
                f"letter{why}"
            )
        if name in FUNCTIONS or name in CONSTANTS:
            raise DeclarationError(
                f"[{kind}] {name}: the name means something in expressions already"
            )
        if not isinstance(table, dict):
            reason = NOT_COVERED.get(name, "")
            raise DeclarationError(
                f"[{kind}] {shown} is {kind_of(table)}; "
                + (reason or f"give a table, [{kind}.NAME] with {', '.join(_KEYS[kind])}")
            )
        check_keys(f"[{kind}.{name}]", table, _KEYS[kind])
    return list(tables.items())
