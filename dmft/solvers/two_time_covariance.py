r"""Covariances of linear fields along one path of their coefficients, one row a step.

The fields x of a group obey the recursion of `two_time_step` with Gaussian drives w of covariance C(n, m)
on the grid and mean wbar. Wanted are the covariances of the predicted states x^, on which outputs depend:

    K(n+1, m)  = <x^_{n+1} x^_m>,  m <= n + 1.

With N(n, m) = <x_n x^_m> and H_j(m) = <x^_m w_j>, one step is

    K(n+1, m) = P N(n, m) + (U + V + X) H_n(m) - X H_{n-1}(m),                            m <= n,
    N(n+1, m) = P N(n, m) + U H_n(m) + V H_{n+1}(m),
    G_j(m+1)  = P_m G_j(m) + U_m C(m, j) + V_m C(m+1, j),   G_j(0) = 0,    G_j(m) = <x_m w_j>,
    H_j(m)    = G_j(m) + (V + X) C(m-1, j) - X C(m-2, j) - V C(m, j),      weights of the step to m,

all centred, transposes left out. Covariances among x_n, w_{n-1}, w_n, w_{n+1} form a Gram matrix from which
the equal-time values follow. Cost: O(n) a path and step. With Euler's weights P = 1 - a, U = a, V = X = 0
these are the equations of THEORY, section 9. Axes: matrix indices, then paths; histories have time first.
The start is independent of the couplings and of all inputs: G_j(0) = 0.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from .two_time_history import History, PropagatorHistory, times
from .two_time_step import StepWeights

__all__ = ["LinearGroup"]

Floats = NDArray[np.float64]

_HISTORIES = (
    *("before", "after", "extrapolation"),
    *("crossed", "drive_now", "drive_before", "means"),
)


def _turned(stack: Floats) -> Floats:
    """Transposed matrices (..., i, j, paths) -> (..., j, i, paths)."""
    return np.swapaxes(stack, -3, -2)


class LinearGroup:
    """Fields that are driven together, for many paths of their coefficients (or one).

    ``variance`` (size, paths) and ``mean`` (size, paths) are those of the start.
    """

    def __init__(self, drives: int, variance: Floats, mean: Floats, capacity: int = 0) -> None:
        size, paths = variance.shape
        self.size, self.drives, self.paths = size, drives, paths
        self.propagators = PropagatorHistory(size, paths, capacity)
        self.before = History((size, drives, paths), capacity)
        self.after = History((size, drives, paths), capacity)
        self.extrapolation = History((size, drives, paths), capacity)
        self.crossed = History((size, size, paths), capacity)  # N(n, m) over m
        self.drive_now = History((size, drives, paths), capacity)  # H_n(m)
        self.drive_before = History((size, drives, paths), capacity)  # H_{n-1}(m)
        self.means = History((size, paths), capacity)  # of x^_m
        self.mean = mean.copy()  # of x_n
        start = np.zeros((size, size, paths))
        start[np.arange(size), np.arange(size)] = variance
        self.gram = np.zeros((size + 2 * drives, size + 2 * drives, paths))  # x_n, w_{n-1}, w_n
        self.gram[:size, :size] = start
        self.crossed.append(start)
        self.means.append(mean)
        self.covariance = start[None]  # K(n, m) over m
        for history in (self.drive_now, self.drive_before):
            history.append(np.zeros((size, drives, paths)))

    def begin(self, drive: Floats) -> None:
        """Tell the covariance C(0, 0) of the drives, (drives,), which the start determines."""
        which = self.size + self.drives + np.arange(self.drives)
        self.gram[which, which] = drive[:, None]

    def predict(self, weights: StepWeights, drive_mean: Floats) -> Floats:
        """K(n+1, m), m = 0 .. n+1, (n+2, size, size, paths). ``drive_mean``: at n-1 and n, (2, drives)."""
        s = self.size
        self._weights = weights
        before, now = np.asarray(drive_mean)[..., None]
        forced = weights.predicted * now - weights.extrapolation * before
        expected = times(weights.propagator, self.mean[:, None])[:, 0]
        self.predicted_mean = expected + forced.sum(axis=1) + weights.constant
        self._predicted = np.concatenate(
            [weights.propagator, -weights.extrapolation, weights.predicted], axis=1
        )
        n = self.crossed.size
        row = np.empty((n + 1, s, s, self.paths))
        row[:n] = times(weights.propagator, self.crossed.rows)
        row[:n] += times(weights.predicted, _turned(self.drive_now.rows))
        if weights.extrapolation.any():
            row[:n] -= times(weights.extrapolation, _turned(self.drive_before.rows))
        square = times(times(self._predicted, self.gram), _turned(self._predicted))
        row[n] = square + weights.noise[..., None]
        self.covariance = row
        return row

    def correct(self, drive: Floats, drive_mean: Floats) -> None:
        """Finish the step with C(n+1, m), m = 0 .. n+1, (drives, n+2), and the means at n and n+1."""
        s, q, w = self.size, self.drives, self._weights
        n = self.crossed.size - 1
        self.propagators.append(w.propagator)
        self.before.append(w.before)
        self.after.append(w.after)
        self.extrapolation.append(w.extrapolation)
        column = drive.T[:, None, :, None]  # (n+2, 1, drives, 1)
        crossed = self._crossed_with_drive(column)
        # x_n, w_{n-1}, w_n, w_{n+1}
        gram = np.zeros((s + 3 * q, s + 3 * q, self.paths))
        gram[: s + 2 * q, : s + 2 * q] = self.gram
        new = slice(s + 2 * q, s + 3 * q)
        which = np.arange(q)
        if n > 0:
            gram[:s, new] = crossed[n - 1]
            gram[s + which, s + 2 * q + which] = drive[:, n - 1, None]
        gram[s + q + which, s + 2 * q + which] = drive[:, n, None]
        gram[s + 2 * q + which, s + 2 * q + which] = drive[:, n + 1, None]
        upper = gram[: s + 2 * q, new]
        gram[new, : s + 2 * q] = _turned(upper)
        corrected = np.concatenate([w.propagator, np.zeros_like(w.before), w.before, w.after], 1)
        predicted = np.concatenate([self._predicted, np.zeros_like(w.after)], axis=1)
        with_all = times(corrected, gram)
        noise = w.noise[..., None]

        now_predicted = times(predicted, gram)  # x^_{n+1} with x_n, w_{n-1}, w_n, w_{n+1}
        following = self._with_predicted(crossed, column)
        self.drive_now.append(now_predicted[:, s + q : s + 2 * q])
        row = times(w.propagator, self.crossed.rows)
        row += times(w.before, _turned(self.drive_now.rows[: n + 1]))
        row += times(w.after, _turned(following[: n + 1]))
        self.crossed.rows[:] = row
        self.crossed.append(times(with_all, _turned(predicted)) + noise)
        self.drive_before, self.drive_now = self.drive_now, self.drive_before
        self.drive_now.replace(following)

        square = times(with_all, _turned(corrected)) + noise
        self.gram = np.zeros_like(self.gram)
        self.gram[:s, :s] = square
        self.gram[:s, s : s + 2 * q] = with_all[:, s + q :]
        self.gram[s : s + 2 * q, :s] = _turned(with_all[:, s + q :])
        self.gram[s:, s:] = gram[s + q :, s + q :]
        now, after = np.asarray(drive_mean)[..., None]
        forced = (w.before * now + w.after * after).sum(axis=1) + w.constant
        self.mean = times(w.propagator, self.mean[:, None])[:, 0] + forced
        self.means.append(self.predicted_mean)

    def local_error(self, weights: Floats) -> Floats:
        """Estimated error of the latest step, root mean square over paths, over that of x, (size,).

        The trapezoidal rule leaves h^3 w''/12, the difference of corrected and predicted state is
        h^3 w''/2 while h is short: a sixth of it.
        """
        s, last = self.size, np.arange(self.size)
        square = self.gram[last, last] + self.covariance[-1, last, last]
        apart = square - 2 * self.crossed.rows[-1][last, last]
        apart = np.maximum(apart, 0.0) + (self.mean - self.means.rows[-1]) ** 2
        size = self.gram[:s, :s][last, last] + self.mean**2
        rms = np.sqrt(apart @ weights)
        return np.asarray(rms / np.maximum(6 * np.sqrt(size @ weights), 1e-300))

    def state(self) -> dict[str, Floats]:
        """Everything that a continuation needs."""
        return {name: getattr(self, name).rows for name in _HISTORIES} | {
            "propagators": self.propagators.step.rows,
            "mean": self.mean,
            "gram": self.gram,
        }

    def restore(self, state: Mapping[str, Floats]) -> None:
        """Go on from a state."""
        for name in _HISTORIES:
            getattr(self, name).replace(state[name])
        self.propagators.restore(state["propagators"])
        self.mean, self.gram = np.array(state["mean"]), np.array(state["gram"])

    def _crossed_with_drive(self, column: Floats) -> Floats:
        """G_{n+1}(m), m = 1 .. n+1 (and room), (n+1, size, drives, paths)."""
        n = self.before.size
        sources = np.zeros_like(self.before.padded(n))
        sources[:n] = self.before.rows * column[:n] + self.after.rows * column[1 : n + 1]
        return self.propagators.recursion(sources)

    def _with_predicted(self, crossed: Floats, column: Floats) -> Floats:
        """H_{n+1}(m), m = 0 .. n+1, from G."""
        n = self.before.size
        result = np.zeros((n + 1, *crossed.shape[1:]))
        result[1:] = crossed[:n] + self.after.rows * (column[:n] - column[1 : n + 1])
        extrapolation = self.extrapolation.rows
        result[1:] += extrapolation * column[:n]
        result[2:] -= extrapolation[1:] * column[: n - 1]
        return result
