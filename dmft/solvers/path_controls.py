r"""Control variates of sampled paths: Hermite polynomials of smoothed gating fields, of mean zero.

    X_dw = (1/T) int dt he_d( (y * N_w)(t) / sd ),      d = 1..D, widths w,

he_d the orthonormal Hermite polynomials, N_w a Gaussian of width w (infinite width leaves the part
that does not change in time and the mean over the period). Their means are exactly zero because y is
Gaussian of known variance, and they carry most of what makes averages along one path differ from
averages over all: regressing on them cuts variances 10 to 100 times where the gate is slow. The wider
the smoothing, the fewer independent values are in the average over time, the longer the tails of high
degrees: they are left out there, because a regression on them underestimates its own error.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from .gate_paths import GatePaths, band, to_circle

__all__ = ["PathControls"]

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class PathControls:
    """``widths`` of the smoothing in time units, and the largest ``degrees`` of each."""

    widths: tuple[float, ...]
    degrees: tuple[int, ...]

    @staticmethod
    def for_time(correlation_time: float) -> PathControls:
        """Widths that suit fields of a correlation time."""
        shares = (0.02, 0.15, 1.0, np.inf)
        return PathControls(tuple(share * correlation_time for share in shares), (6, 6, 4, 2))

    def number(self, gates: int) -> int:
        """How many control variates there are."""
        return gates * sum(self.degrees)

    def of(self, paths: GatePaths) -> Floats:
        """Values for every path, (controls, paths)."""
        spectra = paths.spectra
        omega = spectra.grid.frequencies
        period = 2 * spectra.grid.length
        columns = []
        for k in range(paths.amplitudes.shape[0]):
            power = np.sum(abs(spectra.amplitudes[k]) ** 2, axis=0)
            frozen = float(np.sum(spectra.frozen[k] ** 2))
            for width, degree in zip(self.widths, self.degrees, strict=True):
                kept = 1 if np.isinf(width) else band(period, omega, width)
                smoothing = np.exp(-0.5 * (omega[:kept] * width) ** 2) if kept > 1 else np.ones(1)
                variance = float(np.sum(power[:kept] * smoothing**2)) + frozen
                if kept == 1:
                    values = paths.amplitudes[k, :1].real + paths.frozen[k]
                else:
                    moving = paths.amplitudes[k, :kept] * smoothing[:, None]
                    values = to_circle(moving, 2 * kept) + paths.frozen[k]
                scale = 1 / np.sqrt(variance) if variance > 0 else 0.0
                columns += _hermite_means(values * scale, degree)
        return np.array(columns)


def _hermite_means(u: Floats, degree: int) -> list[Floats]:
    before, now = np.ones_like(u), u
    means = [u.mean(axis=0)]
    for n in range(2, degree + 1):
        before, now = now, (u * now - np.sqrt(n - 1) * before) / np.sqrt(n)
        means.append(now.mean(axis=0))
    return means
