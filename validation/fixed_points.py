"""Fixed points of one small network: Newton's method from many starts, sorted and counted."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from dmft.errors import InputError

from .eigenvalues import jacobian
from .ensemble import Ensemble
from .network import FiniteNetwork, State

#: Shares of a Newton step that are tried when the whole step does not help: all at once, in one batch.
SHARES = 0.5 ** np.arange(8.0)


@dataclass(frozen=True, slots=True)
class FixedPointPlan:
    """How to look for fixed points.

    ``starts`` Gaussian starts, their standard deviations drawn log-uniformly from ``amplitudes``.
    Newton's method stops at a velocity whose largest entry is below ``tol`` or after ``iterations``.
    Points whose largest difference is below ``separation`` are the same.
    """

    starts: int = 1000
    amplitudes: tuple[float, float] = (0.1, 10.0)
    iterations: int = 60
    tol: float = 1e-11
    separation: float = 1e-5


@dataclass(frozen=True, slots=True, eq=False)
class FixedPoints:
    """What was found, ordered by how often.

    ``states``: ``(count, fields, N)``. ``residual``: largest velocity at each. ``correction``: the
    largest entry of one more Newton step, which is about the distance to the exact
    point. ``leading``: largest real part of the Jacobian's eigenvalues, ``unstable`` how many are
    positive. ``hits``: starts that led there. ``failed``: starts that led nowhere.

    ``is_sound``: all corrections are far below the separation, so that different points are
    different points, and `lower_bound` counts fixed points that exist.
    """

    states: NDArray[np.float64]
    residual: NDArray[np.float64]
    correction: NDArray[np.float64]
    leading: NDArray[np.float64]
    unstable: NDArray[np.int64]
    hits: NDArray[np.int64]
    failed: int
    separation: float

    @property
    def lower_bound(self) -> int:
        """How many were found. There may be any number of others."""
        return len(self.states)

    @property
    def is_sound(self) -> bool:
        """Whether every point is located far better than points are apart."""
        return bool((self.correction < 1e-2 * self.separation).all())

    @property
    def estimated_number(self) -> float:
        """Chao's estimate of how many these starts could find, itself a lower bound on average.

        S + f1 (f1 - 1) / (2 (f2 + 1)) with f1, f2 the numbers of points found once and twice (Chao,
        Scand. J. Stat. 11, 265 (1984), bias-corrected). Points that Newton's method hardly ever
        reaches are not in it. Equal to the number found when none was found only once.
        """
        once, twice = int(np.sum(self.hits == 1)), int(np.sum(self.hits == 2))
        return self.lower_bound + once * (once - 1) / (2.0 * (twice + 1))

    @property
    def unseen_probability(self) -> float:
        """Probability that the next successful start leads to a point not found yet (Good 1953)."""
        return float(np.sum(self.hits == 1) / max(1, self.hits.sum()))

    @property
    def statement(self) -> str:
        """What may be claimed."""
        starts = int(self.hits.sum()) + self.failed
        number = (
            f"at least {self.lower_bound} fixed points ({int(np.sum(self.unstable == 0))} stable)"
        )
        if not self.is_sound:
            number = f"{self.lower_bound} candidates, not all of them told apart from each other"
        return (
            f"{number} from {starts} starts, {self.failed} of which failed; about "
            f"{self.estimated_number:.0f} or more within reach of such starts; the next one finds a "
            f"new one with probability {self.unseen_probability:.2g}"
        )


def find_fixed_points(
    network: FiniteNetwork, starts: Sequence[State], plan: FixedPointPlan
) -> FixedPoints:
    """All distinct ends of Newton's method from ``starts``, ``(1, N)`` per field each.

    Newton on the whole state with the dense Jacobian, cost (fields N)^3 per iteration; the share
    of a step that leaves the smallest velocity is taken. Saddles are found as easily as stable points.
    """
    if network.dtype != np.float64:
        raise InputError("fixed points: a float32 network was given, float64 is needed")
    fields = len(network.right.info.fields)
    points = np.zeros((0, fields, network.units))
    hits: list[int] = []
    failed = 0
    for start in starts:
        end = _newton(network, start, plan)
        if end is None:
            failed += 1
            continue
        point = np.stack([field[0] for field in end])
        known = np.flatnonzero(np.abs(points - point).max(axis=(1, 2)) < plan.separation)
        if known.size:
            hits[known[0]] += 1
        else:
            points = np.concatenate([points, point[None]])
            hits.append(1)
    order = np.argsort(-np.array(hits, dtype=np.int64), kind="stable")
    numbers = np.array([_stability(network, points[k]) for k in order]).reshape(-1, 4)
    return FixedPoints(
        states=points[order],
        residual=numbers[:, 0],
        correction=numbers[:, 1],
        leading=numbers[:, 2],
        unstable=numbers[:, 3].astype(np.int64),
        hits=np.array(hits, dtype=np.int64)[order],
        failed=failed,
        separation=plan.separation,
    )


def _newton(network: FiniteNetwork, start: State, plan: FixedPointPlan) -> State | None:
    x = [field.astype(np.float64) for field in start]
    fields, units = len(x), network.units
    shares = SHARES[:, None]
    velocity = network.velocity(x)
    for _ in range(plan.iterations):
        if max(float(np.abs(v).max()) for v in velocity) < plan.tol:
            return x
        try:
            step = np.linalg.solve(jacobian(network, x), -np.concatenate(velocity, axis=1)[0])
        except np.linalg.LinAlgError:
            return None
        steps = step.reshape(fields, units)
        trials = [field + shares * s for field, s in zip(x, steps, strict=True)]
        velocities = network.velocity(trials)
        size = sum(np.sum(v**2, axis=1) for v in velocities)
        best = int(np.argmin(np.where(np.isfinite(size), size, np.inf)))
        x = [t[best : best + 1] for t in trials]
        velocity = [v[best : best + 1] for v in velocities]
    return None


def _stability(network: FiniteNetwork, point: NDArray[np.float64]) -> tuple[float, ...]:
    """Residual, correction, leading real part and number of positive real parts at a point."""
    x = [field[None] for field in point]
    matrix = jacobian(network, x)
    velocity = np.concatenate(network.velocity(x), axis=1)[0]
    try:
        correction = float(np.abs(np.linalg.solve(matrix, velocity)).max())
    except np.linalg.LinAlgError:
        correction = float("inf")  # a degenerate point: its distance is not known
    real = np.linalg.eigvals(matrix).real
    return float(np.abs(velocity).max()), correction, float(real.max()), float(np.sum(real > 0))


def network_fixed_points(
    ensemble: Ensemble, plan: FixedPointPlan, n: int, realization: int
) -> FixedPoints:
    """Those of network number ``realization`` of ``n`` units; starts of many sizes."""
    network, rng = ensemble.network(n, realization)
    low, high = np.log(plan.amplitudes)
    starts = []
    for _ in range(plan.starts):
        scale = np.exp(rng.uniform(low, high))
        starts.append([scale * rng.standard_normal((1, n)) for _ in network.right.info.fields])
    return find_fixed_points(network, starts, plan)
