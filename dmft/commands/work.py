"""Where commands leave unfinished work, and how they end: notes and exit codes."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from ..errors import InputError, quoted
from .terminal import note

if TYPE_CHECKING:
    from ..solvers.status import Status

__all__ = ["leave", "work_folder"]

#: What is left of an interrupted computation stands beside its output under this name.
_WORK = ".work"


def work_folder(checkpoint: str | None, outputs: list[Path]) -> Path | None:
    """The folder for unfinished work: the one asked for, else one beside the first output."""
    if checkpoint is not None:
        folder = Path(checkpoint)
    elif outputs:
        folder = outputs[0].with_name(outputs[0].name + _WORK)
    else:
        return None
    if folder.exists() and not folder.is_dir():
        raise InputError(
            f"--checkpoint: {quoted(str(folder), 200)} exists and is no folder; give another name"
        )
    if not folder.resolve().parent.is_dir():
        raise InputError(
            f"--checkpoint: {quoted(str(folder), 200)}: the folder around it does not exist; create it"
        )
    return folder


def leave(status: Status, message: str, folder: Path | None, *, keep: bool) -> None:
    """Notes and exit code; finished work is removed with its folder."""
    from ..solvers.two_time_stop import INTERRUPTED

    stopped = status == "interrupted"
    if folder is not None and not stopped and not keep:
        shutil.rmtree(folder, ignore_errors=True)
    if message:
        where = f"; work kept in {quoted(str(folder), 200)}" if stopped and folder else ""
        note(f"{message}{where}")
    if stopped and message.startswith(INTERRUPTED):
        raise typer.Exit(130)
    if not status.is_answer:
        raise typer.Exit(3)
