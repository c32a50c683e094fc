r"""A conditionally Gaussian theory compiled to numbers: what is sampled, what moves, what is steady.

Fields are of three kinds (`derivations.conditional`): *gating* ones y, whose paths are sampled; a
*block* x that is Gaussian given these paths,

    x' = A(y) x + B(y) xi + E(y) I + c(y);

and all others. Gating fields and those others are *steady*: linear with constant coefficients. As in
`theory`, the object holds tapes and positions only.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from .float64 import FLOAT64, python_floats
from .info import ModelInfo
from .tape import Tape
from .theory import CompiledFunction, LinearPart, ProductPart

if TYPE_CHECKING:
    import sympy as sp

    from dmft.derivations.closure import Product
    from dmft.derivations.conditional import ConditionalStructure
    from dmft.derivations.equations import MeanFieldEquations

__all__ = ["CompiledConditional", "MovingPart", "compile_conditional"]

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class MovingPart:
    """A matrix that gating fields move: ``tape`` returns the entries at ``places``, the others are 0.

    ``slopes`` returns the derivatives of these entries by the gating fields: those by the first, by
    the second, and so on. ``still`` lists the positions of entries that no gating field moves.
    """

    shape: tuple[int, int]
    places: tuple[tuple[int, int], ...]
    tape: Tape
    slopes: Tape
    still: tuple[int, ...]

    def at(self, p: Mapping[str, float], gates: Mapping[str, Floats]) -> list[Any]:
        """The entries at values of the gating fields by name: arrays of their shape, or numbers."""
        return self.tape.run(FLOAT64, python_floats(p) | dict(gates))

    def slopes_at(self, p: Mapping[str, float], gates: Mapping[str, Floats]) -> list[Any]:
        """The derivatives."""
        return self.slopes.run(FLOAT64, python_floats(p) | dict(gates))

    def to_json(self) -> dict[str, Any]:
        """As lists and strings."""
        return {
            "shape": list(self.shape),
            "places": [list(place) for place in self.places],
            "tape": self.tape.to_json(),
            "slopes": self.slopes.to_json(),
            "still": list(self.still),
        }

    @staticmethod
    def from_json(data: Mapping[str, Any]) -> MovingPart:
        """Rebuild from `to_json`."""
        return MovingPart(
            shape=(data["shape"][0], data["shape"][1]),
            places=tuple((k, j) for k, j in data["places"]),
            tape=Tape.from_json(data["tape"]),
            slopes=Tape.from_json(data["slopes"]),
            still=tuple(data["still"]),
        )


@dataclass(frozen=True)
class CompiledConditional:
    """A theory for which averages run over paths of ``gating`` fields, if ``failure`` is empty.

    ``gating``, ``block`` and ``steady`` are positions of fields; the gating fields are steady, and so
    are fields that the block follows, which are then in both. ``sources`` are the currents followed
    by the inputs; ``white`` tells for each input whether it is white noise.

    ``matrices``: "drift" and "input" of the steady fields (columns: steady fields, sources), "response"
    is absent. ``moving``: "drift" A, "input" (B and E side by side, columns: sources) and "constant" c
    of the block. ``vectors``: "weights", "current_means", "coefficients" of the outputs,
    "observable_coefficients", "input_variances" (intensities for white noise), "input_means", "constant"
    of the steady fields.
    """

    info: ModelInfo
    gating: tuple[int, ...]
    block: tuple[int, ...]
    steady: tuple[int, ...]
    white: tuple[bool, ...]
    functions: tuple[CompiledFunction, ...]
    outputs: tuple[ProductPart, ...]
    observables: tuple[ProductPart | None, ...]
    matrices: Mapping[str, LinearPart]
    moving: Mapping[str, MovingPart]
    vectors: Mapping[str, Tape]
    failure: str

    def vector(self, name: str, p: Mapping[str, float]) -> Floats:
        """One of the parameter-dependent vectors."""
        return np.array([float(v) for v in self.vectors[name].run(FLOAT64, python_floats(p))])

    def to_json(self) -> dict[str, Any]:
        """As lists, strings and numbers."""
        return {
            "info": self.info.to_json(),
            "gating": list(self.gating),
            "block": list(self.block),
            "steady": list(self.steady),
            "white": list(self.white),
            "functions": [
                {"label": f.label, "field": f.field, "tape": f.tape.to_json()}
                for f in self.functions
            ],
            "outputs": [list(o.factors) for o in self.outputs],
            "observables": [None if o is None else list(o.factors) for o in self.observables],
            "matrices": {
                k: {"shape": list(m.shape), "tape": m.tape.to_json()}
                for k, m in self.matrices.items()
            },
            "moving": {k: m.to_json() for k, m in self.moving.items()},
            "vectors": {k: v.to_json() for k, v in self.vectors.items()},
            "failure": self.failure,
        }

    @staticmethod
    def from_json(data: Mapping[str, Any]) -> CompiledConditional:
        """Rebuild from `to_json`."""
        return CompiledConditional(
            info=ModelInfo.from_json(data["info"]),
            gating=tuple(data["gating"]),
            block=tuple(data["block"]),
            steady=tuple(data["steady"]),
            white=tuple(bool(w) for w in data["white"]),
            functions=tuple(
                CompiledFunction(f["label"], f["field"], Tape.from_json(f["tape"]))
                for f in data["functions"]
            ),
            outputs=tuple(ProductPart(tuple(o)) for o in data["outputs"]),
            observables=tuple(
                None if o is None else ProductPart(tuple(o)) for o in data["observables"]
            ),
            matrices={
                k: LinearPart((m["shape"][0], m["shape"][1]), Tape.from_json(m["tape"]))
                for k, m in data["matrices"].items()
            },
            moving={k: MovingPart.from_json(m) for k, m in data["moving"].items()},
            vectors={k: Tape.from_json(v) for k, v in data["vectors"].items()},
            failure=data["failure"],
        )


def compile_conditional(equations: MeanFieldEquations, info: ModelInfo) -> CompiledConditional:
    """Translate the conditionally Gaussian form of a theory; ``failure`` says why when there is none."""
    from dmft.derivations.closure import factorise
    from dmft.derivations.conditional import conditional_structure

    model = equations.model
    structure = conditional_structure(model)
    products = [factorise(model, c.output, c.current) for c in equations.covariances]
    seen = [factorise(model, n.expression, n.name) for n in model.nonlinearities]
    failure = _failure(equations, structure, products)
    if structure is None or failure:
        nothing = ((), (), (), (), (), (), ())
        return CompiledConditional(info, *nothing, {}, {}, {}, failure)
    seen = [None if o is None or _entangled(structure, o) else o for o in seen]
    return _Compilation(equations, info, structure).compiled(
        [p for p in products if p is not None], seen
    )


def _failure(
    equations: MeanFieldEquations,
    structure: ConditionalStructure | None,
    products: Sequence[Product | None],
) -> str:
    """Why a model cannot be solved by sampling the paths of its gating fields; empty when it can."""
    if structure is None:
        return "the fields are not Gaussian given the paths of others"
    if structure.closes:
        return "no field moves the coefficients of another: all are Gaussian without sampling"
    average = equations.average
    if any(r != 0 for r in average.response):
        return "couplings are reciprocal: the single-site process contains a response"
    if not average.covariance.is_diagonal():
        return "coupling matrices are correlated"
    gates = frozenset().union(*(structure.reached_by(y, gates=True) for y in structure.gating))
    for x in structure.block:
        if shared := gates & structure.reached_by(x, gates=False):
            return (
                f"{', '.join(sorted(shared))} drives both {x} and a gating field, so that a path of the "
                "gating field tells of the current itself"
            )
    for covariance, product in zip(equations.covariances, products, strict=True):
        if product is None:
            return (
                f"the output of {covariance.current} is no product of functions of one field each"
            )
        if names := _entangled(structure, product):
            return (
                f"the fields {names} in the output of {covariance.current} are not independent given "
                "the paths of the gating fields: their joint average is not covered yet"
            )
    return ""


def _entangled(structure: ConditionalStructure, product: Product) -> str:
    """Fields of a product whose averages do not factorise; empty when all do."""
    fields = [f.field for f in product.factors]
    sampled = any(x in structure.block for x in fields)
    seen: set[str] = set()
    if sampled:
        for x in fields:
            if x in structure.block:
                drives = structure.reached_by(x, gates=False)
                if seen & drives:
                    return ", ".join(fields)
                seen |= drives
        for y in structure.gating:
            seen |= structure.reached_by(y, gates=True)
        fields = [x for x in fields if x not in structure.block and x not in structure.gating]
    for x in fields:
        drives = structure.reached_by(x, gates=True)
        if seen & drives:
            return ", ".join(f.field for f in product.factors)
        seen |= drives
    return ""


class _Compilation:
    """Translates the parts, each function of a field once."""

    def __init__(
        self, equations: MeanFieldEquations, info: ModelInfo, structure: ConditionalStructure
    ) -> None:
        self.equations, self.info, self.structure = equations, info, structure
        self.model = equations.model
        self.parameters = self.model.parameter_symbols()
        self.names = [f.name for f in self.model.fields]
        self.functions: list[CompiledFunction] = []
        self.known: dict[tuple[int, sp.Expr], int] = {}

    def compiled(
        self, outputs: Sequence[Product], observables: Sequence[Product | None]
    ) -> CompiledConditional:
        structure, model = self.structure, self.model
        steady = [k for k, x in enumerate(self.names) if x not in structure.conditional]
        block = [k for k, x in enumerate(self.names) if x in structure.block]
        sources = list(range(len(structure.sources)))
        direct = structure.input_matrix.row_join(structure.external_matrix)
        parts = tuple(self._part(o) for o in outputs)
        seen = tuple(None if o is None else self._part(o) for o in observables)
        return CompiledConditional(
            info=self.info,
            gating=tuple(self.names.index(y) for y in structure.gating),
            block=tuple(block),
            steady=tuple(steady),
            white=tuple(i.kind == "white" for i in model.inputs),
            functions=tuple(self.functions),
            outputs=parts,
            observables=seen,
            matrices={
                "drift": self._matrix("steady drift", self._drift().extract(steady, steady)),
                "input": self._matrix("steady input", direct.extract(steady, sources)),
            },
            moving={
                "drift": self._moving("drift", structure.drift_matrix.extract(block, block)),
                "input": self._moving("input", direct.extract(block, sources)),
                "constant": self._moving("constant", structure.constant.extract(block, [0])),
            },
            vectors={
                "weights": self._vector("weights", [c.weight for c in self.equations.covariances]),
                "current_means": self._vector(
                    "current means", [c.mean for c in self.equations.covariances]
                ),
                "coefficients": self._vector("coefficients", [o.coefficient for o in outputs]),
                "observable_coefficients": self._vector(
                    "observable coefficients",
                    [1 if o is None else o.coefficient for o in observables],
                ),
                "input_variances": self._vector(
                    "input variances", [i.variance for i in model.inputs]
                ),
                "input_means": self._vector("input means", [i.mean for i in model.inputs]),
                "constant": self._vector("constant", self._steady_constant(steady)),
            },
            failure="",
        )

    def _drift(self) -> sp.Matrix:
        return self.structure.drift_matrix

    def _steady_constant(self, steady: Sequence[int]) -> list[sp.Expr]:
        """The constant drive of the steady fields, without what gating fields contribute linearly."""
        rest = {f.symbol: 0 for f in self.model.fields if f.name in self.structure.gating}
        return [self.structure.constant[k].subs(rest) for k in steady]

    def _part(self, product: Product) -> ProductPart:
        import sympy as sp

        from .translate import translate

        positions = []
        for factor in product.factors:
            index = self.names.index(factor.field)
            if (index, factor.expression) not in self.known:
                x = self.model.fields[index].symbol
                derivatives = [sp.diff(factor.expression, x, n) for n in range(3)]
                tape = translate(
                    f"{self.model.name} {factor.label}", [x, *self.parameters], derivatives
                )
                self.known[index, factor.expression] = len(self.functions)
                self.functions.append(CompiledFunction(factor.label, index, tape))
            positions.append(self.known[index, factor.expression])
        return ProductPart(tuple(positions))

    def _matrix(self, name: str, value: sp.Matrix) -> LinearPart:
        from .translate import translate

        tape = translate(f"{self.model.name} {name}", self.parameters, list(value))
        return LinearPart((value.shape[0], value.shape[1]), tape)

    def _vector(self, name: str, values: Sequence[sp.Expr | int]) -> Tape:
        from .translate import translate

        return translate(f"{self.model.name} {name}", self.parameters, list(values))

    def _moving(self, name: str, value: sp.Matrix) -> MovingPart:
        from .translate import translate

        gates = [f.symbol for f in self.model.fields if f.name in self.structure.gating]
        rows, columns = value.shape
        places = [(k, j) for k in range(rows) for j in range(columns) if value[k, j] != 0]
        entries = [value[k, j] for k, j in places]
        title = f"{self.model.name} moving {name}"
        inputs = [*gates, *self.parameters]
        return MovingPart(
            shape=(rows, columns),
            places=tuple(places),
            tape=translate(title, inputs, entries),
            slopes=translate(
                f"{title} slopes", inputs, [e.diff(y) for y in gates for e in entries]
            ),
            still=tuple(i for i, e in enumerate(entries) if not e.free_symbols & set(gates)),
        )
