"""Cases that hold the largest Lyapunov exponent against networks at several settings of a model."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from functools import partial
from typing import TYPE_CHECKING

from .case import Case, Measured, Panel, Series, Settings
from .compare import Row
from .estimate import Measurement
from .journal import Journal
from .judge import judge_exponents
from .run_networks import counts_in, run_networks
from .watch import Watch

if TYPE_CHECKING:
    from dmft.results.solution import Solution

__all__ = ["Point", "exponent_case", "exponent_panel"]

Parameters = Mapping[str, float]


@dataclass(frozen=True, slots=True)
class Point:
    """One setting: its name in the table, where it is drawn, on which line, and its parameters."""

    label: str
    x: float
    line: str
    parameters: Parameters


def exponent_case(
    *,
    name: str,
    title: str,
    claim: str,
    equation: str,
    source: str,
    model: str,
    points: Sequence[Point],
    xlabel: str,
    quick: Settings,
    full: Settings,
    faults: Mapping[str, Parameters],
) -> Case:
    """A case that compares lambda_max of ``dmft.solve(model, ...)`` at every point.

    Rule: at each point the exponent extrapolated to infinite N, a row of one common Holm family.
    Settings: ``n`` and ``realizations`` of the largest size, or ``counts`` of all, ``starts`` each. Faults:
    parameters that are wrong in the theory at all points.
    """

    def solve(change: Parameters, settings: Settings, workers: int = 1) -> list[Solution]:
        from dmft.api import solve as solve_model

        return [
            solve_model(model, {**point.parameters, **change}, workers=workers) for point in points
        ]

    def measure(
        theory: Sequence[Solution],
        settings: Settings,
        seed: int,
        workers: int,
        journal: Journal,
        watch: Watch,
    ) -> Measured:
        from dmft.codegen import compile_network

        right = compile_network(model)
        found = {}
        for point, solution in zip(points, theory, strict=True):
            run = run_networks(
                solution,
                right,
                counts=counts_in(settings),
                starts=settings.get("starts"),
                seed=seed,
                workers=workers,
                watch=watch,
                journal=journal,
            )
            found[point.label] = [asdict(m) for m in run.networks]
        return found

    def judge(theory: Sequence[Solution], measured: Measured) -> Sequence[Row]:
        rows: list[Row] = []
        for point, solution in zip(points, theory, strict=True):
            networks = [Measurement.from_json(m) for m in measured[point.label]]
            rows += [
                replace(row, quantity=f"{point.label}: {row.quantity}")
                for row in judge_exponents(solution, networks)
            ]
        return rows

    def draw(theory: Sequence[Solution], measured: Measured) -> tuple[Panel, ...]:
        limits = [row for row in judge(theory, measured) if row.judged]
        return (exponent_panel(points, limits, xlabel),)

    return Case(
        name=name,
        title=title,
        claim=claim,
        equation=equation,
        source=source,
        settings={"quick": quick, "full": full},
        predict=partial(solve, {}),
        measure=measure,
        judge=judge,
        draw=draw,
        faults={what: partial(solve, change) for what, change in faults.items()},
    )


def exponent_panel(points: Sequence[Point], limits: Sequence[Row], xlabel: str) -> Panel:
    """lambda_max over ``x``, a line of theory and points of networks for every ``line``.

    ``limits``: the row "lambda (N = inf)" of every point.
    """
    series = []
    for line in dict.fromkeys(point.line for point in points):
        on = [i for i, point in enumerate(points) if point.line == line]
        x = [points[i].x for i in on]
        series.append(Series(f"theory, {line}", x, [limits[i].theory for i in on]))
        series.append(
            Series(
                f"networks, N to infinity, {line}",
                x,
                [limits[i].simulation for i in on],
                [limits[i].standard_error for i in on],
                points=True,
            )
        )
    return Panel(xlabel, r"$\lambda_{\max}$", tuple(series))
