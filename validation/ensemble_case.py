"""Cases that ask every network for some numbers of their own, at several points of a model."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any, Protocol

from dmft.results.provenance import versions

from .case import Case, Measured, Panel, Settings
from .compare import Estimate, Row
from .ensemble import Ensemble, run_tasks
from .journal import Journal, key_of
from .schedule import choose_step
from .watch import Watch

if TYPE_CHECKING:
    from dmft.results.solution import Solution

__all__ = [
    "Numbers",
    "Points",
    "Task",
    "ensemble_case",
    "networks_of",
    "numbers_of_networks",
    "row",
    "sign_row",
]

Parameters = Mapping[str, float]
#: The theory at every point.
Points = Mapping[str, "Solution"]
#: Point -> size -> numbers of every network.
Numbers = Mapping[str, Mapping[int, Sequence[Mapping[str, Any]]]]
#: (networks, plan, N, number) -> numbers of one network, as JSON values.
Estimator = Callable[[Ensemble, Any, int, int], Mapping[str, Any]]


class Declared(Protocol):
    """What a network needs to know of a theory: the model's hash and the parameters."""

    @property
    def model_hash(self) -> str: ...

    @property
    def parameters(self) -> Parameters: ...


@dataclass(frozen=True, slots=True)
class Task:
    """What is done at one point: networks of which sizes, asked for what, in which precision.

    ``plan`` is handed to ``estimate``; its repr must tell everything that matters, since it
    is part of the journal's key.
    """

    counts: Mapping[int, int]
    estimate: Estimator
    plan: Any
    dtype: str = "float32"


def ensemble_case(
    *,
    name: str,
    title: str,
    claim: str,
    equation: str,
    source: str,
    model: str,
    points: Mapping[str, Parameters],
    tasks: Callable[[Settings], Mapping[str, Task]],
    judge: Callable[[Points, Numbers], Sequence[Row]],
    draw: Callable[[Points, Numbers], tuple[Panel, ...]],
    quick: Settings,
    full: Settings,
    faults: Mapping[str, Parameters],
) -> Case:
    """A case with the theory ``dmft.solve(model, parameters)`` at every point.

    ``tasks``: settings -> point -> what is simulated. Faults: parameters that are wrong in the theory at
    all points.
    """

    def solve(change: Parameters, settings: Settings, workers: int = 1) -> dict[str, Solution]:
        from dmft.api import solve as solve_model

        return {
            label: solve_model(model, {**p, **change}, workers=workers)
            for label, p in points.items()
        }

    def measure(
        theory: Points, settings: Settings, seed: int, workers: int, journal: Journal, watch: Watch
    ) -> Measured:
        todo = tasks(settings)
        return {
            label: numbers_of_networks(model, solution, todo[label], seed, workers, journal)
            for label, solution in theory.items()
        }

    return Case(
        name=name,
        title=title,
        claim=claim,
        equation=equation,
        source=source,
        settings={"quick": quick, "full": full},
        predict=partial(solve, {}),
        measure=measure,
        judge=lambda theory, measured: judge(theory, networks_of(measured)),
        draw=lambda theory, measured: draw(theory, networks_of(measured)),
        faults={what: partial(solve, change) for what, change in faults.items()},
    )


def networks_of(measured: Measured) -> Numbers:
    """What a case's ``measure`` found, sorted by size."""
    return {
        label: {
            n: [m["numbers"] for m in found if m["n"] == n] for n in sorted({m["n"] for m in found})
        }
        for label, found in measured.items()
    }


def numbers_of_networks(
    model: str,
    theory: Declared,
    task: Task,
    seed: int,
    workers: int,
    journal: Journal,
) -> list[Any]:
    """Numbers of all networks at one point; those that ``journal`` holds are not computed again."""
    from dmft.codegen import compile_network

    right, p = compile_network(model), dict(theory.parameters)
    dt = choose_step(right, p, seed)
    ensemble = Ensemble(right, p, seed, dt, dtype=task.dtype)
    content = {
        "model": theory.model_hash,
        "parameters": p,
        "plan": repr(task.plan),
        "dtype": task.dtype,
        "dt": dt,
        "seed": seed,
        "versions": {k: v for k, v in versions().items() if k in ("dmft", "numpy")},
    }
    keys = {
        (n, r): key_of({**content, "n": n, "realization": r})
        for n, count in task.counts.items()
        for r in range(count)
    }
    # Largest first, so that no worker is left with a long one at the end.
    left = [at for at in sorted(keys, reverse=True) if keys[at] not in journal]
    one = partial(_one_network, task.estimate, ensemble, task.plan)
    for found in run_tasks(one, left, workers):
        journal.put(keys[found["n"], found["realization"]], found)
    return [journal[keys[at]] for at in sorted(keys)]


def _one_network(
    estimate: Estimator, ensemble: Ensemble, plan: Any, n: int, realization: int
) -> dict[str, Any]:
    numbers = dict(estimate(ensemble, plan, n, realization))
    return {"n": n, "realization": realization, "numbers": numbers}


def row(
    quantity: str, theory: float | None, seen: Estimate, allowed: float, objection: str = ""
) -> Row:
    """A two-sided test of a number with an error of at most ``allowed``."""
    known = float("nan") if theory is None else float(theory)
    numbers = (seen.mean, seen.standard_error, seen.dof, allowed)
    return Row(quantity, known, 0.0, *numbers, judged=True, objection=objection)


def sign_row(quantity: str, theory: float, seen: Estimate, above: bool) -> Row:
    """The claim that a number lies above ``theory``, or below it."""
    numbers = (seen.mean, seen.standard_error, seen.dof, float("inf"))
    return Row(quantity, theory, 0.0, *numbers, judged=True, sign=1 if above else -1)
