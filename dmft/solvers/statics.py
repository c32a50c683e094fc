r"""Constant solutions as crossings of one curve.

Prescribing the amplitude d_1 = A turns the search for constant solutions of `static_equations` into
a curve q(A), q the scale of all coupling variances that the amplitude needs: solutions of the theory
are its crossings of one, all of them are found by following one curve, and folds are its extrema.
Inputs and outputs with a mean make the curve start at q = 0; a bounded output makes q grow without limit,
and says beyond which amplitude no crossing can be. Where couplings have a mean the curve has
several sheets (`mean_sheets`).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.optimize import brentq, minimize_scalar

from dmft.codegen.theory import CompiledTheory

from .static_equations import FINE_TOL, SCAN_TOL, StaticEquations, StaticPoints, driven_fields

__all__ = [
    "LARGEST_SCALE",
    "POINTS_PER_DECADE",
    "Crossing",
    "StaticCurve",
    "StaticPoints",
    "driven_fields",
]

Floats = NDArray[np.float64]

#: Amplitudes are scanned on a logarithmic grid with this many points a decade.
POINTS_PER_DECADE = 10
#: Where outputs are unbounded the scan ends at q > 4 after a decade in which q grew by this factor.
_GROWTH = 1.5
#: The scan goes to four times the couplings' variance, so that folds near q = 1 are seen whole.
LARGEST_SCALE = 4.0
#: Outputs of this mean square are zero but for rounding.
_NOTHING = 1e-24


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
class StaticCurve(StaticEquations):
    """q(A) for given power gains and strengths: constant solutions are its crossings of one."""

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

    def at(self, amplitude: ArrayLike, tol: float = FINE_TOL) -> tuple[Floats, Floats]:
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
        return float(self.offsets[0]) + LARGEST_SCALE * drive

    @cached_property
    def drive_without_couplings(self) -> float:
        """(gain S)_1 at q = 0, where the variances are those from inputs; 0 where q(A -> 0) > 0."""
        variances, means = self.offsets[:, None], self.constants[:, None]
        if np.any(self.means_respond) or (self.means_may_vanish and not np.any(variances)):
            return 0.0
        return float((self.gain[self.fields[0]] @ self.total(variances, means))[0])

    @cached_property
    def quiet(self) -> Crossing | None:
        """The state in which no output moves, if inputs and constants alone leave them all at zero."""
        variances, means = self.offsets, self.constants
        total = self.total(variances[:, None], means[:, None])
        return Crossing(variances, False, means) if np.all(total < _NOTHING) else None

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
                scales[-1] > LARGEST_SCALE
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
