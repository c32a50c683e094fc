"""The command ``dmft``: finds its subcommands, runs one, turns errors into one line and a code.

Subcommands are functions named in the entry-point group ``dmft.commands``; only the one that runs
is imported. Exit codes: 0 ok, 1 verdict failed or inconclusive, 2 bad input, 3 no answer, 130
interrupted.
"""

from __future__ import annotations

import contextlib
import errno
import os
import sys
from collections.abc import Mapping, Sequence
from importlib.metadata import EntryPoint, entry_points
from pathlib import Path
from typing import Any

from ._version import __version__
from .errors import DmftError, InputError, did_you_mean, quoted

__all__ = ["build", "find_commands", "main"]

#: Reasons for which the system refuses the printed output.
_UNWRITABLE = (errno.ENOSPC, errno.EIO)

_GROUP = "dmft.commands"
_ORDER = ("solve", "boundary", "phase", "scan", "transient", "validate", "derive", "models")


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line and return its exit code; ``arguments`` default to those of Python."""
    words = list(sys.argv[1:] if arguments is None else arguments)
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="backslashreplace")  # a console that lacks a letter
    with contextlib.ExitStack() as stack:
        if sys.stdout is None:  # closed by the shell
            sink = stack.enter_context(Path(os.devnull).open("w", encoding="utf-8"))
            stack.enter_context(contextlib.redirect_stdout(sink))
        return _guarded(words)


def _guarded(words: list[str]) -> int:
    """Run, and turn what can go wrong outside the program into a line and a code."""
    try:
        code = _run(words)
        sys.stdout.flush()
        return code
    except DmftError as exc:
        return _complain(str(exc), exc.exit_code)
    except KeyboardInterrupt:
        return _complain("interrupted", 130)
    except MemoryError:
        return _complain("out of memory; ask for fewer points or less accuracy", 3)
    except BrokenPipeError:
        _forget_stdout()  # the reader of the pipe has left
        return 141
    except OSError as exc:
        if exc.errno not in _UNWRITABLE:
            raise
        _forget_stdout()
        return _complain(f"the output cannot be written ({exc.strerror})", 3)


def _forget_stdout() -> None:
    """Drop what is still buffered: Python would complain once more when it flushes at exit."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def find_commands() -> dict[str, EntryPoint]:
    """The commands of all installed distributions; the package's own ones first, in reading order.

    >>> list(find_commands())[:2]
    ['solve', 'boundary']
    """
    found = {entry.name: entry for entry in entry_points(group=_GROUP)}
    ordered = [name for name in _ORDER if name in found]
    return {name: found[name] for name in (*ordered, *sorted(found.keys() - set(ordered)))}


def build(commands: Mapping[str, Any]) -> Any:
    """A typer application of named functions."""
    import typer

    app = typer.Typer(
        name="dmft",
        help="Dynamical mean-field theory of large random neural networks.",
        add_completion=False,
        pretty_exceptions_enable=False,
        rich_markup_mode=None,
    )

    # A group even with a single command. `main` answers --version; here it is for the help text.
    @app.callback()
    def _options(
        version: bool = typer.Option(False, "--version", help="Print the version and exit."),
    ) -> None:
        pass

    for name, function in commands.items():
        app.command(name)(function)
    return app


def _run(words: list[str]) -> int:
    if words[:1] == ["--version"]:
        print(f"dmft {__version__}")
        return 0
    known = find_commands()
    if not known:
        raise InputError("no commands found: dmft is not installed; try pip install .")
    if not words or words[0] == "--help":
        return _call(_load_all(known), ["--help"])
    name = words[0]
    if name not in known:
        kind = "option" if name.startswith("-") else "command"
        allowed = ["--help", "--version"] if kind == "option" else list(known)
        raise InputError(
            f"there is no {kind} {quoted(name)}{did_you_mean(name, allowed)}; "
            f"{kind}s: {', '.join(allowed)}"
        )
    return _call({name: known[name].load()}, words)


def _load_all(known: Mapping[str, EntryPoint]) -> dict[str, Any]:
    """All commands for the overview; one that cannot be imported must not hide the others."""
    loaded = {}
    for name, entry in known.items():
        try:
            loaded[name] = entry.load()
        except (ImportError, AttributeError) as exc:
            print(f"dmft: the command {name} is not available ({exc})", file=sys.stderr)
    return loaded


def _call(commands: Mapping[str, Any], words: list[str]) -> int:
    import typer
    from typer.main import get_command

    from .results.provenance import command_line

    # The base class of all complaints about usage; where it is defined differs between releases.
    bases: tuple[type[Any], ...] = typer.BadParameter.__mro__
    usage: type[Exception] = next(base for base in bases if base.__name__ == "ClickException")
    try:
        # Not the application's own main: it has other ideas about interruptions and broken pipes.
        application = get_command(build(commands))
        with application.make_context("dmft", list(words), obj=command_line(words)) as context:
            application.invoke(context)
    except typer.Abort:
        raise KeyboardInterrupt from None
    except usage as exc:
        message = getattr(exc, "format_message", exc.__str__)().rstrip(".")
        raise InputError(f"{message}; try dmft {words[0]} --help") from None
    except typer.Exit as exc:
        return exc.exit_code
    return 0


def _complain(message: str, code: int) -> int:
    print(f"dmft: {' '.join(message.split())}", file=sys.stderr)
    return code
