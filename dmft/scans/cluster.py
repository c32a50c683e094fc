"""Pieces on a dask.distributed cluster (extra ``distributed``)."""

from __future__ import annotations

import contextlib
import logging
import re
from collections.abc import Generator, Iterable, Iterator
from typing import Any

from ..errors import DmftError, InputError, MissingExtraError, quoted
from .point import PieceResult, solve_piece
from .problem import Piece

__all__ = ["connected", "on_cluster"]

#: Seconds to wait for the scheduler's answer, and then for its first worker.
_PATIENCE = 10
_FOR_WORKERS = 60

_ADDRESS = re.compile(r"[a-z]+://\S+:[0-9]{1,5}")


@contextlib.contextmanager
def connected(address: str) -> Iterator[Any]:
    """A client of the scheduler at ``address``; a default client of the process is left alone.

    Raises `InputError` when there is no scheduler and `MissingExtraError` without the extra.
    """
    try:
        from distributed import Client
    except ImportError:
        raise MissingExtraError("clusters", "distributed") from None
    hint = "give the address that the scheduler prints, like tcp://127.0.0.1:8786"
    if not isinstance(address, str) or not _ADDRESS.fullmatch(address):
        raise InputError(f"scheduler: {quoted(address)} is no address; {hint}")
    try:
        client = Client(address, timeout=_PATIENCE, set_as_default=False)
    except (OSError, TimeoutError, ValueError) as exc:
        reason = " ".join(str(exc).split())[:120]
        raise InputError(
            f"scheduler: {quoted(address)} cannot be reached ({reason}); {hint}"
        ) from None
    log = logging.getLogger("distributed.client")
    level = log.level
    log.setLevel(logging.CRITICAL)  # a lost connection is told in one line, not in a traceback
    try:
        yield client
    finally:
        with contextlib.suppress(OSError, TimeoutError):
            client.close()
        log.setLevel(level)


def on_cluster(pieces: Iterable[Piece], client: Any) -> Generator[PieceResult, None, None]:
    """On the workers of the client's scheduler, in the order in which they finish.

    A piece whose worker is lost is computed again on another one; the scheduler sees to that.
    Closing the iterator cancels what has not begun. Raises `DmftError` when no worker joins, a
    piece has cost several workers their life, or the scheduler is gone.
    """
    from distributed import CancelledError, as_completed
    from distributed.scheduler import KilledWorker

    try:
        client.wait_for_workers(1, timeout=_FOR_WORKERS)
    except TimeoutError:
        raise DmftError(f"no worker has joined the scheduler within {_FOR_WORKERS} s") from None
    futures = client.map(solve_piece, list(pieces), pure=False)
    try:
        for future in as_completed(futures, loop=client.loop):
            yield future.result()
            future.release()
    except KilledWorker:
        raise DmftError(
            "a piece was lost with several workers, one after the other (killed, or no memory left)"
        ) from None
    except (OSError, CancelledError):
        raise DmftError("the connection to the scheduler is lost") from None
    finally:
        with contextlib.suppress(OSError, TimeoutError):
            client.cancel(futures)
