"""A request for a boundary, checked and cut into curves; the answer as one `BoundaryCurve`.

One swept parameter is followed (the one given without a number of points, else the one with the most
values); a curve is located for every combination of the others.
"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import replace
from itertools import product
from typing import TYPE_CHECKING, Any

import numpy as np

from .codegen.gate import binary_limit
from .errors import InputError, NotCoveredError
from .parameters import Sweep, check_swept
from .results.curve import BoundaryCurve
from .results.provenance import versions
from .solvers.boundaries import BOUNDARIES, Boundary, BoundaryPoint, Located, Mark, Request

if TYPE_CHECKING:
    from .codegen.info import ModelInfo
    from .codegen.theory import CompiledTheory

__all__ = ["locate_boundary"]


def locate_boundary(
    theory: CompiledTheory,
    name: str,
    given: Mapping[str, Any],
    solve_for: str | None,
    tol: float,
    digits: int | None = None,
) -> BoundaryCurve:
    """Locate a boundary of `BOUNDARIES` for parameters as the user gave them.

    With ``digits`` every point is also certified to so many.
    """
    started = time.perf_counter()
    boundary = BOUNDARIES[name]
    if boundary.binary:
        theory = _binary(theory, name, given, solve_for)
    info = theory.info
    line = _line(info, name, boundary, given)
    solve_for = solve_for or _default_unknown(theory, name, boundary, line, given)
    if line == solve_for:
        raise InputError(
            f"{name}: {line} is what keeps the point on the line where rest loses stability; "
            "solve for another parameter"
        )
    # a second unknown needs no value, like the first
    placeholder = {line: 1.0} if line else {}
    fixed, swept = check_swept(info, {**given, **placeholder}, solve_for=solve_for)
    fixed.pop(line, None)
    adaptive = [k for k in swept if isinstance(given[k], Sweep) and given[k].num is None]
    if len(adaptive) > 1:
        raise InputError(
            f"{adaptive[0]} and {adaptive[1]} are both given without a number of points; a curve is "
            "followed in one parameter"
        )
    _check_meaning(theory, name, boundary, fixed, swept, (solve_for, line))
    if not boundary.means:
        _check_means(theory, name, fixed, swept, (solve_for, line))
    inner = adaptive[0] if adaptive else max(swept, key=lambda k: len(swept[k]), default="")
    outer = {k: v for k, v in swept.items() if k != inner}
    request = Request(theory, {}, solve_for, tol, inner, line=line)
    if adaptive:
        start, stop = swept[inner]
        request = replace(request, span=(min(start, stop), max(start, stop)))
    else:
        request = replace(request, values=swept.get(inner, ()))
    found = {}
    for values in product(*outer.values()):
        base = fixed | dict(zip(outer, values, strict=True))
        found[values] = boundary.locate(replace(request, base=base))
    rows = _in_order(found, swept, inner, bool(adaptive))
    table = np.array([[*at, point.value] for at, point in rows]).reshape(-1, len(swept) + 1)
    points = [point for _, point in rows]
    enclosures: list[str] = []
    message = _message(found, outer, inner, solve_for)
    if digits is not None:
        enclosures, failures = _certified(name, request, fixed, tuple(swept), rows, digits)
        message = "; ".join(part for part in (message, failures) if part)
    others = sorted({key for point in points for key in point.others} | ({line} if line else set()))
    return BoundaryCurve(
        model=info.name,
        boundary=name,
        solve_for=solve_for,
        sweep=tuple(swept),
        fixed=fixed,
        columns={key: table[:, i] for i, key in enumerate((*swept, solve_for))},
        error=np.array([point.error for point in points]),
        status=tuple(point.status for point in points),
        segment=np.array([point.segment for point in points], dtype=np.int64),
        versions=versions(),
        tolerance=tol,
        command=None,
        seconds=time.perf_counter() - started,
        model_hash=info.hash,
        message=message,
        point_kind=tuple(point.kind for point in points),
        others={
            key: np.array([point.others.get(key, np.nan) for point in points]) for key in others
        },
        enclosure=tuple(enclosures),
    )


def _binary(
    theory: CompiledTheory, name: str, given: Mapping[str, Any], solve_for: str | None
) -> CompiledTheory:
    """The limit of a binary gate, whose gain and bias are no parameters."""
    gate = theory.gate
    if gate.failure:
        raise InputError(f"{name} has no meaning for {theory.info.name}: {gate.failure}")
    for parameter in (gate.gain, gate.bias):
        if parameter in given or parameter == solve_for:
            raise InputError(
                f"{name} is for infinite {gate.gain}: {parameter} has no meaning there; give the "
                f"threshold {gate.threshold} = {gate.bias} / {gate.gain}"
            )
    return binary_limit(theory)


def _certified(
    name: str,
    request: Request,
    fixed: Mapping[str, float],
    swept: Sequence[str],
    rows: Sequence[tuple[tuple[float, ...], BoundaryPoint]],
    digits: int,
) -> tuple[list[str], str]:
    """An enclosure for every point, empty without a proof; and how many have none, and why."""
    from .certified.boundary import FAILURES, enclosure

    enclosures, reasons = [], []
    for values, point in rows:
        at = replace(request, base={**fixed, **dict(zip(swept, values, strict=True))})
        text = ""
        if point.found:
            try:
                text = enclosure(name, at, point, digits)
            except FAILURES as error:
                reasons.append(str(error))
        enclosures.append(text)
    if not reasons:
        return enclosures, ""
    return enclosures, f"{len(reasons)} points are not certified: {reasons[0]}"


def _line(info: ModelInfo, name: str, boundary: Boundary, given: Mapping[str, Any]) -> str:
    """The parameter that follows from lying on the line of rest: the first without a default."""
    if not boundary.on_line:
        return ""
    line = next((p.name for p in info.parameters if p.default is None), None)
    if line is None:
        line = next((p.name for p in info.parameters if p.positive), None)
    if line is None:
        raise InputError(
            f"{name}: {info.name} has no parameter that sets the strength of couplings"
        )
    if line in given:
        raise InputError(
            f"{name}: a tricritical point lies on the line where rest loses stability, which sets "
            f"{line}: leave {line} out"
        )
    return line


def _default_unknown(
    theory: CompiledTheory, name: str, boundary: Boundary, line: str, given: Mapping[str, Any]
) -> str:
    """The first parameter without a default; on the line of rest the first gain that matters."""
    info = theory.info
    if boundary.on_line:
        from .solvers.boundaries.tricritical import moving_parameters

        candidates = moving_parameters(theory, line)
        found = next((p for p in candidates if p not in given), None)
    else:
        found = next((p.name for p in info.parameters if p.default is None), None)
    if found is None:
        raise InputError(
            f"{info.name}, {name}: say with solve_for which parameter is unknown; "
            f"parameters: {', '.join(p.name for p in info.parameters)}"
        )
    return found


def _check_meaning(
    theory: CompiledTheory,
    name: str,
    boundary: Boundary,
    fixed: Mapping[str, float],
    swept: Mapping[str, Sequence[float]],
    unknown: Sequence[str],
) -> None:
    """Refuse where the boundary has no meaning, or the theory behind it is not built."""
    info = theory.info
    if theory.closure_failure and "gaussian" in boundary.stages:
        raise NotCoveredError(f"{info.name}, {name}: {theory.closure_failure}")
    for stage in boundary.stages:
        if stage not in theory.conditions:
            raise InputError(f"{name} has no meaning for {info.name}: {_ABSENT[stage]}")
        for c in theory.conditions[stage]:
            off = bool(c.unless) and all(
                name not in unknown and not np.any(swept.get(name, fixed.get(name, 0.0)))
                for name in c.unless
            )
            values = swept.get(c.parameter, (fixed.get(c.parameter, 0.0),))
            bad = next((value for value in values if value != 0), None)
            if off or (bad is None and c.parameter not in unknown):
                continue
            where = f"where {c.parameter} varies" if bad is None else f"at {c.parameter} = {bad:g}"
            if stage == "zero":
                raise InputError(
                    f"{name} has no meaning {where}: {c.reason}; {c.parameter} must be 0"
                )
            raise NotCoveredError(
                f"{name} is not covered {where}: {c.reason}; give {c.parameter}=0"
            )


def _check_means(
    theory: CompiledTheory,
    name: str,
    fixed: Mapping[str, float],
    swept: Mapping[str, Sequence[float]],
    unknown: Sequence[str],
) -> None:
    """Refuse means of couplings where the boundary's search does not look for mean activities."""
    tape = theory.vectors["current_means"]
    used = {line[1] for line in tape.code if line[0] == "input"}
    values = {**fixed, **{k: float(np.max(np.abs(v))) for k, v in swept.items()}}
    values |= {k: 1.0 for k in unknown if k}
    means = theory.vector("current_means", values)
    if np.any(means != 0):
        raise NotCoveredError(
            f"{name} is not covered where couplings have a mean: a mean activity may appear first "
            f"({', '.join(sorted(used))}); zero-state is"
        )


_ABSENT = {
    "zero": "rest is no state for any parameters",
    "statics": "its constant states are not Gaussian",
    "gaussian": "its fluctuations are not Gaussian",
    "decay": "fields have a mean for all parameters",
}


def _in_order(
    found: Mapping[tuple[float, ...], Located],
    swept: Mapping[str, Sequence[float]],
    inner: str,
    adaptive: bool,
) -> list[tuple[tuple[float, ...], BoundaryPoint]]:
    """(values of the swept parameters, point) in the order of the sweeps; along a curve, its own."""
    place = list(swept).index(inner) if inner else 0

    def whole(values: tuple[float, ...], value: float) -> tuple[float, ...]:
        return (*values[:place], value, *values[place:]) if inner else values

    rows = [
        (whole(values, value), point)
        for values, located in found.items()
        for value, point in located.rows
    ]
    if adaptive or place == len(swept) - 1:
        return rows
    orders = [{value: i for i, value in reversed(list(enumerate(v)))} for v in swept.values()]
    return sorted(rows, key=lambda row: [order[x] for order, x in zip(orders, row[0], strict=True)])


def _message(
    found: Mapping[tuple[float, ...], Located],
    outer: Mapping[str, Sequence[float]],
    inner: str,
    solve_for: str,
) -> str:
    """The named points of all curves."""

    def described(mark: Mark, values: tuple[float, ...]) -> str:
        place = {**dict(zip(outer, values, strict=True)), inner: mark.swept, solve_for: mark.value}
        return f"{mark.kind} at " + ", ".join(f"{k} = {v:.8g}" for k, v in place.items())

    return "; ".join(
        described(mark, values) for values, located in found.items() for mark in located.marks
    )
