r"""Covariances of currents as sums of exponentials.

    S(tau) = sum_m w_m exp(-kappa_m |tau|),       kappa_1 = 0 for the part that never decays

with fixed rates, so that the weights depend linearly on the values at the nodes (least squares, many
more nodes than rates). The rates are real: a covariance that is smooth at lag 0 needs weights of both
signs. Without white noise two more equations ask for that smoothness,

    dS/dtau = -sum_m w_m kappa_m = 0,      d^3 S/dtau^3 = -sum_m w_m kappa_m^3 = 0    at tau = 0,

else a small dent between the nodes makes the spectrum negative at high frequency. Five to six rates a
decade of time scales reach 1e-4 to 1e-5. A sum of exponentials makes the covariance of a process
along a path a recursion in time (`conditional_covariance`).
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray
from scipy import linalg

__all__ = ["ExponentialBasis", "graded_lags"]

Floats = NDArray[np.float64]


def graded_lags(shortest: float, longest: float, number: int, step: float) -> NDArray[np.intp]:
    """About ``number`` lags as multiples of ``step``, from 0 to ``longest``: dense where C bends.

    Spacings start at about ``shortest`` and grow geometrically.

    >>> graded_lags(1.0, 20.0, 8, 0.5)
    array([ 0,  2,  5,  9, 14, 21, 29, 40])
    """
    u = np.linspace(0.0, 1.0, number)
    low, high = 1e-6, 60.0
    for _ in range(60):
        bend = (low + high) / 2
        first = longest * np.expm1(bend * u[1]) / np.expm1(bend)
        low, high = (bend, high) if first > shortest else (low, bend)
    values = longest * np.expm1(low * u) / np.expm1(low)
    return np.unique(np.round(values / step).astype(np.intp))


@dataclass(frozen=True)
class ExponentialBasis:
    """Rates kappa_m >= 0 and the ``lags`` at which functions are known; more lags than rates.

    ``smooth``: functions have no cusp at lag 0. The fit is to the first ``used`` lags, or all.
    """

    lags: Floats
    rates: Floats
    smooth: bool = True
    used: int | None = None

    @staticmethod
    def between(
        lags: Floats,
        slowest: float,
        fastest: float,
        *,
        constant: bool,
        smooth: bool = True,
        density: float = 2.4,
    ) -> ExponentialBasis:
        """Rates in geometric progression, ``density`` for each factor e; with ``constant`` zero too."""
        number = min(int(np.ceil(density * np.log(fastest / slowest))), lags.size - 2 - constant)
        rates = np.geomspace(slowest, fastest, max(number, 4))
        rates = np.concatenate([[0.0], rates]) if constant else rates
        return ExponentialBasis(lags, rates, smooth)

    @cached_property
    def values(self) -> Floats:
        """exp(-kappa_m tau_l), (lags, rates)."""
        return self.at(self.lags)

    @cached_property
    def fit(self) -> Floats:
        """The least-squares map from values at the nodes to weights, (rates, lags)."""
        used = self.lags.size if self.used is None else self.used
        x = 16 * self.rates / self.rates[-1]
        cusps = np.array([x, x**3 / 6]) if self.smooth else np.zeros((0, x.size))
        inverse = linalg.pinv(np.concatenate([self.values[:used], cusps]), rtol=1e-11)
        result = np.zeros((x.size, self.lags.size))
        result[:, :used] = inverse[:, :used]
        return result

    @cached_property
    def directions(self) -> Floats:
        """Orthonormal functions (at the nodes) that span the basis, (lags, rates)."""
        return np.asarray(linalg.svd(self.values, full_matrices=False)[0])

    def at(self, lags: Floats) -> Floats:
        """The exponentials at any lags >= 0, (lags, rates)."""
        return np.asarray(np.exp(-np.multiply.outer(np.asarray(lags, dtype=float), self.rates)))

    def weights(self, values: Floats) -> Floats:
        """Weights of functions given at the nodes (last axis)."""
        return np.asarray(values @ self.fit.T)

    def projected(self, values: Floats) -> Floats:
        """The nearest sums of exponentials, at the nodes."""
        return np.asarray(self.weights(values) @ self.values.T)

    @property
    def has_constant(self) -> bool:
        """Whether functions may keep a part that does not decay."""
        return bool(self.rates[0] == 0)
