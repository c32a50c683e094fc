"""Exceptions with remedies: what was given, what is allowed, what to try.

Only bad input raises. A solver that finds no answer returns its status instead
(see :mod:`dmft.solvers.status`), so every exception below speaks about the request.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable

__all__ = [
    "DmftError",
    "InputError",
    "MissingExtraError",
    "NotCoveredError",
    "WorkerError",
    "did_you_mean",
    "quoted",
]


class DmftError(Exception):
    """Base of everything the package raises on purpose.

    ``exit_code`` is what the command line returns: 3, no answer, unless a subclass says else.
    """

    exit_code = 3


class InputError(DmftError, ValueError):
    """Bad input. The message is one line: what was given, what is allowed."""

    exit_code = 2


class NotCoveredError(InputError):
    """A theory that is not built yet, refused by name rather than approximated."""


class MissingExtraError(DmftError, ImportError):
    """An optional dependency is absent; the message names the extra to install.

    Parameters: the ``purpose`` ("plots", "NetCDF files") and the ``extra`` that provides it.

    >>> str(MissingExtraError("NetCDF files", "io"))
    "NetCDF files need an optional dependency that is not installed: pip install 'dmft[io]'"
    """

    exit_code = 2

    def __init__(self, purpose: str, extra: str) -> None:
        super().__init__(
            f"{purpose} need an optional dependency that is not installed: "
            f"pip install 'dmft[{extra}]'"
        )
        self.purpose = purpose
        self.extra = extra

    def __reduce__(self) -> tuple[type, tuple[str, str]]:
        # The message differs from the arguments, so the default reduction would fail when a
        # worker process hands the exception back.
        return (type(self), (self.purpose, self.extra))


class WorkerError(DmftError):
    """A worker process died; the message ends with ``kept``, what became of the work so far.

    >>> str(WorkerError("the rest is kept")).partition("; ")[2]
    'fewer workers need less memory; the rest is kept'
    """

    def __init__(self, kept: str = "") -> None:
        text = (
            "a worker process died (killed from outside, or no memory left); fewer workers need less "
            "memory"
        )
        super().__init__(f"{text}; {kept}" if kept else text)
        self.kept = kept

    def __reduce__(self) -> tuple[type, tuple[str]]:
        return (type(self), (self.kept,))


def quoted(text: object, limit: int = 60) -> str:
    """What the user typed, quoted on one line: escapes line breaks, shortens the middle.

    >>> quoted("a\\nb")
    "'a\\\\nb'"
    """
    shown = ascii(text)
    if len(shown) <= limit:
        return shown
    tail = limit // 2
    return f"{shown[: limit - tail - 3]}...{shown[-tail:]}"


def did_you_mean(given: str, allowed: Iterable[str]) -> str:
    """A suggestion to append to a message, or nothing.

    >>> did_you_mean("gatd", ["vanilla", "gated"])
    " (did you mean 'gated'?)"
    >>> did_you_mean("van", ["vanilla", "gated"])
    " (did you mean 'vanilla'?)"
    >>> did_you_mean("xyz", ["vanilla", "gated"])
    ''
    """
    names = list(allowed)
    near = difflib.get_close_matches(given.lower(), [name.lower() for name in names], n=1)
    longer = [name for name in names if given and name.lower().startswith(given.lower())]
    if near:
        match = next(name for name in names if name.lower() == near[0])
    elif len(longer) == 1:
        match = longer[0]
    else:
        return ""
    return f" (did you mean {match!r}?)"
