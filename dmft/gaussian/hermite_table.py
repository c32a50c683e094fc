r"""Normalised Hermite functions on uniform nodes, shared by all averages.

psi_n(x) = he_n(x) sqrt(w(x)), he_n orthonormal under the standard normal density w, from the stable
recurrence  psi_{n+1} = (x psi_n - sqrt(n) psi_{n-1}) / sqrt(n+1). Nodes are x = 0, h, 2h, ... up to
`REACH`; parity, psi_n(-x) = (-1)^n psi_n(x), gives the other half.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

__all__ = ["BLOCK", "HermiteTable", "hermite_table"]

Floats = NDArray[np.float64]

#: Beyond this node sqrt(w) < 1e-17.
REACH = 12.6
#: Orders are produced in blocks of this many rows.
BLOCK = 256
#: Rows are kept up to this size (bytes) a table; higher orders are produced anew each time.
_KEPT = 48 * 2**20


class HermiteTable:
    """Blocks of rows psi_n(x_j), j over nodes >= 0, for one step h."""

    def __init__(self, step: float) -> None:
        self.step = step
        self.nodes: Floats = step * np.arange(int(REACH / step) + 1, dtype=np.float64)
        self.root_density: Floats = np.exp(-(self.nodes**2) / 4) / (2 * np.pi) ** 0.25
        self._blocks: list[Floats] = []

    def blocks(self) -> Iterator[Floats]:
        """Rows 0 .. BLOCK-1, then the next BLOCK, without end. Do not write into them."""
        yield from self._blocks
        number = len(self._blocks)
        if number:
            before, last = self._blocks[-1][-2], self._blocks[-1][-1]
        else:
            before, last = np.zeros_like(self.nodes), self.root_density
        while True:
            block = np.empty((BLOCK, self.nodes.size))
            for row in range(BLOCK):
                n = number * BLOCK + row
                if n > 0:
                    following = (self.nodes * last - np.sqrt(n - 1) * before) / np.sqrt(n)
                    before, last = last, following
                block[row] = last
            # another consumer may have gone further meanwhile: append only the next block
            if len(self._blocks) == number and (number + 1) * block.nbytes <= _KEPT:
                self._blocks.append(block)
            number += 1
            yield block


@lru_cache(maxsize=8)
def hermite_table(step: float) -> HermiteTable:
    """The table of a step; the last few are kept."""
    return HermiteTable(step)
