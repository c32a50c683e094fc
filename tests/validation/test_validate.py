"""End to end: theory and simulation meet, refuse bad input, and repeat digit for digit."""

import dataclasses
import json

import numpy as np
import pytest

import dmft
from dmft.cli import main
from dmft.codegen import compile_network
from dmft.errors import InputError
from dmft.validation.couplings import Couplings
from dmft.validation.estimate import measure
from dmft.validation.judge import judge
from dmft.validation.report import ValidationReport
from dmft.validation.schedule import Schedule
from dmft.validation.simulate import simulate
from dmft.validation.validate import validate_solution
from dmft.validation.watch import Console, Silent, duration


@pytest.fixture(scope="module")
def report():
    """A small report, whatever its verdict."""
    theory = dmft.solve("vanilla", g=2)
    return validate_solution(theory, n=200, realizations=3, seed=5, workers=1)


def test_right_passes_and_wrong_fails_on_fresh_networks():
    """Eight gated networks of 300 units, simulated here: C passes for the solved theory and fails
    for that of another gain. (Exponents need the larger networks stored in test_judge.)"""
    theories = {g_h: dmft.solve("gated", g_h=g_h, alpha_r=5) for g_h in (3.0, 3.6)}
    schedule = Schedule(0.25, 30.0, 50.0, (4, 10), (4, 10), batch=10, tangents=1)
    right = compile_network("gated")
    networks = [
        measure(right, theories[3.0].parameters, schedule, n, realization, 1)
        for n, count in {300: 8, 150: 3}.items()
        for realization in range(count)
    ]
    verdicts = {
        g_h: {
            row.quantity: row.verdict
            for row in judge(theory, networks, schedule)[0]
            if row.quantity.startswith("C_")
        }
        for g_h, theory in theories.items()
    }
    assert list(verdicts[3.0]) == ["C_h(0)", "C_z(0)", "C_r(0)", "C_h(2)", "C_h(5)"]
    assert set(verdicts[3.0].values()) == {"pass"}
    assert verdicts[3.6]["C_h(0)"] == "fail"


def test_report(report, tmp_path):
    assert report.networks == {200: 3, 100: 6, 50: 12}
    assert {n: len(v) for n, v in report.raw_lyapunov.items()} == report.networks
    assert report.lag.shape == report.autocorrelation.shape == report.autocorrelation_error.shape
    assert np.all(report.autocorrelation_error > 0)
    for line in ("C_x(0)", "lambda (N = inf)", "(not judged)", "Holm", report.verdict):
        assert line in report.table
    with pytest.raises(dataclasses.FrozenInstanceError):
        report.verdict = "pass"
    with pytest.raises(TypeError):
        report.parameters["g"] = 1.0
    body = json.loads(report.to_json(), parse_constant=pytest.fail)
    assert body["schema"] == 1
    assert body["verdict"] == report.verdict
    assert len(body["measurements"]) == 21
    assert body["rows"][0]["quantity"] == "C_x(0)"
    assert body["rows"][-1]["p_value"] is None
    report.save(tmp_path / "report.json")
    assert json.loads((tmp_path / "report.json").read_text()) == body
    with pytest.raises(InputError, match="suffix"):
        report.save(tmp_path / "report.txt")
    assert "<pre>" in report._repr_html_()


def test_plot(report, tmp_path):
    pytest.importorskip("matplotlib")
    report.plot(tmp_path / "report.svg")
    assert (tmp_path / "report.svg").read_text(encoding="utf-8").count("<path") > 10


def test_same_digits_for_any_number_of_workers(report):
    """Networks are seeded one by one; processes only decide who runs them."""
    theory = dmft.solve("vanilla", g=2)
    two = validate_solution(theory, n=200, realizations=3, seed=5, workers=2)
    assert two.measurements == report.measurements
    # as text, all digits: rows that are shown only have NaN scores, which equal nothing
    assert [repr(row) for row in two.rows] == [repr(row) for row in report.rows]


def test_same_digits_for_everything_that_is_drawn():
    """Sparse couplings with a mean or noise and inputs, in double precision: one process or two."""
    schedule = Schedule(0.25, 2.0, 3.0, (1,), (1,), batch=3, tangents=1)
    counts = {60: 2, 30: 2}
    cases = {
        "mean-coupling": {"g": 1.5, "m": 1.2, "input_x": 0.1},
        "vanilla": {"g": 1.5, "input_x": 0.2, "noise_x": 0.3},
    }
    for model, p in cases.items():
        one, two = (
            simulate(
                *(compile_network(model), p, schedule, counts, 5, workers, Silent()),
                dict.fromkeys(counts, 1.0),
                np.dtype(np.float64),
                Couplings("binary", 0.4),
            )
            for workers in (1, 2)
        )
        assert one == two
        assert len({m.lyapunov for m in one}) == 4


def test_options_of_the_simulation():
    """They are obeyed and recorded; the theory stays the same."""
    theory = dmft.solve("vanilla", g=2)
    seen = {
        name: validate_solution(theory, n=200, realizations=2, seed=5, workers=1, **options)
        for name, options in {
            "plain": {},
            "other": {
                "integrator": "exponential",
                "precision": "float64",
                "couplings": Couplings("uniform", 0.5),
            },
        }.items()
    }
    assert [row.theory for row in seen["other"].rows] == [row.theory for row in seen["plain"].rows]
    moments = {name: r.measurements[0].second_moment["x"] for name, r in seen.items()}
    assert len(set(moments.values())) == 2
    schedule = seen["other"].schedule
    assert schedule["integrator"] == "exponential RK4"
    assert schedule["couplings"] == {"distribution": "uniform", "density": 0.5}
    assert schedule["precision"] == "float64 states, float64 averages"
    assert seen["plain"].schedule["integrator"] == "RK4"
    json.loads(seen["other"].to_json())


def test_rest_is_validated_by_decay():
    report = dmft.validate("vanilla", g=0.5, n=200, realizations=2, workers=1, progress=False)
    assert report.branch == "zero"
    assert {row.quantity: row.verdict for row in report.rows}["C_x(0)"] == "pass"
    assert report.verdict != "fail"


def test_unstable_branches_are_not_simulated():
    report = dmft.validate("vanilla", g=2, branch="zero", progress=False)
    assert isinstance(report, ValidationReport)
    assert report.verdict == "inconclusive"
    assert "unstable" in report.message
    assert report.rows == ()
    json.loads(report.to_json())


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"n": 199}, ["n:", "199", ">= 200"]),
        ({"n": 2000.5}, ["n:", "2000.5"]),
        ({"n": True}, ["n:", "True"]),
        ({"n": 3_000_000}, ["n:", "3000000", "GB", "try n <="]),
        ({"realizations": 1}, ["realizations:", ">= 2"]),
        ({"seed": -1}, ["seed:", "-1"]),
        ({"workers": 0}, ["workers:", "0"]),
        ({"integrator": "euler"}, ["integrator:", "euler", "rk4 or exponential"]),
        ({"couplings": "binary"}, ["couplings:", "binary", "Couplings"]),
        ({"precision": "float16"}, ["precision:", "float16", "float32 or float64"]),
        ({"g": float("nan")}, ["g"]),
        ({"gg": 1.0}, ["gg"]),
    ],
)
def test_bad_input(options, words):
    given = {"g": 2.0} | options
    with pytest.raises(InputError) as caught:
        dmft.validate("vanilla", progress=False, **given)
    message = str(caught.value)
    assert "\n" not in message
    for word in words:
        assert word in message


def test_command_line(capsys, tmp_path):
    """Estimated time on stderr, one JSON object on stdout, 1 for what is not a pass."""
    path = tmp_path / "report.json"
    words = [
        "validate",
        "vanilla",
        "g=2",
        "--n",
        "200",
        "--realizations",
        "2",
        "--seed",
        "4",
        "--json",
        "-o",
    ]
    code = main([*words, str(path)])
    seen = capsys.readouterr()
    body = json.loads(seen.out)
    assert seen.err.startswith("estimated time: ")
    assert body == json.loads(path.read_text())
    assert body["command"].startswith("dmft validate vanilla g=2")
    assert body["seed"] == 4
    assert code == (0 if body["verdict"] == "pass" else 1)


@pytest.mark.parametrize(
    ("words", "code", "complaint"),
    [
        ("validate vanilla g=2 --n many", 2, "--n"),
        ("validate vanilla g=2 --realizations 1", 2, "realizations"),
        ("validate vanilla g=2 --n 5000000", 2, "GB"),
        ("validate vanilla g=nan", 2, "g"),
        ("validate vanilla g=1:2:3", 2, "range"),
        ("validate vanila g=2", 2, "vanilla"),
        ("validate vanilla g=2 -o report.csv", 2, ".json"),
        ("validate vanilla g=2 --plot report.txt", 2, ".png"),
        ("validate vanilla g=2 --branch zero", 3, ""),
    ],
)
def test_command_line_refuses(capsys, tmp_path, monkeypatch, words, code, complaint):
    monkeypatch.chdir(tmp_path)
    assert main(words.split()) == code
    seen = capsys.readouterr()
    assert "Traceback" not in seen.err
    assert complaint in seen.err
    assert len(seen.err.splitlines()) <= 1
    assert not list(tmp_path.iterdir())


def test_interruption_is_130(monkeypatch, capsys):
    def interrupted(*args, **kwargs):
        raise KeyboardInterrupt

    monkeypatch.setattr("dmft.validation.run_networks.simulate", interrupted)
    assert main(["validate", "vanilla", "g=2", "--n", "200", "--realizations", "2"]) == 130
    assert "Traceback" not in capsys.readouterr().err


def test_console_without_a_terminal_shows_one_line(capsys):
    console = Console()
    console.estimated(250.0, 2)
    console.advanced(0.5)
    console.finished()
    assert capsys.readouterr().err == "estimated time: 4 min 10 s (2 processes)\n"
    assert duration(0.01) == "1 s"
