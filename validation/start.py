"""Initial states of a network: independent of its couplings, of chosen width, mean and shape."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, get_args

import numpy as np
from numpy.typing import DTypeLike, NDArray

from dmft.errors import InputError, did_you_mean, quoted

from .standard_numbers import Distribution, standard_numbers


@dataclass(frozen=True, slots=True)
class Start:
    """x_k(0) = mean_k + deviation_k u, with an independent u of variance 1 for every unit and field.

    A number counts for all fields; a mapping names fields, those it leaves out start at 0. The theory
    of N -> infinity depends on the distribution of u for as long as it remembers the start.

    >>> Start(0.5, mean={"x": 1.0}).draw(("x",), (2, 3), np.random.default_rng(0))[0].shape
    (2, 3)
    """

    deviation: float | Mapping[str, float] = 1.0
    mean: float | Mapping[str, float] = 0.0
    distribution: Distribution = "gaussian"

    def __post_init__(self) -> None:
        if self.distribution not in get_args(Distribution):
            raise InputError(
                f"distribution of the start: {quoted(self.distribution)} was given; choose "
                f"{', '.join(get_args(Distribution))}"
            )

    def of(self, field: str) -> tuple[float, float]:
        """Mean and standard deviation of a field."""
        mean, deviation = (
            float(given.get(field, 0.0) if isinstance(given, Mapping) else given)
            for given in (self.mean, self.deviation)
        )
        return mean, deviation

    def draw(
        self,
        fields: Sequence[str],
        shape: tuple[int, int],
        rng: np.random.Generator,
        dtype: DTypeLike = np.float32,
    ) -> list[NDArray[Any]]:
        """One array per field. Raises `InputError` for a field that is not there."""
        for given in (self.mean, self.deviation):
            for name in given if isinstance(given, Mapping) else ():
                if name not in fields:
                    raise InputError(
                        f"start: there is no field {quoted(name)}{did_you_mean(name, fields)}; "
                        f"fields: {', '.join(fields)}"
                    )
        states = []
        for field in fields:
            mean, deviation = self.of(field)
            numbers = deviation * standard_numbers(self.distribution, shape, rng)
            states.append((numbers + mean if mean else numbers).astype(dtype, copy=False))
        return states
