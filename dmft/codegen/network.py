"""A declared network compiled for simulation: right-hand sides, their tangents, and what is random.

Made from the declaration alone, never from its mean-field theory, so that a simulation can judge
the theory.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from .bound_tape import BoundTape, bind
from .float64 import FLOAT64, python_floats
from .info import ModelInfo
from .tape import Table, Tape

if TYPE_CHECKING:
    import sympy as sp
    from numpy.typing import NDArray

    from dmft.derivations.model import Model

    Arrays = Sequence[NDArray[Any]]

__all__ = ["CompiledNetwork", "network_tapes"]

#: Bound tapes that are kept; parameters that move in time would make ever more of them.
_MOST_BOUND = 64

#: The tapes of a network, by name; the keys of `network_tapes`. Those of the first line depend on the
#: parameters alone.
TAPES = (
    *(
        "variance",
        "mean",
        "reciprocity",
        "correlation",
        "input_mean",
        "input_variance",
        "noise",
        "leak",
    ),
    *("outputs", "drift", "tangent_outputs", "tangent_drift", "observables"),
)

#: Tapes that are asked for together, with what they share computed once.
_JOINED = {
    "outputs_with_tangent": ("outputs", "tangent_outputs"),
    "drift_with_tangent": ("drift", "tangent_drift"),
}


def network_tapes(model: Model) -> dict[str, Tape]:
    """Differentiate and translate a declaration.

    White inputs are not part of the drift: the dynamics is linear in them with constant coefficients
    (the declaration sees to it), so that  dx_k = f_k dt + sum_b (df_k/d eta_b) sqrt(intensity_b) dW_b.
    """
    import sympy as sp

    from dmft.derivations.linearise import linearise

    from .translate import translate

    tangent = linearise(model)
    x, xi, p = model.field_symbols(), model.current_symbols(), model.parameter_symbols()
    dx, dxi = tangent.field_perturbations, tangent.current_perturbations
    inputs, white = model.input_symbols("quenched"), model.input_symbols("white")
    quenched = [i for i in model.inputs if i.kind == "quenched"]
    intensities = [i.variance for i in model.inputs if i.kind == "white"]
    silent = {eta: sp.Integer(0) for eta in white}

    def tape(name: str, arguments: Sequence[sp.Symbol], values: Sequence[sp.Expr]) -> Tape:
        return translate(f"{model.name} {name}", arguments, values)

    couplings = model.couplings
    pairs = [
        sp.Integer(1) if a is b else model.correlation(a.current, b.current)
        for a in couplings
        for b in couplings
    ]
    amplitudes = [
        sp.diff(f, eta) * sp.sqrt(intensity)
        for f in model.drift()
        for eta, intensity in zip(white, intensities, strict=True)
    ]
    return {
        "variance": tape("variance", p, [c.variance for c in couplings]),
        "mean": tape("mean", p, [c.mean for c in couplings]),
        "reciprocity": tape("reciprocity", p, [c.reciprocity for c in couplings]),
        "correlation": tape("correlation", p, pairs),
        "input_mean": tape("input mean", p, [i.mean for i in quenched]),
        "input_variance": tape("input variance", p, [i.variance for i in quenched]),
        "noise": tape("noise", p, amplitudes),
        "leak": tape("leak", p, _leaks(model)),
        "outputs": tape("outputs", [*x, *p], model.outputs()),
        "drift": tape("drift", [*x, *xi, *inputs, *p], [f.xreplace(silent) for f in model.drift()]),
        "tangent_outputs": tape("tangent outputs", [*x, *dx, *p], tangent.tangent_outputs()),
        "tangent_drift": tape(
            "tangent drift", [*x, *xi, *inputs, *dx, *dxi, *p], tangent.tangent_drift()
        ),
        "observables": tape("observables", [*x, *p], [n.expression for n in model.nonlinearities]),
    }


def _leaks(model: Model) -> list[sp.Expr]:
    """df_k/dx_k where everything that moves is zero: the rate that an exponential integrator splits off.

    Any constant is a valid choice (`dmft.validation.exponential`); where this one does not exist, 0 is.
    """
    import sympy as sp

    moving = (*model.field_symbols(), *model.current_symbols(), *model.input_symbols())
    rest = dict.fromkeys(moving, sp.Integer(0))
    slopes = [
        sp.diff(f, x).subs(rest) for f, x in zip(model.drift(), model.field_symbols(), strict=True)
    ]
    impossible = (sp.zoo, sp.nan, sp.oo, -sp.oo, sp.I)
    return [sp.Integer(0) if slope.has(*impossible) else slope for slope in slopes]


@dataclass(frozen=True)
class CompiledNetwork:
    """Right-hand sides of a network, vectorised: one array per field, current or input, any shape.

    ``p`` maps parameters to numbers, ``inputs`` are the values of the quenched inputs. Parameters that
    are left out have their defaults, inputs are zero. Results have the precision of the arrays that go in.
    ``table``: the target; None is numpy's.
    """

    info: ModelInfo
    tapes: Mapping[str, Tape]
    table: Table | None = None

    def on(self, table: Table) -> CompiledNetwork:
        """The same equations on another target, whose arrays go in and come out."""
        return replace(self, table=table)

    @cached_property
    def _defaults(self) -> dict[str, float]:
        known = {q.name: q.default for q in self.info.parameters if q.default is not None}
        return known | dict.fromkeys(self.info.inputs, 0.0)

    def _run(self, tape: str, p: Mapping[str, float], **groups: Arrays) -> list[Any]:
        names = {
            "fields": self.info.fields,
            "currents": self.info.currents,
            "inputs": self.info.inputs,
            "field_changes": tuple(f"d_{name}" for name in self.info.fields),
            "current_changes": tuple(f"d_{name}" for name in self.info.currents),
        }
        values: dict[str, Any] = {}
        for group, arrays in groups.items():
            if arrays or group != "inputs":
                values.update(zip(names[group], arrays, strict=True))
        key = tape, bool(groups.get("inputs")), tuple(p.items())
        bound = self._bound.get(key)
        if bound is None:
            known = {
                k: v for k, v in (self._defaults | python_floats(p)).items() if k not in values
            }
            bound = bind(self._tape(tape), self.table or FLOAT64, known)
            if len(self._bound) >= _MOST_BOUND:
                self._bound.clear()
            self._bound[key] = bound
        return bound.run(values)

    def _tape(self, name: str) -> Tape:
        if name in self.tapes:
            return self.tapes[name]
        title = f"{self.info.name} {name.replace('_', ' ')}"
        return Tape.joined(title, [self.tapes[part] for part in _JOINED[name]])

    @cached_property
    def _bound(self) -> dict[Any, BoundTape]:
        """Tapes at parameters that were asked for: a simulation asks for the same thousands of times."""
        return {}

    def __getstate__(self) -> dict[str, Any]:
        """Without bound tapes, whose functions cannot be pickled."""
        return {k: v for k, v in self.__dict__.items() if k != "_bound"}

    def _numbers(self, tape: str, p: Mapping[str, float]) -> list[float]:
        return [float(v) for v in self._run(tape, p)]

    def variance(self, p: Mapping[str, float]) -> list[float]:
        """sigma_a^2 of each coupling; its entries are N(m_a / N, sigma_a^2 / N)."""
        return self._numbers("variance", p)

    def mean(self, p: Mapping[str, float]) -> list[float]:
        """m_a of each coupling."""
        return self._numbers("mean", p)

    def reciprocity(self, p: Mapping[str, float]) -> list[float]:
        """The correlation of J^a_ij with J^a_ji, for each coupling."""
        return self._numbers("reciprocity", p)

    def correlation(self, p: Mapping[str, float]) -> NDArray[np.float64]:
        """The matrix of the correlations of J^a_ij with J^b_ij."""
        size = len(self.info.currents)
        return np.array(self._numbers("correlation", p)).reshape(size, size)

    def input_mean(self, p: Mapping[str, float]) -> list[float]:
        """The mean over units of each quenched input."""
        return self._numbers("input_mean", p)

    def input_variance(self, p: Mapping[str, float]) -> list[float]:
        """The variance over units of each quenched input."""
        return self._numbers("input_variance", p)

    def noise(self, p: Mapping[str, float]) -> NDArray[np.float64]:
        """Amplitudes A_kb of dx_k = f_k dt + sum_b A_kb dW_b, one row per field."""
        rows = len(self.info.fields)
        numbers = self._numbers("noise", p)
        return np.array(numbers, dtype=np.float64).reshape(rows, len(numbers) // rows)

    def leak(self, p: Mapping[str, float]) -> list[float]:
        """df_k/dx_k at rest, one number per field; 0 where it does not exist."""
        return self._numbers("leak", p)

    def outputs(self, x: Arrays, p: Mapping[str, float]) -> list[NDArray[Any]]:
        """psi_a(x), one array per current."""
        return self._run("outputs", p, fields=x)

    def drift(
        self, x: Arrays, xi: Arrays, p: Mapping[str, float], inputs: Arrays = ()
    ) -> list[NDArray[Any]]:
        """f_k(x, xi, I) without the white inputs, one array per field."""
        return self._run("drift", p, fields=x, currents=xi, inputs=inputs)

    def tangent_outputs(self, x: Arrays, dx: Arrays, p: Mapping[str, float]) -> list[NDArray[Any]]:
        """Perturbations of psi_a, one array per current."""
        return self._run("tangent_outputs", p, fields=x, field_changes=dx)

    def tangent_drift(
        self,
        x: Arrays,
        xi: Arrays,
        dx: Arrays,
        dxi: Arrays,
        p: Mapping[str, float],
        inputs: Arrays = (),
    ) -> list[NDArray[Any]]:
        """Time derivatives of the perturbations, one array per field."""
        return self._run(
            "tangent_drift",
            p,
            fields=x,
            currents=xi,
            inputs=inputs,
            field_changes=dx,
            current_changes=dxi,
        )

    def outputs_with_tangent(
        self, x: Arrays, dx: Arrays, p: Mapping[str, float]
    ) -> tuple[list[NDArray[Any]], list[NDArray[Any]]]:
        """`outputs` and `tangent_outputs`, with what both need computed once."""
        return self._halved(self._run("outputs_with_tangent", p, fields=x, field_changes=dx))

    def drift_with_tangent(
        self,
        x: Arrays,
        xi: Arrays,
        dx: Arrays,
        dxi: Arrays,
        p: Mapping[str, float],
        inputs: Arrays = (),
    ) -> tuple[list[NDArray[Any]], list[NDArray[Any]]]:
        """`drift` and `tangent_drift`, with what both need computed once."""
        return self._halved(
            self._run(
                "drift_with_tangent",
                p,
                fields=x,
                currents=xi,
                inputs=inputs,
                field_changes=dx,
                current_changes=dxi,
            )
        )

    @staticmethod
    def _halved(both: list[Any]) -> tuple[list[Any], list[Any]]:
        half = len(both) // 2
        return both[:half], both[half:]

    def observables(self, x: Arrays, p: Mapping[str, float]) -> dict[str, NDArray[Any]]:
        """The named nonlinearities."""
        return dict(
            zip(self.info.nonlinearities, self._run("observables", p, fields=x), strict=True)
        )
