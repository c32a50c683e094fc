"""Add many digits to a solution in doubles: proved ones where there is a proof, else refined ones."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from .errors import InputError, NotCoveredError, quoted

if TYPE_CHECKING:
    from .codegen.theory import CompiledTheory
    from .results.solution import Solution

__all__ = ["check_digits", "refine_digits"]

_FEWEST, _MOST = 10, 40
_LAGS = (1.0, 2.0, 5.0, 10.0)


def check_digits(digits: object) -> None:
    """Refuse numbers of digits that are not offered; `MissingExtraError` without ``certified``."""
    from .codegen.ball import ball_arithmetic

    if isinstance(digits, bool) or not isinstance(digits, int) or not _FEWEST <= digits <= _MOST:
        raise InputError(
            f"digits: {quoted(digits)} is not allowed; give an integer from {_FEWEST} to {_MOST}"
        )
    with ball_arithmetic(digits):
        pass


def refine_digits(
    theory: CompiledTheory,
    solution: Solution,
    digits: int,
    progress: Callable[[str], None] = lambda text: None,
) -> Solution:
    """The solution with ``digits``: decimals by quantity, each with an estimated error.

    ``C_x(0)``, ``C_x(1)`` ... and ``lambda_max``; ``error of C_x`` is relative to C_x(0), ``error of
    lambda_max`` absolute. Where C_x(0) has an energy integral, ``C_x(0) proved`` is an interval that
    contains exactly one solution. Where the digits are not reached, ``digits`` is empty and the
    message says why. Raises `NotCoveredError` for states that do not decay to zero by themselves.
    """
    from .certified.boundary import FAILURES
    from .certified.energy import certified_variance
    from .certified.fine_newton import RefinementError
    from .certified.fine_state import fine_state
    from .certified.krawczyk import GUARD
    from .codegen.ball import ball_arithmetic
    from .solvers.lag_grid import LagGrid
    from .solvers.linear_theory import LinearTheory

    check_digits(digits)
    if not solution.status.is_answer:
        return solution
    linear = LinearTheory(theory, dict(solution.parameters))
    decays = solution.branch.startswith("chaotic") and linear.decays and not linear.has_noise
    if not decays or theory.unmet("gaussian", solution.parameters):
        raise NotCoveredError(
            f"digits: only chaotic states without inputs, noise and means are refined, not "
            f"{solution.branch!r} at these parameters; leave digits out"
        )
    fields = theory.info.fields
    rows = np.stack([solution.autocorrelation[name] for name in fields])
    grid = LagGrid(float(solution.lag[-1]), solution.lag.size - 1)
    try:
        state = fine_state(theory, solution.parameters, grid, rows, digits, _LAGS, progress)
    except RefinementError as error:
        reason = f"digits: {error}"
        return replace(solution, message="; ".join(filter(None, (solution.message, reason))))
    found: dict[str, str] = {}
    for name, variance in state.variance.items():
        found[f"C_{name}(0)"] = variance
        for lag, value in zip(state.lags, state.covariance[name], strict=True):
            found[f"C_{name}({lag:g})"] = value
        found[f"error of C_{name}"] = f"{state.errors[name]:.1e}"
    found["lambda_max"] = state.lyapunov
    found["error of lambda_max"] = f"{state.errors['lyapunov']:.1e}"
    try:
        progress("energy integral")
        start = float(rows[0, 0])
        ball = certified_variance(theory, solution.parameters, start, digits)
        if abs(float(ball.mid()) - start) <= 1e-7 * start:  # not another state's
            with ball_arithmetic(digits + GUARD):
                found[f"C_{fields[0]}(0) proved"] = ball.str(digits)
    except FAILURES:
        pass  # no energy integral, no proof
    return replace(solution, digits=found)
