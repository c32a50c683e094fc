"""A scan is what `dmft.solve` returns at its points, to the last bit, whoever computed it."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import samples
from scanned import record

import dmft
from dmft.errors import DmftError, NotCoveredError
from dmft.results.scan import column_names
from dmft.scans import scan
from dmft.scans.point import row_of
from dmft.scans.problem import ScanProblem

#: A model of a file: the slope multiplies the gain, so that slope = 1 is the network of SCS.
MINE = """
[model]
name = "mine"
title = "a network"
citation = "none"
[parameters.g]
meaning = "gain"
positive = true
[parameters.slope]
meaning = "slope"
positive = true
[fields.x]
meaning = "state"
[nonlinearities.phi]
expression = "tanh(slope*x)"
[couplings.xi_x]
output = "phi"
[dynamics]
x = "-x + g*xi_x"
"""


class Watcher:
    """Remembers what it is told."""

    def __init__(self) -> None:
        self.told: list[object] = []

    def started(self, points: int, done: int, where: str) -> None:
        self.told.append((points, done, where))

    def advanced(self, points: int) -> None:
        self.told.append(points)

    def finished(self) -> None:
        self.told.append("finished")


def test_every_point_is_what_solve_returns() -> None:
    gains, slopes = [1.5, 1.9, 3.0], [0.0, 15.0]
    found = scan("gated", g_h=gains, alpha_r=slopes, workers=1, branch="auto", tau_r=2)
    for i, g_h in enumerate(gains):
        for j, alpha_r in enumerate(slopes):
            solution = dmft.solve("gated", g_h=g_h, alpha_r=alpha_r, tau_r=2)
            assert found.branch[i, j] == solution.branch
            assert found.other_branches[i, j].split() == list(solution.other_branches)
            assert found.status[i, j] == solution.status
            assert found.message[i, j] == solution.message
            at = {name: grid[i, j] for name, grid in found.values.items()}
            for field, variance in solution.variance.items():
                assert at[f"variance_{field}"] == variance
                for name in ("mean", "limit"):
                    known = getattr(solution, name).get(field)
                    expected = np.nan if known is None else known
                    assert np.array_equal(at[f"{name}_{field}"], expected, True)
                time = solution.correlation_time[field]
                assert np.array_equal(at[f"correlation_time_{field}"], time or np.nan, True)
            assert at["lyapunov"] == solution.lyapunov
            assert at["residual"] == solution.residual
            for name, error in solution.error_estimate.items():
                assert at[f"error_{name}"] == error
    assert set(found.branch.ravel()) == {"zero", "chaotic"}
    assert found.model_hash == solution.model_hash


def test_means_and_limits_have_their_places() -> None:
    solution = samples.solution(mean={"h": 1.0, "r": 2.0}, limit={"h": 3.0, "z": 4.0})
    row = dict(zip(column_names(solution.variance), row_of(solution, ("h", "z", "r")), strict=True))
    names = [f"{kind}_{field}" for kind in ("mean", "limit") for field in ("h", "z", "r")]
    assert [row[name] for name in names] == [1.0, None, 2.0, 3.0, 4.0, None]
    assert row["variance_z"] == 1 / 3 and row["correlation_time_r"] == 7.1
    assert (row["error_variance"], row["error_lyapunov"], row["seconds"]) == (1e-11, None, 0.25)
    assert row["other_branches"] == "zero fixed-point"


def test_two_processes_give_the_digits_of_one(tmp_path: Path) -> None:
    """Two pieces on two processes, of a model that no worker has a name for."""
    (tmp_path / "mine.toml").write_text(MINE, encoding="utf-8")
    given = {"g": [1.9, 2.1], "slope": [0.9, 1.0]}
    first, second = Watcher(), Watcher()
    one = scan(tmp_path / "mine.toml", given, workers=1, watch=first)
    two = scan(tmp_path / "mine.toml", given, workers=2, watch=second)
    assert record(one) == record(two)
    assert one.answered.all() and (one.lyapunov > 0).all()
    assert first.told == [(4, 0, "in 1 process"), 2, 2, "finished"]
    assert second.told == [(4, 0, "in 2 processes"), 2, 2, "finished"]


def test_the_order_of_the_pieces_does_not_matter(monkeypatch: pytest.MonkeyPatch) -> None:
    given = {"g": dmft.Sweep(0.5, 1.6, 9)}
    forwards = scan("vanilla", given, workers=1, lyapunov=False)
    pieces = ScanProblem.pieces
    monkeypatch.setattr(
        ScanProblem, "pieces", property(lambda self: pieces.fget(self)[::-1])  # type: ignore
    )  # fmt: skip
    assert record(scan("vanilla", given, workers=1, lyapunov=False)) == record(forwards)


def test_points_without_an_answer_are_holes_with_a_reason() -> None:
    found = scan("vanilla", g=[0.5, 1.5], branch="chaotic", workers=1)
    assert found.status.tolist() == ["no-solution", "converged"]
    assert found.answered.tolist() == [False, True]
    assert "decaying solutions exist" in found.message[0] and found.message[1] == ""
    for name in ("variance_x", "lyapunov", "error_variance", "correlation_time_x"):
        assert np.isnan(found.values[name]).tolist() == [True, False], name
    assert found.other_branches[0] == "zero"


def failing(at: float, error: Exception) -> Any:
    """`dmft.solve` with an error at one gain, and without work elsewhere."""
    real = dmft.solve

    def solve(model: Any, parameters: Any, **options: Any) -> Any:
        if parameters["g"] == at:
            raise error
        return real(model, {"g": 0.5}, **options)

    return solve


def test_what_a_theory_does_not_cover_is_refused_soon(monkeypatch: pytest.MonkeyPatch) -> None:
    """Only the last of five pieces is not covered; it comes second."""
    monkeypatch.setattr("dmft.api.solve", failing(2.0, NotCoveredError("g = 2 is not covered")))
    watcher = Watcher()
    with pytest.raises(NotCoveredError, match=r"^g = 2 is not covered$"):
        scan("vanilla", g=dmft.Sweep(1, 2, 40), workers=1, watch=watcher)
    assert watcher.told == [(40, 0, "in 1 process"), 8, "finished"]


def test_a_fault_of_ours_says_where(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("dmft.api.solve", failing(2.0, ZeroDivisionError("division by zero")))
    with pytest.raises(ZeroDivisionError) as error:
        scan("vanilla", g=[1.0, 2.0], workers=1)
    assert error.value.__notes__ == ["at the point g=2 (others 0)"]


def test_another_model_of_the_same_name_is_found_out(monkeypatch: pytest.MonkeyPatch) -> None:
    real = dmft.solve
    monkeypatch.setattr("dmft.api.solve", lambda *a, **k: replace(real(*a, **k), model_hash="0"))
    with pytest.raises(DmftError, match="install the same version"):
        scan("vanilla", g=[0.5, 0.6], workers=1)


def test_other_versions_are_found_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("dmft.scans.point.versions", lambda: {"dmft": "0.0", "numpy": "1"})
    with pytest.raises(DmftError, match=r"a worker has dmft 0\.0 instead of"):
        scan("vanilla", g=[0.5, 0.6], workers=1)
