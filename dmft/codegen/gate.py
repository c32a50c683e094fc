"""The binary limit of a compiled theory: one parameter, the threshold, for gain and bias of a gate."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from .float64 import FLOAT64
from .info import ParameterInfo
from .tape import Tape

if TYPE_CHECKING:
    from dmft.derivations.binary_gate import BinaryGate
    from dmft.derivations.model import Model

    from .theory import CompiledCondition, CompiledTheory

Floats = NDArray[np.float64]

__all__ = ["CompiledGate", "binary_limit", "compile_gate"]


@dataclass(frozen=True)
class CompiledGate:
    """`derivations.binary_gate.BinaryGate` with positions for fields; ``held``: the gated ones.

    ``opening``: F(a y - b) of the first of them, None without a gate.
    """

    field: int
    held: tuple[int, ...]
    gain: str
    bias: str
    threshold: str
    failure: str
    opening: Tape | None = None

    def to_json(self) -> dict[str, Any]:
        """As lists, strings and numbers."""
        tape = None if self.opening is None else self.opening.to_json()
        return {**asdict(replace(self, opening=None)), "opening": tape}

    @staticmethod
    def from_json(data: Mapping[str, Any]) -> CompiledGate:
        """Rebuild from `to_json`."""
        tape = None if data["opening"] is None else Tape.from_json(data["opening"])
        return CompiledGate(**{**data, "held": tuple(data["held"]), "opening": tape})

    def share(self, y: Floats, p: Mapping[str, Any]) -> Floats:
        """How far the gate is open at values of its field."""
        assert self.opening is not None
        return np.asarray(
            self.opening.run(FLOAT64, {**p, self.opening.inputs[0]: y})[0], dtype=float
        )


def compile_gate(gate: BinaryGate, model: Model) -> CompiledGate:
    """Positions for names, a tape for the opening."""
    from .translate import translate

    fields = {f.name: k for k, f in enumerate(model.fields)}
    opening = None
    if gate.opening is not None:
        y = model.fields[fields[gate.field]].symbol
        label = f"{model.name} opening"
        opening = translate(label, [y, *model.parameter_symbols()], [gate.opening])
    return CompiledGate(
        field=fields.get(gate.field, -1),
        held=tuple(fields[name] for name in gate.gated),
        gain=gate.gain,
        bias=gate.bias,
        threshold=gate.threshold if gate.field else "",
        failure=gate.failure,
        opening=opening,
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
