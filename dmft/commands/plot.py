"""``dmft plot``: draw a saved result again."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from ..output import FIGURE_SUFFIXES, check_outputs

__all__ = ["plot"]


def plot(
    file: Annotated[
        str,
        typer.Argument(metavar="FILE", help="A result that dmft wrote: .csv, .json, .nc, .npz."),
    ],
    output: Annotated[
        list[str] | None,
        typer.Option(
            "--output",
            "-o",
            metavar="FIGURE",
            help="Where to draw: .png, .svg or .pdf; may be repeated.  [default: FILE with .png]",
        ),
    ] = None,
) -> None:
    """Draw a saved result: autocorrelations, a boundary, a phase diagram or a scan.

    Example: dmft plot phase.nc -o phase.pdf

    The figure is the one that the command's own option --plot draws; nothing is computed again.
    """
    from ..results.load import load

    result = load(file)
    for target in check_outputs(
        output or [Path(file).with_suffix(".png")], FIGURE_SUFFIXES, option="-o"
    ):
        result.plot(target)
        print(target)
