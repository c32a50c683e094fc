r"""All states as connected curves in one parameter, through their folds.

Constant states are solutions of Phi(log A; p) = 0 (`static_system`), chaotic ones of f(log A; p) = 0
(`boundaries.chaos_probe`), A the variance of the first driven field or what decays of it. Both are
followed by pseudo-arclength in (log A, coordinate of p) from every state that is found at both ends of the
range, in its middle and near what bounds chaos; curves through known points are not followed twice.
Events: folds, where constant states change their stability, and where a curve is born at a state without
that amplitude; each is made exact by Newton's method on its own condition.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from dmft.continuation import Branch, EventStatus, Options, Problem, Watch, follow_both

from .boundaries.chaos_families import SLOPE, ChaosFolds
from .boundaries.chaos_onset import chaos_families
from .boundaries.jacobian_edge import edge_condition
from .boundaries.request import Request
from .boundaries.static_search import StaticSearch, fold_condition
from .boundaries.zero_state import zero_state_families
from .branches import Survey
from .constant_states import growth_rate
from .linear_theory import LinearTheory
from .lyapunov import decaying_state_exponent
from .static_system import StaticSystem
from .stationary_problem import StationaryProblem

__all__ = ["BranchCurve", "BranchEvent", "branch_curves"]

Floats = NDArray[np.float64]
#: Coordinates at which curves may be born, each with its error.
_Births = Sequence[tuple[float, float]]

FOLD, STABILITY, BIRTH = "fold", "stability", "birth"
#: Values of the parameter's coordinate at which states are looked for: both ends and between.
_COLUMNS = 3
#: Constant states are followed down to this share of a seed's amplitude, in a coordinate that is linear
#: below the second share.
_FLOOR, _LINEAR = 1e-6, 1e-2
_STATIC = Options(step=0.05, largest=0.15, angle=0.08, smallest=1e-6, points=900, tol=1e-11)
_CHAOTIC = Options(
    step=0.1, largest=0.2, angle=0.1, smallest=1e-4, points=300, tol=1e-9, event_tol=1e-6
)
#: Chaotic states are followed down to this share of a seed's amplitude; far enough for births to be seen.
_FAINTEST = 1e-3
#: An end is a birth where the parameter is this near, in its coordinate, to one.
_NEAR = 0.05
_MOST_INTERVALS = 3072
_STEP = 1e-5
_ROUNDING = 1e-14
_REST_POINTS = 33


@dataclass(frozen=True)
class BranchEvent:
    """A special point: ``kind`` "fold", "stability" or "birth", a value with its error, and A."""

    kind: str
    value: float
    error: float
    amplitude: float


@dataclass(frozen=True, eq=False)
class BranchCurve:
    """Points along a connected curve of states, k of them.

    ``kind`` "zero", "fixed-point" or "chaotic"; ``value`` (k,) of the parameter with ``error``;
    ``moments`` <x^2> and ``decaying`` C(0) - C(infinity), (k, fields); ``growth`` the largest real part
    of the Jacobian's spectrum, or lambda_max of chaotic states; ``stable``: growth is negative, or, for a
    chaotic state, it is not the smaller one of a pair; ``tangents`` (k, 2) d log A and d p by arclength.
    """

    kind: str
    value: Floats
    error: Floats
    moments: Floats
    decaying: Floats
    growth: Floats
    stable: NDArray[np.bool_]
    tangents: Floats
    length: Floats
    events: tuple[BranchEvent, ...]
    ends: tuple[str, str]


def branch_curves(request: Request, span: tuple[float, float]) -> list[BranchCurve]:
    """Rest, constant states and chaotic ones for values of ``request.solve_for`` in ``span``."""
    low, high = (float(request.axis.coordinate(value)) for value in span)
    followed = _Followed(request, (low, high))
    return [*followed.rest(), *followed.constant(), *followed.chaotic()]


@dataclass(frozen=True)
class _Followed:
    request: Request
    ends: tuple[float, float]

    @property
    def span(self) -> Floats:
        """The parameter's values at both ends."""
        return np.asarray(self.request.axis.value(np.array(self.ends)))

    @property
    def columns(self) -> Floats:
        return np.linspace(*self.ends, _COLUMNS)

    def linear(self, c: float) -> LinearTheory:
        """The theory at one value of the parameter's coordinate."""
        value = float(self.request.axis.value(c))
        return LinearTheory(
            self.request.theory, {**self.request.base, self.request.solve_for: value}
        )

    def inside(self, values: Iterator[float]) -> list[float]:
        """Coordinates between the ends."""
        return [c for c in values if self.ends[0] < c < self.ends[1]]

    def rest(self) -> list[BranchCurve]:
        """Rest where it is a state, on a regular grid."""
        seeds = [
            seed
            for family in zero_state_families(self.request)
            for seed in family.seeds(np.zeros(1))
            if self.ends[0] < seed.z[0] < self.ends[1]
        ]
        turns = [float(seed.z[0]) for seed in seeds]
        c = np.unique(np.concatenate([np.linspace(*self.ends, _REST_POINTS), turns]))
        linear = [self.linear(x) for x in c.tolist()]
        if not all(Survey(theory).has_rest for theory in linear):
            return []
        size = len(linear[0].active)
        nothing = np.zeros(size)
        growth = np.array([growth_rate(theory, nothing, nothing) for theory in linear])
        events = [
            BranchEvent(STABILITY, *self.valued(float(seed.z[0]), seed.error), 0.0)
            for seed in seeds
        ]
        value = np.asarray(self.request.axis.value(c))
        tangents = np.stack([np.zeros(c.size), np.ones(c.size)], axis=1)
        still = np.zeros((c.size, size))
        none = np.zeros(c.size)
        length = abs(value - value[0])
        curve = BranchCurve(
            "zero", value, none, still, still, growth, growth < 0, tangents, length,
            tuple(events), ("range", "range"),
        )  # fmt: skip
        return [curve]

    def valued(self, c: float, error: float) -> tuple[float, float]:
        """Value and error of the parameter from those of its coordinate."""
        axis = self.request.axis
        return float(axis.value(c)), error * abs(axis.slope(c))

    def constant(self) -> list[BranchCurve]:
        """Curves of constant states other than rest."""
        request = self.request
        system = StaticSystem(request.theory)
        edges = StaticSearch(system, edge_condition(system), request.axis, request.base)
        folds = StaticSearch(system, fold_condition, request.axis, request.base)
        roots = folds.births({}, 1)
        births = list(zip(roots.c.tolist(), roots.error.tolist(), strict=True))
        found: list[Branch] = []
        curves = []
        for c in [
            *self.columns.tolist(),
            *self.inside(x + s for x, _ in births for s in (0.02, -0.02)),
        ]:
            for crossing in Survey(self.linear(c)).fixed_points:
                amplitude = float(crossing.variances[0])
                if any(_passes(branch, np.log(amplitude), c) for branch in found):
                    continue
                branch = self._along_constant(edges, folds, c, amplitude)
                if len(branch) > 1:
                    found.append(branch)
                    curves.append(self._constant_curve(edges, folds, branch, births))
        return curves

    def _along_constant(
        self, edges: StaticSearch, folds: StaticSearch, c: float, amplitude: float
    ) -> Branch:
        """Points (c, log A)."""
        delta = _LINEAR * amplitude

        def values(u: Floats, s: float, steps: tuple[float, ...]) -> tuple[float, Floats, Floats]:
            """A, then Phi and its slope in log A at c and at steps from there."""
            a = np.exp(s) - delta
            if not a > 0:
                return a, np.full(len(steps), np.nan), np.full(len(steps), np.nan)
            at = u[0] + np.array(steps)
            return a, *folds.evaluate(np.full(at.size, np.log(a)), at, {})

        def residual(u: Floats, s: float) -> Floats:
            return values(u, s, (0.0,))[1]

        def jacobian(u: Floats, s: float) -> tuple[Floats, Floats]:
            a, excess, slope = values(u, s, (0.0, _STEP, -_STEP))
            by_c = (excess[1] - excess[2]) / (2 * _STEP)
            return np.array([[by_c]]), slope[:1] * (a + delta) / a

        def condition(z: Floats) -> float:
            a = np.log(max(np.exp(z[1]) - delta, 1e-300))
            return float(edges.evaluate(np.array([a]), z[:1], {})[1][0])

        branch = follow_both(
            Problem(residual, jacobian),
            np.array([c]),
            float(np.log(amplitude + delta)),
            lower=np.array([self.ends[0], np.log(_FLOOR * amplitude + delta)]),
            upper=np.array([self.ends[1], np.log(1e9)]),
            watches=(SLOPE, Watch(STABILITY, lambda point: condition(point.z))),
            options=_STATIC,
        )
        return _outward(branch, delta)

    def _constant_curve(
        self, edges: StaticSearch, folds: StaticSearch, branch: Branch, births: _Births
    ) -> BranchCurve:
        c, a = branch.points.T
        rows = edges.system.at(np.exp(a), self._row_parameters(c))
        above = folds.evaluate(a, c + _STEP, {})[0] - folds.evaluate(a, c - _STEP, {})[0]
        error = (abs(rows.excess) + _ROUNDING) * 2 * _STEP / abs(above)
        fields = edges.system.fields
        linear = [self.linear(x) for x in c.tolist()]
        order = [fields.index(field) for field in linear[0].active]
        growth = np.array(
            [
                growth_rate(theory, rows.variances[order, i], rows.means[order, i])
                for i, theory in enumerate(linear)
            ]
        )
        moments = (rows.variances + rows.means**2)[order].T
        events = []
        for name, search in ((FOLD, folds), (STABILITY, edges)):
            for event in branch.of(SLOPE.name if name == FOLD else STABILITY):
                x, y, spread = search.pair.refine(event.point[1:2], event.point[:1], {})
                if np.isfinite(spread[0]) and abs(y[0] - event.point[0]) < _NEAR:
                    value, off = self.valued(float(y[0]), float(spread[0]))
                    events.append(BranchEvent(name, value, off, float(np.exp(x[0]))))
        lowest = float(np.min(a)) + 1e-9
        ends = self._ended(branch, lowest, births, events)
        return self._curve(
            "fixed-point", branch, error, moments, np.zeros_like(moments), growth, growth < 0,
            events, ends,
        )  # fmt: skip

    def _row_parameters(self, c: Floats) -> dict[str, Floats | float]:
        return {**self.request.base, self.request.solve_for: np.asarray(self.request.axis.value(c))}

    def _within(self, c: float) -> bool:
        return self.ends[0] + 1e-6 < c < self.ends[1] - 1e-6

    def _ended(
        self, branch: Branch, faint: float, births: _Births, events: list[BranchEvent]
    ) -> tuple[str, str]:
        """In a word why a curve ends at both ends; births, at log A below ``faint``, join the events."""
        words = []
        for (c, a), stop in zip(branch.points[[0, -1]].tolist(), branch.stops, strict=True):
            near = [birth for birth in births if abs(birth[0] - c) < _NEAR]
            if not self._within(c):
                words.append("range")
            elif a < faint and near:
                place, spread = min(near, key=lambda birth: abs(birth[0] - c))
                events.append(BranchEvent(BIRTH, *self.valued(place, spread), 0.0))
                words.append(BIRTH)
            else:
                words.append(str(stop))
        return words[0], words[1]

    def _curve(
        self,
        kind: str,
        branch: Branch,
        error: Floats,
        moments: Floats,
        decaying: Floats,
        growth: Floats,
        stable: NDArray[np.bool_],
        events: list[BranchEvent],
        ends: tuple[str, str],
    ) -> BranchCurve:
        c = branch.points[:, 0]
        slope = np.array([self.request.axis.slope(x) for x in c.tolist()])
        tangents = branch.tangents[:, ::-1] * np.stack([np.ones(c.size), slope], axis=1)
        return BranchCurve(
            kind, np.clip(self.request.axis.value(c), *self.span), error * abs(slope), moments, decaying,
            growth, stable, tangents, branch.length, tuple(events), ends,
        )  # fmt: skip

    def chaotic(self) -> list[BranchCurve]:
        """Curves of chaotic states."""
        folds = chaos_families(self.request)[0]
        assert isinstance(folds, ChaosFolds)
        folds.probe.most_intervals = _MOST_INTERVALS
        at_rest, beside_inputs = (
            [
                (float(seed.z[-2]), seed.error)
                for family in families
                for seed in family.seeds(np.zeros(1))
                if not seed.exceeded
            ]
            for families in ((folds.line,), folds.others_near)
        )
        beside = (x + s for x, _ in (*at_rest, *beside_inputs) for s in (0.1, -0.1))
        found: list[Branch] = []
        curves = []
        for c in sorted({*self.columns.tolist(), *self.inside(beside)}, reverse=True):
            for point in folds.decaying(c, 0.0):
                a = float(np.log(point.amplitude))
                folds.probe.start(np.array([a, c]), point)
                if any(_passes(branch, a, c) for branch in found):
                    continue
                branch = follow_both(
                    folds.equations(0.0),
                    np.array([c]),
                    a,
                    lower=np.array([self.ends[0], a + np.log(_FAINTEST)]),
                    upper=np.array([self.ends[1], a + 9.0]),
                    watches=(SLOPE,),
                    options=_CHAOTIC,
                )
                if len(branch) > 1:
                    found.append(branch)
                    births = at_rest if self.linear(c).decays else beside_inputs
                    curves.append(self._chaotic_curve(folds, branch, births))
        return curves

    def _chaotic_curve(self, folds: ChaosFolds, branch: Branch, births: _Births) -> BranchCurve:
        error, moments, decaying, growth, upper = [], [], [], [], []
        for c, a in branch.points.tolist():
            reading = folds.read(np.array([a, c, 0.0]), curved=False)
            if reading is None:  # cannot be: the curve was followed through it
                raise ArithmeticError(f"the chaotic state at {c}, {a} is lost")
            point, linear = reading.point, self.linear(c)
            change = folds.probe.resolved(np.array([a, c]), point)
            error.append((abs(reading.f) + change) / abs(reading.f_slopes[1]))
            means = linear.active_means if point.means is None else point.means
            moments.append(point.covariance[:, 0] + means**2)
            decaying.append(point.decaying_part[:, 0])
            problem = StationaryProblem(linear, point.grid, 1e-12)
            weights = problem.currents(point.covariance, means).by_covariance
            growth.append(decaying_state_exponent(linear, point.grid, weights))
            upper.append(reading.f_slopes[0] > 0)
        events = []
        for event in branch.of(SLOPE.name):
            sharp = folds.sharpen(np.array([[event.point[1], event.point[0], 0.0]]))
            if event.status is EventStatus.CONVERGED and np.isfinite(sharp.error[0]):
                value, off = self.valued(float(sharp.z[0, 1]), float(sharp.error[0]))
                events.append(BranchEvent(FOLD, value, off, float(np.exp(sharp.z[0, 0]))))
        faint = float(np.max(branch.points[:, 1]) + np.log(10 * _FAINTEST))
        ends = self._ended(branch, faint, births, events)
        return self._curve(
            "chaotic", branch, np.array(error), np.array(moments), np.array(decaying),
            np.array(growth), np.array(upper), events, ends,
        )  # fmt: skip


def _outward(branch: Branch, delta: float) -> Branch:
    """Points (c, log(A + delta)) as (c, log A), tangents too."""
    points, tangents = branch.points.copy(), branch.tangents.copy()
    grown = np.exp(points[:, 1])
    points[:, 1] = np.log(grown - delta)
    tangents[:, 1] *= grown / (grown - delta)
    tangents /= np.linalg.norm(tangents, axis=1)[:, None]
    length = np.append(0.0, np.cumsum(np.linalg.norm(np.diff(points, axis=0), axis=1)))
    return Branch(points, tangents, branch.stable.copy(), length, branch.events, branch.stops)


def _passes(branch: Branch, a: float, c: float) -> bool:
    """Whether a curve of points (c, log A) passes through one, between its points on a chord."""
    start, step = branch.points[:-1], np.diff(branch.points, axis=0)
    to = np.array([c, a]) - start
    share = np.clip(np.sum(to * step, axis=1) / np.sum(step**2, axis=1), 0, 1)
    return bool(np.min(np.max(abs(to - share[:, None] * step), axis=1)) < 0.02)
