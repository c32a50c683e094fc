"""The real thing: the command as a user runs it, and Python, give the same numbers and refusals."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import dmft
from dmft.cli import main
from dmft.errors import InputError

Captured = pytest.CaptureFixture[str]

#: What differs between two runs of the same computation.
INCIDENTAL = ("seconds", "command")


def same(first: str, second: str) -> bool:
    records = [json.loads(text) for text in (first, second)]
    for record in records:
        for key in INCIDENTAL:
            del record[key]
    return records[0] == records[1]


def run(folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "dmft", *words],
        cwd=folder, capture_output=True, text=True, timeout=120, check=False,
    )  # fmt: skip


def test_solve_equals_python_and_its_files(tmp_path: Path) -> None:
    done = run(tmp_path, "solve", "vanilla", "g=2", "--json", "-o", "a.csv", "-o", "b.nc")
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    solution = dmft.solve("vanilla", g=2)
    assert same(done.stdout, solution.to_json())
    for name in ("a.csv", "b.nc"):
        read = dmft.load(tmp_path / name)
        assert read.to_json() == done.stdout.strip()
    assert json.loads(done.stdout)["variance"]["x"] == pytest.approx(
        1.9248054137370581867, rel=1e-12
    )
    np.testing.assert_allclose(
        solution.at(solution.lag)["x"], solution.autocorrelation["x"], atol=1e-12
    )


def test_boundary_equals_python(tmp_path: Path) -> None:
    words = ["zero-state", "beta_r=-1:1:3", "--solve-for", "g_h", "--json", "-o", "c.csv"]
    done = run(tmp_path, "boundary", "gated", *words)
    assert done.returncode == 0, done.stderr
    curve = dmft.boundary("gated", "zero-state", beta_r=dmft.Sweep(-1, 1, 3), solve_for="g_h")
    assert same(done.stdout, curve.to_json())
    points = json.loads(done.stdout)["points"]
    assert [point["beta_r"] for point in points] == [-1.0, 0.0, 1.0]
    for point in points:
        assert point["g_h"] == pytest.approx(1 + np.exp(point["beta_r"]), rel=1e-12)
    assert dmft.load(tmp_path / "c.csv").to_json() == done.stdout.strip()


def test_one_point_is_a_boundary_too(capsys: Captured) -> None:
    assert main(["boundary", "gated", "fixed-points", "alpha_r=10", "--json"]) == 0
    (point,) = json.loads(capsys.readouterr().out)["points"]
    assert point["g_h"] == pytest.approx(1.753983207, abs=1e-9)


@pytest.mark.parametrize(
    ("words", "texts"),
    [
        (["solve", "vanila", "g=2"], ["'vanila'", "did you mean 'vanilla'", "gated"]),
        (["solve", "vanilla"], ["g", "gain", "> 0"]),
        (["solve", "vanilla", "h=2"], ["vanilla", "'h'", "parameters: g"]),
        (["solve", "gated", "g_h=3", "alpha_R=5"], ["'alpha_R'", "did you mean 'alpha_r'"]),
        (["solve", "gated", "g_h=3", "tau_r=-1"], ["tau_r", "-1", "> 0"]),
        (["solve", "gated", "g_h=3", "tau_r=0"], ["tau_r", "> 0"]),
        (["solve", "gated", "g_h=1:3:5"], ["g_h", "1:3:5", "one number", "> 0"]),
        (["solve", "gated", "g_h=3", "alpha_z=1", "noise_h=0.1"], ["white noise", "intensity"]),
        (["solve", "gated", "g_h=3", "alpha_z=1", "--precision", "0"], ["precision", "0.0001"]),
        (["solve", "gated", "g_h=3", "alpha_z=1", "--seed", "-1"], ["seed", ">= 0"]),
        (["solve", "gated", "g_h=3", "input_h=-0.1"], ["input_h", ">= 0"]),
        (["solve", "vanilla", "g=2", "--branch", "caotic"], ["branch", "'caotic'", "'chaotic'"]),
        (["solve", "vanilla", "g=2", "--method", "magic"], ["method", "'magic'", "auto"]),
        (["solve", "vanilla", "g=2", "--tol", "0"], ["tol"]),
        (["solve", "vanilla", "g=2", "--tol", "-1"], ["tol", "-1"]),
        (["boundary", "gated", "zero", "beta_r=0"], ["boundary", "'zero'", "'zero-state'"]),
        (["boundary", "gated", "zero-state", "g_h=1"], ["g_h"]),
        (["boundary", "gated", "zero-state", "--solve-for", "g"], ["'g'", "g_h"]),
        (["boundary", "gated", "zero-state", "tau_r=-1:1:3"], ["tau_r", "-1", "> 0"]),
    ],
    ids=lambda value: " ".join(value),
)
def test_bad_input_is_refused_in_one_line(
    words: list[str], texts: list[str], capsys: Captured, tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    monkeypatch.chdir(tmp_path)
    assert main([*words, "-o", "a.json"]) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert err.count("\n") == 1
    for text in texts:
        assert text in err
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("arguments", "options"),
    [
        (("vanilla",), {"g": "2"}),
        (("vanilla",), {"g": float("nan")}),
        (("vanilla", {"g": 2}), {"g": 2}),
        (("vanilla",), {"g": [1, 2]}),
        (("vanilla",), {"g": 2, "branch": "caotic"}),
        (("vanilla",), {"g": 2, "seed": -1}),
        (("gatde",), {"g": 2}),
    ],
)
def test_python_refuses_the_same(arguments: Any, options: dict[str, Any]) -> None:
    with pytest.raises(InputError) as error:
        dmft.solve(*arguments, **options)
    assert str(error.value).isprintable()


def test_no_chaos_below_onset_is_exit_code_3(capsys: Captured) -> None:
    assert main(["solve", "vanilla", "g=0.5", "--branch", "chaotic"]) == 3
    out, err = capsys.readouterr()
    assert out == ""
    assert err.startswith("dmft: no-solution: ")
    assert err.count("\n") == 1


def test_derive_writes_the_equations(tmp_path: Path) -> None:
    done = run(tmp_path, "derive", "vanilla", "--latex", "v.tex")
    assert done.returncode == 0, done.stderr
    assert "tanh" in done.stdout
    assert r"\tanh" in (tmp_path / "v.tex").read_text(encoding="utf-8")


@pytest.mark.skipif(sys.platform == "win32", reason="signals of this kind are POSIX")
def test_an_interruption_is_130_and_leaves_nothing(tmp_path: Path) -> None:
    code = (
        "import sys, time, types\n"
        "import dmft.api\n"
        "def slow(*args, **options):\n"
        "    print('begun', flush=True)\n"
        "    time.sleep(60)\n"
        "dmft.api.solve = slow\n"
        "from dmft.cli import main\n"
        "sys.exit(main(['solve', 'vanilla', 'g=2', '-o', 'a.json']))"
    )
    process = subprocess.Popen(
        [sys.executable, "-c", code], cwd=tmp_path, text=True,
        stdout=subprocess.PIPE, stderr=subprocess.PIPE,
    )  # fmt: skip
    assert process.stdout is not None
    assert process.stdout.readline() == "begun\n"
    os.kill(process.pid, signal.SIGINT)
    _, err = process.communicate(timeout=30)
    assert process.returncode == 130
    assert err == "dmft: interrupted\n"
    assert list(tmp_path.iterdir()) == []
