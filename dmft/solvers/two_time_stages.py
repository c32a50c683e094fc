r"""What one population contributes: the solution, and what halving the step and the paths changes.

Stages of population b, each a self-consistent run of its own:

* ``fine``: all paths on the grid;
* ``coarse``: the same paths on every second point: their difference is the error of the step, times 3;
* ``half-0``, ``half-1``: half of the paths each, on the coarse grid: since averages over P paths are biased
  by O(1/P) only through self-consistency, their mean differs from ``coarse`` by the bias of P paths.

The coarse runs are driven by the fine one's random numbers (`coarse_normals`), so that differences are much
less noisy than the runs. Populations share nothing and can run anywhere: their scatter is the sampling
error, self-consistency included.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dmft.codegen.two_time import TwoTimeTheory

from .two_time_checkpoint import Checkpoint
from .two_time_gates import coarse_normals
from .two_time_grid import TimeGrid
from .two_time_population import Normals, Population
from .two_time_problem import TwoTimeProblem
from .two_time_start import FieldStart
from .two_time_stop import Stop

__all__ = ["Contribution", "Task", "contribute", "stage_names"]

Floats = NDArray[np.float64]
#: name of a stage, its share of all work done so far in this stage
Report = Callable[[str, float], None]


@dataclass(frozen=True)
class Task:
    """Everything that decides the numbers of one computation but the number of the population."""

    theory: TwoTimeTheory
    grid: TimeGrid
    starts: tuple[FieldStart, ...]
    paths: int
    tolerance: float
    seed: int
    sampled: bool


@dataclass(frozen=True)
class Contribution:
    """Tables of finished stages: name -> (quantity -> array), "partial" for the unfinished one.

    ``reached``: number of points that the unfinished stage has.
    """

    number: int
    tables: Mapping[str, Mapping[str, Floats]]
    reached: int
    tail: float

    @property
    def has_solution(self) -> bool:
        """Whether the solution itself is there."""
        return "fine" in self.tables

    @property
    def is_complete(self) -> bool:
        """Whether all stages are."""
        return "partial" not in self.tables


def stage_names(sampled: bool) -> tuple[str, ...]:
    """The stages of one population, in order."""
    return ("fine", "coarse", "half-0", "half-1") if sampled else ("fine", "coarse")


def contribute(
    task: Task,
    number: int,
    checkpoint: Checkpoint | None = None,
    stop: Stop | None = None,
    report: Report | None = None,
) -> Contribution:
    """Run all stages of one population, or as many as there is time for.

    Stages that the checkpoint holds are not run again; what is stopped is left there.
    """
    kept = task.grid.coarse()
    coarse = task.grid.at(kept)
    tables: dict[str, dict[str, Floats]] = {}
    drawn: dict[int, Floats] = {}
    for stage in stage_names(task.sampled):
        paths, number_of_half = task.paths, 0
        grid: TimeGrid = task.grid if stage == "fine" else coarse
        if stage.startswith("half"):
            paths, number_of_half = task.paths // 2, int(stage[-1])
        first = number_of_half * paths
        normals: Normals | None = None
        if stage != "fine":
            own = {i: rows[:, first : first + paths] for i, rows in drawn.items()}
            normals = partial(_rows_of, own)
        name = f"population-{number:03d}-{stage}"
        state = None if checkpoint is None else checkpoint.load(name)
        if state is None or "whole" not in state:
            population = Population(
                TwoTimeProblem(task.theory, grid),
                task.starts,
                paths,
                task.tolerance,
                task.seed,
                number,
                normals,
            )
            if state is not None:
                population.restore(state)
            if not _run(population, stage, stop or Stop(), report):
                if checkpoint is not None:
                    checkpoint.save(name, population.state())
                partial_tables = _tables_of(population.state(), population.size)
                return Contribution(
                    number, tables | {"partial": partial_tables}, population.size, _tail(population)
                )
            state = _whole(population)
            if checkpoint is not None:
                checkpoint.save(name, state)
        tables[stage] = _tables_of(state, len(grid))
        if stage == "fine":
            tail = float(state["tail"])
            drawn = dict(_driving(state, kept, len(grid)))
    return Contribution(number, tables, len(task.grid), tail)


def _run(population: Population, stage: str, stop: Stop, report: Report | None) -> bool:
    """Whether the end of the grid was reached."""
    size = len(population.problem.grid)
    while population.size < size and not stop.reason:
        population.advance()
        if report is not None:
            report(stage, (population.size / size) ** 2)
    return population.size == size


def _tail(population: Population) -> float:
    return max((average.tail for average in population.averages.values()), default=0.0)


def _whole(population: Population) -> dict[str, NDArray[Any]]:
    """What later stages and the solution need of a finished run."""
    kept = {
        name: values
        for name, values in population.state().items()
        if name.startswith(("moments/", "means/", "fourth/"))
        or (name.startswith("gates-") and not name.endswith("values"))
    }
    return kept | {"whole": np.array(True), "tail": np.array(_tail(population))}


def _tables_of(state: Mapping[str, NDArray[Any]], size: int) -> dict[str, Floats]:
    """moments/x (n, n), means/x and fourth/x (n,)."""
    names = [n for n in state if n.startswith(("moments/", "means/", "fourth/"))]
    return {n: state[n][(slice(size),) * state[n].ndim] for n in names}


def _driving(
    state: Mapping[str, NDArray[Any]], kept: NDArray[np.intp], size: int
) -> Iterator[tuple[int, Floats]]:
    """Normals of each gating group for the coarse grid; rows are times, then fields."""
    for name in state:
        if name.startswith("gates-") and name.endswith("/lower"):
            group = int(name.removeprefix("gates-").removesuffix("/lower"))
            lower, normals = state[name], state[f"gates-{group}/normals"]
            fields = len(lower) // size
            rows = (kept[:, None] * fields + np.arange(fields)).ravel()
            yield group, coarse_normals(lower, normals, rows)


def _rows_of(rows: Mapping[int, Floats], group: int, step: int, shape: tuple[int, int]) -> Floats:
    fields = shape[0]
    return rows[group][step * fields : (step + 1) * fields]
