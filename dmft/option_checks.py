"""Options of the public functions, checked: what is given, what is allowed, what to try."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from .errors import InputError, did_you_mean, quoted

__all__ = ["check_options", "check_proved_digits", "check_tol", "choose"]


def check_options(*, branch: str, tol: float, method: str, seed: int | None) -> float:
    """Refuse options that `solve` does not take; return the tolerance as a number."""
    from .solvers.conditional import METHODS as MOVING
    from .solvers.stationary import BRANCHES, METHODS, is_branch

    accuracy = check_tol(tol, 1e-13, 1e-3)
    _check_seed(seed)
    if not is_branch(branch):
        choose("branch", branch, BRANCHES)
    choose("method", method, (*METHODS, *MOVING))
    return accuracy


def check_proved_digits(digits: object, name: str) -> None:
    """Refuse what `boundary` does not prove; `MissingExtraError` without ``certified``."""
    from .certified.boundary import CERTIFIED
    from .codegen.ball import ball_arithmetic

    if isinstance(digits, bool) or not isinstance(digits, int) or not 10 <= digits <= 200:
        raise InputError(f"digits: {quoted(digits)} is not allowed; give an integer from 10 to 200")
    if name not in CERTIFIED:
        raise InputError(f"digits: {name} is not certified; those that are: {', '.join(CERTIFIED)}")
    with ball_arithmetic(digits):
        pass  # before anything is computed


def choose(what: str, given: str, allowed: Sequence[str] | Mapping[str, Any]) -> None:
    """Refuse a name that is not among those allowed."""
    if given not in allowed:
        raise InputError(
            f"{what}: {quoted(given)} is not allowed{did_you_mean(str(given), allowed)}; "
            f"choose {', '.join(allowed)}"
        )


def check_tol(tol: float, smallest: float, largest: float) -> float:
    """The tolerance as a number between two others."""
    try:
        value = float(tol)
    except (TypeError, ValueError):
        value = float("nan")
    if not smallest <= value <= largest:
        raise InputError(
            f"tol: {quoted(tol)} is not allowed; give a number from {smallest:g} to {largest:g}"
        )
    return value


def _check_seed(seed: object) -> None:
    if seed is not None and (isinstance(seed, bool) or not isinstance(seed, int) or seed < 0):
        raise InputError(f"seed: {quoted(seed)} is not allowed; give an integer >= 0")
