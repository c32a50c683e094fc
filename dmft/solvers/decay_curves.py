r"""Curves of decaying solutions in theories where something has a mean: C(infinity) > 0.

At a constant state with V = 1 (`onset`) a decaying solution is born. Its curve in the plane of
log A, A = C_1(0) - C_1(infinity), and log q ends at another such state (A -> 0 again: chaos in a
window of inputs) or goes on to amplitudes that no solution at q = 1 can have. Curves are followed by
pseudo-arclength, because both A and q may turn: one down from large amplitudes, where means matter
least, and one from every onset that is not reached by another.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from dmft.gaussian.pair_average import AverageBudgetError

from .decaying import Bracket, DecayingPoint, Search, scaled, solve_at
from .first_decaying_point import point_above
from .lag_grid import LagGrid
from .linear_theory import LinearTheory
from .newton import PrescribedLine
from .onset import Onset, log_radius, onsets
from .statics import LARGEST_SCALE, StaticCurve

__all__ = ["chaos_with_means", "close_on_line", "large_start"]

Floats = NDArray[np.float64]

#: Weight of log q beside log A in the length of a curve.
_SCALE_WEIGHT = 3.0
#: First amplitudes tried above an onset, relative to its variance.
_FIRST_AMPLITUDES = (0.1, 0.03, 0.3, 0.01, 1e-3)
#: Below this share of C(0) a decaying part has come back to a constant state.
_FAINT = 3e-3
#: A curve is begun below the first share, and not looked at below the second.
_SMALL_SHARE, _SMALLEST_SHARE = 0.05, 1e-6
#: Below this share of the bound on amplitudes q(A) is what it is at the onset.
_TINY = 1e-3
#: Multiples of that bound from where curves are followed downwards.
_LARGE_FACTORS = (1.0, 1.3, 2.0, 0.3, 0.03)
#: Means below this, in standard deviations, are those of states without a mean.
_NO_MEAN = 1e-3
_FIRST_STEP, _LONGEST_STEP, _SHORTEST_STEP = 0.1, 0.4, 0.004
_MOST_POINTS = 300
#: Beyond this multiple of the bound on amplitudes at q = 1 a curve with q > 1 is left.
_FAR = 2.0


@dataclass(frozen=True)
class _Curve:
    """Points in order, with the onset where they end (None: at large amplitude), or a break."""

    points: list[DecayingPoint]
    end: Onset | None
    complete: bool


def chaos_with_means(linear: LinearTheory, bound: StaticCurve) -> Search:
    """All crossings of q = 1 on curves that end at constant states with V = 1 or at large amplitude.

    ``bound`` is the static curve of the filters' peak gain.
    """
    ends = onsets(linear)
    largest = _largest_amplitude(bound)
    has_mean = bool(linear.responding) and bound.means_may_vanish
    curves: list[_Curve] = []
    reached: list[Onset] = []
    complete = True
    if not linear.responding:
        start = large_start(linear, largest)
        if start is not None:
            # from below q = 1 the curve has to be followed upwards too
            for sign in (-1.0,) if start.scale >= 1 else (-1.0, 1.0):
                curves.append(
                    _followed(linear, [start], (sign, 0.0), ends, None, largest, has_mean)
                )
    for onset in ends:
        if onset.variances[0] <= 0 and curves:
            continue  # the curve from large amplitudes comes down to it, or says where it breaks off
        reached = [curve.end for curve in curves if curve.end is not None]
        if any(onset is end for end in reached):
            continue
        path = _path_from(linear, onset)
        if path is None:
            complete = False
            continue
        curves.append(_followed(linear, path, (1.0, 0.0), ends, onset, largest, has_mean))
    brackets = [
        Bracket(low, high, linear)
        for curve in curves
        for low, high in pairwise(curve.points)
        if (low.scale - 1) * (high.scale - 1) <= 0 and low.scale != high.scale
    ]
    brackets.sort(key=lambda b: -b.second_moment)
    return Search(
        tuple(brackets),
        complete and all(curve.complete for curve in curves),
        min((point.scale for curve in curves for point in curve.points), default=np.inf),
    )


def _largest_amplitude(bound: StaticCurve) -> float:
    """C_1(0) of every solution at q = 1 is below this."""
    if np.any(bound.means_respond):
        # the bound's own means are not those of the solutions: the outputs' largest values count
        bound = replace(bound, mean_gain=None)
    top, offset = bound.largest_amplitude, float(bound.offsets[0])
    if top is not None:
        return offset + (top - offset) / LARGEST_SCALE
    crossings = bound.crossings()
    return float(crossings[0].variances[0]) if crossings else np.inf


def _base(linear: LinearTheory, onset: Onset, share: float) -> DecayingPoint:
    """A guess about the constant part of a solution whose amplitude is a share of C(0).

    Near the onset C(0) lies a third of the amplitude above, C(infinity) two thirds below the
    constant solution (the cubic potential of C has its valley there).
    """
    amplitude = share * float(onset.variances[0])
    change = amplitude * onset.direction
    top = onset.variances + change / 3
    limits = np.maximum(onset.variances - 2 * change / 3, 0.0)
    return DecayingPoint(
        amplitude, onset.scale, LagGrid(1.0, 1), np.tile(top[:, None], 2), limits, onset.means
    )


def large_start(linear: LinearTheory, largest: float) -> DecayingPoint | None:
    """A solution at an amplitude that none at q = 1 exceeds, where constant states are unstable."""
    curve = linear.static_curve(linear.response**2)
    offset = float(curve.offsets[0])
    for factor in _LARGE_FACTORS:
        amplitude = factor * (largest - offset)
        if not np.isfinite(amplitude):
            return None
        static = curve.points(offset + amplitude, 1e-9)
        if not static.converged[0] or log_radius(linear, static, 0) <= 0:
            continue
        variances = static.variances[:, 0]
        # of the constant state everything is thought to decay but what the inputs add
        base = DecayingPoint(
            amplitude,
            float(static.scale[0]),
            LagGrid(1.0, 1),
            np.tile(variances[:, None], 2),
            np.minimum(curve.offsets, variances),
            static.means[:, 0],
        )
        point = point_above(linear, base)
        if point is not None and (point.scale >= 1 or factor < 1):
            return point
    return None


def _path_from(linear: LinearTheory, onset: Onset) -> list[DecayingPoint] | None:
    """The beginning of a curve, from where q = 1 cannot lie between the onset and it; None if none."""
    if onset.variances[0] <= 0:
        return None
    first = None
    for share in _FIRST_AMPLITUDES:
        first = point_above(linear, _base(linear, onset, share))
        if first is not None:
            break
    if first is None:
        return None
    path = [first]
    while (path[-1].scale - 1) * (onset.scale - 1) <= 0 or _share(path[-1]) > _SMALL_SHARE:
        if _share(path[-1]) < _SMALLEST_SHARE:
            return None
        nearer = _advance(linear, path[-2:], 0.3, (-1.0, 0.0))
        if nearer is None:
            return None
        path.append(nearer)
    return path[::-1]


def _followed(
    linear: LinearTheory,
    path: list[DecayingPoint],
    direction: tuple[float, float],
    ends: list[Onset],
    origin: Onset | None,
    largest: float,
    has_mean: bool,
) -> _Curve:
    """The curve on from ``path`` to its end; ``origin`` is where it began."""
    path, others = list(path), [end for end in ends if end is not origin]
    step = _FIRST_STEP
    lost = False
    while len(path) < _MOST_POINTS:
        here = path[-1]
        following = _advance(linear, path[-2:], step, direction)
        lost = following is not None and has_mean and _mean_size(following) < _NO_MEAN
        if following is None or lost:
            step /= 3
            if step < _SHORTEST_STEP:
                # where the mean vanishes the curve meets that of states without one, and ends
                return _Curve(path, None, lost or (has_mean and _mean_size(here) < 0.1))
            continue
        path.append(following)
        step = min(step * 1.5, _LONGEST_STEP)
        if following.amplitude >= here.amplitude:
            if following.covariance[0, 0] > _FAR * largest and following.scale > 1:
                return _Curve(path, None, True)
            continue
        end = _ending(following, others, largest)
        if end is not None and (following.scale - 1) * (end.scale - 1) > 0:
            return _Curve(path, end, True)
        if _share(following) < _SMALLEST_SHARE:
            return _Curve(path, end, False)
    return _Curve(path, None, False)


def _ending(point: DecayingPoint, candidates: list[Onset], largest: float) -> Onset | None:
    """The onset that a falling curve is about to reach, if it is about to reach one.

    It is when little of C(0) decays and a constant state of that size is marginal; or when C(0) is
    so small that only bias or input still matter to it, at a state that is smaller still.
    """

    def distance(onset: Onset) -> float:
        if onset.variances[0] <= 0:
            return np.inf
        return float(
            abs(np.log(point.covariance[0, 0] / onset.variances[0]))
            + abs(np.log(point.scale / onset.scale))
        )

    best = min(candidates, key=distance, default=None)
    if best is None:
        return None
    if _share(point) < _FAINT and distance(best) < 0.05:
        return best
    tiny = point.covariance[0, 0] < _TINY * largest
    smaller = [o for o in candidates if o.variances[0] < 3 * point.covariance[0, 0]]
    if tiny and len(smaller) == 1 and abs(np.log(point.scale / smaller[0].scale)) < 0.1:
        return smaller[0]
    return None


def _mean_size(point: DecayingPoint) -> float:
    """The largest mean, in standard deviations."""
    assert point.means is not None
    return float(np.max(abs(point.means) / np.sqrt(point.covariance[:, 0])))


def _share(point: DecayingPoint) -> float:
    return float(point.amplitude / point.covariance[0, 0])


def _place(point: DecayingPoint) -> Floats:
    return np.array([np.log(point.amplitude), _SCALE_WEIGHT * np.log(point.scale)])


def _advance(
    linear: LinearTheory, path: list[DecayingPoint], step: float, direction: tuple[float, float]
) -> DecayingPoint | None:
    """The next point at arclength ``step``; ``direction`` counts where there is only one point."""
    last = path[-1]
    # the first step is taken along an axis, not along the curve
    farthest = (3 if len(path) > 1 else 10) * step
    tangent, share = np.array(direction), 0.0
    if len(path) > 1:
        change = _place(last) - _place(path[-2])
        length = float(np.linalg.norm(change))
        tangent, share = change / length, step / length
    target = float(tangent @ _place(last)) + step
    guess = scaled(path, float(np.exp(step * tangent[0])), share)
    prescribed = PrescribedLine(float(tangent[0]), float(tangent[1]) * _SCALE_WEIGHT, target)
    try:
        point = solve_at(linear, guess, prescribed)
    except AverageBudgetError:
        return None  # a wild guess may be too steep for the averages: a shorter step need not be
    if point is None or np.linalg.norm(_place(point) - _place(last)) > farthest:
        return None
    return point


def close_on_line(bracket: Bracket, rtol: float) -> DecayingPoint | None:
    """Narrow a bracket of q = 1 to ``rtol`` in q, along the line through its ends."""
    low, high = bracket.low, bracket.high
    chord = _place(high) - _place(low)
    length = float(np.linalg.norm(chord))
    tangent = chord / length
    origin = float(tangent @ _place(low))
    places = [0.0, length]
    excess = [float(np.log(low.scale)), float(np.log(high.scale))]
    points = [low, high]
    for _ in range(40):
        best = points[int(np.argmin(np.abs(excess)))]
        if abs(best.scale - 1) <= rtol:
            return best
        # Illinois: the end that stays counts half
        (s0, s1), (f0, f1) = places[:2], excess[:2]
        s = s0 - f0 * (s1 - s0) / (f1 - f0)
        nearest = min((0, 1), key=lambda i: abs(places[i] - s))
        near, far = points[nearest], points[1 - nearest]
        shift = s - places[nearest]
        share = shift / (places[nearest] - places[1 - nearest])
        guess = scaled([far, near], float(np.exp(shift * tangent[0])), share)
        prescribed = PrescribedLine(
            float(tangent[0]), float(tangent[1]) * _SCALE_WEIGHT, origin + s
        )
        point = solve_at(bracket.linear, guess, prescribed)
        if point is None:
            return None
        f = float(np.log(point.scale))
        if f * f1 < 0:
            places, excess, points = [s1, s], [f1, f], [points[1], point]
        else:
            places, excess, points = [s0, s], [f0 / 2, f], [points[0], point]
    return None
