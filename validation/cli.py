"""``dmft validate``: theory against simulated networks, from the command line.

`dmft.cli` finds this function by its entry point and registers it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from dmft.commands.options import Assignments, JsonFlag, Outputs, PlotFile, command_of

if TYPE_CHECKING:
    from .case import CaseResult


def validate(
    context: typer.Context,
    model: Annotated[
        str | None,
        typer.Argument(metavar="[MODEL]", help="A name of `dmft models` or a .toml file."),
    ] = None,
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
    all_cases: Annotated[
        bool, typer.Option("--all", help="Run the cases: one for every claim of the theory.")
    ] = False,
    only: Annotated[
        list[str] | None,
        typer.Option("--only", metavar="CASE", help="With --all: this case; may be repeated."),
    ] = None,
    full: Annotated[
        bool, typer.Option("--full", help="With --all: the long settings, minutes to hours.")
    ] = False,
    workers: Annotated[
        str | None, typer.Option(metavar="COUNT", help="Processes; all cores by default.")
    ] = None,
    backend: Annotated[
        str, typer.Option(metavar="NAME", help="numpy, or jax to simulate on a GPU in one process.")
    ] = "numpy",
) -> None:
    """Hold the theory against simulated networks: autocorrelations and the Lyapunov exponent.

    Example: dmft validate gated g_h=3 alpha_r=5 --plot validation.png

    Every claim at once, with a page of figures: dmft validate --all -o report/

    Prints the estimated time first (on stderr). The report is written as .json. Exit code 0: pass,
    1: fail or inconclusive, 2: bad input, 3: no theory to compare with, 130: interrupted.
    """
    from dmft.errors import InputError
    from dmft.output import FIGURE_SUFFIXES, check_output, check_outputs
    from dmft.parameters import parse_assignments

    given = parse_assignments(assignments or [])
    units, networks = _whole("--n", n), _whole("--realizations", realizations)
    start = _whole("--seed", seed)
    processes = None if workers is None else _whole("--workers", workers)
    if all_cases:
        if backend != "numpy":
            raise InputError("--backend belongs to one model; leave it out with --all")
        _all_cases(context, model, start, processes, only or [], full, output or [], json)
        return
    if model is None or only or full:
        what = "no model is given" if model is None else "--only and --full belong to --all"
        raise InputError(f"{what}; try dmft validate gated g_h=3 alpha_r=5 or dmft validate --all")
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
        workers=processes,
        command=command_of(context),
        backend=backend,  # type: ignore[arg-type]  # checked there
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


def _all_cases(
    context: typer.Context,
    model: str | None,
    seed: int,
    workers: int | None,
    only: list[str],
    full: bool,
    output: list[str],
    json: bool,
) -> None:
    """Run the cases, a line each as they end; exit code by the worst verdict."""
    from dmft.errors import InputError, quoted

    from .run_all import run_all, summary_json, worst
    from .watch import Console, duration

    if model is not None:
        raise InputError(f"--all runs every case; leave out the model {quoted(model)}")
    if len(output) > 1:
        raise InputError("-o: with --all give one folder")
    command = command_of(context) or "dmft validate --all"

    def ended(result: CaseResult) -> None:
        judged = sum(row.judged for row in result.rows)
        note = f"  {result.message}" if result.message else ""
        if not json:
            typer.echo(
                f"{result.case.name:24} {result.verdict:13} {judged:3} rows  "
                f"{result.caught}/{len(result.faults)} faults caught  "
                f"{duration(result.seconds)}{note}"
            )

    results = run_all(
        full=full,
        only=only,
        seed=seed,
        workers=workers,
        folder=output[0] if output else None,
        watch=Console(),
        command=command,
        ended=ended,
    )
    verdict = worst(results)
    typer.echo(summary_json(results, command) if json else f"verdict: {verdict}")
    if verdict != "pass":
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
