"""The stationary equations on panels of one-sided lags, where white noise may leave a cusp at lag 0."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from .linear_theory import LinearTheory
from .panel_filters import PanelFilters
from .panel_grid import PanelGrid
from .stationary_problem import Equations

__all__ = ["PanelProblem"]

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class PanelProblem(Equations):
    """Equations on a panel grid; ``average_tol`` cuts the Gaussian averages."""

    linear: LinearTheory
    grid: PanelGrid
    average_tol: float

    @cached_property
    def _filters(self) -> PanelFilters:
        return PanelFilters(self.linear, self.grid, self.linear.active)

    @cached_property
    def added(self) -> Floats:
        """What inputs and noise add to the active fields, shape (active fields, lags)."""
        inputs = self.linear.input_variances[list(self.linear.active), None]
        return np.asarray(self._filters.noise + inputs)

    def filtered(self, currents: Floats) -> Floats:
        """sum_a of the filtered S_a for the active fields."""
        return self._filters.filtered(currents)

    def everything(self, currents: Floats) -> Floats:
        """Covariances of all fields."""
        every = PanelFilters(self.linear, self.grid, tuple(range(len(self.linear.drift))))
        inputs = self.linear.input_variances[:, None]
        return np.asarray(every.filtered(currents) + every.noise + inputs)

    def kernel(self, field: int, current: int) -> Floats | None:
        """The filter of an active field as a matrix (lag out, lag in); None if it is zero."""
        kernel = self._filters.kernels[field, current]
        return kernel if np.any(kernel) else None
