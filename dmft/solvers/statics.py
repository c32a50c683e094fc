r"""Static order parameters: means and variances of fields at rest in time.

    d_k  = q sum_a R_ka^2 v_a c_a^2 prod_f E f_j^2 + sum_b R_kb^2 var I_b,
    mu_k = sum_a R_ka m_a c_a prod_f E f_j + x0_k      (x0 with the mean inputs),

averages over Gaussian fields of mean mu_j and variance d_j (`derivations.statics`). Prescribing the
amplitude d_1 = A turns the search for constant solutions into a curve q(A), q the scale of all
coupling variances that the amplitude needs: solutions of the theory are its crossings of one, all of
them are found by following one curve, and folds are its extrema. Inputs and outputs with a mean make
the curve start at q = 0; a bounded output makes q grow without limit, and says beyond which
amplitude no crossing can be. Where couplings have a mean the curve has several sheets (`mean_sheets`).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property, partial
from itertools import pairwise

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.optimize import brentq, minimize_scalar

from dmft.codegen.theory import CompiledTheory, ProductPart
from dmft.gaussian.square_moments import square_moments

__all__ = ["Crossing", "StaticCurve", "StaticPoints", "driven_fields"]

Floats = NDArray[np.float64]

#: Amplitudes are scanned on a logarithmic grid with this many points a decade.
POINTS_PER_DECADE = 10
#: Accuracy of the scan; solutions and folds are refined to rounding error.
SCAN_TOL = 1e-9
_FINE_TOL = 1e-14
#: Where outputs are unbounded the scan ends at q > 4 after a decade in which q grew by this factor.
_GROWTH = 1.5
#: The scan goes to four times the couplings' variance, so that folds near q = 1 are seen whole.
_LARGEST_SCALE = 4.0


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
class Crossing:
    """A constant solution: variances and means of all driven fields, and whether it is an upper one.

    ``upper``: q grows with the amplitude, so the solution is the larger of the pair born at a fold.
    """

    variances: Floats
    upper: bool
    means: Floats

    @property
    def second_moment(self) -> float:
        """<x^2> of the first driven field."""
        return float(self.variances[0] + self.means[0] ** 2)


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
class StaticCurve:
    """q(A) for given power gains ``gain`` (fields, currents) and strengths v_a c_a^2 (currents).

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

    @staticmethod
    def of(theory: CompiledTheory, parameters: Mapping[str, float]) -> StaticCurve:
        """The constant solutions of a theory whose "statics" conditions hold."""
        p = parameters
        coefficients = theory.vector("static_coefficients", p)
        response = theory.matrices["response"].at(p)
        driven = theory.matrices["quenched_response"].at(p)
        return StaticCurve(
            theory,
            p,
            theory.static_outputs,
            theory.vector("weights", p) * coefficients**2,
            response**2,
            driven**2 @ theory.vector("quenched_variances", p),
            driven @ theory.vector("quenched_means", p) + theory.vector("static_constant", p),
            response * theory.vector("current_means", p) * coefficients,
        )

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
        self, variances: Floats, means: Floats, tol: float = _FINE_TOL
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
        self, amplitude: ArrayLike, tol: float = _FINE_TOL, means: Floats | None = None
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
        variances = np.maximum(np.tile(amplitudes, (size, 1)), 1e-300)
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

    def at(self, amplitude: ArrayLike, tol: float = _FINE_TOL) -> tuple[Floats, Floats]:
        """q(A), shape (points,), and all variances, shape (driven fields, points)."""
        found = self.points(amplitude, tol)
        return found.scale, found.variances

    def scale_at(self, amplitude: float) -> float:
        """q(A) at one amplitude."""
        return float(self.at(amplitude)[0][0])

    def log_scale_at(self, log_amplitude: float) -> float:
        """log q as a function of log A."""
        return float(np.log(self.scale_at(float(np.exp(log_amplitude)))))

    @cached_property
    def largest_amplitude(self) -> float | None:
        """Beyond this q > 4 for sure, from the largest values of the outputs; None if unbounded."""
        reach = np.geomspace(1e-4, 1e8, 241)
        bounds = np.empty(len(self.outputs))
        for a, output in enumerate(self.outputs):
            bounds[a] = self.strength[a]
            for f in output.factors:
                with np.errstate(all="ignore"):
                    values = self.theory.functions[f].at(
                        np.concatenate([-reach[::-1], [0.0], reach]), self.parameters
                    )[0]
                    squares = np.asarray(values) ** 2
                ends = max(squares[0], squares[-1])
                inside = np.max(squares[20:-20])  # without the last decade on each side
                if not np.isfinite(ends) or ends > 1.001 * inside:
                    return None
                bounds[a] *= max(ends, inside)
        drive = float(self.gain[self.fields[0]] @ bounds)
        return float(self.offsets[0]) + _LARGEST_SCALE * drive

    @cached_property
    def drive_without_couplings(self) -> float:
        """(gain S)_1 at q = 0, where the variances are those from inputs; 0 where q(A -> 0) > 0."""
        variances, means = self.offsets[:, None], self.constants[:, None]
        if np.any(self.means_respond) or (self.means_may_vanish and not np.any(variances)):
            return 0.0
        return float((self.gain[self.fields[0]] @ self.total(variances, means))[0])

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

    def scan(self, smallest: float = 1e-9) -> tuple[Floats, Floats]:
        """Amplitudes from ``smallest`` above the offset upwards until q > 4 for good, and q at each.

        Smaller ones where inputs or means make q(A) start at zero, so that q is small there.
        """
        ratio = 10 ** (1 / POINTS_PER_DECADE)
        offset, top = float(self.offsets[0]), self.largest_amplitude
        if self.drive_without_couplings > 0:
            smallest = min(smallest, 0.01 * self.drive_without_couplings)
        amplitudes, scales = np.empty(0), np.empty(0)
        start = smallest
        while start < 1e12:
            more = offset + start * ratio ** np.arange(POINTS_PER_DECADE)
            amplitudes = np.append(amplitudes, more)
            scales = np.append(scales, self.at(more, SCAN_TOL)[0])
            rising = scales[-1] > scales[-2]
            if top is not None:
                if more[-1] > top and rising:
                    break
            elif (
                scales[-1] > _LARGEST_SCALE
                and scales[-1] > _GROWTH * scales[-POINTS_PER_DECADE]
                and start > 10 * offset
            ):
                break
            start *= ratio**POINTS_PER_DECADE
        return amplitudes, scales

    def crossings(self, scale: float = 1.0) -> list[Crossing]:
        """All constant solutions at coupling scale ``scale``, largest <x_1^2> first.

        Pairs closer than the scan's step are found from the minima between its points.
        """
        if np.any(self.means_respond):
            from .mean_sheets import sheet_crossings

            return sheet_crossings(self, scale)
        amplitudes, scales = self.scan()
        points = list(zip(amplitudes, scales, strict=True))
        for i in range(1, len(scales) - 1):
            turns = (scales[i] - scales[i - 1]) * (scales[i + 1] - scales[i]) < 0
            if turns and abs(scales[i] - scale) < 0.2 * scale:
                a, q = self._extremum(
                    amplitudes[i - 1], amplitudes[i + 1], scales[i] < scales[i - 1]
                )
                points.append((a, q))
        points.sort()
        found = []
        for (a0, q0), (a1, q1) in pairwise(points):
            if (q0 - scale) * (q1 - scale) < 0:
                a = root_between(lambda x: self.scale_at(x) - scale, a0, a1, float(self.offsets[0]))
                solved = self.points(a)
                found.append(Crossing(solved.variances[:, 0], bool(q1 > q0), solved.means[:, 0]))
        return found[::-1]

    def _extremum(self, low: float, high: float, minimum: bool) -> tuple[float, float]:
        sign = 1.0 if minimum else -1.0
        best = minimize_scalar(
            lambda u: sign * self.scale_at(float(np.exp(u))),
            bounds=(np.log(low), np.log(high)),
            method="bounded",
            options={"xatol": 1e-9},
        )
        return float(np.exp(best.x)), sign * float(best.fun)

    def lowest_scale(self) -> tuple[float, float]:
        """The smallest q on the curve and its amplitude; amplitude 0 when it lies at the origin."""
        amplitudes, scales = self.scan()
        i = int(np.argmin(scales))
        if i == 0:
            return 0.0, float(scales[0])
        return self._extremum(amplitudes[i - 1], amplitudes[min(i + 1, len(scales) - 1)], True)


def root_between(
    function: Callable[[float], float], low: float, high: float, offset: float
) -> float:
    """The root of a function of the amplitude, to rounding error of the amplitude."""
    scale = max(low - offset, 1e-3 * low)
    return float(brentq(function, low, high, xtol=1e-15 * scale, rtol=1e-15))
