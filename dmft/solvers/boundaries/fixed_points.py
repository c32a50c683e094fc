r"""``fixed-points``: where non-zero constant solutions appear or vanish.

All extrema of the parameter along the curve of constant solutions (folds), and the values at which a
solution is born continuously at rest. Backward births are no boundary of their own: the branch that
leaves rest there turns round in a fold.
"""

from __future__ import annotations

from collections.abc import Mapping

from dmft.codegen.theory import CompiledTheory

from ..static_system import StaticSystem
from .axis import Axis
from .family import Family
from .point import Kind
from .static_families import StaticFamily, births_family
from .static_search import StaticSearch, fold_condition

__all__ = ["fixed_point_families"]


def fixed_point_families(
    theory: CompiledTheory, base: Mapping[str, float], solve_for: str, swept: str
) -> list[Family]:
    """Folds and continuous births; ``base`` holds all other parameters."""
    search = StaticSearch(
        StaticSystem(theory), fold_condition, Axis(theory.info.parameter(solve_for)), base
    )
    return [StaticFamily(search, swept, Kind.FOLD, cusps=True), births_family(search, swept)]
