"""The dynamics of a conditionally Gaussian network compiled for two times.

    dx/dt = A(y) x + B(y) xi + E(y) I + W eta + b,

linear in the fields x, with coefficients that gating fields y may move (`derivations.conditional`). The
object holds tapes and positions only; nothing is set to zero, so that parameters may move in time.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from dmft.errors import NotCoveredError

from .float64 import FLOAT64, python_floats
from .info import ModelInfo
from .tape import Tape
from .theory import CompiledFunction, ProductPart

if TYPE_CHECKING:
    import sympy as sp

    from dmft.derivations.closure import Product
    from dmft.derivations.model import Model

    from .source import ModelSource

__all__ = ["TwoTimeTheory", "compile_two_time", "two_time_theory"]

Floats = NDArray[np.float64]

#: Matrices of the dynamics, one row per field: A, B, E, W, b.
MATRICES = ("drift", "input", "quenched", "noise", "constant")
#: Vectors that depend on the parameters alone.
VECTORS = (
    *("weights", "current_means", "coefficients", "observable_coefficients"),
    *("quenched_means", "quenched_variances", "noise_intensities"),
)


@dataclass(frozen=True)
class TwoTimeTheory:
    """Everything that the two-time solver knows of a model.

    ``gating``: positions of the fields that may move coefficients. ``coefficients`` returns the entries of
    all matrices, one after the other and row by row, as functions of the gating fields and the
    parameters: A, B, E, W and b, which have the given numbers of ``columns``. ``functions`` return f
    alone; ``outputs`` and ``observables`` are products of them.
    """

    info: ModelInfo
    gating: tuple[int, ...]
    coefficients: Tape
    columns: tuple[int, ...]
    functions: tuple[CompiledFunction, ...]
    outputs: tuple[ProductPart, ...]
    observables: tuple[ProductPart | None, ...]
    vectors: Mapping[str, Tape]

    def matrices(self, gates: Sequence[Floats], p: Mapping[str, float]) -> dict[str, Floats]:
        """All matrices by name at gate values (n,) of every gating field: (fields, columns, n) each."""
        names = [self.info.fields[k] for k in self.gating]
        values: dict[str, Any] = {**python_floats(p), **dict(zip(names, gates, strict=True))}
        entries = self.coefficients.run(FLOAT64, values)
        table = np.empty((len(entries), gates[0].size if gates else 1))
        for entry, value in zip(table, entries, strict=True):
            entry[:] = value
        rows = len(self.info.fields)
        ends = rows * np.cumsum((0, *self.columns))
        return {
            name: table[first:last].reshape(rows, columns, table.shape[1])
            for name, columns, first, last in zip(
                MATRICES, self.columns, ends[:-1], ends[1:], strict=True
            )
        }

    def vector(self, name: str, p: Mapping[str, float]) -> Floats:
        """One of the parameter-dependent vectors."""
        return np.array([float(v) for v in self.vectors[name].run(FLOAT64, python_floats(p))])

    def function(self, position: int, x: Floats, p: Mapping[str, float]) -> Floats:
        """f(x) of one function."""
        return np.asarray(self.functions[position].at(x, p)[0])


def two_time_theory(source: ModelSource) -> TwoTimeTheory:
    """Derive and compile a shipped model, one in a file, or a declared one.

    >>> two_time_theory("gated").gating
    (1,)
    """
    from dmft.derivations.models import get

    from .source import resolve

    found = resolve(source)
    return compile_two_time(get(found) if isinstance(found, str) else found)


def compile_two_time(model: Model) -> TwoTimeTheory:
    """Derive and compile a declared model.

    Raises `NotCoveredError` for reciprocal or correlated couplings, for dynamics that are not linear
    given the gating fields, and for outputs that are no products of functions of one field each.
    """
    import sympy as sp

    from dmft.derivations.closure import factorise
    from dmft.derivations.disorder import disorder_average

    from .cache import describe
    from .translate import translate

    average = disorder_average(model)
    if any(response != 0 for response in average.response):
        raise NotCoveredError(
            f"{model.name}: reciprocal couplings add the response function to the two-time equations, "
            "which is not covered"
        )
    if not average.covariance.is_diagonal():
        raise NotCoveredError(
            f"{model.name}: correlated coupling matrices correlate the currents, which is not covered"
        )
    gating, matrices = _linear_dynamics(model)
    p = model.parameter_symbols()
    y = [model.fields[k].symbol for k in gating]
    fields = {f.name: i for i, f in enumerate(model.fields)}
    functions: list[CompiledFunction] = []
    known: dict[sp.Expr, int] = {}

    def part(product: Product) -> ProductPart:
        for factor in product.factors:
            if factor.expression not in known:
                known[factor.expression] = len(functions)
                index = fields[factor.field]
                tape = translate(
                    f"{model.name} {factor.label}",
                    [model.fields[index].symbol, *p],
                    [factor.expression],
                )
                functions.append(CompiledFunction(factor.label, index, tape))
        return ProductPart(tuple(known[f.expression] for f in product.factors))

    products: list[Product] = []
    for current in average.currents:
        product = factorise(model, current.output, current.current)
        if product is None:
            raise NotCoveredError(
                f"{model.name}: the output of {current.current} is no product of functions of one field "
                "each, which is not covered"
            )
        products.append(product)
    observed = [factorise(model, n.expression, n.name) for n in model.nonlinearities]
    quenched = [i for i in model.inputs if i.kind == "quenched"]
    vectors = {
        "weights": [c.weight for c in average.currents],
        "current_means": [c.mean for c in average.currents],
        "coefficients": [o.coefficient for o in products],
        "observable_coefficients": [1 if o is None else o.coefficient for o in observed],
        "quenched_means": [i.mean for i in quenched],
        "quenched_variances": [i.variance for i in quenched],
        "noise_intensities": [i.variance for i in model.inputs if i.kind == "white"],
    }
    outputs = tuple(part(o) for o in products)
    observables = tuple(None if o is None else part(o) for o in observed)
    return TwoTimeTheory(
        info=describe(model),
        gating=gating,
        coefficients=translate(
            f"{model.name} coefficients", [*y, *p], [e for name in MATRICES for e in matrices[name]]
        ),
        columns=tuple(matrices[name].shape[1] for name in MATRICES),
        functions=tuple(functions),
        outputs=outputs,
        observables=observables,
        vectors={
            name: translate(f"{model.name} {name}", p, [sp.sympify(v) for v in vectors[name]])
            for name in VECTORS
        },
    )


def _linear_dynamics(model: Model) -> tuple[tuple[int, ...], dict[str, sp.Matrix]]:
    """Positions of the gating fields, and A(y), B(y), E(y), W, b, checked against the declaration."""
    from dataclasses import replace

    import sympy as sp

    from dmft.derivations.conditional import conditional_structure

    fields, currents = model.field_symbols(), model.current_symbols()
    at_zero = dict.fromkeys([*fields, *currents, *model.input_symbols()], sp.Integer(0))
    constant = [f.subs(at_zero) for f in model.drift()]
    # a constant part moves means only; without it the roles of the fields are the same
    names = [f.name for f in model.fields]
    moving = {k: f - c for k, f, c in zip(names, model.drift(), constant, strict=True)}
    structure = conditional_structure(replace(model, dynamics=moving))
    if structure is None:
        raise NotCoveredError(
            f"{model.name}: the dynamics are not linear in fields and currents given the path of fields "
            "that are Gaussian themselves; the two-time solver needs that"
        )
    y = {f.symbol for f in model.fields if f.name in structure.gating}
    rest = {v: 0 for v in at_zero if v not in y}

    def value(f: sp.Expr, row: int) -> sp.Expr:
        """At rest; gates have their values in the equations of other fields only."""
        return sp.sympify(f).subs(at_zero if fields[row] in y else rest)

    def slopes(symbols: Sequence[sp.Symbol]) -> sp.Matrix:
        return sp.Matrix(
            len(fields),
            len(symbols),
            lambda k, j: (
                0
                if symbols[j] in y and fields[k] not in y
                else value(sp.diff(model.drift()[k], symbols[j]), k)
            ),
        )

    inputs = {kind: model.input_symbols(kind) for kind in ("quenched", "white")}
    matrices = {
        "drift": slopes(fields),
        "input": slopes(currents),
        "quenched": slopes(inputs["quenched"]),
        "noise": slopes(inputs["white"]),
        "constant": sp.Matrix([value(f, k) for k, f in enumerate(model.drift())]),
    }
    rebuilt = matrices["drift"] * sp.Matrix(fields) + matrices["constant"]
    for name, symbols in (
        ("input", currents),
        ("quenched", inputs["quenched"]),
        ("noise", inputs["white"]),
    ):
        if symbols:
            rebuilt += matrices[name] * sp.Matrix(symbols)
    for name, f, again in zip(names, model.drift(), rebuilt, strict=True):
        if sp.simplify(f - again) != 0:
            raise NotCoveredError(
                f"{model.name}: d{name}/dt is not linear in fields, currents and inputs given the "
                f"gating fields ({', '.join(structure.gating) or 'there are none'}); the two-time "
                "solver needs that"
            )
    gating = tuple(i for i, name in enumerate(names) if name in structure.gating)
    return gating, matrices
