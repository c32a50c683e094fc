r"""Paths of Gaussian gating fields, drawn one time after the other from their growing covariance.

With K = L L^T, row by row, the value at the next time is  y_{n+1} = mu_{n+1} + sum_m L_{n+1,m} xi_m  with
independent standard normals xi. Smooth processes make K nearly singular: the new value is all but
determined by the past. A relative `JITTER` on the diagonal, white noise of 1e-5 standard deviations,
keeps the factor stable; the covariances of `two_time_covariance` are positive up to rounding, so that
no larger one is needed.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import solve_triangular

__all__ = ["JITTER", "GatePaths", "GrowingCholesky", "block_normals", "coarse_normals"]

Floats = NDArray[np.float64]

#: Relative variance added to every value.
JITTER = 1e-10
_BLOCK = 64


class GrowingCholesky:
    """L of a symmetric matrix that grows by one row at a time."""

    def __init__(self, capacity: int = 0) -> None:
        self._lower = np.zeros((max(capacity, _BLOCK),) * 2)
        self.size = 0

    @property
    def lower(self) -> Floats:
        """L, (size, size)."""
        return self._lower[: self.size, : self.size]

    def restore(self, lower: Floats) -> None:
        """Go on from a factor; room for it must be there."""
        self.size = len(lower)
        self._lower[: self.size, : self.size] = lower

    def append(self, row: Floats) -> Floats:
        """Add the row K(n, 0 .. n) and return that of L; a variance of zero gives zeros.

        >>> factor = GrowingCholesky()
        >>> _ = factor.append(np.array([4.0]))
        >>> factor.append(np.array([2.0, 2.0])).round(6)
        array([1., 1.])
        """
        n = self.size
        if n == len(self._lower):
            larger = np.zeros((2 * n, 2 * n))
            larger[:n, :n] = self._lower
            self._lower = larger
        solved = np.zeros(n + 1)
        for first in range(0, n, _BLOCK):
            last = min(first + _BLOCK, n)
            rest = row[first:last] - self._lower[first:last, :first] @ solved[:first]
            corner = self._lower[first:last, first:last]
            pivots = np.diagonal(corner)
            # a value without variance has no row: its unknown stays zero
            safe = corner + np.diag(np.where(pivots > 0, 0.0, 1.0))
            part = solve_triangular(safe, rest, lower=True, check_finite=False)
            solved[first:last] = np.where(pivots > 0, part, 0.0)
        left = row[n] * (1 + JITTER) - solved[:n] @ solved[:n]
        solved[n] = np.sqrt(max(left, JITTER * row[n], 0.0))
        self._lower[n, : n + 1] = solved
        self.size += 1
        return solved


def block_normals(
    seed: int, population: int, group: int, step: int, shape: tuple[int, int]
) -> Floats:
    """Standard normals (fields, paths), the same whoever draws them and when.

    Neighbouring paths have opposite numbers: what is odd in the gates' noise averages out (measured:
    standard errors of variances fall by 1.3 to 1.9).
    """
    key = np.random.SeedSequence(entropy=seed, spawn_key=(population, group, step))
    fields, paths = shape
    half = np.random.default_rng(key).standard_normal((fields, (paths + 1) // 2))
    return np.stack([half, -half], axis=-1).reshape(fields, -1)[:, :paths]


class GatePaths:
    """The gating fields of one group, jointly: their values along every path."""

    def __init__(self, fields: int, paths: int, capacity: int = 0) -> None:
        self.fields, self.paths = fields, paths
        self.factor = GrowingCholesky(fields * capacity)
        self.normals = np.zeros((max(fields * capacity, _BLOCK), paths))
        self.values = np.zeros((fields, paths))

    def append(self, covariance: Floats, mean: Floats, normals: Floats) -> Floats:
        """Draw the next values, (fields, paths).

        ``covariance``: K(n, m), m = 0 .. n, (n+1, fields, fields); ``mean`` and ``normals`` (fields, paths).
        """
        n = len(covariance) - 1
        past = np.moveaxis(covariance[:n], 1, 0).reshape(self.fields, n * self.fields)
        first = n * self.fields
        if first + self.fields > len(self.normals):
            self.normals = np.concatenate([self.normals, np.zeros_like(self.normals)])
        self.normals[first : first + self.fields] = normals
        values = np.empty((self.fields, self.paths))
        for k in range(self.fields):
            row = np.concatenate([past[k], covariance[n, k, : k + 1]])
            values[k] = self.factor.append(row) @ self.normals[: first + k + 1]
        self.values = mean + values
        return self.values

    @property
    def drawn(self) -> Floats:
        """The normals so far, (times * fields, paths)."""
        return self.normals[: self.factor.size]

    def state(self) -> dict[str, Floats]:
        """Everything that a continuation needs."""
        return {"lower": self.factor.lower, "normals": self.drawn, "values": self.values}

    def restore(self, state: Mapping[str, Floats]) -> None:
        """Go on from a state."""
        self.factor.restore(state["lower"])
        self.normals[: len(state["normals"])] = state["normals"]
        self.values = np.array(state["values"])


def coarse_normals(lower: Floats, normals: Floats, kept: NDArray[np.intp]) -> Floats:
    r"""Normals that drive the paths on a coarser grid along with those on the fine one.

    The ``kept`` rows of L are R Q with triangular R and orthonormal rows of Q, so that Q xi are the
    standard normals from which the fine process at those times grows. Paths on both grids then differ
    by the error of the step only, not by chance. (n, paths) -> (kept, paths).
    """
    orthonormal, triangular = np.linalg.qr(lower[kept].T)
    turned = np.where(np.diagonal(triangular) < 0, -1.0, 1.0)
    return np.asarray((orthonormal * turned).T @ normals)
