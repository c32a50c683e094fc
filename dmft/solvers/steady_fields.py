r"""Fields with constant coefficients: their covariances are those of their sources, filtered.

    y' = A y + B s,   C_k(tau) = sum_s int |G_ks|^2 S_s e^{i omega tau} + |G_ks(0)|^2 V_s + mean_k^2,

G(i omega) = (i omega - A)^{-1} B. Sources s are currents and inputs; each has a decaying part of
spectrum S_s, a part of variance V_s that does not change in time, and a mean.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from dmft.codegen.conditional import CompiledConditional

from .filters import Filters
from .lag_grid import LagGrid

__all__ = ["Sources", "SteadyFields"]

Floats = NDArray[np.float64]
Complex = NDArray[np.complex128]


@dataclass(frozen=True)
class Sources:
    """Currents, then inputs: ``spectra`` are cosine coefficients on a grid, >= 0, (sources, n + 1)."""

    spectra: Floats
    frozen: Floats
    means: Floats


@dataclass(frozen=True, eq=False)
class SteadyFields(Filters):
    """The steady fields of a theory at given parameters. Positions are those within ``steady``."""

    theory: CompiledConditional

    @cached_property
    def constant(self) -> Floats:
        """The constant drive, (steady fields,)."""
        return self.theory.vector("constant", self.parameters)

    @cached_property
    def gating(self) -> tuple[int, ...]:
        """Positions of the gating fields."""
        return tuple(self.theory.steady.index(k) for k in self.theory.gating)

    def transfer(self, frequencies: Floats, growth: float = 0.0) -> Complex:
        """G(growth + i omega), (frequencies, steady fields, sources)."""
        s = growth + 1j * np.asarray(frequencies)
        matrices = s[:, None, None] * np.eye(len(self.drift)) - self.drift
        right = np.broadcast_to(self.inputs, (s.size, *self.inputs.shape))
        return np.asarray(np.linalg.solve(matrices, right))

    def means(self, sources: Sources) -> Floats:
        """Means of the steady fields."""
        return np.asarray(-np.linalg.solve(self.drift, self.inputs @ sources.means + self.constant))

    def frozen(self, sources: Sources) -> Floats:
        """Variances of what does not change in time."""
        response = -np.linalg.solve(self.drift, self.inputs)
        return np.asarray(response**2 @ sources.frozen)

    def spectra(self, sources: Sources, grid: LagGrid, growth: float = 0.0) -> Floats:
        """Cosine coefficients of the decaying parts, (steady fields, n + 1)."""
        power = abs(self.transfer(grid.frequencies, growth)) ** 2
        return np.asarray(np.einsum("nks,sn->kn", power, sources.spectra))
