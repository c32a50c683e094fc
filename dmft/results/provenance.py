"""Who made a result: the versions of what computed it and the command that asked for it."""

from __future__ import annotations

import platform
import shlex
import sys
from collections.abc import Sequence
from importlib import metadata

from .._version import __version__

__all__ = ["command_line", "versions"]

_PACKAGES = ("numpy", "scipy", "sympy", "mpmath")


def versions(*more: str) -> dict[str, str]:
    """Versions of dmft, Python and the numerical packages, with ``more`` packages if wanted.

    A package that is not installed is left out.

    >>> sorted(versions())[:2]
    ['dmft', 'mpmath']
    """
    found = {"dmft": __version__, "python": platform.python_version()}
    for name in (*_PACKAGES, *more):
        loaded = getattr(sys.modules.get(name), "__version__", None)
        if isinstance(loaded, str):
            found[name] = loaded  # reading package metadata would cost milliseconds each
            continue
        try:
            found[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            continue
    return found


def command_line(arguments: Sequence[str]) -> str:
    """The command as one could type it, without the folder the program lives in.

    >>> command_line(["solve", "vanilla", "g=2", "-o", "my file.csv"])
    "dmft solve vanilla g=2 -o 'my file.csv'"
    """
    return shlex.join(["dmft", *arguments])
