"""A parameter as a coordinate in which steps of one size make sense over its whole domain.

Positive parameters are followed in their logarithm; the others in arsinh(p / s), which is linear near
zero and logarithmic far out: s is small for variances of inputs, moderate for gains and biases.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dmft.codegen.info import ParameterInfo

__all__ = ["Axis"]

Floats = NDArray[np.float64]

_SIGNED_SCALE, _NONNEGATIVE_SCALE = 0.1, 1e-4
#: Beyond these values no boundary is looked for.
_SMALLEST, _LARGEST, _LARGEST_SIGNED = 1e-4, 1e4, 200.0


@dataclass(frozen=True)
class Axis:
    """The coordinate of one parameter."""

    parameter: ParameterInfo

    @property
    def _scale(self) -> float:
        return _NONNEGATIVE_SCALE if self.parameter.nonnegative else _SIGNED_SCALE

    def coordinate(self, value: Any) -> Any:
        """From values to coordinates."""
        if self.parameter.positive:
            return np.log(value)
        return np.arcsinh(np.asarray(value) / self._scale)

    def value(self, coordinate: Any) -> Any:
        """From coordinates to values."""
        if self.parameter.positive:
            return np.exp(coordinate)
        return self._scale * np.sinh(coordinate)

    def slope(self, coordinate: float) -> float:
        """d value / d coordinate."""
        if self.parameter.positive:
            return float(np.exp(coordinate))
        return float(self._scale * np.cosh(coordinate))

    @property
    def ends(self) -> tuple[float, float]:
        """Coordinates between which boundaries are looked for."""
        if self.parameter.positive:
            return float(np.log(_SMALLEST)), float(np.log(_LARGEST))
        if self.parameter.nonnegative:
            return 0.0, float(self.coordinate(_LARGEST))
        end = float(self.coordinate(_LARGEST_SIGNED))
        return -end, end

    @property
    def columns(self) -> Floats:
        """Coordinates, about 0.4 apart, on which changes of sign are looked for."""
        low, high = self.ends
        half = int(np.ceil((high - low) / 0.8))
        if self.parameter.positive or self.parameter.nonnegative:
            return np.linspace(low, high, 2 * half + 1)
        ahead = np.linspace(0.0, high, half + 1)  # zero is a column, and both sides are alike
        return np.concatenate([-ahead[:0:-1], ahead])
