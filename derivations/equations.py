"""All that a model's mean-field theory consists of: the one object that leaves this package."""

from __future__ import annotations

from dataclasses import dataclass

from .disorder import CurrentCovariance, average_over_couplings
from .linearise import Linearisation, linearise
from .model import Model
from .statics import StaticEquations, ZeroState, static_equations, zero_state
from .stationary import ClosureError, StationaryEquations, stationary_equations

__all__ = ["MeanFieldEquations", "derive_equations"]


@dataclass(frozen=True)
class MeanFieldEquations:
    """The stages of a derivation. A stage that does not exist for a model is None.

    ``closure_failure`` says why when ``stationary`` is None.
    """

    model: Model
    covariances: tuple[CurrentCovariance, ...]
    linearisation: Linearisation
    statics: StaticEquations | None
    zero_state: ZeroState | None
    stationary: StationaryEquations | None
    closure_failure: str = ""


def derive_equations(model: Model) -> MeanFieldEquations:
    """Derive the mean-field theory of a declared network.

    >>> from .models import get
    >>> derive_equations(get("gated")).stationary.gaussian_conditions[0].parameter
    'alpha_z'
    """
    covariances = average_over_couplings(model)
    stationary, failure = None, ""
    try:
        stationary = stationary_equations(model, covariances)
    except ClosureError as error:
        failure = str(error)
    return MeanFieldEquations(
        model=model,
        covariances=covariances,
        linearisation=linearise(model),
        statics=static_equations(model, covariances),
        zero_state=zero_state(model, covariances),
        stationary=stationary,
        closure_failure=failure,
    )
