r"""A compiled theory at given parameters: linear filters, strengths, inputs, and Gaussian averages.

Fields follow x' = A x + B xi + E I + W eta + b (`derivations.stationary`); what a solver needs of
that, for any model, is gathered here.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cached_property, lru_cache, partial

import numpy as np
from numpy.typing import NDArray

from dmft.codegen.theory import CompiledTheory
from dmft.gaussian.pair_average import PairAverage, pair_average

from .filters import Filters
from .frequency_peak import frequency_peak
from .statics import StaticCurve, driven_fields

__all__ = ["LinearTheory"]

Floats = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class LinearTheory(Filters):
    """A theory at given parameters: filters, weights, and the averages computed so far."""

    theory: CompiledTheory
    #: False leaves means where constants and inputs put them: the state without mean activity.
    mean_activity: bool = True
    noise_on: bool = True

    def without_mean_activity(self) -> LinearTheory:
        """The same theory in states whose mean outputs vanish (`StaticCurve.means_may_vanish`)."""
        return replace(self, mean_activity=False)

    def without_noise(self) -> LinearTheory:
        """The same theory with all white noise off."""
        return replace(self, noise_on=False)

    @cached_property
    def coefficients(self) -> Floats:
        """c_a, (currents,)."""
        return self.theory.vector("coefficients", self.parameters)

    @cached_property
    def variances(self) -> Floats:
        """v_a, the variances of the couplings, (currents,)."""
        return self.theory.vector("weights", self.parameters)

    @cached_property
    def current_means(self) -> Floats:
        """m_a, the means of the couplings, (currents,)."""
        return self.theory.vector("current_means", self.parameters)

    @cached_property
    def strength(self) -> Floats:
        """v_a c_a^2, (currents,)."""
        return self.variances * self.coefficients**2

    @cached_property
    def active(self) -> tuple[int, ...]:
        """Fields on which some output depends, first one that the couplings drive."""
        return driven_fields(self.theory, self.theory.outputs, self.response)

    @cached_property
    def place(self) -> dict[int, int]:
        """Position of a field among the active ones."""
        return {field: i for i, field in enumerate(self.active)}

    @cached_property
    def active_means(self) -> Floats:
        """Means of the active fields without the couplings, (active,)."""
        return self.constant_means[list(self.active)]

    @cached_property
    def responding(self) -> tuple[int, ...]:
        """Positions among the active fields whose mean depends on the activity."""
        rows = np.any(self.mean_gain[list(self.active)] != 0, axis=1)
        return tuple(int(i) for i in np.flatnonzero(rows))

    @cached_property
    def decays(self) -> bool:
        """Whether correlations of a fluctuating state decay to zero: nothing has a mean."""
        return self.is_symmetric and not self.responding

    @cached_property
    def response(self) -> Floats:
        """R = -A^{-1} B, (fields, currents)."""
        return self._at_rest(self.inputs)

    def _at_rest(self, drive: Floats) -> Floats:
        """-A^{-1} times a matrix or vector."""
        return np.asarray(-np.linalg.solve(self.drift, drive), dtype=np.float64)

    @cached_property
    def input_variances(self) -> Floats:
        """What quenched inputs add to every C_k(tau), (fields,)."""
        response = self._at_rest(self.theory.matrices["quenched"].at(self.parameters))
        return response**2 @ self.theory.vector("quenched_variances", self.parameters)

    @cached_property
    def constant_means(self) -> Floats:
        """The mean of every field without the couplings, (fields,)."""
        constant = self.theory.vector("constant", self.parameters)
        inputs = self.theory.matrices["quenched"].at(self.parameters)
        constant += inputs @ self.theory.vector("quenched_means", self.parameters)
        return self._at_rest(constant)

    @cached_property
    def mean_gain(self) -> Floats:
        """R_ka m_a c_a: the means of fields from mean products of functions, (fields, currents)."""
        if not self.mean_activity:
            return np.zeros_like(self.response)
        return self.response * self.current_means * self.coefficients

    @cached_property
    def noise(self) -> Floats:
        """W diag(D) W^T, (fields, fields)."""
        if not self.noise_on:
            return np.zeros_like(self.drift)
        matrix = self.theory.matrices["noise"].at(self.parameters)
        return matrix * self.theory.vector("noise_intensities", self.parameters) @ matrix.T

    @cached_property
    def has_noise(self) -> bool:
        """Whether white noise drives some field: then no state is constant."""
        return bool(np.any(self.noise))

    @cached_property
    def is_symmetric(self) -> bool:
        """Whether x -> -x leaves the theory as it is, so that correlations may decay to zero."""
        conditions = self.theory.conditions
        return "decay" in conditions and not self.theory.unmet("decay", self.parameters)

    def all_means(self, variances: Floats, means: Floats) -> Floats:
        """<x> of all fields, from variances and means of the active ones."""
        if not np.any(self.mean_gain):
            return self.constant_means
        outputs = self.mean_curve.mean_outputs(variances[:, None], means[:, None])[0][:, 0]
        return self.constant_means + self.mean_gain @ outputs

    @cached_property
    def mean_curve(self) -> StaticCurve:
        """Gives the means of outputs."""
        return self.static_curve(self.response**2)

    def static_curve(self, gain: Floats) -> StaticCurve:
        """Constant solutions for power gains (fields, currents), inputs and means included."""
        return StaticCurve(
            self.theory,
            self.parameters,
            self.theory.outputs,
            self.strength,
            gain,
            self.input_variances,
            self.constant_means,
            self.mean_gain,
        )

    @cached_property
    def peak_gain(self) -> Floats:
        """The largest |G_ka|^2 over all frequencies, (fields, currents)."""
        driven = np.any(self.gain(np.array([0.0, self.slowest_rate])) > 0, axis=-1)
        peak = np.zeros(self.inputs.shape)
        for k, a in np.argwhere(driven):

            def entry(frequencies: Floats, k: int = k, a: int = a) -> Floats:
                values: Floats = self.gain(frequencies)[k, a]
                return values

            peak[k, a] = frequency_peak(entry, self.drift)
        return peak

    @cached_property
    def average(self) -> Callable[[int, float, float, float], PairAverage]:
        """The series of a function (by position) at mean, variance and tolerance; recent ones kept."""

        @lru_cache(maxsize=32)
        def series(function: int, mean: float, variance: float, tol: float) -> PairAverage:
            at = partial(self.theory.functions[function].at, p=self.parameters)
            return pair_average(at, variance, tol, mean)

        return series

    def gain(self, frequencies: Floats, growth: float = 0.0) -> Floats:
        """|G_ka(growth + i omega)|^2, shape (fields, currents, frequencies)."""
        s = growth + 1j * np.asarray(frequencies)
        matrices = s[:, None, None] * np.eye(len(self.drift)) - self.drift
        transfer = np.linalg.solve(
            matrices, np.broadcast_to(self.inputs, (s.size, *self.inputs.shape))
        )
        power = np.asarray(abs(transfer) ** 2, dtype=np.float64)
        return np.moveaxis(power, 0, -1)
