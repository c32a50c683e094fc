"""One random set: solve it, put the answer to the test, and say what came of it.

A *converged* answer must obey its equations on a finer grid (`dmft.verify_solution`), and be the state
that ``auto`` promises: a chaotic one has a positive exponent, rest and fixed points a negative one
(an unstable constant state is what ``auto`` takes when it has found nothing else: somewhere the
network must go, so that a branch was overlooked). Any other status is an honest answer.
"""

from __future__ import annotations

import json
import time
import warnings
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from .fuzz_draw import MODEL

if TYPE_CHECKING:
    from dmft.results.solution import Solution

__all__ = ["ACCURACY", "FAILURES", "VERDICTS", "examine", "judge"]

VERDICTS = ("verified", "explicit-status", "budget-exceeded", "unverified", "wrong-branch", "crash")
FAILURES = VERDICTS[3:]

#: A violation of the equations up to this, or three of the solution's own error estimates, is accepted.
ACCURACY, _ERRORS = 1e-8, 3.0


def examine(parameters: Mapping[str, float]) -> dict[str, Any]:
    """Solve at ``parameters`` and judge: a record of JSON values. Nothing is raised."""
    wall, processor = time.perf_counter(), time.process_time()
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error")  # what numpy complains of is a fault of the solver
            record = _solved(parameters)
    except Exception as error:  # whatever it is: finding it is the purpose
        record = {"verdict": "crash", "message": f"{type(error).__name__}: {error}"}
    record["seconds"] = round(time.perf_counter() - wall, 3)
    record["processor_seconds"] = round(time.process_time() - processor, 3)
    return record


def _solved(parameters: Mapping[str, float]) -> dict[str, Any]:
    from dmft.api import solve

    solution = solve(MODEL, parameters)
    verdict, violation = judge(solution)
    return {
        "verdict": verdict,
        "branch": solution.branch,
        "status": str(solution.status),
        "message": solution.message,
        "other_branches": list(solution.other_branches),
        "variance": dict(solution.variance),
        "lyapunov": solution.lyapunov,
        "error_estimate": dict(solution.error_estimate),
        "violation": None if violation is None else json.loads(json.dumps(violation)),
    }


def judge(solution: Solution) -> tuple[str, dict[str, float] | None]:
    """The verdict on a solution of ``auto``, and by how much it violates its equations."""
    from dataclasses import asdict

    from dmft.solvers.status import Status
    from dmft.verify_solution import violation

    if solution.status is Status.BUDGET_EXCEEDED:
        return "budget-exceeded", None
    if not solution.status.is_answer:
        return "explicit-status", None
    found = violation(solution)
    allowed = max(ACCURACY, _ERRORS * (solution.error_estimate["autocorrelation"] or 0.0))
    verdict = "verified"
    if not found.worst <= allowed:
        verdict = "unverified"
    elif not _promised(solution):
        verdict = "wrong-branch"
    # infinity is no JSON
    return verdict, {name: min(value, 1e300) for name, value in asdict(found).items()}


def _promised(solution: Solution) -> bool:
    """Whether the sign of the exponent is that of the branch."""
    exponent = solution.lyapunov
    if exponent is None:
        return False
    error = solution.error_estimate["lyapunov"] or 0.0
    if solution.branch.startswith("chaotic"):
        return exponent > -error
    if solution.branch.startswith("driven"):
        return True  # the only state there is, chaotic or not
    return exponent < error
