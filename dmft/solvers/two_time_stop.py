"""Stopping a long computation between two steps: at a time limit or when Ctrl-C is pressed.

The main thread's interrupt handler leaves a mark in a file, which every process that works looks at between
steps: each saves what it has and returns. A second Ctrl-C interrupts at once.
"""

from __future__ import annotations

import signal
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import FrameType

__all__ = ["INTERRUPTED", "TIME_LIMIT", "Stop", "interruptible"]

#: Reasons to stop, as messages begin with them.
INTERRUPTED, TIME_LIMIT = "interrupted", "time limit reached"


@dataclass(frozen=True)
class Stop:
    """When to stop: a moment of `time.time`, or a file's coming into being. Both may be absent."""

    deadline: float | None = None
    mark: Path | None = None

    @property
    def reason(self) -> str:
        """Why to stop now; empty when there is no reason."""
        if self.mark is not None and self.mark.exists():
            return INTERRUPTED
        if self.deadline is not None and time.time() >= self.deadline:
            return TIME_LIMIT
        return ""


@contextmanager
def interruptible(time_limit: float | None) -> Iterator[Stop]:
    """A `Stop` for the block: Ctrl-C sets its mark, where this is the main thread."""
    deadline = None if time_limit is None else time.time() + time_limit
    if threading.current_thread() is not threading.main_thread():
        yield Stop(deadline)
        return
    with tempfile.TemporaryDirectory(prefix="dmft-") as folder:
        mark = Path(folder) / "stop"

        def leave_mark(number: int, frame: FrameType | None) -> None:
            if mark.exists():
                raise KeyboardInterrupt
            mark.touch()

        before = signal.signal(signal.SIGINT, leave_mark)
        try:
            yield Stop(deadline, mark)
        finally:
            signal.signal(signal.SIGINT, before)
