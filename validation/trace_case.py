"""Cases that follow what is left of a state, C(t, s) = <x(t) x(s)>, under parameters that change in time."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np

from dmft.protocol import Change, Protocol

from .case import Case, Measured, Panel, Series, Settings
from .compare import LEVEL, Estimate, Row, extrapolate, over_networks
from .ensemble import Ensemble, check_finite
from .ensemble_case import Numbers, Task, networks_of, numbers_of_networks
from .journal import Journal
from .start import Start
from .watch import Watch

if TYPE_CHECKING:
    from dmft.results.transient import Transient

__all__ = ["Condition", "Told", "TracePlan", "Traces", "network_trace", "trace_case"]


@dataclass(frozen=True, slots=True)
class Condition:
    """Parameters at time 0, what changes afterwards, and field -> variance of its Gaussian start."""

    parameters: Mapping[str, float]
    changes: tuple[Change, ...] = ()
    start: tuple[tuple[str, float], ...] = ()


@dataclass(frozen=True, slots=True)
class TracePlan:
    """One condition in networks with ``batch`` starts each: C(t, s) at s = times[0] and at ``times``."""

    condition: Condition
    field: str
    times: tuple[float, ...]
    batch: int


@dataclass(frozen=True, slots=True)
class Told:
    """What the theory says of a number, with its error."""

    value: float
    error: float

    def over(self, other: Told) -> Told:
        """The ratio; errors as if independent, NaN where the divisor is 0."""
        if other.value == 0:
            return Told(float("nan"), float("nan"))
        value = self.value / other.value
        return Told(value, float(np.hypot(self.error, value * other.error) / abs(other.value)))


@dataclass(frozen=True, slots=True)
class Traces:
    """Theory and networks of all conditions: what is judged and drawn.

    ``times``: of the networks, the first is that of the state whose trace is followed.
    """

    field: str
    times: tuple[float, ...]
    theory: Mapping[str, Transient]
    numbers: Numbers

    def told(self, label: str, time: float) -> Told:
        """C(time, s) of the theory; NaN where it gave no moments."""
        if not self.theory[label].time.size:
            return Told(float("nan"), float("nan"))
        t, trace, error = self.theory[label].trace(self.field, self.times[0])
        return Told(float(np.interp(time, t, trace)), float(np.interp(time, t, error)))

    def seen(self, label: str, time: float) -> dict[int, np.ndarray]:
        """C(time, s), size -> one value per network."""
        place = self.times.index(time)
        sizes = self.numbers[label]
        return {n: np.array([m["trace"][place] for m in some]) for n, some in sizes.items()}

    def told_share(self, label: str, time: float) -> Told:
        """C(time, s) / C(s, s) of the theory."""
        return self.told(label, time).over(self.told(label, self.times[0]))

    def seen_share(self, label: str, time: float) -> dict[int, np.ndarray]:
        """C(time, s) / C(s, s) in every network."""
        first = self.seen(label, self.times[0])
        return {n: values / first[n] for n, values in self.seen(label, time).items()}

    def share_at_largest(self, label: str, time: float) -> Estimate:
        """The share kept, mean over the networks of the largest size."""
        shares = self.seen_share(label, time)
        return over_networks(shares[max(shares)])

    def row(
        self,
        label: str,
        quantity: str,
        told: Told,
        seen: Mapping[int, np.ndarray],
        allowed: float,
    ) -> Row:
        """Two-sided: the theory with its error against the networks at N = infinity."""
        fit = extrapolate(seen)
        objection = "" if self.theory[label].status == "converged" else self.theory[label].message
        if fit.straightness < LEVEL:
            objection = f"{quantity} does not lie on a straight line in 1/N"
        numbers = (told.value, told.error, fit.limit.mean, fit.limit.standard_error, fit.limit.dof)
        name = f"{label}: {quantity} (N = inf)"
        return Row(name, *numbers, allowed_error=allowed, judged=True, objection=objection)

    def amplitude_row(self, label: str, quantity: str, widest: float) -> Row:
        """C(s, s), with an error of at most ``widest`` of what is seen."""
        since = self.times[0]
        seen = self.seen(label, since)
        allowed = widest * abs(extrapolate(seen).limit.mean)
        return self.row(label, quantity, self.told(label, since), seen, allowed)

    def panel(self, xlabel: str, ylabel: str) -> Panel:
        """Shares over time since the state: theory as lines, networks of the largest size as points."""
        series = []
        for label in self.theory:
            fine = np.linspace(self.times[0], self.times[-1], 120)
            line = [self.told_share(label, t).value for t in fine]
            series.append(Series(label, (fine - self.times[0]).tolist(), line))
            seen = [self.share_at_largest(label, t) for t in self.times[1:]]
            series.append(
                Series(
                    f"{label}, networks",
                    [t - self.times[0] for t in self.times[1:]],
                    [e.mean for e in seen],
                    [e.standard_error for e in seen],
                    points=True,
                )
            )
        return Panel(xlabel, ylabel, tuple(series))


def network_trace(
    ensemble: Ensemble, plan: TracePlan, n: int, realization: int
) -> Mapping[str, Any]:
    r"""C(t, s) = mean over starts and units of x_i(t) x_i(s), s the first of the plan's times."""
    condition = plan.condition
    run = replace(
        ensemble,
        protocol=Protocol(ensemble.parameters, condition.changes),
        starts=Start({field: float(np.sqrt(variance)) for field, variance in condition.start}),
    ).begin(n, realization, batch=plan.batch)
    place = run.network.right.info.fields.index(plan.field)
    states = []
    for time in plan.times:
        run.advance(round((time - run.time) / run.dt))
        check_finite(run)
        states.append(run.x[place].astype(np.float64))
    return {"trace": [float(np.mean(x * states[0])) for x in states]}


def trace_case(
    *,
    name: str,
    title: str,
    claim: str,
    equation: str,
    source: str,
    model: str,
    field: str,
    times: tuple[float, ...],
    until: float,
    conditions: Mapping[str, Condition],
    judge: Callable[[Traces], Sequence[Row]],
    draw: Callable[[Traces], tuple[Panel, ...]],
    quick: Settings,
    full: Settings,
    faults: Mapping[str, Callable[[Mapping[str, Condition]], Mapping[str, Condition]]],
) -> Case:
    """A case whose theory is ``dmft.transient`` under every condition.

    Settings: ``n`` and ``realizations`` of the largest networks, as many of n/2 and twice as many of n/4,
    ``starts`` of every network; ``precision``, ``paths``, ``populations`` of the theory. Faults:
    conditions -> the wrong ones of the theory.
    """
    solved: dict[str, Transient] = {}

    def solve(condition: Condition, settings: Settings, workers: int) -> Transient:
        from dmft.run_transient import transient

        options = {key: settings[key] for key in ("precision", "paths", "populations")}
        key = repr((condition, options))
        # Faults share conditions with one another and with the theory.
        if key not in solved:
            solved[key] = transient(
                model,
                condition.parameters,
                until=until,
                start=dict(condition.start),
                changes=condition.changes,
                workers=workers,
                **options,
            )
        return solved[key]

    def predict(
        wrong: Callable[[Mapping[str, Condition]], Mapping[str, Condition]] | None,
        settings: Settings,
        workers: int = 1,
    ) -> dict[str, Transient]:
        used = conditions if wrong is None else wrong(conditions)
        return {label: solve(condition, settings, workers) for label, condition in used.items()}

    def measure(
        theory: Mapping[str, Transient],
        settings: Settings,
        seed: int,
        workers: int,
        journal: Journal,
        watch: Watch,
    ) -> Measured:
        n, count = settings["n"], settings["realizations"]
        counts = {n: count, n // 2: count, n // 4: 2 * count}
        found = {}
        for label, condition in conditions.items():
            plan = TracePlan(condition, field, times, settings["starts"])
            task = Task(counts, network_trace, plan)
            found[label] = numbers_of_networks(model, theory[label], task, seed, workers, journal)
        return found

    def traces(theory: Mapping[str, Transient], measured: Measured) -> Traces:
        return Traces(field, times, theory, networks_of(measured))

    return Case(
        name=name,
        title=title,
        claim=claim,
        equation=equation,
        source=source,
        settings={"quick": quick, "full": full},
        predict=partial(predict, None),
        measure=measure,
        judge=lambda theory, measured: judge(traces(theory, measured)),
        draw=lambda theory, measured: draw(traces(theory, measured)),
        faults={what: partial(predict, wrong) for what, wrong in faults.items()},
    )
