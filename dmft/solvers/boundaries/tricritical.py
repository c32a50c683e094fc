r"""``tricritical-static`` and ``tricritical-dynamic``: where births at rest turn discontinuous.

A tricritical point lies on the line where rest loses stability, and there the coefficient e / u0 of the
small-amplitude expansion (`rest_expansion`) of constant or of decaying states vanishes. Two equations
for two unknowns: the parameter that is solved for and the one that sets the line. For the gated
network, s the gate's value at rest, the squares of its gain are 2 / ((1 - s)(2 - 3 s)) and
6 / ((1 - s)(5 - 8 s)) (`derivations.onset`).

Points are z = (d, c, q), d the coordinate of the line's parameter.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dmft.codegen.theory import CompiledTheory
from dmft.continuation import Options, Problem

from ..rest_expansion import RestExpansion, rest_expansion
from ..static_system import StaticSystem
from .axis import Axis
from .family import Family, Run, Seed, Sharp
from .pair import FollowedPair, Pair
from .point import Kind
from .request import Request
from .scalar import roots_on_columns
from .zero_state import rest_log_radius, rest_outliers

__all__ = ["TricriticalFamily", "moving_parameters", "tricritical_families"]

Floats = NDArray[np.float64]

_STEPS = np.array([1e-5, 1e-5, 1e-5])
_UNITS = 8.0
_OPTIONS = Options(
    step=0.05, largest=0.5, angle=0.12, smallest=1e-5, points=600, tol=1e-9, event_tol=1e-10
)


def tricritical_families(dynamic: bool) -> Callable[[Request], list[Family]]:
    """Of constant states, or of decaying ones (``dynamic``)."""

    def families(request: Request) -> list[Family]:
        line = Axis(request.theory.info.parameter(request.line))
        return [
            TricriticalFamily(
                request.theory, request.base, request.axis, line, request.swept, dynamic
            )
        ]

    return families


@dataclass(frozen=True)
class TricriticalFamily:
    """``line`` is the axis of the parameter that keeps the point on the line of rest.

    ``dynamic``: of decaying states instead of constant ones.
    """

    theory: CompiledTheory
    base: Mapping[str, float]
    axis: Axis
    line: Axis
    swept: str
    dynamic: bool
    kind: Kind = Kind.TRICRITICAL

    def _expansion(self, d: Floats, c: Floats, rows: Mapping[str, Floats]) -> RestExpansion:
        p: dict[str, Any] = {
            **self.base,
            **rows,
            self.axis.parameter.name: self.axis.value(c),
            self.line.parameter.name: self.line.value(d),
        }
        return rest_expansion(StaticSystem(self.theory), p, d.size)

    def _evaluate(self, d: Floats, c: Floats, rows: Mapping[str, Floats]) -> tuple[Floats, Floats]:
        found = self._expansion(d, c, rows)
        # relative to its parts: a number of order one
        size = abs(found.kappa) + abs(found.quadratic)
        coefficient = found.dynamic if self.dynamic else found.static
        with np.errstate(all="ignore"):
            return np.log(found.eigenvalue), coefficient / size

    @cached_property
    def _pair(self) -> Pair:
        return Pair(self._evaluate, self.axis.ends, 1e-5)

    def _rows(self, q: Floats) -> dict[str, Floats]:
        return {self.swept: q} if self.swept else {}

    def seeds(self, q: Floats) -> list[Seed]:
        """Changes of sign of the coefficient along the line, in every row."""
        columns = self.axis.columns
        row, c = np.repeat(np.arange(q.size), columns.size), np.tile(columns, q.size)
        rows = {k: v[row] for k, v in self._rows(q).items()}

        def excess(d: Floats, mine: Mapping[str, Floats]) -> Floats:
            return self._evaluate(d, mine["c"], {k: v for k, v in mine.items() if k != "c"})[0]

        births = roots_on_columns(excess, self.line.columns, {**rows, "c": c}, c.size)
        place = births.row
        _, coefficient = self._evaluate(births.c, c[place], {k: v[place] for k, v in rows.items()})
        start: list[tuple[int, float, float]] = []
        for i in range(place.size - 1):
            here = row[place[i]]
            for j in range(i + 1, place.size):  # the next column of the same row
                if place[j] > place[i] + 1 or row[place[j]] != here:
                    break
                if place[j] == place[i] + 1 and coefficient[i] * coefficient[j] <= 0:
                    middle = (births.c[i] + births.c[j]) / 2, (c[place[i]] + c[place[j]]) / 2
                    start.append((int(here), *middle))
        if not start:
            return []
        table = np.array(start)
        index = table[:, 0].astype(int)
        mine = {k: v[index] for k, v in self._rows(q).items()}
        d, c, error = self._pair.refine(table[:, 1], table[:, 2], mine)
        seeds: list[Seed] = []
        for i in np.flatnonzero(np.isfinite(error)).tolist():
            z = np.array([d[i], c[i], q[index[i]]])
            if not any(s.row == index[i] and np.max(abs(s.z - z)) < 1e-6 for s in seeds):
                seeds.append(Seed(int(index[i]), z, float(error[i])))
        return seeds

    def run(self, seed: Seed, span: tuple[float, float]) -> Run:
        """Follow (d, c, q)."""
        unit = (span[1] - span[0]) / _UNITS
        equations = FollowedPair(
            self._pair,
            self.swept,
            _STEPS * [1.0, 1.0, unit],
            lambda d: d,
            lambda d: np.ones(d.size),
        )
        (low, high), (d_low, d_high) = self.axis.ends, self.line.ends
        return Run(
            problem=Problem(
                equations.residual, equations.jacobian, scale=np.array([1.0, 1.0, unit])
            ),
            start=seed.z,
            lower=np.array([d_low, low, span[0]]),
            upper=np.array([d_high, high, span[1]]),
            options=_OPTIONS,
        )

    def sharpen(self, z: Floats) -> Sharp:
        """Newton's method at fixed q."""
        d, c, error = self._pair.refine(z[:, 0], z[:, 1], self._rows(z[:, 2]))
        return Sharp(np.stack([d, c, z[:, 2]], axis=1), error)

    def belongs(self, z: Floats) -> bool:
        """Whether rest loses stability there, and not at some frequency or to a mean before."""
        p = {
            **self.base,
            **self._rows(z[2:]),
            self.axis.parameter.name: self.axis.value(z[1:2]),
            self.line.parameter.name: self.line.value(z[:1]),
        }
        radius, outside = rest_log_radius(self.theory, p, 1), rest_outliers(self.theory, p, 1)
        return bool(radius[0] < 1e-7 and outside[0] < 0)

    def amplitude(self, z: Floats) -> float:
        """Zero."""
        return 0.0

    def others(self, z: Floats) -> dict[str, float]:
        """The line's parameter."""
        return {self.line.parameter.name: float(self.line.value(z[0]))}


def moving_parameters(theory: CompiledTheory, line: str) -> list[str]:
    """Parameters of both signs that move the coefficients of the expansion, in the model's order.

    The gains of gates; times and variances of inputs are positive. Tried at ones and twos.
    """
    info = theory.info
    ones = {p.name: 1.0 if p.default is None else float(p.default) for p in info.parameters}
    free = [p.name for p in info.parameters if not (p.positive or p.nonnegative)]
    pinned = {c.parameter for stage in theory.conditions.values() for c in stage}
    system = StaticSystem(theory)
    found = []
    for name in free:
        if name == line or name in pinned:
            continue
        trial = rest_expansion(system, {**ones, name: np.array([0.0, 1.0, 2.0])}, 3)
        parts = trial.kappa, trial.quadratic
        if any(np.all(np.isfinite(part)) and np.ptp(part) > 1e-9 for part in parts):
            found.append(name)
    return found
