r"""Pair averages of steep functions at correlation near one, by Gaussian smoothing.

Where gain times standard deviation is large the Hermite series converges slowly, but only near
rho = 1. There two values of covariance C = rho D > 0 are x = u + v, y = u + v' with var u = C and
var v = var v' = D - C small, so that with the smoothed function (f * N_s)(u) = E f(u + s v)

    F(D, C) = E_u [ (f * N_s)(u)^2 ],  dF/dC = E_u [ (f' * N_s)(u)^2 ],
    dF/dD = E_u [ (f'' * N_s)(u) (f * N_s)(u) ],      s^2 = D - C

(Price's theorem). Smoothing is a product in Fourier space on a uniform grid that resolves f; a
smooth window, equal to one wherever the Gaussian weight matters, makes f periodic. For rho < 0, y
is replaced by -y. In log(1 + a^2 (1 - rho)), a the gain times standard deviation, all three are smooth:
many correlations are interpolated from a few by Chebyshev polynomials, if the last coefficients vanish.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import fft, special

__all__ = ["SmoothedPair"]

Floats = NDArray[np.float64]

#: In standard deviations: middle and width of the window's edge, and half the period.
_EDGE, _EDGE_WIDTH, _HALF_PERIOD = 12.6, 0.35, 14.7
#: Lags are treated in chunks of about this many numbers.
_CHUNK = 2**19
#: Correlations from which many are interpolated, and when their last coefficients are small enough.
_NODES, _ENOUGH = 65, 1e-14
#: The trapezoid rule's error exp(-pi^2 / (a h)) at an adequate step is about exp(-_DIGITS).
_DIGITS = 34.0


@dataclass(frozen=True)
class SmoothedPair:
    """F, dF/dC, dF/dD of ``function`` at ``variance`` for |rho| > 0.9.

    ``step`` is the grid's, in standard deviations: half of that at which the trapezoid rule for
    E f^2 has converged, because the spectrum of f itself must fit in.
    """

    function: Callable[[Any], list[Any]]
    variance: float
    step: float

    @cached_property
    def _half(self) -> int:
        """Number of nodes in half a period."""
        return int(fft.next_fast_len(int(_HALF_PERIOD / self.step), real=True))

    @property
    def _spacing(self) -> float:
        # not a difference of two nodes, which would lose three digits
        return _HALF_PERIOD / self._half

    @cached_property
    def _nodes(self) -> Floats:
        """Symmetric grid in standard deviations, one period."""
        return np.asarray((np.arange(2 * self._half) - self._half + 0.5) * self._spacing)

    @cached_property
    def _spectra(self) -> NDArray[np.complex128]:
        """Fourier transforms of the windowed f, f', f''."""
        x = self._nodes
        window = 0.5 * special.erfc((abs(x) - _EDGE) / _EDGE_WIDTH)
        values = self.function(np.sqrt(self.variance) * x)[:3]
        return np.stack([fft.rfft(np.asarray(v) * window) for v in values])

    def at(self, rho: Floats) -> tuple[Floats, Floats, Floats]:
        """F, dF/dC at fixed D and dF/dD at fixed C at correlations ``rho``."""
        value, by_c, by_d, _ = self._averages(rho)
        return value, by_c, by_d

    def by_mean(self, rho: Floats) -> Floats:
        """dF/dmu = 2 E f'(x) f(y): both means grow together."""
        return np.asarray(2 * self._averages(rho)[3])

    def _averages(self, rho: Floats) -> Floats:
        """E f(x) f(y), E f'(x) f'(y), E f''(x) f(y) and E f'(x) f(y)."""
        result = np.empty((4, rho.size))
        for group in (rho >= 0, rho < 0):
            if np.count_nonzero(group) <= 1.5 * _NODES:
                result[:, group] = self._direct(rho[group])
            else:
                result[:, group] = self._interpolated(rho[group])
        return result

    def _interpolated(self, rho: Floats) -> Floats:
        """The same for many correlations of one sign."""
        steepness = np.pi**2 / (_DIGITS * 2 * self.step)
        place = np.log1p(steepness**2 * (1 - abs(rho)))
        low, high = float(np.min(place)), float(np.max(place))
        if high - low < 1e-6:
            return self._direct(rho)
        points = np.cos(np.pi * np.arange(_NODES) / (_NODES - 1))
        at = np.expm1(low + (high - low) * (points + 1) / 2) / steepness**2
        values = self._direct(np.where(rho[0] < 0, at - 1, 1 - at))
        a = fft.dct(values, type=1, axis=-1) / (_NODES - 1)
        a[:, [0, -1]] /= 2
        if np.any(np.max(abs(a[:, -4:]), axis=1) > _ENOUGH * np.max(abs(a), axis=1)):
            return self._direct(rho)
        x = 2 * (place - low) / (high - low) - 1
        return np.asarray(np.polynomial.chebyshev.chebval(x, a.T))

    def _direct(self, rho: Floats) -> Floats:
        """The same, one by one."""
        x = self._nodes
        wave = 2 * np.pi * fft.rfftfreq(x.size, d=self._spacing)
        result = np.empty((4, rho.size))
        for part in np.array_split(np.arange(rho.size), max(1, rho.size * x.size // _CHUNK)):
            if not part.size:
                continue
            r = abs(rho[part])[:, None]
            smoothing = np.exp(-0.5 * (1 - r) * wave**2)
            f, slope, curvature = (
                fft.irfft(spectrum * smoothing, n=x.size, axis=-1) for spectrum in self._spectra
            )
            weight = np.exp(-0.5 * x**2 / r) * (self._spacing / np.sqrt(2 * np.pi * r))
            turned = rho[part, None] < 0
            other_f = weight * np.where(turned, f[:, ::-1], f)
            other_slope = weight * np.where(turned, slope[:, ::-1], slope)
            result[0, part] = np.sum(f * other_f, axis=-1)
            result[1, part] = np.sum(slope * other_slope, axis=-1)
            result[2, part] = np.sum(curvature * other_f, axis=-1)
            result[3, part] = np.sum(slope * other_f, axis=-1)
        return result
