"""``dmft derive``: the mean-field equations of a model, derived on the spot."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from ..output import check_output, write_whole
from ..parameters import find_model
from .options import ModelName
from .terminal import note, working


def derive(
    model: ModelName,
    latex: Annotated[
        str | None, typer.Option("--latex", metavar="FILE", help="Write LaTeX to a .tex file.")
    ] = None,
    show: Annotated[
        str | None,
        typer.Option(
            "--show",
            metavar="STAGE",
            help="One stage: network, disorder, statics, zero-state, stationary, lyapunov, tricritical.",
        ),
    ] = None,
) -> None:
    """Derive the mean-field equations of a model and print them.

    Example: dmft derive gated --show tricritical --latex gated.tex
    """
    target = None if latex is None else check_output(latex, (".tex",), option="--latex")
    find_model(model)

    from ..api import derive as derive_model

    with working(f"deriving {model}"):
        derivation = derive_model(model, show=show)
        text = str(derivation)
    if target is not None:
        source = derivation.latex()

        def write(path: Path) -> None:
            path.write_text(source.rstrip("\n") + "\n", encoding="utf-8", newline="\n")

        write_whole(target, write, option="--latex")
        note(f"wrote {target}")
    sys.stdout.write(text.rstrip("\n") + "\n")
