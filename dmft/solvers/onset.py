r"""Where a constant state begins to fluctuate: V = 1 on the static curve q(A).

V is the spectral radius of q |G(i omega)|^2 W, W = dS/dC at C = D, largest over all frequencies:
there a solution that decays, C(0) > C(infinity), leaves the constant one (for the zero state this is the
line where rest loses stability). Every curve of decaying solutions that does not go on to infinite
amplitude ends at two such points.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import brentq

from .constant_states import constant_weights
from .linear_theory import LinearTheory
from .lyapunov import constant_state_radius
from .mean_sheets import near_point, sheets
from .statics import Crossing, StaticCurve, StaticPoints

__all__ = ["Onset", "log_radius", "onsets"]

Floats = NDArray[np.float64]

#: The curve is looked at up to this scale q, unless V > 1 there before.
_LARGEST_SCALE = 1e3
_MARGINAL = 1e-6


@dataclass(frozen=True)
class Onset:
    """A constant solution with V = 1: variances and means (active fields), and its scale q.

    ``direction`` is the eigenvector of the zero frequency, one for the first field: how what decays
    is shared out. ``rising``: V grows with the amplitude.
    """

    variances: Floats
    means: Floats
    scale: float
    direction: Floats
    rising: bool


def onsets(linear: LinearTheory) -> list[Onset]:
    """All points with V = 1, largest amplitude first.

    Where couplings have a mean: on the sheets with a mean activity.
    """
    curve = linear.static_curve(linear.response**2)
    if not np.any(curve.means_respond):
        amplitudes, _ = curve.scan()
        points = curve.points(amplitudes, 1e-9)
        found = _crossings(linear, amplitudes, points, lambda i, a: curve.points(a), curve)
        return found if curve.quiet is None else [*found, _quiet_onset(linear, curve.quiet)]
    all_found: list[Onset] = []
    for sheet in sheets(curve):
        points = StaticPoints(
            sheet.scales, sheet.variances, sheet.means, np.ones(sheet.scales.size, dtype=bool)
        )
        at = partial(near_point, curve, sheet)
        all_found += _crossings(linear, sheet.amplitudes, points, at, None)
    return sorted(all_found, key=lambda o: -float(o.variances[0]))


def _quiet_onset(linear: LinearTheory, quiet: Crossing) -> Onset:
    """Where the state without activity loses stability; it is there at all q."""
    weights = constant_weights(linear, quiet.variances, quiet.means)
    scale = 1 / max(constant_state_radius(linear, weights, 0.0), 1e-300)
    direction = np.ones(len(quiet.variances))
    return Onset(quiet.variances, quiet.means, scale, direction, True)


def _crossings(
    linear: LinearTheory,
    amplitudes: Floats,
    points: StaticPoints,
    at: Callable[[int, float], StaticPoints],
    curve: StaticCurve | None,
) -> list[Onset]:
    radii = [log_radius(linear, points, i) for i in range(amplitudes.size)]
    # where the curve leaves a quiet state V = 1 but for what the amplitude adds
    radii = [0.0 if abs(r) < _MARGINAL else r for r in radii]
    grown = list(amplitudes)
    while curve is not None and radii[-1] < 0:
        # farther up, until the constant state is unstable there too
        offset = float(curve.offsets[0])
        more = offset + (grown[-1] - offset) * 10**0.1
        point = curve.points(more, 1e-9)
        if not point.converged[0] or point.scale[0] > _LARGEST_SCALE:
            break
        grown.append(more)
        radii.append(log_radius(linear, point, 0))
    found = []
    for i in range(len(radii) - 1):
        if radii[i] * radii[i + 1] >= 0:
            continue

        def excess(a: float, i: int = i) -> float:
            return log_radius(linear, at(i, a), 0)

        a = float(brentq(excess, grown[i], grown[i + 1], xtol=1e-12 * grown[i], rtol=1e-12))
        point = at(i, a)
        variances, means = point.variances[:, 0], point.means[:, 0]
        weights = point.scale[0] * constant_weights(linear, variances, means)
        matrix = linear.response[list(linear.active)] ** 2 @ weights
        values, vectors = np.linalg.eig(matrix)
        leading = vectors[:, np.argmax(abs(values))].real
        direction = np.ones(len(variances))
        if leading[0] != 0:
            direction = leading / leading[0]
        rising = radii[i + 1] > 0
        found.append(Onset(variances, means, float(point.scale[0]), direction, rising))
    return found[::-1]


def log_radius(linear: LinearTheory, points: StaticPoints, i: int) -> float:
    """log V of one of the points."""
    weights = constant_weights(linear, points.variances[:, i], points.means[:, i])
    radius = points.scale[i] * constant_state_radius(linear, weights, 0.0)
    return float(np.log(max(radius, 1e-300)))
