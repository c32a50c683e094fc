r"""Equations of the static order parameters: means and variances of fields at rest in time.

    d_k  = q sum_a R_ka^2 v_a c_a^2 prod_f E f_j^2 + sum_b R_kb^2 var I_b,
    mu_k = sum_a R_ka m_a c_a prod_f E f_j + x0_k      (x0 with the mean inputs),

averages over Gaussian fields of mean mu_j and variance d_j (`derivations.statics`); q scales all
coupling variances.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property, partial

import numpy as np
from numpy.typing import ArrayLike, NDArray

from dmft.codegen.theory import CompiledTheory, ProductPart
from dmft.gaussian.square_moments import square_moments

__all__ = ["FINE_TOL", "SCAN_TOL", "StaticEquations", "StaticPoints", "driven_fields"]

Floats = NDArray[np.float64]

#: Accuracy of the scan; solutions and folds are refined to rounding error.
SCAN_TOL = 1e-9
FINE_TOL = 1e-14


def driven_fields(
    theory: CompiledTheory, outputs: Sequence[ProductPart], gain: Floats | None = None
) -> tuple[int, ...]:
    """Fields on which some output depends, in order, but first one that the couplings drive.

    ``gain`` (fields, currents) tells which the couplings drive; without it the order is kept.
    """
    used = sorted({theory.functions[f].field for o in outputs for f in o.factors})
    if gain is None:
        return tuple(used)
    first = next((field for field in used if np.any(gain[field])), used[0])
    return (first, *(field for field in used if field != first))


@dataclass(frozen=True)
class StaticPoints:
    """q(A), shape (points,), with all variances and means, shape (driven fields, points).

    ``converged`` says for which points the equations are solved.
    """

    scale: Floats
    variances: Floats
    means: Floats
    converged: NDArray[np.bool_]


@dataclass(frozen=True)
class StaticEquations:
    """For given power gains ``gain`` (fields, currents) and strengths v_a c_a^2 (currents).

    With the static response squared as gain these are the constant solutions; with the peak of the
    filters' power gain they bound every stationary solution from above, because
    C_k(0) <= sum_a max|G_ka|^2 S_a(0) + (what inputs add).

    ``offset``, ``constant`` (fields): variance and mean that inputs and constants give each field;
    ``mean_gain`` (fields, currents): R_ka m_a c_a. None stands for zeros.
    """

    theory: CompiledTheory
    parameters: Mapping[str, float]
    outputs: tuple[ProductPart, ...]
    strength: Floats
    gain: Floats
    offset: Floats | None = None
    constant: Floats | None = None
    mean_gain: Floats | None = None

    @cached_property
    def fields(self) -> tuple[int, ...]:
        """The driven fields; the amplitude is the variance of the first."""
        return driven_fields(self.theory, self.outputs, self.gain)

    @cached_property
    def offsets(self) -> Floats:
        """Variance from inputs, (driven fields,)."""
        return self._of_driven(self.offset)

    @cached_property
    def constants(self) -> Floats:
        """Mean from inputs and constants, (driven fields,)."""
        return self._of_driven(self.constant)

    def _of_driven(self, values: Floats | None) -> Floats:
        if values is None:
            return np.zeros(len(self.fields))
        return np.asarray(values[list(self.fields)], dtype=np.float64)

    @cached_property
    def means_respond(self) -> NDArray[np.bool_]:
        """Which driven fields have a mean that depends on the activity, (driven fields,)."""
        if self.mean_gain is None:
            return np.zeros(len(self.fields), dtype=bool)
        return np.asarray(np.any(self.mean_gain[list(self.fields)] != 0, axis=1))

    @cached_property
    def means_may_vanish(self) -> bool:
        """Whether fields without a mean solve the equations: odd outputs and no constants."""
        if np.any(self.constants):
            return False
        x = np.geomspace(1e-3, 30.0, 12)
        both = np.concatenate([x, -x])

        def is_odd(f: int) -> bool:
            values = np.asarray(self.theory.functions[f].at(both, self.parameters)[0])
            return bool(np.all(abs(values[:12] + values[12:]) <= 1e-14 * np.max(abs(values))))

        return all(any(is_odd(f) for f in output.factors) for output in self.outputs)

    def _moments(
        self, variances: Floats, means: Floats, tol: float
    ) -> tuple[Floats, Floats, Floats]:
        """v_a c_a^2 prod E f^2, (currents, points), and d log of it by log d_j and by mu_j.

        ``variances`` and ``means`` have shape (driven fields, points); the other results
        (currents, driven fields, points).
        """
        place = {field: i for i, field in enumerate(self.fields)}
        by_log = np.zeros((len(self.outputs), *variances.shape))
        by_mean = np.zeros_like(by_log)
        total = np.empty((len(self.outputs), variances.shape[1]))
        squares = {}
        for f in {f for o in self.outputs for f in o.factors}:
            function = self.theory.functions[f]
            i = place[function.field]
            squares[f] = square_moments(
                partial(function.at, p=self.parameters), variances[i], tol, means[i]
            )
        for a, output in enumerate(self.outputs):
            total[a] = self.strength[a]
            for f in output.factors:
                i = place[self.theory.functions[f].field]
                total[a] *= squares[f].square
                by_log[a, i] += squares[f].square_by_variance * variances[i] / squares[f].square
                by_mean[a, i] += 2 * squares[f].value_slope / squares[f].square
        return total, by_log, by_mean

    def mean_outputs(
        self, variances: Floats, means: Floats, tol: float = FINE_TOL
    ) -> tuple[Floats, Floats, Floats]:
        """prod E f, (currents, points), and its derivatives by d_j and mu_j, as in `_moments`."""
        place = {field: i for i, field in enumerate(self.fields)}
        total = np.ones((len(self.outputs), variances.shape[1]))
        by_variance = np.zeros((len(self.outputs), *variances.shape))
        by_mean = np.zeros_like(by_variance)
        for a, output in enumerate(self.outputs):
            factors = []
            for f in output.factors:
                function = self.theory.functions[f]
                i = place[function.field]
                moments = square_moments(
                    partial(function.at, p=self.parameters), variances[i], tol, means[i]
                )
                factors.append((i, moments))
                total[a] *= moments.mean
            for n, (i, moments) in enumerate(factors):
                others = np.prod([m.mean for k, (_, m) in enumerate(factors) if k != n], axis=0)
                by_mean[a, i] += others * moments.slope
                by_variance[a, i] += others * moments.curvature / 2
        return total, by_variance, by_mean

    def points(
        self, amplitude: ArrayLike, tol: float = FINE_TOL, means: Floats | None = None
    ) -> StaticPoints:
        """q(A) with everything else at these amplitudes, larger than the first field's offset.

        The other variances obey d_k - offset_k = (A - offset_1) (gain S)_k / (gain S)_1, which does
        not contain q; Newton's method in their logarithms and in the means that respond, all points
        at once. ``means`` (driven fields, points) is where these start.
        """
        amplitudes = np.atleast_1d(np.asarray(amplitude, dtype=float))
        gain = self.gain[list(self.fields)]
        size, count = len(self.fields), amplitudes.size
        excess = amplitudes - self.offsets[0]
        variances = np.maximum(np.tile(excess, (size, 1)), 1e-300)
        variances[0] = amplitudes
        variances[1:] = np.where(np.any(gain[1:], axis=1)[:, None], variances[1:], 0)
        variances[1:] += self.offsets[1:, None]
        mu = np.tile(self.constants[:, None], count) if means is None else means.copy()
        moving = np.concatenate([np.arange(size) > 0, self.means_respond])
        moving[1:size] &= np.any(gain[1:], axis=1)
        done = np.zeros(count, dtype=bool)
        for _ in range(60):
            moments, by_log, by_mean = self._moments(variances, mu, tol)
            drive = gain @ moments
            if not np.any(moving):
                done[:] = True
                break
            share = gain[:, :, None] * moments / drive[0]  # (driven, currents, points)
            slopes = np.concatenate([by_log, by_mean], axis=1)
            ratio = drive / drive[0]
            target = self.offsets[:, None] + excess * ratio
            by = np.einsum("kan,ajn->kjn", share, slopes)
            by = (by - ratio[:, None] * by[0]) * excess  # d target_k
            with np.errstate(divide="ignore", invalid="ignore"):
                mismatch = np.log(target / variances)
                by = by / target[:, None]
            jacobian = np.zeros((2 * size, 2 * size, count))
            jacobian[:size] = by
            right = np.zeros((2 * size, count))
            right[:size] = mismatch
            if np.any(self.means_respond):
                assert self.mean_gain is not None
                mean_gain = self.mean_gain[list(self.fields)]
                outputs, m_by_d, m_by_mean = self.mean_outputs(variances, mu, tol)
                right[size:] = self.constants[:, None] + mean_gain @ outputs - mu
                jacobian[size:, :size] = np.einsum("ka,ajn->kjn", mean_gain, m_by_d * variances)
                jacobian[size:, size:] = np.einsum("ka,ajn->kjn", mean_gain, m_by_mean)
            jacobian -= np.eye(2 * size)[:, :, None]
            inside = np.moveaxis(jacobian[np.ix_(moving, moving)], -1, 0)
            step = np.zeros((2 * size, count))
            step[moving] = np.linalg.solve(inside, -right[moving].T[..., None])[..., 0].T
            width = np.sqrt(np.max(variances, axis=0)) + np.max(abs(mu), axis=0) + 0.1
            step[:size] = np.clip(step[:size], -3, 3)
            step[size:] = np.clip(step[size:], -width, width)
            variances *= np.exp(step[:size])
            mu += step[size:]
            done = np.all(abs(step) < 10 * tol * np.maximum(1.0, width), axis=0)
            if np.all(done):
                break
        return StaticPoints(excess / drive[0], variances, mu, done)

    def total(self, variances: Floats, means: Floats) -> Floats:
        """v_a c_a^2 prod E f^2 also where a factor vanishes."""
        total = np.empty((len(self.outputs), variances.shape[1]))
        place = {field: i for i, field in enumerate(self.fields)}
        for a, output in enumerate(self.outputs):
            total[a] = self.strength[a]
            for f in output.factors:
                function = self.theory.functions[f]
                i = place[function.field]
                total[a] *= square_moments(
                    partial(function.at, p=self.parameters), variances[i], SCAN_TOL, means[i]
                ).square
        return total
