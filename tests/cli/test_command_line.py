"""The command line with a stand-in for the solvers: options, exit codes, files, refusals."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

import dmft.cli
from dmft.cli import find_commands, main
from dmft.errors import DmftError, InputError, NotCoveredError
from dmft.parameters import Sweep
from dmft.results.load import load
from dmft.solvers.status import Status

Captured = pytest.CaptureFixture[str]


def files() -> list[str]:
    return sorted(path.name for path in Path().iterdir())


def one_line(capsys: Captured) -> str:
    """The single line on stderr, with nothing on stdout."""
    out, err = capsys.readouterr()
    assert out == ""
    assert err.startswith("dmft: ")
    assert err.endswith("\n")
    assert err.count("\n") == 1
    assert "Traceback" not in err
    return err


def test_solve_prints_a_table(api: Any, capsys: Captured) -> None:
    assert main(["solve", "gated", "g_h=3", "alpha_r=5"]) == 0
    assert api.calls == [
        ("gated", {"g_h": 3.0, "alpha_r": 5.0},
         {"branch": "auto", "tol": 1e-10, "method": "auto"})
    ]  # fmt: skip
    out, err = capsys.readouterr()
    for text in (
        "C_h(0)",
        "0.3333333333",
        "0.13216866",
        "lambda_max",
        "correlation time of h",
        "chaotic",
        "zero, fixed-point",
        "residual",
        "3.1e-13",
        "1.0e-11",
        "0.25 s",
    ):
        assert text in out
    assert err.startswith("dmft: first line second")  # the solver's message
    assert files() == []


def test_solve_passes_its_options_on(api: Any) -> None:
    words = ["--branch", "zero", "--tol", "1e-6", "--method", "x", "beta_r=-1", "g_h=.5"]
    assert main(["solve", "gated", *words]) == 0
    assert api.calls[0][1:] == (
        {"beta_r": -1.0, "g_h": 0.5}, {"branch": "zero", "tol": 1e-6, "method": "x"}
    )  # fmt: skip


def test_json_is_alone_on_stdout(api: Any, capsys: Captured) -> None:
    assert main(["solve", "gated", "g_h=3", "--json"]) == 0
    out, err = capsys.readouterr()
    record = json.loads(out, parse_constant=pytest.fail)
    assert record["command"] == "dmft solve gated g_h=3 --json"
    assert err == ""
    assert main(["boundary", "gated", "fixed-points", "alpha_r=0:10:21", "--json"]) == 3
    out, err = capsys.readouterr()
    assert len(json.loads(out, parse_constant=pytest.fail)["points"]) == 21
    assert err == "dmft: 1 of 21 points have no answer\n"


def test_all_files_are_written_and_carry_the_command(api: Any, capsys: Captured) -> None:
    names = ["a.nc", "b.csv", "c.json", "d.npz"]
    options = [word for name in names for word in ("-o", name)]
    assert main(["solve", "gated", "g_h=3", *options, "--plot", "e f.svg"]) == 0
    assert files() == [*names, "e f.svg"]
    command = "dmft solve gated g_h=3 -o a.nc -o b.csv -o c.json -o d.npz --plot 'e f.svg'"
    for name in names:
        assert load(name).command == command
    assert "--plot 'e f.svg'" in Path("e f.svg").read_text(encoding="utf-8").replace("&#39;", "'")


def test_boundary_writes_and_prints(api: Any, capsys: Captured) -> None:
    api.points = ("converged",) * 21
    words = ["alpha_r=0:10:21", "beta_r=0.5", "--solve-for", "g_h", "-o", "c.csv", "-o", "c.nc"]
    assert main(["boundary", "gated", "fixed-points", *words, "--plot", "c.pdf"]) == 0
    assert api.calls == [
        ("gated", "fixed-points", {"alpha_r": Sweep(0, 10, 21), "beta_r": 0.5},
         {"solve_for": "g_h", "tol": None, "digits": None})
    ]  # fmt: skip
    assert files() == ["c.csv", "c.nc", "c.pdf"]
    assert "alpha_r" in capsys.readouterr().out


@pytest.mark.parametrize("status", [status for status in Status if not status.is_answer])
def test_no_answer_is_no_success(api: Any, capsys: Captured, status: Status) -> None:
    api.status = status
    assert main(["solve", "gated", "g_h=3", "-o", "a.json", "--plot", "a.png"]) == 3
    message = one_line(capsys)
    assert str(status) in message
    assert status.explanation in message
    assert "no file written" in message
    assert files() == []
    assert main(["solve", "gated", "g_h=3", "--json"]) == 3
    out, err = capsys.readouterr()
    assert json.loads(out)["status"] == status
    assert "no file written" not in err


def test_continuous_is_an_answer(api: Any) -> None:
    api.status = Status.CONTINUOUS
    assert main(["solve", "gated", "g_h=3"]) == 0


def test_a_curve_without_any_answer_is_not_written(api: Any, capsys: Captured) -> None:
    api.points = ("no-solution",) * 21
    words = ["gated", "fixed-points", "alpha_r=0:10:21", "-o", "c.csv", "--plot", "c.png"]
    assert main(["boundary", *words]) == 3
    assert "21 of 21 points have no answer; no file written" in capsys.readouterr().err
    assert files() == []


SOLVE_REFUSALS = [
    (["solve", "vanilla", "g=nan"], ["g", "'nan'", "finite number"]),
    (["solve", "vanilla", "g=inf"], ["g", "'inf'"]),
    (["solve", "vanilla", "g=two"], ["g", "'two'"]),
    (["solve", "vanilla", "g="], ["g=value"]),
    (["solve", "vanilla", "2"], ["'2'", "name=value"]),
    (["solve", "vanilla", "g=2", "g=2"], ["g is given twice"]),
    (["solve", "vanilla", "g=2", "-o", "a.hdf"], ["-o", "'.hdf'", ".nc, .csv, .json, .npz"]),
    (["solve", "vanilla", "g=2", "-o", "a"], ["-o", "''", ".nc"]),
    (["solve", "vanilla", "g=2", "-o", "no/a.nc"], ["-o", "'no/a.nc'", "folder does not exist"]),
    (["solve", "vanilla", "g=2", "-o", "a.nc", "-o", "./a.nc"], ["-o", "given twice"]),
    (["solve", "vanilla", "g=2", "--plot", "a.jpg"], ["--plot", "'.jpg'", ".png, .svg, .pdf"]),
    (["solve", "vanilla", "g=2", "--tol", "nan"], ["tol", "'nan'"]),
    (["solve", "vanilla", "g=2", "--tol", "1_0"], ["tol", "'1_0'"]),
    (["solve"], ["MODEL", "dmft solve --help"]),
    (["solve", "vanilla", "--brnch", "zero"], ["--brnch", "--branch"]),
    (["solve", "vanilla", "-g=2"], ["-g", "dmft solve --help"]),
    (["boundary", "gated", "zero-state", "beta_r=0:1:"], ["beta_r", "'0:1:'", "first:last:points"]),
    (["boundary", "gated", "zero-state", "beta_r=0", "--plot", "a.png"], ["plot", "swept"]),
    (["boundary", "gated", "zero-state", "beta_r=0:1:3", "-o", "a.npz"], ["'.npz'", ".csv"]),
    (["boundary", "gated"], ["BOUNDARY"]),
    (["derive", "gatd"], ["'gatd'", "'gated'"]),
    (["derive", "gated", "--latex", "a.txt"], ["--latex", "'.txt'", ".tex"]),
    (["slove"], ["'slove'", "did you mean 'solve'", "boundary"]),
    (["--verison"], ["'--verison'", "did you mean '--version'"]),
    (["so\nlve"], ["'so\\nlve'"]),
]


@pytest.mark.parametrize(("words", "texts"), SOLVE_REFUSALS, ids=lambda value: " ".join(value))
def test_bad_input_is_one_line_and_exit_code_2(
    api: Any, capsys: Captured, words: list[str], texts: list[str]
) -> None:
    assert main(words) == 2
    message = one_line(capsys)
    for text in texts:
        assert text in message
    assert api.calls == []  # found before computing
    assert files() == []


@pytest.mark.parametrize(
    ("module", "option", "name", "extra"),
    [("xarray", "-o", "a.nc", "io"), ("h5py", "-o", "a.nc", "io"),
     ("matplotlib", "--plot", "a.png", "plot")],
)  # fmt: skip
def test_a_missing_extra_is_found_before_computing(
    api: Any, capsys: Captured, monkeypatch: pytest.MonkeyPatch,
    module: str, option: str, name: str, extra: str,
) -> None:  # fmt: skip
    monkeypatch.setitem(sys.modules, module, None)
    assert main(["solve", "vanilla", "g=2", option, name]) == 2
    message = one_line(capsys)
    assert f"pip install 'dmft[{extra}]'" in message
    assert option in message
    assert api.calls == []


@pytest.mark.parametrize(
    ("error", "code", "text"),
    [
        (InputError("g: -1 is not allowed;\ngive more"), 2, "g: -1 is not allowed; give more"),
        (NotCoveredError("alpha_z = 1 is not built yet"), 2, "alpha_z = 1 is not built yet"),
        (DmftError("no"), 3, "no"),
        (KeyboardInterrupt(), 130, "interrupted"),
        (MemoryError(), 3, "out of memory"),
    ],
)
def test_errors_become_one_line_and_a_code(
    api: Any, capsys: Captured, error: BaseException, code: int, text: str
) -> None:
    api.raises = error
    assert main(["solve", "vanilla", "g=2", "--json", "-o", "a.json"]) == code
    assert text in one_line(capsys)
    assert files() == []


def test_a_mistake_of_the_program_is_not_hidden(api: Any) -> None:
    api.raises = ZeroDivisionError("bug")
    with pytest.raises(ZeroDivisionError):
        main(["solve", "vanilla", "g=2"])


def test_derive_prints_and_writes(api: Any, capsys: Captured) -> None:
    assert main(["derive", "vanilla", "--latex", "v.tex"]) == 0
    out, err = capsys.readouterr()
    assert out == "C_x = φ\n"
    assert err == "dmft: wrote v.tex\n"
    assert Path("v.tex").read_bytes() == b"\\varphi\n"


def test_models_lists_every_parameter(capsys: Captured) -> None:
    from dmft.codegen import load_info, model_names

    assert main(["models"]) == 0
    out = capsys.readouterr().out
    for name in model_names():
        info = load_info(name)
        assert f"{name}: {info.title}" in out
        assert all(parameter.name in out for parameter in info.parameters)


def test_help_and_version(capsys: Captured) -> None:
    assert main([]) == 0
    overview = capsys.readouterr().out
    assert main(["--help"]) == 0
    assert capsys.readouterr().out == overview
    for name in ("solve", "boundary", "derive", "models"):
        assert name in overview
        assert main([name, "--help"]) == 0
        assert f"dmft {name}" in capsys.readouterr().out
    assert main(["--version"]) == 0
    assert capsys.readouterr().out == f"dmft {dmft._version.__version__}\n"


def test_a_broken_command_does_not_hide_the_others(
    capsys: Captured, monkeypatch: pytest.MonkeyPatch
) -> None:
    from importlib.metadata import EntryPoint

    broken = EntryPoint("broken", "dmft.does_not_exist:f", "dmft.commands")
    monkeypatch.setattr(dmft.cli, "find_commands", lambda: find_commands() | {"broken": broken})
    assert main(["--help"]) == 0
    out, err = capsys.readouterr()
    assert "solve" in out
    assert "the command broken is not available" in err


def test_commands_come_from_entry_points() -> None:
    assert list(find_commands())[:2] == ["solve", "boundary"]
    assert {"solve", "boundary", "validate", "derive", "models"} <= find_commands().keys()


def run(*words: str, code: str | None = None) -> subprocess.CompletedProcess[str]:
    start = ["-m", "dmft"] if code is None else ["-c", code]
    return subprocess.run(
        [sys.executable, *start, *words], capture_output=True, text=True, timeout=60, check=False
    )


def test_version_and_refusals_load_no_numerics() -> None:
    code = (
        "import sys, dmft.cli\n"
        "codes = [dmft.cli.main(words) for words in (['--version'], ['--help'],"
        " ['solve', '--help'], ['slove'], ['solve', 'vanilla', 'g=x'])]\n"
        "print(codes, sorted({'numpy', 'scipy', 'sympy', 'matplotlib'} & set(sys.modules)))"
    )
    done = run(code=code)
    assert done.stdout.splitlines()[-1] == "[0, 0, 0, 2, 2] []"


def test_the_module_runs_as_a_program() -> None:
    done = run("solve", "vanilla", "g=-\udcff1")
    assert done.returncode == 2
    assert done.stderr.count("\n") == 1


def test_a_reader_who_leaves_is_no_error() -> None:
    # Buffered as on a user's machine: then it is the table that meets the closed pipe.
    environment = {k: v for k, v in os.environ.items() if k != "PYTHONUNBUFFERED"}
    reader, writer = os.pipe()
    os.close(reader)
    try:
        done = subprocess.run(
            [sys.executable, "-m", "dmft", "models"],
            stdout=writer, stderr=subprocess.PIPE, text=True, timeout=60, check=False,
            env=environment,
        )  # fmt: skip
    finally:
        os.close(writer)
    assert done.stderr == ""
    assert done.returncode == 141


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs a device that is always full")
def test_a_full_disk_is_one_line() -> None:
    with Path("/dev/full").open("w") as full:
        done = subprocess.run(
            [sys.executable, "-m", "dmft", "models"],
            stdout=full, stderr=subprocess.PIPE, text=True, timeout=60, check=False,
        )  # fmt: skip
    assert done.stderr == "dmft: the output cannot be written (No space left on device)\n"
    assert done.returncode == 3


def test_a_closed_stdout_is_no_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdout", None)
    assert main(["models"]) == 0


def test_a_console_without_greek_gets_escapes(api: Any) -> None:
    code = (
        "import sys, types\n"
        "stand_in = types.ModuleType('dmft.api')\n"
        "stand_in.derive = lambda model, show: 'C = \\u03c6'\n"
        "sys.modules['dmft.api'] = stand_in\n"
        "sys.stdout.reconfigure(encoding='ascii')\n"
        "import dmft.cli\n"
        "sys.exit(dmft.cli.main(['derive', 'vanilla']))"
    )
    done = run(code=code)
    assert done.stdout == "C = \\u03c6\n"
    assert done.returncode == 0


def test_progress_is_shown_on_terminals_only(
    monkeypatch: pytest.MonkeyPatch, capsys: Captured
) -> None:
    import time

    from dmft.commands import terminal

    with terminal.working("quietly"):
        pass
    assert capsys.readouterr().err == ""

    class Terminal:
        def __init__(self) -> None:
            self.text = ""

        def write(self, text: str) -> int:
            self.text += text
            return len(text)

        def flush(self) -> None: ...

        def isatty(self) -> bool:
            return True

    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setattr(terminal, "_PATIENCE", 0.05)
    screen = Terminal()
    monkeypatch.setattr(sys, "stderr", screen)
    with terminal.working("soon done"):
        pass
    assert screen.text == ""
    with terminal.working("long [bold]work"):
        time.sleep(0.4)
    assert "long [bold]work" in screen.text
