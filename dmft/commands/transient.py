"""``dmft transient``: two-time solution from a given start, with parameters that change."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ..errors import InputError, quoted
from ..output import FIGURE_SUFFIXES, check_output, check_outputs
from ..parameters import parse_assignments, parse_number
from .changes import parse_changes, parse_starts
from .options import Assignments, JsonFlag, ModelName, Outputs, PlotFile, command_of
from .terminal import print_json, print_table, working
from .work import leave, work_folder

if TYPE_CHECKING:
    from ..results.transient import Transient

Texts = list[str] | None


def transient(
    context: typer.Context,
    model: ModelName,
    assignments: Assignments = None,
    until: Annotated[str, typer.Option(metavar="TIME", help="The last time.")] = "",
    start: Annotated[
        Texts,
        typer.Option(
            metavar="FIELD=VARIANCE[:MEAN[:DISTRIBUTION]]",
            help="Start of a field: gaussian, uniform or binary; others start at 0.",
        ),
    ] = None,
    step: Annotated[
        Texts, typer.Option(metavar="NAME=VALUE@TIME", help="From then on the new value.")
    ] = None,
    ramp: Annotated[
        Texts,
        typer.Option(metavar="NAME=[FROM:]TO@START:END", help="In a straight line to a value."),
    ] = None,
    pulse: Annotated[
        Texts, typer.Option(metavar="NAME=VALUE@START:END", help="For a while another value.")
    ] = None,
    precision: Annotated[
        str, typer.Option(metavar="NUMBER", help="Largest error of C(t,t) over max C(t,t).")
    ] = "0.02",
    paths: Annotated[
        str, typer.Option(metavar="COUNT", help="Sampled gate paths in each population.")
    ] = "1024",
    populations: Annotated[
        str, typer.Option(metavar="COUNT", help="Populations; at least 2 for error bars.")
    ] = "8",
    seed: Annotated[str, typer.Option(metavar="NUMBER", help="Of the random numbers.")] = "0",
    workers: Annotated[
        str, typer.Option(metavar="COUNT", help="Processes; they change no digit.")
    ] = "1",
    memory: Annotated[str, typer.Option(metavar="GB", help="Memory allowed.")] = "2",
    time_limit: Annotated[
        str | None, typer.Option(metavar="SECONDS", help="Stop after so long.")
    ] = None,
    checkpoint: Annotated[
        str | None,
        typer.Option(
            metavar="FOLDER", help="Keeps unfinished work; by default FILE.work beside the output."
        ),
    ] = None,
    json: JsonFlag = False,
    output: Outputs = None,
    plot: PlotFile = None,
) -> None:
    """Follow a network from its start through steps, ramps and pulses of its parameters.

    Example: dmft transient gated g_h=3 alpha_z=20 alpha_r=5 --until 40 --start h=0.01 --step
    beta_r=8@10 -o out.nc --plot out.png

    Results are written as .nc, .csv or .json. At Ctrl-C or the time limit what is finished is written
    with the status interrupted, and the same command goes on from there. Exit code 0: error below the
    precision, 2: bad input, 3: above it or time limit, 130: interrupted.
    """
    from ..results.sheet import TRANSIENT_SUFFIXES

    given: dict[str, Any] = dict(parse_assignments(assignments or []))
    if not until:
        raise InputError("--until: give the last time, in leak times, like --until 40")
    options: dict[str, Any] = {
        "until": parse_number(until, "--until", "a time > 0"),
        "start": parse_starts(start or []),
        "changes": parse_changes(step or [], ramp or [], pulse or []),
        "precision": parse_number(precision, "--precision", "a number like 0.02"),
        "paths": _whole(paths, "--paths"),
        "populations": _whole(populations, "--populations"),
        "seed": _whole(seed, "--seed"),
        "workers": _whole(workers, "--workers"),
        "memory": 1e9 * parse_number(memory, "--memory", "a number of gigabytes"),
        "time_limit": None
        if time_limit is None
        else parse_number(time_limit, "--time-limit", "a number of seconds"),
    }
    outputs = check_outputs(output or [], TRANSIENT_SUFFIXES, option="-o")
    figure = None if plot is None else check_output(plot, FIGURE_SUFFIXES, option="--plot")
    folder = work_folder(checkpoint, outputs)

    from ..run_transient import transient as run

    with working(f"following {model}") as say:

        def report(share: float) -> None:
            if say is not None:
                say(f"{100 * share:.0f}%")

        found = run(model, given, checkpoint=folder, progress=report, **options)
    found = replace(found, command=command_of(context))
    if json:
        print_json(found.to_json())
    else:
        _print(found)
    if found.time.size:
        for path in outputs:
            found.save(path)
        if figure is not None:
            found.plot(figure)
    leave(found.status, found.message, folder, keep=checkpoint is not None)


def _whole(text: str, option: str) -> int:
    if not text.isascii() or not text.isdigit() or len(text) > 9:
        raise InputError(f"{option}: {quoted(text)} is not allowed; give a whole number")
    return int(text)


def _print(found: Transient) -> None:
    from ..results.transient_display import transient_head, transient_line, transient_rows

    if found.time.size:
        print_table(transient_line(found), transient_head(found), transient_rows(found))
        parts = ("sampling", "step", "bias", "total")
        sizes = {name: found.error_estimate.get(name) for name in parts}
        told = ", ".join(f"{k} {'-' if v is None else f'{v:.1e}'}" for k, v in sizes.items())
        print(f"largest error of C(t,t) over its maximum: {told}; {found.seconds:.1f} s")
