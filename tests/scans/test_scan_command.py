"""``dmft scan``: what it prints, writes and refuses; interrupted, killed, robbed of a worker."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import time
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from scanned import record

import dmft
from dmft.cli import main
from dmft.scans import scan
from dmft.scans.point import PieceResult
from dmft.scans.processes import on_processes

Captured = pytest.CaptureFixture[str]

#: Eight pieces of one point each.
WORDS = ("vanilla", "g=1.5:2.5:8", "input_x=0:0:1", "--no-lyapunov")
JOURNAL = "scan.nc.partial.jsonl"


@pytest.fixture(scope="module")
def expected() -> dict[str, Any]:
    """The same without an interruption."""
    given = {"g": dmft.Sweep(1.5, 2.5, 8), "input_x": [0.0]}
    return record(scan("vanilla", given, lyapunov=False, workers=1))


def test_the_command_equals_python_and_its_files(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Captured
) -> None:
    monkeypatch.chdir(tmp_path)
    words = ["vanilla", "g=0.5:1.5:3", "--workers", "1", "--json", "-o", "a.csv", "-o", "b.nc"]
    assert main(["scan", *words, "--plot", "c.png"]) == 0
    out, err = capsys.readouterr()
    started, ended = err.splitlines()
    assert started == "dmft: scanning vanilla: 3 points in 1 process"
    assert ended.startswith("dmft: 3 points in 0:00:0") and "points/" in ended
    found = scan("vanilla", g=[0.5, 1.0, 1.5], workers=1)
    for name in ("a.csv", "b.nc"):
        read = dmft.load(tmp_path / name)
        assert read.to_json() == out.strip()
        assert read.command == "dmft scan " + " ".join([*words, "--plot", "c.png"])
        assert record(read) == record(found)
    assert {path.name for path in tmp_path.iterdir()} == {"a.csv", "b.nc", "c.png"}


def test_the_table_and_the_exit_code_tell_of_holes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Captured
) -> None:
    monkeypatch.chdir(tmp_path)
    words = ["scan", "vanilla", "g=0.5:1.5:2", "--branch", "chaotic", "--workers", "1"]
    assert main([*words, "-o", "a.json", "--plot", "a.svg", "--quantity", "variance_x"]) == 3
    out, err = capsys.readouterr()
    rows = [line.split() for line in out.splitlines()]
    assert ["g", "branch", "C_x(0)", "error", "lambda_max", "status"] in rows
    assert ["0.5", "chaotic", "-", "-", "-", "no-solution"] in rows
    assert err.splitlines()[-1] == "dmft: 1 of 2 points have no answer"
    assert dmft.load("a.json").answered.tolist() == [False, True]
    assert Path("a.svg").exists()


def test_long_tables_are_shortened(capsys: Captured) -> None:
    assert main(["scan", "vanilla", "g=0.1:0.9:70", "--no-lyapunov", "--workers", "1"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert sum("zero" in line for line in lines) == 60
    assert any(line.split() == ["..."] * 6 for line in lines)


@pytest.mark.parametrize(
    ("words", "texts"),
    [
        (["vanilla", "g=2"], ["no parameter is swept", "dmft solve"]),
        (["vanila", "g=1:2:2"], ["'vanila'", "did you mean 'vanilla'"]),
        (["vanilla", "g=1:2:2", "--workers", "0"], ["workers: 0"]),
        (["vanilla", "g=1:2:2", "--workers", "two"], ["--workers: 'two'", "whole number"]),
        (["vanilla", "g=1:2:2", "--branch", "caotic"], ["branch", "did you mean 'chaotic'"]),
        (["vanilla", "g=1:2:2", "--tol", "2"], ["tol"]),
        (["vanilla", "g=1:2:2", "-o", "a.npz"], ["-o", "'.npz'"]),
        (["vanilla", "g=1:2:2", "-o", "missing/a.nc"], ["folder does not exist"]),
        (["vanilla", "g=1:2:2", "--plot", "a.gif"], ["--plot", "'.gif'"]),
        (["vanilla", "g=1:2:2", "--plot", "a.png", "--quantity", "lyapunow"], ["'lyapunov'"]),
        (["vanilla", "g=1:2:2", "--quantity", "seconds"], ["--quantity", "--plot"]),
        (["gated", "g_h=1:2:2", "alpha_r=0:1:2", "tau_r=1:2:2", "--plot", "a.png"], ["3 param"]),
        (["vanilla", "g=1:2:2", "--scheduler", "nowhere"], ["scheduler: 'nowhere'", "tcp://"]),
        (["vanilla", "g=1:2:2", "--speed", "3"], ["--speed", "--help"]),
    ],
)
def test_bad_input_is_one_line_and_2(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Captured, words: list[str], texts: list[str]
) -> None:  # fmt: skip
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("dmft.api.solve", lambda *a, **k: pytest.fail("solved in vain"))
    assert main(["scan", *words]) == 2
    out, err = capsys.readouterr()
    assert out == "" and err.count("\n") == 1 and err.startswith("dmft: ")
    for text in texts:
        assert text in err
    assert list(tmp_path.iterdir()) == []


def wait_for_pieces(journal: Path, process: subprocess.Popen[str], count: int) -> None:
    """Until so many pieces are in the journal."""
    end = time.monotonic() + 60
    while time.monotonic() < end:
        assert process.poll() is None, process.communicate()
        if journal.exists() and journal.read_bytes().count(b"\n") > count:
            return
        time.sleep(0.02)
    pytest.fail("no piece was finished in a minute")


def begin(folder: Path, workers: int) -> subprocess.Popen[str]:
    """The command in a process group of its own, as a terminal starts it."""
    return subprocess.Popen(
        [sys.executable, "-m", "dmft", "scan", *WORDS, "--workers", str(workers), "-o", "scan.nc"],
        cwd=folder, text=True,
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, start_new_session=True,
    )  # fmt: skip


def resumed(folder: Path, capsys: Captured, expected: dict[str, Any]) -> int:
    """Run the command again to its end; how many points were done before."""
    assert main(["scan", *WORDS, "--workers", "1", "-o", str(folder / "scan.nc")]) == 0
    begun = capsys.readouterr().err.splitlines()[0]
    match = re.fullmatch(
        r"dmft: scanning vanilla: 8 points in 1 process, (\d) of them done before", begun
    )
    assert match, begun
    assert [path.name for path in folder.iterdir()] == ["scan.nc"]
    assert record(dmft.load(folder / "scan.nc")) == expected
    return int(match[1])


@pytest.mark.skipif(sys.platform == "win32", reason="signals of this kind are POSIX")
def test_ctrl_c_is_one_line_and_130_and_the_scan_resumes(
    tmp_path: Path, expected: dict[str, Any], capsys: Captured
) -> None:
    """Ctrl-C reaches all processes of the terminal: command and workers alike."""
    process = begin(tmp_path, 2)
    wait_for_pieces(tmp_path / JOURNAL, process, 1)
    os.killpg(process.pid, signal.SIGINT)
    _, err = process.communicate(timeout=30)
    assert process.returncode == 130
    started, ended = err.splitlines()
    assert started == "dmft: scanning vanilla: 8 points in 2 processes"
    done = int(ended.split()[2])
    assert 1 <= done < 8
    assert ended == (
        f"dmft: interrupted: {done} of 8 points are done and kept in {JOURNAL}; "
        "the same command or call goes on from there"
    )
    assert [path.name for path in tmp_path.iterdir()] == [JOURNAL]
    assert resumed(tmp_path, capsys, expected) == done


@pytest.mark.skipif(sys.platform == "win32", reason="signals of this kind are POSIX")
def test_ctrl_c_while_workers_start_is_one_line_too(tmp_path: Path) -> None:
    process = begin(tmp_path, 2)
    assert process.stderr is not None
    assert process.stderr.readline().startswith("dmft: scanning")
    time.sleep(0.3)  # they are importing now; the outcome is the same at any moment
    os.killpg(process.pid, signal.SIGINT)
    _, err = process.communicate(timeout=30)
    assert process.returncode == 130
    assert err.startswith("dmft: interrupted: ") and err.count("\n") == 1


def test_joblib_does_not_warn_of_an_interrupted_generator(monkeypatch: pytest.MonkeyPatch) -> None:
    """Interrupted inside joblib's own generator, too: the command says what was kept (one line)."""

    def interrupted() -> Iterator[PieceResult]:
        warnings.warn(
            "4 tasks which were still being processed by the workers have been cancelled. You could "
            "benefit from adjusting the input task iterator to limit unnecessary computation time.",
            stacklevel=1,
        )
        raise KeyboardInterrupt
        yield

    monkeypatch.setattr("joblib.Parallel", lambda **options: lambda tasks: interrupted())
    with warnings.catch_warnings(), pytest.raises(KeyboardInterrupt):
        warnings.simplefilter("error")
        list(on_processes([], 2))


HELD_BACK = """
import os, signal, subprocess, sys
from dmft.solvers.worker_processes import deaf

look = "import signal; print(signal.SIGINT in signal.pthread_sigmask(signal.SIG_BLOCK, ()))"
try:
    with deaf():
        os.kill(os.getpid(), signal.SIGINT)
        print("still here", flush=True)
        subprocess.run([sys.executable, "-c", look])
except KeyboardInterrupt:
    print("heard")
print(signal.SIGINT in signal.pthread_sigmask(signal.SIG_BLOCK, ()))
"""


@pytest.mark.skipif(sys.platform == "win32", reason="signals of this kind are POSIX")
def test_ctrl_c_is_held_back_while_processes_start_but_not_lost() -> None:
    """The test above sees a worker's complaint only when it comes at the wrong moment."""
    done = subprocess.run(
        [sys.executable, "-c", HELD_BACK], capture_output=True, text=True, check=True,
        env=os.environ | {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"},
    )  # fmt: skip
    assert done.stdout.split("\n") == ["still here", "True", "heard", "False", ""]


def test_a_killed_scan_resumes(tmp_path: Path, expected: dict[str, Any], capsys: Captured) -> None:
    """No chance to tidy up: the journal alone must do."""
    process = begin(tmp_path, 1)
    wait_for_pieces(tmp_path / JOURNAL, process, 2)
    process.kill()
    process.communicate(timeout=30)
    assert resumed(tmp_path, capsys, expected) >= 2


def test_a_worker_that_is_killed_is_told_and_loses_only_its_piece(
    tmp_path: Path, expected: dict[str, Any], capsys: Captured
) -> None:
    psutil = pytest.importorskip("psutil")
    process = begin(tmp_path, 2)
    wait_for_pieces(tmp_path / JOURNAL, process, 1)
    children = psutil.Process(process.pid).children(recursive=True)
    workers = [c for c in children if any("popen_loky" in word for word in c.cmdline())]
    workers[0].kill()
    _, err = process.communicate(timeout=60)
    assert process.returncode == 3
    last = err.splitlines()[-1]
    assert last.startswith("dmft: a worker process died") and "Traceback" not in err
    assert f"points are done and kept in {JOURNAL}" in last
    assert resumed(tmp_path, capsys, expected) >= 1
