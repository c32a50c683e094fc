r"""Decaying (chaotic) solutions, followed in their amplitude.

At a prescribed amplitude A = C_1(0) the scale q of all couplings is unknown. The curve q(A) of
decaying solutions passes smoothly through the fold at which chaos appears discontinuously, and the
solutions of the theory are its crossings of q = 1: q grows with A on the upper branch and falls on
the lower, unstable one. The curve is followed downwards from the amplitude of the largest constant
solution of the filters' peak gain, which no stationary solution can exceed (`statics`).

The first point needs a shape. Among C_1 = A / cosh(tau / l) one width l is nearly mapped onto
itself: the filter widens narrow functions, the nonlinearity narrows wide ones. Where the filters
resonate no such shape is near a solution, and one is grown (`starting_shape`): slower near an onset.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from .lag_grid import LagGrid
from .newton import NewtonResult, newton
from .starting_shape import settling_shapes
from .stationary_problem import LinearTheory, StationaryProblem

__all__ = [
    "DecayingPoint",
    "Search",
    "close_in",
    "first_point",
    "follow",
    "grown_point",
    "is_covariance",
]

Floats = NDArray[np.float64]

#: Accuracy on the way to the solution; the solution itself is refined afterwards.
_SEARCH_TOL = 1e-7
_SEARCH_AVERAGE_TOL = 1e-9
_SEARCH_TAIL = 1e-4
_LONGEST = 4096


@dataclass(frozen=True)
class DecayingPoint:
    """A decaying solution at amplitude A with coupling scale q, on its grid."""

    amplitude: float
    scale: float
    grid: LagGrid
    covariance: Floats


def is_covariance(grid: LagGrid, covariance: Floats, tol: float) -> bool:
    """Whether the power spectrum is non-negative, to ``tol`` of its largest value."""
    power = grid.coefficients(covariance)
    return bool(np.min(power) >= -tol * np.max(power))


def _integral(grid: LagGrid, covariance: Floats) -> float:
    """Integral of C_1 over the lag, over C_1(0)."""
    return float(grid.coefficients(covariance[0])[0] * grid.length / covariance[0, 0])


def _width(grid: LagGrid, covariance: Floats) -> float:
    """The integral of C_1 or, where it oscillates and the integral says nothing, that of C_1^2."""
    if grid.peak(covariance[0]) == 0:
        return _integral(grid, covariance)
    a = grid.coefficients(covariance[0])
    return float((a[0] ** 2 + a @ a) / 2 * grid.length / covariance[0, 0] ** 2)


def _mapped(problem: StationaryProblem, c: Floats, amplitude: float) -> tuple[Floats, float]:
    """One application of the equations, scaled to the amplitude; and the scale q that it took."""
    new = problem.filtered(problem.currents(c).covariance)
    q = amplitude / float(new[0, 0])
    return q * new, q


def _trial(
    linear: LinearTheory, amplitude: float, width: float
) -> tuple[StationaryProblem, Floats]:
    grid = LagGrid(16 * width, 96)
    problem = StationaryProblem(linear, grid, _SEARCH_AVERAGE_TOL)
    shape = amplitude / np.cosh(grid.lags / width)
    c = np.tile(shape, (len(linear.active), 1))
    for _ in range(2 if len(c) > 1 else 0):
        c = _mapped(problem, c, amplitude)[0]
        c[0] = shape
    return problem, c


def first_point(linear: LinearTheory, amplitude: float) -> DecayingPoint | None:
    """A decaying solution at ``amplitude`` from bell shapes; None if none was found."""
    rates = -np.linalg.eigvals(linear.drift).real
    shortest = 0.3 / float(np.max(rates))
    # far beyond the slowest filter, because correlations near an onset are slower than any
    reach = 1e4 * float(np.max(rates) / np.min(rates))
    widths = shortest * 1.6 ** np.arange(int(np.log(reach) / np.log(1.6)) + 5)
    before: tuple[float, float] | None = None
    candidates: list[float] = []
    for width in widths:
        problem, c = _trial(linear, amplitude, float(width))
        mapped = _mapped(problem, c, amplitude)[0]
        ratio = _integral(problem.grid, mapped) / _integral(problem.grid, c)
        change = float(np.log(max(ratio, 1e-9)))  # a resonating filter can take it below zero
        if before is not None and before[1] > 0 >= change:
            share = before[1] / (before[1] - change)
            candidates.append(float(before[0] * (width / before[0]) ** share))
        before = (float(width), change)
    for width in candidates:
        problem, c = _trial(linear, amplitude, width)
        q = 1.0
        for _ in range(6):
            c, q = _mapped(problem, c, amplitude)
        point = _solve_at(linear, DecayingPoint(amplitude, q, problem.grid, c), amplitude)
        if point is not None:
            return point
    return None


def grown_point(linear: LinearTheory, amplitude: float) -> DecayingPoint | None:
    """A decaying solution at ``amplitude`` from white noise; None if none was found."""
    for grid, c, q in settling_shapes(linear, amplitude, _SEARCH_AVERAGE_TOL):
        point = _solve_at(linear, DecayingPoint(amplitude, q, grid, c), amplitude)
        if point is not None:
            return point
    return None


def _solve_at(linear: LinearTheory, guess: DecayingPoint, amplitude: float) -> DecayingPoint | None:
    """Newton at a prescribed amplitude; window and density follow the solution."""
    grid, c, q = guess.grid, guess.covariance, guess.scale
    for _ in range(12):
        problem = StationaryProblem(linear, grid, _SEARCH_AVERAGE_TOL)
        found = newton(problem, c, q, amplitude=amplitude, tol=_SEARCH_TOL, polish=False)
        if not found.converged or not _decays(found):
            return None
        c, q = found.covariance, found.scale
        tail = float(np.max(grid.tail(c)[0] / c[:, 0]))
        rough = grid.unresolved(c)
        if tail <= _SEARCH_TAIL and rough <= 1e-6:
            if not is_covariance(grid, c, 1e-5):
                return None
            return DecayingPoint(amplitude, q, grid, c)
        length = grid.length if tail <= _SEARCH_TAIL else 1.5 * grid.length
        density = grid.intervals / grid.length * (1.5 if rough > 1e-6 else 1.0)
        new = LagGrid(length, int(np.ceil(length * density / 16)) * 16)
        if new.intervals > _LONGEST:
            return None
        c = grid.resample(c, new)
        grid = new
    return None


def _decays(found: NewtonResult) -> bool:
    """Not a constant: the second half of the window is far below the start."""
    c = found.covariance
    half = c.shape[1] // 2
    return bool(np.max(abs(c[0, half:])) < 0.5 * c[0, 0])


@dataclass(frozen=True)
class Search:
    """What following q(A) has found: brackets of q = 1, upper first, and how it ended.

    ``complete``: the curve was followed to where no further crossing can be.
    ``lowest``: the smallest q seen.
    """

    brackets: tuple[tuple[DecayingPoint, DecayingPoint], ...]
    complete: bool
    lowest: float


def follow(
    linear: LinearTheory, start: DecayingPoint, *, scale_at_zero: float, smallest: float
) -> Search:
    """Follow q(A) downwards from ``start``, an amplitude where q >= 1.

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
            brackets.append((here, following))
        path.append(following)
        step = min(step * 1.5, 0.4)
    return Search(tuple(brackets), complete, float(min(point.scale for point in path)))


def _next(
    linear: LinearTheory, path: list[DecayingPoint], amplitude: float
) -> DecayingPoint | None:
    """The solution at a nearby amplitude, from the last one or, scaled, the last two."""
    last = path[-1]
    ratio = amplitude / last.amplitude
    c, q, grid = last.covariance * ratio, last.scale, last.grid
    if len(path) > 1:
        before = path[-2]
        share = np.log(ratio) / np.log(last.amplitude / before.amplitude)
        q = max(last.scale + share * (last.scale - before.scale), 0.5 * last.scale)
        change = _width(last.grid, last.covariance) / _width(before.grid, before.covariance)
        stretch = float(np.clip(change**share, 0.5, 2.0))
        c = _stretched(grid, c, stretch)
        grid = replace(grid, length=grid.length * stretch)
    return _solve_at(linear, DecayingPoint(amplitude, q, grid, c), amplitude)


def _stretched(grid: LagGrid, c: Floats, stretch: float) -> Floats:
    """Functions on a grid that is ``stretch`` times as long: wider, but oscillating as before.

    Frequencies are drawn together about the peak of the first field's spectrum. Where that is zero
    the values on the grid stay what they are.
    """
    peak = grid.peak(c[0])
    if peak == 0:
        return c
    frequencies = peak + (grid.frequencies - peak) / stretch
    return np.asarray(grid.coefficients(c) @ np.cos(np.outer(frequencies, stretch * grid.lags)))


def close_in(
    linear: LinearTheory, bracket: tuple[DecayingPoint, DecayingPoint], rtol: float
) -> DecayingPoint | None:
    """Narrow a bracket of q = 1 by the Illinois variant of regula falsi, to ``rtol`` in q."""
    low, high = bracket
    f_low, f_high = low.scale - 1, high.scale - 1
    best = min(bracket, key=lambda point: abs(point.scale - 1))
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
