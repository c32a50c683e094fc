"""Which solutions exist at given parameters, under which names, and which one ``auto`` takes.

Branches: ``zero`` (rest), ``fixed-point`` (constant), ``chaotic`` (decaying to what it would be
without correlation in time); with white noise there is only ``driven``, chaotic or not. Several of a
kind are named by size, <x_1^2> of the first driven field: the largest has the plain name; of two, the
other is ``-lower``; of more, they are ``-2``, ``-3`` ...

``auto`` is the largest driven state where there is noise; else the largest chaotic state if there is
one, else the largest stable constant state, else rest if it is stable, else the largest constant
state. States that a mean activity would leave come last.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from .constant_states import constant_weights, is_stable
from .decay_curves import chaos_with_means
from .decaying import Search, follow
from .decaying_states import loses_to_mean_activity
from .driven_curve import DrivenSearch, driven_states
from .first_decaying_point import first_point, grown_point
from .linear_theory import LinearTheory
from .lyapunov import constant_state_radius
from .statics import Crossing, StaticCurve

__all__ = ["BRANCHES", "Survey", "branch_names", "is_branch", "position"]

BRANCHES = (
    "auto",
    "zero",
    "fixed-point",
    "fixed-point-lower",
    "chaotic",
    "chaotic-lower",
    "driven",
    "driven-lower",
)
_NUMBERED = re.compile(r"(fixed-point|chaotic|driven)-[2-9]")


def is_branch(name: str) -> bool:
    """Whether a branch can have this name: one of `BRANCHES`, or numbered like "fixed-point-3"."""
    return name in BRANCHES or _NUMBERED.fullmatch(name) is not None


def branch_names(kind: str, count: int) -> tuple[str, ...]:
    """Names of ``count`` solutions of a kind, largest first.

    >>> branch_names("chaotic", 2), branch_names("fixed-point", 3)
    (('chaotic', 'chaotic-lower'), ('fixed-point', 'fixed-point-2', 'fixed-point-3'))
    """
    if count == 2:
        return kind, f"{kind}-lower"
    return tuple(kind if i == 0 else f"{kind}-{i + 1}" for i in range(count))


def position(branch: str, kind: str, count: int) -> int | None:
    """Which of ``count`` solutions of a kind a name means; None when there is no such one."""
    names = branch_names(kind, count)
    return names.index(branch) if branch in names else None


@dataclass(frozen=True)
class Survey:
    """Which branches exist at given parameters, found cheaply before any is refined."""

    linear: LinearTheory

    @cached_property
    def static_curve(self) -> StaticCurve:
        """Constant solutions: gain at zero frequency."""
        return self.linear.static_curve(self.linear.response**2)

    @cached_property
    def fixed_points(self) -> list[Crossing]:
        """All constant solutions, largest first; none where white noise lets nothing rest."""
        if self.linear.has_noise:
            return []
        quiet = self.static_curve.quiet
        # beside an input that the outputs do not hear, no activity is a constant state too
        silent = [quiet] if quiet is not None and not self.has_rest else []
        return self.static_curve.crossings() + silent

    @cached_property
    def has_rest(self) -> bool:
        """Whether zero is a state."""
        return not self.linear.theory.unmet("zero", self.linear.parameters) and (
            "zero" in self.linear.theory.conditions
        )

    @cached_property
    def rest_is_stable(self) -> bool:
        """Whether zero is a stable state."""
        nothing = np.zeros(len(self.linear.active))
        return self.has_rest and is_stable(self.linear, nothing, nothing)

    @cached_property
    def scale_at_zero(self) -> float:
        """The coupling scale q at which the zero state loses stability."""
        nothing = np.zeros(len(self.linear.active))
        weights = constant_weights(self.linear, nothing, nothing)
        radius = constant_state_radius(self.linear, weights, 0.0)
        return 1 / radius if radius > 0 else np.inf

    @cached_property
    def chaos(self) -> Search:
        """Crossings of all curves of decaying solutions, largest first."""
        linear = self.linear
        if linear.has_noise:
            return Search((), True, np.inf)
        if not linear.responding:
            return self._chaos_of(linear)
        searches = [self._chaos_of(linear)]
        if self.static_curve.means_may_vanish:
            searches.append(self._chaos_of(linear.without_mean_activity()))
        brackets = [b for search in searches for b in search.brackets]
        return Search(
            tuple(sorted(brackets, key=lambda b: -b.second_moment)),
            all(search.complete for search in searches),
            min(search.lowest for search in searches),
        )

    def _chaos_of(self, linear: LinearTheory) -> Search:
        bound = linear.static_curve(linear.peak_gain)
        if not linear.decays:
            return chaos_with_means(linear, bound)
        crossings = bound.crossings()
        if not crossings:
            return Search((), self.scale_at_zero >= 1, bound.lowest_scale()[1])
        amplitude = float(crossings[0].variances[0])
        # a grown shape settles faster at large amplitudes, from where the curve leads down
        attempts = [(first_point, factor) for factor in (1.0, 1.3, 0.8, 2.0)]
        attempts += [(grown_point, factor) for factor in (1.3, 3.0, 10.0, 50.0)]
        for find, factor in attempts:
            start = find(linear, factor * amplitude)
            if start is not None and start.scale >= 1:
                return follow(
                    linear,
                    start,
                    scale_at_zero=self.scale_at_zero,
                    smallest=1e-3 * amplitude,
                )
        return Search((), False, float("nan"))

    @cached_property
    def driven(self) -> DrivenSearch:
        """States that white noise drives; all states are such where there is noise."""
        if not self.linear.has_noise:
            return DrivenSearch((), False, True)
        return driven_states(self.linear)

    @cached_property
    def driven_names(self) -> tuple[str, ...]:
        """Names of the driven states, largest first; a quiet one is the smallest."""
        return branch_names("driven", len(self.driven.brackets) + self.driven.quiet)

    @cached_property
    def chaotic_names(self) -> tuple[str, ...]:
        """Names of the decaying solutions, largest first."""
        return branch_names("chaotic", len(self.chaos.brackets))

    @cached_property
    def constant_names(self) -> tuple[str, ...]:
        """Names of the constant solutions, largest first."""
        return branch_names("fixed-point", len(self.fixed_points))

    @cached_property
    def lasting_chaos(self) -> tuple[str, ...]:
        """Names of the decaying solutions from which no mean activity grows."""
        named = zip(self.chaotic_names, self.chaos.brackets, strict=True)
        return tuple(name for name, bracket in named if not loses_to_mean_activity(bracket))

    @cached_property
    def stable_at_rest(self) -> tuple[str, ...]:
        """Names of the stable states that are constant in time: fixed points, then zero."""
        named = zip(self.constant_names, self.fixed_points, strict=True)
        stable = [n for n, at in named if is_stable(self.linear, at.variances, at.means)]
        return (*stable, "zero") if self.rest_is_stable else tuple(stable)

    @cached_property
    def at_rest(self) -> tuple[str, ...]:
        """Names of the states that are constant in time, stable ones first."""
        rest = ("zero",) if self.has_rest else ()
        stable = self.stable_at_rest
        return (*stable, *(n for n in (*self.constant_names, *rest) if n not in stable))

    @cached_property
    def existing(self) -> tuple[str, ...]:
        """Names of all branches that exist, in the order of preference of ``auto``."""
        if self.linear.has_noise:
            return self.driven_names
        first = self.lasting_chaos[:1]
        return (*first, *self.at_rest, *(n for n in self.chaotic_names if n not in first))
