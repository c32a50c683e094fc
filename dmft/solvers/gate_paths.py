r"""Paths of the gating fields: stationary Gaussian processes on a circle, drawn by FFT.

    y_k(t) = mean_k + sum_s G_ks(0) sqrt(V_s) g_s
             + Re sum_n sum_s G_ks(i omega_n) sqrt(a_sn) g_sn e^{i omega_n t},

a_sn the cosine coefficients of the source's covariance on the period T, g_s standard normal and
g_sn = g - i g' with independent standard normals (C. R. Dietrich and G. N. Newsam, SIAM J. Sci.
Comput. 18, 1088 (1997), for the circle). Normals are drawn in order of frequency: the same path on a
finer grid of the same period has the same normals. Paths come in blocks; block number b of seed
s has the generator SeedSequence(s, spawn_key=(b,)), whoever computes it.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import fft

from .lag_grid import LagGrid
from .steady_fields import Sources, SteadyFields

__all__ = ["GatePaths", "PathSpectra", "band", "draw_gates", "to_circle"]

Floats = NDArray[np.float64]
Complex = NDArray[np.complex128]


@dataclass(frozen=True)
class PathSpectra:
    """What the paths of the gating fields are drawn from; the grid covers half a period.

    ``amplitudes`` G_ks sqrt(a_s), (gating fields, driving sources, frequencies); ``frozen`` G_ks(0)
    sqrt(V_s), (gating fields, driving sources); ``means`` (gating fields,).
    """

    grid: LagGrid
    amplitudes: Complex
    frozen: Floats
    means: Floats

    @staticmethod
    def of(fields: SteadyFields, sources: Sources, grid: LagGrid) -> PathSpectra:
        """Prepare the paths of the gating fields of a theory."""
        rows = list(fields.gating)
        transfer = np.moveaxis(fields.transfer(grid.frequencies)[:, rows], 0, -1)
        driving = np.flatnonzero(np.any(transfer != 0, axis=(0, 2)))
        response = transfer[:, driving, 0].real
        return PathSpectra(
            grid=grid,
            amplitudes=transfer[:, driving] * np.sqrt(sources.spectra[driving]),
            frozen=response * np.sqrt(sources.frozen[driving]),
            means=fields.means(sources)[rows],
        )

    @property
    def variances(self) -> Floats:
        """Of the gating fields, (gating fields,)."""
        moving = np.sum(abs(self.amplitudes) ** 2, axis=(1, 2))
        return np.asarray(moving + np.sum(self.frozen**2, axis=1))


@dataclass(frozen=True)
class GatePaths:
    """One block: Fourier ``amplitudes`` of the moving parts and ``frozen`` parts, last axis paths."""

    spectra: PathSpectra
    amplitudes: Complex  # (gating fields, frequencies, paths)
    frozen: Floats  # (gating fields, paths)

    def values(self) -> Floats:
        """The fields at all points of the circle, (gating fields, 2 n, paths)."""
        moving = to_circle(self.amplitudes, 2 * self.spectra.grid.intervals)
        rest = self.frozen + self.spectra.means[:, None]
        return np.asarray(moving + rest[:, None, :])


def to_circle(amplitudes: Complex, points: int) -> Floats:
    """Re sum_n A_n e^{i omega_n t} at equidistant points; second-last axis frequencies, then points."""
    scaled = amplitudes * (points / 2)
    scaled[..., 0, :] *= 2
    if amplitudes.shape[-2] == points // 2 + 1:
        scaled[..., -1, :] *= 2
    return np.asarray(fft.irfft(scaled, n=points, axis=-2))


def draw_gates(spectra: PathSpectra, seed: int, block: int, paths: int) -> GatePaths:
    """Draw a block of paths."""
    rng = np.random.default_rng(np.random.SeedSequence(seed, spawn_key=(block,)))
    gates, sources, frequencies = spectra.amplitudes.shape
    still = rng.standard_normal((sources, paths))
    amplitudes = np.zeros((gates, frequencies, paths), dtype=complex)
    normals = rng.standard_normal((frequencies, sources, 2, paths))
    for s in range(sources):
        wave = normals[:, s, 0] - 1j * normals[:, s, 1]
        # the first and the last frequency have a cosine only
        wave[0], wave[-1] = wave[0].real, wave[-1].real
        for k in range(gates):
            amplitudes[k] += spectra.amplitudes[k, s][:, None] * wave
    amplitudes[:, 0] = amplitudes[:, 0].real
    amplitudes[:, -1] = amplitudes[:, -1].real
    return GatePaths(spectra, amplitudes, spectra.frozen @ still)


def band(period: float, frequencies: Floats, width: float) -> int:
    """How many frequencies a Gaussian smoothing of ``width`` leaves above 1e-8, at least two."""
    highest = np.sqrt(2 * np.log(1e8)) / width
    return int(min(max(2, np.ceil(highest * period / (2 * np.pi)) + 1), len(frequencies)))
