"""Parameters as functions of time: steps, ramps and pulses of named parameters.

A protocol belongs to a run, of a network or of the two-time equations, not to a declaration. It is
piecewise linear, continuous from the right, and tells where it bends or jumps, so that an integrator
can land there: between two breakpoints it is linear.
"""

from __future__ import annotations

import math
from bisect import bisect_left, bisect_right
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING

from .errors import InputError, did_you_mean, quoted

if TYPE_CHECKING:
    from .codegen.info import ModelInfo

__all__ = ["Change", "Protocol", "Pulse", "Ramp", "Step"]


@dataclass(frozen=True)
class Step:
    """From ``time`` on the parameter has the new ``value``."""

    parameter: str
    time: float
    value: float

    @property
    def span(self) -> tuple[float, float]:
        """First and last moment of the change."""
        return self.time, self.time


@dataclass(frozen=True)
class Ramp:
    """From ``start`` to ``end`` the parameter goes in a straight line to ``value`` and stays there."""

    parameter: str
    start: float
    end: float
    value: float

    @property
    def span(self) -> tuple[float, float]:
        """First and last moment of the change."""
        return self.start, self.end


@dataclass(frozen=True)
class Pulse:
    """From ``start`` up to ``end`` the parameter has the ``value``, then its former one again."""

    parameter: str
    start: float
    end: float
    value: float

    @property
    def span(self) -> tuple[float, float]:
        """First and last moment of the change."""
        return self.start, self.end


Change = Step | Ramp | Pulse


@dataclass(frozen=True)
class _Knot:
    """A moment with the values just before it and from it on."""

    time: float
    before: float
    after: float


@dataclass(frozen=True)
class Protocol:
    """All parameters at time 0, and what changes afterwards. Times in leak times, from 0 on.

    Changes of one parameter may touch but not overlap; their order in the list does not matter, unless
    they happen at the same moment. Raises `InputError` otherwise, and for numbers that are not finite.

    >>> protocol = Protocol({"a": 1.0, "b": 0.0}, (Ramp("a", 10, 20, 3.0), Pulse("b", 15, 16, 1.0)))
    >>> protocol.at(15), protocol.before(15)
    ({'a': 2.0, 'b': 1.0}, {'a': 2.0, 'b': 0.0})
    >>> protocol.breakpoints
    (10.0, 15.0, 16.0, 20.0)
    """

    initial: Mapping[str, float]
    changes: tuple[Change, ...] = ()

    def __post_init__(self) -> None:
        object.__setattr__(self, "initial", {k: float(v) for k, v in self.initial.items()})
        object.__setattr__(self, "changes", tuple(self.changes))
        for change in self.changes:
            if change.parameter not in self.initial:
                raise InputError(
                    f"{quoted(change.parameter)} changes but has no initial value"
                    f"{did_you_mean(change.parameter, self.initial)}; "
                    f"parameters: {', '.join(self.initial)}"
                )
            start, end = change.span
            if not all(map(math.isfinite, (start, end, change.value))) or start < 0:
                raise InputError(
                    f"{change}: times must be finite and >= 0, the value a finite number"
                )
            if not isinstance(change, Step) and not start < end:
                raise InputError(f"{change}: it must end after its start; a jump is a Step")
        _ = self._knots  # overlaps are found here, not at the first use

    @cached_property
    def _knots(self) -> dict[str, list[_Knot]]:
        """Parameter -> its bends and jumps in order of time; parameters that rest are absent."""
        knots: dict[str, list[_Knot]] = {}
        free: dict[str, float] = {}
        for change in sorted(self.changes, key=lambda c: c.span):
            name = change.parameter
            start, end = (float(time) for time in change.span)
            if start < free.get(name, 0.0):
                raise InputError(
                    f"{change}: {name} is still changing until {free[name]:g}; changes of one "
                    "parameter must follow each other"
                )
            free[name] = end
            own = knots.setdefault(name, [])
            old, new = own[-1].after if own else self.initial[name], float(change.value)
            match change:
                case Step():
                    own.append(_Knot(start, old, new))
                case Ramp():
                    own += [_Knot(start, old, old), _Knot(end, new, new)]
                case Pulse():
                    own += [_Knot(start, old, new), _Knot(end, new, old)]
        return knots

    @cached_property
    def breakpoints(self) -> tuple[float, ...]:
        """The moments where a parameter jumps or its slope changes, increasing."""
        return tuple(sorted({knot.time for own in self._knots.values() for knot in own}))

    def at(self, time: float) -> dict[str, float]:
        """All parameters at ``time``; at a jump, those after it."""
        return self._values(time, bisect_right)

    def before(self, time: float) -> dict[str, float]:
        """The limit of all parameters from earlier times: at a jump, those before it."""
        return self._values(time, bisect_left)

    def _values(self, time: float, passed: Callable[..., int]) -> dict[str, float]:
        values = dict(self.initial)
        for name, own in self._knots.items():
            count = passed(own, time, key=lambda knot: knot.time)
            values[name] = _between(own, count, time)
        return values

    def complete(self, info: ModelInfo) -> Protocol:
        """With the model's defaults filled in. Raises `InputError` where it leaves a domain.

        Domains are intervals, so that the end of every change decides for the way there as well.
        """
        from .parameters import check_parameters

        initial = check_parameters(info, self.initial)
        for change in self.changes:
            check_parameters(info, {**initial, change.parameter: change.value})
        return replace(self, initial=initial)


def _between(knots: list[_Knot], passed: int, time: float) -> float:
    """The value at ``time`` when the first ``passed`` of the knots are behind."""
    if passed == 0:
        return knots[0].before
    last = knots[passed - 1]
    if passed == len(knots):
        return last.after
    coming = knots[passed]
    share = (time - last.time) / (coming.time - last.time)
    return last.after + share * (coming.before - last.after)
