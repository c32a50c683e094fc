"""Slow modes of constant states and relaxation times of units where a gate moves."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from .errors import InputError, NotCoveredError
from .parameters import check_parameters, find_model, merge_parameters

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

    from .codegen.source import ModelSource
    from .codegen.theory import CompiledTheory
    from .solvers.slow_modes import SlowModes

__all__ = ["relaxation_times", "slow_modes"]


def slow_modes(
    model: ModelSource, parameters: Mapping[str, float] | None = None, /, **more_parameters: float
) -> tuple[SlowModes, ...]:
    """Leading edge of the Jacobian at every constant state other than rest, the largest state first.

    With a steep gate it is positive but exponentially small where the open units alone are stable, and
    zero where the static radius V is below one (`SlowModes`). Parameters as in `dmft.solve`.

    >>> import dmft
    >>> [state] = dmft.slow_modes("gated", g_h=3, alpha_r=5, alpha_z=20, beta_z=4)
    >>> round(state.radius, 6), round(state.edge, 6)
    (1.73806, 0.00746)
    """
    theory, values = _asked(model, merge_parameters(parameters, more_parameters))
    if "statics" not in theory.conditions or "drift" not in theory.matrices:
        raise NotCoveredError(f"{theory.info.name}: constant states are not Gaussian")
    for c in theory.unmet("statics", values):
        raise NotCoveredError(
            f"{c.parameter} = {values[c.parameter]:g} is not covered here: {c.reason}; "
            f"give {c.parameter}=0"
        )
    if np.any(theory.vector("current_means", values)):
        raise NotCoveredError(f"{theory.info.name}: means of couplings are not covered here")
    from .solvers.slow_modes import slow_modes as of_theory

    return tuple(of_theory(theory, values))


def relaxation_times(
    model: ModelSource,
    times: ArrayLike,
    parameters: Mapping[str, float] | None = None,
    /,
    *,
    variance: float,
    mean: float = 0.0,
    **more_parameters: float,
) -> NDArray[np.float64]:
    """The share of units whose gate makes them relax more slowly than each of ``times``.

    ``mean`` and ``variance`` are those of the gating field in any stationary state, chaotic ones too, like
    the variances of a solution: it is Gaussian, so that this is exact at every moment.

    >>> import dmft
    >>> dmft.relaxation_times("gated", [3.0], g_h=3, alpha_z=10, variance=0.3).round(3)
    array([0.45])
    """
    theory, values = _asked(model, merge_parameters(parameters, more_parameters))
    found = np.atleast_1d(np.asarray(times, dtype=float))
    if not np.all(found > 0) or not variance > 0 or not np.isfinite([variance, mean]).all():
        raise InputError("times and variance: give finite numbers > 0, and a finite mean")
    from .solvers.slow_modes import relaxation

    return relaxation(theory, values, mean, variance, found)


def _asked(model: ModelSource, given: Mapping[str, Any]) -> tuple[CompiledTheory, dict[str, float]]:
    """The theory of a model with one gate, and the parameters."""
    from .codegen import compiled_theory, resolve

    declared = resolve(model)
    values = check_parameters(find_model(declared), given)
    theory = compiled_theory(declared)
    if theory.gate.failure:
        raise InputError(f"{theory.info.name} has no slow modes of a gate: {theory.gate.failure}")
    return theory, values
