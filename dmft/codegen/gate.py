"""The binary limit of a compiled theory: one parameter, the threshold, for gain and bias of a gate."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from typing import TYPE_CHECKING, Any

from .info import ParameterInfo

if TYPE_CHECKING:
    from dmft.derivations.binary_gate import BinaryGate

    from .theory import CompiledCondition, CompiledTheory

__all__ = ["CompiledGate", "binary_limit", "compile_gate"]


@dataclass(frozen=True)
class CompiledGate:
    """`derivations.binary_gate.BinaryGate` with positions for fields; ``failure`` says why not."""

    field: int
    gated: tuple[int, ...]
    gain: str
    bias: str
    threshold: str
    failure: str

    def to_json(self) -> dict[str, Any]:
        """As lists, strings and numbers."""
        return asdict(self)

    @staticmethod
    def from_json(data: Mapping[str, Any]) -> CompiledGate:
        """Rebuild from `to_json`."""
        return CompiledGate(**{**data, "gated": tuple(data["gated"])})


def compile_gate(gate: BinaryGate, fields: Mapping[str, int]) -> CompiledGate:
    """Positions for names."""
    return CompiledGate(
        field=fields.get(gate.field, -1),
        gated=tuple(fields[name] for name in gate.gated),
        gain=gate.gain,
        bias=gate.bias,
        threshold=gate.threshold if gate.field else "",
        failure=gate.failure,
    )


def binary_limit(theory: CompiledTheory) -> CompiledTheory:
    """The theory with the threshold as a parameter where gain and bias of the gate were.

    Gain and bias stay in tapes of the statics where they multiply inputs that must be zero.
    """
    gate = theory.gate
    threshold = ParameterInfo(
        name=gate.threshold,
        meaning=f"threshold of the gate, {gate.bias} / {gate.gain} at infinite {gate.gain}",
        default=0.0,
        positive=False,
        unit="1",
        latex="\\" + gate.threshold,
    )
    parameters = []
    for p in theory.info.parameters:
        if p.name == gate.gain:
            parameters.append(threshold)
        elif p.name != gate.bias:
            parameters.append(p)
    info = replace(theory.info, parameters=tuple(parameters))
    conditions = {"statics": _unconditional(theory)}
    return replace(theory, info=info, conditions=conditions)


def _unconditional(theory: CompiledTheory) -> tuple[CompiledCondition, ...]:
    """Conditions of the statics where the gain is not zero, so that it spares nothing."""
    gate, kept = theory.gate, []
    for c in theory.conditions["statics"]:
        if c.parameter in (gate.gain, gate.bias):
            kept += [replace(c, parameter=name, unless=()) for name in c.unless]
        else:
            kept.append(replace(c, unless=()) if gate.gain in c.unless else c)
    return tuple(kept)
