r"""The stationary equations of a compiled theory on a lag grid, with their exact derivatives.

    R_k = C_k - q sum_a |G_ka|^2 * S_a(C) - I_k,    S_a(tau) = v_a c_a^2 prod_f F_f(C_j(0), C_j(tau)),

k over the *active* fields, those on which some output depends; the others follow by their filters.
C is centred, I_k the variance that quenched inputs add, and F_f an average over fields of mean
mu_j; where couplings have a mean the mu_j are unknown too and obey

    r_j = mu_j - x0_j - sum_a R_ja m_a c_a prod_f E f.

q, one in the theory, scales all coupling variances: it is the unknown when an amplitude is
prescribed. Arrays have shape (active fields, lags). The derivative of S_a is

    dS_a(tau) = sum_j W_aj(tau) dC_j(tau) + U_aj(tau) dC_j(0) + V_aj(tau) dmu_j,

W from dF/dC (Price: the Lyapunov weight), U from dF/dD at fixed C, V from dF/dmu.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from dmft.codegen.theory import ProductPart
from dmft.gaussian.pair_average import PairAverage

from .lag_grid import LagGrid
from .linear_theory import LinearTheory

__all__ = ["Currents", "Equations", "LinearTheory", "MeanBalance", "StationaryProblem"]

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Currents:
    """S_a (currents, lags) with W_aj, U_aj and V_aj (currents, active fields, lags); ``error`` of S.

    V is None where no mean responds.
    """

    covariance: Floats
    by_covariance: Floats
    by_variance: Floats
    by_mean: Floats | None
    error: float


@dataclass(frozen=True)
class MeanBalance:
    """r_j of the responding means, and its derivatives by C_k(0) and mu_k (responding, active)."""

    residual: Floats
    by_variance: Floats
    by_mean: Floats


class Equations(ABC):
    """What does not depend on how functions of the lag are represented."""

    linear: LinearTheory
    average_tol: float

    @property
    @abstractmethod
    def added(self) -> Floats:
        """What inputs and noise add to the active fields, shape (active fields, lags or 1)."""

    @abstractmethod
    def filtered(self, currents: Floats) -> Floats:
        """sum_a |G_ka|^2 * S_a for the active fields."""

    @abstractmethod
    def everything(self, currents: Floats) -> Floats:
        """Covariances of all fields."""

    @abstractmethod
    def kernel(self, field: int, current: int) -> Floats | None:
        """The filter of an active field as a matrix (lag out, lag in); None if it is zero."""

    def tail_inverse(self, currents: Currents, q: float) -> Callable[[Floats], Floats]:
        """Something like the inverse of 1 - q G W, to precondition with."""
        return lambda v: v

    def averages(self, variances: Floats, means: Floats) -> dict[int, PairAverage]:
        """The series of every function that an output contains."""
        functions, place = self.linear.theory.functions, self.linear.place
        return {
            f: self.linear.average(
                f,
                float(means[place[functions[f].field]]),
                float(variances[place[functions[f].field]]),
                self.average_tol,
            )
            for f in {f for output in self.linear.theory.outputs for f in output.factors}
        }

    def currents(self, covariance: Floats, means: Floats | None = None) -> Currents:
        """Evaluate all outputs at covariances and means of the active fields.

        Without ``means`` fields have those that constants and inputs give them.
        """
        theory, place = self.linear.theory, self.linear.place
        means = self.linear.active_means if means is None else means
        averages = self.averages(covariance[:, 0], means)
        evaluated = {
            f: average.at(covariance[place[theory.functions[f].field]])
            for f, average in averages.items()
        }
        shape = (len(theory.outputs), covariance.shape[1])
        total = np.empty(shape)
        by_c = np.zeros((shape[0], *covariance.shape))
        by_d = np.zeros_like(by_c)
        by_mean = np.zeros_like(by_c) if self.linear.responding else None
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
                k = place[theory.functions[f].field]
                by_c[a, k] += others * factors[i][1]
                by_d[a, k] += others * factors[i][2]
                if by_mean is not None and k in self.linear.responding:
                    by_mean[a, k] += others * averages[f].by_mean(covariance[k])
                error = max(error, float(np.max(abs(others))) * averages[f].error)
        return Currents(total, by_c, by_d, by_mean, error)

    def mean_balance(self, variances: Floats, means: Floats) -> MeanBalance:
        """The equations of the responding means at variances of the active fields."""
        linear = self.linear
        rows = list(linear.responding)
        moments, by_d, by_mean = (
            v[..., 0] for v in linear.mean_curve.mean_outputs(variances[:, None], means[:, None])
        )
        gain = linear.mean_gain[list(linear.active)][rows]
        jacobian = np.eye(len(means))[rows] - gain @ by_mean
        residual = means[rows] - linear.active_means[rows] - gain @ moments
        return MeanBalance(residual, -gain @ by_d, jacobian)

    def observable(
        self, part: ProductPart, coefficient: float, covariance: Floats, means: Floats
    ) -> Floats:
        """Autocorrelation of a named nonlinearity."""
        total = np.full(covariance.shape[1], coefficient**2)
        for f in part.factors:
            k = self.linear.place[self.linear.theory.functions[f].field]
            values = covariance[k]
            average = self.linear.average(f, float(means[k]), float(values[0]), self.average_tol)
            total = total * average.at(values)[0]
        return total


@dataclass(frozen=True)
class StationaryProblem(Equations):
    """Equations on a grid of cosine series; ``average_tol`` cuts the Gaussian averages."""

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

    @cached_property
    def added(self) -> Floats:
        """What inputs add to the active fields, shape (active fields, 1)."""
        return self.linear.input_variances[list(self.linear.active), None]

    def filtered(self, currents: Floats) -> Floats:
        """sum_a |G_ka|^2 * S_a for the active fields."""
        return self._filtered(currents, self.active_gain)

    def _filtered(self, currents: Floats, gain: Floats) -> Floats:
        coefficients = self.grid.coefficients(currents)
        return self.grid.values(np.einsum("kan,an->kn", gain, coefficients))

    def everything(self, currents: Floats) -> Floats:
        """Covariances of all fields."""
        return self._filtered(currents, self.gain) + self.linear.input_variances[:, None]

    def kernel(self, field: int, current: int) -> Floats | None:
        """The filter of an active field as a matrix (lag out, lag in); None if it is zero."""
        gain = self.active_gain[field, current]
        if not np.any(gain):
            return None
        unit = self.grid.coefficients(np.eye(self.grid.intervals + 1))
        return self.grid.values(unit * gain).T

    def tail_inverse(self, currents: Currents, q: float) -> Callable[[Floats], Floats]:
        """Inverse of 1 - q G W with W as at the end of the window: one small matrix per frequency."""
        tail = currents.by_covariance[:, :, -1]
        fields = self.active_gain.shape[0]
        blocks = np.eye(fields)[:, :, None] - q * np.einsum("kan,aj->kjn", self.active_gain, tail)
        blocks = np.moveaxis(blocks, -1, 0)
        if np.min(abs(np.linalg.det(blocks))) < 1e-6:
            return lambda v: v
        inverse = np.moveaxis(np.linalg.inv(blocks), 0, -1)

        def invert(v: Floats) -> Floats:
            return self.grid.values(np.einsum("kjn,jn->kn", inverse, self.grid.coefficients(v)))

        return invert
