r"""Functions of the lag on [0, T] by Chebyshev polynomials on panels: what is smooth for tau > 0.

White noise leaves a cusp at lag 0, which no cosine series has; on the positive side alone functions
are smooth. Panels, each with the Chebyshev points of the second kind and sharing their ends, are as
short as the fastest filter near lag 0 and grow with the lag; those that do not resolve a function
are halved (L. N. Trefethen, Spectral Methods in MATLAB, SIAM 2000, ch. 6, for the points and their
differentiation matrix; J.-P. Berrut and L. N. Trefethen, SIAM Rev. 46, 501 (2004), for interpolation).
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property, lru_cache

import numpy as np
from numpy.typing import NDArray
from scipy import fft

__all__ = ["ORDER", "PanelGrid", "differentiation"]

Floats = NDArray[np.float64]

#: Degree of the polynomials: ORDER + 1 points a panel.
ORDER = 15


@lru_cache(maxsize=1)
def _points() -> Floats:
    """Chebyshev points on [-1, 1], rising."""
    return np.asarray(-np.cos(np.pi * np.arange(ORDER + 1) / ORDER))


@lru_cache(maxsize=1)
def differentiation() -> Floats:
    """d/dx on the points of [-1, 1], (point, point)."""
    x = _points()
    c = np.ones(ORDER + 1)
    c[[0, -1]] = 2
    c *= (-1.0) ** np.arange(ORDER + 1)
    d = np.outer(c, 1 / c) / (x[:, None] - x[None, :] + np.eye(ORDER + 1))
    return np.asarray(d - np.diag(d.sum(axis=1)))  # rows of a derivative of constants sum to zero


@dataclass(frozen=True)
class PanelGrid:
    """Panels between the ``edges`` 0 = e_0 < e_1 < ... = T. The last axis of arrays is the lag."""

    edges: tuple[float, ...]

    @staticmethod
    def graded(shortest: float, longest: float, length: float) -> PanelGrid:
        """Panels from ``shortest`` at lag 0, each as long as all before it, up to ``longest``."""
        edges = [0.0]
        while edges[-1] < length:
            width = min(max(shortest, edges[-1]), longest)
            if edges[-1] + 1.5 * width >= length:
                width = length - edges[-1]
            edges.append(edges[-1] + width)
        return PanelGrid(tuple(edges))

    @property
    def length(self) -> float:
        """The window T."""
        return self.edges[-1]

    @property
    def panels(self) -> int:
        """How many."""
        return len(self.edges) - 1

    @cached_property
    def widths(self) -> Floats:
        """Of the panels."""
        return np.diff(np.array(self.edges))

    @cached_property
    def lags(self) -> Floats:
        """All points, shape (panels * ORDER + 1,)."""
        inside = (_points()[1:] + 1) / 2
        starts = np.array(self.edges[:-1])
        later = (starts[:, None] + self.widths[:, None] * inside).ravel()
        return np.concatenate([[0.0], later])

    def slice(self, panel: int) -> slice:
        """The points of a panel, both ends included."""
        return slice(panel * ORDER, (panel + 1) * ORDER + 1)

    def by_panel(self, values: Floats) -> Floats:
        """Values panel by panel, shape (..., panels, ORDER + 1)."""
        index = np.arange(self.panels)[:, None] * ORDER + np.arange(ORDER + 1)
        return np.asarray(values[..., index])

    def interpolate(self, values: Floats, lags: Floats) -> Floats:
        """Values at any lags of the window, shape (..., len(lags)), by the barycentric formula."""
        panel = np.clip(np.searchsorted(self.edges, lags, side="right") - 1, 0, self.panels - 1)
        x = 2 * (lags - np.array(self.edges)[panel]) / self.widths[panel] - 1
        weights = (-1.0) ** np.arange(ORDER + 1)
        weights[[0, -1]] /= 2
        difference = x[:, None] - _points()
        hit = abs(difference) < 1e-15
        difference[hit] = 1.0
        shares = weights / difference
        shares[np.any(hit, axis=1)] = 0.0
        shares[hit] = 1.0
        shares /= np.sum(shares, axis=1, keepdims=True)
        return np.asarray(np.sum(self.by_panel(values)[..., panel, :] * shares, axis=-1))

    def resample(self, part: Floats, grid: PanelGrid) -> Floats:
        """The same decaying functions on another grid; beyond this window they decay exponentially."""
        inside = self.interpolate(part, np.minimum(grid.lags, self.length))
        beyond = np.maximum(grid.lags - self.length, 0.0)
        _, rate = self.tail(part)
        return np.asarray(inside * np.exp(-rate[..., None] * beyond))

    def tail(self, part: Floats) -> tuple[Floats, Floats]:
        """What is left in the last tenth of the window, and its rate of decay, one per function."""
        late = np.max(abs(part[..., self.lags >= 0.9 * self.length]), axis=-1)
        middle = np.max(abs(part[..., self.lags >= 0.6 * self.length]), axis=-1)
        size = np.maximum(abs(part[..., -1]), np.where(self._turns(part), late, 0.0))
        with np.errstate(divide="ignore", invalid="ignore"):
            rate = np.log(np.clip(np.nan_to_num(middle / late), 1.05, 1e12)) / (0.3 * self.length)
        return size, rate

    @staticmethod
    def _turns(part: Floats) -> NDArray[np.bool_]:
        """Which functions change sign: their value at the end may be a zero."""
        return np.asarray(np.min(part, axis=-1) < -1e-3 * abs(part[..., 0]))

    def integral(self, values: Floats) -> Floats:
        """Over the window, by Clenshaw-Curtis."""
        coefficients = _coefficients(self.by_panel(values))
        even = np.arange(0, ORDER + 1, 2)
        weights = 2 / (1 - even**2)
        each = coefficients[..., even] @ weights / 2
        return np.asarray(np.sum(each * self.widths, axis=-1))

    def roughness(self, part: Floats, sizes: Floats | None = None) -> Floats:
        """Per panel: size of the last coefficients over the largest value of the function (or ``sizes``)."""
        a = abs(_coefficients(self.by_panel(part)))
        scale = (np.max(abs(part), axis=-1) if sizes is None else sizes)[..., None]
        last = np.max(a[..., -3:], axis=-1) / np.where(scale > 0, scale, 1.0)
        return np.asarray(np.max(last.reshape(-1, self.panels), axis=0))

    def refined(self, rough: NDArray[np.bool_]) -> PanelGrid:
        """With these panels halved."""
        edges = []
        for panel in range(self.panels):
            edges.append(self.edges[panel])
            if rough[panel]:
                edges.append((self.edges[panel] + self.edges[panel + 1]) / 2)
        return PanelGrid((*edges, self.length))

    def extended(self, length: float, longest: float) -> PanelGrid:
        """A longer window: more panels like the last one, or longer up to ``longest``."""
        width = max(float(self.widths[-1]), min(longest, 0.5 * self.length))
        count = max(1, int(np.ceil((length - self.length) / width)))
        more = self.length + (length - self.length) * np.arange(1, count + 1) / count
        return PanelGrid((*self.edges, *(float(e) for e in more)))


def _coefficients(values: Floats) -> Floats:
    """Chebyshev coefficients from values on the last axis."""
    a = fft.dct(values[..., ::-1], type=1, axis=-1) / ORDER
    a[..., [0, -1]] /= 2
    return np.asarray(a)
