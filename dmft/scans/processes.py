"""Pieces on this machine: one after the other, or on several processes."""

from __future__ import annotations

from collections.abc import Generator, Iterable

from dmft.solvers.worker_processes import in_processes

from .point import PieceResult, solve_piece
from .problem import Piece

__all__ = ["default_workers", "on_processes", "one_by_one"]


def default_workers() -> int:
    """The cores that this process may use."""
    from joblib import cpu_count

    return max(1, int(cpu_count()))


def one_by_one(pieces: Iterable[Piece]) -> Generator[PieceResult, None, None]:
    """In this process."""
    yield from map(solve_piece, pieces)


def on_processes(pieces: Iterable[Piece], workers: int) -> Generator[PieceResult, None, None]:
    """On ``workers`` fresh interpreters, in the order in which they finish (`in_processes`)."""
    return in_processes(solve_piece, pieces, workers)
