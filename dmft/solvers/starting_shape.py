r"""A shape to start from: the stationary equations applied again and again at a fixed amplitude.

The map C -> q |G|^2 * S(C), q chosen such that C_1(0) keeps its value, sharpens the spectrum: the
filters favour their pass band, the nonlinearity the strongest frequencies, until the narrowing in
frequency (wide in lag) is stopped by the nonlinearity itself, which narrows in lag. White noise
through the filters is the start, so that nothing is assumed about the shape: it may fall
monotonically or, where the filters resonate, oscillate. The iteration is that of S. P. Muscinelli,
W. Gerstner & T. Schwalger, PLoS Comput. Biol. 15, e1007122 (2019), at fixed amplitude instead of
fixed coupling, which spares it the way to zero or to a constant.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from .lag_grid import LagGrid
from .linear_theory import LinearTheory
from .stationary_problem import StationaryProblem

__all__ = ["settling_shapes"]

Floats = NDArray[np.float64]

#: Newton's method is tried when a step changes less than this, relative to C(0), then less often.
_SETTLED = 1e-3
_MOST_STEPS = 600
#: Steps between two looks at the grid: a cusp or a cut tail must have time to smoothen.
_BETWEEN_LOOKS = 4
_ENOUGH_DECAY, _ENOUGH_MODES, _TOO_MANY_MODES = 1e-2, 1e-4, 1e-9
_LONGEST = 4096


def settling_shapes(
    linear: LinearTheory, amplitude: float, average_tol: float
) -> Iterator[tuple[LagGrid, Floats, float]]:
    """Grid, covariances of the active fields and coupling scale q, closer and closer.

    The next one is worked out only if Newton's method did not converge from the last. Close to the
    onset the iteration is slow: a small change is no proof of a small distance.
    """
    grid = _first_grid(linear)
    problem = StationaryProblem(linear, grid, average_tol)
    c = grid.values(np.sum(problem.active_gain, axis=1))
    c *= amplitude / c[0, 0]
    c *= np.minimum(1.0, amplitude / c[:, :1])  # other fields may be far larger; they settle
    enough = _SETTLED
    for step in range(1, _MOST_STEPS + 1):
        new = problem.filtered(problem.currents(c).covariance)
        q = amplitude / float(new[0, 0])
        new *= q
        change = float(np.max(abs(new - c) / new[:, :1]))
        c = new
        if step % _BETWEEN_LOOKS:
            continue
        adapted = _adapted(grid, c)
        if adapted is None:
            return
        if adapted != grid:
            c, grid = grid.resample(c, adapted), adapted
            problem = StationaryProblem(linear, grid, average_tol)
        elif change <= enough:
            yield grid, c, q
            enough /= 4


def _first_grid(linear: LinearTheory) -> LagGrid:
    """About sixteen correlation times of the first active field under white noise."""
    rates = abs(np.linalg.eigvals(linear.drift))
    frequencies = np.geomspace(1e-4 * rates.min(), 1e3 * rates.max(), 400)
    power = np.sum(linear.gain(frequencies)[linear.active[0]], axis=0)
    band = np.trapezoid(power, frequencies) ** 2 / np.trapezoid(power**2, frequencies)
    return LagGrid(16 / float(band), 96)


def _adapted(grid: LagGrid, c: Floats) -> LagGrid | None:
    """Longer where a field has not decayed, denser where cosines are missing, not more."""
    size, _ = grid.tail(c)
    rough = grid.unresolved(c)
    length = grid.length * (1.5 if np.max(size / c[:, 0]) > _ENOUGH_DECAY else 1.0)
    density = grid.intervals / grid.length
    if rough > _ENOUGH_MODES:
        density *= 1.5
    elif rough < _TOO_MANY_MODES and length > grid.length:
        density /= 1.5
    new = LagGrid(length, int(np.ceil(length * density / 16)) * 16)
    return None if new.intervals > _LONGEST else new
