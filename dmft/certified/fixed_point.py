r"""Arrays of numbers with many digits: integers, multiples of 2^-bits, in numpy's object arrays.

Sums and products of whole arrays cost about a tenth of a microsecond an element, many times less than
floating-point numbers of mpmath one by one. Rounding is that of the last bit; nothing is proved.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import mpmath
import numpy as np
from numpy.typing import NDArray

__all__ = ["Cosines", "FixedPoint", "Integers"]

Integers = NDArray[np.object_]


@dataclass(frozen=True)
class FixedPoint:
    """Arithmetic with ``bits`` bits behind the point."""

    bits: int

    @property
    def one(self) -> int:
        """The number 1."""
        return 1 << self.bits

    def of(self, value: Any) -> int:
        """From a number of mpmath, a float or an int."""
        if isinstance(value, int):
            return value << self.bits
        if isinstance(value, float):
            value = mpmath.mpf(value)
        return int(mpmath.libmp.to_int(mpmath.libmp.mpf_shift(value._mpf_, self.bits)))

    def array(self, values: Any) -> Integers:
        """From an iterable of such numbers, or an array of floats."""
        flat = [self.of(v) for v in np.asarray(values, dtype=object).ravel()]
        result = np.empty(len(flat), dtype=object)
        result[:] = flat
        return result.reshape(np.shape(values))

    def product(self, a: Any, b: Any) -> Any:
        """a b."""
        return (a * b) >> self.bits

    def quotient(self, a: Any, b: Any) -> Any:
        """a / b."""
        return (a << self.bits) // b

    def floats(self, values: Any) -> NDArray[np.float64]:
        """To doubles."""
        shift = max(self.bits - 1000, 0)
        scale = 2.0 ** (self.bits - shift)
        flat = [(int(v) >> shift) / scale for v in np.asarray(values, dtype=object).ravel()]
        return np.array(flat, dtype=np.float64).reshape(np.shape(values))

    def text(self, value: int, digits: int) -> str:
        """``digits`` significant decimal digits."""
        with mpmath.workprec(self.bits + 64):
            return str(
                mpmath.nstr(mpmath.mpf(int(value)) / (1 << self.bits), digits, strip_zeros=False)
            )


@dataclass(frozen=True)
class Cosines:
    """The cosine series of `LagGrid` with ``intervals`` n, in fixed point, by flint's fast transform."""

    fixed: FixedPoint
    intervals: int

    def _transform(self, values: Integers) -> Integers:
        """sum_j' v_j cos(pi j k / n), the ends counted half; over the last axis."""
        import flint

        fixed, n = self.fixed, self.intervals
        rows = np.asarray(values, dtype=object).reshape(-1, n + 1)
        result = np.empty(rows.shape, dtype=object)
        before = flint.ctx.prec
        flint.ctx.prec = fixed.bits + 64
        try:
            for i, row in enumerate(rows):
                mirrored = [flint.acb(int(v)) for v in (*row, *row[-2:0:-1])]
                spectrum = flint.acb.dft(mirrored)
                result[i] = [
                    int(spectrum[k].real.mid().floor().unique_fmpz()) >> 1 for k in range(n + 1)
                ]
        finally:
            flint.ctx.prec = before
        return result.reshape(np.shape(values))

    def coefficients(self, values: Integers) -> Integers:
        """a_k with f(tau) = sum_k a_k cos(omega_k tau), for (..., n + 1) values."""
        a = self._transform(values) * 2 // self.intervals
        a[..., [0, -1]] //= 2
        return np.asarray(a)

    def values(self, coefficients: Integers) -> Integers:
        """f at the lags."""
        doubled = coefficients.copy()
        doubled[..., [0, -1]] *= 2
        return self._transform(doubled)
