"""What is written is read back, to the last bit; what was not written by dmft is refused."""

from __future__ import annotations

import json
import math
import zipfile
from pathlib import Path

import numpy as np
import pytest
import samples

from dmft.errors import InputError, MissingExtraError
from dmft.results.curve import BoundaryCurve
from dmft.results.load import load
from dmft.results.sheet import CURVE_SUFFIXES, SOLUTION_SUFFIXES
from dmft.results.solution import Solution
from dmft.solvers.status import Status

SOLUTION_KEYS = {
    *("schema", "model", "parameters", "branch", "other_branches", "status", "variance"),
    *("lyapunov", "lag", "autocorrelation", "residual", "error_estimate", "versions", "seed"),
    *("seconds", "kind", "model_hash", "tol", "method", "message", "correlation_time", "command"),
    *("mean", "limit", "digits", "interpolation", "histories"),
}


@pytest.mark.parametrize("suffix", SOLUTION_SUFFIXES)
def test_solution_round_trip(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"result{suffix}"
    saved = samples.solution()
    saved.save(path)
    read = load(path)
    assert isinstance(read, Solution)
    assert read.to_json() == saved.to_json()
    assert read.lag.tobytes() == saved.lag.tobytes()
    assert list(read.autocorrelation) == list(saved.autocorrelation)
    for name, values in saved.autocorrelation.items():
        assert read.autocorrelation[name].tobytes() == values.tobytes()
    assert read.message == saved.message
    assert read.status is Status.CONVERGED
    assert [entry.name for entry in tmp_path.iterdir()] == [path.name]


@pytest.mark.parametrize("suffix", SOLUTION_SUFFIXES)
def test_sampled_solution_round_trip(tmp_path: Path, suffix: str) -> None:
    """Means, limits, standard errors of some quantities and the kind of interpolation."""
    lag = samples.solution().lag
    errors = {"h": 1e-3 * np.exp(-lag), "phi": np.linspace(1e-4, 2e-4, lag.size)}
    saved = samples.solution(
        mean={"h": -0.25, "z": 0.0, "r": None},
        limit={"h": 0.0625, "z": 0.0, "r": None},
        standard_error=errors,
        interpolation="spline",
        histories={"waiting_time": 40.0, "narrow": 0.1, "narrow_error": 0.01, "wide": 1 / 3},
    )
    path = tmp_path / f"result{suffix}"
    saved.save(path)
    read = load(path)
    assert isinstance(read, Solution)
    assert read.to_json() == saved.to_json()
    assert (read.mean, read.limit) == (saved.mean, saved.limit)
    assert list(read.standard_error) == ["h", "phi"]
    assert list(read.autocorrelation) == list(saved.autocorrelation)
    for name, values in errors.items():
        assert read.standard_error[name].tobytes() == values.tobytes()


def test_files_without_the_later_keys_are_read(tmp_path: Path) -> None:
    record = json.loads(samples.solution().to_json())
    for key in ("mean", "limit", "interpolation"):
        del record[key]
    path = tmp_path / "old.json"
    path.write_text(json.dumps(record), encoding="utf-8")
    read = load(path)
    assert isinstance(read, Solution)
    assert (read.mean, read.limit, read.interpolation) == ({}, {}, "cosine")


@pytest.mark.parametrize("suffix", CURVE_SUFFIXES)
def test_curve_round_trip(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"curve{suffix}"
    saved = samples.curve()
    saved.save(path)
    read = load(path)
    assert isinstance(read, BoundaryCurve)
    assert read.to_json() == saved.to_json()
    for name, values in saved.columns.items():
        np.testing.assert_array_equal(read.columns[name], values)
    np.testing.assert_array_equal(read.error, saved.error)
    np.testing.assert_array_equal(read.segment, saved.segment)
    assert read.segment.dtype == np.int64
    assert read.status == saved.status


@pytest.mark.parametrize("suffix", SOLUTION_SUFFIXES)
def test_a_result_without_an_answer_round_trips(tmp_path: Path, suffix: str) -> None:
    saved = samples.solution(
        status=Status.NOT_CONVERGED,
        lag=[],
        autocorrelation={},
        variance={"h": math.nan, "z": None, "r": None},
        correlation_time={},
        lyapunov=math.nan,
        residual=None,
        command=None,
        other_branches=(),
    )
    saved.save(tmp_path / f"none{suffix}")
    read = load(tmp_path / f"none{suffix}")
    assert read.to_json() == saved.to_json()
    assert json.loads(saved.to_json())["lyapunov"] is None
    assert json.loads(saved.to_json())["variance"]["h"] is None


@pytest.mark.parametrize("suffix", CURVE_SUFFIXES)
def test_a_single_point_round_trips(tmp_path: Path, suffix: str) -> None:
    saved = samples.curve(
        sweep=(), columns={"g_h": [2.0]}, error=[0.0], status=["converged"], segment=[0]
    )
    saved.save(tmp_path / f"one{suffix}")
    assert load(tmp_path / f"one{suffix}").to_json() == saved.to_json()


def test_json_has_the_promised_keys() -> None:
    record = json.loads(samples.solution().to_json())
    assert set(record) == SOLUTION_KEYS
    assert record["schema"] == 1
    record = json.loads(samples.curve().to_json())
    assert record["boundary"] == "fixed-points"
    assert record["solve_for"] == "g_h"
    assert list(record["points"][0]) == ["alpha_r", "g_h", "error", "status", "segment"]
    assert record["points"][20]["g_h"] is None
    assert record["points"][20]["status"] == "not-converged"


def test_csv_is_what_a_spreadsheet_expects(tmp_path: Path) -> None:
    samples.curve().save(tmp_path / "curve.csv")
    lines = (tmp_path / "curve.csv").read_text(encoding="utf-8").splitlines()
    header = [line for line in lines if line.startswith("#")]
    assert "# model: gated" in header
    assert '# fixed: {"alpha_z": 0.0, "beta_r": 0.5, "tau_r": 1.0}' in header
    assert "# tolerance: 1e-12" in header
    assert lines[len(header)] == "alpha_r,g_h,error,status,segment"
    assert lines[len(header) + 1] == "0.0,2.0,1e-13,continuous,0"
    assert lines[-1] == "10.0,,,not-converged,1"
    table = np.genfromtxt(tmp_path / "curve.csv", delimiter=",", skip_header=len(header) + 1)
    assert table.shape == (21, 5)


def test_netcdf_is_labelled(tmp_path: Path) -> None:
    xarray = pytest.importorskip("xarray")
    saved = samples.solution()
    saved.save(tmp_path / "result.nc")
    with xarray.open_dataset(tmp_path / "result.nc", engine="h5netcdf") as data:
        assert data.autocorrelation.dims == ("quantity", "lag")
        assert float(data.g_h) == 3.0
        assert float(data.lyapunov) == saved.lyapunov
        assert "leak time" in data.lag.attrs["units"]
        phi = data.autocorrelation.sel(quantity="phi").values
        np.testing.assert_array_equal(phi, saved.autocorrelation["phi"])
        assert float(data.variance.sel(field="z")) == 1 / 3
        assert data.attrs["history"] == saved.command


def test_an_existing_file_is_replaced_whole(tmp_path: Path) -> None:
    path = tmp_path / "result.json"
    path.write_text("old")
    samples.solution().save(path)
    assert load(path).model == "gated"


@pytest.mark.parametrize("suffix", SOLUTION_SUFFIXES)
def test_truncated_files_are_refused(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"result{suffix}"
    samples.solution().save(path)
    whole = path.read_bytes()
    for length in (0, 1, 100, len(whole) // 2, len(whole) - 40):
        path.write_bytes(whole[:length])
        with pytest.raises(InputError) as error:
            load(path)
        assert path.name in str(error.value)
        assert "\n" not in str(error.value)


@pytest.mark.parametrize("suffix", SOLUTION_SUFFIXES)
@pytest.mark.parametrize("content", [b"hello", b"\x00\xff\xfe" * 50, b"{}", b"[" * 100_000, b"#"])
def test_foreign_files_are_refused(tmp_path: Path, suffix: str, content: bytes) -> None:
    path = tmp_path / f"foreign{suffix}"
    path.write_bytes(content)
    with pytest.raises(InputError) as error:
        load(path)
    assert "\n" not in str(error.value)
    assert len(str(error.value)) < 400


CORRUPTIONS = {
    "schema": 2,
    "kind": "report",
    "model": 3,
    "parameters": {"g_h": "3"},
    "status": "fine",
    "variance": [1.0],
    "lyapunov": "0.1",
    "lag": [0.0, 1.0, 5.0],
    "seconds": None,
    "versions": {"dmft": 1},
    "seed": 1.5,
    "tol": True,
    "other_branches": "zero",
    "residual": 10**400,
}


@pytest.mark.parametrize("key", CORRUPTIONS)
@pytest.mark.parametrize("missing", [False, True])
def test_every_key_is_checked(tmp_path: Path, key: str, missing: bool) -> None:
    record = json.loads(samples.solution().to_json())
    if missing:
        del record[key]
    else:
        record[key] = CORRUPTIONS[key]
    path = tmp_path / "edited.json"
    path.write_text(json.dumps(record))
    with pytest.raises(InputError, match=key):
        load(path)


def test_nan_is_no_json(tmp_path: Path) -> None:
    text = samples.solution().to_json().replace("0.13216866", "NaN")
    (tmp_path / "nan.json").write_text(text)
    with pytest.raises(InputError, match="NaN"):
        load(tmp_path / "nan.json")


def test_archives_are_never_unpickled(tmp_path: Path) -> None:
    class Trap:
        def __reduce__(self) -> tuple[object, tuple[str]]:
            return (pytest.fail, ("the file was unpickled",))

    np.savez(tmp_path / "trap.npz", header=np.array([Trap()], dtype=object))
    with pytest.raises(InputError, match="trap"):
        load(tmp_path / "trap.npz")


@pytest.mark.parametrize("header", ["{'model': 'gated'}", "[]", 7, None])
def test_a_foreign_header_in_netcdf_is_refused(tmp_path: Path, header: object) -> None:
    xarray = pytest.importorskip("xarray")
    data = xarray.Dataset({"h": ("lag", [1.0])}, attrs={} if header is None else {"header": header})
    data.to_netcdf(tmp_path / "foreign.nc", engine="h5netcdf")
    with pytest.raises(InputError, match="foreign") as error:
        load(tmp_path / "foreign.nc")
    assert str(error.value).isprintable()


def test_archives_that_unpack_to_too_much_are_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "bomb.npz"
    monkeypatch.setattr("dmft.results.archive.MAX_BYTES", 1 << 20)
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("lag.npy", bytes(3 << 20))
    assert path.stat().st_size < 1 << 14
    with pytest.raises(InputError, match="unpacks to"):
        load(path)


@pytest.mark.parametrize(
    ("line", "replacement"),
    [
        ("alpha_r,g_h,error", "alpha_r,alpha_r,error"),
        ("0.5,2.0,1e-13,continuous,0", "0.5,2.0,1e-13,continuous"),
        ("0.5,2.0,1e-13,continuous,0", "0.5,inf,1e-13,continuous,0"),
        ("0.5,2.0,1e-13,continuous,0", "0.5,2.0,1e-13,perfect,0"),
        ("0.5,2.0,1e-13,continuous,0", "0.5,2.0,1e-13,continuous,0.5"),
        ("# model: gated", "# model gated"),
        ("# model: gated", "# boundary: again"),
        ("alpha_r,g_h,error", "alpha_r,g,error"),
    ],
)
def test_edited_tables_are_refused(tmp_path: Path, line: str, replacement: str) -> None:
    path = tmp_path / "curve.csv"
    samples.curve().save(path)
    text = path.read_text(encoding="utf-8")
    assert line in text
    path.write_text(text.replace(line, replacement), encoding="utf-8")
    with pytest.raises(InputError, match="curve"):
        load(path)


def test_load_names_what_it_reads(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"did you mean '\.json'"):
        load(tmp_path / "a.jsn")
    with pytest.raises(InputError, match="not a file that exists"):
        load(tmp_path / "absent.json")
    with pytest.raises(InputError, match="not a file that exists"):
        load(tmp_path / "nul\0.json")


def test_a_missing_extra_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for module in ("xarray", "h5netcdf"):
        monkeypatch.setitem(__import__("sys").modules, module, None)
    with pytest.raises(MissingExtraError, match=r"pip install 'dmft\[io\]'"):
        samples.solution().save(tmp_path / "result.nc")
    with pytest.raises(MissingExtraError, match=r"dmft\[io\]"):
        samples.solution().to_xarray()
    (tmp_path / "result.nc").write_bytes(b"")
    with pytest.raises(MissingExtraError, match=r"dmft\[io\]"):
        load(tmp_path / "result.nc")
