"""Watching one network: every sample goes to all observers at once, and none keeps the past."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np

from .ensemble import Ensemble, check_finite, network_now, settle
from .integrate import Trajectory
from .network import Array, FiniteNetwork

#: What one sample consists of: field or nonlinearity -> ``(batch, N)``.
Signals = Mapping[str, Array]


class Observer(Protocol):
    """Takes samples, in equal steps of time; keeps sums whose size does not depend on their number."""

    def add(self, signals: Signals) -> None:
        """Take the next sample; its arrays are not changed afterwards by anyone."""

    def result(self) -> Any:
        """The statistics so far, of this one network."""


@dataclass(frozen=True, slots=True)
class ObservationPlan:
    """One run: ``batch`` starts, ``transient`` discarded, ``samples`` taken ``spacing`` apart.

    Times in leak time constants; ``spacing`` is rounded to whole steps of the integration.
    """

    batch: int = 8
    transient: float = 100.0
    spacing: float = 0.5
    samples: int = 400


def signals(network: FiniteNetwork, x: list[Array]) -> Signals:
    """Fields and declared nonlinearities at the states ``x``."""
    found: dict[str, Array] = dict(zip(network.right.info.fields, x, strict=True))
    observables = getattr(network.right, "observables", None)
    if observables is not None:
        for name, values in observables(x, network.parameters).items():
            found[name] = np.broadcast_to(values, x[0].shape)
    return found


def observe(run: Trajectory, samples: int, steps: int, observers: Mapping[str, Observer]) -> None:
    """Feed ``samples`` samples, ``steps`` integration steps apart, to all observers."""
    for _ in range(samples):
        run.advance(steps)
        sample = signals(network_now(run), run.x)
        for observer in observers.values():
            observer.add(sample)
    check_finite(run)


def observe_network(
    ensemble: Ensemble,
    plan: ObservationPlan,
    observers: Callable[[], Mapping[str, Observer]],
    n: int,
    realization: int,
) -> dict[str, Any]:
    """Run network number ``realization`` of ``n`` units; name -> what that observer found.

    ``observers`` makes fresh ones for every network.
    """
    run = ensemble.begin(n, realization, batch=plan.batch)
    settle(run, plan.transient)
    made = observers()
    observe(run, plan.samples, max(1, round(plan.spacing / run.dt)), made)
    return {name: observer.result() for name, observer in made.items()}
