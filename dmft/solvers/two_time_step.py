r"""One time step of linear dynamics: exact in the decay, linear interpolation of the drive.

Over a step of length h the coefficients of  dx/dt = A x + B w(t) + b  are replaced by their averages and
the drive w by the straight line between its values at the ends, which gives

    x_{n+1} = P x_n + U w_n + V w_{n+1} + f + zeta,
    P = e^{hA},   V = h theta_2(hA) B,   U = h theta_1(hA) B - V,   f = h theta_1(hA) b,
    theta_1(X) = (e^X - 1)/X,   theta_2(X) = (theta_1(X) - 1)/X,

with zeta from white noise of covariance S = W D W^T,  <zeta zeta^T> = int_0^h e^{As} S e^{A^T s} ds. It is of
second order, and exact for a drive that rests: steps may be long against 1/|A| where the drive is slow.
w_{n+1} depends on x_{n+1}; explicit is the scheme by the prediction

    x^_{n+1} = P x_n + (U + V) w_n + X (w_n - w_{n-1}) + f + zeta,
    X = r D^3 V,   D = P (1 - hA) = 1 - O(h^2),   r = h_n / h_{n-1},

from which w_{n+1} is computed, once and for all: drives are functions of the predicted states, so that all
covariances are those of one process and stay positive. D^3 takes the extrapolation away from steps
that are long against 1/|A|, where it is unstable; with it the scheme is stable for w = J x of spectral
radius below one whatever the step (with D, or without, it is not: tested). Source of these quotients:
S. M. Cox, P. C. Matthews, J. Comput. Phys. 176, 430 (2002); of a prediction that is evaluated but once
("PEC"): J. D. Lambert, Numerical Methods for Ordinary Differential Systems (1991), section 4.2.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import expm

from .two_time_history import times

__all__ = ["AVERAGING_NODES", "AVERAGING_WEIGHTS", "StepWeights", "step_weights"]

Floats = NDArray[np.float64]

#: Gauss-Legendre rule on [0, 1] for averages of coefficients along a step.
AVERAGING_NODES: Floats = 0.5 + np.array([-0.5, 0.0, 0.5]) * np.sqrt(3 / 5)
AVERAGING_WEIGHTS: Floats = np.array([5.0, 8.0, 5.0]) / 18


@dataclass(frozen=True)
class StepWeights:
    """P (size, size, paths), U, V, X (size, drives, paths), f (size, paths), <zeta zeta^T> (size, size)."""

    propagator: Floats
    before: Floats
    after: Floats
    extrapolation: Floats
    constant: Floats
    noise: Floats

    @property
    def predicted(self) -> Floats:
        """The weight of w_n in the prediction, U + V + X."""
        return self.before + self.after + self.extrapolation


def step_weights(
    length: float, ratio: float, drift: Floats, drive: Floats, constant: Floats, noise: Floats
) -> StepWeights:
    """Weights for averaged A (size, size, paths), B (size, drives, paths), b (size, paths), W D W^T.

    ``ratio`` is r; 0 where there is no earlier step to extrapolate from.

    >>> one = np.ones((1, 1, 1))
    >>> w = step_weights(100.0, 0.0, -one, one, np.zeros((1, 1)), np.zeros((1, 1)))
    >>> [round(float(v.squeeze()), 3) for v in (w.propagator, w.before, w.after)]
    [0.0, 0.01, 0.99]
    """
    propagator, first, second = _exponential_quotients(length * drift)
    after = length * times(second, drive)
    total = length * times(first, drive)
    damping = propagator - length * times(propagator, drift)
    extrapolation = ratio * after
    for _ in range(3):
        extrapolation = times(damping, extrapolation)
    return StepWeights(
        propagator,
        total - after,
        after,
        extrapolation,
        length * times(first, constant[:, None])[:, 0],
        _noise_covariance(length, drift[..., 0], noise),
    )


def _exponential_quotients(x: Floats) -> tuple[Floats, Floats, Floats]:
    """e^X, theta_1(X), theta_2(X) of matrices (size, size, paths)."""
    size = len(x)
    if size == 1:
        change = np.expm1(x)
        small = abs(x) < 1e-2
        safe = np.where(small, 1.0, x)
        first = np.where(small, 1 + x / 2 * (1 + x / 3 * (1 + x / 4 * (1 + x / 5))), change / safe)
        series = 0.5 + x / 6 * (1 + x / 4 * (1 + x / 5 * (1 + x / 6)))
        return change + 1, first, np.where(small, series, (first - 1) / safe)
    stacked = np.zeros((x.shape[2], 3 * size, 3 * size))
    stacked[:, :size, :size] = np.moveaxis(x, -1, 0)
    stacked[:, :size, size : 2 * size] = stacked[:, size : 2 * size, 2 * size :] = np.eye(size)
    result = np.moveaxis(expm(stacked)[:, :size], 0, -1)
    return result[:, :size], result[:, size : 2 * size], result[:, 2 * size :]


def _noise_covariance(length: float, drift: Floats, noise: Floats) -> Floats:
    """int_0^h e^{As} S e^{A^T s} ds = h theta_1(h (A x 1 + 1 x A)) S, S as a vector."""
    if not noise.any():
        return np.zeros_like(noise)
    one = np.eye(len(drift))
    both = np.kron(drift, one) + np.kron(one, drift)
    first = _exponential_quotients(length * both[..., None])[1][..., 0]
    return np.asarray(length * (first @ noise.ravel()).reshape(noise.shape))
