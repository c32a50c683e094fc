r"""Sums over independent paths, and averages improved by control variates.

Each path gives a row of values: targets t and controls x of mean zero. From the sums of rows and of
their products follow, whatever the order in which blocks were computed,

    mean = <t> - B <x>,   B = cov(t, x) cov(x, x)^-1,   covariance of the mean = cov(t - B x) / (n - p - 1)

(regression estimate; C. Lemieux, Monte Carlo and Quasi-Monte Carlo Sampling (2009), section 4.1),
p controls, n paths. Its bias is O(1/n).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray
from scipy import linalg

__all__ = ["PathMoments", "moments_of", "total"]

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class PathMoments:
    """``count`` paths; sums and sums of products of (targets, controls)."""

    count: int
    targets: int
    sums: Floats
    products: Floats

    @cached_property
    def _centred(self) -> Floats:
        mean = self.sums / self.count
        return np.asarray(self.products / self.count - np.outer(mean, mean))

    @cached_property
    def controls(self) -> int:
        """How many controls are used: none where paths are too few for them."""
        number = self.sums.size - self.targets
        return number if self.count >= 4 * number else 0

    @cached_property
    def regression(self) -> Floats:
        """B, (targets, controls)."""
        k = self.targets
        if not self.controls:
            return np.zeros((k, self.sums.size - k))
        inverse = linalg.pinvh(self._centred[k:, k:], rtol=1e-9)
        return np.asarray(self._centred[:k, k:] @ inverse)

    @cached_property
    def means(self) -> Floats:
        """Improved averages of the targets."""
        k = self.targets
        raw = self.sums / self.count
        return np.asarray(raw[:k] - self.regression @ raw[k:])

    @cached_property
    def covariance(self) -> Floats:
        """Covariance of the means, (targets, targets)."""
        k = self.targets
        left = self._centred[:k, :k] - self.regression @ self._centred[k:, :k]
        left = (left + left.T) / 2
        return np.asarray(left / max(self.count - self.controls - 1, 1))

    @property
    def plain_variance(self) -> Floats:
        """Variances of the plain means, without controls."""
        k = self.targets
        return np.asarray(np.diag(self._centred)[:k] / max(self.count - 1, 1))


def moments_of(targets: Floats, controls: Floats) -> PathMoments:
    """Moments of rows given as columns: (targets, paths) and (controls, paths)."""
    rows = np.concatenate([targets, controls])
    return PathMoments(
        count=rows.shape[1],
        targets=targets.shape[0],
        sums=rows.sum(axis=1),
        products=rows @ rows.T,
    )


def total(parts: Sequence[PathMoments]) -> PathMoments:
    """The moments of several blocks together, added in the order given."""
    sums, products = parts[0].sums.copy(), parts[0].products.copy()
    for part in parts[1:]:
        sums += part.sums
        products += part.products
    return PathMoments(
        count=sum(part.count for part in parts),
        targets=parts[0].targets,
        sums=sums,
        products=products,
    )
