"""A scan is read back to the last bit in every format; what does not fit together is refused."""

from __future__ import annotations

import copy
import json
import pickle
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import samples
import scan_samples

from dmft.errors import InputError
from dmft.results.load import load
from dmft.results.scan import Scan, column_names
from dmft.results.sheet import SCAN_SUFFIXES


@pytest.mark.parametrize("suffix", SCAN_SUFFIXES)
@pytest.mark.parametrize(
    "axes", [None, {"g_h": [2.0]}, {"a": [1.0, 0.5], "b": [3.0], "c": [1e-300, 7.0]}]
)
def test_round_trip(tmp_path: Path, suffix: str, axes: Any) -> None:
    saved = scan_samples.scan(axes)
    saved.save(tmp_path / f"scan{suffix}")
    read = load(tmp_path / f"scan{suffix}")
    assert isinstance(read, Scan)
    assert read.to_json() == saved.to_json()
    assert list(read.axes) == list(saved.axes) and read.shape == saved.shape
    for name, values in saved.values.items():
        assert read.values[name].tobytes() == values.tobytes(), name
    assert read.message.tolist() == saved.message.tolist()
    assert [entry.name for entry in tmp_path.iterdir()] == [f"scan{suffix}"]


def test_signed_zero_is_kept_on_an_axis(tmp_path: Path) -> None:
    for suffix in SCAN_SUFFIXES:
        scan_samples.scan().save(tmp_path / f"scan{suffix}")
        read = load(tmp_path / f"scan{suffix}")
        assert np.signbit(read.axes["alpha_r"]).tolist() == [False, False, True]


def test_the_header_says_where_the_numbers_come_from(tmp_path: Path) -> None:
    scan_samples.scan().save(tmp_path / "scan.csv")
    lines = (tmp_path / "scan.csv").read_text(encoding="utf-8").splitlines()
    header = {line[2:].partition(": ")[0]: line for line in lines if line.startswith("# ")}
    assert list(header) == [
        *("schema", "kind", "model", "axes", "fixed", "fields", "units", "options", "versions"),
        *("model_hash", "command"),
    ]
    assert '"tol": 1e-10' in header["options"]
    assert '"lyapunov": "1 / leak time of the first field"' in header["units"]
    assert '"numpy"' in header["versions"]
    names = lines[len(header)].split(",")
    assert names == ["g_h", "alpha_r", *column_names(scan_samples.FIELDS)]


def test_netcdf_has_the_axes_as_dimensions(tmp_path: Path) -> None:
    xarray = pytest.importorskip("xarray")
    saved = scan_samples.scan()
    saved.save(tmp_path / "scan.nc")
    with xarray.open_dataset(tmp_path / "scan.nc", engine="h5netcdf") as data:
        assert data.lyapunov.dims == ("g_h", "alpha_r")
        assert "leak time" in data.lyapunov.attrs["units"]
        assert float(data.tau_r) == 1.0 and data.tau_r.attrs["units"] == "leak time"
        chosen = data.variance_h.sel(g_h=2.0, alpha_r=5.0)
        assert float(chosen) == saved.variance["h"][2, 1]
        assert data.attrs["history"] == saved.command


def test_other_kinds_keep_their_layout() -> None:
    """Text columns of a scan are none in other files: a field may have such a name there."""
    from dmft.results.sheet import text_columns

    assert text_columns({"kind": "solution"}) == text_columns({"kind": "boundary"})
    assert "message" not in text_columns({"kind": "boundary"})
    assert "message" in text_columns({"kind": "scan"})


def test_it_is_read_only_also_in_a_copy() -> None:
    saved = scan_samples.scan()
    for scan in (saved, copy.deepcopy(saved), pickle.loads(pickle.dumps(saved))):
        assert scan.to_json() == saved.to_json()
        with pytest.raises(ValueError, match="read-only"):
            scan.lyapunov[0, 0] = 1.0
        with pytest.raises(ValueError, match="read-only"):
            scan.status[0, 0] = "converged"
        with pytest.raises(TypeError):
            scan.values["lyapunov"] = None
    assert "Scan(gated over g_h (4), alpha_r (3): 11 of 12 points" in repr(saved)
    assert "<table>" in saved._repr_html_()


def test_what_does_not_fit_together_is_no_scan() -> None:
    wrong: list[dict[str, Any]] = [
        {"status": np.full((4, 3), "fine")},
        {"branch": np.full((3, 4), "zero")},
        {"values": {}},
        {"axes": {"g_h": [1.0]}},
    ]
    for change in wrong:
        with pytest.raises(ValueError):
            replace(scan_samples.scan(), **change)


CORRUPTIONS: dict[str, Any] = {
    "schema": 2,
    "model": 3,
    "axes": {"g_h": "3"},
    "fixed": [1],
    "fields": "h",
    "units": {"lyapunov": 1},
    "options": {"branch": "auto", "tol": 1e-10, "method": "auto", "seed": None, "lyapunov": 1},
    "versions": [],
    "model_hash": None,
    "command": 3,
    "points": {},
}


@pytest.mark.parametrize("key", CORRUPTIONS)
@pytest.mark.parametrize("missing", [False, True])
def test_every_key_is_checked(tmp_path: Path, key: str, missing: bool) -> None:
    record = json.loads(scan_samples.scan().to_json())
    if missing:
        del record[key]
    else:
        record[key] = CORRUPTIONS[key]
    path = tmp_path / "edited.json"
    path.write_text(json.dumps(record))
    with pytest.raises(InputError, match=key) as error:
        load(path)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("1.5,5.0,", "1.5,5.5,"),  # a point that is none of the axes
        ("1.5,5.0,", "1.5,,"),
        (",converged,", ",perfect,"),
        ("g_h,alpha_r,variance_h", "g_h,alpha_r,variance_x"),
        ('# axes: {"g_h": [1.0, 1.5', '# axes: {"g_h": [1.5, 1.0'),
        ('# axes: {"g_h": [1.0, 1.5, 2.0, 3.0], ', '# axes: {'),
    ],
)  # fmt: skip
def test_edited_tables_are_refused(tmp_path: Path, old: str, new: str) -> None:
    path = tmp_path / "scan.csv"
    scan_samples.scan().save(path)
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new, 1), encoding="utf-8")
    with pytest.raises(InputError, match="scan"):
        load(path)


@pytest.mark.parametrize("suffix", SCAN_SUFFIXES)
def test_truncated_files_are_refused(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"scan{suffix}"
    scan_samples.scan().save(path)
    whole = path.read_bytes()
    for length in (0, 1, 100, len(whole) // 2, len(whole) - 400):
        path.write_bytes(whole[:length])
        with pytest.raises(InputError) as error:
            load(path)
        assert "\n" not in str(error.value)


def test_a_kind_that_is_unknown_is_named(tmp_path: Path) -> None:
    record = json.loads(samples.curve().to_json())
    (tmp_path / "a.json").write_text(json.dumps(record | {"kind": "scam"}))
    with pytest.raises(InputError, match="solution, boundary, branches, phase, scan and transient"):
        load(tmp_path / "a.json")
