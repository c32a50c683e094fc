r"""Decaying (chaotic) solutions, followed in their amplitude.

The amplitude is what decays of the first field, A = C_1(0) - C_1(infinity). At a prescribed A the
scale q of all couplings is unknown. Where nothing has a mean (C(infinity) = 0) the curve q(A) of
decaying solutions passes smoothly through the fold at which chaos appears discontinuously, and the
solutions of the theory are its crossings of q = 1: q grows with A on the upper branch and falls on
the lower, unstable one. The curve is followed downwards from the amplitude of the largest constant
solution of the filters' peak gain, which no stationary solution can exceed (`statics`). For other
theories see `decay_onset`; what both need is here.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from .lag_grid import LagGrid
from .linear_theory import LinearTheory
from .newton import NewtonResult, Prescribed, PrescribedAmplitude, newton
from .plateau import plateau
from .stationary_problem import StationaryProblem

__all__ = [
    "Bracket",
    "DecayingPoint",
    "Search",
    "close_in",
    "follow",
    "integral",
    "is_covariance",
    "scaled",
    "search_average_tol",
    "solve_at",
]

Floats = NDArray[np.float64]

#: Accuracy on the way to the solution; the solution itself is refined afterwards.
_SEARCH_TOL = 1e-7
_AVERAGE_TOL = 1e-9
_FINEST_AVERAGE_TOL = 1e-13
_SEARCH_TAIL = 1e-4
_LONGEST = 4096


@dataclass(frozen=True)
class DecayingPoint:
    """A decaying solution at amplitude A with coupling scale q, on its grid.

    ``limits`` C(infinity) and ``means`` of the active fields; None for zeros.
    """

    amplitude: float
    scale: float
    grid: LagGrid
    covariance: Floats
    limits: Floats | None = None
    means: Floats | None = None

    @property
    def plateau(self) -> Floats:
        """C(infinity), (active fields, 1)."""
        if self.limits is None:
            return np.zeros((len(self.covariance), 1))
        return self.limits[:, None]

    @property
    def decaying_part(self) -> Floats:
        """C(tau) - C(infinity)."""
        return self.covariance - self.plateau


def is_covariance(grid: LagGrid, covariance: Floats, tol: float) -> bool:
    """Whether the power spectrum is non-negative, to ``tol`` of its largest value."""
    power = grid.coefficients(covariance)
    return bool(np.min(power) >= -tol * np.max(power))


def integral(grid: LagGrid, part: Floats) -> float:
    """Integral of C_1 over the lag, over C_1(0)."""
    return float(grid.coefficients(part[0])[0] * grid.length / part[0, 0])


def _width(grid: LagGrid, part: Floats) -> float:
    """The integral of C_1 or, where it oscillates and the integral says nothing, that of C_1^2."""
    if grid.peak(part[0]) == 0:
        return integral(grid, part)
    a = grid.coefficients(part[0])
    return float((a[0] ** 2 + a @ a) / 2 * grid.length / part[0, 0] ** 2)


def search_average_tol(share: float) -> float:
    """Averages on the way, where this share of C(0) decays: its curvature is a share of that again."""
    return float(np.clip(_AVERAGE_TOL * share**2, _FINEST_AVERAGE_TOL, _AVERAGE_TOL))


def solve_at(
    linear: LinearTheory, guess: DecayingPoint, prescribed: Prescribed
) -> DecayingPoint | None:
    """Newton with one more equation for q; window and density follow the solution."""
    grid, c, q = guess.grid, guess.covariance, guess.scale
    means = linear.active_means if guess.means is None else guess.means
    average_tol = search_average_tol(guess.amplitude / guess.covariance[0, 0])
    for _ in range(12):
        problem = StationaryProblem(linear, grid, average_tol)
        found = newton(
            problem, c, q, means=means, prescribed=prescribed, tol=_SEARCH_TOL, polish=False
        )
        if not found.converged:
            return None
        limits = plateau(problem, found.covariance, found.means, found.scale)
        if limits is None or not _decays(found, limits):
            return None
        c, q, means = found.covariance, found.scale, found.means
        part = c - limits[:, None]
        moving = part[:, 0] > 1e-9 * c[:, 0]  # a field may be driven by inputs alone
        tail = float(np.max(grid.tail(part[moving])[0] / part[moving, 0]))
        rough = grid.unresolved(part[moving])
        if tail <= _SEARCH_TAIL and rough <= 1e-6:
            if not is_covariance(grid, part, 1e-5):
                return None
            return DecayingPoint(float(part[0, 0]), q, grid, c, limits, means)
        length = grid.length if tail <= _SEARCH_TAIL else 1.5 * grid.length
        density = grid.intervals / grid.length * (1.5 if rough > 1e-6 else 1.0)
        new = LagGrid(length, int(np.ceil(length * density / 16)) * 16)
        if new.intervals > _LONGEST:
            return None
        c = limits[:, None] + grid.resample(part, new)
        grid = new
    return None


def _decays(found: NewtonResult, limits: Floats) -> bool:
    """Not a constant: in the second half of the window what decays is far below the start."""
    part = found.covariance[0] - limits[0]
    return bool(part[0] > 0 and np.max(abs(part[part.size // 2 :])) < 0.5 * part[0])


@dataclass(frozen=True)
class Bracket:
    """Two solutions next to each other on a curve, on both sides of q = 1, and their theory."""

    low: DecayingPoint
    high: DecayingPoint
    linear: LinearTheory

    @property
    def second_moment(self) -> float:
        """About <x_1^2> of the solution between them."""
        values = []
        for point in (self.low, self.high):
            mean = self.linear.active_means[0] if point.means is None else point.means[0]
            values.append(point.covariance[0, 0] + mean**2)
        f_low, f_high = self.low.scale - 1, self.high.scale - 1
        return float((values[0] * f_high - values[1] * f_low) / (f_high - f_low))

    @property
    def upper(self) -> bool:
        """Whether q grows with the amplitude."""
        rising = (self.high.scale - self.low.scale) * (self.high.amplitude - self.low.amplitude)
        return bool(rising > 0)


@dataclass(frozen=True)
class Search:
    """What following curves of decaying solutions has found: brackets of q = 1, upper first.

    ``complete``: the curves were followed to where no further crossing can be.
    ``lowest``: the smallest q seen.
    """

    brackets: tuple[Bracket, ...]
    complete: bool
    lowest: float


def follow(
    linear: LinearTheory, start: DecayingPoint, *, scale_at_zero: float, smallest: float
) -> Search:
    """Follow q(A) downwards from ``start``, an amplitude where q >= 1; C(infinity) = 0.

    ``scale_at_zero`` is the limit of q for A -> 0, where the zero state loses stability. Below the
    amplitude ``smallest`` the search ends as soon as q is on the same side of one as that limit:
    further crossings would come in pairs.
    """
    brackets = []
    path = [start]
    step = 0.1
    while True:
        here = path[-1]
        if here.amplitude < smallest and (here.scale - 1) * (scale_at_zero - 1) >= 0:
            complete = True
            break
        following = _next(linear, path[-2:], here.amplitude * np.exp(-step))
        if following is None:
            step /= 3
            if step < 0.004:
                complete = False
                break
            continue
        if (following.scale - 1) * (here.scale - 1) <= 0:
            brackets.append(Bracket(following, here, linear))
        path.append(following)
        step = min(step * 1.5, 0.4)
    return Search(tuple(brackets), complete, float(min(point.scale for point in path)))


def _next(
    linear: LinearTheory, path: list[DecayingPoint], amplitude: float
) -> DecayingPoint | None:
    """The solution at a nearby amplitude, from the last one or, scaled, the last two."""
    last = path[-1]
    share = 0.0
    if len(path) > 1:
        share = np.log(amplitude / last.amplitude) / np.log(last.amplitude / path[-2].amplitude)
    guess = scaled(path, amplitude / last.amplitude, share)
    return solve_at(linear, guess, PrescribedAmplitude(amplitude))


def scaled(path: list[DecayingPoint], ratio: float, share: float) -> DecayingPoint:
    """The last point with what decays multiplied by ``ratio``.

    With a point before it, what else changed between the two changes by ``share`` of that again.
    """
    last = path[-1]
    part, q, grid, limits, means = (
        last.decaying_part * ratio,
        last.scale,
        last.grid,
        last.plateau,
        last.means,
    )
    if len(path) > 1:
        before = path[-2]
        q = max(last.scale + share * (last.scale - before.scale), 0.5 * last.scale)
        change = _width(last.grid, last.decaying_part) / _width(before.grid, before.decaying_part)
        stretch = float(np.clip(change**share, 0.5, 2.0))
        part = _stretched(grid, part, stretch)
        grid = replace(grid, length=grid.length * stretch)
        limits = np.maximum(limits + share * (limits - before.plateau), 0.5 * limits)
        if means is not None and before.means is not None:
            means = means + share * (means - before.means)
    return DecayingPoint(ratio * last.amplitude, q, grid, limits + part, limits[:, 0], means)


def _stretched(grid: LagGrid, part: Floats, stretch: float) -> Floats:
    """Functions on a grid that is ``stretch`` times as long: wider, but oscillating as before.

    Frequencies are drawn together about the peak of the first field's spectrum. Where that is zero
    the values on the grid stay what they are.
    """
    peak = grid.peak(part[0])
    if peak == 0:
        return part
    frequencies = peak + (grid.frequencies - peak) / stretch
    return np.asarray(grid.coefficients(part) @ np.cos(np.outer(frequencies, stretch * grid.lags)))


def close_in(bracket: Bracket, rtol: float) -> DecayingPoint | None:
    """Narrow a bracket of q = 1 by the Illinois variant of regula falsi, to ``rtol`` in q."""
    linear, low, high = bracket.linear, bracket.high, bracket.low
    f_low, f_high = low.scale - 1, high.scale - 1
    best = min((low, high), key=lambda point: abs(point.scale - 1))
    for _ in range(40):
        if abs(best.scale - 1) <= rtol:
            return best
        u_low, u_high = np.log(low.amplitude), np.log(high.amplitude)
        u = (u_low * f_high - u_high * f_low) / (f_high - f_low)
        point = _next(linear, [best], float(np.exp(u)))
        if point is None:  # too far from the last one: half the way
            point = _next(linear, [best], float(np.sqrt(np.exp(u) * best.amplitude)))
        if point is None:
            return None
        f = point.scale - 1
        if f * f_high < 0:
            low, f_low = high, f_high
        else:
            f_low /= 2
        high, f_high = point, f
        if abs(point.scale - 1) < abs(best.scale - 1):
            best = point
    return best
