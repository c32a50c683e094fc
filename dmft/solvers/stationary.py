"""Solve the stationary equations on one branch, and say which others exist.

The branches and their names are those of `branches`.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from dmft.codegen.theory import CompiledTheory
from dmft.gaussian.pair_average import AverageBudgetError

from .branches import BRANCHES, Survey, is_branch, position
from .constant_states import constant_state, zero_state
from .decaying_states import decaying_state
from .driven_states import driven_state, quiet_state
from .linear_theory import LinearTheory
from .stationary_solution import StationarySolution
from .status import Status

__all__ = [
    "BRANCHES",
    "METHODS",
    "StationarySolution",
    "is_branch",
    "solve_stationary",
    "state_at_rest",
]

METHODS = ("auto", "dense", "matrix-free")


def solve_stationary(
    theory: CompiledTheory,
    parameters: Mapping[str, float],
    *,
    branch: str = "auto",
    tol: float = 1e-10,
    method: str = "auto",
    lyapunov: bool = True,
) -> tuple[StationarySolution, tuple[str, ...]]:
    """Solve on one branch; also return the names of the other branches that exist.

    ``branch`` is one of `BRANCHES`, ``method`` one of `METHODS`. Never raises for lack of an
    answer: the status of the solution says how it ended.
    """
    survey = Survey(LinearTheory(theory, parameters))
    if survey.linear.slowest_rate <= 0:
        message = "without couplings the fields do not relax (the drift has an eigenvalue >= 0)"
        return StationarySolution(branch, Status.NO_SOLUTION, message), ()
    try:
        existing = survey.existing
        if survey.linear.has_noise:
            undecided = not survey.driven.brackets and not survey.driven.complete
        else:
            undecided = not survey.lasting_chaos and not survey.chaos.complete
        usual = "driven" if survey.linear.has_noise else "fixed-point"
        chosen = branch if branch != "auto" else (existing or (usual,))[0]
        others = tuple(name for name in existing if name != chosen)
        if undecided and branch == "auto":
            message = "whether a chaotic state exists could not be decided"
            if existing:
                message += "; " + _by_name(existing) + " can be asked for by name"
            kind = "driven" if survey.linear.has_noise else "chaotic"
            return StationarySolution(kind, Status.NOT_CONVERGED, message), existing
        if chosen.startswith("driven"):
            return _driven(survey, chosen, tol, lyapunov), others
        if chosen == "zero" or chosen.startswith("fixed-point"):
            return state_at_rest(survey, chosen, tol, lyapunov), others
        return _decaying(survey, chosen, tol, method, lyapunov), others
    except AverageBudgetError as error:
        return StationarySolution(branch, Status.BUDGET_EXCEEDED, str(error)), ()


def _by_name(names: tuple[str, ...]) -> str:
    return " and ".join(f"branch={name!r}" for name in names)


def state_at_rest(survey: Survey, branch: str, tol: float, lyapunov: bool) -> StationarySolution:
    """The zero state or one of the constant ones, by name."""
    if branch == "zero":
        return _zero(survey, lyapunov)
    return _constant(survey, branch, tol, lyapunov)


def _zero(survey: Survey, lyapunov: bool) -> StationarySolution:
    unmet = survey.linear.theory.unmet("zero", survey.linear.parameters)
    if unmet or not survey.has_rest:
        reason = unmet[0].reason if unmet else "outputs or dynamics do not vanish there"
        return StationarySolution("zero", Status.NO_SOLUTION, reason)
    return zero_state(survey.linear, lyapunov)


def _constant(survey: Survey, branch: str, tol: float, lyapunov: bool) -> StationarySolution:
    points = survey.fixed_points
    place = position(branch, "fixed-point", len(points))
    if place is not None:
        curve = survey.static_curve
        return constant_state(survey.linear, curve, points[place], branch, tol, lyapunov)
    message = f"{len(points)} constant solutions exist"
    if survey.linear.has_noise:
        message = "white noise drives the units: no state is constant"
    elif not points:
        lowest = survey.static_curve.lowest_scale()[1]
        message += (
            f"; the couplings' variance would have to be {lowest:.6g} times as large for the first"
        )
    return StationarySolution(branch, Status.NO_SOLUTION, message)


def _driven(survey: Survey, branch: str, tol: float, lyapunov: bool) -> StationarySolution:
    search, names = survey.driven, survey.driven_names
    if branch in names:
        place = names.index(branch)
        if place == len(search.brackets):
            return quiet_state(survey.linear, branch, tol, lyapunov)
        return driven_state(survey.linear, search.brackets[place], branch, tol, lyapunov)
    if not survey.linear.has_noise:
        message = "no white noise drives the units"
    elif not search.complete:
        message = "the curve of driven states could not be followed to its end"
        return StationarySolution(branch, Status.NOT_CONVERGED, message)
    else:
        message = f"{len(names)} states exist"
    return StationarySolution(branch, Status.NO_SOLUTION, message)


def _decaying(
    survey: Survey, branch: str, tol: float, method: str, lyapunov: bool
) -> StationarySolution:
    search = survey.chaos
    place = position(branch, "chaotic", len(search.brackets))
    if place is not None:
        return decaying_state(search.brackets[place], branch, tol, method, lyapunov)
    if survey.linear.has_noise:
        message = "white noise drives the units: its only state is branch='driven'"
        return StationarySolution(branch, Status.NO_SOLUTION, message)
    if not search.complete:
        message = "the curve of decaying solutions could not be followed to its end"
        return StationarySolution(branch, Status.NOT_CONVERGED, message)
    message = f"{len(search.brackets)} decaying solutions exist"
    if np.isfinite(search.lowest):
        message += f"; the smallest coupling scale (variance) on their curve is {search.lowest:.6g}"
    return StationarySolution(branch, Status.NO_SOLUTION, message)
