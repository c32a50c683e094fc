"""States with a moving gate for `dmft.solve`: what is covered, precision, and absolute errors."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from .errors import InputError, NotCoveredError, quoted

if TYPE_CHECKING:
    from .solvers.stationary_solution import StationarySolution

__all__ = ["check_precision", "solve_moving"]

#: Longest window of sampled paths. Both starts of the sampled solver end in one stationary solution
#: even where a network does not forget its start (steep gates): slower states get no number.
_WINDOW_CAP = 1000.0


def check_precision(precision: float | None) -> float:
    """The precision asked for as a number; refuses what the sampled solver does not take."""
    try:
        value = 3e-3 if precision is None else float(precision)
    except (TypeError, ValueError):
        value = float("nan")
    if not 1e-4 <= value <= 0.1:
        raise InputError(
            f"precision: {quoted(precision)} is not allowed; give a number from 0.0001 to 0.1"
        )
    return value


def solve_moving(
    declared: Any,
    values: Mapping[str, float],
    branch: str,
    method: str,
    precision: float,
    seed: int,
    lyapunov: bool,
    progress: Callable[[str], None] | None,
) -> tuple[StationarySolution, tuple[str, ...]]:
    """A state with a moving gate; errors are made absolute, as those of the other solvers."""
    from dataclasses import replace

    from .codegen import compiled_conditional
    from .solvers.conditional import SampledSolution, solve_conditional
    from .solvers.conditional_model import ConditionalModel

    theory = compiled_conditional(declared)
    name = theory.info.name
    if theory.failure:
        raise NotCoveredError(f"{name}: a moving gate is not covered here: {theory.failure}")
    if method in ("dense", "matrix-free"):
        raise InputError(
            f"method: {method!r} is for gates at rest; give auto, sampled or factorised"
        )
    if branch not in ("auto", "chaotic"):
        raise NotCoveredError(
            f"branch: {quoted(branch)} is not covered where a gate moves; give auto or chaotic"
        )
    if ConditionalModel(theory, values).noisy:
        raise NotCoveredError(
            f"{name}: white noise is not covered where a gate moves; give its intensity as 0"
        )
    found, others = solve_conditional(
        theory,
        values,
        precision=precision,
        seed=seed,
        method="factorised" if method == "factorised" else "sampled",
        lyapunov=lyapunov,
        window_cap=_WINDOW_CAP,
        progress=progress or (lambda text: None),
    )
    if not isinstance(found, SampledSolution) or found.covariance is None:
        return found, others
    bars = [found.standard_errors[field] for field in theory.info.fields]
    errors = {
        "variance": max(float(bar[0]) for bar in bars),
        "lyapunov": found.errors.get("lyapunov"),
        "autocorrelation": max(float(np.max(bar)) for bar in bars),
    }
    message = f"sampled on {found.paths} paths of the gates, seed {seed}"
    if found.message:
        message += f"; {found.message}"
    return replace(found, errors=errors, message=message), others
