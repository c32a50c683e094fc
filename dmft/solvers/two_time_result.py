"""A transient with its error bars, put together from what populations contribute."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType

import numpy as np
from numpy.typing import NDArray

from .status import Status
from .two_time_grid import TimeGrid
from .two_time_stages import Contribution, Task

__all__ = ["TransientSolution", "assembled", "without_answer"]

Floats = NDArray[np.float64]
Table = Mapping[str, Floats]


@dataclass(frozen=True, eq=False)
class TransientSolution:
    """Order parameters on a time grid; arrays are read-only.

    ``times`` (n,): where a parameter jumps the moment stands twice. ``moments``: field or nonlinearity ->
    <x(t) x(t')>, (n, n), not centred; ``means`` -> <x(t)>, (n,); ``kurtosis``: field -> <x^4>/<x^2>^2,
    (n,), not centred either. ``standard_error`` and ``error`` are those of ``moments``: from sampling alone,
    and with step and bias; ``mean_error`` that of ``means``, with all parts. ``errors``: largest error of
    C(t, t) over max C(t, t), worst field, by cause: "sampling", "step", "bias", "total"; None if unknown.
    ``populations`` that contributed, of ``paths`` each.
    """

    status: Status
    message: str
    times: Floats
    moments: Table
    means: Table
    kurtosis: Table
    standard_error: Table
    error: Table
    mean_error: Table
    errors: Mapping[str, float | None]
    paths: int
    populations: int
    seed: int
    inputs: str

    def __post_init__(self) -> None:
        def put(name: str, value: object) -> None:
            object.__setattr__(self, name, value)

        put("times", _frozen(self.times))
        for name in ("moments", "means", "kurtosis", "standard_error", "error", "mean_error"):
            table = {k: _frozen(v) for k, v in getattr(self, name).items()}
            put(name, MappingProxyType(table))
        put("errors", MappingProxyType(dict(self.errors)))

    def variance(self, name: str) -> Floats:
        """C(t, t), the second moment at equal times."""
        return np.diagonal(self.moments[name])


def _frozen(values: Floats) -> Floats:
    array = np.array(values, dtype=np.float64)
    array.flags.writeable = False
    return array


def assembled(
    task: Task,
    found: Sequence[Contribution],
    count: int,
    precision: float,
    inputs: str,
    stopped: str,
    is_kept: bool,
) -> TransientSolution:
    """The mean of all finished populations; ``stopped`` says why some are not, if they are not."""
    whole = [c for c in found if c.has_solution]
    later = "; call again with equal arguments to go on" if is_kept else ""
    if not whole:
        return _started(task, found, inputs, f"{stopped}{later}")
    fine = [c.tables["fine"] for c in whole]
    result = {name: np.mean([t[name] for t in fine], axis=0) for name in fine[0]}
    scatter = {
        name: np.std([t[name] for t in fine], axis=0, ddof=1) / np.sqrt(len(fine))
        if len(fine) > 1
        else np.zeros_like(values)
        for name, values in result.items()
    }
    step = _difference(task.grid, whole, ("coarse",), "fine", 1 / 3)
    bias = _difference(task.grid, whole, ("half-0", "half-1"), "coarse", 1.0)
    fields = task.theory.info.fields
    errors = {
        cause: _largest(fields, result, part)
        for cause, part in (("sampling", scatter), ("step", step), ("bias", bias))
    }
    if task.sampled and len(fine) < 2:
        errors["sampling"] = None
    if not task.sampled:
        errors["bias"] = 0.0
    known = [e for e in errors.values() if e is not None]
    errors["total"] = float(np.sqrt(np.sum(np.square(known)))) if len(known) == 3 else None
    status, message = _verdict(errors, precision, len(whole), count)
    finished = sum(c.is_complete for c in found)
    if finished < count:
        status = Status.INTERRUPTED
        message = f"{stopped}: {finished} of {count} populations are finished{later}"
    parts = (scatter, step or {}, bias or {})
    total = {
        name: np.sqrt(sum(np.square(p[name]) for p in parts if p))
        for name in result
        if not name.startswith("fourth/")
    }
    return TransientSolution(
        status=status,
        message=message,
        times=task.grid.times,
        moments=_own(result, "moments"),
        means=_own(result, "means"),
        kurtosis=_kurtosis(result, fields),
        standard_error=_own(scatter, "moments"),
        error=_own(total, "moments"),
        mean_error=_own(total, "means"),
        errors=errors,
        paths=task.paths,
        populations=len(whole),
        seed=task.seed,
        inputs=inputs,
    )


def _own(table: Table, kind: str) -> dict[str, Floats]:
    start = f"{kind}/"
    return {k.removeprefix(start): v for k, v in table.items() if k.startswith(start)}


def _difference(
    grid: TimeGrid, whole: Sequence[Contribution], less: tuple[str, ...], more: str, share: float
) -> dict[str, Floats] | None:
    """Mean of the stages ``less`` minus the stage ``more``, on the coarse grid, spread to the fine one."""
    both = [c.tables for c in whole if all(stage in c.tables for stage in (*less, more))]
    if not both:
        return None
    kept = grid.coarse()
    places = np.interp(np.arange(len(grid)), kept, np.arange(len(kept)))
    spread = {}
    for name in both[0][more]:
        apart = np.zeros((len(kept),) * both[0][less[0]][name].ndim)
        for tables in both:
            reference = tables[more][name]
            if more == "fine":
                reference = reference[np.ix_(*(kept,) * reference.ndim)]
            apart += np.mean([tables[stage][name] for stage in less], axis=0) - reference
        spread[name] = _between(abs(apart) * share / len(both), places)
    return spread


def _between(values: Floats, places: Floats) -> Floats:
    """Linear interpolation at fractional indices, along every axis."""
    low = np.minimum(places.astype(int), max(len(values) - 2, 0))
    high = np.minimum(low + 1, len(values) - 1)
    part = places - low
    for axis in range(values.ndim):
        shape = [1] * values.ndim
        shape[axis] = len(places)
        weight = part.reshape(shape)
        values = (1 - weight) * values.take(low, axis) + weight * values.take(high, axis)
    return values


def _largest(fields: Sequence[str], result: Table, part: Table | None) -> float | None:
    """Error of C(t, t) over max C(t, t), the worst time and field; None if unknown."""
    if part is None:
        return None
    worst = 0.0
    for name in fields:
        size = np.max(np.diagonal(result[f"moments/{name}"]))
        if size > 0:
            worst = max(worst, float(np.max(np.diagonal(part[f"moments/{name}"])) / size))
    return worst


def _kurtosis(result: Table, fields: Sequence[str]) -> dict[str, Floats]:
    """<x^4> / <x^2>^2, 3 for a Gaussian field without a mean; NaN where <x^2> = 0."""
    found = {}
    for name in fields:
        square = np.diagonal(result[f"moments/{name}"])
        with np.errstate(divide="ignore", invalid="ignore"):
            found[name] = np.where(square > 0, result[f"fourth/{name}"] / square**2, np.nan)
    return found


def _verdict(
    errors: Mapping[str, float | None], precision: float, whole: int, count: int
) -> tuple[Status, str]:
    total = errors["total"]
    if total is None:
        return (
            Status.NOT_CONVERGED,
            f"errors are not known: {whole} of {count} populations finished",
        )
    if not np.isfinite(total):
        return Status.NOT_CONVERGED, "the solution left the range of floating-point numbers"
    if total <= precision:
        return Status.CONVERGED, ""
    remedies = {
        "sampling": "more populations",
        "step": "a finer grid",
        "bias": "more paths a population",
    }
    cause = max(remedies, key=lambda name: errors[name] or 0.0)
    return (
        Status.NOT_CONVERGED,
        f"error {total:.1e} of C(t,t) exceeds the precision {precision:g}, most of it from {cause} "
        f"({errors[cause]:.1e}); try {remedies[cause]}",
    )


def _started(
    task: Task, found: Sequence[Contribution], inputs: str, reason: str
) -> TransientSolution:
    """As far as the first population came, without an error bar."""
    if not found or "partial" not in found[0].tables:
        return without_answer(Status.INTERRUPTED, reason, task.seed, inputs)
    result, reached = found[0].tables["partial"], found[0].reached
    nothing = {name: np.full_like(v, np.nan) for name, v in result.items()}
    return TransientSolution(
        status=Status.INTERRUPTED,
        message=f"{reason}; one population came to t = {task.grid.times[reached - 1]:g}",
        times=task.grid.times[:reached],
        moments=_own(result, "moments"),
        means=_own(result, "means"),
        kurtosis=_kurtosis(result, task.theory.info.fields),
        standard_error=_own(nothing, "moments"),
        error=_own(nothing, "moments"),
        mean_error=_own(nothing, "means"),
        errors=dict.fromkeys(("sampling", "step", "bias", "total")),
        paths=task.paths,
        populations=0,
        seed=task.seed,
        inputs=inputs,
    )


def without_answer(status: Status, message: str, seed: int, inputs: str = "") -> TransientSolution:
    """A status and its reason, no numbers."""
    return TransientSolution(
        status=status,
        message=message,
        times=np.empty(0),
        moments={},
        means={},
        kurtosis={},
        standard_error={},
        error={},
        mean_error={},
        errors=dict.fromkeys(("sampling", "step", "bias", "total")),
        paths=0,
        populations=0,
        seed=seed,
        inputs=inputs,
    )
