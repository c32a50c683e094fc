"""Values between lags by a spline, for functions that have a cusp at lag zero."""

from __future__ import annotations

import numpy as np

from .frozen import FloatArray

__all__ = ["spline_interpolation"]

#: Quintic: errors fall with the sixth power of the spacing, which may vary.
_DEGREE = 5


def spline_interpolation(values: FloatArray, grid: FloatArray, lags: FloatArray) -> FloatArray:
    """Values at any ``lags`` (any shape), even in the lag; beyond the last of ``grid`` the last one.

    >>> grid = np.linspace(0.0, 5.0, 101)
    >>> round(float(spline_interpolation(np.exp(-grid), grid, np.array([-1.01]))[0]), 8)
    0.36421898
    """
    from scipy.interpolate import make_interp_spline

    wanted = np.minimum(np.abs(lags), grid[-1])
    if len(values) == 1:
        return np.full(np.shape(wanted), values[0])
    degree = min(_DEGREE, 2 * (len(values) // 2) - 1)
    result: FloatArray = np.asarray(make_interp_spline(grid, values, k=degree)(wanted))
    return result
