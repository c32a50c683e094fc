"""``dmft boundary``: a curve on which the kind of solution changes."""

from __future__ import annotations

from dataclasses import replace
from typing import Annotated

import typer

from ..output import FIGURE_SUFFIXES, check_output, check_outputs
from ..parameters import Sweep, parse_assignments, parse_number
from .options import Assignments, JsonFlag, ModelName, Outputs, PlotFile, command_of
from .terminal import note, print_json, print_table, working

#: Decimal digits that tell all doubles apart.
_DOUBLE = 17
#: Longest table that is printed whole.
_ROWS = 60


def boundary(
    context: typer.Context,
    model: ModelName,
    name: Annotated[
        str,
        typer.Argument(
            metavar="BOUNDARY", help="Which one, like fixed-points; a wrong name lists all."
        ),
    ],
    assignments: Assignments = None,
    solve_for: Annotated[
        str | None,
        typer.Option("--solve-for", metavar="NAME", help="The parameter that is the unknown."),
    ] = None,
    tol: Annotated[
        str | None,
        typer.Option(
            metavar="NUMBER", help="Accuracy asked for: 1e-12, for boundaries of chaos 1e-9."
        ),
    ] = None,
    digits: Annotated[
        int | None, typer.Option(metavar="N", help="Prove so many digits (10 to 200).")
    ] = None,
    certify: Annotated[
        bool, typer.Option("--certify", help="Prove all digits that a double has.")
    ] = False,
    json: JsonFlag = False,
    output: Outputs = None,
    plot: PlotFile = None,
) -> None:
    """Locate a boundary between regimes, point by point or along the curve.

    NAME=first:last:points sweeps a parameter over that many values, both ends included;
    NAME=first:last follows the boundary in it, with points as dense as the curve bends.

    Example: dmft boundary gated fixed-points alpha_r=0:50:51 -o curve.csv --plot curve.png

    Curves are written as .csv, .json or .nc. Exit code 0: every point has an answer, 2: bad
    input, 3: some point has none (the status column says why).
    """
    from ..results.sheet import CURVE_SUFFIXES

    given = parse_assignments(assignments or [])
    accuracy = (
        None if tol is None else parse_number(tol, "tol", "a number between 0 and 1, like 1e-12")
    )
    outputs = check_outputs(output or [], CURVE_SUFFIXES, option="-o")
    figure = None
    if plot is not None:
        from ..results.figures import check_sweep

        check_sweep(key for key, value in given.items() if isinstance(value, Sweep))
        figure = check_output(plot, FIGURE_SUFFIXES, option="--plot")

    from ..api import boundary as locate

    with working(f"locating {name}"):
        curve = locate(
            model,
            name,
            given,
            solve_for=solve_for,
            tol=accuracy,
            digits=_DOUBLE if certify and digits is None else digits,
        )
    curve = replace(curve, command=command_of(context))
    if json:
        print_json(curve.to_json())
    answered = int(curve.answered.sum())
    if answered:
        for path in outputs:
            curve.save(path)
        if figure is not None:
            curve.plot(figure)
    if not json:
        _print(curve)
    if curve.message:
        note(curve.message)
    if answered < len(curve):
        unwritten = "; no file written" if not answered and (outputs or figure) else ""
        note(f"{len(curve) - answered} of {len(curve)} points have no answer{unwritten}")
        raise typer.Exit(3)


def _print(curve: object) -> None:
    from ..results.curve import BoundaryCurve
    from ..results.display import curve_rows, settings

    assert isinstance(curve, BoundaryCurve)
    rows = curve_rows(curve)
    if len(rows) > _ROWS:
        half = _ROWS // 2
        rows = [*rows[:half], ("...",) * len(rows[0]), *rows[-half:]]
    title = f"{curve.model} {curve.boundary} {settings(curve.fixed.items())}"
    print_table(title, (*curve.columns, "error", "status", "segment"), rows)
    for row, interval in zip(curve_rows(curve), curve.enclosure, strict=False):
        if interval:
            place = [f"{name}={x}" for name, x in zip(curve.sweep, row, strict=False)]
            print(" ".join([*place, f"{curve.solve_for} = {interval}"]))
