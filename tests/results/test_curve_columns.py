"""Columns that only some boundaries have: kinds of points, further unknowns, enclosures."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import samples

from dmft.results.curve import BoundaryCurve
from dmft.results.load import load


def curve_with_extras() -> BoundaryCurve:
    plain = samples.curve()
    size = len(plain)
    return samples.curve(
        point_kind=("continuous",) * (size - 1) + ("",),
        others={"beta_z": np.linspace(1, 2, size)},
        enclosure=("[2.0000 +/- 1e-50]",) * (size - 1) + ("",),
    )


@pytest.mark.parametrize("suffix", [".csv", ".json", ".nc"])
def test_kinds_further_unknowns_and_enclosures_survive(suffix: str, tmp_path: Path) -> None:
    stored = curve_with_extras()
    stored.save(tmp_path / f"curve{suffix}")
    back = load(tmp_path / f"curve{suffix}")
    assert isinstance(back, BoundaryCurve)
    assert back.point_kind == stored.point_kind
    assert back.enclosure == stored.enclosure
    assert list(back.others) == ["beta_z"]
    assert np.array_equal(back.others["beta_z"], stored.others["beta_z"])
    assert list(back.columns) == list(stored.columns)


def test_files_of_older_versions_have_no_such_columns(tmp_path: Path) -> None:
    path = tmp_path / "curve.json"
    samples.curve().save(path)
    record = json.loads(path.read_text())
    del record["others"]
    path.write_text(json.dumps(record))
    back = load(path)
    assert isinstance(back, BoundaryCurve)
    assert (back.point_kind, dict(back.others), back.enclosure) == ((), {}, ())


def test_kinds_must_be_as_many_as_points() -> None:
    with pytest.raises(ValueError, match="point_kind: 1 values"):
        samples.curve(point_kind=("fold",))
