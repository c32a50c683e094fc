"""Cases are complete, a planted fault that passes spoils a pass, and the page shows what was found."""

import json
import xml.etree.ElementTree as ElementTree
from dataclasses import replace

import numpy as np
import pytest

from dmft.codegen import load_info, model_names
from dmft.errors import InputError
from dmft.validation.case import Case, Panel, Series, case_names, get_case, run_case
from dmft.validation.compare import Row, over_networks
from dmft.validation.journal import Journal
from dmft.validation.page import case_section, report_page
from dmft.validation.run_all import run_all, summary_json, worst
from dmft.validation.theories import Theories
from dmft.validation.watch import Silent


def coin(**changes):
    """A case without a network: the mean of normal numbers is what it should be."""

    def measure(theory, settings, seed, workers, journal, watch):
        def draw():
            return np.random.default_rng(seed).normal(1.0, 0.1, settings["n"]).tolist()

        return {"values": journal.remember({"n": settings["n"], "seed": seed}, draw)}

    def judge(theory, measured):
        seen = over_networks(measured["values"])
        return [
            Row("mean", theory, 0.0, seen.mean, seen.standard_error, seen.dof, 0.1, True),
        ]

    def draw(theory, measured):
        points = Series("drawn <&>", [0.0, 1.0], [1.0, 1.1], [0.1, 0.1], points=True)
        return (Panel("x", "y", (Series("theory", [0.0, 1.0], [1.0, 1.0]), points)),)

    whole = {
        "name": "coin",
        "title": "A coin <&>",
        "claim": "It is fair.",
        "equation": "x = 1",
        "source": "none",
        "settings": {"quick": {"n": 30}, "full": {"n": 300}},
        "predict": lambda settings, workers: 1.0,
        "measure": measure,
        "judge": judge,
        "draw": draw,
        "faults": {"twice as large": lambda settings, workers: 2.0},
    }
    return Case(**(whole | changes))


def run(case, setting="quick", journal=None):
    return run_case(
        case,
        setting,
        seed=3,
        workers=1,
        journal=journal or Journal(),
        watch=Silent(),
        theories=Theories(setting, 1),
    )


def test_a_true_theory_passes_and_the_fault_is_caught():
    result = run(coin())
    assert result.verdict == "pass"
    assert result.faults == {"twice as large": "fail"}
    assert (result.caught, result.message) == (1, "")


def test_a_wrong_theory_fails():
    assert run(coin(predict=lambda settings, workers: 1.5)).verdict == "fail"


def test_a_fault_that_is_not_told_makes_a_pass_inconclusive():
    result = run(coin(faults={"a hair": lambda settings, workers: 1.0001}))
    assert result.verdict == "inconclusive"
    assert "a hair" in result.message


def test_a_theory_that_is_not_built_says_so_and_measures_nothing():
    def never(*arguments):
        raise AssertionError

    result = run(coin(missing="waits for its theory", measure=never))
    assert (result.verdict, result.message) == ("not built", "waits for its theory")


def test_measurements_are_taken_up_again(tmp_path):
    first = run(coin(), journal=Journal(tmp_path / "coin.jsonl"))

    def never():
        raise AssertionError

    case = coin()
    kept = Journal(tmp_path / "coin.jsonl")
    kept.remember({"n": 30, "seed": 3}, never)
    assert run(case, journal=kept).rows == first.rows


@pytest.mark.parametrize("name", case_names())
def test_every_case_is_complete(name):
    case = get_case(name)
    assert case.name == name
    assert set(case.settings) == {"quick", "full"}
    assert case.faults or case.missing
    for text in (case.title, case.claim, case.equation, case.source):
        assert text.strip()


def test_every_shipped_model_has_a_case():
    covered = set()
    for name in case_names():
        theory = get_case(name).predict
        covered.update(str(part) for part in getattr(theory, "args", ()))
    for model in model_names():
        assert model in covered, load_info(model).title


def test_the_page_is_well_formed_and_shows_every_verdict():
    results = [run(coin()), run(coin(missing="waits for its theory", name="other"))]
    sections = [case_section(result) for result in results]
    page = report_page(results, sections, command="dmft validate --all", versions={"dmft": "0"})
    body = page.removeprefix("<!doctype html>\n").replace("<br>", "<br/>")
    body = body.replace('<meta charset="utf-8">', "").replace(
        '<meta name="viewport" content="width=device-width, initial-scale=1">', ""
    )
    root = ElementTree.fromstring(body)
    identifiers = [e.get("id") for e in root.iter() if e.get("id")]
    assert len(identifiers) == len(set(identifiers))
    assert "A coin &lt;&amp;&gt;" in page and "A coin <&>" not in page
    assert 'class="verdict pass"' in page and 'class="verdict not-built"' in page
    assert "http" not in page.replace("http://www.w3.org", "")
    assert page.count("<svg") == 1


def test_summary_is_strict_json_with_the_worst_verdict():
    results = [run(coin()), run(coin(predict=lambda settings, workers: 1.5))]
    found = json.loads(summary_json(results, "command"))
    assert found["verdict"] == "fail"
    assert [case["verdict"] for case in found["cases"]] == ["pass", "fail"]
    assert worst(results[:1]) == "pass"
    assert worst([replace(results[0], verdict="not built")]) == "inconclusive"


def test_unknown_cases_and_folders_are_refused(tmp_path):
    with pytest.raises(InputError, match=r"no case 'vanila-chaos'.*did you mean"):
        run_all(only=["vanila-chaos"], watch=Silent())
    (tmp_path / "file").write_text("")
    with pytest.raises(InputError, match="-o"):
        run_all(only=[case_names()[0]], folder=tmp_path / "file" / "x", watch=Silent())
