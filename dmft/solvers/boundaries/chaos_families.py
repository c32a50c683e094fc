r"""Folds of the chaotic branch as a family of points z = (log A, c, q).

Where to start: a decaying solution is looked for at values of the unknown where rest, or another
constant state, is unstable, or constant solutions have just appeared; the curve f(log A, c) = 0 of
decaying solutions is then followed over all amplitudes, and folds are where its slope in log A
vanishes. From there the folds are followed in q.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from dmft.continuation import Branch, Options, Problem, Watch, follow_both
from dmft.gaussian.pair_average import AverageBudgetError

from ..branches import Survey
from ..decay_curves import close_on_line
from ..decaying import DecayingPoint, close_in
from .chaos_probe import Probe, Reading
from .family import Family, Run, Seed, Sharp
from .point import Kind
from .request import Request

__all__ = ["ChaosFolds"]

Floats = NDArray[np.float64]

#: Rows that are searched; each takes seconds.
_ROWS = 3
#: Distances, in the unknown's coordinate, from a marginal state to where chaos is looked for.
_BEYOND = (0.1, 0.4, 1.2)
#: Amplitudes down to this share of the first one found are followed, and the unknown's coordinate
#: to both sides of where that was.
_SMALLEST, _REACH = 1e-4, 1.0
_FAINT = 1e-2
#: Below this share of a seed's amplitude the coordinate of fold curves is linear in it.
_LINEAR = 1e-2
_UNITS = 8.0
#: Changes its sign where the parameter turns along a curve of states.
SLOPE = Watch("slope", lambda point: float(point.slopes[0, -1]))
_ALONG = Options(step=0.1, largest=1.0, angle=0.3, smallest=1e-3, points=100, tol=1e-7)
_ACROSS = Options(
    step=0.1, largest=0.5, angle=0.2, smallest=2e-3, points=200, tol=1e-7, event_tol=1e-6
)
_MOST_STEPS = 10


@dataclass
class ChaosFolds:
    """Folds of the curve of decaying solutions.

    ``line`` (rest loses stability) and the families ``others`` tell where chaos may be near.
    """

    request: Request
    line: Family
    others_near: tuple[Family, ...]
    kind: Kind = Kind.FOLD
    _probe: Probe | None = field(default=None, repr=False)
    _unit: float = 1.0
    _rows: dict[float, list[Branch]] = field(default_factory=dict, repr=False)
    _last: tuple[bytes, Reading | None] | None = field(default=None, repr=False)

    @property
    def probe(self) -> Probe:
        """Reads solutions at (log A, c, q / unit)."""
        if self._probe is None:
            request, axis = self.request, self.request.axis

            def parameters(coordinates: Floats) -> Mapping[str, float]:
                p = {**request.base, request.solve_for: float(axis.value(coordinates[0]))}
                if request.swept:
                    p[request.swept] = float(coordinates[1]) * self._unit
                return p

            self._probe = Probe(request.theory, parameters)
        return self._probe

    def _place(self, z: Floats) -> Floats:
        return z / np.array([1.0, 1.0, self._unit]) if self.request.swept else z[:2]

    def seeds(self, q: Floats) -> list[Seed]:
        """Folds in a few of the rows."""
        if self.request.swept and q.size > 1 and self._probe is None:
            self._unit = float(np.ptp(q)) / _UNITS
        rows = np.unique(np.round(np.linspace(q.size - 1, 0, min(q.size, _ROWS))).astype(int))
        found: list[Seed] = []
        for row in rows[::-1].tolist():
            found += self._in_row(row, float(q[row]))
        return found

    def _in_row(self, row: int, q: float) -> list[Seed]:
        """Folds of all curves that pass near a marginal state, on either side."""
        seeds: list[Seed] = []
        for curve in self.curves_in(q):
            for event in curve.of(SLOPE.name):
                a, c = float(event.point[1]), float(event.point[0])
                sharp = self.sharpen(np.array([[a, c, q]]))
                z = sharp.z[0]
                known = any(np.max(abs(seed.z - z)) < 1e-5 for seed in seeds)
                if np.isfinite(sharp.error[0]) and not known:
                    seeds.append(Seed(row, z, float(sharp.error[0])))
        return seeds

    def curves_in(self, q: float) -> list[Branch]:
        """Curves f = 0 of points (c, log A) at one value of q, found once."""
        if q not in self._rows:
            self._rows[q] = self._search(q)
        return self._rows[q]

    def _search(self, q: float) -> list[Branch]:
        low, high = self.request.axis.ends
        curves: list[Branch] = []
        for marginal, smallest in self.marginal_states(q):
            for side in (1.0, -1.0):
                for distance in _BEYOND:
                    c = marginal + side * distance
                    if not low < c < high or any(_crosses(curve, c) for curve in curves):
                        break
                    points = self.decaying(c, q)
                    for point in points:
                        z = np.array([np.log(point.amplitude), c, q])
                        self.probe.start(self._place(z), point)
                        if not any(_passes(curve, z) for curve in curves):
                            curves.append(self._along(z, smallest))
                    if points:
                        break
        return curves

    def marginal_states(self, q: float) -> list[tuple[float, float]]:
        """Coordinates of the unknown near which chaos may begin, and how faint it may be there.

        At rest a continuous birth needs no faint solutions to be recognised (they may be very slow).
        """
        found = []
        for family in (self.line, *self.others_near):
            for seed in family.seeds(np.array([q])):
                if not seed.exceeded:
                    known = family is self.line and family.belongs(seed.z)
                    found.append((float(seed.z[-2]), _FAINT if known else _SMALLEST))
        return found

    def decays_to_zero(self, z: Floats) -> bool:
        """Whether correlations of a fluctuating state decay to zero there: nothing has a mean."""
        return self.probe.linear(self._place(z)[1:]).decays

    def decaying(self, c: float, q: float) -> list[DecayingPoint]:
        """All decaying solutions at one value of the unknown."""
        linear = self.probe.linear(self._place(np.array([0.0, c, q]))[1:])
        try:
            brackets = Survey(linear).chaos.brackets
        except AverageBudgetError:
            return []
        found = []
        for bracket in brackets:
            close = close_in if bracket.linear.decays else close_on_line
            point = close(bracket, 1e-4)
            if point is not None:
                found.append(point)
        return found

    def equations(self, q: float) -> Problem:
        """f(c; log A) = 0 at one value of q, for points (c, log A)."""

        def residual(u: Floats, a: float) -> Floats:
            reading = self.read(np.array([a, u[0], q]), curved=False)
            return np.array([np.nan if reading is None else reading.f])

        def jacobian(u: Floats, a: float) -> tuple[Floats, Floats]:
            reading = self.read(np.array([a, u[0], q]), curved=False)
            if reading is None:
                return np.full((1, 1), np.nan), np.full(1, np.nan)
            return reading.f_slopes[1:2, None], reading.f_slopes[:1]

        return Problem(residual, jacobian)

    def _along(self, z: Floats, smallest: float) -> Branch:
        """The curve f(c; log A) = 0 through a point, with changes of sign of its slope."""
        low, high = self.request.axis.ends
        return follow_both(
            self.equations(float(z[2])),
            z[1:2],
            float(z[0]),
            lower=np.array([max(low, z[1] - _REACH), z[0] + np.log(smallest)]),
            upper=np.array([min(high, z[1] + _REACH), z[0] + 7.0]),
            watches=(SLOPE,),
            options=_ALONG,
        )

    def read(self, z: Floats, *, curved: bool = True) -> Reading | None:
        key = z.tobytes() + bytes([curved])
        if self._last is None or self._last[0] != key:
            try:
                reading = self.probe.read(self._place(z), curved=curved)
            except AverageBudgetError:
                reading = None
            self._last = key, reading
        return self._last[1]

    def run(self, seed: Seed, span: tuple[float, float]) -> Run:
        """Follow (s, c, q), s = log(A + delta) being linear in small amplitudes."""
        unit, amplitude = self._unit, float(np.exp(seed.z[0]))
        delta = _LINEAR * amplitude

        def read(u: Floats, q: float) -> tuple[Reading | None, float]:
            """At (log A, c, q), and d log A / ds."""
            a = float(np.exp(u[0])) - delta
            if a <= 0:
                return None, np.nan
            return self.read(np.array([np.log(a), u[1], q])), (a + delta) / a

        # g is proportional to A at small amplitudes: multiplied by d log A / ds its zero is uncovered
        def residual(u: Floats, q: float) -> Floats:
            reading, rate = read(u, q)
            return (
                np.full(2, np.nan) if reading is None else np.array([reading.f, reading.g * rate])
            )

        def jacobian(u: Floats, q: float) -> tuple[Floats, Floats]:
            reading, rate = read(u, q)
            if reading is None:
                return np.full((2, 2), np.nan), np.full(2, np.nan)
            slopes = np.stack([reading.f_slopes, reading.g_slopes * rate])
            slopes[:, 0] *= rate
            slopes[1, 0] -= reading.g * rate * (rate - 1)
            return slopes[:, :2], slopes[:, 2] / unit

        def outward(points: Floats) -> Floats:
            return np.column_stack([np.log(np.exp(points[:, 0]) - delta), points[:, 1:]])

        low, high = self.request.axis.ends
        return Run(
            problem=Problem(residual, jacobian, scale=np.array([1.0, 1.0, unit])),
            start=np.array([np.log(amplitude + delta), *seed.z[1:]]),
            lower=np.array([np.log(amplitude * _SMALLEST + delta), low, span[0]]),
            upper=np.array([seed.z[0] + 7.0, high, span[1]]),
            options=_ACROSS,
            events=(Watch(Kind.CUSP, lambda point: float(point.slopes[1, 0])),),
            floor_name=Kind.REST,
            outward=outward,
        )

    def sharpen(self, z: Floats) -> Sharp:
        """Newton's method at fixed q; the error includes what a finer grid changes."""
        result, error = z.copy(), np.full(len(z), np.inf)
        for i, start in enumerate(z):
            here = start.copy()
            for _ in range(_MOST_STEPS):
                reading = self.read(here)
                if reading is None:
                    break
                matrix = np.stack([reading.f_slopes[:2], reading.g_slopes[:2]])
                step = np.linalg.solve(matrix, -np.array([reading.f, reading.g]))
                step *= min(1.0, 0.5 / float(np.max(abs(step))))
                here[:2] += step
                # the place of the extremum acts to second order
                follows = abs(step[1]) + abs(matrix[1, 0]) * step[0] ** 2 / abs(matrix[0, 1])
                if follows < 1e-11:
                    change = self.probe.resolved(self._place(here), reading.point)
                    result[i] = here
                    error[i] = 2 * change / abs(matrix[0, 1]) + follows + 1e-13
                    break
        return Sharp(result, error)

    def belongs(self, z: Floats) -> bool:
        """Always."""
        return True

    def amplitude(self, z: Floats) -> float:
        """What decays of the first field."""
        return float(np.exp(z[0]))

    def others(self, z: Floats) -> dict[str, float]:
        """None."""
        return {}


def _crosses(curve: Branch, c: float) -> bool:
    values = curve.points[:, 0]
    return bool(np.min(values) <= c <= np.max(values))


def _passes(curve: Branch, z: Floats) -> bool:
    """Whether a solution at (log A, c) lies on a curve of points (c, log A)."""
    if len(curve) < 2:
        return False
    away = np.max(abs(curve.points - z[[1, 0]]), axis=1)
    return bool(np.min(away) < 0.02)
