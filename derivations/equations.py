"""All that a model's mean-field theory consists of: the one object that leaves this package."""

from __future__ import annotations

from dataclasses import dataclass

from .binary_gate import BinaryGate, binary_gate
from .disorder import CurrentCovariance, DisorderAverage, disorder_average
from .linearise import Linearisation, linearise
from .model import Model
from .statics import StaticEquations, ZeroState, static_equations, zero_state
from .stationary import ClosureError, StationaryEquations, stationary_equations

__all__ = ["MeanFieldEquations", "derive_equations"]


@dataclass(frozen=True)
class MeanFieldEquations:
    """The stages of a derivation. A stage that does not exist for a model is None.

    ``closure_failure`` says why when ``stationary`` is None; ``binary_gate`` why it is no limit.
    """

    model: Model
    average: DisorderAverage
    covariances: tuple[CurrentCovariance, ...]
    linearisation: Linearisation
    statics: StaticEquations | None
    zero_state: ZeroState | None
    stationary: StationaryEquations | None
    binary_gate: BinaryGate
    closure_failure: str = ""


def derive_equations(model: Model) -> MeanFieldEquations:
    """Derive the mean-field theory of a declared network.

    >>> from .models import get
    >>> derive_equations(get("gated")).stationary.gaussian_conditions[0].parameter
    'alpha_z'
    """
    average = disorder_average(model)
    covariances = average.currents
    failure = _not_covered(average)
    covered = not failure
    stationary = None
    if covered:
        try:
            stationary = stationary_equations(model, covariances)
        except ClosureError as error:
            failure = str(error)
    return MeanFieldEquations(
        model=model,
        average=average,
        covariances=covariances,
        linearisation=linearise(model),
        statics=static_equations(model, covariances) if covered else None,
        zero_state=zero_state(model, covariances) if covered else None,
        stationary=stationary,
        binary_gate=binary_gate(model),
        closure_failure=failure,
    )


def _not_covered(average: DisorderAverage) -> str:
    """Why the averaged action cannot be compiled yet; empty when it can."""
    currents = [c.current for c in average.action.model.couplings]
    for current, response in zip(currents, average.response, strict=True):
        if response != 0:
            return (
                f"the couplings of {current} are reciprocal: the single-site process contains the "
                "response function, which no solver covers yet; derived and printed only"
            )
    if not average.covariance.is_diagonal():
        return (
            "coupling matrices are correlated: currents are too, which no solver covers yet; "
            "derived and printed only"
        )
    return ""
