"""Which way imports point, and what `import dmft` costs.

The contracts stand in pyproject.toml. They are checked on a copy laid out as a wheel would
be, and the copy is also spoilt on purpose: a contract that no import can break says nothing.
"""

import importlib.util
import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

Stage = Callable[[Path], None]


@pytest.fixture
def staged(checkout: Path, tmp_path: Path) -> Path:
    spec = importlib.util.spec_from_file_location("stage", checkout / ".ci" / "stage.py")
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    module.stage(tmp_path / "stage")
    return tmp_path / "stage"


def lint_imports(stage: Path, checkout: Path) -> subprocess.CompletedProcess[str]:
    """Run import-linter in ``stage``, whose ``dmft`` is found before the installed one."""
    run = "from importlinter.cli import lint_imports_command; lint_imports_command()"
    config = str(checkout / "pyproject.toml")
    return subprocess.run(
        [sys.executable, "-c", run, "--no-cache", "--config", config],
        cwd=stage,
        capture_output=True,
        text=True,
        encoding="utf-8",
        check=False,
    )


def test_contracts_hold(staged: Path, checkout: Path) -> None:
    outcome = lint_imports(staged, checkout)
    assert outcome.returncode == 0, outcome.stdout + outcome.stderr
    assert "0 broken" in outcome.stdout


@pytest.mark.parametrize(
    ("module", "forbidden"),
    [
        ("derivations/spoilt", "dmft.errors"),
        ("derivations/spoilt", "dmft.solvers"),
        ("derivations/spoilt", "dmft.validation"),
        ("solvers/spoilt", "dmft.validation"),
        ("commands/spoilt", "dmft.validation"),
        ("codegen/spoilt", "dmft.solvers"),
        ("gaussian/spoilt", "dmft.results"),
    ],
)
def test_a_backward_import_breaks_a_contract(
    staged: Path, checkout: Path, module: str, forbidden: str
) -> None:
    spoilt = staged / "dmft" / f"{module}.py"
    spoilt.write_text(f'"""Spoilt on purpose."""\nimport {forbidden}\n', encoding="utf-8")
    outcome = lint_imports(staged, checkout)
    assert outcome.returncode == 1, outcome.stdout + outcome.stderr
    assert f"dmft.{module.replace('/', '.')} -> {forbidden}" in outcome.stdout


def modules_loaded_by(statement: str, folder: Path) -> set[str]:
    """Top-level modules that ``statement`` adds to a fresh interpreter."""
    program = (
        "import sys, json; before = set(sys.modules)\n"
        f"{statement}\n"
        "print(json.dumps(sorted(set(sys.modules) - before)))"
    )
    outcome = subprocess.run(
        [sys.executable, "-c", program], cwd=folder, capture_output=True, text=True, check=True
    )
    return set(json.loads(outcome.stdout))


def test_import_dmft_loads_only_the_standard_library(tmp_path: Path) -> None:
    loaded = modules_loaded_by("import dmft; dmft.__version__; dmft.__all__; dir(dmft)", tmp_path)
    foreign = {name.partition(".")[0] for name in loaded} - sys.stdlib_module_names - {"dmft"}
    assert "dmft" in loaded
    assert not foreign


def test_derivations_load_without_the_numerics(tmp_path: Path) -> None:
    loaded = modules_loaded_by("import dmft.derivations", tmp_path)
    assert "dmft.derivations" in loaded
    assert not {name.partition(".")[0] for name in loaded} & {"numpy", "scipy", "typer", "joblib"}


def test_every_public_name_exists_and_is_documented() -> None:
    import dmft

    assert {"solve", "boundary", "validate", "derive", "models", "load"} <= set(dmft.__all__)
    for name in dmft.__all__:
        assert getattr(dmft, name).__doc__, name
