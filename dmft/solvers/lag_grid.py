r"""Even functions of the lag on [0, T] as cosine series.

Values at tau_j = j T / n, j = 0..n, and coefficients of cos(pi k tau / T), k = 0..n, are related by
the discrete cosine transform of type I. A covariance without white noise is smooth and even at 0;
where it has decayed at T it is so there too, and the coefficients fall faster than any power: the
discretisation is spectral. A linear filter multiplies the coefficients by its power gain.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray
from scipy import fft

__all__ = ["LagGrid", "evaluate_series"]

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class LagGrid:
    """The window ``length`` T and the number of intervals n. The last axis of arrays is the lag."""

    length: float
    intervals: int

    @cached_property
    def lags(self) -> Floats:
        """tau_j, shape (n + 1,)."""
        return np.asarray(np.linspace(0.0, self.length, self.intervals + 1), dtype=np.float64)

    @cached_property
    def frequencies(self) -> Floats:
        """omega_k = pi k / T, shape (n + 1,)."""
        return np.asarray(np.pi * np.arange(self.intervals + 1) / self.length, dtype=np.float64)

    def coefficients(self, values: Floats) -> Floats:
        """Cosine coefficients a_k, so that f(tau) = sum_k a_k cos(omega_k tau)."""
        a: Floats = fft.dct(values, type=1, axis=-1) / self.intervals
        a[..., 0] /= 2
        a[..., -1] /= 2
        return a

    def values(self, coefficients: Floats) -> Floats:
        """Values at the lags of the grid."""
        doubled = coefficients / 2
        doubled[..., 0] *= 2
        doubled[..., -1] *= 2
        result: Floats = fft.dct(doubled, type=1, axis=-1)
        return result

    def resample(self, values: Floats, grid: LagGrid) -> Floats:
        """The same functions on another grid; beyond this window they decay exponentially.

        The rate is that of the envelope before the last tenth of the window.
        """
        a = self.coefficients(values)
        if grid.length == self.length:
            keep = min(self.intervals, grid.intervals)
            b = np.zeros((*values.shape[:-1], grid.intervals + 1))
            b[..., : keep + 1] = a[..., : keep + 1]
            return grid.values(b)
        inside = evaluate_series(a, self.length, np.minimum(grid.lags, self.length))
        beyond = np.maximum(grid.lags - self.length, 0.0)
        envelope = _envelope(values)
        early = envelope[..., int(0.8 * self.intervals)]
        late = envelope[..., int(0.9 * self.intervals)]
        with np.errstate(divide="ignore", invalid="ignore"):
            rate = np.log(early / late) / (0.1 * self.length)
        rate = np.where(np.isfinite(rate) & (rate > 0), rate, 10 / self.length)
        return inside * np.exp(-rate[..., None] * beyond)

    def tail(self, values: Floats) -> tuple[Floats, Floats]:
        """What is left at the end of the window, and its rate of decay, one of each per function.

        Where a function oscillates, its value at the end may be a zero: there the envelope before
        the last tenth, carried on to the end, counts if it is larger. Rates are positive.
        """
        envelope = _envelope(values)
        marks = [int(share * self.intervals) for share in (0.6, 0.75, 0.9)]
        before, middle, late = (envelope[..., mark] for mark in marks)
        with np.errstate(divide="ignore", invalid="ignore"):
            carried = late * (late / before) ** (1 / 3)
            carried = np.where((self.peak(values) > 0) & (before > 0), carried, 0.0)
            size = np.maximum(abs(values[..., -1]), carried)
            rate = np.log(np.fmax(middle / size, 1.05)) / (0.25 * self.length)
        return size, rate

    def peak(self, values: Floats) -> Floats:
        """The strongest frequency of the spectrum, one per function; zero means no oscillation."""
        power = self.coefficients(values)
        power[..., 0] *= 2  # the series holds half of the spectrum's value there
        return np.asarray(self.frequencies[np.argmax(power, axis=-1)])

    def unresolved(self, values: Floats) -> float:
        """Size of the last tenth of the coefficients over the largest: the resolution error."""
        a = abs(self.coefficients(values))
        last = max(self.intervals // 10, 2)
        return float(np.max(a[..., -last:]) / np.max(a))


def _envelope(values: Floats) -> Floats:
    """The largest absolute value from each lag on: that of a monotone function is itself."""
    result: Floats = np.maximum.accumulate(abs(values)[..., ::-1], axis=-1)[..., ::-1]
    return result


def evaluate_series(coefficients: Floats, length: float, lags: Floats) -> Floats:
    """sum_k a_k cos(pi k tau / T) at any lags; shape (..., len(lags))."""
    lags = np.asarray(lags, dtype=float)
    pieces = [
        coefficients @ np.cos(np.outer(np.pi * np.arange(coefficients.shape[-1]) / length, part))
        for part in np.array_split(lags, max(1, lags.size // 512))
    ]
    return np.concatenate(pieces, axis=-1)
