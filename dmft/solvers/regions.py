"""In which states can a large network settle? The name of a region of parameter space.

A region is named after the stable states, joined by +: "rest", "fixed point" (a stable constant state,
with their number if there are several), "chaos". In brackets stands what solves the equations without
being a state of a network: unstable constant solutions, where no chaos explains them. So "rest (unstable
fixed points)" is where fixed points have proliferated and nothing moves yet (KCS 2022), and
"rest + chaos" where the outcome depends on the start. From constant states alone
(`static_region_name`) unstable fixed points are always named, and "none stable" is where
something else must go on.
"""

from __future__ import annotations

from collections.abc import Mapping

from dmft.codegen.theory import CompiledTheory
from dmft.gaussian.pair_average import AverageBudgetError

from .branches import Survey
from .constant_states import is_stable
from .linear_theory import LinearTheory

__all__ = ["UNDECIDED", "region_name", "static_region_name"]

UNDECIDED = "undecided"
#: Where constant states are all that is looked at and none is stable.
NO_CONSTANT_STATE = "none stable"
_UNSTABLE = " (unstable fixed points)"


def region_name(theory: CompiledTheory, parameters: Mapping[str, float]) -> str:
    """The region's name at given parameters; `UNDECIDED` where the solvers give no answer."""
    survey = Survey(LinearTheory(theory, parameters))
    stable = _stable(survey)
    if stable is None:
        return UNDECIDED
    try:
        chaos = survey.lasting_chaos
        if not chaos and not survey.chaos.complete:
            return UNDECIDED
    except (AverageBudgetError, ArithmeticError):
        return UNDECIDED
    states = [*_resting(survey, stable), *(["chaos"] if chaos else [])]
    if not states:
        return UNDECIDED
    return " + ".join(states) + (_UNSTABLE if not all(stable) and not chaos else "")


def static_region_name(theory: CompiledTheory, parameters: Mapping[str, float]) -> str:
    """The region's name from constant states alone: nothing is said, or computed, of chaos."""
    survey = Survey(LinearTheory(theory, parameters))
    stable = _stable(survey)
    if stable is None:
        return UNDECIDED
    states = _resting(survey, stable) or [NO_CONSTANT_STATE]
    return " + ".join(states) + ("" if all(stable) else _UNSTABLE)


def _stable(survey: Survey) -> list[bool] | None:
    """Which constant states other than rest are stable; None where that could not be computed."""
    if survey.linear.slowest_rate <= 0:
        return None
    try:
        return [is_stable(survey.linear, p.variances, p.means) for p in survey.fixed_points]
    except (AverageBudgetError, ArithmeticError):
        return None


def _resting(survey: Survey, stable: list[bool]) -> list[str]:
    """Stable constant states by name."""
    states = ["rest"] if survey.rest_is_stable else []
    if settled := sum(stable):
        states.append("fixed point" if settled == 1 else f"{settled} fixed points")
    return states
