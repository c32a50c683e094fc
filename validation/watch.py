"""Telling the user how long it takes and how far it is: on stderr, before and while simulating."""

from __future__ import annotations

from typing import Protocol


class Watch(Protocol):
    """What `validate` reports while it runs."""

    def estimated(self, seconds: float, workers: int) -> None:
        """Called once, before the first network is simulated."""

    def advanced(self, fraction: float) -> None:
        """Called after every network with the share of the work that is done."""

    def finished(self) -> None:
        """Called at the end, also after an error or an interruption."""


class Silent:
    """Tells nothing."""

    def estimated(self, seconds: float, workers: int) -> None:
        """Ignore."""

    def advanced(self, fraction: float) -> None:
        """Ignore."""

    def finished(self) -> None:
        """Ignore."""


class Console:
    """Prints the estimated time on stderr; a progress bar follows if that is a terminal."""

    def __init__(self) -> None:
        from rich.console import Console as RichConsole

        self._console = RichConsole(stderr=True)
        self._progress: object | None = None

    def estimated(self, seconds: float, workers: int) -> None:
        """One line, and the start of the bar."""
        from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

        processes = "1 process" if workers == 1 else f"{workers} processes"
        self._console.print(
            f"estimated time: {duration(seconds)} ({processes})", highlight=False, soft_wrap=True
        )
        if not self._console.is_terminal or seconds < 1.0:
            return
        columns = (TextColumn("simulating networks"), BarColumn(), TimeRemainingColumn())
        progress = Progress(*columns, console=self._console, transient=True)
        self._task = progress.add_task("networks", total=1.0)
        progress.start()
        self._progress = progress

    def advanced(self, fraction: float) -> None:
        """Move the bar."""
        if self._progress is not None:
            self._progress.update(self._task, completed=fraction)  # type: ignore[attr-defined]

    def finished(self) -> None:
        """Remove the bar."""
        if self._progress is not None:
            self._progress.stop()  # type: ignore[attr-defined]
            self._progress = None


def duration(seconds: float) -> str:
    """A time in words.

    >>> duration(0.2), duration(42.4), duration(250), duration(9000)
    ('1 s', '42 s', '4 min 10 s', '2 h 30 min')
    """
    whole = max(1, round(seconds))
    if whole < 100:
        return f"{whole} s"
    if whole < 6000:
        return f"{whole // 60} min {whole % 60} s"
    return f"{whole // 3600} h {whole % 3600 // 60} min"
