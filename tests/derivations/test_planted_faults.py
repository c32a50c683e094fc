"""A sign or factor planted in a stage is caught by the check of the stage that follows it."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
import sympy as sp
from stage_checks import (
    Stages,
    check_currents,
    check_disorder,
    check_edge,
    check_lyapunov,
    check_process,
    check_statics,
    check_stationary,
    derive,
)

from dmft.derivations import disorder
from dmft.derivations.action import action
from dmft.derivations.edge import jacobian_edge
from dmft.derivations.model import Model, Parameter
from dmft.derivations.models import get

RHO, BACK, MEAN, SPREAD = (
    Parameter("rho", "correlation of matrices"),
    Parameter("back", "reciprocity"),
    Parameter("m", "mean"),
    Parameter("v", "variance", positive=True),
)


def special() -> Model:
    """Correlated matrices, one with a mean and a reciprocity: all that couplings can have."""
    model = get("gated")
    first, second, third = model.couplings
    return replace(
        model,
        parameters=(*model.parameters, RHO, BACK, MEAN, SPREAD),
        couplings=(
            replace(first, mean=MEAN.symbol, variance=SPREAD.symbol, reciprocity=BACK.symbol),
            second,
            replace(third, variance=SPREAD.symbol**2),
        ),
        correlations={("xi_z", "xi_r"): RHO.symbol},
    )


@pytest.fixture(scope="module")
def gated() -> Stages:
    return derive(get("gated"))


def flipped(matrix: sp.Matrix, *entries: tuple[int, int], factor: int = -1) -> sp.Matrix:
    result = matrix.copy()
    for i, j in entries:
        result[i, j] *= factor
    return result


# action -> average over the couplings


@pytest.mark.parametrize("fault", ["none", "variance", "correlation", "reciprocity", "mean"])
def test_a_fault_in_the_action_is_caught_after_the_average(
    fault: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    size = 3
    entries = {
        "none": [],
        "variance": [(0, 0), (size, size)],
        "correlation": [(1, 2), (2, 1), (1 + size, 2 + size), (2 + size, 1 + size)],
        "reciprocity": [(0, size), (size, 0)],
        "mean": [],
    }[fault]

    def spoilt(model: Model) -> Any:
        right = action(model)
        statistics = right.entries
        covariance = flipped(
            statistics.covariance, *entries, factor=2 if fault == "variance" else -1
        )
        mean = -statistics.mean if fault == "mean" else statistics.mean
        return replace(right, entries=replace(statistics, covariance=covariance, mean=mean))

    monkeypatch.setattr(disorder, "action", spoilt)
    average = disorder.disorder_average(special())
    if fault == "none":
        check_disorder(special(), average)
    else:
        with pytest.raises(AssertionError):
            check_disorder(special(), average)


# average over the couplings -> currents of the single-site process

AVERAGE: dict[str, Callable[[Any], Any]] = {
    "variance halved": lambda a: replace(a, covariance=a.covariance / 2),
    "variance negative": lambda a: replace(a, covariance=flipped(a.covariance, (0, 0))),
    "correlation": lambda a: replace(a, covariance=flipped(a.covariance, (1, 2), (2, 1))),
    "mean": lambda a: replace(a, mean=tuple(-m for m in a.mean)),
    "response": lambda a: replace(a, response=tuple(-r for r in a.response)),
}


def test_the_currents_are_right() -> None:
    check_currents(special(), disorder.disorder_average(special()))


@pytest.mark.parametrize("fault", AVERAGE)
def test_a_fault_in_the_average_is_caught_in_the_currents(fault: str) -> None:
    average = AVERAGE[fault](disorder.disorder_average(special()))
    with pytest.raises(AssertionError):
        check_currents(special(), average)


# single-site process -> statics and stationary equations -> Lyapunov operator -> Jacobian edge


def spoil(stages: Stages, stage: str, **changes: Any) -> Stages:
    return replace(stages, **{stage: replace(getattr(stages, stage), **changes)})


def doubled(outputs: Any) -> Any:
    first, *others = outputs
    return (replace(first, coefficient=2 * first.coefficient), *others)


def short(outputs: Any) -> Any:
    """The first output without its last factor."""
    first, *others = outputs
    return (replace(first, factors=first.factors[:-1]), *others)


def refit_edge(stages: Stages, **changes: Any) -> Stages:
    spoilt = spoil(stages, "linearisation", **changes)
    edge = jacobian_edge(spoilt.linearisation, stages.average.currents)
    return replace(spoilt, edge=edge)


FAULTS: dict[str, tuple[Callable[[Stages], Stages], Callable[[Stages], None]]] = {
    "process: leak": (
        lambda t: spoil(t, "process", drift_matrix=flipped(t.process.drift_matrix, (0, 0))),
        check_statics,
    ),
    "process: push": (
        lambda t: spoil(t, "process", input_matrix=flipped(t.process.input_matrix, (2, 2))),
        check_statics,
    ),
    "process: time constant": (
        lambda t: spoil(t, "process", drift_matrix=flipped(t.process.drift_matrix, (1, 1), factor=2)),
        check_stationary,
    ),
    "process: leak, stationary": (
        lambda t: spoil(t, "process", drift_matrix=flipped(t.process.drift_matrix, (0, 0))),
        check_stationary,
    ),
    "statics: response": (
        lambda t: spoil(t, "statics", response=2 * t.statics.response),
        check_stationary,
    ),
    "statics: weight": (
        lambda t: spoil(t, "statics", weights=tuple(-w for w in t.statics.weights)),
        check_stationary,
    ),
    "statics: factor lost": (
        lambda t: spoil(t, "statics", outputs=short(t.statics.outputs)),
        check_stationary,
    ),
    "stationary: leak": (
        lambda t: spoil(
            t, "stationary", drift_matrix=flipped(t.stationary.drift_matrix, (0, 0), factor=2)
        ),
        check_lyapunov,
    ),
    "stationary: push": (
        lambda t: spoil(t, "stationary", input_matrix=2 * t.stationary.input_matrix),
        check_lyapunov,
    ),
    "stationary: weight": (
        lambda t: spoil(t, "stationary", weights=tuple(-w for w in t.stationary.weights)),
        check_lyapunov,
    ),
    "stationary: output doubled": (
        lambda t: spoil(t, "stationary", outputs=doubled(t.stationary.outputs)),
        check_lyapunov,
    ),
    "stationary: factor lost": (
        lambda t: spoil(t, "stationary", outputs=short(t.stationary.outputs)),
        check_lyapunov,
    ),
    "replicas: propagator": (
        lambda t: spoil(t, "replicas", generator=-t.replicas.generator),
        check_edge,
    ),
    "replicas: push": (
        lambda t: spoil(t, "replicas", input_matrix=-t.replicas.input_matrix),
        check_edge,
    ),
    "replicas: slope of the leak": (
        lambda t: spoil(t, "replicas", drift_slopes=tuple(-m for m in t.replicas.drift_slopes)),
        check_edge,
    ),
    "replicas: slope of the push": (
        lambda t: spoil(t, "replicas", input_slopes=tuple(-m for m in t.replicas.input_slopes)),
        check_edge,
    ),
    "replicas: filter": (
        lambda t: spoil(t, "replicas", transfer=-t.replicas.transfer),
        check_edge,
    ),
    "linearisation: gate": (
        lambda t: refit_edge(
            t, drift_by_field=flipped(t.linearisation.drift_by_field, (0, 1))
        ),
        check_edge,
    ),
    "linearisation: output": (
        lambda t: refit_edge(
            t, output_by_field=flipped(t.linearisation.output_by_field, (0, 2))
        ),
        check_edge,
    ),
    "edge: chain": (
        lambda t: spoil(t, "edge", chain=flipped(t.edge.chain, (0, 1))),
        check_edge,
    ),
    "edge: weight": (
        lambda t: spoil(t, "edge", weights=tuple(2 * w for w in t.edge.weights)),
        check_edge,
    ),
}  # fmt: skip


@pytest.mark.parametrize(
    "check",
    [check_process, check_statics, check_stationary, check_lyapunov, check_edge],
    ids=lambda c: c.__name__,
)
def test_every_check_passes_on_what_was_derived(
    check: Callable[[Stages], None], gated: Stages
) -> None:
    check(gated)


@pytest.mark.parametrize("fault", FAULTS)
def test_a_fault_is_caught_by_the_check_of_the_next_stage(fault: str, gated: Stages) -> None:
    plant, check = FAULTS[fault]
    with pytest.raises(AssertionError):
        check(plant(gated))
