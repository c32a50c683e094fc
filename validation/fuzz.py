"""Random parameters against the stationary solver: python -m dmft.validation.fuzz -o fuzz.jsonl

Every set must end in an answer that obeys its equations on a finer grid, or in a status that says there
is none; one that takes longer than the cap is `budget-exceeded`. The cap counts wall-clock time; on a
machine with other work ``--clock processor`` counts processor time. Sets are determined by seed and
index alone. What is done lies in the journal: the same command after an interruption goes on,
and examines again what other code has examined (``--mixed`` keeps it, and says so).

Exit code 0: no failure, and less than 2% budget-exceeded; 1: else; 2: bad input; 130: interrupted.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import sys
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from multiprocessing.connection import wait
from pathlib import Path
from typing import Any

import numpy as np

from dmft.errors import DmftError, InputError

from .fuzz_draw import draw
from .fuzz_examine import ACCURACY, FAILURES, VERDICTS, examine
from .fuzz_worker import CLOCKS, Examine, Worker
from .journal import Journal, key_of

__all__ = ["CAP", "LARGEST_SHARE", "FuzzReport", "fuzz", "main"]

#: Seconds for one set.
CAP = 30.0
#: Of sets that may end in budget-exceeded.
LARGEST_SHARE = 0.02
#: Longest wait for a message, in seconds: how late a cap can be noticed.
_TICK = 0.2


@dataclass(frozen=True)
class FuzzReport:
    """Records by index, and what they amount to."""

    records: Mapping[int, Mapping[str, Any]]
    cap: float

    def count(self, *verdicts: str) -> int:
        """How many sets ended so."""
        return sum(r["verdict"] in verdicts for r in self.records.values())

    @property
    def passed(self) -> bool:
        """No failure, and few enough that were not finished."""
        exceeded = self.count("budget-exceeded")
        return not self.count(*FAILURES) and exceeded < max(1, LARGEST_SHARE * len(self.records))

    @property
    def text(self) -> str:
        """The counts, the times and every failure with its parameters."""
        records = self.records
        lines = [f"{len(records)} sets"]
        lines += [f"{self.count(v):6} {v}" for v in VERDICTS if self.count(v)]
        rough = [
            max(r["violation"].values())
            for r in records.values()
            if r["verdict"] == "verified" and r.get("violation")
        ]
        rough = [size for size in rough if size > ACCURACY]
        if rough:
            lines.append(
                f"{len(rough)} verified only to their own error estimates: they violate the "
                f"equations by more than {ACCURACY:g}, at most {max(rough):.1e}"
            )
        outcomes = Counter(
            (r.get("branch", "none"), r.get("status", r["verdict"])) for r in records.values()
        )
        lines += [f"{n:6} {branch}, {status}" for (branch, status), n in sorted(outcomes.items())]
        codes = Counter(r["code"] for r in records.values())
        if len(codes) > 1:
            lines.append("by different code: " + ", ".join(f"{n} by {c}" for c, n in codes.items()))
        for name, what in (("seconds", "wall-clock"), ("processor_seconds", "processor")):
            spent = np.array([r[name] for r in records.values()])
            late = float(np.mean(spent >= self.cap))
            median, most = np.percentile(spent, (50, 95))
            lines.append(
                f"{what} seconds: median {median:.2f}, 95% below {most:.2f}, "
                f"longest {np.max(spent):.1f}; {late:.2%} at {self.cap:g} or more"
            )
        share = self.count("budget-exceeded") / len(records)
        lines.append(f"budget-exceeded: {share:.2%} (less than {LARGEST_SHARE:.0%} allowed)")
        for index, record in sorted(records.items()):
            if record["verdict"] in (*FAILURES, "budget-exceeded"):
                lines.append(line_of(index, record))
        return "\n".join(lines)


def line_of(index: int, record: Mapping[str, Any]) -> str:
    """One set in one line, to be given to ``dmft solve gated``."""
    given = " ".join(f"{name}={value:.6g}" for name, value in record["parameters"].items())
    outcome = " ".join(record[name] for name in ("branch", "status") if name in record)
    return f"{index} {record['verdict']}: {outcome} {record['message']}\n    {given}"


def fuzz(
    *,
    sets: Sequence[int],
    seed: int = 0,
    workers: int = 1,
    cap: float = CAP,
    clock: str = "wall",
    journal: Journal | None = None,
    mixed: bool = False,
    told: Callable[[int, Mapping[str, Any]], None] = lambda index, record: None,
    examined: Examine = examine,
) -> FuzzReport:
    """Examine sets of a seed by index, each within ``cap`` seconds; ``told`` hears of each as it ends.

    ``journal`` holds those of before; those that other code examined count only if ``mixed``.
    """
    journal = Journal() if journal is None else journal
    code = code_of_package()
    parameters = {index: draw(seed, index) for index in sets}
    keys = {
        index: key_of({"parameters": p, "cap": cap, "clock": clock})
        for index, p in parameters.items()
    }
    missing = [
        i for i in sets if keys[i] not in journal or not (mixed or journal[keys[i]]["code"] == code)
    ]
    for index, record in _examined(missing, parameters, workers, cap, clock, examined):
        whole = {"index": index, "parameters": parameters[index], "code": code, **record}
        journal.put(keys[index], whole)
        told(index, whole)
    return FuzzReport({index: journal[keys[index]] for index in sets}, cap)


def _examined(
    indices: Sequence[int],
    parameters: Mapping[int, Mapping[str, float]],
    workers: int,
    cap: float,
    clock: str,
    examined: Examine,
) -> Iterator[tuple[int, dict[str, Any]]]:
    """Sets and their records, as they end."""
    left = list(reversed(indices))
    crew = [Worker(examined, cap, clock) for _ in range(min(workers, len(left)))]
    try:
        while left or any(worker.index is not None for worker in crew):
            for worker in crew:
                if worker.index is None and left:
                    index = left.pop()
                    worker.give(index, parameters[index])
            busy = [worker for worker in crew if worker.index is not None]
            wait([worker.pipe for worker in busy if worker.pipe is not None], timeout=_TICK)
            for worker in busy:
                given = worker.index
                record = worker.hear()
                if record is not None and given is not None:
                    yield given, record
    finally:
        for worker in crew:
            worker.stop()


def code_of_package() -> str:
    """A hash of the package's source: which code has examined a set."""
    import dmft

    root = Path(dmft.__file__).parent
    total = hashlib.sha256()
    for path in sorted(root.rglob("*.py")):
        total.update(path.relative_to(root).as_posix().encode() + path.read_bytes())
    return total.hexdigest()[:12]


def main(arguments: Sequence[str] | None = None) -> int:
    """The command line."""
    parser = argparse.ArgumentParser(prog="python -m dmft.validation.fuzz", description=__doc__)
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.add_argument("--sets", type=_whole, default=2000, metavar="COUNT", help="default: 2000")
    parser.add_argument("--first", type=_whole, default=0, metavar="INDEX", help="of the first set")
    parser.add_argument("--only", type=_whole, nargs="+", metavar="INDEX", help="these sets")
    parser.add_argument("--seed", type=_whole, default=0)
    parser.add_argument("--workers", type=_whole, default=1, metavar="COUNT", help="processes")
    parser.add_argument("--cap", type=float, default=CAP, help="seconds for one set; default: 30")
    parser.add_argument("--clock", choices=CLOCKS, default="wall", help="what the cap counts")
    parser.add_argument("-o", "--output", metavar="FILE.jsonl", help="the journal")
    parser.add_argument("--mixed", action="store_true", help="keep what other code has examined")
    given = parser.parse_args(arguments)
    wanted = given.only or range(given.first, given.first + given.sets)
    journal = None
    try:
        if not wanted or given.workers < 1 or not given.cap > 0:
            raise InputError("--sets, --workers and --cap must be above 0")
        journal = Journal(None if given.output is None else Path(given.output))
        report = fuzz(
            sets=wanted,
            seed=given.seed,
            workers=given.workers,
            cap=given.cap,
            clock=given.clock,
            journal=journal,
            mixed=given.mixed,
            told=_tell,
        )
    except DmftError as error:
        print(f"error: {error}", file=sys.stderr)
        return error.exit_code
    except KeyboardInterrupt:
        kept = "nothing is kept without -o"
        if journal is not None and journal.path is not None:
            kept = f"what is done is kept in {journal.path}; the same command goes on from there"
        print(f"interrupted: {kept}", file=sys.stderr)
        return 130
    print(report.text)
    return 0 if report.passed else 1


def _tell(index: int, record: Mapping[str, Any]) -> None:
    """A line on stderr as a set ends."""
    told = {name: record.get(name) for name in ("branch", "status", "seconds", "processor_seconds")}
    print(f"{index} {record['verdict']} {json.dumps(told)}", file=sys.stderr, flush=True)


def _whole(text: str) -> int:
    number = int(text)
    if number < 0:
        raise ValueError
    return number


if __name__ == "__main__":
    sys.exit(main())
