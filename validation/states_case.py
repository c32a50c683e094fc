"""Cases that hold stationary states at several settings of a model against networks, in one table.

Beside the theory may stand a *rival*, an approximation whose deviations are shown in the same table.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING, Any

from .case import Case, Measured, Panel, Settings
from .compare import Row, tested
from .journal import Journal
from .judge import judge, judge_exponents
from .run_networks import counts_in, run_networks
from .schedule import SAMPLE
from .stationary_case import correlation_panel, measured_run, read_run
from .watch import Watch

if TYPE_CHECKING:
    from dmft.codegen.source import ModelSource
    from dmft.results.solution import Solution

__all__ = ["Found", "State", "Wrong", "states_case"]

Parameters = Mapping[str, float]


@dataclass(frozen=True, slots=True)
class State:
    """One setting: its name in the table and its parameters. ``exponent_only``: C is not judged."""

    label: str
    parameters: Parameters
    exponent_only: bool = False


@dataclass(frozen=True)
class Wrong:
    """A wrong theory: changed ``parameters`` and ``options`` of `dmft.solve`.

    ``at``: the labels where it is wrong, the theory being right elsewhere; None: everywhere.
    """

    parameters: Parameters
    options: Mapping[str, Any]
    at: tuple[str, ...] | None = None


_RIGHT = Wrong({}, {})


@dataclass(frozen=True)
class Found:
    """Theory and rival at one setting."""

    state: State
    theory: Solution
    rival: Solution | None


def states_case(
    *,
    name: str,
    title: str,
    claim: str,
    equation: str,
    source: str,
    model: ModelSource,
    states: Sequence[State],
    lags: Sequence[float],
    judged: Sequence[float],
    quick: Settings,
    full: Settings,
    faults: Mapping[str, Wrong],
    rival: tuple[str, Mapping[str, Any]] | None = None,
    draw: Callable[[Sequence[Found], Measured], tuple[Panel, ...]] | None = None,
) -> Case:
    """A case whose theory is ``dmft.solve(model, ...)`` at every state.

    Rule: the rows of `dmft.validation.judge` at every state, extrapolated to N = infinity, C of the first
    field at the lags ``judged``, in one common Holm family. ``rival``: its name and the options of
    `dmft.solve` that give it. ``draw``: the figure, if it is not C(tau) at every state.
    Settings: ``states`` (labels), ``n`` and ``counts`` (size -> networks), ``starts`` of every network,
    ``precision`` of the theory; ``transient``, ``duration`` and ``amplitude`` if not those of
    `dmft.validation.schedule.plan`; ``tangents`` if not every start carries a tangent vector.
    """
    solved: dict[str, Solution] = {}

    def solve(
        parameters: Parameters, options: Mapping[str, Any], settings: Settings, workers: int
    ) -> Solution:
        """Solved once for the theory, its rival and all faults."""
        from dmft.api import solve as solve_model

        given = {"precision": settings["precision"], **options}
        key = repr((sorted(parameters.items()), sorted(given.items())))
        if key not in solved:
            solved[key] = solve_model(model, parameters, workers=workers, **given)
        return solved[key]

    def predict(wrong: Wrong, settings: Settings, workers: int = 1) -> list[Found]:
        found = []
        for state in states:
            if state.label in settings["states"]:
                here = wrong if wrong.at is None or state.label in wrong.at else _RIGHT
                p = {**state.parameters, **here.parameters}
                theory = solve(p, here.options, settings, workers)
                other = None
                if rival is not None:
                    options = {**rival[1], "lyapunov": False}
                    other = solve(state.parameters, options, settings, workers)
                found.append(Found(state, theory, other))
        return found

    def measure(
        theory: Sequence[Found],
        settings: Settings,
        seed: int,
        workers: int,
        journal: Journal,
        watch: Watch,
    ) -> Measured:
        from dmft.codegen import compile_network

        right = compile_network(model)
        names = ("transient", "duration", "amplitude", "tangents")
        given = {name: settings[name] for name in names if name in settings}
        measured = {}
        for found in theory:
            run = run_networks(
                found.theory,
                right,
                counts=counts_in(settings),
                starts=settings["starts"],
                changes={
                    **given,
                    "lags": tuple(round(lag / SAMPLE) for lag in lags),
                    "judged_lags": tuple(round(lag / SAMPLE) for lag in judged),
                },
                seed=seed,
                workers=workers,
                watch=watch,
                journal=journal,
            )
            measured[found.state.label] = measured_run(run)
        return measured

    def rows(theory: Sequence[Found], measured: Measured) -> Sequence[Row]:
        result: list[Row] = []
        for found in theory:
            label = found.state.label
            schedule, networks = read_run(measured[label])
            if found.state.exponent_only:
                seen: Sequence[Row] = judge_exponents(found.theory, networks)
            else:
                seen = judge(found.theory, networks, schedule, moments="N = inf")[0]
            result += [replace(row, quantity=f"{label}: {row.quantity}") for row in seen]
            if rival is None or found.rival is None:
                continue
            result += [
                replace(
                    tested(row),
                    quantity=f"{label}, {rival[0]}: {row.quantity}",
                    judged=False,
                    verdict="shown",
                )
                for row in judge(found.rival, networks, schedule, moments="N = inf")[0]
                if row.judged and row.quantity.startswith("C_")
            ]
        return result

    return Case(
        name=name,
        title=title,
        claim=claim,
        equation=equation,
        source=source,
        settings={"quick": quick, "full": full},
        predict=partial(predict, _RIGHT),
        measure=measure,
        judge=rows,
        draw=draw or partial(_draw, rival[0] if rival else ""),
        faults={what: partial(predict, wrong) for what, wrong in faults.items()},
    )


def _draw(rival: str, theory: Sequence[Found], measured: Measured) -> tuple[Panel, ...]:
    """C(tau) at every setting: theory, rival and networks."""
    panels = []
    for found in theory:
        label = found.state.label
        lines = {"theory": found.theory}
        if found.rival is not None:
            lines[rival] = found.rival
        panels.append(correlation_panel(*read_run(measured[label]), lines, where=label))
    return tuple(panels)
