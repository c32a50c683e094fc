"""The same work for many blocks of paths: in this process, or spread over workers, in a fixed order."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeVar

from joblib import Parallel, delayed
from threadpoolctl import threadpool_limits

__all__ = ["over_blocks"]

_T = TypeVar("_T")


def over_blocks(
    work: Callable[[int], _T], blocks: Sequence[int], pool: Parallel | None
) -> list[_T]:
    """Results in the order of the blocks, whoever computes them; one BLAS thread each."""
    if pool is None:
        return [_alone(work, block) for block in blocks]
    return list(pool(delayed(_alone)(work, block) for block in blocks))


def _alone(work: Callable[[int], _T], block: int) -> _T:
    with threadpool_limits(limits=1):
        return work(block)
