"""Stored networks of every case: the theory passes, every planted fault turns the verdict red.

reference/cases/NAME.json is what the networks of one quick run said, with its command, seed and versions
(`store_measured.py`); the theory is solved here, right and wrong, and judged anew. Of cases whose theory is
itself sampled for ten seconds and more the faults are tried by `make validate-quick` alone, on fresh
networks: there a fault that is not found makes the verdict inconclusive and the run fail.
"""

import json
from functools import cache
from pathlib import Path

import pytest

from dmft.api import solve
from dmft.validation.case import Panel, case_names, get_case
from dmft.validation.compare import LEVEL, decide

STORED = Path(__file__).parent / "reference" / "cases"
SAMPLED = {"both-gates", "integrator", "memory-reset", "slow-modes", "update-gate"}


@cache
def stored(stem):
    return json.loads((STORED / f"{stem}.json").read_text(encoding="utf-8"))


@pytest.fixture
def known(monkeypatch):
    """`dmft.api.solve` that solves nothing twice: faults share most of their points."""
    solved = cache(lambda model, values, more: solve(model, dict(values), **dict(more)))

    def remembered(model, values, **more):
        return solved(model, tuple(sorted(values.items())), tuple(sorted(more.items())))

    monkeypatch.setattr("dmft.api.solve", remembered)


def test_every_case_has_its_networks():
    stored = {p.stem for p in STORED.glob("*.json") if not p.stem.endswith("-full")}
    assert stored == set(case_names()) - SAMPLED


@pytest.mark.parametrize("stem", sorted(p.stem for p in STORED.glob("*.json")))
@pytest.mark.usefixtures("known")
def test_stored_networks_pass_and_faults_fail(stem):
    case, body = get_case(stem.removesuffix("-full")), stored(stem)
    settings = case.settings[body["setting"]]
    assert body["settings"] == json.loads(json.dumps(dict(settings)))

    def judged(theory):
        rows, verdict = decide(case.judge(theory, body["measured"]), LEVEL)
        return verdict, [(row.quantity, row.verdict) for row in rows if row.judged]

    theory = case.predict(settings)
    verdict, rows = judged(theory)
    assert verdict == "pass", rows
    for what, wrong in case.faults.items():
        assert judged(wrong(settings))[0] == "fail", what
    panels = case.draw(theory, body["measured"])
    assert panels and all(isinstance(panel, Panel) for panel in panels)
    for series in (s for panel in panels for s in panel.series):
        assert len(series.x) == len(series.y)
