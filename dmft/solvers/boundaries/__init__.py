"""Boundaries between regimes, by name: curves in the plane of any two parameters."""

from __future__ import annotations

from .chaos_onset import chaos_families
from .fixed_points import fixed_point_families
from .jacobian_edge import jacobian_edge_families
from .locate import Located, Mark
from .lyapunov_zero import locate_lyapunov_zero
from .point import BoundaryPoint, Kind
from .request import Boundary, Request, by_families
from .tricritical import tricritical_families
from .zero_state import zero_state_families

__all__ = ["BOUNDARIES", "Boundary", "BoundaryPoint", "Kind", "Located", "Mark", "Request"]

#: Autocorrelations are the unknowns there: rounding leaves 1e-13 to 1e-10, more where inputs are strong.
_OF_CHAOS = 1e-9

BOUNDARIES = {
    "zero-state": Boundary(
        "rest loses stability", ("zero",), by_families(zero_state_families), means=True
    ),
    "fixed-points": Boundary(
        "non-zero fixed points appear or vanish", ("statics",), by_families(fixed_point_families)
    ),
    "jacobian-edge": Boundary(
        "a non-zero or driven fixed point loses stability",
        ("statics",),
        by_families(jacobian_edge_families),
    ),
    "chaos-onset": Boundary(
        "chaotic states appear or vanish",
        ("gaussian", "statics"),
        by_families(chaos_families),
        tol=_OF_CHAOS,
    ),
    "lyapunov-zero": Boundary(
        "the largest Lyapunov exponent changes its sign",
        ("gaussian",),
        locate_lyapunov_zero,
        tol=_OF_CHAOS,
    ),
    "tricritical-static": Boundary(
        "fixed points turn from continuous to discontinuous births at rest",
        ("zero", "statics"),
        by_families(tricritical_families(dynamic=False)),
        on_line=True,
    ),
    "tricritical-dynamic": Boundary(
        "chaos turns from continuous to discontinuous births at rest",
        ("zero", "gaussian", "decay"),
        by_families(tricritical_families(dynamic=True)),
        on_line=True,
    ),
}
