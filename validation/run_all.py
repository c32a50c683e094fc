"""All cases: run, resumed where they were interrupted, with a page and a summary for machines."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from dmft.errors import InputError, did_you_mean, quoted
from dmft.output import check_output, write_whole
from dmft.results.provenance import versions
from dmft.results.record import SCHEMA, strict_json

from .case import CaseResult, case_names, get_case, run_case
from .journal import Journal
from .page import case_section, report_page
from .simulate import default_workers
from .theories import theories_ahead
from .watch import Watch

__all__ = ["run_all", "summary_json", "worst"]


def run_all(
    *,
    full: bool = False,
    only: Sequence[str] = (),
    seed: int = 0,
    workers: int | None = None,
    folder: str | Path | None = None,
    watch: Watch,
    command: str = "",
    ended: Callable[[CaseResult], None] = lambda result: None,
) -> tuple[CaseResult, ...]:
    """Run all cases, or those named ``only``, and write ``index.html`` and ``summary.json``.

    ``folder`` receives both, and the measurements in ``measured/``: a second run with the same
    settings takes them up, so that an interrupted one resumes. None writes nothing. The page is
    written anew after every case, and ``ended`` is called. Raises `InputError` for an unknown case or an
    unwritable folder.
    """
    known = case_names()
    for name in only:
        if name not in known:
            raise InputError(
                f"--only: there is no case {quoted(name)}{did_you_mean(name, known)}; "
                f"cases: {', '.join(known)}"
            )
    target = None if folder is None else _prepared(Path(folder))
    setting, processes = "full" if full else "quick", workers or default_workers()
    done: list[CaseResult] = []
    sections: list[str] = []
    with theories_ahead(only or known, setting, processes) as theories:
        for name in only or known:
            path = None if target is None else target / "measured" / f"{name}.jsonl"
            result = run_case(
                get_case(name),
                setting,
                seed=seed,
                workers=processes,
                journal=Journal(path),
                watch=watch,
                theories=theories,
            )
            done.append(result)
            ended(result)
            if target is not None:
                sections.append(case_section(result))
                _write(target, done, sections, command)
    return tuple(done)


def _prepared(folder: Path) -> Path:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        reason = error.strerror or str(error)
        raise InputError(f"-o: {quoted(str(folder), 200)} cannot be made ({reason})") from None
    check_output(folder / "summary.json", (".json",), option="-o")
    return folder


def _write(
    folder: Path, results: Sequence[CaseResult], sections: Sequence[str], command: str
) -> None:
    known = versions("joblib", "matplotlib")
    page = report_page(results, sections, command=command, versions=known)
    for name, text in (("index.html", page), ("summary.json", summary_json(results, command))):

        def fill(path: Path, text: str = text) -> None:
            path.write_text(text, encoding="utf-8")

        write_whole(folder / name, fill, option="-o")


def summary_json(results: Sequence[CaseResult], command: str) -> str:
    """Verdicts and rows as one strict JSON object; missing numbers are null."""
    body: dict[str, Any] = {
        "schema": SCHEMA,
        "kind": "validation-summary",
        "verdict": worst(results),
        "command": command,
        "versions": versions("joblib"),
        "cases": [
            {
                "name": r.case.name,
                "title": r.case.title,
                "setting": r.setting,
                "settings": dict(r.case.settings[r.setting]),
                "seed": r.seed,
                "verdict": r.verdict,
                "message": r.message,
                "faults": dict(r.faults),
                "seconds": r.seconds,
                "rows": [asdict(row) for row in r.rows],
            }
            for r in results
        ],
    }
    return strict_json(body)


def worst(results: Sequence[CaseResult]) -> str:
    """The verdict on all: "fail" before "inconclusive" before "pass"; what is not built does not count."""
    verdicts = {r.verdict for r in results}
    for verdict in ("fail", "inconclusive", "pass"):
        if verdict in verdicts:
            return verdict
    return "inconclusive"
