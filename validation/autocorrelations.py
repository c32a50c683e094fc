"""Autocorrelations of every field and nonlinearity of one network, at chosen lags."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from .ensemble import CurveEstimate, curves_over_networks
from .estimate import LaggedProducts
from .observe import Signals


@dataclass(frozen=True, slots=True, eq=False)
class AutocorrelationCurves:
    """Name -> <a(t) a(t + tau)> over units, starts and time, at the lags ``lag`` (leak times).

    The average of the product, as in the theory: a constant part is not subtracted. ``mean``: name
    -> <a>. NaN where the run was too short for a lag. No error bar: networks have to be compared.
    """

    lag: NDArray[np.float64]
    values: Mapping[str, NDArray[np.float64]]
    mean: Mapping[str, float]


class Autocorrelations:
    """Observer of autocorrelations at ``lags`` samples, which are ``spacing`` leak times apart.

    ``names``: which fields and nonlinearities, all by default. Memory: one past sample of each for
    every sample up to the longest lag, however long the run.
    """

    def __init__(
        self, lags: Sequence[int], spacing: float, names: Sequence[str] | None = None
    ) -> None:
        self._lags = tuple(lags)
        self._spacing = spacing
        self._names = None if names is None else tuple(names)
        self._products: dict[str, LaggedProducts] = {}
        self._sums: dict[str, float] = {}
        self._calls = 0

    def add(self, signals: Signals) -> None:
        """Take the next sample."""
        self._calls += 1
        for name in self._names or signals:
            products = self._products.setdefault(name, LaggedProducts(self._lags))
            products.add(signals[name])
            mean = float(signals[name].mean(dtype=np.float64))
            self._sums[name] = self._sums.get(name, 0.0) + mean

    def result(self) -> AutocorrelationCurves:
        """All curves so far."""
        return AutocorrelationCurves(
            lag=self._spacing * np.array(self._lags, dtype=np.float64),
            values={name: np.array(p.means()) for name, p in self._products.items()},
            mean={name: total / self._calls for name, total in self._sums.items()},
        )


def mean_autocorrelation(curves: Sequence[AutocorrelationCurves], name: str) -> CurveEstimate:
    """One autocorrelation over networks of one size, with standard errors at every lag."""
    return curves_over_networks([c.values[name] for c in curves])
