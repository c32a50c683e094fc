"""``dmft validate``: theory against simulated networks, from the command line.

`dmft.cli` finds this function by its entry point and registers it.
"""

from __future__ import annotations

from typing import Annotated

import typer

from dmft.commands.options import Assignments, JsonFlag, ModelName, Outputs, PlotFile, command_of


def validate(
    context: typer.Context,
    model: ModelName,
    assignments: Assignments = None,
    n: Annotated[str, typer.Option("--n", metavar="N", help="Units per network.")] = "2000",
    realizations: Annotated[
        str, typer.Option(metavar="COUNT", help="Independent networks of N units.")
    ] = "8",
    seed: Annotated[str, typer.Option(metavar="SEED", help="Seed of all random numbers.")] = "0",
    branch: Annotated[
        str, typer.Option(help="auto, zero, fixed-point or chaotic; as in dmft solve.")
    ] = "auto",
    json: JsonFlag = False,
    output: Outputs = None,
    plot: PlotFile = None,
) -> None:
    """Hold the theory against simulated networks: autocorrelations and the Lyapunov exponent.

    Example: dmft validate gated g_h=3 alpha_r=5 --plot validation.png

    Prints the estimated time first (on stderr). The report is written as .json. Exit code 0: pass,
    1: fail or inconclusive, 2: bad input, 3: no theory to compare with, 130: interrupted.
    """
    from dmft.output import FIGURE_SUFFIXES, check_output, check_outputs
    from dmft.parameters import parse_assignments

    given = parse_assignments(assignments or [])
    units, networks = _whole("--n", n), _whole("--realizations", realizations)
    start = _whole("--seed", seed)
    outputs = check_outputs(output or [], (".json",), option="-o")
    figure = None if plot is None else check_output(plot, FIGURE_SUFFIXES, option="--plot")

    from .validate import validate as run

    report = run(
        model,
        given,
        n=units,
        realizations=networks,
        seed=start,
        branch=branch,
        command=command_of(context),
    )
    for path in outputs:
        report.save(path)
    if figure is not None and report.rows:
        report.plot(figure)
    typer.echo(report.to_json() if json else report.table)
    if not report.rows:
        raise typer.Exit(3)
    if not report.passed:
        raise typer.Exit(1)


def _whole(option: str, text: str) -> int:
    """A whole number from the command line; its range is checked by the function that uses it."""
    from dmft.errors import InputError, quoted

    try:
        if not text.isascii() or len(text) > 30:
            raise ValueError
        return int(text)
    except ValueError:
        raise InputError(f"{option}: {quoted(text)} was given, a whole number is allowed") from None
