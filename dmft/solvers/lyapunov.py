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

__all__ = [
    "constant_state_radius",
    "decaying_state_exponent",
    "fluctuating_state_exponent",
    "leading_edge",
    "tail_rate",
]

Floats = NDArray[np.float64]


def _root(
    radius: Callable[[float], float],
    slowest_rate: float,
    tol: float,
    near: float | None = None,
    closest: float = 1e-12,
) -> float:
    """Where a non-increasing radius crosses one, on growth > -slowest_rate; else that pole.

    ``near`` is a guess good to a millionth: a narrow bracket around it is tried first. Roots
    ``closest`` to the pole, relative to it, are taken for it.
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
        if gap < closest:
            return -slowest_rate
    root: float = brentq(lambda growth: np.log(radius(growth)), low, high, xtol=tol, rtol=1e-14)
    return root


def fluctuating_state_exponent(
    linear: LinearTheory,
    filters: Callable[[float], Callable[[Floats], Floats]],
    weights: Floats,
    *,
    near: float | None = None,
    tol: float = 1e-12,
) -> float:
    """Exponent in a state whose weights dS_a/dC_j, shape (currents, active fields, lags), are given.

    ``filters`` takes the growth and returns what maps S (currents, lags) to covariances of the active
    fields; ``near`` is a good guess. Raises ArithmeticError when the eigenvalue iteration fails.
    """
    shape = (weights.shape[1], weights.shape[2])
    start = np.ones(shape[0] * shape[1])

    def radius(growth: float) -> float:
        nonlocal start
        filtered = filters(growth)

        def apply(v: Floats) -> Floats:
            return filtered(np.einsum("ajn,jn->an", weights, v.reshape(shape))).ravel()

        operator = LinearOperator((start.size, start.size), matvec=apply, dtype=float)
        try:
            values, vectors = eigs(operator, k=1, which="LR", v0=start, ncv=24, tol=1e-13)
        except ArpackError as error:
            raise ArithmeticError(f"eigenvalue iteration failed at {growth}: {error}") from error
        vector = vectors[:, 0].real
        if np.linalg.norm(vector) > 0:
            start = vector
        return float(values[0].real)

    # filters close to their pole are all but singular
    root = _root(radius, linear.slowest_rate, tol, near, closest=1e-8)
    return max(root, -linear.slowest_rate)


def decaying_state_exponent(
    linear: LinearTheory,
    grid: LagGrid,
    weights: Floats,
    *,
    near: float | None = None,
    tol: float = 1e-12,
) -> float:
    """`fluctuating_state_exponent` on a grid of cosine series."""

    def filters(growth: float) -> Callable[[Floats], Floats]:
        gain = linear.gain(grid.frequencies, growth)[list(linear.active)]

        def filtered(currents: Floats) -> Floats:
            return grid.values(np.einsum("kan,an->kn", gain, grid.coefficients(currents)))

        return filtered

    return fluctuating_state_exponent(linear, filters, weights, near=near, tol=tol)


def tail_rate(linear: LinearTheory, weights: Floats, growth: float) -> float:
    """How perturbations that grow like exp(growth t) fall with the lag where the weights are constant.

    ``weights`` (currents, active fields) at infinity. Along chi ~ exp(-kappa tau) the filters are
    G(growth - kappa) G(growth + kappa): kappa is where the operator's eigenvalue is one, as it is
    for the exponent looked for. Zero where perturbations do not fall.
    """
    drift, rows = linear.drift, list(linear.active)

    def excess(kappa: float) -> float:
        try:
            gains = [
                np.linalg.solve((growth + sign * kappa) * np.eye(len(drift)) - drift, linear.inputs)
                for sign in (-1, 1)
            ]
        except np.linalg.LinAlgError:
            return np.inf  # at a pole
        matrix = (gains[0] * gains[1])[rows] @ weights
        return float(np.max(np.linalg.eigvals(matrix).real)) - 1

    steepest = (growth + linear.slowest_rate) * (1 - 1e-9)
    if steepest <= 0 or excess(0.0) >= 0:
        return 0.0
    if excess(steepest) <= 0:
        return steepest
    while not np.isfinite(excess(steepest)):
        steepest *= 1 - 1e-6
    if excess(steepest) <= 0:
        return steepest
    return float(brentq(excess, 0.0, steepest, xtol=1e-14 * steepest))


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
