"""The largest value over all frequencies of what filters do: one place for onset and leading edge."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize_scalar

__all__ = ["frequency_peak"]

Floats = NDArray[np.float64]


def frequency_peak(function: Callable[[Floats], Floats], drift: Floats) -> float:
    """The maximum of a smooth function of the angular frequency, to rounding error.

    ``drift`` is the matrix of the linear dynamics: its eigenvalues say where to look, their
    imaginary parts where a resonance may be sharp. The place need only be good to 1e-8, because the
    value there depends on it to second order; an absolute tolerance would fail for slow resonances.
    """
    poles = np.linalg.eigvals(drift)
    rates = abs(poles)
    scan = np.geomspace(1e-3 * rates.min(), 1e3 * rates.max(), 241)
    scan = np.unique(np.concatenate([[0.0], scan, abs(poles.imag)]))
    values = function(scan)
    best = int(np.argmax(values))
    if best == 0:
        return float(values[0])
    peak = minimize_scalar(
        lambda w: -float(function(np.array([w]))[0]),
        bounds=(scan[best - 1], scan[min(best + 1, scan.size - 1)]),
        method="bounded",
        options={"xatol": 1e-12 * scan[best]},
    )
    return max(float(values[best]), -float(peak.fun))
