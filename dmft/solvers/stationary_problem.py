r"""The stationary equations of a compiled theory on a lag grid, with their exact derivatives.

    R_k = C_k - q sum_a |G_ka|^2 * S_a(C),      S_a(tau) = v_a c_a^2 prod_f F_f(C_j(0), C_j(tau)),

k over the *active* fields, those on which some output depends; the others follow by their filters.
q, one in the theory, scales all couplings (variance): it is the unknown when an amplitude is
prescribed. Arrays have shape (active fields, lags). The derivative of S_a is

    dS_a(tau) = sum_j W_aj(tau) dC_j(tau) + U_aj(tau) dC_j(0),

W from dF/dC (Price: the Lyapunov weight), U from dF/dD at fixed C.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property, lru_cache, partial

import numpy as np
from numpy.typing import NDArray

from dmft.codegen.theory import CompiledTheory, ProductPart
from dmft.gaussian.pair_average import PairAverage, pair_average

from .frequency_peak import frequency_peak
from .lag_grid import LagGrid
from .statics import StaticCurve, driven_fields

__all__ = ["Currents", "LinearTheory", "StationaryProblem"]

Floats = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class LinearTheory:
    """A theory at given parameters: filters, weights, and the averages computed so far."""

    theory: CompiledTheory
    parameters: Mapping[str, float]

    @cached_property
    def drift(self) -> Floats:
        """A, (fields, fields)."""
        return self.theory.matrices["drift"].at(self.parameters)

    @cached_property
    def inputs(self) -> Floats:
        """B, (fields, currents)."""
        return self.theory.matrices["input"].at(self.parameters)

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
    def response(self) -> Floats:
        """R = -A^{-1} B, (fields, currents)."""
        return self._at_rest(self.inputs)

    def _at_rest(self, drive: Floats) -> Floats:
        """-A^{-1} times a matrix or vector."""
        result: Floats = -np.linalg.solve(self.drift, drive)
        return result

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
        return self.response * self.current_means * self.coefficients

    @cached_property
    def noise(self) -> Floats:
        """W diag(D) W^T, (fields, fields)."""
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
    def slowest_rate(self) -> float:
        """Decay rate of the slowest filter: minus the largest real part of A's eigenvalues."""
        return float(-np.max(np.linalg.eigvals(self.drift).real))

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
    def average(self) -> Callable[[int, float, float], PairAverage]:
        """The series of a function (by position) at a variance and tolerance; recent ones kept."""

        @lru_cache(maxsize=32)
        def series(function: int, variance: float, tol: float) -> PairAverage:
            return pair_average(
                partial(self.theory.functions[function].at, p=self.parameters), variance, tol
            )

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


@dataclass(frozen=True)
class Currents:
    """S_a (currents, lags) with W_aj and U_aj (currents, active fields, lags); ``error`` of S."""

    covariance: Floats
    by_covariance: Floats
    by_variance: Floats
    error: float


@dataclass(frozen=True)
class StationaryProblem:
    """Equations on a grid; ``average_tol`` cuts the Gaussian averages."""

    linear: LinearTheory
    grid: LagGrid
    average_tol: float

    @cached_property
    def gain(self) -> Floats:
        """Power gains of all fields on the grid's frequencies."""
        return self.linear.gain(self.grid.frequencies)

    @cached_property
    def active_gain(self) -> Floats:
        """Power gains of the active fields."""
        return self.gain[list(self.linear.active)]

    def averages(self, variances: Floats) -> dict[int, PairAverage]:
        """The series of every function that an output contains."""
        functions = self.linear.theory.functions
        return {
            f: self.linear.average(
                f, float(variances[self.linear.active.index(functions[f].field)]), self.average_tol
            )
            for f in {f for output in self.linear.theory.outputs for f in output.factors}
        }

    def currents(self, covariance: Floats) -> Currents:
        """Evaluate all outputs at covariances of the active fields."""
        theory = self.linear.theory
        place = {field: i for i, field in enumerate(self.linear.active)}
        averages = self.averages(covariance[:, 0])
        evaluated = {
            f: average.at(covariance[place[theory.functions[f].field]])
            for f, average in averages.items()
        }
        shape = (len(theory.outputs), covariance.shape[1])
        total = np.empty(shape)
        by_c = np.zeros((shape[0], *covariance.shape))
        by_d = np.zeros_like(by_c)
        error = 0.0
        for a, output in enumerate(theory.outputs):
            factors = [evaluated[f] for f in output.factors]
            strength = self.linear.strength[a]
            total[a] = strength * np.prod([v[0] for v in factors], axis=0)
            for i, f in enumerate(output.factors):
                others = np.ones(shape[1]) * strength
                for j, (value, _, _) in enumerate(factors):
                    if j != i:
                        others = others * value
                by_c[a, place[theory.functions[f].field]] += others * factors[i][1]
                by_d[a, place[theory.functions[f].field]] += others * factors[i][2]
                error = max(error, float(np.max(abs(others))) * averages[f].error)
        return Currents(total, by_c, by_d, error)

    def filtered(self, currents: Floats, gain: Floats | None = None) -> Floats:
        """sum_a |G_ka|^2 * S_a for the active fields (or those of ``gain``)."""
        gain = self.active_gain if gain is None else gain
        coefficients = self.grid.coefficients(currents)
        return self.grid.values(np.einsum("kan,an->kn", gain, coefficients))

    def observable(self, part: ProductPart, coefficient: float, covariance: Floats) -> Floats:
        """Autocorrelation of a named nonlinearity."""
        active = self.linear.active
        total = np.full(covariance.shape[1], coefficient**2)
        for f in part.factors:
            values = covariance[active.index(self.linear.theory.functions[f].field)]
            total = total * self.linear.average(f, float(values[0]), self.average_tol).at(values)[0]
        return total
