"""Work on fresh interpreters, one BLAS thread each, which leave Ctrl-C to the first process."""

from __future__ import annotations

import signal
import threading
import warnings
from collections.abc import Callable, Generator, Iterable, Iterator
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager, suppress
from typing import TypeVar

from dmft.errors import WorkerError

__all__ = ["deaf", "ignore_interrupts", "in_processes"]

_A = TypeVar("_A")
_T = TypeVar("_T")


def in_processes(
    work: Callable[[_A], _T],
    items: Iterable[_A],
    workers: int,
    *,
    ordered: bool = False,
    kept: str = "",
) -> Generator[_T, None, None]:
    """``work(item)`` of all items, as they end or, ``ordered``, one after the other.

    Closing the iterator ends the processes. Raises `WorkerError` when one of them dies, which says what is
    ``kept``.
    """
    from joblib import Parallel, delayed, parallel_config

    # loky starts fresh interpreters on every system (no fork), and needs no guarded main module.
    with parallel_config(backend="loky", inner_max_num_threads=1):
        pool = Parallel(
            n_jobs=workers,
            return_as="generator" if ordered else "generator_unordered",
            batch_size=1,
            pre_dispatch="2*n_jobs",
            # Arguments and results are small: nothing to share through files.
            max_nbytes=None,
        )
        with deaf():
            results = pool(delayed(_undisturbed)(work, item) for item in items)
    try:
        while True:
            with _unwarned():
                try:
                    result = next(results)
                except StopIteration:
                    return
            yield result
    except BrokenProcessPool:
        raise WorkerError(kept) from None
    finally:
        with _unwarned():
            results.close()


def _undisturbed(work: Callable[[_A], _T], item: _A) -> _T:
    ignore_interrupts()
    return work(item)


def ignore_interrupts() -> None:
    """In a worker process, from now on: Ctrl-C reaches all processes of a terminal, the first one decides."""
    if threading.current_thread() is threading.main_thread():  # a thread where loky cannot nest
        signal.signal(signal.SIGINT, signal.SIG_IGN)


@contextmanager
def deaf() -> Iterator[None]:
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


@contextmanager
def _unwarned() -> Iterator[None]:
    """joblib warns when its generator is closed, or interrupted, before its end: this is said better."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", ".*adjusting the input task iterator", UserWarning)
        yield
