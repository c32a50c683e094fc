r"""Decaying solutions as functions of amplitude and parameters: the scale of couplings that they need.

At a prescribed amplitude A (what decays of the first field) the scale q of all couplings is unknown.
As for constant solutions,

    f(log A; parameters) = log q = 0      (a decaying solution of the theory itself),
    g = df / d log A = 0                  (a fold of the curve of such solutions)

hold in any parameter. g and the derivatives of f follow from linear systems with the matrix of
Newton's method; those of g are differences, each from one more Newton step. A probe remembers where
it has been and starts from the nearest place; window and density of the lags follow the solution.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from dmft.codegen.theory import CompiledTheory
from dmft.gaussian.pair_average import AverageBudgetError

from ..decaying import DecayingPoint, is_covariance, scaled
from ..lag_grid import LagGrid
from ..linear_theory import LinearTheory
from ..newton import NewtonResult, PrescribedLine, Step, linear_step, newton
from ..plateau import plateau
from ..stationary_problem import StationaryProblem

__all__ = ["Probe", "Reading"]

Floats = NDArray[np.float64]

_TOL, _AVERAGE_TOL = 1e-11, 1e-13
#: What may be left at the end of the window, and of the last cosines, relative to what decays.
_TAIL, _ROUGH = 1e-8, 1e-9
_STEP = 1e-3
#: A longer way is gone in pieces; places farther apart than the second are remembered.
_FARTHEST, _APART = 0.3, 0.02
#: Differences of the residual by a parameter's coordinate, central.
_STEP_PARAMETER = 1e-5


@dataclass(frozen=True)
class Reading:
    """f and g at a point, and their derivatives by (log A, *coordinates), shape (1 + coordinates,)."""

    f: float
    g: float
    f_slopes: Floats
    g_slopes: Floats
    point: DecayingPoint


@dataclass
class Probe:
    """``parameters(coordinates)`` gives all parameters of the theory at coordinates of shape (m,).

    Solutions near an onset need few lags, however slow they are; steep ones far from it need more than
    ``most_intervals``, and are not found.
    """

    theory: CompiledTheory
    parameters: Callable[[Floats], Mapping[str, float]]
    mean_activity: bool = True
    most_intervals: int = 768
    known: list[tuple[Floats, DecayingPoint]] = field(default_factory=list, repr=False)

    def linear(self, coordinates: Floats) -> LinearTheory:
        """The theory there."""
        return LinearTheory(self.theory, dict(self.parameters(coordinates)), self.mean_activity)

    def start(self, place: Floats, point: DecayingPoint) -> None:
        """Remember ``point``, a solution at ``place`` (log A, *coordinates) at its q."""
        self.known.append((place.copy(), point))

    def at(self, place: Floats) -> DecayingPoint | None:
        """The solution at (log A, *coordinates), reached from the nearest; None if it is lost."""
        distances = [float(np.max(abs(place - there))) for there, _ in self.known]
        here, point = self.known[int(np.argmin(distances))]
        pieces = max(1, int(np.ceil(min(distances) / _FARTHEST)))
        for share in np.linspace(0, 1, pieces + 1)[1:]:
            target = here + share * (place - here)
            found = self._solve(target, point)
            if found is None:
                return None
            point = found
        if min(distances) > _APART:
            self.known.append((place.copy(), point))
        return point

    def _solve(self, place: Floats, guess: DecayingPoint) -> DecayingPoint | None:
        linear = self.linear(place[1:])
        guess = scaled([guess], float(np.exp(place[0])) / guess.amplitude, 0.0)
        guess = _thinned(guess)
        grid, c, q = guess.grid, guess.covariance, guess.scale
        means = linear.active_means if guess.means is None else guess.means
        for _ in range(10):
            problem = StationaryProblem(linear, grid, _AVERAGE_TOL)
            found = _newton(problem, c, q, means, place[0])
            if found is None:
                return None
            limits = plateau(problem, found.covariance, found.means, found.scale)
            if limits is None:
                return None
            part = found.covariance - limits[:, None]
            half = part[0, part.shape[1] // 2 :]
            if not part[0, 0] > 0 or np.max(abs(half)) > 0.5 * part[0, 0]:
                return None
            moving = part[:, 0] > 1e-9 * found.covariance[:, 0]
            tail = float(np.max(grid.tail(part[moving])[0] / part[moving, 0]))
            rough = grid.unresolved(part[moving])
            if tail <= _TAIL and rough <= _ROUGH:
                if not is_covariance(grid, part, 1e-7):
                    return None
                return DecayingPoint(
                    float(part[0, 0]), found.scale, grid, found.covariance, limits, found.means
                )
            new = _better(grid, part[moving], tail, rough)
            if new.intervals > self.most_intervals:
                return None
            c = limits[:, None] + grid.resample(part, new)
            q, means, grid = found.scale, found.means, new
        return None

    def read(self, place: Floats, *, curved: bool = True) -> Reading | None:
        """f, g and all derivatives, without ``curved`` only those of f; None without a solution."""
        point = self.at(place)
        if point is None:
            return None
        problem = StationaryProblem(self.linear(place[1:]), point.grid, _AVERAGE_TOL)
        here = _Linearised.of(problem, point)
        along = [here.by_amplitude()]
        along += [here.by_parameter(self, place, i) for i in range(1, place.size)]
        q = point.scale
        f_slopes = np.array([step.scale / q for step in along])
        g_slopes = np.full(place.size, np.nan)
        if not curved:
            return Reading(float(np.log(q)), float(f_slopes[0]), f_slopes, g_slopes, point)
        for i, step in enumerate(along):
            shifted = place.copy()
            shifted[i] += _STEP
            there = problem
            if i:
                there = StationaryProblem(self.linear(shifted[1:]), point.grid, _AVERAGE_TOL)
            found = _newton(
                there,
                point.covariance + _STEP * step.covariance,
                q + _STEP * step.scale,
                here.means + _STEP * step.means,
                shifted[0],
            )
            if found is None:
                return None
            moved = replace(
                point, covariance=found.covariance, scale=found.scale, means=found.means
            )
            g = _Linearised.of(there, moved).by_amplitude().scale / found.scale
            g_slopes[i] = (g - f_slopes[0]) / _STEP
        return Reading(float(np.log(q)), float(f_slopes[0]), f_slopes, g_slopes, point)

    def resolved(self, place: Floats, point: DecayingPoint) -> float:
        """|change of f| on a grid of half the spacing and a quarter more window."""
        length = 1.25 * point.grid.length
        finer = LagGrid(length, int(np.ceil(2.5 * point.grid.intervals / 16)) * 16)
        problem = StationaryProblem(self.linear(place[1:]), finer, 0.1 * _AVERAGE_TOL)
        part = point.grid.resample(point.decaying_part, finer)
        means = problem.linear.active_means if point.means is None else point.means
        found = _newton(problem, part + point.plateau, point.scale, means, place[0])
        return np.inf if found is None else float(abs(np.log(found.scale / point.scale)))


def _newton(
    problem: StationaryProblem, c: Floats, q: float, means: Floats, log_amplitude: float
) -> NewtonResult | None:
    prescribed = PrescribedLine(1.0, 0.0, log_amplitude)
    try:
        found = newton(problem, c, q, means=means, prescribed=prescribed, tol=_TOL)
    except AverageBudgetError:
        return None
    return found if found.converged else None


def _thinned(point: DecayingPoint) -> DecayingPoint:
    """On no more lags than it needs: slow solutions have long windows, not many cosines."""
    grid, part = point.grid, point.decaying_part
    a = np.max(abs(grid.coefficients(part)) / abs(part[:, :1]), axis=0)
    needed = int(np.flatnonzero(a > 0.1 * _ROUGH * np.max(a))[-1] * 1.15 / 16 + 1) * 16
    if needed > 0.85 * grid.intervals:
        return point
    fewer = LagGrid(grid.length, needed)
    return replace(point, grid=fewer, covariance=point.plateau + grid.resample(part, fewer))


def _better(grid: LagGrid, part: Floats, tail: float, rough: float) -> LagGrid:
    """Longer by the missing decay at the observed rate, denser by the missing digits."""
    length = grid.length
    if tail > _TAIL:
        sizes, rates = grid.tail(part)
        missing = np.log(np.maximum(sizes / part[:, 0] / _TAIL, 1.0) * 3) / rates
        length = min(grid.length + 1.1 * float(np.max(missing)), 3 * grid.length)
    density = grid.intervals / grid.length
    if rough > _ROUGH:
        density *= float(np.clip(1.1 * np.log(_ROUGH) / np.log(rough), 1.15, 2.0))
    return LagGrid(length, int(np.ceil(length * density / 16)) * 16)


@dataclass(frozen=True)
class _Linearised:
    """The equations about a solution, log A prescribed."""

    problem: StationaryProblem
    point: DecayingPoint
    means: Floats

    @staticmethod
    def of(problem: StationaryProblem, point: DecayingPoint) -> _Linearised:
        means = problem.linear.active_means if point.means is None else point.means
        return _Linearised(problem, point, means)

    def _solve(self, right: Floats, right_means: Floats | None, target: float) -> Step:
        problem, c = self.problem, self.point.covariance
        balance = problem.mean_balance(c[:, 0], self.means) if problem.linear.responding else None
        if balance is not None and right_means is None:
            right_means = np.zeros(balance.residual.shape)
        slopes = PrescribedLine(1.0, 0.0, 0.0).slopes(c, self.point.scale)
        return linear_step(
            problem,
            problem.currents(c, self.means),
            self.point.scale,
            right,
            balance=balance,
            right_means=right_means,
            border=(slopes, target),
        )

    def by_amplitude(self) -> Step:
        """Derivatives by log A."""
        return self._solve(np.zeros_like(self.point.covariance), None, 1.0)

    def by_parameter(self, probe: Probe, place: Floats, i: int) -> Step:
        """Derivatives by a coordinate, log A fixed."""
        c, q = self.point.covariance, self.point.scale
        ends: list[tuple[Floats, Floats | None]] = []
        for sign in (1.0, -1.0):
            shifted = place.copy()
            shifted[i] += sign * _STEP_PARAMETER
            problem = StationaryProblem(probe.linear(shifted[1:]), self.point.grid, _AVERAGE_TOL)
            residual = c - q * problem.filtered(problem.currents(c, self.means).covariance)
            balance = None
            if problem.linear.responding:
                balance = problem.mean_balance(c[:, 0], self.means).residual
            elif problem.linear.active_means is not self.means:
                balance = None
            ends.append((residual - problem.added, balance))
        (up, up_means), (down, down_means) = ends
        right_means = None
        if up_means is not None and down_means is not None:
            right_means = (down_means - up_means) / (2 * _STEP_PARAMETER)
        return self._solve((down - up) / (2 * _STEP_PARAMETER), right_means, 0.0)
