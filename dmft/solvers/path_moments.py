r"""Sums over independent paths, and averages improved by control variates.

Each path gives a row of values: targets t and controls x, whose means are known to be zero. With
coefficients B that do not depend on the path,

    <t> = < t - B x >,      best B = cov(t, x) cov(x, x)^-1

(C. Lemieux, Monte Carlo and Quasi-Monte Carlo Sampling (2009), section 4.1). B is estimated, and for its own
paths it makes the spread of t - B x look smaller than it is, the more so the longer the tails of the
controls. Blocks of paths are therefore dealt into a few folds, and each fold takes B from the others: its
average has no bias, and its spread is honest. Only sums of rows and of their products are kept, so that
blocks can be computed anywhere and are added in a fixed order.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray
from scipy import linalg

__all__ = ["PathMoments", "PathSums", "total"]

Floats = NDArray[np.float64]

FOLDS = 4
#: Controls are used where there are so many paths for each of them.
_PATHS_PER_CONTROL = 4


@dataclass(frozen=True)
class PathSums:
    """Of ``count`` rows (targets, then controls): sums, and sums of products."""

    count: int
    sums: Floats
    products: Floats

    @staticmethod
    def of(targets: Floats, controls: Floats) -> PathSums:
        """Of rows given as columns: (targets, paths) and (controls, paths)."""
        rows = np.concatenate([targets, controls])
        return PathSums(rows.shape[1], rows.sum(axis=1), rows @ rows.T)

    def __add__(self, other: PathSums) -> PathSums:
        return PathSums(
            self.count + other.count, self.sums + other.sums, self.products + other.products
        )

    @property
    def means(self) -> Floats:
        """Plain averages."""
        return np.asarray(self.sums / self.count)

    @cached_property
    def covariance(self) -> Floats:
        """Of the rows, without bias."""
        means = self.means
        centred = self.products - self.count * np.outer(means, means)
        return np.asarray(centred / max(self.count - 1, 1))


@dataclass(frozen=True)
class PathMoments:
    """Improved averages of the first ``targets`` values, from folds of paths."""

    targets: int
    folds: tuple[PathSums, ...]

    @cached_property
    def _all(self) -> PathSums:
        return _sum(self.folds)

    @property
    def count(self) -> int:
        """Number of paths."""
        return self._all.count

    @property
    def plain(self) -> Floats:
        """Averages of the targets without controls."""
        return self._all.means[: self.targets]

    @cached_property
    def _coefficients(self) -> list[Floats]:
        """B for every fold, (targets, controls); of a single fold, its own."""
        if len(self.folds) == 1:
            return [self._regression(self.folds[0])]
        return [
            self._regression(_sum([f for m, f in enumerate(self.folds) if m != n]))
            for n in range(len(self.folds))
        ]

    def _regression(self, sums: PathSums) -> Floats:
        k = self.targets
        controls = sums.sums.size - k
        if sums.count < _PATHS_PER_CONTROL * controls:
            return np.zeros((k, controls))
        covariance = sums.covariance
        return np.asarray(covariance[:k, k:] @ linalg.pinvh(covariance[k:, k:], rtol=1e-9))

    @cached_property
    def means(self) -> Floats:
        """Improved averages of the targets."""
        k, total = self.targets, np.zeros(self.targets)
        for fold, b in zip(self.folds, self._coefficients, strict=True):
            total += fold.sums[:k] - b @ fold.sums[k:]
        return np.asarray(total / self.count)

    @cached_property
    def covariance(self) -> Floats:
        """Covariance of the improved averages, (targets, targets)."""
        k = self.targets
        total = np.zeros((k, k))
        for fold, b in zip(self.folds, self._coefficients, strict=True):
            c = fold.covariance
            cross = c[:k, k:] @ b.T
            total += fold.count * (c[:k, :k] - cross - cross.T + b @ c[k:, k:] @ b.T)
        return np.asarray(total / self.count**2)


def _sum(parts: Sequence[PathSums]) -> PathSums:
    whole = parts[0]
    for part in parts[1:]:
        whole = whole + part
    return whole


def total(targets: int, parts: Sequence[PathSums]) -> PathMoments:
    """Deal the sums of blocks, in the order given, into folds."""
    folds = min(FOLDS, len(parts))
    return PathMoments(targets, tuple(_sum(parts[n::folds]) for n in range(folds)))
