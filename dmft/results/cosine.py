r"""Even functions on a window, from their values on a uniform grid.

A stationary autocorrelation is even and smooth, so on [0, T] it has the cosine series

    C(tau) = sum_k a_k cos(pi k tau / T),      a = DCT-I of the values at tau_j = j T / (n - 1),

which interpolates the values and converges faster than any power of 1/n as long as C'(T) is
negligible (L. N. Trefethen, Spectral Methods in MATLAB, SIAM 2000, ch. 8: the series in
cos(k theta) is the Chebyshev series in cos(theta)).
"""

from __future__ import annotations

import numpy as np

from .frozen import FloatArray

__all__ = ["cosine_coefficients", "cosine_interpolation"]

#: Entries of the largest cosine matrix held at once (8 MB).
_BLOCK = 1_000_000


def cosine_coefficients(values: FloatArray) -> FloatArray:
    """Coefficients a_k of the interpolating cosine series; the same shape (n,) as the values.

    >>> cosine_coefficients(np.cos(np.pi * np.arange(5) / 4)).round(12) + 0.0
    array([0., 1., 0., 0., 0.])
    """
    n = len(values)
    if n == 1:
        return np.array(values)
    mirrored = np.concatenate([values, values[-2:0:-1]])
    coefficients: FloatArray = np.fft.rfft(mirrored).real / (n - 1)
    coefficients[[0, -1]] /= 2
    return coefficients


def cosine_interpolation(values: FloatArray, window: float, lags: FloatArray) -> FloatArray:
    """Values at any ``lags`` (any shape), even in the lag.

    Lags beyond the window T take the value at T: the window is chosen such that what lies beyond
    is below the tolerance, whereas the cosine series would turn round and rise again.
    """
    flat = np.minimum(np.abs(lags.ravel()), window)
    coefficients = cosine_coefficients(values)
    order = np.arange(len(coefficients))
    angle = np.pi * flat / window if window > 0 else np.zeros_like(flat)
    result = np.empty_like(flat)
    rows = max(1, _BLOCK // len(order))
    for start in range(0, len(flat), rows):
        part = slice(start, start + rows)
        result[part] = np.cos(np.outer(angle[part], order)) @ coefficients
    return result.reshape(lags.shape)
