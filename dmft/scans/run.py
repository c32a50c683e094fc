"""Running a scan: pieces to workers, finished ones to the journal, the whole to its files."""

from __future__ import annotations

from collections.abc import Generator, Mapping, Sequence
from contextlib import ExitStack, closing, suppress
from pathlib import Path
from typing import TYPE_CHECKING

from ..errors import DmftError, InputError, quoted
from ..output import check_outputs
from ..parameters import Sweep, merge_parameters
from ..results.scan import Scan
from ..results.sheet import SCAN_SUFFIXES
from .journal import Journal, journal_path
from .point import PieceResult, Row
from .problem import ScanProblem, declare
from .watch import Silent, Watch

if TYPE_CHECKING:
    from ..codegen.source import ModelSource

__all__ = ["scan"]


def scan(
    model: ModelSource,
    parameters: Mapping[str, float | Sweep | Sequence[float]] | None = None,
    /,
    *,
    branch: str = "auto",
    tol: float = 1e-10,
    method: str = "auto",
    seed: int | None = None,
    lyapunov: bool = True,
    workers: int | None = None,
    scheduler: str | None = None,
    output: str | Path | Sequence[str | Path] | None = None,
    watch: Watch | None = None,
    command: str | None = None,
    **more_parameters: float | Sweep | Sequence[float],
) -> Scan:
    """Solve the stationary equations at every combination of swept parameters.

    Every point is what `dmft.solve` returns there, without its lags. The digits do not depend on
    the number of workers.

    Parameters
    ----------
    model
        As in `dmft.solve`.
    parameters, **more_parameters
        Numbers, and a `dmft.Sweep` or a sequence of numbers for each axis. The last axis varies
        fastest.
    branch, tol, method, seed, lyapunov
        As in `dmft.solve`, for every point.
    workers
        Processes on this machine; by default one per core, and no more than there is work for.
    scheduler
        Address of a dask.distributed scheduler, instead of ``workers`` (extra ``distributed``).
    output
        One file or several (.nc, .csv, .json) to save the result in. Until it is saved, finished
        points lie in a journal beside the first of them; the same call made again after an
        interruption goes on from there.
    watch
        Told how far it is.
    command
        For the result's header.

    Returns
    -------
    Scan
        Look at ``status``: points without an answer are NaN.

    Raises
    ------
    InputError
        Bad names or values, and a journal that belongs to another scan.
    DmftError
        When a worker dies or the journal cannot be written; what was finished is kept.
    KeyboardInterrupt
        On Ctrl-C; its text says what was finished and how to go on.

    Examples
    --------
    >>> import dmft
    >>> from dmft.scans import scan
    >>> found = scan("gated", g_h=dmft.Sweep(1, 3, 3), alpha_r=[0, 5], workers=1)
    >>> found.branch.tolist()
    [['zero', 'zero'], ['zero', 'zero'], ['chaotic', 'chaotic']]
    """
    problem = declare(
        model,
        merge_parameters(parameters, more_parameters),
        branch=branch,
        tol=tol,
        method=method,
        seed=seed,
        lyapunov=lyapunov,
    )
    processes = _check_workers(workers, scheduler)
    paths = [output] if isinstance(output, str | Path) else list(output or [])
    targets = check_outputs(paths, SCAN_SUFFIXES)
    journal = _journal(targets, problem)
    done = {} if journal is None else journal.read()
    watch = Silent() if watch is None else watch
    try:
        _complete(problem, done, journal, processes, scheduler, watch)
    finally:
        watch.finished()
    result = Scan.from_rows(
        [row for start in sorted(done) for row in done[start]],
        model=problem.model,
        axes=problem.axes,
        fixed=problem.fixed,
        fields=problem.fields,
        units=problem.units,
        options=problem.options,
        versions=problem.versions,
        command=command,
        model_hash=problem.model_hash,
    )
    for target in targets:
        result.save(target)
    if journal is not None:
        journal.remove()
    return result


def _journal(targets: Sequence[Path], problem: ScanProblem) -> Journal | None:
    """Beside the first output, unless there is one beside another."""
    paths = [journal_path(target) for target in targets]
    existing = [path for path in paths if path.exists()]
    return Journal((existing or paths)[0], problem) if paths else None


def _complete(
    problem: ScanProblem,
    done: dict[int, list[Row]],
    journal: Journal | None,
    workers: int | None,
    scheduler: str | None,
    watch: Watch,
) -> None:
    """Compute the pieces that are missing in ``done`` and add them."""
    missing = [piece for piece in problem.pieces if piece.start not in done]
    # both ends first: what a theory does not cover shows at once, not after hours
    missing = [*missing[:1], *missing[1:][-1:], *missing[1:-1]]
    with ExitStack() as stack:
        where, results = _engine(problem, missing, workers, scheduler, stack)
        watch.started(problem.size, _points(done), where)
        _collect(problem, done, journal, results, watch)


def _collect(
    problem: ScanProblem,
    done: dict[int, list[Row]],
    journal: Journal | None,
    results: Generator[PieceResult, None, None],
    watch: Watch,
) -> None:
    """Results to the journal and to ``done`` as they come."""
    try:
        with closing(results):
            for result in results:
                _check_versions(problem, result)
                if journal is not None:
                    journal.append(result.start, result.rows)
                done[result.start] = result.rows
                watch.advanced(len(result.rows))
    except InputError:
        raise
    except (DmftError, KeyboardInterrupt) as exc:
        reason = "interrupted" if isinstance(exc, KeyboardInterrupt) else str(exc)
        kind = KeyboardInterrupt if isinstance(exc, KeyboardInterrupt) else DmftError
        raise kind(f"{reason}: {_kept(problem, done, journal)}") from None


def _engine(
    problem: ScanProblem,
    pieces: Sequence[range],
    workers: int | None,
    scheduler: str | None,
    stack: ExitStack,
) -> tuple[str, Generator[PieceResult, None, None]]:
    """In words where the pieces are computed, and their results as they come."""
    from ..codegen import compiled_theory
    from .processes import default_workers, on_processes, one_by_one

    work = map(problem.piece, pieces)
    compiled_theory(problem.source)  # once, before the workers look for it in the cache on disk
    if scheduler is not None and pieces:
        from .cluster import connected, on_cluster

        client = stack.enter_context(connected(scheduler))
        return f"on {scheduler}", on_cluster(work, client)
    count = min(default_workers() if workers is None else workers, len(pieces))
    if count <= 1:
        return "in 1 process", one_by_one(work)
    return f"in {count} processes", on_processes(work, count)


def _check_workers(workers: int | None, scheduler: str | None) -> int | None:
    if workers is None:
        return None
    if isinstance(workers, bool) or not isinstance(workers, int) or workers < 1:
        raise InputError(f"workers: {quoted(workers)} is not allowed; give a whole number >= 1")
    if scheduler is not None:
        raise InputError("workers: the scheduler's workers are used; give only one of the two")
    return workers


def _check_versions(problem: ScanProblem, result: PieceResult) -> None:
    """Numbers of other versions must not be mixed in under the header of this one."""
    for name, version in problem.versions.items():
        other = result.versions.get(name, "none")
        if other != version:
            raise DmftError(
                f"a worker has {name} {other} instead of {version}; install the same versions on "
                "all machines"
            )


def _points(done: Mapping[int, Sequence[Row]]) -> int:
    return sum(len(rows) for rows in done.values())


def _kept(problem: ScanProblem, done: Mapping[int, Sequence[Row]], journal: Journal | None) -> str:
    """How much is done and how to go on. What lies on the disk counts, whenever Ctrl-C came."""
    kept = done
    if journal is not None:
        with suppress(InputError):
            kept = journal.read()
    count = f"{_points(kept)} of {problem.size} points are done"
    if journal is None:
        return f"{count} and lost, since no output was given"
    if not kept:
        return count
    return f"{count} and kept in {journal.path}; the same command or call goes on from there"
