"""Paths are refused before computing; files appear whole or not at all."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

from dmft.errors import InputError, MissingExtraError
from dmft.output import check_output, check_outputs, write_whole


def test_a_good_path_leaves_no_trace(tmp_path: Path) -> None:
    assert check_output(tmp_path / "a.CSV", (".csv",)) == tmp_path / "a.CSV"
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("a.cvs", "did you mean '.csv'"),
        ("a", "allowed are .csv, .json"),
        ("", "allowed are"),
        ("missing/a.csv", "folder does not exist"),
        ("file.json/a.csv", "folder does not exist|cannot be written"),
        ("folder.csv", "not a file"),
        ("x" * 300 + ".csv", "cannot be written"),
        ("nul\0.csv", "cannot be written"),
    ],
)
def test_bad_paths_are_refused(tmp_path: Path, name: str, message: str) -> None:
    (tmp_path / "folder.csv").mkdir()
    (tmp_path / "file.json").write_text("")
    with pytest.raises(InputError, match=message) as error:
        check_output(str(tmp_path / name) if name else "", (".csv", ".json"), option="-o")
    assert str(error.value).startswith("-o: ")
    assert "\n" not in str(error.value)


def test_a_folder_that_refuses_files_is_found_early(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Permission bits do not bind root, so the refusal is played.
    def refuse(self: Path, *args: object, **kwargs: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "open", refuse)
    with pytest.raises(InputError, match="permission denied"):
        check_output(tmp_path / "a.csv", (".csv",))


@pytest.mark.skipif(
    sys.platform == "win32" or getattr(os, "geteuid", lambda: 1)() == 0,
    reason="permission bits bind neither Windows nor root",
)
def test_permission_bits_are_respected(tmp_path: Path) -> None:
    locked = tmp_path / "locked"
    locked.mkdir(mode=0o500)
    with pytest.raises(InputError, match="cannot be written"):
        check_output(locked / "a.csv", (".csv",))


@pytest.mark.parametrize(
    ("suffix", "module", "extra"), [(".nc", "h5netcdf", "io"), (".png", "matplotlib", "plot")]
)
def test_a_missing_extra_is_found_early(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, suffix: str, module: str, extra: str
) -> None:
    monkeypatch.setitem(sys.modules, module, None)
    with pytest.raises(MissingExtraError, match=rf"-o: .*pip install 'dmft\[{extra}\]'"):
        check_output(tmp_path / f"a{suffix}", (suffix,), option="-o")


def test_the_same_file_twice_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(InputError, match="given twice"):
        check_outputs(["a.csv", "./a.csv"], (".csv",))
    assert len(check_outputs(["a.csv", "b.csv"], (".csv",))) == 2


@pytest.mark.parametrize("error", [RuntimeError, KeyboardInterrupt, OSError])
def test_a_failure_while_writing_leaves_nothing(tmp_path: Path, error: type) -> None:
    path = tmp_path / "a.csv"
    path.write_text("old")

    def fail(temporary: Path) -> None:
        temporary.write_text("half")
        raise error("disk")

    with pytest.raises(InputError if error is OSError else error):
        write_whole(path, fail)
    assert [entry.name for entry in tmp_path.iterdir()] == ["a.csv"]
    assert path.read_text() == "old"


def test_the_file_is_not_private(tmp_path: Path) -> None:
    write_whole(tmp_path / "a.csv", lambda temporary: temporary.write_text("x") and None)
    (tmp_path / "plain").write_text("x")
    modes = {entry.stat().st_mode for entry in tmp_path.iterdir()}
    assert len(modes) == 1


@pytest.mark.skipif(sys.platform == "win32", reason="links need a privilege on Windows")
def test_a_link_stays_a_link(tmp_path: Path) -> None:
    (tmp_path / "target.csv").write_text("old")
    (tmp_path / "link.csv").symlink_to("target.csv")
    write_whole(tmp_path / "link.csv", lambda temporary: temporary.write_text("new") and None)
    assert (tmp_path / "link.csv").is_symlink()
    assert (tmp_path / "target.csv").read_text() == "new"
