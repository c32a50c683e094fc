"""Symbols of a model's fields and parameters for axes and tables, from its declaration."""

from __future__ import annotations

from collections.abc import Mapping

from ..codegen import is_path
from ..errors import InputError
from ..parameters import find_model
from ..plots import math_label

__all__ = ["Symbols", "non_default", "number"]


class Symbols:
    """Labels for one model; a model that this installation does not know keeps plain names."""

    def __init__(self, model: str) -> None:
        self.model = model
        self._quantities: Mapping[str, str] = {}
        self._parameters: dict[str, str] = {}
        self._defaults: dict[str, float | None] = {}
        self._units: dict[str, str] = {}
        if is_path(model):
            return  # a name from a stored result must not make us read a file
        try:
            info = find_model(model)
        except InputError:
            return
        self._quantities = info.latex
        self._parameters = {parameter.name: parameter.latex for parameter in info.parameters}
        self._units = {parameter.name: parameter.unit for parameter in info.parameters}
        self._defaults = {parameter.name: parameter.default for parameter in info.parameters}

    def quantity(self, name: str) -> str:
        """A field or nonlinearity."""
        return math_label(self._quantities.get(name, ""), name)

    def parameter(self, name: str) -> str:
        """A parameter."""
        return math_label(self._parameters.get(name, ""), name)

    def axis(self, name: str) -> str:
        """A parameter with its unit, for an axis."""
        unit = self._units.get(name, "1")
        return self.parameter(name) + ("" if unit in ("", "1") else f" ({unit})")

    def settings(self, parameters: Mapping[str, float]) -> list[str]:
        """``symbol = value`` of every parameter that differs from its default."""
        return [
            f"{self.parameter(name)} = {number(value)}".replace("-", "\N{MINUS SIGN}")
            for name, value in non_default(parameters, self._defaults).items()
        ]


def non_default(
    parameters: Mapping[str, float], defaults: Mapping[str, float | None]
) -> dict[str, float]:
    """The parameters that say something: those that differ from their default.

    >>> non_default({"g": 2.0, "tau": 1.0}, {"g": None, "tau": 1.0})
    {'g': 2.0}
    """
    return {name: value for name, value in parameters.items() if defaults.get(name) != value}


def number(value: float) -> str:
    """A number for people: up to six digits.

    >>> number(3.0), number(0.1)
    ('3', '0.1')
    """
    return f"{value:.6g}"
