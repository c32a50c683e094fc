"""Stored networks of every case: the theory passes, every planted fault turns the verdict red.

reference/cases/NAME.json is what the networks of one quick run said, with its command, seed and versions
(`store_measured.py`); the theory is solved here, right and wrong, and judged anew.
"""

import json
from functools import cache
from pathlib import Path

import pytest

from dmft.validation.case import Panel, case_names, get_case
from dmft.validation.compare import LEVEL, decide

STORED = Path(__file__).parent / "reference" / "cases"


@cache
def stored(name):
    return json.loads((STORED / f"{name}.json").read_text(encoding="utf-8"))


def verdict(name, theory):
    rows, found = decide(get_case(name).judge(theory, stored(name)["measured"]), LEVEL)
    return found, [(row.quantity, row.verdict) for row in rows if row.judged]


@pytest.mark.parametrize("name", case_names())
def test_stored_networks_pass_and_faults_fail(name):
    case, body = get_case(name), stored(name)
    settings = case.settings[body["setting"]]
    assert body["settings"] == dict(settings)
    theory = case.predict(settings)
    assert verdict(name, theory)[0] == "pass", verdict(name, theory)
    for what, wrong in case.faults.items():
        assert verdict(name, wrong(settings))[0] == "fail", what
    panels = case.draw(theory, body["measured"])
    assert panels and all(isinstance(panel, Panel) for panel in panels)
    for series in (s for panel in panels for s in panel.series):
        assert len(series.x) == len(series.y)
