"""A transient for people: one line, rows of a table, HTML for notebooks."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from ..protocol import Change, Pulse, Ramp, Step
from .display import _digits, _table, settings
from .symbols import number

if TYPE_CHECKING:
    from .transient import Transient

__all__ = ["change_text", "transient_head", "transient_html", "transient_line", "transient_rows"]

#: Rows of a printed table.
_ROWS = 12
#: Departure of the kurtosis from 3 that is worth a column.
_NOT_GAUSSIAN = 0.5


def change_text(change: Change) -> str:
    """As it is typed on the command line.

    >>> change_text(Pulse("input_h", 10, 12, 1.0))
    '--pulse input_h=1@10:12'
    """
    kind = {Step: "step", Ramp: "ramp", Pulse: "pulse"}[type(change)]
    start, end = change.span
    when = number(start) if isinstance(change, Step) else f"{number(start)}:{number(end)}"
    return f"--{kind} {change.parameter}={number(change.value)}@{when}"


def transient_line(transient: Transient) -> str:
    """A transient in one line."""
    changes = " ".join(change_text(change) for change in transient.changes)
    size = transient.time.size
    reached = f"{size} times to {number(float(transient.time[-1]))}" if size else "no times"
    return " ".join(
        f"{transient.model} {settings(transient.parameters.items())} {changes}: {transient.status}, "
        f"{reached}".split()
    )


def transient_head(transient: Transient) -> tuple[str, ...]:
    """Names of the columns of `transient_rows`."""
    own = (text for name in transient.fields for text in (f"C_{name}(t,t)", "error"))
    return ("t", *own, *(f"kurt_{name}" for name in _not_gaussian(transient)))


def _not_gaussian(transient: Transient) -> list[str]:
    """Fields that are clearly not Gaussian at some time."""
    return [k for k, v in transient.kurtosis.items() if np.any(abs(v - 3) > _NOT_GAUSSIAN)]


def transient_rows(transient: Transient) -> list[tuple[str, ...]]:
    """Second moments, and kurtosis that is not 3, at about evenly spaced times."""
    if not transient.time.size:
        return []
    wished = np.linspace(0, transient.time[-1], _ROWS)
    told = _not_gaussian(transient)
    rows = []
    for n in np.unique(np.searchsorted(transient.time, wished)).tolist():
        row = [f"{transient.time[n]:.4g}"]
        for name in transient.fields:
            row += [
                _digits(float(transient.variance(name)[n]), 5),
                _rough(float(transient.variance_error(name)[n])),
            ]
        rows.append((*row, *(_digits(float(transient.kurtosis[k][n]), 3) for k in told)))
    return rows


def transient_html(transient: Transient) -> str:
    """A compact table for notebooks; every text escaped."""
    caption = transient_line(transient)
    if transient.message:
        caption += f" ({transient.message})"
    head: Sequence[str] = transient_head(transient)
    return _table(caption, head, transient_rows(transient))


def _rough(value: float) -> str:
    """An error in one digit."""
    return "-" if value != value else f"{value:.0e}"
