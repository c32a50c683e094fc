r"""The largest Lyapunov exponent from two linearised replicas with equal couplings.

Perturbations of covariance chi_k(tau) exp(lambda (t + t')) obey

    chi_k = sum_a |G_ka(lambda + i omega)|^2 * sum_j (dS_a/dC_j) chi_j

(`derivations.stationary`). The operator maps covariances to covariances and its spectral radius
rho(lambda) does not increase with lambda, so that the exponent is the one root of rho = 1, or the
slowest pole of the filters, whichever is larger (for one field this is the
Schroedinger problem of Sompolinsky, Crisanti & Sommers 1988). In a constant state dS_a/dC_j does
not depend on the lag, the operator is diagonal in frequency, and the root is the leading edge of
the Jacobian's spectrum.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import brentq
from scipy.sparse.linalg import ArpackError, LinearOperator, eigs

from .frequency_peak import frequency_peak
from .lag_grid import LagGrid
from .linear_theory import LinearTheory

__all__ = ["constant_state_radius", "decaying_state_exponent", "leading_edge"]

Floats = NDArray[np.float64]


def _root(
    radius: Callable[[float], float], slowest_rate: float, tol: float, near: float | None = None
) -> float:
    """Where a non-increasing radius crosses one, on growth > -slowest_rate; else that pole.

    ``near`` is a guess good to a millionth: a narrow bracket around it is tried first.
    """
    if near is not None:
        width = 1e-6 * (abs(near) + slowest_rate)
        if near - width > -slowest_rate and radius(near - width) > 1 > radius(near + width):
            ends = near - width, near + width
            return float(brentq(lambda x: np.log(radius(x)), *ends, xtol=tol, rtol=1e-14))
    high = max(slowest_rate, 1e-3)
    while radius(high) > 1:
        high *= 2
        if high > 1e12:
            raise ArithmeticError("the spectral radius does not fall below one")
    low = 0.0
    gap = 1.0
    while radius(low) < 1:
        high, gap = low, gap / 4
        low = -slowest_rate * (1 - gap)
        if gap < 1e-12:
            return -slowest_rate
    root: float = brentq(lambda growth: np.log(radius(growth)), low, high, xtol=tol, rtol=1e-14)
    return root


def decaying_state_exponent(
    linear: LinearTheory,
    grid: LagGrid,
    weights: Floats,
    *,
    near: float | None = None,
    tol: float = 1e-12,
) -> float:
    """Exponent in a decaying state.

    ``weights`` dS_a/dC_j, shape (currents, active fields, lags); ``near`` a good guess. Raises
    ArithmeticError when the eigenvalue iteration fails.
    """
    shape = (weights.shape[1], weights.shape[2])
    start = np.ones(shape[0] * shape[1])

    def radius(growth: float) -> float:
        nonlocal start
        gain = linear.gain(grid.frequencies, growth)[list(linear.active)]

        def apply(v: Floats) -> Floats:
            change = np.einsum("ajn,jn->an", weights, v.reshape(shape))
            filtered = np.einsum("kan,an->kn", gain, grid.coefficients(change))
            return grid.values(filtered).ravel()

        operator = LinearOperator((start.size, start.size), matvec=apply, dtype=float)
        try:
            values, vectors = eigs(operator, k=1, which="LR", v0=start, ncv=24, tol=1e-13)
        except ArpackError as error:
            raise ArithmeticError(f"eigenvalue iteration failed at {growth}: {error}") from error
        vector = vectors[:, 0].real
        if np.linalg.norm(vector) > 0:
            start = vector
        return float(values[0].real)

    return max(_root(radius, linear.slowest_rate, tol, near), -linear.slowest_rate)


def constant_state_radius(linear: LinearTheory, weights: Floats, growth: float) -> float:
    """Largest spectral radius over all frequencies in a constant state.

    ``weights`` dS_a/dC_j, shape (currents, active fields).
    """

    def at(frequencies: Floats) -> Floats:
        gain = linear.gain(frequencies, growth)[list(linear.active)]
        matrices = np.einsum("kan,aj->nkj", gain, weights)
        radii: Floats = np.max(abs(np.linalg.eigvals(matrices)), axis=-1)
        return radii

    return frequency_peak(at, linear.drift)


def leading_edge(linear: LinearTheory, weights: Floats, tol: float = 1e-14) -> float:
    """Largest real part in the Jacobian's spectrum in a constant state."""
    root = _root(
        lambda growth: constant_state_radius(linear, weights, growth), linear.slowest_rate, tol
    )
    return max(root, -linear.slowest_rate)
