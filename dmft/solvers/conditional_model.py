"""A conditionally Gaussian theory at given parameters, and which averages it needs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from dmft.codegen.conditional import CompiledConditional

from .path_matrix import PathMatrix
from .steady_fields import SteadyFields

__all__ = ["ConditionalModel"]

Floats = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class ConditionalModel:
    """A theory at given parameters, and which averages it needs."""

    theory: CompiledConditional
    parameters: Mapping[str, float]

    @cached_property
    def steady(self) -> SteadyFields:
        """The fields with constant coefficients."""
        return SteadyFields(self.theory, self.parameters)

    @cached_property
    def strength(self) -> Floats:
        """v_a c_a^2, (currents,)."""
        coefficients = self.theory.vector("coefficients", self.parameters)
        return self.theory.vector("weights", self.parameters) * coefficients**2

    @cached_property
    def groups(self) -> tuple[tuple[int, ...], ...]:
        """Currents of equal covariance: equal output and strength."""
        found: dict[tuple[tuple[int, ...], float], list[int]] = {}
        for a, output in enumerate(self.theory.outputs):
            found.setdefault((output.factors, float(self.strength[a])), []).append(a)
        return tuple(tuple(members) for members in found.values())

    @cached_property
    def group_of(self) -> tuple[int, ...]:
        """The group of each current."""
        return tuple(
            next(g for g, members in enumerate(self.groups) if a in members)
            for a in range(len(self.theory.outputs))
        )

    def sampled(self, factors: Sequence[int]) -> tuple[int, ...]:
        """The factors whose average runs over paths; empty when none is a function of the block."""
        fields = [self.theory.functions[f].field for f in factors]
        if not any(x in self.theory.block for x in fields):
            return ()
        both = (*self.theory.block, *self.theory.gating)
        return tuple(f for f, x in zip(factors, fields, strict=True) if x in both)

    @cached_property
    def parts(self) -> tuple[tuple[int, ...], ...]:
        """Different sets of factors that are sampled, of outputs and observables."""
        products = [o.factors for o in (*self.theory.outputs, *self.theory.observables) if o]
        found = dict.fromkeys(self.sampled(factors) for factors in products)
        return tuple(part for part in found if part)

    @cached_property
    def input_variances(self) -> Floats:
        """Of quenched inputs; intensities of white ones."""
        return self.theory.vector("input_variances", self.parameters)

    @cached_property
    def input_means(self) -> Floats:
        """Of the inputs; zero for white ones."""
        return self.theory.vector("input_means", self.parameters)

    @cached_property
    def noisy(self) -> bool:
        """Whether there is white noise, which leaves cusps at lag 0."""
        white = zip(self.input_variances, self.theory.white, strict=True)
        return any(w and v > 0 for v, w in white)

    @cached_property
    def still(self) -> bool:
        """Whether no gating field moves a coefficient at these parameters."""
        x = np.linspace(-3.3, 3.1, 17)
        gates = self.gates(np.array([(1 + 0.2 * n) * x for n in range(len(self.theory.gating))]))
        values = [
            np.asarray(v, dtype=float)
            for name in self.theory.moving
            for v in self.moving(name, gates).entries.values()
        ]
        return not any(np.ptp(v) > 1e-14 * np.max(abs(v)) for v in values)

    @cached_property
    def decays(self) -> bool:
        """Whether correlations can decay to zero: odd outputs of fields without mean."""
        quenched = [
            v for v, w in zip(self.input_variances, self.theory.white, strict=True) if not w
        ]
        if np.any(quenched) or np.any(self.input_means) or np.any(self.steady.constant):
            return False
        if self.theory.moving["constant"].places:
            return False
        return all(any(self._is_odd(f) for f in o.factors) for o in self.theory.outputs)

    def _is_odd(self, function: int) -> bool:
        x = np.linspace(0.013, 5.1, 61)
        plus, minus = self.function(function, x), self.function(function, -x)
        return bool(np.max(abs(plus + minus)) <= 4e-15 * np.max(abs(plus)))

    def function(self, position: int, x: Floats, order: int = 0) -> Floats:
        """f, f' or f'' of a function of one field."""
        return np.asarray(self.theory.functions[position].at(x, self.parameters)[order])

    def moving(self, name: str, gates: Mapping[str, Floats]) -> PathMatrix:
        """A moving matrix along paths of the gating fields."""
        part = self.theory.moving[name]
        return PathMatrix(dict(zip(part.places, part.at(self.parameters, gates), strict=True)))

    def gates(self, values: Floats) -> dict[str, Floats]:
        """Values of the gating fields by name, from (gating fields, ...)."""
        names = [self.theory.info.fields[k] for k in self.theory.gating]
        return dict(zip(names, values, strict=True))
