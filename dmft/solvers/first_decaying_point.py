r"""A first decaying solution, from nothing but its amplitude.

Among C_1 = A / cosh(tau / l) one width l is nearly mapped onto itself by the equations: the filter
widens narrow functions, the nonlinearity narrows wide ones. Where the filters resonate no such shape
is near a solution, and one is grown (`starting_shape`): slower near an onset. ``base`` is the
constant part, near the one of the solution; what decays is what the equations make of the rest,
scaled to the amplitude.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from .decaying import DecayingPoint, integral, search_average_tol, solve_at
from .lag_grid import LagGrid
from .linear_theory import LinearTheory
from .newton import PrescribedAmplitude, PrescribedLine
from .starting_shape import settling_shapes
from .stationary_problem import StationaryProblem

__all__ = ["first_point", "grown_point", "point_above"]

Floats = NDArray[np.float64]


def _mapped(
    problem: StationaryProblem, c: Floats, amplitude: float, base: DecayingPoint | None
) -> tuple[Floats, float]:
    """One application of the equations, scaled to the amplitude; and the scale q that it took."""
    new = problem.filtered(problem.currents(c, None if base is None else base.means).covariance)
    if base is None:
        q = amplitude / float(new[0, 0])
        return q * new, q
    new -= new[:, -1:]
    q = amplitude / float(new[0, 0])
    return base.plateau + q * new, q


def _trial(
    linear: LinearTheory, amplitude: float, width: float, base: DecayingPoint | None
) -> tuple[StationaryProblem, Floats]:
    grid = LagGrid(16 * width, 96)
    share = 1.0 if base is None else amplitude / float(base.covariance[0, 0])
    problem = StationaryProblem(linear, grid, search_average_tol(share))
    shape = amplitude / np.cosh(grid.lags / width)
    if base is not None:
        directions = base.decaying_part[:, :1] / base.amplitude
        return problem, base.plateau + directions * shape
    c = np.tile(shape, (len(linear.active), 1))
    for _ in range(2 if len(c) > 1 else 0):
        c = _mapped(problem, c, amplitude, None)[0]
        c[0] = shape
    return problem, c


def _widths(linear: LinearTheory) -> Floats:
    rates = -np.linalg.eigvals(linear.drift).real
    shortest = 0.3 / float(np.max(rates))
    # far beyond the slowest filter, because correlations near an onset are slower than any
    reach = 1e4 * float(np.max(rates) / np.min(rates))
    return np.asarray(shortest * 1.6 ** np.arange(int(np.log(reach) / np.log(1.6)) + 5))


def _self_mapped(linear: LinearTheory, amplitude: float, base: DecayingPoint | None) -> list[float]:
    """Widths of bells whose integral over their height the equations leave as it is."""
    before: tuple[float, float] | None = None
    found: list[float] = []
    floor = 0.0 if base is None else base.plateau[0, 0]
    for width in _widths(linear):
        problem, c = _trial(linear, amplitude, float(width), base)
        mapped = _mapped(problem, c, amplitude, base)[0]
        ratio = integral(problem.grid, mapped - floor) / integral(problem.grid, c - floor)
        change = float(np.log(max(ratio, 1e-9)))  # a resonating filter can take it below zero
        if before is not None and before[1] > 0 >= change:
            share = before[1] / (before[1] - change)
            found.append(float(before[0] * (width / before[0]) ** share))
        before = (float(width), change)
    return found


def first_point(linear: LinearTheory, amplitude: float) -> DecayingPoint | None:
    """A solution that decays to zero, at ``amplitude``, from bell shapes; None if none was found."""
    for width in _self_mapped(linear, amplitude, None):
        problem, c = _trial(linear, amplitude, width, None)
        q = 1.0
        for _ in range(6):
            c, q = _mapped(problem, c, amplitude, None)
        guess = DecayingPoint(amplitude, q, problem.grid, c)
        point = solve_at(linear, guess, PrescribedAmplitude(amplitude))
        if point is not None:
            return point
    return None


def grown_point(linear: LinearTheory, amplitude: float) -> DecayingPoint | None:
    """A solution that decays to zero, at ``amplitude``, from white noise; None if none was found."""
    for grid, c, q in settling_shapes(linear, amplitude, search_average_tol(1.0)):
        guess = DecayingPoint(amplitude, q, grid, c)
        point = solve_at(linear, guess, PrescribedAmplitude(amplitude))
        if point is not None:
            return point
    return None


def point_above(linear: LinearTheory, base: DecayingPoint) -> DecayingPoint | None:
    """A solution that decays from near ``base``, a constant state, to somewhat below it.

    The amplitude of ``base`` is what decays, its covariance at lag 0 minus its limits the direction.
    """
    prescribed = PrescribedLine(1.0, 0.0, float(np.log(base.amplitude)))
    found = _self_mapped(linear, base.amplitude, base)
    # where C(infinity) is all but unstable the window of a bell is too short: waves are found, not decay
    for width in [width * stretch for stretch in (1, 3, 9) for width in found]:
        problem, c = _trial(linear, base.amplitude, width, base)
        for _ in range(3):
            c = _mapped(problem, c, base.amplitude, base)[0]
        guess = DecayingPoint(base.amplitude, base.scale, problem.grid, c, base.limits, base.means)
        point = solve_at(linear, guess, prescribed)
        if point is not None:
            return point
    return None
