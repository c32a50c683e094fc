"""Model files and declared models where a name is taken: command line and Python."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import textwrap
from pathlib import Path
from typing import Any

import pytest
import sympy as sp

import dmft
from dmft.cli import main
from dmft.errors import InputError

Captured = pytest.CaptureFixture[str]

EXAMPLE = Path(__file__).parents[2] / "examples" / "two_gates.toml"
POINT = {"g_h": 6.0, "alpha_r": 1.0, "alpha_q": 1.0}
WORDS = [f"{name}={value:g}" for name, value in POINT.items()]

VANILLA = """
[model]
name = "vanilla"
title = "{title}"
citation = "none"
[parameters.g]
meaning = "gain"
positive = true
[fields.x]
meaning = "state"
[nonlinearities.phi]
expression = "tanh(x)"
[couplings.xi_x]
output = "phi"
[dynamics]
x = "-x + {factor}*g*xi_x"
"""


@pytest.fixture
def file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.chdir(tmp_path)
    shutil.copy(EXAMPLE, tmp_path / "two_gates.toml")
    return "two_gates.toml"


def record(capsys: Captured) -> Any:
    return json.loads(capsys.readouterr().out, parse_constant=pytest.fail)


def test_solve_derive_boundary(file: str, capsys: Captured) -> None:
    assert main(["solve", file, *WORDS, "--json", "-o", "a.nc", "--plot", "a.png"]) == 0
    found = record(capsys)
    assert found["model"] == "two-gates"
    assert found["model_hash"] == dmft.read_model(file).hash
    assert found["branch"] == "chaotic"
    python = dmft.solve(Path(file), POINT)
    assert found["variance"] == python.variance
    assert found["lyapunov"] == python.lyapunov
    assert dmft.load("a.nc").to_json() == json.dumps(found)

    assert main(["derive", f"./{file}", "--latex", "a.tex"]) == 0
    assert "sigma_q = logistic(alpha_q*q - beta_q)" in capsys.readouterr().out
    assert r"\alpha_q" in Path("a.tex").read_text(encoding="utf-8")

    assert main(["boundary", file, "zero-state", "beta_r=0:1:2", "--json"]) == 0
    points = record(capsys)["points"]
    for point in points:  # 1 = g_h s_r(0) s_q(0), by hand
        closed = 1 + float(sp.exp(point["beta_r"]))
        assert point["g_h"] == pytest.approx(2 * closed, rel=1e-12)


def test_the_file_equals_the_same_model_declared_in_the_tests(
    file: str, two_gate_theory: Any
) -> None:
    """The same network typed twice, by two people: same numbers, at tau_q given."""
    from dmft.solvers.stationary import solve_stationary

    given = POINT | {"tau_q": 1.7, "v_q": 1.3}
    solution = dmft.solve(file, given)
    found, _ = solve_stationary(two_gate_theory, solution.parameters)
    assert found.covariance is not None
    for row, field in zip(found.covariance, two_gate_theory.info.fields, strict=True):
        assert solution.variance[field] == pytest.approx(row[0], rel=1e-12)
    assert solution.lyapunov == pytest.approx(found.lyapunov, rel=1e-10)


@pytest.mark.slow
def test_validate_a_file_in_worker_processes(file: str, capsys: Captured) -> None:
    """Far too small to judge; the networks must be those of the file."""
    code = main(["validate", file, *WORDS, "--n", "200", "--realizations", "2", "--json"])
    found = record(capsys)
    assert code in (0, 1)
    assert found["model"] == "two-gates"
    assert found["model_hash"] == dmft.read_model(file).hash
    assert {row["quantity"] for row in found["rows"]} >= {"C_h(0)", "C_r(0)", "C_q(0)"}
    for row in found["rows"]:
        if row["quantity"].endswith("(0)"):
            assert row["simulation"] == pytest.approx(row["theory"], rel=0.5)


def test_a_declared_model_stands_where_a_name_can() -> None:
    x, g = dmft.Field("x", "state"), dmft.Parameter("g", "gain", positive=True)
    xi = dmft.Coupling("xi_x", sp.tanh(x.symbol))

    def declared(factor: int, title: str = "one") -> dmft.Model:
        return dmft.Model(
            name="../odd name", title=title, citation="", fields=(x,), parameters=(g,),
            nonlinearities=(), couplings=(xi,),
            dynamics={"x": -x.symbol + factor * g.symbol * xi.symbol},
        )  # fmt: skip

    shipped = dmft.solve("vanilla", g=2)
    solution = dmft.solve(declared(2), g=1)
    assert solution.variance["x"] == pytest.approx(shipped.variance["x"], rel=1e-12)
    assert solution.model_hash == declared(2).hash
    assert dmft.solve(declared(1), g=2).variance["x"] == pytest.approx(
        shipped.variance["x"], rel=1e-12
    )
    assert dmft.boundary(declared(4), "zero-state").columns["g"][0] == pytest.approx(0.25)
    assert "two" in str(dmft.derive(declared(1, "two")))
    report = dmft.validate(declared(1), g=2, n=200, realizations=2, workers=1, progress=False)
    assert report.model_hash == declared(1).hash
    assert report.rows


def test_the_cache_follows_the_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Captured
) -> None:
    """Read anew each time; words and numbers change with the file, entries go by its hash."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("DMFT_CACHE", str(tmp_path / "cache"))
    from dmft.codegen import cache, compiled_theory

    path = Path("own.toml")
    for factor, title in ((2, "double"), (1, "single"), (1, "renamed")):
        path.write_text(VANILLA.format(factor=factor, title=title), encoding="utf-8")
        curve = dmft.boundary("own.toml", "zero-state")
        assert curve.columns["g"][0] == pytest.approx(1 / factor, rel=1e-12)
        assert title in str(dmft.derive("own.toml"))
        assert compiled_theory("own.toml").info.title == title  # the words are not in the hash
    stored = sorted((tmp_path / "cache").iterdir())
    assert len(stored) == 2
    assert all(entry.name.startswith("declared-") for entry in stored)
    # a stored entry of another model under this name is not believed
    cache._recent.clear()
    stored[0].write_bytes(stored[1].read_bytes())
    stored[1].write_bytes(b"{")
    for factor in (1, 2):
        path.write_text(VANILLA.format(factor=factor, title="again"), encoding="utf-8")
        curve = dmft.boundary("own.toml", "zero-state")
        assert curve.columns["g"][0] == pytest.approx(1 / factor, rel=1e-12)


def test_a_solution_of_another_declaration_is_not_simulated_as_the_shipped_one(
    tmp_path: Path,
) -> None:
    from dmft.validation.validate import validate_solution

    path = tmp_path / "own.toml"
    path.write_text(VANILLA.format(factor=2, title="double"), encoding="utf-8")
    with pytest.raises(InputError, match="'vanilla' was solved with does not come with"):
        validate_solution(dmft.solve(path, g=1), n=200, realizations=2)


@pytest.mark.parametrize(
    ("model", "words"),
    [
        ("none.toml", "none.toml: there is no such file"),
        ("folder/none", "ends in .toml"),
        ("../../etc/passwd", "ends in .toml"),
        ("gatd", "did you mean 'gated'"),
        (".", "no model"),
        ("a\nb.toml", "no such file"),
        ("", "no model"),
        (".toml", "toml"),
    ],
)
@pytest.mark.parametrize("command", ["solve", "derive", "boundary", "validate"])
def test_no_such_model(
    command: str, model: str, words: str, tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch, capsys: Captured,
) -> None:  # fmt: skip
    monkeypatch.chdir(tmp_path)
    assert main([command, model, *(["zero-state"] if command == "boundary" else [])]) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert err.count("\n") == 1
    assert words in err


def test_other_objects_are_refused() -> None:
    for thing in (3, None, b"vanilla", ["vanilla"]):
        with pytest.raises(InputError, match="is no model; give the name"):
            dmft.solve(thing, g=2)  # type: ignore[arg-type]


HOSTILE = {
    "import": "x = \"__import__('os').system('touch harm')\"",
    "attribute": 'x = "x.__class__.__base__"',
    "power tower": 'x = "9**9**9"',
    "power tower in a logarithm": 'x = "exp(1e20*log(1e20))"',
    "brackets": 'x = "' + "(" * 100_000 + "x" + ")" * 100_000 + '"',
    "long": 'x = "' + "x+" * 500_000 + 'x"',
    "nested": 'x = "' + "-" * 1900 + 'x"',
    "look-alike": 'x = "t\u0430nh(x)"',
    "integer": "x = " + "9" * 3900,
    "NUL": 'x = "x\x00"',
    "twice": 'x = "-x + xi"\nx = "-x + xi"',
    "TOML brackets": "x = " + "[" * 3900,
    "dotted": "x" + ".x" * 1900 + " = 1",
    "huge number": 'x = "1e999999999"',
    "delay": 'x = "-x(t - 1) + xi"',
    "kink": 'x = "-abs(x) + xi"',
}


@pytest.mark.parametrize("case", HOSTILE)
def test_hostile_files_end_at_once(case: str, tmp_path: Path) -> None:
    """Exit code 2, one line, two seconds of processor time with Python's start, nothing run."""
    good = VANILLA.format(factor=1, title="t").partition("x = ")[0].replace("xi_x", "xi")
    (tmp_path / "m.toml").write_text(good + HOSTILE[case] + "\n", encoding="utf-8", newline="\n")
    program = textwrap.dedent(
        """
        import sys, time
        from dmft.cli import main
        code = main(["solve", "m.toml", "g=2"])
        print(time.process_time())
        sys.exit(code)
        """
    )
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=tmp_path, capture_output=True, text=True,
        timeout=30, check=False,
    )  # fmt: skip
    assert done.returncode == 2, done.stderr
    assert float(done.stdout) < 2
    assert done.stderr.startswith("dmft: m.toml: ")
    assert done.stderr.count("\n") == 1
    assert len(done.stderr) < 700
    assert [path.name for path in tmp_path.iterdir()] == ["m.toml"]
