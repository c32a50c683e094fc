"""``dmft solve``: the stationary solution of a model at given parameters."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ..output import FIGURE_SUFFIXES, check_output, check_outputs
from ..parameters import parse_assignments, parse_number
from .options import Assignments, JsonFlag, ModelName, Outputs, PlotFile, command_of
from .terminal import note, print_json, print_table, working
from .work import leave, work_folder

if TYPE_CHECKING:
    from ..results.solution import Solution


def solve(
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
    digits: Annotated[
        int | None, typer.Option(help="Refine a chaotic state to so many digits, 10 to 40.")
    ] = None,
    precision: Annotated[
        str | None,
        typer.Option(metavar="NUMBER", help="Relative error of C(0) where paths are sampled."),
    ] = None,
    seed: Annotated[int | None, typer.Option(help="Of sampled paths; 0 by default.")] = None,
    workers: Annotated[
        int, typer.Option(min=1, max=1024, help="Processes that sample; they change no digit.")
    ] = 1,
    time_limit: Annotated[
        str | None, typer.Option(metavar="SECONDS", help="Stop sampling after so long.")
    ] = None,
    checkpoint: Annotated[
        str | None,
        typer.Option(
            metavar="FOLDER",
            help="Keeps unfinished sampling; by default FILE.work beside the output.",
        ),
    ] = None,
    json: JsonFlag = False,
    output: Outputs = None,
    plot: PlotFile = None,
) -> None:
    """Solve the mean-field equations: autocorrelations and the largest Lyapunov exponent.

    Example: dmft solve gated g_h=3 alpha_r=5 -o result.nc --plot result.png

    Results are written as .nc, .csv, .json or .npz. Where paths are sampled, Ctrl-C or the time limit
    leave what is known with the status interrupted, and the same command goes on from there. Exit
    code 0: solved, 2: bad input, 3: no answer or time limit, 130: interrupted.
    """
    from ..results.sheet import SOLUTION_SUFFIXES

    given: dict[str, Any] = dict(parse_assignments(assignments or []))
    accuracy = parse_number(tol, "tol", "a number between 0 and 1, like 1e-10")
    outputs = check_outputs(output or [], SOLUTION_SUFFIXES, option="-o")
    figure = None if plot is None else check_output(plot, FIGURE_SUFFIXES, option="--plot")

    options: dict[str, Any] = {} if seed is None else {"seed": seed}
    if workers != 1:
        options["workers"] = workers
    if time_limit is not None:
        options["time_limit"] = parse_number(time_limit, "--time-limit", "a number of seconds")
    if precision is not None:
        options["precision"] = parse_number(precision, "precision", "a number like 3e-3")

    if folder := work_folder(checkpoint, outputs):
        options["checkpoint"] = folder
    if digits is not None:
        options["digits"] = digits

    from ..api import solve as solve_model

    with working(f"solving {model}") as say:
        if report := say or (note if digits is not None else None):
            options["progress"] = report
        solution = solve_model(model, given, branch=branch, tol=accuracy, method=method, **options)
    solution = replace(solution, command=command_of(context))
    if json:
        print_json(solution.to_json())
    whole = solution.status.is_answer
    stopped = solution.status == "interrupted"
    written = whole or (stopped and solution.lag.size > 0)
    if written:
        for path in outputs:
            solution.save(path)
        if figure is not None:
            solution.plot(figure)
        if not json:
            _print(solution, digits)
    message = (
        solution.message if whole else _without_answer(solution, bool(outputs or figure), written)
    )
    used = folder if solution.method == "sampled" else None
    leave(solution.status, "" if json and whole else message, used, keep=checkpoint is not None)
    if digits and not solution.digits:
        raise typer.Exit(3)


def _without_answer(solution: Solution, wanted: bool, written: bool) -> str:
    """What ends without an answer; how it was stopped comes first."""
    reason = solution.message or f"{solution.status.explanation} ({solution.status})"
    if solution.status != "interrupted":
        reason = f"{solution.status}: {solution.message or solution.status.explanation}"
    return f"{reason}; no file written" if wanted and not written else reason


def _print(solution: Solution, digits: int | None) -> None:
    from ..results.display import settings, solution_rows

    title = f"{solution.model} {settings(solution.parameters.items())}"
    if solution.method == "factorised":
        title += ": factorised closure, an approximation"
    print_table(title, ("quantity", "value", "error estimate"), solution_rows(solution))
    if solution.digits:
        print_table(f"{digits} digits", ("quantity", "value"), list(solution.digits.items()))
