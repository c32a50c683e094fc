"""What solving the stationary equations on one branch gives, whatever the branch."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from .status import Status

__all__ = ["StationarySolution"]

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class StationarySolution:
    """One solution. ``covariance`` (all fields, lags); None where there is no answer.

    ``covariance`` is the second moment <x(t) x(t + tau)>; ``means`` and ``limits`` (all fields) are
    <x> and the value that it tends to. ``interpolation`` ("cosine" or "spline") suits the lags.
    """

    branch: str
    status: Status
    message: str = ""
    lags: Floats = field(default_factory=lambda: np.empty(0))
    covariance: Floats | None = None
    means: Floats | None = None
    limits: Floats | None = None
    observables: Mapping[str, Floats] = field(default_factory=dict)
    correlation_times: tuple[float | None, ...] = ()
    lyapunov: float | None = None
    residual: float | None = None
    errors: Mapping[str, float | None] = field(default_factory=dict)
    interpolation: str = "cosine"
