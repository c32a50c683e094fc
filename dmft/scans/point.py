"""The work of a piece: its points solved one after the other, wherever that runs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ..errors import DmftError
from ..results.display import settings
from ..results.provenance import versions
from .problem import Piece

if TYPE_CHECKING:
    from ..results.solution import Solution

__all__ = ["PieceResult", "row_of", "solve_piece"]

#: A point's numbers and texts, as JSON values, in the order of `dmft.results.scan.column_names`.
Row = list[Any]


@dataclass(frozen=True)
class PieceResult:
    """Rows of the points from ``start`` on, and the versions of what computed them."""

    start: int
    rows: list[Row]
    versions: dict[str, str]


def solve_piece(piece: Piece) -> PieceResult:
    """Solve the points of a piece in their order.

    Bad input raises as in `dmft.solve`; a point without an answer is a row that says so. A solver
    that can start from a neighbour's solution would be handed ``solution`` of the point before,
    here: pieces are the same for any number of workers, and so would be the digits.
    """
    from ..api import solve

    rows: list[Row] = []
    for parameters in piece.points:
        try:
            solution = solve(piece.source, parameters, **piece.options)
        except DmftError:
            raise
        except Exception as exc:
            exc.add_note(f"at the point {settings(parameters.items())}")
            raise
        if solution.model_hash != piece.model_hash:
            raise DmftError(
                f"the model {solution.model} of a worker is not the one of this scan; "
                "install the same version of dmft on all machines"
            )
        rows.append(row_of(solution, piece.fields))
    return PieceResult(piece.start, rows, versions())


def row_of(solution: Solution, fields: tuple[str, ...]) -> Row:
    """A solution without its lags."""
    per_field = (solution.variance, solution.mean, solution.limit, solution.correlation_time)
    error = solution.error_estimate
    return [
        *(values.get(name) for values in per_field for name in fields),
        solution.lyapunov,
        solution.residual,
        *(error.get(name) for name in ("variance", "lyapunov", "autocorrelation")),
        solution.seconds,
        solution.branch,
        str(solution.status),
        " ".join(solution.other_branches),
        solution.message,
    ]
