"""Inputs that a gated network holds after they end, without fine tuning."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from dmft.protocol import Pulse

from ..case import Panel
from ..compare import Row, over_networks
from ..ensemble_case import sign_row
from ..trace_case import Condition, Told, Traces, trace_case

#: The input, variance 1 over units, comes at 2; it ends at 6, and its trace is followed from there.
INPUT = Pulse("input_h", 2.0, 6.0, 1.0)
EARLY, MIDDLE, LATE = 10.0, 20.0, 30.0
MILD, STEEP = "alpha_z = 5", "alpha_z = 20"
#: Widest standard error of a share held, of a drift rate, and of C(6,6), relative.
WIDEST_SHARE, WIDEST_RATE, WIDEST = 0.04, 0.02, 0.05

CONDITIONS = {
    MILD: Condition({"g_h": 1.0, "alpha_z": 5.0}, (INPUT,)),
    STEEP: Condition({"g_h": 1.0, "alpha_z": 20.0}, (INPUT,)),
}


def _told_drift(traces: Traces, label: str) -> Told:
    """Rate of -d/dt ln C(t, 6) from t = 10 to 20, of the theory."""
    ratio = traces.told(label, MIDDLE).over(traces.told(label, EARLY))
    if not ratio.value > 0:
        return Told(float("nan"), float("nan"))
    span = MIDDLE - EARLY
    return Told(float(-np.log(ratio.value) / span), ratio.error / ratio.value / span)


def _seen_drift(traces: Traces, label: str) -> dict[int, np.ndarray]:
    """The same in every network; NaN, which no row passes, where nothing is held any more."""
    early, late = traces.seen(label, EARLY), traces.seen(label, MIDDLE)
    with np.errstate(invalid="ignore", divide="ignore"):
        return {n: -np.log(late[n] / early[n]) / (MIDDLE - EARLY) for n in early}


def _judge(traces: Traces) -> Sequence[Row]:
    rows = []
    for label in (MILD, STEEP):
        rows.append(traces.amplitude_row(label, "C_h(6,6)", WIDEST))
        for time in (EARLY, LATE):
            told, seen = traces.told_share(label, time), traces.seen_share(label, time)
            rows.append(traces.row(label, f"share held at {time:g}", told, seen, WIDEST_SHARE))
        told, seen = _told_drift(traces, label), _seen_drift(traces, label)
        rows.append(traces.row(label, "drift rate", told, seen, WIDEST_RATE))
    # Both gains were simulated in the same networks with the same inputs: differences pair them.
    mild, steep = _seen_drift(traces, MILD), _seen_drift(traces, STEEP)
    change = over_networks(steep[max(steep)] - mild[max(mild)])
    above = _told_drift(traces, STEEP).value > _told_drift(traces, MILD).value
    rows.append(sign_row("drift rate, alpha_z = 20 less that at 5", 0.0, change, above))
    return rows


def _draw(traces: Traces) -> tuple[Panel, ...]:
    return (traces.panel("time since the end of the input (leak times)", "$C_h(t,6)/C_h(6,6)$"),)


CASE = trace_case(
    name="integrator",
    title="Inputs held by gates after they end",
    claim=(
        "A network at rest that gets an input for four leak times holds its trace long after it, with the "
        "shares and the drift of the two-time theory; nothing is tuned, and a steeper update gate drifts "
        "more slowly."
    ),
    equation=(
        "dh/dt = sigma_z(z) (-h + J phi(h) / 2) + I(t), g_h = 1, alpha_z = 5 and 20; all at rest at t = 0\n"
        "I_i(t) = w_i ~ N(0,1) from t = 2 to 6, else 0; C(t,6) = <h(t) h(6)>, share = C(t,6)/C(6,6), "
        "drift rate = ln(C(10,6)/C(20,6))/10\n"
        "rule: C(6,6) (errors of at most 5%), the shares at t = 10 and 30 (0.04) and the drift rates (0.02) "
        "at N = infinity from N, N/2 and N/4; the drift rate is smaller at alpha_z = 20, network by network"
    ),
    source="Krishnamurthy, Can & Schwab, Phys. Rev. X 12, 011011 (2022)",
    model="gated",
    field="h",
    times=(INPUT.end, EARLY, MIDDLE, LATE),
    until=LATE,
    conditions=CONDITIONS,
    judge=_judge,
    draw=_draw,
    quick={
        "n": 800,
        "realizations": 20,
        "starts": 1,
        "precision": 0.1,
        "paths": 256,
        "populations": 6,
    },
    full={
        "n": 4000,
        "realizations": 20,
        "starts": 1,
        "precision": 0.02,
        "paths": 1024,
        "populations": 8,
    },
    faults={
        "update gate that does not move": lambda c: {
            k: replace(v, parameters={**v.parameters, "alpha_z": 0.0}) for k, v in c.items()
        },
        "gains exchanged": lambda c: {MILD: c[STEEP], STEEP: c[MILD]},
        "input missing": lambda c: {k: replace(v, changes=()) for k, v in c.items()},
        "input of half the variance at alpha_z = 20": lambda c: {
            **c,
            STEEP: replace(c[STEEP], changes=(replace(INPUT, value=0.5),)),
        },
    },
)
