r"""States that white noise drives, followed from uncoupled units: q = 0, where they are exact.

There every field is an Ornstein-Uhlenbeck process (or what the linear dynamics make of noise and
inputs). The curve of solutions in the plane of log A, A = C_1(0) - C_1(infinity), and log q is
followed from there by pseudo-arclength to amplitudes that no solution at q = 1 can have; its crossings
of q = 1 are the states, one or, where noise blurs a fold of the network, three.

Where noise does not reach what the outputs hear, zero activity of the couplings is one state, and
others are looked for from large amplitudes, where noise matters least.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from .decay_curves import large_start
from .decaying import DecayingPoint
from .first_decaying_point import first_point
from .lag_grid import evaluate_series
from .linear_theory import LinearTheory
from .mean_sheets import starting_means
from .newton import NewtonResult, PrescribedAmplitude, PrescribedLine, newton
from .panel_grid import PanelGrid
from .panel_problem import PanelProblem
from .plateau import plateau
from .statics import LARGEST_SCALE

__all__ = ["DrivenBracket", "DrivenPoint", "DrivenSearch", "driven_states", "first_grid"]

Floats = NDArray[np.float64]

_SEARCH_TOL, _SEARCH_AVERAGE_TOL = 1e-7, 1e-11
_SEARCH_TAIL, _SEARCH_ROUGH = 1e-4, 1e-6
#: Sources are sharp where they are faint: a finer resolution costs panels and changes nothing.
_SOURCE_ROUGH = 1e-10
_MOST_POINTS_OF_LAG = 900
#: Weight of log q beside log A in the length of a curve.
_SCALE_WEIGHT = 2.0
_FIRST_STEP, _LONGEST_STEP, _SHORTEST_STEP = 0.2, 0.6, 0.004
_MOST_STEPS = 300


@dataclass(frozen=True)
class DrivenPoint:
    """A solution at coupling scale q: centred covariances, means and limits of the active fields."""

    scale: float
    grid: PanelGrid
    covariance: Floats
    means: Floats
    limits: Floats

    @property
    def amplitude(self) -> float:
        """What decays of the first field."""
        return float(self.covariance[0, 0] - self.covariance[0, -1])

    @property
    def place(self) -> Floats:
        """In the plane of log A and log q."""
        return np.array([np.log(self.amplitude), _SCALE_WEIGHT * np.log(self.scale)])


@dataclass(frozen=True)
class DrivenBracket:
    """Two solutions next to each other on a curve, on both sides of q = 1."""

    low: DrivenPoint
    high: DrivenPoint

    @property
    def second_moment(self) -> float:
        """About <x_1^2> of the solution between them."""
        values = [p.covariance[0, 0] + p.means[0] ** 2 for p in (self.low, self.high)]
        f_low, f_high = np.log(self.low.scale), np.log(self.high.scale)
        return float((values[0] * f_high - values[1] * f_low) / (f_high - f_low))


@dataclass(frozen=True)
class DrivenSearch:
    """Brackets of q = 1, largest first; whether the quiet state exists; how the search ended."""

    brackets: tuple[DrivenBracket, ...]
    quiet: bool
    complete: bool


def first_grid(linear: LinearTheory) -> PanelGrid:
    """For the covariances of uncoupled units."""
    poles = np.linalg.eigvals(linear.drift)
    slowest = linear.slowest_rate
    turning = float(np.max(abs(poles.imag)))
    longest = min(8 / slowest, 6 / turning if turning > 0 else np.inf)
    return PanelGrid.graded(1.5 / linear.fastest_rate, longest, 14 / slowest)


def is_quiet(linear: LinearTheory) -> bool:
    """Whether no output moves where only inputs and noise drive the fields."""
    problem = PanelProblem(linear, first_grid(linear), _SEARCH_AVERAGE_TOL)
    c = np.broadcast_to(problem.added, (len(linear.active), problem.grid.lags.size))
    return not np.any(problem.currents(np.array(c)).covariance)


def driven_states(linear: LinearTheory) -> DrivenSearch:
    """All states at q = 1 that are reached from uncoupled units or from large amplitudes."""
    largest = _largest_amplitude(linear)
    quiet = is_quiet(linear)
    paths: list[list[DrivenPoint] | None] = []
    direction = np.array([0.0, 1.0])
    if quiet:
        start = _large_start(linear, largest)
        paths.append(None if start is None else [start])
        direction = np.array([-1.0, 0.0])
    else:
        paths += [_uncoupled(linear, means) for means in _starting_means(linear)]
    brackets: list[DrivenBracket] = []
    complete = True
    for path in paths:
        if path is None:
            complete = False
            continue
        curve, ended = _followed(linear, path, direction, largest)
        complete &= ended
        brackets += [
            DrivenBracket(low, high)
            for low, high in pairwise(curve)
            if (low.scale - 1) * (high.scale - 1) <= 0 and low.scale != high.scale
        ]
    brackets.sort(key=lambda b: -b.second_moment)
    return DrivenSearch(tuple(brackets), quiet, complete)


def _largest_amplitude(linear: LinearTheory) -> float:
    """C_1(0) of every solution at q = 1 is below this; infinite where outputs are unbounded."""
    bound = linear.static_curve(linear.peak_gain)
    top = bound.largest_amplitude
    grid = first_grid(linear)
    noise = PanelProblem(linear, grid, _SEARCH_AVERAGE_TOL).added[0, 0]
    if top is None:
        return np.inf
    return float(noise + (top - bound.offsets[0]) / LARGEST_SCALE)


def _starting_means(linear: LinearTheory) -> list[Floats]:
    """Means of the active fields at q = 0."""
    if not linear.responding:
        return [linear.active_means]
    added = PanelProblem(linear, first_grid(linear), _SEARCH_AVERAGE_TOL).added[:, 0]
    curve = linear.mean_curve
    found = starting_means(curve, added)
    return [*found, linear.active_means] if curve.means_may_vanish else found


def _uncoupled(linear: LinearTheory, means: Floats) -> list[DrivenPoint] | None:
    """Solutions at two small q, the first all but uncoupled."""
    grid = first_grid(linear)
    problem = PanelProblem(linear, grid, _SEARCH_AVERAGE_TOL)
    added = np.array(np.broadcast_to(problem.added, (len(linear.active), grid.lags.size)))
    coupled = problem.filtered(problem.currents(added, means).covariance)
    limits = linear.input_variances[list(linear.active)]
    largest = np.max(coupled[:, 0])
    share = np.min(added[:, 0]) / largest if largest > 0 else 1.0
    # where noise and inputs do not reach a field only the couplings set its size
    scales = [0.02 * share] if share > 0 else [1e-2, 1e-3, 1e-4, 1e-6, 1e-8]
    for q in np.clip(scales, 1e-12, 0.3):
        path: list[DrivenPoint] = []
        guess = DrivenPoint(q, grid, added + q * coupled, means, limits)
        for factor in (1.0, 1.3):
            point = _solved(linear, guess, None, factor * q)
            if point is None:
                break
            path.append(point)
            guess = point
        else:
            return path
    return None


def _large_start(linear: LinearTheory, largest: float) -> DrivenPoint | None:
    """A state without noise at a large amplitude, to which the noise is added."""
    noiseless = linear.without_noise()
    if not np.isfinite(largest):
        return None
    for factor in (1.0, 1.3, 0.8, 2.0):
        if noiseless.decays:
            point = first_point(noiseless, factor * largest)
        else:
            point = large_start(noiseless, factor * largest)
        start = None if point is None or point.scale < 1 else _on_panels(linear, point)
        if start is not None:
            return start
    return None


def _on_panels(linear: LinearTheory, point: DecayingPoint) -> DrivenPoint | None:
    length = point.grid.length
    grid = PanelGrid.graded(1.5 / linear.fastest_rate, length / 8, length)
    problem = PanelProblem(linear, grid, _SEARCH_AVERAGE_TOL)
    series = point.grid.coefficients(point.covariance)
    c = evaluate_series(series, length, grid.lags) + problem.added
    guess = DrivenPoint(point.scale, grid, c, linear.active_means, point.plateau[:, 0])
    return _solved(linear, guess, PrescribedAmplitude(float(c[0, 0])), point.scale)


def _solved(
    linear: LinearTheory,
    guess: DrivenPoint,
    prescribed: PrescribedLine | PrescribedAmplitude | None,
    scale: float,
) -> DrivenPoint | None:
    """Newton's method; window and panels follow the solution."""
    grid, c, means, q = guess.grid, guess.covariance, guess.means, scale
    for _ in range(14):
        problem = PanelProblem(linear, grid, _SEARCH_AVERAGE_TOL)
        found = newton(
            problem,
            c,
            q,
            means=means,
            prescribed=prescribed,
            tol=_SEARCH_TOL,
            method="dense",
            polish=False,
        )
        if not found.converged:
            return None
        limits = plateau(problem, found.covariance, found.means, found.scale)
        if limits is None:
            return None
        c, means, q = found.covariance, found.means, found.scale
        sources = found.currents.covariance
        new = adapted(linear, grid, c, limits, sources, _SEARCH_TAIL, _SEARCH_ROUGH)
        if new == grid:
            return DrivenPoint(q, grid, c, means, limits) if _fluctuates(found, limits) else None
        if new.lags.size > _MOST_POINTS_OF_LAG:
            return None
        c = limits[:, None] + grid.resample(c - limits[:, None], new)
        grid = new
    return None


def _fluctuates(found: NewtonResult, limits: Floats) -> bool:
    return bool(found.covariance[0, 0] - limits[0] > 0)


def adapted(
    linear: LinearTheory,
    grid: PanelGrid,
    c: Floats,
    limits: Floats,
    sources: Floats,
    tail: float,
    rough: float,
    of_whole: bool = False,
) -> PanelGrid:
    """The same grid if it is adequate for these functions and their sources, else a better one.

    ``tail`` and ``rough`` are relative to what decays, or to C(0) if they are ``of_whole``.

    Steep outputs make S(tau) sharper at lag 0 than C(tau); a filter feels an error of it in
    proportion to the panel's width.
    """
    part = c - limits[:, None]
    moving = part[:, 0] > 1e-9 * c[:, 0]
    part = part[moving]
    sizes = c[moving, 0] if of_whole else part[:, 0]
    left, rate = grid.tail(part)
    left = left / sizes
    if np.max(left) > tail:
        cut = left > tail
        missing = float(np.max(1.1 * np.log(3 * left[cut] / tail) / rate[cut]))
        return grid.extended(grid.length + min(missing, 2 * grid.length), 0.25 * grid.length)
    varying = sources - sources[:, -1:]
    kept = np.max(abs(varying), axis=1) > 1e-12 * abs(sources[:, 0])
    unresolved = grid.roughness(part, sizes) > rough
    if np.any(kept):
        felt = np.minimum(1.0, grid.widths * linear.fastest_rate)
        of_source = abs(sources[kept, 0]) if of_whole else None
        unresolved |= grid.roughness(varying[kept], of_source) * felt > max(rough, _SOURCE_ROUGH)
    if np.any(unresolved):
        return grid.refined(unresolved)
    # a window that has become far too long only costs
    below = np.max(abs(part) / part[:, :1], axis=0) < 1e-2 * tail
    after = np.flatnonzero(~below)[-1] if not np.all(below) else 0
    needed = 1.5 * grid.lags[after]
    if np.all(below[after + 1 :]) and needed < 0.6 * grid.length:
        shorter = tuple(e for e in grid.edges if e <= needed)
        if len(shorter) > 3:
            return PanelGrid(shorter)
    return grid


def advance(
    linear: LinearTheory, path: list[DrivenPoint], step: float, direction: Floats
) -> DrivenPoint | None:
    """The next point at arclength ``step``; ``direction`` counts where there is only one point."""
    last = path[-1]
    # the first step is taken along an axis, not along the curve
    farthest = (3 if len(path) > 1 else 10) * step
    tangent, share = direction, 0.0
    if len(path) > 1:
        change = last.place - path[-2].place
        length = float(np.linalg.norm(change))
        tangent, share = change / length, step / length
    goal = last.place + step * tangent
    point = at_place(linear, path, goal, tangent, share)
    if point is None or np.linalg.norm(point.place - last.place) > farthest:
        return None
    return point


def at_place(
    linear: LinearTheory, path: list[DrivenPoint], goal: Floats, tangent: Floats, share: float
) -> DrivenPoint | None:
    """The solution on the line through ``goal`` across ``tangent``, extrapolated from the path."""
    last = path[-1]
    c, means, limits = last.covariance, last.means, last.limits
    if len(path) > 1:
        before = path[-2]
        old = before.limits[:, None] + before.grid.resample(
            before.covariance - before.limits[:, None], last.grid
        )
        trial = c + share * (c - old)
        if np.all(trial[:, 0] > 0.3 * c[:, 0]) and np.all(abs(trial) <= trial[:, :1]):
            c, limits = trial, np.maximum(limits + share * (limits - before.limits), 0.0)
            means = means + share * (means - before.means)
    else:
        part = (c - limits[:, None]) * np.exp(goal[0] - last.place[0])
        c = limits[:, None] + part
    guess = DrivenPoint(last.scale, last.grid, c, means, limits)
    line = PrescribedLine(
        float(tangent[0]), float(tangent[1]) * _SCALE_WEIGHT, float(tangent @ goal)
    )
    return _solved(linear, guess, line, float(np.exp(goal[1] / _SCALE_WEIGHT)))


def _followed(
    linear: LinearTheory, path: list[DrivenPoint], direction: Floats, largest: float
) -> tuple[list[DrivenPoint], bool]:
    """The curve to its end, and whether that was found."""
    path = list(path)
    step = _FIRST_STEP
    while len(path) < _MOST_STEPS:
        here = path[-1]
        following = advance(linear, path[-2:], step, direction)
        if following is None:
            step /= 3
            if step < _SHORTEST_STEP:
                return path, False
            continue
        path.append(following)
        step = min(1.5 * step, _LONGEST_STEP)
        growing = following.amplitude > here.amplitude and following.scale > here.scale
        top = largest if np.isfinite(largest) else 1e3 * path[0].covariance[0, 0]
        if growing and following.scale > 1 and following.covariance[0, 0] > top:
            return path, True
        if following.scale > 1e4:
            return path, True
        if following.amplitude < 1e-3 * min(path[0].amplitude, top) and direction[0] < 0:
            # q(A) has come to where the quiet state loses stability
            flat = abs(np.log(following.scale / here.scale)) < 0.02
            if flat and abs(np.log(following.scale)) > 0.05:
                return path, True
            if following.amplitude < 1e-7 * top:
                return path, flat
    return path, False
