"""Power spectra of every field and nonlinearity of one network, from overlapping segments."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.fft import rfft

from .ensemble import CurveEstimate, curves_over_networks
from .network import Array
from .observe import Signals

#: Units transformed at once: what a transform needs stays in the cache.
UNITS_AT_ONCE = 256


@dataclass(frozen=True, slots=True, eq=False)
class PowerSpectra:
    r"""Name -> S at the angular frequencies ``frequency`` (radians per leak time, from 0).

    .. math:: S(\omega) = \int d\tau\, C(\tau) e^{-i \omega \tau}, \qquad
              C(0) = \int \frac{d\omega}{2 \pi} S(\omega)

    over negative and positive frequencies. Averages over units, starts and ``segments`` per start;
    NaN without a segment. A constant part of C shows as a peak at 0 as wide as the window.
    """

    frequency: NDArray[np.float64]
    values: Mapping[str, NDArray[np.float64]]
    segments: int


class PowerSpectrum:
    r"""Observer of power spectra (Welch, IEEE Trans. Audio Electroacoust. 15, 70 (1967)).

    Segments of ``segment`` samples that overlap by half, under the Hann window w:

    .. math:: S(\omega) = \frac{\Delta}{\sum_t w_t^2} \Bigl\langle \Bigl| \sum_t w_t x_t
              e^{-i \omega t \Delta} \Bigr|^2 \Bigr\rangle

    with samples ``spacing`` = Delta apart. Its expectation is the spectrum of the sampled process,
    smoothed over 8 pi / (segment Delta): peaks narrower than that come out lower and
    wider, and frequencies above pi / Delta fold back. Memory: one segment of samples.
    """

    def __init__(self, segment: int, spacing: float, names: Sequence[str] | None = None) -> None:
        if segment < 4 or segment % 2:
            raise ValueError("segment: an even number of samples, at least 4, is allowed")
        self._segment, self._spacing = segment, spacing
        self._names = None if names is None else tuple(names)
        self._window = np.sin(np.pi * np.arange(segment) / segment) ** 2
        self._buffers: dict[str, Array] = {}
        self._sums: dict[str, NDArray[np.float64]] = {}
        self._filled = 0
        self._segments = 0

    def add(self, signals: Signals) -> None:
        """Take the next sample."""
        for name in self._names or signals:
            x = signals[name]
            if name not in self._buffers:
                self._buffers[name] = np.zeros((self._segment, x.size), dtype=x.dtype)
            self._buffers[name][self._filled] = x.ravel()
        self._filled += 1
        if self._filled == self._segment:
            self._transform()

    def _transform(self) -> None:
        half = self._segment // 2
        for name, buffer in self._buffers.items():
            total = self._sums.setdefault(name, np.zeros(half + 1))
            for start in range(0, buffer.shape[1], UNITS_AT_ONCE):
                part = buffer[:, start : start + UNITS_AT_ONCE].astype(np.float64)
                wave = rfft(part.T * self._window, axis=1)
                total += np.einsum("uk,uk->k", wave, wave.conj()).real / buffer.shape[1]
            buffer[:half] = buffer[half:]
        self._filled = half
        self._segments += 1

    def result(self) -> PowerSpectra:
        """All spectra so far."""
        scale = self._spacing / float(np.sum(self._window**2))
        count = self._segments or np.nan
        half = self._segment // 2
        return PowerSpectra(
            frequency=np.linspace(0.0, np.pi / self._spacing, half + 1),
            values={
                name: scale * self._sums.get(name, np.zeros(half + 1)) / count
                for name in self._buffers
            },
            segments=self._segments,
        )


def mean_power_spectrum(spectra: Sequence[PowerSpectra], name: str) -> CurveEstimate:
    """One spectrum over networks of one size, with standard errors at every frequency."""
    return curves_over_networks([s.values[name] for s in spectra])
