"""What the user sees: tables on stdout; notes and progress on stderr."""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

__all__ = ["note", "print_json", "print_table", "working"]

#: Seconds before progress is shown: quick answers need none.
_PATIENCE = 1.0


def note(text: str) -> None:
    """One line on stderr."""
    print(f"dmft: {' '.join(text.split())}", file=sys.stderr)


def print_json(text: str) -> None:
    """The result as the only thing on stdout."""
    sys.stdout.write(text + "\n")


def print_table(title: str, head: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """A table on stdout; the text is printed as it is, markup has no meaning."""
    from rich import box
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    class PlainConsole(Console):
        def on_broken_pipe(self) -> None:
            raise BrokenPipeError  # `main` knows what to do; rich would leave with exit code 1

    table = Table(title=Text(title), title_justify="left", box=box.SIMPLE_HEAD, pad_edge=False)
    for name in head:
        table.add_column(Text(name), overflow="fold")
    for row in rows:
        table.add_row(*(Text(cell) for cell in row))
    PlainConsole(highlight=False).print(table)


@contextmanager
def working(task: str) -> Iterator[Callable[[str], None] | None]:
    """Show on stderr that something runs once it takes over a second; nothing off a terminal.

    Gives a function that adds a few words on how far it is, or None off a terminal.
    """
    if not sys.stderr.isatty():
        yield None
        return
    from rich.console import Console
    from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

    progress = Progress(
        SpinnerColumn(),
        TextColumn("{task.description}", markup=False),
        TimeElapsedColumn(),
        console=Console(stderr=True),
        transient=True,
    )
    running = progress.add_task(task, total=None)
    timer = threading.Timer(_PATIENCE, progress.start)
    timer.daemon = True
    timer.start()
    try:
        yield lambda words: progress.update(running, description=f"{task}: {words}")
    finally:
        timer.cancel()
        timer.join()  # it may just be starting the display
        progress.stop()
