r"""Pair averages of steep functions at correlation near one, by Gaussian smoothing.

Where gain times standard deviation is large the Hermite series converges slowly, but only near
rho = 1. There two values of covariance C = rho D > 0 are x = u + v, y = u + v' with var u = C and
var v = var v' = D - C small, so that with the smoothed function (f * N_s)(u) = E f(u + s v)

    F(D, C) = E_u [ (f * N_s)(u)^2 ],  dF/dC = E_u [ (f' * N_s)(u)^2 ],
    dF/dD = E_u [ (f'' * N_s)(u) (f * N_s)(u) ] = E_u [ u (f' * N_s)(u) (f * N_s)(u) ] / C - dF/dC,

s^2 = D - C (Price's theorem; by parts). Smoothing is a product in Fourier space on a uniform grid that
resolves f; a smooth window, equal to one wherever the Gaussian weight matters, makes f periodic. For
rho < 0, y is replaced by -y. What is smoothed by s has no wave numbers far beyond 1/s: it is summed on
as coarse a grid as that allows. In log(1 + a^2 (1 - rho)), a the gain times standard deviation, all
three are smooth: many correlations are interpolated from a few by Chebyshev polynomials, if the last
coefficients vanish.
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
#: From how many correlations many are interpolated: nested, until the last coefficients are small.
_NODES = (17, 33, 65, 129)
#: Small is this, or a share of the tolerance; derivatives have more rounding error, and less is asked.
_ENOUGH, _SHARE, _OF_DERIVATIVES = 1e-14, 0.01, 100.0
#: Where exp(-x^2/2) is below 1e-20, and where it is below 1e-17.
_REACH, _WEIGHT_REACH = 9.6, 8.9
#: Grids are coarsened by powers of this.
_COARSENING = 1.5
#: The trapezoid rule's error exp(-pi^2 / (a h)) at an adequate step is about exp(-_DIGITS).
_DIGITS = 34.0


@dataclass(frozen=True)
class SmoothedPair:
    """F, dF/dC, dF/dD of ``function`` at ``variance`` for |rho| > 0.9.

    ``step`` is the grid's, in standard deviations: half of that at which the trapezoid rule for
    E f^2 has converged, because the spectrum of f itself must fit in. ``tol`` is the accuracy asked of F
    where it is interpolated, relative to its largest value.
    """

    function: Callable[[Any], list[Any]]
    variance: float
    step: float
    tol: float = 0.0

    @cached_property
    def _finest(self) -> int:
        """Number of nodes of a period on the grid that resolves f."""
        return 2 * int(fft.next_fast_len(int(_HALF_PERIOD / self.step), real=True))

    @cached_property
    def _spectra(self) -> NDArray[np.complex128]:
        """Fourier series of the windowed f and f' about the beginning of the period."""
        x = _nodes(self._finest)
        window = 0.5 * special.erfc((abs(x) - _EDGE) / _EDGE_WIDTH)
        values = self.function(np.sqrt(self.variance) * x)[:2]
        series = np.stack([fft.rfft(np.asarray(v) * window) for v in values]) / self._finest
        order = np.arange(series.shape[1])
        return np.asarray(series * np.exp(-1j * np.pi * order / self._finest))

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
            if np.count_nonzero(group) <= 1.5 * _NODES[1]:
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

        def values_at(points: Floats) -> Floats:
            at = np.expm1(low + (high - low) * (points + 1) / 2) / steepness**2
            return self._direct(np.where(rho[0] < 0, at - 1, 1 - at))

        enough = max(_ENOUGH, _SHARE * self.tol) * np.array([1.0, *[_OF_DERIVATIVES] * 3])
        values = values_at(np.cos(np.pi * np.arange(_NODES[0]) / (_NODES[0] - 1)))
        for count in _NODES:
            if count != _NODES[0]:
                between = values_at(np.cos(np.pi * np.arange(1, count - 1, 2) / (count - 1)))
                values = _interleaved(values, between)
            a = fft.dct(values, type=1, axis=-1) / (count - 1)
            a[:, [0, -1]] /= 2
            if np.all(np.max(abs(a[:, -4:]), axis=1) <= enough * np.max(abs(a), axis=1)):
                x = 2 * (place - low) / (high - low) - 1
                return np.asarray(np.polynomial.chebyshev.chebval(x, a.T))
        return self._direct(rho)

    def _direct(self, rho: Floats) -> Floats:
        """The same, one by one, on grids that resolve what is left of f."""
        left = np.sqrt(np.maximum(1 - abs(rho), 1e-300))
        highest = _REACH / left
        needed = (2 * highest + _WEIGHT_REACH / np.sqrt(abs(rho))) * _HALF_PERIOD / np.pi
        coarser = np.floor(np.log(np.maximum(self._finest / needed, 1.0)) / np.log(_COARSENING))
        result = np.empty((4, rho.size))
        for power in np.unique(coarser):
            alike = np.flatnonzero(coarser == power)
            count = self._finest
            if power > 0:
                count = 2 * int(
                    fft.next_fast_len(int(count / _COARSENING**power / 2) + 1, real=True)
                )
            for part in np.array_split(alike, max(1, alike.size * count // _CHUNK)):
                if part.size:
                    result[:, part] = self._on_grid(rho[part], min(count, self._finest))
        return result

    def _on_grid(self, rho: Floats, count: int) -> Floats:
        """The same on a grid of ``count`` nodes, all at once."""
        x = _nodes(count)
        spacing = 2 * _HALF_PERIOD / count
        order = np.arange(count // 2 + 1)
        r = abs(rho)[:, None]
        # the series is about the beginning of the period, half a spacing before the first node
        turn = np.exp(1j * np.pi * order / count) * count
        smoothing = np.exp(-0.5 * (1 - r) * (np.pi / _HALF_PERIOD * order) ** 2)
        f, slope = (
            fft.irfft(spectrum[: order.size] * turn * smoothing, n=count, axis=-1)
            for spectrum in self._spectra
        )
        weight = np.exp(-0.5 * x**2 / r) * (spacing / np.sqrt(2 * np.pi * r))
        turned = rho[:, None] < 0
        other_f = weight * np.where(turned, f[:, ::-1], f)
        other_slope = weight * np.where(turned, slope[:, ::-1], slope)
        mixed = slope * other_f
        value, by_c, by_mean = (
            np.sum(part, axis=-1) for part in (f * other_f, slope * other_slope, mixed)
        )
        by_d = mixed @ x / (abs(rho) * np.sqrt(self.variance)) - np.sign(rho) * by_c
        return np.stack([value, by_c, by_d, by_mean])


def _nodes(count: int) -> Floats:
    """Symmetric grid in standard deviations, one period."""
    return np.asarray((np.arange(count) - count / 2 + 0.5) * (2 * _HALF_PERIOD / count))


def _interleaved(even: Floats, odd: Floats) -> Floats:
    """Values at all Chebyshev points from those of half as many and those between."""
    result = np.empty((even.shape[0], even.shape[1] + odd.shape[1]))
    result[:, ::2], result[:, 1::2] = even, odd
    return result
