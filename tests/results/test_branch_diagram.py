"""Branch diagrams are read back as they were written, drawn, and refused when damaged."""

from __future__ import annotations

import copy
import json
import pickle
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import dmft
from dmft.cli import main
from dmft.errors import InputError
from dmft.results.branches import Branch, BranchDiagram, SpecialPoint
from dmft.results.sheet import BRANCHES_SUFFIXES


def branch(kind: str, size: int, **changes: Any) -> Branch:
    x = np.linspace(1, 2, size)
    values = {
        "kind": kind, "value": x, "error": 1e-9 * x, "variance": {"h": x**2, "r": x},
        "decaying": {"h": x, "r": 0.3 * x}, "growth": 1.5 - x, "stable": x > 1.5,
        "tangent_value": 0.1 * x, "tangent_amplitude": np.sqrt(1 - 0.01 * x**2), "length": 3 * x,
        "events": (SpecialPoint("fold", 1.25, 1e-12, 0.7), SpecialPoint("birth", 2.0, 0.0, 0.0)),
        "ends": ("birth", "range"),
    }  # fmt: skip
    return Branch(**(values | changes))


def diagram(**changes: Any) -> BranchDiagram:
    error = np.array([1e-12, np.nan, 1e-3])
    values = {
        "model": "gated", "along": "g_h", "span": (1.0, 2.0), "fixed": {"alpha_r": 10.0},
        "fields": ("h", "r"), "branches": (branch("zero", 4), branch("chaotic", 3, error=error)),
        "versions": {"dmft": "0"}, "command": None, "seconds": 1.25, "model_hash": "12",
        "message": 'points, "lost"',
    }  # fmt: skip
    return BranchDiagram(**(values | changes))


@pytest.mark.parametrize("suffix", BRANCHES_SUFFIXES)
@pytest.mark.parametrize("branches", [None, ()])
def test_round_trip(tmp_path: Path, suffix: str, branches: tuple[Branch, ...] | None) -> None:
    saved = diagram() if branches is None else diagram(branches=branches)
    path = tmp_path / f"branches{suffix}"
    saved.save(path)
    read = dmft.load(path)
    assert isinstance(read, BranchDiagram)
    assert read.to_json() == saved.to_json()
    for one, two in zip(read.branches, saved.branches, strict=True):
        assert one.events == two.events
        np.testing.assert_array_equal(one.error, two.error)
        np.testing.assert_array_equal(one.stable, two.stable)
        np.testing.assert_array_equal(one.decaying["r"], two.decaying["r"])


def test_a_diagram_cannot_be_changed_and_survives_copies() -> None:
    one = diagram()
    for two in (copy.deepcopy(one), pickle.loads(pickle.dumps(one))):
        assert two.to_json() == one.to_json()
        with pytest.raises(ValueError, match="read-only"):
            two.branches[0].value[0] = 1.0


def test_columns_must_fit() -> None:
    with pytest.raises(ValueError, match="length"):
        branch("zero", 4, growth=np.zeros(3))


@pytest.mark.parametrize(
    ("key", "value"),
    [("columns", {}), ("branches", [{}]), ("span", [1.0]), ("branches", []), ("along", 3)],
)
def test_damaged_files_are_refused(tmp_path: Path, key: str, value: Any) -> None:
    data = json.loads(diagram().to_json())
    data[key] = value
    (tmp_path / "a.json").write_text(json.dumps(data))
    with pytest.raises(InputError, match=r"a\.json"):
        dmft.load(tmp_path / "a.json")


def test_the_command_prints_writes_and_draws(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    words = ["vanilla-erf", "g=0.8:1.6", "-o", "a.csv", "--plot", "a.png"]
    assert main(["follow", *words]) == 0
    out, err = capsys.readouterr()
    assert "chaotic" in out and "birth" in out and err == ""
    saved = dmft.load("a.csv")
    assert saved.command == "dmft follow vanilla-erf g=0.8:1.6 -o a.csv --plot a.png"
    assert main(["plot", "a.csv", "-o", "b.png"]) == 0
    assert Path("b.png").read_bytes() == Path("a.png").read_bytes()
    monkeypatch.setattr("dmft.follow_branches.follow", lambda *a, **k: diagram())
    assert main(["follow", *words]) == 3
    assert capsys.readouterr().err == 'dmft: points, "lost"\n'


@pytest.mark.parametrize("words", [["g=2"], ["g=1:2:5"], ["g=1:2", "-o", "a.npz"], ["q=1:2"]])
def test_bad_input_of_follow(words: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["follow", "vanilla", *words]) == 2
    err = capsys.readouterr().err
    assert err.startswith("dmft: ") and err.count("\n") == 1
