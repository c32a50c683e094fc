r"""``chaos-onset``: where chaotic states appear or vanish.

Folds of the curve of decaying solutions, and continuous births: at rest where e / u0 of decaying states
is positive (`rest_expansion`); at a driven or biased constant state where V = 1 and the curve of
decaying solutions leaves it into the side where it is unstable.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from ..static_system import StaticSystem
from .chaos_families import ChaosFolds
from .family import Family, Run, Seed, Sharp
from .jacobian_edge import edge_condition
from .point import Kind
from .request import Request
from .scalar import ScalarFamily
from .static_families import StaticFamily
from .static_search import StaticSearch, fold_condition
from .zero_state import rest_log_radius

__all__ = ["ChaosBirths", "chaos_families"]

Floats = NDArray[np.float64]

#: How near, in the unknown's coordinate, the faint end of a curve must come to a marginal state.
_NEAR = 0.05
_STEP_A, _STEP_C = 1e-4, 1e-4


def chaos_families(request: Request) -> list[Family]:
    """Folds of the chaotic branch, and continuous births of chaos at rest and at driven states."""
    system = StaticSystem(request.theory)
    folds = StaticSearch(system, fold_condition, request.axis, request.base)
    edges = StaticSearch(system, edge_condition(system), request.axis, request.base)

    def rest(c: Floats, rows: Mapping[str, Floats]) -> Floats:
        """Log of the spectral radius at rest, where that is a state."""
        p = {**request.base, **rows, request.solve_for: request.axis.value(c)}
        is_state = np.isfinite(folds.expansion(c, rows).eigenvalue)
        return np.where(is_state, rest_log_radius(request.theory, p, c.size), np.nan)

    line = ScalarFamily(
        values=rest,
        axis=request.axis,
        swept=request.swept,
        kind=Kind.CONTINUOUS,
        member=lambda c, rows: folds.expansion(c, rows).dynamic,
        member_event=Kind.TRICRITICAL,
    )
    edge = StaticFamily(edges, request.swept, Kind.CONTINUOUS, cusps=False)
    fold = StaticFamily(folds, request.swept, Kind.FOLD, cusps=False)
    chaos = ChaosFolds(request, line, (edge, fold))
    return [chaos, line, ChaosBirths(edge, chaos)]


@dataclass
class ChaosBirths:
    """Constant states with V = 1 at which a decaying solution is born continuously.

    What `StaticFamily` finds, judged by the curves of decaying solutions near by; judging takes
    seconds. Where fold curves of chaos end at them, births turn from continuous to backwards:
    ``splits`` says that pieces are to be cut there.
    """

    edges: StaticFamily
    chaos: ChaosFolds
    kind: Kind = Kind.CONTINUOUS
    splits: bool = True
    _judged: list[tuple[Floats, bool]] = field(default_factory=list, repr=False)

    def seeds(self, q: Floats) -> list[Seed]:
        """Of the edges."""
        return self.edges.seeds(q)

    def run(self, seed: Seed, span: tuple[float, float]) -> Run:
        """Of the edges."""
        return self.edges.run(seed, span)

    def sharpen(self, z: Floats) -> Sharp:
        """Of the edges."""
        return self.edges.sharpen(z)

    def amplitude(self, z: Floats) -> float:
        """What decays: nothing yet."""
        return 0.0

    def others(self, z: Floats) -> dict[str, float]:
        """None."""
        return {}

    def belongs(self, z: Floats) -> bool:
        """Whether chaos begins there, on the side where the constant state is unstable."""
        for known, verdict in self._judged:
            if np.max(abs(known - z)) < 1e-9:
                return verdict
        verdict = self._judge(z)
        self._judged.append((z.copy(), verdict))
        return verdict

    def _judge(self, z: Floats) -> bool:
        if self.chaos.decays_to_zero(z):
            return False
        unstable = self._unstable_side(z)
        for curve in self.chaos.curves_in(float(z[-1])):
            faint = int(np.argmin(curve.points[:, 1]))
            if abs(curve.points[faint, 0] - z[1]) > _NEAR:
                continue
            # a tenfold larger amplitude tells the side that the curve leaves to
            larger = np.flatnonzero(curve.points[:, 1] < curve.points[faint, 1] + np.log(10))
            away = curve.points[larger, 0] - curve.points[faint, 0]
            return bool(away[np.argmax(abs(away))] * unstable > 0)
        return False

    def _unstable_side(self, z: Floats) -> float:
        """The sign of the change of the unknown that makes the constant state unstable."""
        search = self.edges.search
        a = z[0] + _STEP_A * np.array([0.0, 1, -1, 0, 0])
        c = z[1] + _STEP_C * np.array([0.0, 0, 0, 1, -1])
        rows: Mapping[str, Floats] = {}
        if self.edges.swept:
            rows = {self.edges.swept: np.full(5, z[2])}
        excess, radius = search.evaluate(a, c, rows)
        by_a = (excess[1] - excess[2]) / _STEP_A, (radius[1] - radius[2]) / _STEP_A
        by_c = (excess[3] - excess[4]) / _STEP_C, (radius[3] - radius[4]) / _STEP_C
        return float(np.sign(by_c[1] - by_a[1] * by_c[0] / by_a[0]))
