"""Cases that hold stationary states at several settings of a model against networks, in one table.

Beside the theory stands a *rival*, an approximation whose deviations are shown in the same table.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING, Any

from .case import Case, Measured, Panel, Settings
from .compare import Row, tested
from .journal import Journal
from .judge import judge
from .run_networks import counts_in, run_networks
from .schedule import SAMPLE
from .stationary_case import correlation_panel, measured_run, read_run
from .watch import Watch

if TYPE_CHECKING:
    from dmft.codegen.source import ModelSource
    from dmft.results.solution import Solution

__all__ = ["State", "Wrong", "states_case"]

Parameters = Mapping[str, float]


@dataclass(frozen=True, slots=True)
class State:
    """One setting: its name in the table and its parameters."""

    label: str
    parameters: Parameters


@dataclass(frozen=True)
class Wrong:
    """A wrong theory: changed ``parameters`` and ``options`` of `dmft.solve`."""

    parameters: Parameters
    options: Mapping[str, Any]


@dataclass(frozen=True)
class _Found:
    """Theory and rival at one setting."""

    state: State
    theory: Solution
    rival: Solution


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
    rival: tuple[str, Mapping[str, Any]],
    quick: Settings,
    full: Settings,
    faults: Mapping[str, Wrong],
) -> Case:
    """A case whose theory is ``dmft.solve(model, ...)`` at every state.

    Rule: the rows of `dmft.validation.judge` at every state, C of the first field at the lags
    ``judged``, in one common Holm family. ``rival``: its name and the options of `dmft.solve` that
    give it. Settings: ``states`` (labels), ``n`` and ``counts`` (size -> networks), ``transient``,
    ``duration``, ``starts`` of every network, ``precision`` of the theory.
    """

    def solve(parameters: Parameters, options: Mapping[str, Any], settings: Settings) -> Solution:
        from dmft.api import solve as solve_model

        return solve_model(model, parameters, **{"precision": settings["precision"], **options})

    rivals: dict[tuple[str, float], Solution] = {}

    def other(state: State, settings: Settings) -> Solution:
        """The rival, solved once for the theory and all faults."""
        key = state.label, float(settings["precision"])
        if key not in rivals:
            rivals[key] = solve(state.parameters, {**rival[1], "lyapunov": False}, settings)
        return rivals[key]

    def predict(wrong: Wrong, settings: Settings) -> list[_Found]:
        found = []
        for state in states:
            if state.label in settings["states"]:
                theory = solve({**state.parameters, **wrong.parameters}, wrong.options, settings)
                found.append(_Found(state, theory, other(state, settings)))
        return found

    def measure(
        theory: Sequence[_Found],
        settings: Settings,
        seed: int,
        workers: int,
        journal: Journal,
        watch: Watch,
    ) -> Measured:
        from dmft.codegen import compile_network

        right = compile_network(model)
        measured = {}
        for found in theory:
            run = run_networks(
                found.theory,
                right,
                counts=counts_in(settings),
                changes={
                    "transient": settings["transient"],
                    "duration": settings["duration"],
                    "batch": settings["starts"],
                    "tangents": settings["starts"],
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

    def rows(theory: Sequence[_Found], measured: Measured) -> Sequence[Row]:
        result: list[Row] = []
        for found in theory:
            label = found.state.label
            schedule, networks = read_run(measured[label])
            result += [
                replace(row, quantity=f"{label}: {row.quantity}")
                for row in judge(found.theory, networks, schedule)[0]
            ]
            result += [
                replace(
                    tested(row),
                    quantity=f"{label}, {rival[0]}: {row.quantity}",
                    judged=False,
                    verdict="shown",
                )
                for row in judge(found.rival, networks, schedule)[0]
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
        predict=partial(predict, Wrong({}, {})),
        measure=measure,
        judge=rows,
        draw=partial(_draw, rival[0]),
        faults={what: partial(predict, wrong) for what, wrong in faults.items()},
    )


def _draw(rival: str, theory: Sequence[_Found], measured: Measured) -> tuple[Panel, ...]:
    """C(tau) at every setting: theory, rival and networks."""
    panels = []
    for found in theory:
        label = found.state.label
        lines = {"theory": found.theory, rival: found.rival}
        panels.append(correlation_panel(*read_run(measured[label]), lines, where=label))
    return tuple(panels)
