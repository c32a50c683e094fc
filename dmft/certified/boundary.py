"""Points of boundaries with proved digits, whatever their kind."""

from __future__ import annotations

from dmft.codegen.ball import ball_arithmetic

from ..solvers.boundaries import BoundaryPoint, Kind, Request
from ..solvers.static_system import StaticSystem
from .krawczyk import GUARD, CertificationError
from .rest_points import certified_birth, certified_tricritical, certified_zero_state
from .static_points import certified_edge, certified_fold
from .strip import StripError

__all__ = ["CERTIFIED", "FAILURES", "enclosure"]

#: A root is the point's own if it is as near as this, relative to max(1, |value|).
_SAME = 1e-7
#: Boundaries whose points can be certified.
CERTIFIED = (
    "zero-state",
    "fixed-points",
    "jacobian-edge",
    "tricritical-static",
    "tricritical-dynamic",
)


def enclosure(name: str, request: Request, point: BoundaryPoint, digits: int) -> str:
    """The solved parameter at a point of a boundary in `CERTIFIED`, as ``[middle +/- radius]``.

    The interval is proved to hold exactly one solution of the equations; parameters are taken as the
    decimals that they print as. Raises `CertificationError` or `StripError` where no proof is found.

    ``request`` holds the values of all other parameters, swept ones included.
    """
    theory, base, unknown = request.theory, request.base, request.solve_for
    kind = point.kind
    if kind is Kind.LINE:
        ball = certified_zero_state(theory, base, unknown, point.value, digits)
    elif kind is Kind.CONTINUOUS:
        ball = certified_birth(theory, base, unknown, point.value, digits)
    elif kind is Kind.TRICRITICAL and request.line:
        start = point.value, point.others[request.line]
        dynamic = name == "tricritical-dynamic"
        ball, _ = certified_tricritical(
            theory, base, unknown, request.line, start, digits, dynamic=dynamic
        )
    elif kind in (Kind.FOLD, Kind.EDGE):
        certify = certified_fold if kind is Kind.FOLD else certified_edge
        start = point.amplitude, point.value
        ball = certify(StaticSystem(theory), base, unknown, start, digits)
    else:
        raise CertificationError(f"points of the kind {kind} are not certified")
    # Newton's method may have gone to another root, where some other condition is met
    if not abs(float(ball.mid()) - point.value) <= _SAME * max(1.0, abs(point.value)):
        raise CertificationError("the conditions at zero frequency are met elsewhere only")
    with ball_arithmetic(digits + GUARD):
        text: str = ball.str(digits)
    return text


#: What `enclosure` raises where no proof is found.
FAILURES = (CertificationError, StripError)
