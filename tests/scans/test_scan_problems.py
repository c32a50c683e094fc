"""What a scan is made of: its points, their order, its pieces, its key; what is refused."""

from __future__ import annotations

import itertools
from pathlib import Path
from typing import Any

import pytest

import dmft
from dmft.errors import InputError
from dmft.scans import scan
from dmft.scans.problem import LONGEST_PIECE, ScanProblem, declare

OPTIONS: dict[str, Any] = {
    "branch": "auto", "tol": 1e-10, "method": "auto", "seed": None, "lyapunov": True
}  # fmt: skip


def problem(model: Any = "gated", *, options: dict[str, Any] | None = None, **given: Any) -> Any:
    return declare(model, given, **(OPTIONS | (options or {})))


def test_points_are_the_product_with_the_last_axis_innermost() -> None:
    gains, slopes = (1.0, 2.0, 3.0), (0.0, 5.0)
    found = problem(g_h=gains, alpha_r=slopes, tau_r=2)
    points = [found.parameters(i) for i in range(found.size)]
    expected = list(itertools.product(gains, slopes))
    assert [(p["g_h"], p["alpha_r"]) for p in points] == expected
    assert {p["tau_r"] for p in points} == {2.0} and {p["beta_r"] for p in points} == {0.0}


@pytest.mark.parametrize("line", [1, 7, 8, 9, 21, 64])
def test_pieces_cover_all_points_once_and_never_leave_a_line(line: int) -> None:
    found = problem(g_h=[1.0, 2.0, 3.0], alpha_r=dmft.Sweep(0, 1, line) if line > 1 else [0.5])
    pieces = found.pieces
    assert [i for piece in pieces for i in piece] == list(range(found.size))
    lengths = [len(piece) for piece in pieces]
    assert max(lengths) <= LONGEST_PIECE and max(lengths) - min(lengths) <= 1
    for piece in pieces:
        assert len({found.parameters(i)["g_h"] for i in piece}) == 1


def test_the_key_covers_everything_that_decides_on_a_number() -> None:
    base = problem(g_h=[1.0, 2.0], alpha_r=[0.0, 5.0])
    assert base.key == problem(g_h=[1.0, 2.0], alpha_r=[0.0, 5.0], beta_r=0).key
    others = [
        problem(g_h=[1.0, 2.5], alpha_r=[0.0, 5.0]),
        problem(g_h=[1.0, 2.0], alpha_r=[0.0, 5.0], tau_r=2),
        problem(alpha_r=[0.0, 5.0], g_h=[1.0, 2.0]),
        problem("vanilla", g=[1.0, 2.0]),
        problem("vanilla-erf", g=[1.0, 2.0]),
        *(
            problem(g_h=[1.0, 2.0], alpha_r=[0.0, 5.0], options={name: value})
            for name, value in (
                ("branch", "chaotic"), ("tol", 1e-9), ("method", "dense"), ("seed", 1),
                ("lyapunov", False),
            )
        ),
    ]  # fmt: skip
    newer = dict(base.versions) | {"numpy": "99.0"}
    others.append(ScanProblem(**{**base.__dict__, "versions": newer}))
    others.append(ScanProblem(**{**base.__dict__, "model_hash": "0"}))
    keys = [base.key, *(other.key for other in others)]
    assert len(set(keys)) == len(keys)


@pytest.mark.parametrize(
    ("given", "texts"),
    [
        ({"g": 2}, ["no parameter is swept", "first:last:points"]),
        ({"g": [1, 2, 1.0]}, ["g: 1 is given twice"]),
        ({"g": []}, ["g: 0 values"]),
        ({"g": [1, -1]}, ["-1", "> 0"]),
        ({"g": [1, 2], "h": 3}, ["'h'", "parameters: g"]),
        ({"g": [1, 2], "branch": "caotic"}, ["did you mean 'chaotic'"]),
        ({"g": [1, 2], "method": "magic"}, ["method", "'magic'"]),
        ({"g": [1, 2], "tol": 0.5}, ["tol"]),
        ({"g": [1, 2], "seed": -1}, ["seed"]),
        ({"g": [1, 2], "workers": 0}, ["workers: 0", ">= 1"]),
        ({"g": [1, 2], "workers": "2"}, ["workers: '2'"]),
        ({"g": [1, 2], "workers": True}, ["workers: True"]),
        ({"g": [1, 2], "workers": 2, "scheduler": "tcp://127.0.0.1:1"}, ["only one of the two"]),
        ({"g": [1, 2], "output": "a.npz"}, ["output", "'.npz'", ".csv"]),
        ({"g": [1, 2], "output": ["a.csv", "a.csv"]}, ["given twice"]),
    ],
)
def test_bad_requests_are_refused_in_one_line(given: dict[str, Any], texts: list[str]) -> None:
    with pytest.raises(InputError) as error:
        scan("vanilla", **given)
    assert str(error.value).isprintable()
    for text in texts:
        assert text in str(error.value)


def test_too_many_points_are_refused() -> None:
    with pytest.raises(InputError, match="at most 100000"):
        problem(g_h=dmft.Sweep(1, 2, 1000), alpha_r=dmft.Sweep(0, 1, 101))


def test_a_parameter_with_the_name_of_a_column_is_refused(tmp_path: Path) -> None:
    (tmp_path / "m.toml").write_text(
        '[model]\nname = "m"\ntitle = "m"\ncitation = "none"\n'
        '[parameters.residual]\nmeaning = "gain"\npositive = true\n'
        '[fields.x]\nmeaning = "state"\n[nonlinearities.phi]\nexpression = "tanh(x)"\n'
        '[couplings.xi_x]\noutput = "phi"\n[dynamics]\nx = "-x + residual*xi_x"\n'
    )
    with pytest.raises(InputError, match="residual has the name of a result"):
        scan(tmp_path / "m.toml", residual=[1, 2])
