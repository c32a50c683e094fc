r"""``marginal-stability``: where a constant state with a binary gate turns unstable.

A share f = P(y > theta) of the units is open, y Gaussian with the static mean and variance of the
gating field, and only those pass a perturbation on (`derivations.binary_gate`). The Jacobian's edge
leaves zero where the spectral radius of

    f_k sum_a R_ka^2 dS_a/dC_j,      dS_a/dC_j at C = D,     f_k = f for gated fields k, else 1,

is one: f V = 1 with the gain V once around (`slow_modes.loop_gain`; the radius itself is f V only where
nothing but the gated fields is driven). Fields that are not gated respond in all units, and pass on what
the open ones told them. Between the line where the radius without f is one (`jacobian_edge`) and this one
the edge lies at zero: it tends to it exponentially in the gain of the gate, and the closed units keep what
they hold, whatever that is: the line is for states in which they hold values of the static solution.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import erfc

from ..static_system import StaticRows, StaticSystem
from .family import Family
from .jacobian_edge import spectral_radius
from .point import Kind
from .request import Request
from .static_families import StaticFamily
from .static_search import Condition, StaticSearch

__all__ = ["marginal_condition", "marginal_families", "open_share"]

Floats = NDArray[np.float64]


def marginal_families(request: Request) -> list[Family]:
    """Constant solutions other than rest with the edge of their open units at zero."""
    gate = request.theory.gate
    system = StaticSystem(request.theory, also=(gate.field,))
    # of the statics only the response to inputs beside the gate knows gain and bias, and they are zero
    base = {gate.gain: 1.0, gate.bias: 0.0, **request.base}
    search = StaticSearch(system, marginal_condition(system), request.axis, base)
    return [StaticFamily(search, request.swept, Kind.EDGE, cusps=False)]


def open_share(system: StaticSystem, rows: StaticRows, p: Mapping[str, Any]) -> Floats:
    """f = erfc((theta - mu) / sqrt(2 Delta)) / 2 of the gating field, (rows,)."""
    gate = system.theory.gate
    place = system.fields.index(gate.field)
    with np.errstate(all="ignore"):
        distance = (p[gate.threshold] - rows.means[place]) / np.sqrt(2 * rows.variances[place])
    return np.asarray(erfc(distance) / 2)


def marginal_condition(system: StaticSystem) -> Condition:
    """Log of the spectral radius with closed units held, as a condition."""

    def condition(rows: StaticRows, p: Mapping[str, Any]) -> Floats:
        response = system.theory.matrices["response"]
        count = rows.excess.size
        gain = system.entries(response.tape, p, count).reshape(*response.shape, count) ** 2
        gain[list(system.theory.gate.held)] *= open_share(system, rows, p)
        with np.errstate(all="ignore"):
            return np.asarray(
                np.log(spectral_radius(gain[None, list(system.fields)], rows.weights)[0])
            )

    return condition
