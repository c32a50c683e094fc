r"""``fixed-points``: where non-zero constant solutions appear or vanish.

All extrema of the parameter along the curve of constant solutions (folds), and the values at which a
solution is born continuously at rest. Backward births are no boundary of their own: the branch that
leaves rest there turns round in a fold.
"""

from __future__ import annotations

from ..static_system import StaticSystem
from .family import Family
from .point import Kind
from .request import Request
from .static_families import StaticFamily, births_family
from .static_search import StaticSearch, fold_condition

__all__ = ["fixed_point_families"]


def fixed_point_families(request: Request) -> list[Family]:
    """Folds and continuous births."""
    search = StaticSearch(StaticSystem(request.theory), fold_condition, request.axis, request.base)
    return [
        StaticFamily(search, request.swept, Kind.FOLD, cusps=True),
        births_family(search, request.swept),
    ]
