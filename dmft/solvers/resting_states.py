r"""Rest and constant states where gates move: a gate that multiplies nothing shifts nothing.

In a state that is constant in time the gated bracket vanishes, A(y) x + B(y) xi = 0 for every value y of
the gates, wherever the theory of constant states does not depend on them (`derivations.statics` says where
it does: an input beside a gate). So these states, and V, whose sign against one tells their stability
(growth zero, THEORY section 6), are those of the theory with the gates at rest. The spectrum is not: at rest
y = 0 and delta y multiplies zero, so that its edge is known; in another state the gates are frozen at values
without lower bound, relaxation rates reach down to zero, and no exponent is given.

Rest alone. Given the gates, a single gated field is an average of its current with positive weights of sum
one, so that its variance K never exceeds S(0). If E f^2 falls with the variance for no function f, then
S(0) <= F(S(0)), F that of the static equations with the peak gains of the steady filters. Where these have
no solution but zero, nothing but rest is stationary.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property, partial

import numpy as np

from dmft.codegen.conditional import CompiledConditional
from dmft.codegen.theory import CompiledTheory
from dmft.gaussian.pair_average import AverageBudgetError
from dmft.gaussian.square_moments import square_moments

from .branches import Survey
from .linear_theory import LinearTheory
from .stationary import state_at_rest
from .stationary_solution import StationarySolution
from .status import Status

__all__ = ["RestingStates"]

#: Variances at which E f^2 is compared, relative to the largest that the equations allow.
_SHARES = np.geomspace(1e-6, 1.0, 49)


@dataclass(frozen=True)
class RestingStates:
    """The states at rest of a theory whose gates move; ``theory`` is that of Gaussian fields."""

    theory: CompiledTheory
    moving: CompiledConditional
    parameters: Mapping[str, float]

    @cached_property
    def _survey(self) -> Survey:
        return Survey(LinearTheory(self.theory, self.parameters))

    @property
    def uncovered(self) -> str:
        """Why there is no theory of constant states here; empty when there is one."""
        if "statics" not in self.theory.conditions:
            return "the theory of constant states is not built"
        unmet = self.theory.unmet("statics", self.parameters)
        return unmet[0].reason if unmet else ""

    @cached_property
    def names(self) -> tuple[str, ...]:
        """Names of rest and of the constant states, stable ones first."""
        try:
            return () if self.uncovered else self._survey.at_rest
        except AverageBudgetError:
            return ("zero",) if self._survey.has_rest else ()

    @cached_property
    def stable(self) -> str:
        """The stable one that is preferred, a constant state before rest; empty when there is none."""
        known = () if self.uncovered else self._survey.stable_at_rest
        return next(iter(known), "")

    @cached_property
    def rest_is_all(self) -> bool:
        """Whether rest is proved to be the only stationary state: see above."""
        if self.names != ("zero",) or not self._survey.rest_is_stable:
            return False
        linear = self._survey.linear
        if len(self.moving.block) > 1 or not linear.is_symmetric or linear.responding:
            return False
        bound = linear.static_curve(linear.peak_gain)
        try:
            return not bound.crossings() and self._averages_grow(linear)
        except AverageBudgetError:
            return False

    def _averages_grow(self, linear: LinearTheory) -> bool:
        """Whether E f^2 of no function falls with the variance, up to the largest that can occur."""
        functions = {f for output in self.theory.outputs for f in output.factors}
        x = np.concatenate([-np.geomspace(1e-3, 1e6, 60), np.geomspace(1e-3, 1e6, 60)])
        at = {f: partial(self.theory.functions[f].at, p=self.parameters) for f in functions}
        largest = {f: float(np.max(np.asarray(at[f](x)[0]) ** 2)) for f in functions}
        outputs = [np.prod([largest[f] for f in o.factors]) for o in self.theory.outputs]
        most = float(np.max(linear.peak_gain @ (linear.strength * outputs)))
        for f in functions:
            squares = square_moments(at[f], most * _SHARES).square
            if np.any(np.diff(squares) < -1e-12 * np.max(squares)):
                return False
        return True

    def solve(self, branch: str, tol: float, lyapunov: bool) -> StationarySolution:
        """Rest, or one of the constant states, by name."""
        if self.uncovered:
            return StationarySolution(branch, Status.NO_SOLUTION, self.uncovered)
        wanted = lyapunov and branch == "zero"
        found = state_at_rest(self._survey, branch, tol, wanted)
        if branch == "zero" or found.covariance is None:
            return found
        remark = "no Lyapunov exponent: frozen gates leave relaxation rates down to zero"
        return replace(found, message="; ".join(filter(None, [found.message, remark])))
