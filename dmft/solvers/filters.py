"""The linear filters of a theory at given parameters: y' = A y + B s, and how fast they are."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from dmft.codegen.conditional import CompiledConditional
from dmft.codegen.theory import CompiledTheory

__all__ = ["Filters"]

Floats = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Filters:
    """A and B; ``fields`` are those that the filters give, ``sources`` what they filter."""

    theory: CompiledTheory | CompiledConditional
    parameters: Mapping[str, float]

    @cached_property
    def drift(self) -> Floats:
        """A, (fields, fields)."""
        return self.theory.matrices["drift"].at(self.parameters)

    @cached_property
    def inputs(self) -> Floats:
        """B, (fields, sources)."""
        return self.theory.matrices["input"].at(self.parameters)

    @cached_property
    def slowest_rate(self) -> float:
        """Decay rate of the slowest filter: minus the largest real part of A's eigenvalues."""
        return float(-np.max(np.linalg.eigvals(self.drift).real))

    @cached_property
    def fastest_rate(self) -> float:
        """The largest modulus of A's eigenvalues."""
        return float(np.max(abs(np.linalg.eigvals(self.drift))))
