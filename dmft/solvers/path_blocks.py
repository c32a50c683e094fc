"""The same work for many blocks of paths: in this process, or spread over workers, in a fixed order."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from typing import TypeVar

from joblib import Parallel, delayed
from threadpoolctl import threadpool_limits

from dmft.errors import WorkerError

from .path_journal import PathJournal
from .two_time_checkpoint import GOES_ON
from .two_time_stop import Stop
from .worker_processes import deaf, ignore_interrupts

__all__ = ["ALONE", "BlockRunner", "Stopped", "block_runner"]

_T = TypeVar("_T")


class Stopped(Exception):
    """The work was interrupted or its time is over; the text says which."""


@dataclass(frozen=True)
class BlockRunner:
    """Runs blocks, with one BLAS thread each; ``pool`` None means in this process.

    A ``journal`` keeps results and gives back those that it has.
    """

    pool: Parallel | None = None
    workers: int = 1
    stop: Stop = field(default_factory=Stop)
    journal: PathJournal | None = None

    def over(self, work: Callable[[int], _T], blocks: Sequence[int]) -> list[_T]:
        """Results in the order of the blocks, whoever computes them. Raises `Stopped`, `WorkerError`."""
        if self.journal is not None:
            return self.journal.over(partial(self._computed, work), blocks)
        return self._computed(work, blocks)

    def _computed(self, work: Callable[[int], _T], blocks: Sequence[int]) -> list[_T]:
        results: list[_T] = []
        size = 1 if self.pool is None else 2 * self.workers
        for first in range(0, len(blocks), size):
            self.check()
            part = blocks[first : first + size]
            if self.pool is None:
                with threadpool_limits(limits=1):
                    results += [work(block) for block in part]
            else:
                try:
                    results += self.pool(delayed(_in_worker)(work, block) for block in part)
                except BrokenProcessPool:
                    raise WorkerError(GOES_ON) from None
        return results

    def check(self) -> None:
        """Raise `Stopped` if there is a reason to stop."""
        if reason := self.stop.reason:
            raise Stopped(reason)


#: In this process, without a limit.
ALONE = BlockRunner()


@contextmanager
def block_runner(
    workers: int, stop: Stop, journal: PathJournal | None = None
) -> Iterator[BlockRunner]:
    """A runner with so many worker processes, which end with the block."""
    if workers == 1:
        yield BlockRunner(stop=stop, journal=journal)
        return
    with Parallel(n_jobs=workers) as pool:
        with deaf():
            pool(delayed(ignore_interrupts)() for _ in range(workers))
        yield BlockRunner(pool, workers, stop, journal)


def _in_worker(work: Callable[[int], _T], block: int) -> _T:
    ignore_interrupts()  # one process may have taken all of the calls at the start
    with threadpool_limits(limits=1):
        return work(block)
