r"""Anderson's iteration for x = F(x): combine the last images so that residuals nearly cancel.

    x_new = F_n - sum_i c_i (F_n - F_i),   c minimises | r_n - sum_i c_i (r_n - r_i) |,   r_i = F_i - x_i

(D. G. Anderson, J. ACM 12, 547 (1965)). Rows are functions of the lag, scaled by their first values.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

__all__ = ["AndersonHistory"]

Floats = NDArray[np.float64]


@dataclass
class AndersonHistory:
    """The last ``depth`` pairs of arguments and images."""

    depth: int = 7
    pairs: list[tuple[Floats, Floats]] = field(default_factory=list)

    def add(self, x: Floats, image: Floats) -> None:
        """Note a pair; the oldest is forgotten."""
        self.pairs = [*self.pairs[-(self.depth - 1) :], (x, image)]

    def forget(self) -> None:
        """Keep the last pair only."""
        self.pairs = self.pairs[-1:]

    def combined(self) -> Floats:
        """The next argument; the last image where nothing else is known."""
        x, image = self.pairs[-1]
        if len(self.pairs) == 1:
            return image
        scale = x[:, :1]
        residuals = [((f - y) / scale).ravel() for y, f in self.pairs]
        differences = np.array([residuals[-1] - r for r in residuals[:-1]]).T
        shares, *_ = np.linalg.lstsq(differences, residuals[-1], rcond=1e-8)
        steps = np.array([image - f for _, f in self.pairs[:-1]])
        return np.asarray(image - np.einsum("n,ngl->gl", shares, steps))
