r"""Arrays that grow by one row a time step, and linear recursions along them.

The recursion  g_{m+1} = P_m g_m + s_m,  g_0 given, runs for every path over all past times at every step.
Done row by row it would cost as many interpreter calls as there are times; here the times are cut into
blocks of `BLOCK` rows, the recursion runs through all blocks at once from zero,

    g_m = l_m + Lambda_m g_start,      l_{m+1} = P_m l_m + s_m,      Lambda_{m+1} = P_m Lambda_m,

and the value at a block's end is carried to the next. Lambda grows along with P and is stored. It decays
where P does: nothing is divided by, so that long times do not overflow.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

__all__ = ["BLOCK", "History", "PropagatorHistory", "times"]

Floats = NDArray[np.float64]

#: Rows a block: the cost of a recursion over n rows is that of 2 (n / BLOCK + BLOCK) array operations.
BLOCK = 32


class History:
    """Rows of one shape, appended at the end; room doubles when it runs out."""

    def __init__(self, shape: tuple[int, ...], capacity: int = 0) -> None:
        self._rows = np.zeros((_rounded(capacity), *shape))
        self.size = 0

    @property
    def rows(self) -> Floats:
        """All rows so far, a view."""
        return self._rows[: self.size]

    def padded(self, size: int) -> Floats:
        """The first ``size`` rows and the room up to a full block, a view."""
        return self._rows[: _rounded(size)]

    def append(self, row: Floats) -> None:
        """Add one row."""
        if self.size == len(self._rows):
            room = np.zeros_like(self._rows)
            self._rows = np.concatenate([self._rows, room])
        self._rows[self.size] = row
        self.size += 1

    def replace(self, rows: Floats) -> None:
        """Take these rows instead."""
        if len(rows) > len(self._rows):
            self._rows = np.zeros((2 * _rounded(len(rows)), *rows.shape[1:]))
        self._rows[: len(rows)] = rows
        self.size = len(rows)


def _rounded(size: int) -> int:
    return BLOCK * max(1, -(-size // BLOCK))


def times(left: Floats, right: Floats) -> Floats:
    """Matrix products of stacks (..., i, j, paths) and (..., j, k, paths)."""
    if left.shape[-2] == 0:  # no drives: an empty sum
        shape = np.broadcast_shapes(left.shape[:-3], right.shape[:-3])
        return np.zeros((*shape, left.shape[-3], right.shape[-2], left.shape[-1]))
    total = left[..., :, :1, :] * right[..., :1, :, :]
    for j in range(1, left.shape[-2]):
        total += left[..., :, j : j + 1, :] * right[..., j : j + 1, :, :]
    return total


class PropagatorHistory:
    """P_m, (size, size, paths) each, with the products Lambda since the start of their block."""

    def __init__(self, size: int, paths: int, capacity: int = 0) -> None:
        self.step = History((size, size, paths), capacity)
        self._since = History((size, size, paths), capacity)

    def append(self, step: Floats) -> None:
        """Add the propagator of the next step."""
        begins = self.step.size % BLOCK == 0
        self._since.append(step if begins else times(step, self._since.rows[-1]))
        self.step.append(step)

    def recursion(self, sources: Floats) -> Floats:
        """g_1 .. g_n for the sources s_0 .. s_{n-1}, (n, size, columns, paths), and g_0 = 0.

        ``sources`` must have room up to a full block (`History.padded`); it is overwritten by the result.
        """
        count = len(sources) // BLOCK
        blocks = sources.reshape(count, BLOCK, *sources.shape[1:])
        step = self.step.padded(len(sources)).reshape(count, BLOCK, *self.step.rows.shape[1:])
        since = self._since.padded(len(sources)).reshape(step.shape)
        for row in range(1, BLOCK):
            blocks[:, row] += times(step[:, row], blocks[:, row - 1])
        for block in range(1, len(blocks)):
            blocks[block] += times(since[block], blocks[block - 1, -1][None])
        return sources

    def restore(self, steps: Floats) -> None:
        """Rebuild from stored propagators."""
        for step in steps:
            self.append(step)
