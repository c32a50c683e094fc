"""What the open units of a network with a steep gate pass on to each other, at one state."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from .network import FiniteNetwork, State


class OpenUnits(NamedTuple):
    """``share`` of all units, ``gain`` once around, ``leading`` real part of their Jacobian."""

    share: float
    gain: float
    leading: float


def open_units(
    network: FiniteNetwork, x: State, gated: str, *, through: str, delay: str
) -> OpenUnits:
    """Open units of the field ``gated``, of which all units' ``through`` is told; x is ``(1, N)`` per field.

    With h the gated field, r the other one, tau its time constant (parameter ``delay``) and S the rates of
    the gates, perturbations obey, in h of the open units and r of all units,

        d dh/dt = S (A - 1) dh + S B dr,      tau d dr/dt = C dh - dr;

    the gating field shifts nothing where h has settled, and is left out. What C dh spans is as large as the
    open block, so that dr = C y, tau dy/dt = dh - y. Once around the loop passes on G = A + B C: directly,
    and through r of all units, closed ones too. The gain is |G|^2 / (open units): of a large network f V.
    """
    fields, tau = network.right.info.fields, network.parameters[delay]
    h, r = fields.index(gated), fields.index(through)
    rate = _rates(network, x, h)
    opened = np.flatnonzero(rate > 0.5)

    def respond(field: int, dx: Any) -> State:
        given = [dx if k == field else np.zeros_like(dx) for k in range(len(x))]
        return network.velocity_with_tangent(x, given)[1]

    told = respond(h, np.eye(network.units, dtype=network.dtype)[opened])
    direct = told[h][:, opened].T.astype(np.float64)
    settled = told[r] * tau
    around = respond(r, settled)[h][:, opened].T.astype(np.float64)
    size = opened.size
    gain = np.eye(size) + (direct + around) / rate[opened, None]
    still = np.eye(size) / tau
    leading = np.linalg.eigvals(np.block([[direct, around], [still, -still]])).real.max()
    return OpenUnits(size / network.units, float(np.sum(gain**2) / size), float(leading))


def _rates(network: FiniteNetwork, x: State, field: int) -> Any:
    """s of every unit: what a shift of the gated field by one, currents fixed, takes from its velocity."""
    right, p = network.right, network.parameters
    at = [values.astype(np.float64) for values in x]
    currents = [np.zeros_like(at[0])] * len(right.info.currents)
    shifted = [values + 1 if k == field else values for k, values in enumerate(at)]
    before, after = (right.drift(y, currents, p, network.inputs)[field][0] for y in (at, shifted))
    return before - after
