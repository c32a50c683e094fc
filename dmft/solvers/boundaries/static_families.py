r"""Folds and stability edges of constant solutions, and their births at rest, as families.

Points of `StaticFamily` are z = (log A, c, q). They are followed in s = log(A + delta) instead of log A:
it is linear in small amplitudes, so that a curve that ends at rest does so after few steps.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from dmft.continuation import Options, Problem, Watch

from .family import Run, Seed, Sharp
from .pair import FollowedPair
from .point import Kind
from .scalar import ScalarFamily
from .static_search import StaticSearch

__all__ = ["StaticFamily", "births_family"]

Floats = NDArray[np.float64]

#: The amplitude at which a curve ends at rest, and the one below which its coordinate is linear,
#: both relative to that of the seed.
_REST, _LINEAR = 1e-6, 1e-2
_STEPS = np.array([2e-5, 1e-5, 1e-5])
#: A curve across the whole range of q is about this long.
_UNITS = 8.0
_OPTIONS = Options(
    step=0.05, largest=0.3, angle=0.12, smallest=1e-5, points=600, tol=1e-8, event_tol=1e-10
)


def births_family(search: StaticSearch, swept: str) -> ScalarFamily:
    """Where rest changes its static stability; only continuous births belong to it."""
    return ScalarFamily(
        values=search.excess_at_rest,
        axis=search.axis,
        swept=swept,
        kind=Kind.CONTINUOUS,
        member=search.forwards,
        member_event=Kind.TRICRITICAL,
    )


@dataclass(frozen=True)
class StaticFamily:
    """Where ``search``'s condition holds; ``swept`` is the parameter q, empty for none.

    ``cusps``: the condition is the fold's, so that its slope in the amplitude vanishes at cusps.
    """

    search: StaticSearch
    swept: str
    kind: Kind
    cusps: bool

    def _rows(self, q: Floats) -> dict[str, Floats]:
        return {self.swept: q} if self.swept else {}

    def seeds(self, q: Floats) -> list[Seed]:
        """`StaticSearch.solutions` in every row."""
        found = self.search.solutions(self._rows(q), q.size)
        return [
            Seed(int(row), np.array([a, c, q[row]]), float(error), bool(exceeded))
            for row, a, c, error, exceeded in zip(
                found.row, found.a, found.c, found.error, found.exceeded, strict=True
            )
        ]

    def run(self, seed: Seed, span: tuple[float, float]) -> Run:
        """Follow (s, c, q)."""
        amplitude = float(np.exp(seed.z[0]))
        delta = _LINEAR * amplitude
        unit = (span[1] - span[0]) / _UNITS

        def log_amplitude(s: Floats) -> Floats:
            return np.asarray(np.log(np.exp(s) - delta))

        # K is proportional to A at small amplitudes: (A + delta) / A uncovers its zero
        equations = FollowedPair(
            self.search.pair,
            self.swept,
            _STEPS * [1.0, 1.0, unit],
            inward=log_amplitude,
            weight=lambda s: 1 / (1 - delta * np.exp(-s)),
        )

        def outward(points: Floats) -> Floats:
            return np.column_stack([log_amplitude(points[:, 0]), points[:, 1:]])

        low, high = self.search.axis.ends
        cusp = Watch(Kind.CUSP, lambda point: float(point.slopes[1, 0]))
        return Run(
            problem=Problem(
                equations.residual, equations.jacobian, scale=np.array([1.0, 1.0, unit])
            ),
            start=np.array([np.log(amplitude + delta), *seed.z[1:]]),
            lower=np.array([np.log(_REST * amplitude + delta), low, span[0]]),
            upper=np.array([np.log(1e12), high, span[1]]),
            options=_OPTIONS,
            events=(cusp,) if self.cusps else (),
            floor_name=Kind.REST,
            outward=outward,
        )

    def sharpen(self, z: Floats) -> Sharp:
        """`Pair.refine` at fixed q."""
        a, c, error = self.search.pair.refine(z[:, 0], z[:, 1], self._rows(z[:, 2]))
        return Sharp(np.stack([a, c, z[:, 2]], axis=1), error)

    def belongs(self, z: Floats) -> bool:
        """Always."""
        return True

    def amplitude(self, z: Floats) -> float:
        """A."""
        return float(np.exp(z[0]))

    def others(self, z: Floats) -> dict[str, float]:
        """None."""
        return {}
