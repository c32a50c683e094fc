"""`dmft.transient` and ``dmft transient``: agree, stop, go on, refuse."""

import os
import signal
import subprocess
import sys
import time

import numpy as np
import pytest

import dmft
from dmft.cli import main
from dmft.commands.changes import parse_changes, parse_starts
from dmft.errors import InputError

#: A small sampled run: seconds.
WORDS = (
    *("transient", "gated", "g_h=3", "alpha_z=5", "alpha_r=5", "--until", "2", "--start", "h=0.2"),
    *("--paths", "16", "--populations", "3", "--precision", "0.4", "--step", "beta_r=2@1"),
)
OPTIONS = {
    "until": 2,
    "start": {"h": 0.2},
    "paths": 16,
    "populations": 3,
    "precision": 0.4,
    "changes": [dmft.Step("beta_r", 1, 2)],
}


def python(**more):
    return dmft.transient("gated", g_h=3, alpha_z=5, alpha_r=5, **OPTIONS | more)


@pytest.fixture(scope="module")
def expected():
    return python()


def equal(one, two):
    assert list(one.moment) == list(two.moment)
    np.testing.assert_array_equal(one.time, two.time)
    for name in one.moment:
        np.testing.assert_array_equal(one.moment[name], two.moment[name])
        np.testing.assert_array_equal(one.error[name], two.error[name])


def test_the_command_equals_python_and_its_files(expected, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    assert main([*WORDS, "-o", "a.nc", "-o", "a.csv", "--plot", "a.png"]) == 0
    for name in ("a.nc", "a.csv"):
        equal(expected, dmft.load(name))
    assert dmft.load("a.nc").command.startswith("dmft transient gated g_h=3")
    assert sorted(p.name for p in tmp_path.iterdir()) == ["a.csv", "a.nc", "a.png"]
    told = capsys.readouterr()
    assert "C_h(t,t)" in told.out
    assert told.err == ""


def test_digits_do_not_depend_on_the_workers(expected):
    equal(expected, python(workers=2))
    assert expected.variance("h")[-1] != python(seed=1).variance("h")[-1]


def test_a_time_limit_leaves_work_from_which_it_goes_on(expected, tmp_path, monkeypatch, capsys):
    """In short bursts: the same command to the same digits, then the work is gone."""
    monkeypatch.chdir(tmp_path)
    assert main([*WORDS, "-o", "a.nc", "--time-limit", "0"]) == 3
    assert "time limit reached" in capsys.readouterr().err
    codes = []
    for _ in range(40):
        codes.append(main([*WORDS, "-o", "a.nc", "--time-limit", f"{0.6 + 0.02 * len(codes)}"]))
        if codes[-1] == 0:
            break
        if (tmp_path / "a.nc").exists():
            assert dmft.load("a.nc").status == "interrupted"
    assert codes[-1] == 0
    equal(expected, dmft.load("a.nc"))
    assert [p.name for p in tmp_path.iterdir()] == ["a.nc"]


@pytest.mark.skipif(sys.platform == "win32", reason="no SIGINT for one process there")
def test_an_interruption_leaves_a_partial_result(tmp_path):
    words = [*WORDS, "--workers", "2", "-o", "a.nc"]
    words[words.index("--paths") + 1] = "1024"
    words[words.index("--populations") + 1] = "40"
    process = subprocess.Popen(
        [sys.executable, "-m", "dmft", *words],
        cwd=tmp_path,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=os.environ | {"OMP_NUM_THREADS": "1"},
    )
    work = tmp_path / "a.nc.work"
    deadline = time.monotonic() + 60
    while not (work.exists() and any(work.glob("*.npz"))) and time.monotonic() < deadline:
        time.sleep(0.05)
    process.send_signal(signal.SIGINT)
    _, told = process.communicate(timeout=60)
    assert process.returncode == 130, told
    assert told.count("\n") == 1
    assert told.startswith("dmft: interrupted")
    assert "work kept in 'a.nc.work'" in told
    assert any(work.glob("*.npz"))
    found = dmft.load(tmp_path / "a.nc")
    assert found.status == "interrupted"
    assert found.populations < 40


BAD = {
    "no end": ((), "--until"),
    "an unknown model": (("--until", "2"), "there is no model"),
    "an unknown parameter": (("q=1", "--until", "2"), "no parameter"),
    "a negative end": (("--until", "-1"), "until"),
    "no number": (("--until", "1e"), "plain decimal"),
    "a start without a field": (("--until", "2", "--start", "0.1"), "--start"),
    "a start of nothing": (("--until", "2", "--start", "q=0.1"), "no field"),
    "a start below zero": (("--until", "2", "--start", "x=-0.1"), "variance >= 0"),
    "a start twice": (("--until", "2", "--start", "x=1", "--start", "x=2"), "twice"),
    "an unknown distribution": (("--until", "2", "--start", "x=1:0:cauchy"), "distribution"),
    "a step without a time": (("--until", "2", "--step", "g=1"), "is no change"),
    "a step of nothing": (("--until", "2", "--step", "q=1@1"), "no initial value"),
    "a step out of bounds": (("--until", "2", "--step", "g=-1@1"), "not allowed"),
    "a step after the end": (("--until", "2", "--step", "g=1@3"), "later end"),
    "a pulse backwards": (("--until", "2", "--pulse", "g=1@2:1"), "end after its start"),
    "too many values": (("--until", "2", "--pulse", "g=1:2@0:1"), "is no change"),
    "paths": (("--until", "2", "--paths", "3"), "paths"),
    "odd paths": (("--until", "2", "--paths", "6"), "multiple of 4"),
    "one population": (("--until", "2", "--populations", "1"), "populations"),
    "a seed below zero": (("--until", "2", "--seed", "-1"), "--seed"),
    "no workers": (("--until", "2", "--workers", "0"), "workers"),
    "precision": (("--until", "2", "--precision", "0"), "precision"),
    "no memory": (("--until", "2", "--memory", "0"), "GB"),
    "an archive": (("--until", "2", "-o", "a.npz"), "allowed are"),
    "a folder of work that is a file": (("--until", "2", "--checkpoint", "file"), "no folder"),
}


@pytest.mark.parametrize(("words", "told"), BAD.values(), ids=BAD.keys())
def test_bad_input_is_one_line(words, told, request, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "file").write_text("")
    model = "vanila" if "unknown model" in request.node.name else "vanilla"
    assert main(["transient", model, "g=2", *words]) == 2
    error = capsys.readouterr().err
    assert told in error
    assert error.count("\n") == 1


def test_work_of_another_computation_is_refused(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    words = [
        "transient",
        "vanilla",
        "g=2",
        "--until",
        "2",
        "--start",
        "x=1",
        "--checkpoint",
        "work",
    ]
    assert main(words) == 0
    assert main([*words, "--step", "g=1@1"]) == 2
    assert "other inputs" in capsys.readouterr().err
    for file in (tmp_path / "work").glob("*.npz"):
        file.write_bytes(b"nothing")
    assert main(words) == 2
    assert "cannot be read" in capsys.readouterr().err


def test_a_missed_precision_is_told_and_kept(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    words = list(WORDS)
    words[words.index("--precision") + 1] = "0.001"
    assert main([*words, "-o", "a.json"]) == 3
    assert "exceeds the precision" in capsys.readouterr().err
    assert dmft.load("a.json").status == "not-converged"


def test_what_is_typed():
    assert parse_changes(["a=1@2"], ["b=0:-3@1:2", "c=1@1:2"], ["d=1e-2@.5:1"]) == (
        dmft.Step("a", 2, 1),
        dmft.Step("b", 1, 0),
        dmft.Ramp("b", 1, 2, -3),
        dmft.Ramp("c", 1, 2, 1),
        dmft.Pulse("d", 0.5, 1, 0.01),
    )
    assert parse_starts(["x=1", "y=0.5:-2:uniform"]) == {
        "x": dmft.FieldStart(1.0),
        "y": dmft.FieldStart(0.5, -2.0, "uniform"),
    }


@pytest.mark.parametrize(
    "options",
    [{"until": True}, {"seed": 1.5}, {"paths": "8"}, {"changes": ["g=1"]}, {"precision": "x"}, {}],
)
def test_bad_options_in_python(options):
    with pytest.raises(InputError):
        dmft.transient("vanilla", g=2, **{"until": 2} | options if options else {})


def test_a_quenched_input_is_held_and_lost_in_closed_form():
    """A pulse of input of variance 1 into an uncoupled leaky unit: x(t) = I (1 - e^-4) e^-(t-6)."""
    found = dmft.transient(
        "vanilla",
        g=1e-6,
        until=9,
        changes=[dmft.Pulse("input_x", 2.0, 6.0, 1.0)],
        precision=1e-4,
    )
    time, trace, error = found.trace("x", 6.0)
    exact = (1 - np.exp(-4.0)) ** 2 * np.exp(-(time - 6.0))
    assert np.max(abs(trace - exact)) < 1e-4
    assert np.all(abs(trace - exact) < 3 * error + 1e-7)
