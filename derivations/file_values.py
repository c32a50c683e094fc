"""Single values of a model file: known keys, texts, numbers and labels, each checked and limited."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import sympy as sp

from .admissible import DELAY, suggestion
from .expression import MAX_DIGITS, exact_number
from .label import check_label
from .model import DeclarationError
from .quantity import RefusedError

__all__ = [
    "MAX_NAME",
    "NOT_COVERED",
    "TABLES",
    "DecimalText",
    "check_keys",
    "kind_of",
    "latex_of",
    "number_of",
    "table_of",
    "text_of",
]

MAX_NAME = 40
TABLES = (
    *("model", "parameters", "fields", "nonlinearities", "couplings", "correlations"),
    *("inputs", "dynamics"),
)
#: Keys that one may well expect, with the reason for refusing them.
NOT_COVERED = {
    "delay": DELAY,
    "delays": DELAY,
    "noise": 'declare it as [inputs.NAME] with kind = "white"',
    "input": "write [inputs.NAME] with kind, variance and mean",
    "correlation": "write [correlations.CURRENT] with OTHER = value",
}


@dataclass(frozen=True)
class DecimalText:
    """A decimal number as it stands in the file: TOML's floats would round it."""

    text: str


def number_of(where: str, value: object) -> sp.Rational:
    """A default: an exact number."""
    try:
        if isinstance(value, int) and not isinstance(value, bool):
            if abs(value) >= 10**MAX_DIGITS:
                raise RefusedError(f"the number has more than {MAX_DIGITS} digits")
            return sp.Integer(value)
        if isinstance(value, DecimalText):
            text = value.text.replace("_", "")
            number = exact_number(text.lstrip("+-"))
            return -number if text.startswith("-") else number
    except RefusedError as error:
        raise DeclarationError(f"{where} default: {error}") from None
    raise DeclarationError(f"{where} default is {kind_of(value)}; give a number")


def table_of(data: Mapping[str, Any], name: str, *, required: bool = True) -> Mapping[str, Any]:
    """The table of that name; an empty one when it is absent and not required."""
    table = data.get(name)
    if table is None and not required:
        return {}
    if not isinstance(table, dict) or (required and not table):
        given = "is missing or empty" if not table else f"is {kind_of(table)}"
        raise DeclarationError(f"[{name}] {given}; a model file has the tables {', '.join(TABLES)}")
    return table


def check_keys(where: str, table: Mapping[str, Any], allowed: tuple[str, ...]) -> None:
    """Refuse a key that is not allowed, with the reason or a suggestion."""
    for key in table:
        if key in allowed:
            continue
        shown = ascii(key[:MAX_NAME])
        if key in NOT_COVERED:
            raise DeclarationError(f"{where}: {shown} is refused: {NOT_COVERED[key]}")
        raise DeclarationError(
            f"{where} has no key {shown}{suggestion(key, allowed)}; keys: {', '.join(allowed)}"
        )


def text_of(
    where: str,
    table: Mapping[str, Any],
    key: str,
    *,
    default: str | None = None,
    longest: int = 300,
) -> str:
    """Words for people: one line, and none that could be commands to a terminal or to LaTeX."""
    value = table.get(key, default)
    if not isinstance(value, str) or not value.strip():
        given = (
            "is missing" if value is None else "is empty" if value == "" else f"is {kind_of(value)}"
        )
        raise DeclarationError(f"{where} {key} {given}; give a text in quotes")
    if len(value) > longest:
        raise DeclarationError(
            f"{where} {key} has {len(value)} characters, at most {longest} are allowed"
        )
    if not value.isprintable() or "\\" in value:
        raise DeclarationError(
            f"{where} {key} contains a line break, a backslash or a character that cannot be printed"
        )
    return value


def latex_of(where: str, table: Mapping[str, Any]) -> str:
    """The key ``latex``, checked; empty when it is absent."""
    if "latex" not in table:
        return ""
    value = table["latex"]
    problem = check_label(value) if isinstance(value, str) else f"is {kind_of(value)}"
    if problem:
        raise DeclarationError(f"{where} latex {problem}")
    return str(value)


def kind_of(value: object) -> str:
    """What a TOML value is, in words."""
    if isinstance(value, bool):
        return "true or false"
    kinds = {
        str: "a text",
        int: "a number",
        DecimalText: "a number",
        list: "a list",
        dict: "a table",
    }
    return kinds.get(type(value), "a date or a time")
