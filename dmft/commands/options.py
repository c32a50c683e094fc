"""Arguments and options that several commands share."""

from __future__ import annotations

from typing import Annotated

import typer

__all__ = ["Assignments", "JsonFlag", "ModelName", "Outputs", "PlotFile", "command_of"]

ModelName = Annotated[
    str, typer.Argument(metavar="MODEL", help="A name of `dmft models` or a .toml file.")
]


Assignments = Annotated[
    list[str] | None,
    typer.Argument(metavar="NAME=VALUE", help="Parameters; see `dmft models`."),
]

JsonFlag = Annotated[bool, typer.Option("--json", help="Print one JSON object and nothing else.")]

Outputs = Annotated[
    list[str] | None,
    typer.Option("--output", "-o", metavar="FILE", help="Write the result; may be repeated."),
]

PlotFile = Annotated[
    str | None,
    typer.Option("--plot", metavar="FILE", help="Draw the result: .png, .svg or .pdf."),
]


def command_of(context: typer.Context) -> str | None:
    """The command line as typed, for the result's header; None when not called from `main`."""
    command = context.find_root().obj
    return command if isinstance(command, str) else None
