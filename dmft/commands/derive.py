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
    html: Annotated[
        str | None,
        typer.Option("--html", metavar="FILE", help="Write a page with formulas to a .html file."),
    ] = None,
    show: Annotated[
        str | None,
        typer.Option(
            "--show",
            metavar="STAGE",
            help="One stage: network, disorder, conditional, statics, zero-state, stationary, "
            "lyapunov, replicas, jacobian-edge or tricritical.",
        ),
    ] = None,
) -> None:
    """Derive the mean-field equations of a model and print them.

    Example: dmft derive gated --latex gated.tex --html gated.html
    """
    source = None if latex is None else check_output(latex, (".tex",), option="--latex")
    page = None if html is None else check_output(html, (".html",), option="--html")
    find_model(model)

    from ..api import derive as derive_model

    with working(f"deriving {model}"):
        derivation = derive_model(model, show=show)
        text = str(derivation)
    if source is not None:
        _write(source, derivation.latex(), "--latex")
    if page is not None:
        from ..derivation_page import derivation_page

        _write(page, derivation_page(derivation), "--html")
    sys.stdout.write(text.rstrip("\n") + "\n")


def _write(target: Path, text: str, option: str) -> None:
    def write(path: Path) -> None:
        path.write_text(text.rstrip("\n") + "\n", encoding="utf-8", newline="\n")

    write_whole(target, write, option=option)
    note(f"wrote {target}")
