"""A mean-field theory compiled to numbers: matrices and functions of one field, with derivatives.

The object holds tapes and positions only. Which field a factor belongs to and which factors a
current multiplies is structure; what the functions and matrices are comes from the derivation.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from .float64 import FLOAT64, python_floats
from .gate import CompiledGate, compile_gate
from .info import ModelInfo
from .tape import Table, Tape

if TYPE_CHECKING:
    import sympy as sp

    from dmft.derivations.closure import Condition, Product
    from dmft.derivations.equations import MeanFieldEquations

__all__ = [
    "CompiledCondition",
    "CompiledFunction",
    "CompiledTheory",
    "LinearPart",
    "ProductPart",
    "compile_theory",
]

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class CompiledFunction:
    """A function f of one field; the tape returns f, f' and f''."""

    label: str
    field: int
    tape: Tape

    def at(self, x: Any, p: Mapping[str, Any], table: Table = FLOAT64) -> list[Any]:
        """f(x), f'(x), f''(x) on any target."""
        values = {**p, self.tape.inputs[0]: x}
        results = self.tape.run(table, values)
        if table is FLOAT64:
            return [np.broadcast_to(np.asarray(v, dtype=float), np.shape(x)) for v in results]
        return results


@dataclass(frozen=True)
class ProductPart:
    """An output as a product: positions in `CompiledTheory.functions`, at most one per field."""

    factors: tuple[int, ...]


@dataclass(frozen=True)
class LinearPart:
    """A matrix whose entries depend on the parameters: ``tape`` returns them row by row."""

    shape: tuple[int, int]
    tape: Tape

    def at(self, p: Mapping[str, float]) -> Floats:
        """The matrix at the parameters ``p``."""
        entries = self.tape.run(FLOAT64, python_floats(p))
        return np.array([float(e) for e in entries]).reshape(self.shape)


@dataclass(frozen=True)
class CompiledCondition:
    """A parameter that must be zero, and why; not if all of the parameters ``unless`` are zero."""

    parameter: str
    reason: str
    unless: tuple[str, ...] = ()

    def is_met(self, p: Mapping[str, float]) -> bool:
        """Whether it holds at the parameters ``p``."""
        off = bool(self.unless) and all(p[name] == 0 for name in self.unless)
        return p[self.parameter] == 0 or off


@dataclass(frozen=True)
class CompiledTheory:
    """Everything that the solvers know of a model.

    ``matrices``: "drift" A, "input" B, "quenched" E, "noise" W (stationary theory), "response" R and
    "quenched_response" R_I (statics), "drift_zero", "input_zero", "output_zero" (zero state).
    ``vectors``: "weights" v_a and "current_means" m_a of the couplings; "coefficients" c_a of the
    outputs and "observable_coefficients"; "quenched_means", "quenched_variances" and
    "noise_intensities" of the inputs; "constant" b of the dynamics and "static_constant" x0;
    "static_coefficients". A part that does not exist is absent.
    ``conditions`` maps a stage to what it needs: "gaussian" (fields are Gaussian), "decay" (no
    field and no output has a mean; absent when that never holds), "statics", "zero". ``gate`` is
    what has a binary limit.
    """

    info: ModelInfo
    functions: tuple[CompiledFunction, ...]
    outputs: tuple[ProductPart, ...]
    observables: tuple[ProductPart | None, ...]
    static_outputs: tuple[ProductPart, ...]
    matrices: Mapping[str, LinearPart]
    vectors: Mapping[str, Tape]
    conditions: Mapping[str, tuple[CompiledCondition, ...]]
    gate: CompiledGate
    closure_failure: str

    def unmet(self, stage: str, p: Mapping[str, float]) -> list[CompiledCondition]:
        """Conditions of a stage that do not hold at the parameters ``p``."""
        return [c for c in self.conditions.get(stage, ()) if not c.is_met(p)]

    def vector(self, name: str, p: Mapping[str, float]) -> Floats:
        """One of the parameter-dependent vectors."""
        return np.array([float(v) for v in self.vectors[name].run(FLOAT64, python_floats(p))])

    def to_json(self) -> dict[str, Any]:
        """As lists, strings and numbers."""

        def factors(parts: tuple[ProductPart | None, ...]) -> list[list[int] | None]:
            return [None if part is None else list(part.factors) for part in parts]

        return {
            "info": self.info.to_json(),
            "functions": [
                {"label": f.label, "field": f.field, "tape": f.tape.to_json()}
                for f in self.functions
            ],
            "outputs": factors(self.outputs),
            "observables": factors(self.observables),
            "static_outputs": factors(self.static_outputs),
            "matrices": {
                k: {"shape": list(m.shape), "tape": m.tape.to_json()}
                for k, m in self.matrices.items()
            },
            "vectors": {k: v.to_json() for k, v in self.vectors.items()},
            "conditions": {
                k: [[c.parameter, c.reason, list(c.unless)] for c in v]
                for k, v in self.conditions.items()
            },
            "gate": self.gate.to_json(),
            "closure_failure": self.closure_failure,
        }

    @staticmethod
    def from_json(data: Mapping[str, Any]) -> CompiledTheory:
        """Rebuild from `to_json`."""

        def parts(lists: list[list[int]]) -> tuple[ProductPart, ...]:
            return tuple(ProductPart(tuple(entry)) for entry in lists)

        return CompiledTheory(
            info=ModelInfo.from_json(data["info"]),
            functions=tuple(
                CompiledFunction(f["label"], f["field"], Tape.from_json(f["tape"]))
                for f in data["functions"]
            ),
            outputs=parts(data["outputs"]),
            observables=tuple(
                None if entry is None else ProductPart(tuple(entry))
                for entry in data["observables"]
            ),
            static_outputs=parts(data["static_outputs"]),
            matrices={
                k: LinearPart((m["shape"][0], m["shape"][1]), Tape.from_json(m["tape"]))
                for k, m in data["matrices"].items()
            },
            vectors={k: Tape.from_json(v) for k, v in data["vectors"].items()},
            conditions={
                k: tuple(CompiledCondition(name, reason, tuple(off)) for name, reason, off in v)
                for k, v in data["conditions"].items()
            },
            gate=CompiledGate.from_json(data["gate"]),
            closure_failure=data["closure_failure"],
        )


def compile_theory(equations: MeanFieldEquations, info: ModelInfo) -> CompiledTheory:
    """Translate derived equations. The derivatives f', f'' are sympy's."""
    import sympy as sp

    from .translate import translate

    model = equations.model
    p = model.parameter_symbols()
    fields = {f.name: i for i, f in enumerate(model.fields)}
    functions: list[CompiledFunction] = []
    known: dict[sp.Expr, int] = {}
    matrices: dict[str, LinearPart] = {}
    vectors: dict[str, Tape] = {}

    def part(product: Product) -> ProductPart:
        positions = []
        for factor in product.factors:
            if factor.expression not in known:
                index = fields[factor.field]
                x = model.fields[index].symbol
                derivatives = [sp.diff(factor.expression, x, n) for n in range(3)]
                tape = translate(f"{model.name} {factor.label}", [x, *p], derivatives)
                known[factor.expression] = len(functions)
                functions.append(CompiledFunction(factor.label, index, tape))
            positions.append(known[factor.expression])
        return ProductPart(tuple(positions))

    def matrix(name: str, value: sp.Matrix) -> None:
        tape = translate(f"{model.name} {name}", p, list(value))
        matrices[name] = LinearPart((value.shape[0], value.shape[1]), tape)

    def vector(name: str, values: list[sp.Expr]) -> None:
        vectors[name] = translate(f"{model.name} {name}", p, values)

    conditions: dict[str, tuple[CompiledCondition, ...]] = {}

    def stage(name: str, needed: Sequence[Condition]) -> None:
        conditions[name] = tuple(CompiledCondition(c.parameter, c.reason, c.unless) for c in needed)

    outputs: tuple[ProductPart, ...] = ()
    observables: tuple[ProductPart | None, ...] = ()
    static_outputs: tuple[ProductPart, ...] = ()
    quenched = [i for i in model.inputs if i.kind == "quenched"]
    vector("weights", [c.weight for c in equations.covariances])
    vector("current_means", [c.mean for c in equations.covariances])
    vector("quenched_means", [sp.sympify(i.mean) for i in quenched])
    vector("quenched_variances", [sp.sympify(i.variance) for i in quenched])
    vector("noise_intensities", [sp.sympify(i.variance) for i in model.inputs if i.kind == "white"])
    if (stationary := equations.stationary) is not None:
        matrix("drift", stationary.drift_matrix)
        matrix("input", stationary.input_matrix)
        matrix("quenched", stationary.quenched_matrix)
        matrix("noise", stationary.noise_matrix)
        vector("constant", list(stationary.constant))
        outputs = tuple(part(o) for o in stationary.outputs)
        observables = tuple(None if o is None else part(o) for o in stationary.observables)
        vector("coefficients", [o.coefficient for o in stationary.outputs])
        vector(
            "observable_coefficients",
            [1 if o is None else o.coefficient for o in stationary.observables],
        )
        stage("gaussian", stationary.gaussian_conditions)
        if stationary.decay_conditions is not None:
            stage("decay", stationary.decay_conditions)
    if (statics := equations.statics) is not None:
        matrix("response", statics.response)
        matrix("quenched_response", statics.quenched_response)
        vector("static_constant", list(statics.constant))
        static_outputs = tuple(part(o) for o in statics.outputs)
        vector("static_coefficients", [o.coefficient for o in statics.outputs])
        stage("statics", statics.conditions)
    if (zero := equations.zero_state) is not None:
        matrix("drift_zero", zero.drift_matrix)
        matrix("input_zero", zero.input_matrix)
        matrix("output_zero", zero.output_matrix)
        stage("zero", zero.conditions)
    return CompiledTheory(
        info=info,
        functions=tuple(functions),
        outputs=outputs,
        observables=observables,
        static_outputs=static_outputs,
        matrices=matrices,
        vectors=vectors,
        conditions=conditions,
        gate=compile_gate(equations.binary_gate, model),
        closure_failure=equations.closure_failure,
    )
