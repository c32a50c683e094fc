"""What a gated network holds, and how pulses on the biases of its gates erase it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from dmft.protocol import Pulse, Step

from ..case import Panel
from ..compare import Row
from ..ensemble_case import sign_row
from ..trace_case import Condition, Traces, trace_case

SINCE, BEFORE, AFTER, LATE = 10.0, 20.0, 25.0, 40.0
NONE, SHUT, BOTH = "no pulse", "output gate shut", "and update gate open"
#: Changes nothing, but puts the moment whose trace is followed on the theory's grid.
MARK = Step("beta_r", SINCE, 0.0)
SHUTTING = Pulse("beta_r", BEFORE, AFTER, 12.0)
OPENING = Pulse("beta_z", BEFORE, AFTER, -60.0)
#: Widest standard error of a share kept, and of C(10,10), relative.
WIDEST_SHARE, WIDEST = 0.06, 0.10

FREE = Condition({"g_h": 3.0, "alpha_z": 20.0, "alpha_r": 5.0}, (MARK,), (("h", 1.0),))
CONDITIONS = {
    NONE: FREE,
    SHUT: replace(FREE, changes=(MARK, SHUTTING)),
    BOTH: replace(FREE, changes=(MARK, SHUTTING, OPENING)),
}


def _judge(traces: Traces) -> Sequence[Row]:
    rows = [traces.amplitude_row(NONE, "C_h(10,10)", WIDEST)]
    for label, times in (
        (NONE, (BEFORE, AFTER, LATE)),
        (SHUT, (AFTER, LATE)),
        (BOTH, (AFTER, LATE)),
    ):
        for time in times:
            told, seen = traces.told_share(label, time), traces.seen_share(label, time)
            rows.append(traces.row(label, f"share kept at {time:g}", told, seen, WIDEST_SHARE))
    for label, time, limit in ((NONE, BEFORE, 0.5), (BOTH, LATE, 0.1)):
        above = traces.told_share(label, time).value > limit
        largest = traces.share_at_largest(label, time)
        rows.append(sign_row(f"{label}: share kept at {time:g}", limit, largest, above))
    return rows


def _draw(traces: Traces) -> tuple[Panel, ...]:
    return (traces.panel("time since $t = 10$ (leak times)", "$C_h(t,10)/C_h(10,10)$"),)


CASE = trace_case(
    name="memory-reset",
    title="A memory held by gates, erased by pulses on their biases",
    claim=(
        "A network with a steep update gate keeps most of its state for many leak times. With the output "
        "gate shut for five of them it holds less at their end, with the update gate opened as well nothing. "
        "The traces are those of the two-time theory."
    ),
    equation=(
        "dh/dt = sigma_z(z) (-h + J phi(h) sigma_r(r)), alpha_z = 20, alpha_r = 5, g_h = 3; h(0) ~ N(0,1), "
        "z(0) = r(0) = 0\n"
        "beta_r = 12, and in the last condition beta_z = -60, from t = 20 to 25; share = C(t,10)/C(10,10), "
        "C(t,s) = <h(t) h(s)>\n"
        "rule: C(10,10) (errors of at most 10%) and the shares (0.06) at N = infinity from N, N/2 and N/4; "
        "without a pulse more than half is kept at t = 20, after both less than a tenth at t = 40"
    ),
    source="Krishnamurthy, Can & Schwab, Phys. Rev. X 12, 011011 (2022)",
    model="gated",
    field="h",
    times=(SINCE, BEFORE, AFTER, LATE),
    until=LATE,
    conditions=CONDITIONS,
    judge=_judge,
    draw=_draw,
    quick={
        "n": 500,
        "realizations": 8,
        "starts": 4,
        "precision": 0.2,
        "paths": 256,
        "populations": 6,
    },
    full={
        "n": 2000,
        "realizations": 16,
        "starts": 8,
        "precision": 0.03,
        "paths": 1024,
        "populations": 8,
    },
    faults={
        "update gate that does not move": lambda c: {
            **c,
            NONE: replace(FREE, parameters={**FREE.parameters, "alpha_z": 0.0}),
        },
        "pulses missing": lambda c: dict.fromkeys(c, c[NONE]),
        "update gate not opened": lambda c: {**c, BOTH: c[SHUT]},
        "pulse on the bias of the other gate": lambda c: {
            **c,
            SHUT: replace(c[SHUT], changes=(MARK, replace(SHUTTING, parameter="beta_z"))),
        },
    },
)
