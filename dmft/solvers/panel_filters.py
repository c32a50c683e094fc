r"""Linear filters on one-sided lags, as matrices: S_a(tau) to C_k(tau), for any linear dynamics.

With x' = A x + b_a xi_a, and S_a the covariance of xi_a, let q(tau) = <xi_a(t + tau) x(t)> and
P(tau) = <x(t + tau) x(t)^T>. Both are smooth for tau > 0 and obey

    dq/dtau = -A q - b_a S_a,            backwards in tau, from q(T),
    dP/dtau = A P + b_a q^T,             forwards, from P(0),
    A P(0) + P(0) A^T + b_a q(0)^T + q(0) b_a^T + W D W^T = 0       (Lyapunov),

S_a falling like exp(-kappa tau) beyond the window: a constant, kappa = 0, for covariances; then
q(T) = (kappa - A)^{-1} b_a S_a(T). Resonances and equal rates need no special case. White noise
alone gives P(tau) = exp(A tau) P_0. For perturbations that grow like exp(lambda t), A - lambda takes
the place of A.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray
from scipy import linalg

from .linear_theory import LinearTheory
from .panel_grid import ORDER, PanelGrid, differentiation

__all__ = ["PanelFilters"]

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class PanelFilters:
    """Filters of a theory on a grid, for perturbations of a ``growth`` and a ``tail_rate`` kappa.

    ``fields`` are those that are asked for; only what drives them is looked at.
    """

    linear: LinearTheory
    grid: PanelGrid
    fields: tuple[int, ...]
    growth: float = 0.0
    tail_rate: float = 0.0

    @cached_property
    def _involved(self) -> list[int]:
        """The asked fields and those on which their dynamics depend, asked ones first."""
        drift = self.linear.drift
        found = list(self.fields)
        for field in found:  # grows while it is walked through
            found += [int(j) for j in np.flatnonzero(drift[field]) if j not in found]
        return found

    @cached_property
    def _drift(self) -> Floats:
        rows = self._involved
        drift = self.linear.drift[np.ix_(rows, rows)]
        return np.asarray(drift - self.growth * np.eye(len(rows)))

    @cached_property
    def _inputs(self) -> Floats:
        return np.asarray(self.linear.inputs[self._involved])

    @cached_property
    def _lyapunov(self) -> Floats:
        """vec P of A P + P A^T = -vec M, as a matrix."""
        n = len(self._drift)
        operator = np.kron(self._drift, np.eye(n)) + np.kron(np.eye(n), self._drift)
        return np.asarray(-np.linalg.inv(operator))

    def _steps(self, drift: Floats, backwards: bool) -> list[tuple[Floats, Floats]]:
        """Per panel the solution of y' = drift y + f: matrices for f (point, field) and for y at one end.

        f and y are given point by point, each with all fields; the end is the right one if
        ``backwards``.
        """
        n, p = len(drift), ORDER + 1
        end = ORDER if backwards else 0
        rows = slice(end * n, (end + 1) * n)
        slope, decay = np.kron(differentiation(), np.eye(n)), np.kron(np.eye(p), drift)
        known: dict[float, tuple[Floats, Floats]] = {}
        for width in self.grid.widths:
            if width in known:
                continue
            matrix = slope * (2 / width) - decay
            both = np.hstack([np.eye(p * n), np.zeros((p * n, n))])
            matrix[rows], both[rows] = 0, 0
            matrix[rows, rows] = np.eye(n)
            both[rows, p * n :] = np.eye(n)
            both = np.linalg.solve(matrix, both)
            known[width] = both[:, : p * n], both[:, p * n :]
        return [known[width] for width in self.grid.widths]

    @cached_property
    def _currents_with_fields(self) -> Floats:
        """q on all points from S_a, shape (currents, points, fields, points)."""
        grid, n = self.grid, len(self._drift)
        steps = self._steps(-self._drift, backwards=True)
        size = grid.lags.size
        result = np.zeros((self._inputs.shape[1], size, n, size))
        for a in np.flatnonzero(np.any(self._inputs, axis=0)):
            b = self._inputs[:, a]
            after = np.zeros((n, size))
            after[:, -1] = np.linalg.solve(self.tail_rate * np.eye(n) - self._drift, b)
            for panel in range(grid.panels - 1, -1, -1):
                at = grid.slice(panel)
                forcing, boundary = steps[panel]
                values = (boundary @ after).reshape(ORDER + 1, n, size)
                values[:, :, at] -= forcing.reshape(ORDER + 1, n, ORDER + 1, n) @ b
                result[a, at] = values
                after = values[0]
        return result

    @cached_property
    def kernels(self) -> Floats:
        """Matrices from S_a to C_k, shape (fields, currents, points, points)."""
        grid, n = self.grid, len(self._drift)
        steps = self._steps(self._drift, backwards=False)
        cross = self._currents_with_fields
        size = grid.lags.size
        result = np.zeros((len(self.fields), cross.shape[0], size, size))
        solve = self._lyapunov.reshape(n, n, n, n)
        for a in np.flatnonzero(np.any(self._inputs, axis=0)):
            b = self._inputs[:, a]
            outer = np.einsum("i,js->ijs", b, cross[a, 0])
            start = np.einsum("ijkl,kls->ijs", solve, outer + outer.transpose(1, 0, 2))
            for k in range(len(self.fields)):  # the asked fields come first
                before = start[:, k]
                for panel in range(grid.panels):
                    at = grid.slice(panel)
                    forcing, boundary = steps[panel]
                    # only component k is wanted inside, all of them at the right end
                    driven = forcing.reshape(ORDER + 1, n, ORDER + 1, n) @ b
                    q = cross[a, at, k]
                    inside = boundary.reshape(ORDER + 1, n, n)[:, k]
                    result[k, a, at] = driven[:, k] @ q + inside @ before
                    before = driven[-1] @ q + boundary[-n:] @ before
        return result

    @cached_property
    def noise(self) -> Floats:
        """What white noise alone gives the fields, shape (fields, points)."""
        n, rows = len(self._drift), self._involved
        noise = self.linear.noise[np.ix_(rows, rows)]
        start = (self._lyapunov @ noise.ravel()).reshape(n, n)
        propagators = linalg.expm(self._drift * self.grid.lags[:, None, None])
        every = np.einsum("tkj,jk->kt", propagators, start)
        return np.ascontiguousarray(every[: len(self.fields)])

    def filtered(self, currents: Floats) -> Floats:
        """Covariances of the fields from S_a, without noise and inputs."""
        return np.asarray((self._matrix @ currents.ravel()).reshape(len(self.fields), -1))

    @cached_property
    def _matrix(self) -> Floats:
        """The kernels as one matrix (field and lag out, current and lag in)."""
        fields, currents, size, _ = self.kernels.shape
        return self.kernels.transpose(0, 2, 1, 3).reshape(fields * size, currents * size)
