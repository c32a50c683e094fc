"""Phases over the biases of the activation and of the output gate: rest, constant states and chaos."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from ..case import Panel, Series, Settings
from ..compare import Estimate, Row, extrapolate, over_networks
from ..ensemble import Ensemble, check_finite, settle
from ..ensemble_case import Numbers, Points, Task, ensemble_case, row, sign_row
from ..schedule import is_constant

#: Points on both sides of a boundary, in the plane of g_h and one bias.
POINTS: Mapping[str, Mapping[str, float]] = {
    "beta_r = -1, g_h = 3": {"g_h": 3.0, "beta_r": -1.0, "beta_h": 0.0, "alpha_r": 0.0},
    "beta_r = 1, g_h = 2": {"g_h": 2.0, "beta_r": 1.0, "beta_h": 0.0, "alpha_r": 0.0},
    "beta_h = 1, g_h = 2.8": {"g_h": 2.8, "beta_r": 0.0, "beta_h": 1.0, "alpha_r": 0.0},
    "beta_h = 1, g_h = 8": {"g_h": 8.0, "beta_r": 0.0, "beta_h": 1.0, "alpha_r": 0.0},
}
#: Root-mean-square change of h over a time, beyond which a state moves.
STILL, APART = 0.05, 10.0
#: Widest standard error of lambda; the edges of constant states scatter most, by N^(-1/2).
WIDEST = 0.08


@dataclass(frozen=True, slots=True)
class Plan:
    """``starts`` of a network, each with a tangent followed for ``duration`` after a ``transient``."""

    transient: float = 30.0
    duration: float = 50.0
    starts: int = 2


def _numbers(ensemble: Ensemble, plan: Plan, n: int, realization: int) -> Mapping[str, Any]:
    run = ensemble.begin(n, realization, batch=plan.starts, tangents=plan.starts)
    settle(run, plan.transient)
    steps = round(plan.duration / run.dt)
    last = round(APART / run.dt)
    growth = run.advance(steps - last)
    before = run.x[0].astype(np.float64)
    growth = growth + run.advance(last)
    check_finite(run)
    change = np.sqrt(np.mean((run.x[0] - before) ** 2, axis=1))
    return {
        "moving": float(np.mean(change > STILL)),
        "lyapunov": float(np.mean(growth) / (steps * run.dt)),
    }


def _tasks(settings: Settings) -> Mapping[str, Task]:
    n, count = settings["n"], settings["realizations"]
    return {label: Task({n: count, n // 2: 2 * count}, _numbers, Plan()) for label in POINTS}


def _exponent(sizes: Mapping[int, Sequence[Mapping[str, Any]]], branch: str) -> Estimate:
    """lambda at N = infinity; the edge of a constant state's Jacobian is off by N^(-1/2)."""
    samples = {n: [m["lyapunov"] for m in some] for n, some in sizes.items()}
    return extrapolate(samples, 0.5 if is_constant(branch) else 1.0).limit


def _judge(theory: Points, networks: Numbers) -> Sequence[Row]:
    rows = []
    for label, solution in theory.items():
        sizes = networks[label]
        n = max(sizes)
        moving = over_networks([m["moving"] for m in sizes[n]])
        chaotic = not is_constant(solution.branch)
        rows.append(sign_row(f"{label}: share of starts moving, N = {n}", 0.5, moving, chaotic))
        limit = _exponent(sizes, solution.branch)
        rows.append(row(f"{label}: lambda (N = inf)", solution.lyapunov, limit, WIDEST))
    return rows


def _draw(theory: Points, networks: Numbers) -> tuple[Panel, ...]:
    """lambda over g_h, a panel for the plane of each bias."""
    panels = []
    for bias in ("beta_r", "beta_h"):
        labels = [label for label in theory if label.startswith(bias)]
        told = [theory[label].lyapunov or 0.0 for label in labels]
        seen = [_exponent(networks[label], theory[label].branch) for label in labels]
        x = [POINTS[label]["g_h"] for label in labels]
        points = Series(
            f"networks, N to infinity, {bias}",
            x,
            [e.mean for e in seen],
            [e.standard_error for e in seen],
            points=True,
        )
        line = Series("theory", x, told, points=True)
        panels.append(Panel("$g_h$", r"$\lambda_{\max}$", (line, points)))
    return tuple(panels)


CASE = ensemble_case(
    name="bias-phases",
    title="Phases over the biases",
    claim=(
        "On both sides of the boundaries in the planes of g_h and a bias networks rest, stay constant or are "
        "chaotic as the theory says, with its largest exponent: closing the output gate brings rest, a bias "
        "of the activation freezes chaos into a constant state."
    ),
    equation=(
        "dh/dt = (-h + J phi(h) sigma_r)/2,  phi(x) = tanh(g_h x + beta_h),  sigma_r = 1/(1 + exp(beta_r))\n"
        "rest is unstable beyond g_h = 1 + exp(beta_r): 1.368 at beta_r = -1, 3.718 at 1; with beta_h = 1 "
        "the constant state (V = 1) beyond g_h = 3.823\n"
        "rule: at N more than half of the starts still move (rms change of h in 10 leak times above "
        f"{STILL:g}) where the theory is chaotic, else less than half; lambda at N = infinity from N and "
        f"N/2, in 1/N, of constant states in N^(-1/2), errors of at most {WIDEST:g}"
    ),
    source="Krishnamurthy, Can & Schwab, Phys. Rev. X 12, 011011 (2022)",
    model="gated",
    points=POINTS,
    tasks=_tasks,
    judge=_judge,
    draw=_draw,
    quick={"n": 256, "realizations": 7},
    full={"n": 800, "realizations": 12},
    faults={
        "output gate closed everywhere": {"beta_r": 1.0},
        "output gate open everywhere": {"beta_r": -1.0},
        "bias of the activation missing": {"beta_h": 0.0},
        "output gate that moves": {"alpha_r": 5.0},
    },
)
