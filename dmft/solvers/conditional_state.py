r"""What covariances of the currents imply before any path is drawn.

Steady fields, gating ones among them, are Gaussian and follow by filters; averages of functions of the
steady fields that do not gate are those of one Gaussian pair. What drives the block and from what the
gating paths are drawn is collected here, too.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from dmft.gaussian.pair_average import pair_average

from .block_steps import BlockSource, PathGrid
from .conditional_model import ConditionalModel
from .exponential_fit import ExponentialBasis
from .gate_paths import PathSpectra
from .lag_grid import LagGrid
from .steady_fields import Sources

__all__ = ["CurrentState", "StateMaker", "SteadyAverages"]

Floats = NDArray[np.float64]

_AVERAGE_TOL = 1e-10
_MOST_INTERVALS = 2**18


@dataclass(frozen=True)
class CurrentState:
    """Of covariances of the currents, ``values`` (groups, lags).

    ``sources`` drive the block, ``spectra`` are those of currents and inputs on the circle; ``steady`` are
    covariances of the steady fields at the lags, ``means`` and ``frozen`` their means and what stays of
    the covariance; ``clipped`` is the share of negative spectrum that was set to zero.
    """

    values: Floats
    gates: PathSpectra
    spectra: Sources
    sources: tuple[BlockSource, ...]
    steady: Floats
    means: Floats
    frozen: Floats
    clipped: float


@dataclass(frozen=True)
class StateMaker:
    """Prepares states of one model on one grid with one basis."""

    model: ConditionalModel
    grid: PathGrid
    basis: ExponentialBasis

    @cached_property
    def circle(self) -> LagGrid:
        """Half the circle, at half steps."""
        return LagGrid(self.grid.period / 2, self.grid.steps)

    @cached_property
    def filters(self) -> LagGrid:
        """A window at half steps that is long enough for the slowest filter."""
        spacing = self.grid.step / 2
        length = max(self.grid.period / 2, 16 / self.model.steady.slowest_rate)
        intervals = min(int(np.ceil(length / spacing)), _MOST_INTERVALS)
        return LagGrid(intervals * spacing, intervals)

    def _sources(self, weights: Floats, grid: LagGrid) -> tuple[Sources, float]:
        """Spectra of currents and inputs on a grid, and the share of them that was negative."""
        theory = self.model.theory
        constant = self.basis.has_constant
        decaying = weights.copy()
        if constant:
            decaying[:, 0] = 0.0
        values = decaying @ self.basis.at(grid.lags).T
        spectra = grid.coefficients(values)
        negative = np.minimum(spectra, 0.0)
        clipped = float(np.max(-negative.sum(axis=1) / np.maximum(values[:, 0], 1e-300)))
        groups = list(self.model.group_of)
        inputs = len(theory.white)
        frozen = np.maximum(weights[:, 0], 0.0) if constant else np.zeros(len(weights))
        noise = np.zeros((inputs, grid.intervals + 1))
        still = np.zeros(inputs)
        for i, white in enumerate(theory.white):
            if white:
                noise[i] = self.model.input_variances[i] / grid.length
                noise[i, [0, -1]] /= 2
            else:
                still[i] = self.model.input_variances[i]
        sources = Sources(
            spectra=np.concatenate([np.maximum(spectra, 0.0)[groups], noise]),
            frozen=np.concatenate([frozen[groups], still]),
            means=np.concatenate([np.zeros(len(groups)), self.model.input_means]),
        )
        return sources, clipped

    def state(self, values: Floats) -> CurrentState:
        """Prepare covariances of the currents given at the lags of the basis."""
        weights = self.basis.weights(values)
        steady = self.model.steady
        circle, clipped = self._sources(weights, self.circle)
        window, _ = self._sources(weights, self.filters)
        nodes = 2 * np.array(self.grid.nodes)
        moving = self.filters.values(steady.spectra(window, self.filters))[:, nodes]
        frozen = steady.frozen(window)
        return CurrentState(
            values=values,
            gates=PathSpectra.of(steady, circle, self.circle),
            spectra=circle,
            sources=self._block_sources(weights),
            steady=moving + frozen[:, None],
            means=steady.means(window),
            frozen=frozen,
            clipped=clipped,
        )

    def _block_sources(self, weights: Floats) -> tuple[BlockSource, ...]:
        model = self.model
        found = [BlockSource(self.basis.rates, np.asarray(weights[g])) for g in model.group_of]
        nothing = np.zeros(0)
        for i, white in enumerate(model.theory.white):
            variance = float(model.input_variances[i])
            if white:
                found.append(BlockSource(nothing, nothing, intensity=variance))
            else:
                known = np.array([variance]) if variance else nothing
                found.append(
                    BlockSource(np.zeros(known.size), known, mean=float(model.input_means[i]))
                )
        return tuple(found)


class SteadyAverages:
    """F_f of functions of steady fields at the lags, each computed once."""

    def __init__(self, model: ConditionalModel, state: CurrentState) -> None:
        self.model, self.state = model, state
        self.known: dict[int, tuple[Floats, Floats]] = {}

    def at(self, function: int) -> Floats:
        """E f f'."""
        return self._both(function)[0]

    def slopes(self, function: int) -> Floats:
        """E of the product of the derivatives at both ends: dF/dC (Price)."""
        return self._both(function)[1]

    def _both(self, function: int) -> tuple[Floats, Floats]:
        if function not in self.known:
            field = self.model.theory.functions[function].field
            place = self.model.theory.steady.index(field)
            covariance, mean = self.state.steady[place], self.state.means[place]

            def shifted(x: Floats) -> list[Floats]:
                return self.model.theory.functions[function].at(x + mean, self.model.parameters)

            if covariance[0] > 1e-14:
                series = pair_average(shifted, float(covariance[0]), _AVERAGE_TOL)
                limit = covariance[0]
                self.known[function] = series.at(np.clip(covariance, -limit, limit))[:2]
            else:
                value, slope, _ = (float(v[0]) for v in shifted(np.zeros(1)))
                ones = np.ones(covariance.size)
                self.known[function] = value**2 * ones, slope**2 * ones
        return self.known[function]
