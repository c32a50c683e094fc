"""A declared network compiled for simulation: right-hand sides and their tangents.

Made from the declaration alone, never from its mean-field theory, so that a simulation can judge
the theory.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from dmft.errors import NotCoveredError

from .float64 import FLOAT64, python_floats
from .info import ModelInfo
from .tape import Tape

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from dmft.derivations.model import Model

    Arrays = Sequence[NDArray[Any]]

__all__ = ["CompiledNetwork", "network_tapes"]

#: The tapes of a network, by name; the keys of `network_tapes`.
TAPES = ("variance", "mean", "outputs", "drift", "tangent_outputs", "tangent_drift", "observables")


def network_tapes(model: Model) -> dict[str, Tape]:
    """Differentiate and translate a declaration.

    Raises `NotCoveredError` for couplings that the sampler does not draw.
    """
    from dmft.derivations.linearise import linearise

    from .translate import translate

    special = [c.current for c in model.couplings if c.reciprocity != 0]
    if special or model.correlations:
        raise NotCoveredError(
            f"{model.name}: couplings with reciprocity or correlated matrices "
            f"({', '.join(special) or 'correlated'}) are derived but not simulated yet"
        )
    tangent = linearise(model)
    x, xi, p = model.field_symbols(), model.current_symbols(), model.parameter_symbols()
    quenched = model.input_symbols("quenched")
    still = dict.fromkeys(model.input_symbols("white"), 0)
    dx, dxi = tangent.field_perturbations, tangent.current_perturbations
    name = model.name
    return {
        "variance": translate(f"{name} variance", p, [c.variance for c in model.couplings]),
        "mean": translate(f"{name} mean", p, [c.mean for c in model.couplings]),
        "outputs": translate(f"{name} outputs", [*x, *p], model.outputs()),
        "drift": translate(
            f"{name} drift", [*x, *xi, *quenched, *p], [f.subs(still) for f in model.drift()]
        ),
        "tangent_outputs": translate(
            f"{name} tangent outputs", [*x, *dx, *p], tangent.tangent_outputs()
        ),
        "tangent_drift": translate(
            f"{name} tangent drift",
            [*x, *xi, *quenched, *dx, *dxi, *p],
            [f.subs(still) for f in tangent.tangent_drift()],
        ),
        "observables": translate(
            f"{name} observables", [*x, *p], [n.expression for n in model.nonlinearities]
        ),
    }


@dataclass(frozen=True)
class CompiledNetwork:
    """Right-hand sides of a network, vectorised: one array per field or current, any shape.

    ``p`` maps every parameter to a number. Results have the precision of the arrays that go in.
    """

    info: ModelInfo
    tapes: Mapping[str, Tape]

    def _run(self, tape: str, p: Mapping[str, float], **groups: Arrays) -> list[Any]:
        names = {
            "fields": self.info.fields,
            "currents": self.info.currents,
            "field_changes": tuple(f"d_{name}" for name in self.info.fields),
            "current_changes": tuple(f"d_{name}" for name in self.info.currents),
        }
        values: dict[str, Any] = python_floats(p)
        values.update(dict.fromkeys(self.info.inputs, 0.0))
        for group, arrays in groups.items():
            values.update(zip(names[group], arrays, strict=True))
        return self.tapes[tape].run(FLOAT64, values)

    def variance(self, p: Mapping[str, float]) -> list[float]:
        """sigma_a^2 of each coupling; its entries are N(0, sigma_a^2 / N)."""
        return [float(v) for v in self._run("variance", p)]

    def mean(self, p: Mapping[str, float]) -> list[float]:
        """m_a of each coupling; its entries have the mean m_a / N."""
        return [float(v) for v in self._run("mean", p)]

    def outputs(self, x: Arrays, p: Mapping[str, float]) -> list[NDArray[Any]]:
        """psi_a(x), one array per current."""
        return self._run("outputs", p, fields=x)

    def drift(self, x: Arrays, xi: Arrays, p: Mapping[str, float]) -> list[NDArray[Any]]:
        """dx_k/dt = f_k(x, xi), one array per field."""
        return self._run("drift", p, fields=x, currents=xi)

    def tangent_outputs(self, x: Arrays, dx: Arrays, p: Mapping[str, float]) -> list[NDArray[Any]]:
        """Perturbations of psi_a, one array per current."""
        return self._run("tangent_outputs", p, fields=x, field_changes=dx)

    def tangent_drift(
        self, x: Arrays, xi: Arrays, dx: Arrays, dxi: Arrays, p: Mapping[str, float]
    ) -> list[NDArray[Any]]:
        """Time derivatives of the perturbations, one array per field."""
        return self._run(
            "tangent_drift", p, fields=x, currents=xi, field_changes=dx, current_changes=dxi
        )

    def observables(self, x: Arrays, p: Mapping[str, float]) -> dict[str, NDArray[Any]]:
        """The named nonlinearities."""
        return dict(
            zip(self.info.nonlinearities, self._run("observables", p, fields=x), strict=True)
        )
