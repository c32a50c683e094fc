"""``dmft scan``: stationary solutions on a grid of parameters."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from ..errors import InputError, quoted
from ..output import FIGURE_SUFFIXES, check_output, check_outputs
from ..parameters import Sweep, parse_assignments, parse_number
from .options import Assignments, JsonFlag, ModelName, Outputs, PlotFile, command_of
from .terminal import note, print_json, print_table

if TYPE_CHECKING:
    from ..results.scan import Scan

#: Longest table that is printed whole.
_ROWS = 60


def scan(
    context: typer.Context,
    model: ModelName,
    assignments: Assignments = None,
    branch: Annotated[
        str,
        typer.Option(
            help="auto, zero, fixed-point, fixed-point-lower, chaotic or chaotic-lower.",
        ),
    ] = "auto",
    tol: Annotated[str, typer.Option(metavar="NUMBER", help="Accuracy asked for.")] = "1e-10",
    method: Annotated[str, typer.Option(help="How to solve; auto chooses.")] = "auto",
    lyapunov: Annotated[
        bool,
        typer.Option("--lyapunov/--no-lyapunov", help="With the Lyapunov exponent or without."),
    ] = True,
    workers: Annotated[
        str | None,
        typer.Option(metavar="COUNT", help="Processes; by default one per core."),
    ] = None,
    scheduler: Annotated[
        str | None,
        typer.Option(metavar="ADDRESS", help="A dask.distributed scheduler instead, tcp://..."),
    ] = None,
    json: JsonFlag = False,
    output: Outputs = None,
    plot: PlotFile = None,
    quantity: Annotated[
        str | None,
        typer.Option(metavar="NAME", help="The column to draw; by default lyapunov."),
    ] = None,
) -> None:
    """Solve at every combination of swept parameters, on all cores or a cluster.

    NAME=first:last:points sweeps a parameter over that many values, both ends included. The last
    one varies fastest.

    Example: dmft scan gated g_h=1:4:31 alpha_r=0:20:21 -o scan.nc --plot scan.png

    Scans are written as .nc, .csv or .json. Finished points are kept beside the output: after an
    interruption the same command goes on from there. Exit code 0: every point has an answer, 2: bad
    input, 3: some point has none (the status column says why) or a worker died, 130: interrupted.
    """
    from ..results.sheet import SCAN_SUFFIXES

    given = parse_assignments(assignments or [])
    accuracy = parse_number(tol, "tol", "a number between 0 and 1, like 1e-10")
    count = None if workers is None else _whole(workers)
    outputs = check_outputs(output or [], SCAN_SUFFIXES, option="-o")
    figure = None if plot is None else check_output(plot, FIGURE_SUFFIXES, option="--plot")
    if figure is None and quantity is not None:
        raise InputError("--quantity: it says what --plot draws; give --plot, too")
    if figure is not None:
        from ..results.figures import check_sweep
        from ..results.scan_figure import check_quantity

        check_sweep(key for key, value in given.items() if isinstance(value, Sweep))
        check_quantity(model, quantity)

    from ..scans import scan as run
    from .progress import ScanProgress

    progress = ScanProgress(model)
    try:
        found = run(
            model,
            given,
            branch=branch,
            tol=accuracy,
            method=method,
            lyapunov=lyapunov,
            workers=count,
            scheduler=scheduler,
            output=outputs,
            watch=progress,
            command=command_of(context),
        )
    except KeyboardInterrupt as exc:
        note(str(exc) or "interrupted")
        raise typer.Exit(130) from None
    if json:
        print_json(found.to_json())
    else:
        _print(found)
    if figure is not None and found.answered.any():
        found.plot(figure, quantity=quantity)
    missing = len(found) - int(found.answered.sum())
    if missing:
        note(f"{missing} of {len(found)} points have no answer")
        raise typer.Exit(3)


def _whole(text: str) -> int:
    """A number of processes; `dmft.scan` refuses what is below one."""
    if not text.isascii() or not text.isdigit() or len(text) > 6:
        raise InputError(f"--workers: {quoted(text)} is not allowed; give a whole number >= 1")
    return int(text)


def _print(found: Scan) -> None:
    from ..results.display import scan_head, scan_rows, settings

    rows = scan_rows(found)
    if len(rows) > _ROWS:
        half = _ROWS // 2
        rows = [*rows[:half], ("...",) * len(rows[0]), *rows[-half:]]
    title = f"{found.model} {settings(found.fixed.items())}"
    print_table(title, scan_head(found), rows)
