"""A claim of the theory as a case that anyone can rerun: parameters, sizes, seeds, rule, figure.

Everything is fixed beforehand: what is simulated (`measure`, from the declaration alone), what the
theory says (`predict`), which numbers are compared and how (`judge`, rows for `compare.decide`), and
the *faults*: wrong theories that the same measurement must reject, so that a pass means something.
Cases live in `validation/cases/`, one file per claim, each with an object ``CASE``.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from .compare import LEVEL, Row, decide
from .journal import Journal
from .watch import Watch

if TYPE_CHECKING:
    from .theories import Theories

__all__ = ["Case", "CaseResult", "Panel", "Series", "case_names", "get_case", "run_case"]

#: What was simulated, as JSON values: a mapping of names to numbers, texts, lists and mappings.
Measured = Mapping[str, Any]
Settings = Mapping[str, Any]


class Predict(Protocol):
    """A theory from a case's settings; its digits are the same for any number of ``workers``."""

    def __call__(self, settings: Settings, workers: int, /) -> Any: ...


@dataclass(frozen=True, slots=True)
class Series:
    """A line of theory or points of a simulation with their standard errors."""

    label: str
    x: Sequence[float]
    y: Sequence[float]
    error: Sequence[float] | None = None
    points: bool = False


@dataclass(frozen=True, slots=True)
class Panel:
    """One drawing: labelled axes (LaTeX between dollar signs) and what stands in them."""

    xlabel: str
    ylabel: str
    series: tuple[Series, ...]
    logarithmic: tuple[str, ...] = ()


@dataclass(frozen=True)
class Case:
    """One claim. ``settings``: name ("quick", "full") -> sizes and numbers of networks.

    ``measure(theory, settings, seed, workers, journal, watch)`` simulates; ``predict(settings, workers)``
    solves the theory; ``judge(theory, measured)`` gives the rows; ``draw(theory, measured)`` the panels.
    ``faults``: description -> a wrong theory, from the settings. ``missing``: what is not built yet; the
    case then says so instead of running.
    """

    name: str
    title: str
    claim: str
    equation: str
    source: str
    settings: Mapping[str, Settings]
    predict: Predict
    measure: Callable[[Any, Settings, int, int, Journal, Watch], Measured]
    judge: Callable[[Any, Measured], Sequence[Row]]
    draw: Callable[[Any, Measured], tuple[Panel, ...]]
    faults: Mapping[str, Predict] = field(default_factory=dict)
    missing: str = ""


@dataclass(frozen=True, slots=True)
class CaseResult:
    """The outcome of one case. ``faults``: description -> verdict on the wrong theory.

    ``verdict``: "pass", "fail", "inconclusive" or "not built"; a fault that was not rejected makes a
    pass inconclusive, because the comparison could not tell.
    """

    case: Case
    setting: str
    seed: int
    verdict: str
    rows: tuple[Row, ...]
    faults: Mapping[str, str]
    panels: tuple[Panel, ...]
    message: str
    seconds: float

    @property
    def caught(self) -> int:
        """How many planted faults the measurement rejects."""
        return sum(verdict == "fail" for verdict in self.faults.values())


def case_names() -> tuple[str, ...]:
    """Names of all cases: those of the files in `validation/cases/`, with - for _."""
    folder = Path(__file__).with_name("cases")
    names = (path.stem for path in folder.glob("*.py") if not path.stem.startswith("_"))
    return tuple(sorted(name.replace("_", "-") for name in names))


def get_case(name: str) -> Case:
    """The case of that name; KeyError for any other."""
    if name not in case_names():
        raise KeyError(name)
    module = import_module(f"{__package__}.cases.{name.replace('-', '_')}")
    case: Case = module.CASE
    return case


def run_case(
    case: Case,
    setting: str,
    *,
    seed: int,
    workers: int,
    journal: Journal,
    watch: Watch,
    theories: Theories,
) -> CaseResult:
    """Predict, measure (or take up what ``journal`` holds), judge, and try the planted faults."""
    begun = time.perf_counter()
    settings = case.settings[setting]

    def result(verdict: str, message: str = "", **more: Any) -> CaseResult:
        empty: dict[str, Any] = {"rows": (), "faults": {}, "panels": ()}
        seconds = time.perf_counter() - begun
        return CaseResult(
            case, setting, seed, verdict, message=message, seconds=seconds, **(empty | more)
        )

    if case.missing:
        return result("not built", case.missing)
    theory = theories.theory(case)
    measured = case.measure(theory, settings, seed, workers, journal, watch)
    rows, verdict = decide(case.judge(theory, measured), LEVEL)
    faults = {
        name: decide(case.judge(wrong, measured), LEVEL)[1]
        for name, wrong in theories.faults(case).items()
    }
    missed = [name for name, found in faults.items() if found != "fail"]
    objections = [row.objection for row in rows if row.objection]
    if verdict == "pass" and missed:
        verdict = "inconclusive"
        objections.append(f"not told from the right theory: {', '.join(missed)}")
    return result(
        verdict,
        "; ".join(dict.fromkeys(objections)),
        rows=rows,
        faults=faults,
        panels=case.draw(theory, measured),
    )
