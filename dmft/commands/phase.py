"""``dmft phase``: regions of a plane of two parameters and the boundaries between them."""

from __future__ import annotations

from dataclasses import replace
from typing import Annotated

import typer

from ..output import FIGURE_SUFFIXES, check_output, check_outputs
from ..parameters import parse_assignments, parse_number
from .options import Assignments, JsonFlag, ModelName, Outputs, PlotFile, command_of
from .terminal import note, print_json, print_table, working


def phase(
    context: typer.Context,
    model: ModelName,
    assignments: Assignments = None,
    tol: Annotated[
        str, typer.Option(metavar="NUMBER", help="Accuracy of the boundaries.")
    ] = "1e-8",
    statics: Annotated[
        bool, typer.Option("--statics", help="From constant states alone: fast, blind to chaos.")
    ] = False,
    json: JsonFlag = False,
    output: Outputs = None,
    plot: PlotFile = None,
) -> None:
    """Which states exist where: a phase diagram over two swept parameters.

    Example: dmft phase gated g_h=1:4:61 alpha_r=0:20:41 -o phase.nc --plot phase.png

    The first swept parameter runs to the right, the second upwards. Diagrams are written as .nc, .csv
    or .json. Exit code 0: all points are decided, 2: bad input, 3: some are not.
    """
    from ..results.sheet import PHASE_SUFFIXES

    given = parse_assignments(assignments or [])
    accuracy = parse_number(tol, "tol", "a number between 0 and 1, like 1e-8")
    outputs = check_outputs(output or [], PHASE_SUFFIXES, option="-o")
    figure = None if plot is None else check_output(plot, FIGURE_SUFFIXES, option="--plot")

    from ..api import phase as draw

    with working("computing the phase diagram"):
        diagram = draw(model, given, tol=accuracy, statics=statics)
    diagram = replace(diagram, command=command_of(context))
    if json:
        print_json(diagram.to_json())
    for path in outputs:
        diagram.save(path)
    if figure is not None:
        diagram.plot(figure)
    if not json:
        rows = [(name, f"{100 * share:.1f}%") for name, share in diagram.shares.items()]
        rows += [(f"time {diagram.seconds:.1f} s", "")]
        print_table(f"{diagram.model} {diagram.across}, {diagram.up}", ("region", "share"), rows)
    if diagram.message:
        note(f"left out: {diagram.message}")
    if "undecided" in diagram.shares:
        note("some points could not be decided")
        raise typer.Exit(3)
