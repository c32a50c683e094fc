"""A transient from Python: derive -> compile -> solve in two times; assembles, computes nothing."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from .errors import InputError, quoted
from .parameters import check_parameters, find_model, merge_parameters

if TYPE_CHECKING:
    from .codegen.source import ModelSource
    from .protocol import Change
    from .results.transient import Transient
    from .solvers.two_time_start import FieldStart

__all__ = ["transient"]

#: What a whole number may be at most: nothing sensible is above.
_LARGEST = 10**9


def transient(
    model: ModelSource,
    parameters: Mapping[str, float] | None = None,
    /,
    *,
    until: float | None = None,
    times: Sequence[float] | None = None,
    start: Mapping[str, FieldStart | float] | None = None,
    changes: Sequence[Change] = (),
    precision: float = 0.02,
    paths: int = 1024,
    populations: int = 8,
    seed: int = 0,
    workers: int = 1,
    memory: float = 2e9,
    time_limit: float | None = None,
    checkpoint: str | Path | None = None,
    progress: Callable[[float], None] | None = None,
    **more_parameters: float,
) -> Transient:
    r"""Solve the two-time mean-field equations from a given start, with parameters that may change.

    Moments <x(t) x(t')>, means and kurtosis of every field, exact for moving update gates: given the
    path of its gate a field is Gaussian, and only those paths are sampled (method of populations:
    Roy, Biroli, Bunin & Cammarota 2019). Times are in units of the leak.

    Parameters
    ----------
    model
        A name from `dmft.models`, the path of a TOML file, or a `dmft.Model`.
    parameters, **more_parameters
        Values at time 0 by name; each once.
    until, times
        The last time, for a grid fitted to ``precision``; or the grid itself, from 0. One of them.
    start
        Field -> variance of a Gaussian start around 0, or a `dmft.FieldStart`; others start at 0.
        Fields start independently of one another and of the couplings.
    changes
        `dmft.Step`, `dmft.Ramp` and `dmft.Pulse` of parameters.
    precision
        Wished largest error of C(t, t) over max C(t, t); between 1e-5 and 0.5.
    paths, populations
        Sampled paths a population, a multiple of 4, and populations, at least 2: used only where a
        gate moves. The sampling error falls with the root of their product.
    seed, workers
        The same seed gives the same digits for any number of processes.
    memory
        Bytes allowed.
    time_limit, checkpoint
        Seconds after which it stops, as at Ctrl-C, with status ``interrupted``; and a folder for its
        work, from which a call with equal arguments goes on.
    progress
        Called with the share of the work that is done.

    Returns
    -------
    Transient
        Check ``status``: ``converged`` when the error is below ``precision``. Otherwise the numbers
        that there are still come with their errors, NaN where unknown.

    Raises
    ------
    InputError
        Bad names or values; `NotCoveredError` for a theory that is not covered.

    Examples
    --------
    >>> import dmft
    >>> found = dmft.transient(
    ...     "vanilla", g=0.5, until=6, start={"x": 1.0}, changes=[dmft.Pulse("input_x", 2, 4, 1.0)]
    ... )
    >>> found.time[-1], found.status
    (np.float64(6.0), <Status.CONVERGED: 'converged'>)
    """
    from .codegen import resolve
    from .codegen.two_time import two_time_theory
    from .protocol import Protocol, Pulse, Ramp, Step

    began = time.perf_counter()
    declared = resolve(model)
    info = find_model(declared)
    values = check_parameters(info, merge_parameters(parameters, more_parameters))
    for change in changes:
        if not isinstance(change, Step | Ramp | Pulse):
            raise InputError(
                f"changes: {quoted(change)} is not allowed; give dmft.Step, dmft.Ramp or dmft.Pulse"
            )
    protocol = Protocol(values, tuple(changes)).complete(info)
    until = None if until is None else _number("until", until, 0.0, 1e9)
    precision = _number("precision", precision, 1e-5, 0.5)
    time_limit = None if time_limit is None else _number("time_limit", time_limit, 0.0, 1e9)
    paths = _whole("paths", paths, 4)
    populations = _whole("populations", populations, 2)
    seed, workers = _whole("seed", seed, 0), _whole("workers", workers, 1)
    _check_reached(protocol.breakpoints, until if times is None else max(times, default=0.0))

    from .results.provenance import versions
    from .results.transient import Transient
    from .solvers.two_time_solution import solve_transient
    from .solvers.two_time_start import field_starts

    starts = field_starts(info.fields, start)
    found = solve_transient(
        two_time_theory(declared),
        protocol,
        start=dict(zip(info.fields, starts, strict=True)),
        until=until,
        times=None if times is None else list(times),
        paths=paths,
        populations=populations,
        precision=precision,
        seed=seed,
        workers=workers,
        memory=memory,
        time_limit=time_limit,
        checkpoint=checkpoint,
        progress=progress,
    )
    return Transient(
        model=info.name,
        parameters=values,
        changes=protocol.changes,
        start=dict(zip(info.fields, starts, strict=True)),
        status=found.status,
        message=found.message,
        time=found.times,
        moment=dict(found.moments),
        standard_error=dict(found.standard_error),
        error=dict(found.error),
        mean=dict(found.means),
        mean_error=dict(found.mean_error),
        kurtosis=dict(found.kurtosis),
        error_estimate=dict(found.errors),
        paths=found.paths,
        populations=found.populations,
        precision=precision,
        seed=seed,
        versions=versions(),
        seconds=time.perf_counter() - began,
        command=None,
        model_hash=info.hash,
    )


def _check_reached(breakpoints: Sequence[float], last: float | None) -> None:
    """A change that begins after the end is nearly always a slip."""
    if last is not None and breakpoints and breakpoints[-1] > last:
        raise InputError(
            f"a change goes on until t = {breakpoints[-1]:g} but the computation ends at t = {last:g}; "
            "give a later end"
        )


def _number(name: str, given: object, low: float, high: float) -> float:
    try:
        value = float(given)  # type: ignore[arg-type]
    except (TypeError, ValueError):
        value = float("nan")
    if isinstance(given, bool) or not low <= value <= high:
        raise InputError(
            f"{name}: {quoted(given)} is not allowed; give a number from {low:g} to {high:g}"
        )
    return value


def _whole(name: str, given: object, low: int) -> int:
    if isinstance(given, bool) or not isinstance(given, int) or not low <= given <= _LARGEST:
        raise InputError(f"{name}: {quoted(given)} is not allowed; give a whole number >= {low}")
    return given
