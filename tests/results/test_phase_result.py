"""Phase diagrams are read back as they were written, and drawn."""

import numpy as np
import pytest

from dmft.errors import InputError
from dmft.results.load import load
from dmft.results.phase import PhaseCurve, PhaseDiagram
from dmft.results.sheet import PHASE_SUFFIXES


def diagram(**changes):
    data = {
        "model": "gated",
        "across": "g_h",
        "up": "alpha_r",
        "axes": {"g_h": np.linspace(1, 4, 7), "alpha_r": np.linspace(0, 20, 5)},
        "fixed": {"beta_r": -0.1, "tau_r": 1.0},
        "labels": ("rest", "chaos", "rest + chaos"),
        "region": (np.arange(35) % 4 - 1).reshape(5, 7),
        "curves": (
            PhaseCurve("zero-state", "line", (2.0, 2.0), (0.0, 20.0)),
            PhaseCurve("chaos-onset", "fold", (1.9, 1.7), (10.0, 20.0)),
        ),
        "versions": {"dmft": "0"},
        "tolerance": 1e-8,
        "command": None,
        "seconds": 1.5,
        "model_hash": "12",
        "message": 'left, out: "x"',
    }
    return PhaseDiagram(**(data | changes))


@pytest.mark.parametrize("suffix", PHASE_SUFFIXES)
def test_round_trip(tmp_path, suffix):
    path = tmp_path / f"phase{suffix}"
    saved = diagram()
    saved.save(path)
    read = load(path)
    assert isinstance(read, PhaseDiagram)
    assert read.to_json() == saved.to_json()
    assert read.curves == saved.curves
    np.testing.assert_array_equal(read.region, saved.region)


def test_shares_and_labels():
    found = diagram(region=np.array([[0, 0], [1, -1]]), axes={"g_h": [1, 2], "alpha_r": [0, 5]})
    assert found.shares == {"rest": 0.5, "chaos": 0.25, "rest + chaos": 0.0, "undecided": 0.25}
    assert found.label_at(1.1, 4.0) == "chaos"
    assert found.label_at(9.0, 9.0) == "undecided"


@pytest.mark.parametrize(
    "changes",
    [{"region": np.zeros((7, 5), int)}, {"region": np.full((5, 7), 3)}, {"across": "beta_r"}],
)
def test_what_does_not_fit_together_is_no_diagram(changes):
    with pytest.raises(ValueError):
        diagram(**changes)


def test_a_file_without_regions_is_refused(tmp_path):
    path = tmp_path / "phase.json"
    diagram().save(path)
    path.write_text(path.read_text().replace('"region"', '"regions"'))
    with pytest.raises(InputError):
        load(path)


@pytest.mark.parametrize("suffix", [".png", ".svg"])
def test_figure(tmp_path, suffix):
    pytest.importorskip("matplotlib")
    path = tmp_path / f"phase{suffix}"
    diagram().plot(path)
    assert path.stat().st_size > 2000
