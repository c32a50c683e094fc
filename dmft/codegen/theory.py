"""A mean-field theory compiled to numbers: matrices and functions of one field, with derivatives.

The object holds tapes and positions only. Which field a factor belongs to and which factors a
current multiplies is structure; what the functions and matrices are comes from the derivation.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from .float64 import FLOAT64, python_floats
from .info import ModelInfo
from .tape import Table, Tape

if TYPE_CHECKING:
    import sympy as sp

    from dmft.derivations.closure import Product
    from dmft.derivations.equations import MeanFieldEquations

__all__ = ["CompiledFunction", "CompiledTheory", "LinearPart", "ProductPart", "compile_theory"]

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
class CompiledTheory:
    """Everything that the solvers know of a model.

    ``matrices``: "drift" A, "input" B (stationary theory), "response" R (statics), "drift_zero",
    "input_zero", "output_zero" (zero state). ``vectors``: "weights" v_a, "coefficients" c_a of
    the outputs and "observable_coefficients". A part that does not exist is absent.
    ``conditions`` maps a stage ("gaussian", "decay", "zero") to {parameter: reason}.
    """

    info: ModelInfo
    functions: tuple[CompiledFunction, ...]
    outputs: tuple[ProductPart, ...]
    observables: tuple[ProductPart | None, ...]
    static_outputs: tuple[ProductPart, ...]
    matrices: Mapping[str, LinearPart]
    vectors: Mapping[str, Tape]
    conditions: Mapping[str, Mapping[str, str]]
    closure_failure: str

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
            "conditions": {k: dict(v) for k, v in self.conditions.items()},
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
            conditions=data["conditions"],
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

    conditions: dict[str, dict[str, str]] = {"gaussian": {}, "decay": {}, "zero": {}}
    outputs: tuple[ProductPart, ...] = ()
    observables: tuple[ProductPart | None, ...] = ()
    static_outputs: tuple[ProductPart, ...] = ()
    vector("weights", [c.weight for c in equations.covariances])
    if (stationary := equations.stationary) is not None:
        matrix("drift", stationary.drift_matrix)
        matrix("input", stationary.input_matrix)
        outputs = tuple(part(o) for o in stationary.outputs)
        observables = tuple(None if o is None else part(o) for o in stationary.observables)
        vector("coefficients", [o.coefficient for o in stationary.outputs])
        vector(
            "observable_coefficients",
            [1 if o is None else o.coefficient for o in stationary.observables],
        )
        for stage, needed in (
            ("gaussian", stationary.gaussian_conditions),
            ("decay", stationary.decay_conditions),
        ):
            conditions[stage] = {c.parameter: c.reason for c in needed}
    if (statics := equations.statics) is not None:
        matrix("response", statics.response)
        static_outputs = tuple(part(o) for o in statics.outputs)
        vector("static_coefficients", [o.coefficient for o in statics.outputs])
    if (zero := equations.zero_state) is not None:
        matrix("drift_zero", zero.drift_matrix)
        matrix("input_zero", zero.input_matrix)
        matrix("output_zero", zero.output_matrix)
        conditions["zero"] = {c.parameter: c.reason for c in zero.conditions}
    return CompiledTheory(
        info=info,
        functions=tuple(functions),
        outputs=outputs,
        observables=observables,
        static_outputs=static_outputs,
        matrices=matrices,
        vectors=vectors,
        conditions=conditions,
        closure_failure=equations.closure_failure,
    )
