"""Cases that hold a stationary solution against networks: C(0), C(tau), means and lambda_max."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np

from .case import Case, Measured, Panel, Series, Settings
from .compare import Row, over_networks
from .estimate import Measurement
from .journal import Journal
from .judge import judge
from .run_networks import NetworkRun, counts_in, run_networks
from .schedule import SAMPLE, Schedule
from .watch import Watch

if TYPE_CHECKING:
    from dmft.codegen.source import ModelSource
    from dmft.results.solution import Solution

__all__ = ["correlation_panel", "measured_run", "read_run", "stationary_case"]


def stationary_case(
    *,
    name: str,
    title: str,
    claim: str,
    equation: str,
    source: str,
    model: ModelSource,
    parameters: Mapping[str, float],
    quick: Settings,
    full: Settings,
    faults: Mapping[str, Mapping[str, float] | tuple[ModelSource, Mapping[str, float]]],
    branch: str = "auto",
) -> Case:
    """A case whose theory is ``dmft.solve(model, parameters)``.

    Rule: C(0), C(tau), means and the exponent, all extrapolated to infinite N from n, n/2 and n/4.
    Settings: ``n`` and ``realizations`` of the largest size, or ``counts`` of all three, ``starts`` per
    network. Faults: description -> parameters that are wrong in the theory, or another model with its
    parameters.
    """

    def solve(
        source: ModelSource, values: Mapping[str, float], settings: Settings, workers: int = 1
    ) -> Solution:
        from dmft.api import solve as solve_model

        return solve_model(source, values, branch=branch, workers=workers)

    wrong = {}
    for what, change in faults.items():
        other = change if isinstance(change, tuple) else (model, {**parameters, **change})
        wrong[what] = partial(solve, *other)
    return Case(
        name=name,
        title=title,
        claim=claim,
        equation=equation,
        source=source,
        settings={"quick": quick, "full": full},
        predict=partial(solve, model, parameters),
        measure=partial(_measure, model),
        judge=_judge,
        draw=_draw,
        faults=wrong,
    )


def _measure(
    model: ModelSource,
    theory: Solution,
    settings: Settings,
    seed: int,
    workers: int,
    journal: Journal,
    watch: Watch,
) -> Measured:
    from dmft.codegen import compile_network

    run = run_networks(
        theory,
        compile_network(model),
        counts=counts_in(settings),
        starts=settings.get("starts"),
        seed=seed,
        workers=workers,
        watch=watch,
        journal=journal,
    )
    return measured_run(run)


def measured_run(run: NetworkRun) -> Measured:
    """Schedule and networks as JSON values."""
    return {"schedule": asdict(run.schedule), "networks": [asdict(m) for m in run.networks]}


def read_run(measured: Measured) -> tuple[Schedule, list[Measurement]]:
    """What `measured_run` wrote."""
    schedule: dict[str, Any] = dict(measured["schedule"])
    for key in ("lags", "judged_lags"):
        schedule[key] = tuple(schedule[key])
    return Schedule(**schedule), [Measurement.from_json(m) for m in measured["networks"]]


def _judge(theory: Solution, measured: Measured) -> Sequence[Row]:
    schedule, networks = read_run(measured)
    return judge(theory, networks, schedule, moments="N = inf")[0]


def correlation_panel(
    schedule: Schedule,
    networks: Sequence[Measurement],
    theories: Mapping[str, Solution],
    *,
    where: str = "",
) -> Panel:
    """C(tau) of the first field: one line per theory, points of the largest networks."""
    largest = max(m.n for m in networks)
    top = [m.autocorrelation for m in networks if m.n == largest]
    seen = [over_networks(values) for values in zip(*top, strict=True)]
    lags = [SAMPLE * lag for lag in schedule.lags]
    fine = np.linspace(0.0, 1.05 * max(lags), 200)
    first = next(iter(next(iter(theories.values())).variance))
    lines = [Series(k, fine.tolist(), s.at(fine)[first].tolist()) for k, s in theories.items()]
    points = Series(
        f"{len(top)} networks, N = {largest}",
        lags,
        [e.mean for e in seen],
        [e.standard_error for e in seen],
        points=True,
    )
    xlabel = r"lag $\tau$ (leak times)" + (f", {where}" if where else "")
    return Panel(xlabel, rf"$C_{{{first}}}(\tau)$", (*lines, points))


def _draw(theory: Solution, measured: Measured) -> tuple[Panel, ...]:
    """C(tau) of the first field, and lambda_max over 1/N."""
    schedule, networks = read_run(measured)
    sizes = sorted({m.n for m in networks})
    exponents = {n: over_networks([m.lyapunov for m in networks if m.n == n]) for n in sizes}
    shown = [0.0, 1.0 / sizes[0]]
    return (
        correlation_panel(schedule, networks, {"theory": theory}),
        Panel(
            r"$1/N$",
            r"$\lambda_{\max}$",
            (
                Series("theory, N = infinity", shown, [theory.lyapunov or 0.0] * 2),
                Series(
                    "networks",
                    [1 / n for n in sizes],
                    [e.mean for e in exponents.values()],
                    [e.standard_error for e in exponents.values()],
                    points=True,
                ),
            ),
        ),
    )
