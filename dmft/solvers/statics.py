r"""Static order parameters: Delta_k = q sum_a R_ka v_a c_a^2 prod_f <f_j^2>_{Delta_j}.

Prescribing the amplitude Delta_1 = A turns the search for constant solutions into a curve q(A), q
the scale of all couplings that the amplitude needs: solutions of the theory are its crossings of
one, all of them are found by following one curve, and folds are its extrema.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property, partial
from itertools import pairwise

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.optimize import brentq, minimize_scalar

from dmft.codegen.theory import CompiledTheory, ProductPart
from dmft.gaussian.square_moments import square_moments

__all__ = ["Crossing", "StaticCurve", "driven_fields"]

Floats = NDArray[np.float64]

#: Amplitudes are scanned on a logarithmic grid with this many points a decade.
_POINTS_PER_DECADE = 10
#: Accuracy of the scan; solutions and folds are refined to rounding error.
_SCAN_TOL = 1e-9
_FINE_TOL = 1e-14


def driven_fields(theory: CompiledTheory, outputs: Sequence[ProductPart]) -> tuple[int, ...]:
    """Fields on which some output depends, in order."""
    return tuple(sorted({theory.functions[f].field for o in outputs for f in o.factors}))


@dataclass(frozen=True)
class Crossing:
    """A constant solution: variances of all driven fields, and whether it is an upper one.

    ``upper``: q grows with the amplitude, so the solution is the larger of the pair born at a fold.
    """

    variances: Floats
    upper: bool


@dataclass(frozen=True)
class StaticCurve:
    """q(A) for given power gains ``gain`` (fields, currents) and strengths v_a c_a^2 (currents).

    With the static response squared as gain these are the constant solutions; with the peak of the
    filters' power gain they bound every stationary solution from above, because
    C_k(0) <= sum_a max|G_ka|^2 S_a(0).
    """

    theory: CompiledTheory
    parameters: Mapping[str, float]
    outputs: tuple[ProductPart, ...]
    strength: Floats
    gain: Floats

    @cached_property
    def fields(self) -> tuple[int, ...]:
        """The driven fields; the amplitude is the variance of the first."""
        return driven_fields(self.theory, self.outputs)

    def _moments(self, variances: Floats, tol: float) -> tuple[Floats, Floats]:
        """v_a c_a^2 prod <f^2>, (currents, points), and d log of it / d log Delta_j.

        ``variances`` has shape (driven fields, points); the second result
        (currents, driven fields, points).
        """
        place = {field: i for i, field in enumerate(self.fields)}
        logs = np.zeros((len(self.outputs), *variances.shape))
        total = np.empty((len(self.outputs), variances.shape[1]))
        squares = {}
        for f in {f for o in self.outputs for f in o.factors}:
            function = self.theory.functions[f]
            squares[f] = square_moments(
                partial(function.at, p=self.parameters), variances[place[function.field]], tol
            )
        for a, output in enumerate(self.outputs):
            total[a] = self.strength[a]
            for f in output.factors:
                i = place[self.theory.functions[f].field]
                total[a] *= squares[f].square
                logs[a, i] += squares[f].square_by_variance * variances[i] / squares[f].square
        return total, logs

    def at(self, amplitude: ArrayLike, tol: float = _FINE_TOL) -> tuple[Floats, Floats]:
        """q(A), shape (points,), and all variances, shape (driven fields, points).

        The other variances obey Delta_k / A = (gain S)_k / (gain S)_1, which does not contain q;
        Newton's method in their logarithms, all points at once.
        """
        amplitudes = np.atleast_1d(np.asarray(amplitude, dtype=float))
        gain = self.gain[list(self.fields)]
        size = len(self.fields)
        variances = np.tile(amplitudes, (size, 1))
        for _ in range(60):
            moments, slopes = self._moments(variances, tol)
            drive = gain @ moments
            mismatch = np.log(drive / drive[0] * amplitudes / variances)[1:]
            share = gain[:, :, None] * moments / drive[:, None, :]
            by_log = np.einsum("kan,ajn->kjn", share, slopes)
            jacobian = (by_log - by_log[0])[1:, 1:] - np.eye(size - 1)[:, :, None]
            if size == 1:
                break
            step = np.linalg.solve(np.moveaxis(jacobian, -1, 0), -mismatch.T[..., None])[..., 0].T
            variances[1:] *= np.exp(np.clip(step, -3, 3))
            if np.max(abs(step)) < 10 * tol:
                break
        return amplitudes / drive[0], variances

    def scale_at(self, amplitude: float) -> float:
        """q(A) at one amplitude."""
        return float(self.at(amplitude)[0][0])

    def log_scale_at(self, log_amplitude: float) -> float:
        """log q as a function of log A."""
        return float(np.log(self.scale_at(float(np.exp(log_amplitude)))))

    def scan(self, smallest: float = 1e-9) -> tuple[Floats, Floats]:
        """Amplitudes from ``smallest`` upwards until q > 4 and rising, and q at each."""
        ratio = 10 ** (1 / _POINTS_PER_DECADE)
        amplitudes, scales = np.empty(0), np.empty(0)
        start = smallest
        while start < 1e12:
            more = start * ratio ** np.arange(_POINTS_PER_DECADE)
            amplitudes = np.append(amplitudes, more)
            scales = np.append(scales, self.at(more, _SCAN_TOL)[0])
            if scales[-1] > 4 and scales[-1] > scales[-2]:
                break
            start = more[-1] * ratio
        return amplitudes, scales

    def crossings(self, scale: float = 1.0) -> list[Crossing]:
        """All constant solutions at coupling scale ``scale``, largest amplitude first.

        Pairs closer than the scan's step are found from the minima between its points.
        """
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
                a = brentq(lambda x: self.scale_at(x) - scale, a0, a1, xtol=1e-15 * a0, rtol=1e-15)
                found.append(Crossing(self.at(a)[1][:, 0], bool(q1 > q0)))
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
