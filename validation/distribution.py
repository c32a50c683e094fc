"""How one unit's activity is distributed: moments and a histogram, over units, starts and time."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from .compare import Estimate, over_networks
from .network import Array
from .observe import Signals

MOMENTS = ("mean", "variance", "skewness", "kurtosis")


@dataclass(frozen=True, slots=True)
class OnePointMoments:
    """Of all values that one signal of one network took.

    ``skewness`` = m_3 / m_2^(3/2), ``kurtosis`` = m_4 / m_2^2 with central moments m_k: 0 and 3 for a
    Gaussian; NaN for a constant. ``count`` values, correlated in time and across units: no error bar
    from one network.
    """

    mean: float
    variance: float
    skewness: float
    kurtosis: float
    count: int


class RunningMoments:
    """Mean and central moment sums M_k = sum (x - mean)^k to k = 4, float64, batch by batch.

    Batches are merged exactly (Pebay, Sandia report SAND2008-6212 (2008), eqs. 2.1-2.3), so that a
    large mean costs no digits: sums of raw powers would.
    """

    def __init__(self) -> None:
        self.count = 0
        self.mean = 0.0
        self.m2 = self.m3 = self.m4 = 0.0

    def add(self, values: ArrayLike) -> None:
        """Take one batch."""
        x = np.asarray(values, dtype=np.float64).ravel()
        if x.size == 0:
            return
        nb, mb = x.size, float(x.mean())
        d = x - mb
        square = d * d
        b2, b3, b4 = float(square.sum()), float(square @ d), float(square @ square)
        na, n = self.count, self.count + nb
        delta = mb - self.mean
        shift = delta / n
        self.m4 += (
            b4
            + delta * shift**3 * na * nb * (na * na - na * nb + nb * nb)
            + 6 * shift**2 * (na * na * b2 + nb * nb * self.m2)
            + 4 * shift * (na * b3 - nb * self.m3)
        )
        self.m3 += (
            b3 + delta * shift**2 * na * nb * (na - nb) + 3 * shift * (na * b2 - nb * self.m2)
        )
        self.m2 += b2 + delta * shift * na * nb
        self.mean += shift * nb
        self.count = n

    def moments(self) -> OnePointMoments:
        """Of everything so far."""
        if self.count == 0:
            nan = float("nan")
            return OnePointMoments(nan, nan, nan, nan, 0)
        variance = self.m2 / self.count
        skewness = kurtosis = float("nan")
        if variance > 0:
            skewness = self.m3 / self.count / variance**1.5
            kurtosis = self.m4 / self.count / variance**2
        return OnePointMoments(self.mean, variance, skewness, kurtosis, self.count)


@dataclass(frozen=True, slots=True, eq=False)
class Histogram:
    """Density in the bins between ``edges``; the shares of values ``below`` and ``above`` them all."""

    edges: NDArray[np.float64]
    density: NDArray[np.float64]
    below: float
    above: float


@dataclass(frozen=True, slots=True, eq=False)
class Distributions:
    """Name -> moments, and name -> histogram where edges were given."""

    moments: Mapping[str, OnePointMoments]
    histograms: Mapping[str, Histogram]


class Distribution:
    """Observer of one-point distributions: ``edges`` maps names to the edges of their bins.

    ``names``: whose moments, all by default. The edges are fixed beforehand, so that networks can be
    averaged and nothing has to be kept.
    """

    def __init__(
        self,
        names: Sequence[str] | None = None,
        edges: Mapping[str, ArrayLike] | None = None,
    ) -> None:
        self._names = None if names is None else tuple(names)
        self._edges = {k: np.asarray(v, dtype=np.float64) for k, v in (edges or {}).items()}
        for name, e in self._edges.items():
            if e.ndim != 1 or e.size < 2 or not (np.diff(e) > 0).all():
                raise ValueError(f"edges of {name}: at least two increasing numbers are allowed")
        self._moments: dict[str, RunningMoments] = {}
        # One count below all edges, one per bin, one above.
        self._counts = {k: np.zeros(e.size + 1, np.int64) for k, e in self._edges.items()}

    def add(self, signals: Signals) -> None:
        """Take the next sample."""
        for name in self._names or signals:
            self._moments.setdefault(name, RunningMoments()).add(signals[name])
        for name, edges in self._edges.items():
            self._counts[name] += binned(signals[name], edges)

    def result(self) -> Distributions:
        """All distributions so far."""
        return Distributions(
            moments={name: m.moments() for name, m in self._moments.items()},
            histograms={k: _histogram(e, self._counts[k]) for k, e in self._edges.items()},
        )


def binned(values: Array, edges: Array) -> NDArray[np.int64]:
    """Counts below ``edges[0]``, in every bin [a, b), and from ``edges[-1]`` on.

    >>> binned(np.array([-1.0, 0.0, 0.5, 1.0, 7.0]), np.array([0.0, 1.0])).tolist()
    [1, 2, 2]
    """
    place = np.searchsorted(edges, values.ravel(), side="right")
    return np.bincount(place, minlength=edges.size + 1).astype(np.int64)


def _histogram(edges: NDArray[np.float64], counts: NDArray[np.int64]) -> Histogram:
    total = max(1, int(counts.sum()))
    density = counts[1:-1] / (total * np.diff(edges))
    return Histogram(edges, density, float(counts[0] / total), float(counts[-1] / total))


def mean_moments(moments: Sequence[OnePointMoments]) -> dict[str, Estimate]:
    """Each of `MOMENTS` over networks of one size, with standard errors.

    Ratios of moments of one network are off by O(1/N) on average; extrapolate them in 1/N.
    """
    return {name: over_networks([getattr(m, name) for m in moments]) for name in MOMENTS}
