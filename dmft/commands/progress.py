"""How far a scan is: a line at start and end on stderr, and a bar with rate and time left between.

Off a terminal there is no bar.
"""

from __future__ import annotations

import datetime
import time
from typing import TYPE_CHECKING

from .terminal import note

if TYPE_CHECKING:
    from rich.progress import Progress, ProgressColumn

__all__ = ["ScanProgress"]


class ScanProgress:
    """Implements `dmft.scans.watch.Watch`."""

    def __init__(self, model: str) -> None:
        self._model = model
        self._points = 0
        self._begun: float | None = None
        self._before = 0
        self._done = 0
        self._progress: Progress | None = None

    def started(self, points: int, done: int, where: str) -> None:
        """One line; on a terminal the bar."""
        self._points, self._before, self._done = points, done, done
        self._begun = time.monotonic()
        found = f", {done} of them done before" if done else ""
        note(f"scanning {self._model}: {points} points {where}{found}")
        self._progress = _bar()
        if self._progress is not None:
            self._task = self._progress.add_task("points", total=points, completed=done)
            self._progress.start()

    def advanced(self, points: int) -> None:
        """Move the bar."""
        self._done += points
        if self._progress is not None:
            self._progress.update(self._task, completed=self._done)

    def finished(self) -> None:
        """Remove the bar; one line unless the scan stopped early, when a message says more."""
        if self._progress is not None:
            self._progress.stop()
            self._progress = None
        if self._begun is None or self._done < self._points:
            return
        seconds = time.monotonic() - self._begun
        new = self._done - self._before
        rate = f" ({_rate(new / seconds)})" if new and seconds > 0 else ""
        note(f"{new} points in {datetime.timedelta(seconds=round(seconds))}{rate}")


def _bar() -> Progress | None:
    """A bar with counts, rate and time left; None off a terminal."""
    import sys

    if not sys.stderr.isatty():
        return None
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn
    from rich.progress import TimeRemainingColumn as Left

    columns: list[ProgressColumn] = [BarColumn(), MofNCompleteColumn(), _rate_column()]
    return Progress(
        *columns, Left(), TextColumn("left"), console=Console(stderr=True), transient=True
    )


def _rate_column() -> ProgressColumn:
    from rich.progress import ProgressColumn, Task
    from rich.text import Text

    class Rate(ProgressColumn):
        def render(self, task: Task) -> Text:
            return Text("" if task.speed is None else _rate(task.speed))

    return Rate()


def _rate(per_second: float) -> str:
    """Points per unit of time, in a unit that gives a number people can read.

    >>> _rate(3.26), _rate(0.02)
    ('3.3 points/s', '1.2 points/min')
    """
    if per_second >= 0.5:
        return f"{per_second:.1f} points/s"
    return f"{60 * per_second:.1f} points/min"
