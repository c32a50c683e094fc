"""Averages over the block at given paths, pair of times by pair of times: products of functions."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from .conditional_average import ConditionalAverage, PairBound
from .conditional_covariance import BlockPaths
from .conditional_model import ConditionalModel

__all__ = ["BlockFactor", "GateFactor", "PartAverages", "factors_of"]

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class BlockFactor:
    """E_x f(x) f(x') of a function of field ``j`` of the block."""

    average: ConditionalAverage
    along: BlockPaths
    j: int

    @cached_property
    def _series(self) -> Floats:
        return self.average.coefficients(self.along.means.get(self.j), self.along.variances[self.j])

    @cached_property
    def _deviations(self) -> Floats:
        return np.sqrt(self.along.variances[self.j])

    @cached_property
    def _at_starts(self) -> tuple[Floats, Floats]:
        here = self.along.at_starts(0)
        return self._series[:, here], self._deviations[here]

    def pairs(self, lag: int, covariance: Floats) -> PairBound:
        """At all starts and the times a lag later, for lagged covariances of the field."""
        series, deviations = self._at_starts
        there = self.along.at_starts(lag)
        scale = deviations * self._deviations[there]
        rho = np.zeros_like(scale)
        np.divide(covariance, scale, out=rho, where=scale > 0)
        return self.average.pairs(series, self._series[:, there], np.clip(rho, -1.0, 1.0))


@dataclass(frozen=True)
class GateFactor:
    """f(y) f(y') of a function of a gating field, of ``values`` f(y) at all times."""

    values: Floats
    along: BlockPaths

    def pairs(self, lag: int) -> PairBound:
        """At all starts and the times a lag later."""
        here, there = self.along.at_starts(0), self.along.at_starts(lag)
        return PairBound(self.values[here] * self.values[there], 0.0)


def factors_of(
    model: ConditionalModel,
    averages: Mapping[int, ConditionalAverage],
    along: BlockPaths,
    gates: Floats,
) -> dict[int, BlockFactor | GateFactor]:
    """The factors of all sampled parts, by function."""
    theory = model.theory
    found: dict[int, BlockFactor | GateFactor] = {}
    for f in sorted({f for part in model.parts for f in part}):
        field = theory.functions[f].field
        if field in theory.block:
            found[f] = BlockFactor(averages[f], along, theory.block.index(field))
        else:
            found[f] = GateFactor(model.function(f, gates[theory.gating.index(field)]), along)
    return found


@dataclass(frozen=True)
class PartAverages:
    """Products of factors: ``parts`` lists the functions of each."""

    parts: tuple[tuple[int, ...], ...]
    factors: Mapping[int, BlockFactor | GateFactor]

    def at(self, lag: int, covariances: Mapping[int, Floats]) -> list[PairBound]:
        """E_x of every part at one lag, (starts, paths), with bounds on the errors of the means."""
        found: dict[int, PairBound] = {}
        for f, factor in self.factors.items():
            found[f] = (
                factor.pairs(lag, covariances[factor.j])
                if isinstance(factor, BlockFactor)
                else factor.pairs(lag)
            )
        results = []
        for part in self.parts:
            values = found[part[0]].values
            for f in part[1:]:
                values = values * found[f].values
            size = float(np.mean(abs(values)))
            shares = [
                found[f].error / max(float(np.mean(abs(found[f].values))), 1e-300) for f in part
            ]
            results.append(PairBound(values, size * sum(shares)))
        return results
