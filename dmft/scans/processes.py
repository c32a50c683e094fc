"""Pieces on this machine: one after the other, or on several processes."""

from __future__ import annotations

import signal
import threading
import warnings
from collections.abc import Generator, Iterator, Sequence
from concurrent.futures.process import BrokenProcessPool
from contextlib import closing, contextmanager

from ..errors import DmftError
from .point import PieceResult, solve_piece
from .problem import ScanProblem

__all__ = ["default_workers", "on_processes", "one_by_one"]


def default_workers() -> int:
    """The cores that this process may use."""
    from joblib import cpu_count

    return max(1, int(cpu_count()))


def one_by_one(problem: ScanProblem, pieces: Sequence[range]) -> Generator[PieceResult, None, None]:
    """In this process."""
    for piece in pieces:
        yield solve_piece(problem, piece)


def on_processes(
    problem: ScanProblem, pieces: Sequence[range], workers: int
) -> Generator[PieceResult, None, None]:
    """On ``workers`` fresh interpreters, in the order in which they finish; one BLAS thread each.

    Closing the iterator ends the processes. Raises `DmftError` when one of them dies.
    """
    from joblib import Parallel, delayed, parallel_config

    # loky starts fresh interpreters on every system (no fork), and needs no guarded main module.
    with parallel_config(backend="loky", inner_max_num_threads=1):
        pool = Parallel(
            n_jobs=workers,
            return_as="generator_unordered",
            batch_size=1,
            pre_dispatch="2*n_jobs",
            max_nbytes=None,
        )
        with _deaf():
            results = pool(delayed(_undisturbed)(problem, piece) for piece in pieces)
    with warnings.catch_warnings():
        # joblib warns that a closed generator was not read to its end: that is what closing means
        warnings.filterwarnings("ignore", category=UserWarning, module="joblib")
        try:
            with closing(results):
                yield from results
        except BrokenProcessPool:
            raise DmftError(
                "a worker process died (killed from outside, or no memory left); fewer workers "
                "need less memory"
            ) from None


def _undisturbed(problem: ScanProblem, piece: range) -> PieceResult:
    """`solve_piece` in a worker. Ctrl-C reaches all processes of a terminal: the first one decides."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    return solve_piece(problem, piece)


@contextmanager
def _deaf() -> Iterator[None]:
    """Ignore Ctrl-C while processes start: where they inherit that, they do so while they import."""
    if threading.current_thread() is not threading.main_thread():
        yield  # only the main thread may, and only it is interrupted
        return
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, signal.SIG_DFL if before is None else before)
