"""Pieces on this machine: one after the other, or on several processes."""

from __future__ import annotations

import signal
import threading
import warnings
from collections.abc import Generator, Iterable, Iterator
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager, suppress

from ..errors import DmftError
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
            results = pool(delayed(_undisturbed)(piece) for piece in pieces)
    try:
        while True:
            with _unwarned():
                try:
                    result = next(results)
                except StopIteration:
                    return
            yield result
    except BrokenProcessPool:
        raise DmftError(
            "a worker process died (killed from outside, or no memory left); fewer workers need less "
            "memory"
        ) from None
    finally:
        with _unwarned():
            results.close()


@contextmanager
def _unwarned() -> Iterator[None]:
    """joblib warns when its generator is closed, or interrupted, before its end: this is said better."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", ".*adjusting the input task iterator", UserWarning)
        yield


def _undisturbed(piece: Piece) -> PieceResult:
    """`solve_piece` in a worker. Ctrl-C reaches all processes of a terminal: the first one decides."""
    if threading.current_thread() is threading.main_thread():  # a thread where loky cannot nest
        signal.signal(signal.SIGINT, signal.SIG_IGN)
    return solve_piece(piece)


@contextmanager
def _deaf() -> Iterator[None]:
    """Hold Ctrl-C back while processes start, which inherit that: while they import it is not for them.

    Held back, not lost: this process hears it afterwards. Where signals have no mask (Windows) a
    worker that is interrupted early may complain on stderr.
    """
    if not hasattr(signal, "pthread_sigmask"):
        yield
        return
    # loky's helper processes lift the mask when they start: they must be there already
    with suppress(ImportError, AttributeError):
        from multiprocessing.resource_tracker import ensure_running as ensure_first

        from joblib.externals.loky.backend.resource_tracker import ensure_running

        ensure_first()
        ensure_running()
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
