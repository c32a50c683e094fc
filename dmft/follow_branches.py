"""A request to follow all states over one parameter, checked; the answer as one `BranchDiagram`."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from .errors import InputError, NotCoveredError
from .parameters import Sweep, check_swept, find_model, merge_parameters
from .results.branches import Branch, BranchDiagram, SpecialPoint
from .results.provenance import versions

if TYPE_CHECKING:
    from .codegen.source import ModelSource
    from .codegen.theory import CompiledTheory
    from .solvers.branch_curves import BranchCurve

__all__ = ["follow"]


def follow(
    model: ModelSource,
    parameters: Mapping[str, float | Sweep | Sequence[float]] | None = None,
    /,
    **more_parameters: float | Sweep | Sequence[float],
) -> BranchDiagram:
    """Follow all states of a model over one parameter, through their folds: a bifurcation diagram.

    Rest, constant and chaotic states as curves (pseudo-arclength continuation; E. L. Allgower, K. Georg,
    Introduction to Numerical Continuation Methods, SIAM 2003) with the growth rate or largest Lyapunov
    exponent at every point. Folds, changes of stability and births are located to rounding error. Curves
    start from the states at both ends of the range, in its middle and near what bounds chaos: an isolated
    closed curve between these would be missed.

    Parameters
    ----------
    model
        A name from `dmft.models`, the path of a TOML file, or a `dmft.Model`.
    parameters, **more_parameters
        Numbers, and for exactly one parameter ``Sweep(first, last)`` without a number of points.

    Raises
    ------
    InputError
        Bad names or values; `NotCoveredError` where the theory does not close, has white noise or mean
        couplings.

    Examples
    --------
    >>> import dmft
    >>> diagram = dmft.follow("gated", g_h=dmft.Sweep(1.7, 2.2), alpha_r=10)
    >>> for event in diagram.of("chaotic")[0].events:
    ...     print(event.kind, round(event.value, 6))
    fold 1.85764
    birth 2.0
    """
    from .codegen import compiled_theory, resolve

    declared = resolve(model)
    find_model(declared)
    theory = compiled_theory(declared)
    started = time.perf_counter()
    given = merge_parameters(parameters, more_parameters)
    fixed, swept = check_swept(theory.info, given)
    along = _followed(given, swept)
    ends = swept[along]
    span = (min(ends), max(ends))
    _check_covered(theory, {**fixed, along: span[1]}, {**fixed, along: span[0]})
    from threadpoolctl import threadpool_limits

    from .solvers.boundaries import Request
    from .solvers.branch_curves import branch_curves

    with threadpool_limits(limits=1):
        curves = branch_curves(Request(theory, fixed, along, 1e-9), span)
    names = _names(theory, {**fixed, along: span[1]})
    branches = tuple(_branch(curve, names) for curve in curves)
    return BranchDiagram(
        model=theory.info.name,
        along=along,
        span=span,
        fixed=fixed,
        fields=names,
        branches=branches,
        versions=versions(),
        command=None,
        seconds=time.perf_counter() - started,
        model_hash=theory.info.hash,
        message=_message(branches),
    )


def _followed(given: Mapping[str, Any], swept: Mapping[str, Any]) -> str:
    """The one parameter with a range."""
    if len(swept) != 1:
        what = ", ".join(swept) or "no parameter"
        raise InputError(f"follow: {what} given as a range; give exactly one like g=0.5:3")
    (name,) = swept
    if not isinstance(given[name], Sweep) or given[name].num is not None:
        raise InputError(
            f"{name}: points are chosen as the curves bend; give only both ends, like {name}=0.5:3"
        )
    return name


def _check_covered(theory: CompiledTheory, *corners: Mapping[str, float]) -> None:
    if theory.closure_failure:
        raise NotCoveredError(f"follow: {theory.info.name}: {theory.closure_failure}")
    for at in corners:
        for stage in ("gaussian", "statics"):
            for condition in theory.unmet(stage, at):
                raise NotCoveredError(
                    f"follow: {condition.parameter} = {at[condition.parameter]:g} is not covered: "
                    f"{condition.reason}; give {condition.parameter}=0"
                )
        if any(theory.vector("current_means", at) != 0):
            raise NotCoveredError(
                f"follow: {theory.info.name} has couplings with a mean, which are not covered; solve "
                "point by point with dmft.scan"
            )


def _names(theory: CompiledTheory, parameters: Mapping[str, float]) -> tuple[str, ...]:
    from .solvers.linear_theory import LinearTheory

    return tuple(theory.info.fields[i] for i in LinearTheory(theory, dict(parameters)).active)


def _branch(curve: BranchCurve, names: Sequence[str]) -> Branch:
    return Branch(
        kind=curve.kind,
        value=curve.value,
        error=curve.error,
        variance={name: curve.moments[:, i] for i, name in enumerate(names)},
        decaying={name: curve.decaying[:, i] for i, name in enumerate(names)},
        growth=curve.growth,
        stable=curve.stable,
        tangent_value=curve.tangents[:, 1],
        tangent_amplitude=curve.tangents[:, 0],
        length=curve.length,
        events=tuple(SpecialPoint(e.kind, e.value, e.error, e.amplitude) for e in curve.events),
        ends=curve.ends,
    )


def _message(branches: Sequence[Branch]) -> str:
    """What could not be followed or checked."""
    said = []
    for i, branch in enumerate(branches):
        if "step" in branch.ends or "points" in branch.ends:
            said.append(f"branch {i} ({branch.kind}) was lost before an end of the range")
        unchecked = len(branch) - int(branch.answered.sum())
        if unchecked:
            said.append(f"{unchecked} points of branch {i} ({branch.kind}) are not checked")
    return "; ".join(said)
