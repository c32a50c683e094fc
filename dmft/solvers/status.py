"""How a computation ended. Solvers return a status; only bad input raises."""

from __future__ import annotations

from enum import StrEnum

__all__ = ["Status"]


class Status(StrEnum):
    """Outcomes; `explanation` says what each means and what to try next."""

    CONVERGED = "converged"
    CONTINUOUS = "continuous"
    NO_SOLUTION = "no-solution"
    NOT_CONVERGED = "not-converged"
    BUDGET_EXCEEDED = "budget-exceeded"
    HISTORY_DEPENDENT = "history-dependent"
    INTERRUPTED = "interrupted"

    @property
    def explanation(self) -> str:
        """One sentence for the user."""
        return _EXPLANATIONS[self]

    @property
    def is_answer(self) -> bool:
        """Whether numbers may be used."""
        return self in (Status.CONVERGED, Status.CONTINUOUS)


_EXPLANATIONS = {
    Status.CONVERGED: "the equations are solved to the tolerance",
    Status.CONTINUOUS: "the first non-zero solution is born continuously, on the zero-state line",
    Status.NO_SOLUTION: "no such solution exists at these parameters; try another branch",
    Status.NOT_CONVERGED: "the tolerance was not reached; try a larger tol or nearby parameters",
    Status.BUDGET_EXCEEDED: "more terms or grid points are needed than allowed; try a larger tol",
    Status.HISTORY_DEPENDENT: "the state depends on the start; no stationary answer exists",
    Status.INTERRUPTED: "stopped before the end; the same call with its checkpoint goes on",
}
