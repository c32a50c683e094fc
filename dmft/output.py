"""Output files: refused before the computation, written whole or not at all."""

from __future__ import annotations

import contextlib
import os
import secrets
from collections.abc import Callable, Iterable
from importlib.util import find_spec
from pathlib import Path

from .errors import InputError, MissingExtraError, did_you_mean, quoted

__all__ = ["FIGURE_SUFFIXES", "check_output", "check_outputs", "require_extra", "write_whole"]

FIGURE_SUFFIXES = (".png", ".svg", ".pdf")

#: Suffix -> (purpose, extra, modules) of the formats that need an optional dependency.
_NEEDS = {
    # h5netcdf no longer installs h5py, with which it writes.
    ".nc": ("NetCDF files", "io", ("xarray", "h5netcdf", "h5py")),
    ".html": ("HTML pages", "html", ("latex2mathml",)),
    **dict.fromkeys(FIGURE_SUFFIXES, ("plots", "plot", ("matplotlib",))),
}


def check_output(path: str | Path, suffixes: Iterable[str], *, option: str = "output") -> Path:
    """The path, when a file of one of the ``suffixes`` can be written there.

    Meant to be called before a long computation. It tries to create (and removes) a file in the
    folder, because permission bits do not tell on every system. Raises `InputError` or
    `MissingExtraError` in one line that begins with ``option``.
    """
    target, shown, allowed = Path(path), quoted(str(path), 200), tuple(suffixes)
    suffix = target.suffix.lower()
    if suffix not in allowed:
        raise InputError(
            f"{option}: {shown} has the suffix {quoted(target.suffix)}"
            f"{did_you_mean(suffix, allowed)}; allowed are {', '.join(allowed)}"
        )
    try:
        if target.exists() and not target.is_file():
            raise InputError(f"{option}: {shown} exists and is not a file; give another name")
        folder = target.resolve().parent
        if not folder.is_dir():
            raise InputError(f"{option}: {shown}: its folder does not exist; create it first")
        if target.exists() and not os.access(target, os.W_OK):
            raise InputError(f"{option}: {shown} is write-protected; give another name")
        probe = _temporary(folder)
        with probe.open("xb"):
            pass
        probe.unlink()
    except (OSError, ValueError) as exc:
        if isinstance(exc, InputError):
            raise
        raise InputError(_unwritable(option, shown, exc)) from None
    require_extra(suffix, option=option)
    return target


def require_extra(suffix: str, *, option: str = "") -> None:
    """Raise `MissingExtraError` when files of this suffix need a package that is not installed."""
    if suffix in _NEEDS:
        purpose, extra, modules = _NEEDS[suffix]
        if any(find_spec(module) is None for module in modules):
            raise MissingExtraError(f"{option}: {purpose}" if option else purpose, extra)


def check_outputs(
    paths: Iterable[str | Path], suffixes: Iterable[str], *, option: str = "output"
) -> list[Path]:
    """`check_output` for several paths; the same file twice is refused."""
    allowed = tuple(suffixes)
    targets = [check_output(path, allowed, option=option) for path in paths]
    seen: set[Path] = set()
    for target in targets:
        if target.resolve() in seen:
            raise InputError(f"{option}: {quoted(str(target), 200)} is given twice")
        seen.add(target.resolve())
    return targets


def write_whole(path: str | Path, write: Callable[[Path], None], *, option: str = "output") -> None:
    """Let ``write`` fill a temporary file beside ``path``, then put it in place in one step.

    A reader sees the old file or the whole new one; an error or interruption leaves nothing.
    Raises `InputError` when the disk refuses.
    """
    target = Path(path)
    try:
        final = target.resolve()  # a link stays a link, its target is replaced
        temporary = _temporary(final.parent, target.suffix)
        try:
            write(temporary)
            temporary.replace(final)
        except BaseException:
            with contextlib.suppress(OSError):
                temporary.unlink(missing_ok=True)
            raise
    except OSError as exc:
        raise InputError(_unwritable(option, quoted(str(path), 200), exc)) from None


def _temporary(folder: Path, suffix: str = "") -> Path:
    # Not tempfile.mkstemp: its files are private to the user, which a result file should not be.
    return folder / f".dmft-{secrets.token_hex(8)}{suffix}"


def _unwritable(option: str, shown: str, exc: Exception) -> str:
    reason = exc.strerror if isinstance(exc, OSError) and exc.strerror else str(exc)
    return f"{option}: {shown} cannot be written ({reason.lower()}); give another path"
