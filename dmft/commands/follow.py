"""``dmft follow``: all states over one parameter, through their folds."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import typer

from ..output import FIGURE_SUFFIXES, check_output, check_outputs
from ..parameters import parse_assignments
from .options import Assignments, JsonFlag, ModelName, Outputs, PlotFile, command_of
from .terminal import note, print_json, print_table, working

if TYPE_CHECKING:
    from ..results.branches import BranchDiagram


def follow(
    context: typer.Context,
    model: ModelName,
    assignments: Assignments = None,
    json: JsonFlag = False,
    output: Outputs = None,
    plot: PlotFile = None,
) -> None:
    """Follow rest, fixed points and chaos over one parameter: a bifurcation diagram.

    NAME=first:last names the parameter; points are chosen as the curves bend.

    Example: dmft follow gated g_h=1.5:2.5 alpha_r=10 -o branches.csv --plot branches.png

    Branches are written as .csv, .json or .nc. Exit code 0: every curve reached an end of the range or a
    birth, 2: bad input, 3: a curve was lost or a point could not be checked (a note says which).
    """
    from ..results.sheet import BRANCHES_SUFFIXES

    given = parse_assignments(assignments or [])
    outputs = check_outputs(output or [], BRANCHES_SUFFIXES, option="-o")
    figure = None if plot is None else check_output(plot, FIGURE_SUFFIXES, option="--plot")

    from ..follow_branches import follow as run

    with working("following branches"):
        diagram = run(model, given)
    diagram = replace(diagram, command=command_of(context))
    if json:
        print_json(diagram.to_json())
    for path in outputs:
        diagram.save(path)
    if figure is not None and diagram.branches:
        diagram.plot(figure)
    if not json:
        _print(diagram)
    if diagram.message:
        note(diagram.message)
        raise typer.Exit(3)


def _print(diagram: BranchDiagram) -> None:
    from ..results.display import branch_rows, event_rows, settings

    title = f"{diagram.model} {settings(diagram.fixed.items())}"
    head = ("branch", "kind", "points", diagram.along, f"variance {diagram.fields[0]}", "ends")
    print_table(title, head, branch_rows(diagram))
    if events := event_rows(diagram):
        print_table("", ("branch", "point", diagram.along, "error", "amplitude"), events)
