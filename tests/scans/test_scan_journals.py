"""The journal: what was finished is used again, what is cut short ignored, what is foreign refused."""

from __future__ import annotations

import errno
import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from scanned import record

import dmft
from dmft.errors import DmftError, InputError
from dmft.scans import scan

GIVEN = {"g": dmft.Sweep(0.5, 0.9, 21)}  # rest everywhere: three pieces of milliseconds
NAME = "scan.json.partial.jsonl"


class Stop:
    """Interrupts after so many pieces, as Ctrl-C would."""

    def __init__(self, pieces: int) -> None:
        self.left = pieces
        self.begun: tuple[int, int, str] | None = None

    def started(self, points: int, done: int, where: str) -> None:
        self.begun = points, done, where

    def advanced(self, points: int) -> None:
        self.left -= 1
        if self.left == 0:
            raise KeyboardInterrupt

    def finished(self) -> None:
        pass


@pytest.fixture
def interrupted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The journal of a scan that was interrupted after two of its three pieces."""
    monkeypatch.chdir(tmp_path)
    with pytest.raises(KeyboardInterrupt) as stopped:
        scan("vanilla", GIVEN, workers=1, output="scan.json", watch=Stop(2))
    assert str(stopped.value) == (
        f"interrupted: 14 of 21 points are done and kept in {NAME}; "
        "the same command or call goes on from there"
    )
    assert sorted(path.name for path in tmp_path.iterdir()) == [NAME]
    return tmp_path / NAME


def resume(**options: Any) -> tuple[Any, Stop]:
    watch = Stop(-1)
    found = scan(
        "vanilla", GIVEN, **({"workers": 1, "output": "scan.json", "watch": watch} | options)
    )
    return found, watch


def test_an_interrupted_scan_goes_on_and_gives_the_same(interrupted: Path) -> None:
    found, watch = resume()
    assert watch.begun == (21, 14, "in 1 process")
    assert not interrupted.exists()
    assert record(found) == record(scan("vanilla", GIVEN, workers=1))
    assert dmft.load("scan.json").to_json() == found.to_json()


def test_finished_points_are_not_solved_again(
    interrupted: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    solved = []
    real = dmft.solve
    monkeypatch.setattr("dmft.api.solve", lambda *a, **k: solved.append(a[1]["g"]) or real(*a, **k))
    resume()
    assert len(solved) == 7


def test_the_journal_of_any_output_is_found(interrupted: Path) -> None:
    _, watch = resume(output=["other.csv", "scan.json"])
    assert watch.begun is not None and watch.begun[1] == 14
    assert not interrupted.exists() and Path("other.csv").exists()


def test_a_finished_journal_only_saves(interrupted: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Everything was done, but the output could not be written."""

    def refuse(*args: Any, **kwargs: Any) -> None:
        raise InputError("output: 'scan.json' cannot be written (no space left on device)")

    with monkeypatch.context() as patch:
        patch.setattr("dmft.results.export.write_whole", refuse)
        with pytest.raises(InputError, match="no space"):
            resume()
    assert interrupted.exists() and not Path("scan.json").exists()
    monkeypatch.setattr("dmft.api.solve", lambda *a, **k: pytest.fail("solved again"))
    found, watch = resume()
    assert watch.begun == (21, 21, "in 1 process") and found.answered.all()


@pytest.mark.parametrize("cut", [1, 2, 40, 400])
def test_a_last_line_without_end_is_ignored(interrupted: Path, cut: int) -> None:
    whole = interrupted.read_bytes()
    interrupted.write_bytes(whole[:-cut])
    found, watch = resume()
    assert watch.begun is not None and watch.begun[1] == 7
    assert record(found) == record(scan("vanilla", GIVEN, workers=1))


def test_lines_after_a_cut_one_are_whole_again(interrupted: Path) -> None:
    """The cut line must not run into the next: interrupted twice, resumed once more."""
    interrupted.write_bytes(interrupted.read_bytes()[:-30])
    with pytest.raises(KeyboardInterrupt):
        scan("vanilla", GIVEN, workers=1, output="scan.json", watch=Stop(1))
    lines = interrupted.read_text(encoding="ascii").splitlines()
    assert len(lines) == 3 and all(json.loads(line) for line in lines)
    assert resume()[1].begun == (21, 14, "in 1 process")


def test_a_journal_cut_in_its_first_line_is_empty(interrupted: Path) -> None:
    whole = interrupted.read_bytes()
    for length in (0, 5, 200):
        interrupted.write_bytes(whole[:length])
        assert resume()[1].begun == (21, 0, "in 1 process")


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (lambda text: text.replace('{"start": 0', '{"stert": 0'), "damaged in line 2"),
        (lambda text: text.replace('"zero"', '"zero', 1), "damaged in line 2"),
        (lambda text: text.replace('"converged"', '"fine"', 1), "damaged in line 2"),
        (lambda text: text.replace('{"start": 0', '{"start": 3'), "damaged in line 2"),
        (lambda text: text.replace('{"start": 0', '{"start": true'), "damaged in line 2"),
        (lambda text: text.replace("[[0.0,", '[["0.0",', 1), "damaged in line 2"),
        (lambda text: text.replace('"schema": 1', '"schema": 9'), "layout of another version"),
        (lambda text: text.partition("\n")[2], "is not a journal"),
        (lambda text: "hello\n" + text, "is not a journal"),
        (lambda text: "[" * 100_000 + "\n", "is not a journal"),
        (lambda text: "\0\1\2", "is not a journal"),
    ],
)
def test_damage_is_refused_with_a_remedy(
    interrupted: Path, damage: Callable[[str], str], message: str
) -> None:
    text = damage(interrupted.read_text(encoding="ascii"))
    interrupted.write_text(text, encoding="ascii")
    with pytest.raises(InputError, match=message) as error:
        resume()
    assert NAME in str(error.value) and "delete or rename that file" in str(error.value)
    assert str(error.value).isprintable()
    assert interrupted.read_text(encoding="ascii") == text  # nothing lost by looking


@pytest.mark.parametrize(
    ("change", "differs"),
    [
        ({"g": dmft.Sweep(0.5, 0.8, 21)}, "swept values"),
        ({"g": GIVEN["g"], "input_x": 0, "tol": 1e-9}, "options"),
        ({"g": GIVEN["g"], "lyapunov": False}, "options"),
    ],
)
def test_the_journal_of_another_scan_is_refused(
    interrupted: Path, change: dict[str, Any], differs: str
) -> None:
    with pytest.raises(InputError) as error:
        scan("vanilla", workers=1, output="scan.json", **change)
    assert f"is the journal of another scan (differs in: {differs})" in str(error.value)
    assert "delete or rename that file" in str(error.value)
    assert interrupted.exists()


def test_a_stale_journal_is_refused(interrupted: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from dmft.results.provenance import versions

    newer = versions() | {"scipy": "99.0"}
    monkeypatch.setattr("dmft.scans.problem.versions", lambda: newer)
    with pytest.raises(InputError, match=r"differs in: versions of the software"):
        resume()
    with pytest.raises(InputError, match=r"differs in: model, "):
        scan("vanilla-erf", GIVEN, workers=1, output="scan.json")


def test_a_full_disk_is_told_and_loses_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    left = [1]

    def fsync(handle: int) -> None:
        left[0] -= 1
        if left[0] < 0:
            os.ftruncate(handle, os.fstat(handle).st_size - 25)  # what the disk still took
            raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", fsync)
        with pytest.raises(DmftError) as error:
            scan("vanilla", GIVEN, workers=1, output="scan.json")
    assert "cannot be written (no space left on device): 7 of 21 points are done" in str(
        error.value
    )
    assert error.value.exit_code == 3
    found, watch = resume()
    assert watch.begun is not None and watch.begun[1] == 7
    assert record(found) == record(scan("vanilla", GIVEN, workers=1))


def test_without_an_output_nothing_is_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(KeyboardInterrupt, match="14 of 21 points are done and lost"):
        scan("vanilla", GIVEN, workers=1, watch=Stop(2))
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_refuses_is_told_before_the_work(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(self: Path, *args: object, **kwargs: object) -> None:
        raise PermissionError(errno.EACCES, "Permission denied")

    monkeypatch.setattr("dmft.api.solve", lambda *a, **k: pytest.fail("solved in vain"))
    monkeypatch.setattr(Path, "open", refuse)
    with pytest.raises(InputError, match="permission denied"):
        scan("vanilla", GIVEN, workers=1, output=tmp_path / "scan.json")
