r"""Whether a network has forgotten its start: C(T, T) after a narrow and a wide one.

The two-time equations (THEORY, section 9) from Gaussian starts of variance 0.01 and 1 of the gated fields,
all other fields at zero, are followed for a waiting time T. Values of C(T, T) of the first gated field
that differ by more than four combined errors (sampling, step and bias) depend on the start. The stationary
equations cannot tell: both starts end in one solution, however long a network would take to reach it.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from dmft.codegen.two_time import TwoTimeTheory

from .path_blocks import Stopped
from .status import Status
from .two_time_solution import solve_transient

__all__ = ["NARROW", "WIDE", "Histories", "two_histories"]

#: Variances of the two starts.
NARROW, WIDE = 0.01, 1.0
#: Enough for errors of one to three per cent.
_PATHS, _POPULATIONS, _PRECISION = 256, 8, 0.05
#: Combined errors by which the values may differ.
_FACTOR = 4.0


@dataclass(frozen=True)
class Histories:
    """C(T, T) of ``field`` with its error after the waiting time, from each start."""

    field: str
    waiting_time: float
    narrow: float
    narrow_error: float
    wide: float
    wide_error: float

    @property
    def differ(self) -> bool:
        """Whether the start is remembered."""
        allowed = _FACTOR * float(np.hypot(self.narrow_error, self.wide_error))
        return bool(abs(self.wide - self.narrow) > allowed)

    @property
    def text(self) -> str:
        """One clause for a message."""
        return (
            f"{self.waiting_time:g} leak times after starts of variance {NARROW:g} and {WIDE:g} "
            f"C_{self.field}(0) is {self.narrow:.4g} +- {self.narrow_error:.1g} and "
            f"{self.wide:.4g} +- {self.wide_error:.1g}"
        )

    def as_numbers(self) -> dict[str, float]:
        """By name, as results carry them."""
        return {
            "waiting_time": self.waiting_time,
            "narrow": self.narrow,
            "narrow_error": self.narrow_error,
            "wide": self.wide,
            "wide_error": self.wide_error,
        }


def two_histories(
    theory: TwoTimeTheory,
    parameters: Mapping[str, float],
    gated: tuple[int, ...],
    waiting_time: float,
    *,
    seed: int = 0,
    workers: int = 1,
    time_limit: float | None = None,
    checkpoint: Path | None = None,
) -> Histories | None:
    """Follow both starts of the ``gated`` fields (positions); None where one failed.

    ``time_limit`` and ``checkpoint`` are those of `solve_transient`; raises `Stopped` where it was.
    """
    deadline = None if time_limit is None else time.time() + time_limit
    fields = theory.info.fields
    name = fields[gated[0]]
    ends = []
    for variance in (NARROW, WIDE):
        found = solve_transient(
            theory,
            parameters,
            start={fields[k]: variance for k in gated},
            until=waiting_time,
            paths=_PATHS,
            populations=_POPULATIONS,
            precision=_PRECISION,
            seed=seed,
            workers=workers,
            time_limit=None if deadline is None else max(deadline - time.time(), 0.0),
            checkpoint=None if checkpoint is None else checkpoint / f"variance-{variance:g}",
        )
        if found.status is Status.INTERRUPTED:
            raise Stopped(found.message)
        if found.status not in (Status.CONVERGED, Status.NOT_CONVERGED):
            return None
        value, error = float(found.moments[name][-1, -1]), float(found.error[name][-1, -1])
        if not (np.isfinite(value) and np.isfinite(error)):
            return None
        ends += [value, error]
    return Histories(name, waiting_time, *ends)
