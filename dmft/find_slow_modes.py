"""Slow modes of constant and chaotic states and relaxation times of units where a gate moves."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from .errors import InputError, NotCoveredError, quoted
from .parameters import check_parameters, find_model, merge_parameters

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

    from .codegen.source import ModelSource
    from .codegen.theory import CompiledTheory
    from .results.solution import Solution
    from .solvers.slow_modes import SlowModes

__all__ = ["relaxation_times", "slow_modes"]


def slow_modes(
    model: ModelSource,
    parameters: Mapping[str, float] | None = None,
    /,
    *,
    at: Solution | None = None,
    **more_parameters: float,
) -> tuple[SlowModes, ...]:
    """Leading edge of the Jacobian at every constant state other than rest, the largest state first.

    With a steep gate it is positive but exponentially small where the open units alone are stable, and
    zero where the static ``radius``, or ``loop_gain`` V, is below one (`SlowModes`). Parameters as in
    `dmft.solve`. With ``at``, a chaotic solution of the model, of that state alone, at the solution's
    parameters: sampled where the gate moves, with a standard error; without a converged solution its
    numbers are NaN and its status says why.

    >>> import dmft
    >>> [state] = dmft.slow_modes("gated", g_h=3, alpha_r=5, alpha_z=20, beta_z=4)
    >>> round(state.radius, 6), round(state.loop_gain, 6), round(state.edge, 6)
    (1.73806, 2.051449, 0.00746)
    >>> chaos = dmft.solve("gated", g_h=3, alpha_r=5)
    >>> [state] = dmft.slow_modes("gated", at=chaos)
    >>> round(state.edge, 3)
    0.213
    """
    if at is not None:
        return (_of_solution(model, at, merge_parameters(parameters, more_parameters)),)
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


def _of_solution(model: ModelSource, at: Solution, given: Mapping[str, Any]) -> SlowModes:
    """The edge at a chaotic solution, from the covariances of its outputs."""
    from .codegen import compiled_conditional, resolve
    from .results.solution import Solution
    from .solvers.conditional_model import ConditionalModel
    from .solvers.moving_edge import current_covariances, moving_edge, uncovered_edge
    from .solvers.slow_modes import SlowModes

    if not isinstance(at, Solution):
        raise InputError(f"at: {type(at).__name__} is no solution; give what dmft.solve returns")
    if given:
        raise InputError(f"{', '.join(given)}: with a solution its own parameters hold; give none")
    theory = compiled_conditional(resolve(model))
    name = theory.info.name
    if theory.info.hash != at.model_hash:
        raise InputError(f"at: solved with another model ({at.model}) than {name}")
    if theory.failure:
        raise NotCoveredError(f"{name}: a moving gate is not covered here: {theory.failure}")
    if not at.branch.startswith("chaotic"):
        raise InputError(
            f"at: the branch {quoted(at.branch)} is constant; give model and parameters for such states"
        )
    state = ConditionalModel(theory, at.parameters)
    if reason := uncovered_edge(state):
        raise NotCoveredError(f"{name}: {reason}: not covered here")
    gated = next(k for k in theory.block if k not in theory.steady)
    amplitude = at.variance[theory.info.fields[gated]]
    if not at.status.is_answer or amplitude is None:
        nothing = (float("nan"),) * 6
        message = f"no stationary state: {at.message}" if at.message else "no stationary state"
        return SlowModes(*nothing, status=at.status, message=message)

    def currents(lags: NDArray[np.float64], risen: float) -> NDArray[np.float64]:
        known = {k: v for k, v in at.at(lags).items() if k not in theory.info.fields}
        if risen:
            for k, error in at.standard_error.items():
                if k in known:
                    known[k] = known[k] + risen * np.interp(lags, at.lag, error)
        return current_covariances(state, known)

    found = moving_edge(
        state,
        currents,
        float(at.lag[-1]),
        variance=amplitude,
        seed=1 + (at.seed or 0),  # other paths than those of the solution
    )
    return SlowModes(
        amplitude=amplitude,
        radius=found.radius,
        edge=found.edge,
        error=found.error,
        mean=found.mean,
        variance=found.variance,
        status=found.status,
        message="; ".join(text for text in (found.message, at.message) if text),
    )


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
