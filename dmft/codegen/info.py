"""What a user may know of a model without deriving anything: names, domains, citation."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

__all__ = ["ModelInfo", "ParameterInfo"]


@dataclass(frozen=True)
class ParameterInfo:
    """A parameter: ``default`` None means required; ``positive`` means values > 0 only,
    ``nonnegative`` values >= 0."""

    name: str
    meaning: str
    default: float | None
    positive: bool
    unit: str
    latex: str
    nonnegative: bool = False

    @property
    def allowed(self) -> str:
        """The domain, in words."""
        if self.nonnegative:
            return "a finite number >= 0"
        return "a finite number > 0" if self.positive else "any finite number"


@dataclass(frozen=True)
class ModelInfo:
    """Names and domains of a model. ``latex`` maps fields and nonlinearities to their symbols.

    ``inputs`` are the names of the quenched inputs, which a simulation draws like couplings.
    """

    name: str
    title: str
    citation: str
    fields: tuple[str, ...]
    currents: tuple[str, ...]
    nonlinearities: tuple[str, ...]
    parameters: tuple[ParameterInfo, ...]
    latex: Mapping[str, str]
    hash: str
    inputs: tuple[str, ...] = ()

    def parameter(self, name: str) -> ParameterInfo:
        """The parameter of that name; KeyError for any other."""
        for parameter in self.parameters:
            if parameter.name == name:
                return parameter
        raise KeyError(name)

    def to_json(self) -> dict[str, Any]:
        """As lists, strings and numbers."""
        return asdict(self)

    @staticmethod
    def from_json(data: Mapping[str, Any]) -> ModelInfo:
        """Rebuild from `to_json`."""
        return ModelInfo(
            name=data["name"],
            title=data["title"],
            citation=data["citation"],
            fields=tuple(data["fields"]),
            currents=tuple(data["currents"]),
            nonlinearities=tuple(data["nonlinearities"]),
            parameters=tuple(ParameterInfo(**p) for p in data["parameters"]),
            latex=dict(data["latex"]),
            hash=data["hash"],
            inputs=tuple(data["inputs"]),
        )
