"""What is asked for: one boundary, one unknown, and at most one parameter that is swept along."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from dmft.codegen.theory import CompiledTheory

from .axis import Axis
from .family import Family
from .locate import Located, along, at_rows, at_single

__all__ = ["Boundary", "Request", "by_families"]

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Request:
    """``base`` holds all parameters but ``solve_for`` and those that follow from the boundary.

    ``swept`` is a parameter with ``values``, or with a ``span`` to follow the boundary in; empty when
    one point is asked for. ``line`` names a second unknown, if the boundary has one.
    """

    theory: CompiledTheory
    base: Mapping[str, float]
    solve_for: str
    tol: float
    swept: str = ""
    values: tuple[float, ...] = ()
    span: tuple[float, float] | None = None
    line: str = ""

    @property
    def axis(self) -> Axis:
        """The unknown's coordinate."""
        return Axis(self.theory.info.parameter(self.solve_for))

    def at(self, value: float) -> Request:
        """The same at one value of the swept parameter."""
        base = {**self.base, self.swept: value}
        return replace(self, base=base, swept="", values=(), span=None)


@dataclass(frozen=True)
class Boundary:
    """A boundary by name: what it is, which stages of the theory it needs, how it is located.

    ``stages`` are keys of `CompiledTheory.conditions`. ``on_line``: it has a second unknown, the
    parameter that keeps it on the line where rest loses stability. ``means``: couplings may have a mean.
    ``tol`` is the accuracy asked for when nobody says another one.
    """

    meaning: str
    stages: tuple[str, ...]
    locate: Callable[[Request], Located]
    on_line: bool = False
    means: bool = False
    tol: float = 1e-12


def by_families(
    families: Callable[[Request], Sequence[Family]],
) -> Callable[[Request], Located]:
    """Locate by following families of points."""

    def locate(request: Request) -> Located:
        found = families(request)
        axis, tol = request.axis, request.tol
        if request.span is not None:
            return along(found, axis, request.span, tol)
        distinct = np.unique(request.values)
        if distinct.size > 1:
            return at_rows(found, axis, np.array(request.values), tol)
        if not distinct.size:
            points = at_single(found, axis, tol)
            return Located(tuple((float("nan"), point) for point in points))
        one = by_families(families)(request.at(float(distinct[0])))
        return Located(tuple((value, p) for value in request.values for _, p in one.rows))

    return locate
