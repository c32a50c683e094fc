"""Starts and changes of parameters as they are typed: ``NAME=0.01``, ``NAME=8@10``, ``NAME=1@10:12``."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from ..errors import InputError, quoted
from ..parameters import parse_number
from ..protocol import Change, Pulse, Ramp, Step

if TYPE_CHECKING:
    from ..solvers.two_time_start import FieldStart

__all__ = ["parse_changes", "parse_starts"]


def parse_starts(texts: Sequence[str]) -> dict[str, FieldStart]:
    """Field -> start from ``FIELD=VARIANCE[:MEAN[:DISTRIBUTION]]``.

    >>> parse_starts(["h=0.5:1"])
    {'h': FieldStart(variance=0.5, mean=1.0, distribution='gaussian')}
    """
    from ..solvers.two_time_start import FieldStart

    found: dict[str, FieldStart] = {}
    for text in texts:
        name, value = _named(text, "--start", "NAME=0.01")
        parts = value.split(":")
        if len(parts) > 3:
            raise InputError(f"--start: {quoted(text)} has too many parts; write --start NAME=0.01")
        if name in found:
            raise InputError(f"--start: {name} is given twice; give each field once")
        variance, mean, *_ = (parse_number(p, f"--start {name}") for p in [*parts[:2], "0"])
        distribution: Any = parts[2] if len(parts) == 3 else "gaussian"  # checked by `FieldStart`
        found[name] = FieldStart(variance, mean, distribution)
    return found


def parse_changes(
    steps: Sequence[str], ramps: Sequence[str], pulses: Sequence[str]
) -> tuple[Change, ...]:
    """Changes from ``NAME=VALUE@TIME``, ``NAME=[FROM:]TO@START:END`` and ``NAME=VALUE@START:END``.

    A ramp with FROM jumps there first.

    >>> parse_changes(["g=2@1"], ["g=0:3@4:5"], [])
    (Step(parameter='g', time=1.0, value=2.0), Step(parameter='g', time=4.0, value=0.0), \
Ramp(parameter='g', start=4.0, end=5.0, value=3.0))
    """
    found: list[Change] = []
    for text in steps:
        name, (value,), (time,) = _change(text, "--step", "NAME=8@10", 1, 1)
        found.append(Step(name, time, value))
    for text in ramps:
        name, values, (start, end) = _change(text, "--ramp", "NAME=0:-3@10:20", 2, 2)
        if len(values) == 2:
            found.append(Step(name, start, values[0]))
        found.append(Ramp(name, start, end, values[-1]))
    for text in pulses:
        name, (value,), (start, end) = _change(text, "--pulse", "NAME=1@10:12", 1, 2)
        found.append(Pulse(name, start, end, value))
    return tuple(found)


def _change(
    text: str, option: str, example: str, values: int, times: int
) -> tuple[str, list[float], list[float]]:
    """Name, at most so many values, and so many times."""
    name, rest = _named(text, option, example)
    value, at, when = rest.partition("@")
    levels, moments = value.split(":"), when.split(":")
    if not at or not 1 <= len(levels) <= values or len(moments) != times:
        raise InputError(f"{option}: {quoted(text)} is no change; write {option} {example}")
    return (
        name,
        [parse_number(part, f"{option} {name}") for part in levels],
        [parse_number(part, f"{option} {name}: time", "a time >= 0") for part in moments],
    )


def _named(text: str, option: str, example: str) -> tuple[str, str]:
    name, equals, rest = text.partition("=")
    if not equals or not name.isidentifier() or not name.isascii():
        raise InputError(f"{option}: {quoted(text)} has no name; write {option} {example}")
    return name, rest
