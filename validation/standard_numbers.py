"""Independent random numbers of mean 0 and variance 1, in single precision."""

from __future__ import annotations

from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

Distribution = Literal["gaussian", "uniform", "binary"]


def standard_numbers(
    distribution: Distribution, shape: tuple[int, ...], rng: np.random.Generator
) -> NDArray[Any]:
    """An array of normal numbers, of numbers uniform on +-sqrt(3), or of +1 and -1.

    >>> standard_numbers("binary", (4,), np.random.default_rng(0))
    array([ 1., -1., -1.,  1.], dtype=float32)
    """
    if distribution == "gaussian":
        return rng.standard_normal(shape, dtype=np.float32)
    numbers = rng.random(shape, dtype=np.float32)
    if distribution == "uniform":
        numbers -= np.float32(0.5)
        numbers *= np.float32(12**0.5)
        return numbers
    return np.where(numbers < 0.5, np.float32(-1), np.float32(1))
