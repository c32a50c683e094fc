"""What a wheel and an sdist hold.

Both are built from a copy of the checkout (in place, setuptools would take stale files from
``build/`` along) and without build isolation, so that the tests need no network.
"""

import email
import re
import shutil
import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path
from typing import Any

import pytest

pytestmark = pytest.mark.xdist_group("distribution")  # one worker builds, once


@pytest.fixture(scope="module")
def built(
    checkout: Path, package_folders: dict[str, Path], tmp_path_factory: pytest.TempPathFactory
) -> Path:
    """A folder with one wheel and one sdist."""
    source = tmp_path_factory.mktemp("source")
    ignore = shutil.ignore_patterns("__pycache__")
    for folder in [*package_folders.values(), checkout / "tests"]:
        shutil.copytree(folder, source / folder.relative_to(checkout), ignore=ignore)
    for file in ("pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(checkout / file, source)
    build = [sys.executable, "-m", "build", "--no-isolation", "--outdir", "dist", "."]
    outcome = subprocess.run(build, cwd=source, capture_output=True, text=True, check=False)
    assert outcome.returncode == 0, outcome.stdout[-4000:] + outcome.stderr[-4000:]
    return source / "dist"


@pytest.fixture(scope="module")
def wheel(built: Path) -> dict[str, bytes]:
    """Path inside the wheel -> content."""
    (path,) = built.glob("*.whl")
    with zipfile.ZipFile(path) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def test_the_wheel_holds_exactly_the_packages(
    built: Path, wheel: dict[str, bytes], checkout: Path, shipped_files: dict[str, Path]
) -> None:
    inside = {name for name in wheel if ".dist-info/" not in name}
    assert inside == set(shipped_files)
    assert "dmft/py.typed" in inside
    assert not any("tests" in name.split("/") for name in inside)
    for name in inside:
        copied = built.parent / shipped_files[name].relative_to(checkout)
        assert wheel[name] == copied.read_bytes(), name


def test_the_metadata_says_what_pyproject_says(
    wheel: dict[str, bytes], pyproject: dict[str, Any]
) -> None:
    import dmft

    (name,) = [name for name in wheel if name.endswith(".dist-info/METADATA")]
    metadata = email.message_from_bytes(wheel[name])
    assert metadata["Name"] == "dmft"
    assert metadata["Version"] == dmft.__version__
    assert metadata["License-Expression"] == "MIT"
    extras = set(pyproject["project"]["optional-dependencies"])
    assert set(metadata.get_all("Provides-Extra", [])) == extras
    required = [line for line in metadata.get_all("Requires-Dist", []) if "extra" not in line]
    assert len(required) == len(pyproject["project"]["dependencies"])
    (entry_points,) = [name for name in wheel if name.endswith("/entry_points.txt")]
    text = wheel[entry_points].decode()
    assert re.search(r"^dmft = dmft\.cli:main$", text, re.MULTILINE)
    assert re.search(r"^validate = dmft\.validation\.cli:\w+$", text, re.MULTILINE)
    assert any(name.endswith("/licenses/LICENSE") for name in wheel)


def test_every_entry_point_resolves() -> None:
    from importlib.metadata import distribution

    for point in distribution("dmft").entry_points:
        assert callable(point.load()), point


def test_the_sdist_builds_the_same_wheel(built: Path, shipped_files: dict[str, Path]) -> None:
    """``python -m build`` makes the wheel from the sdist; here: what else the sdist carries."""
    (path,) = built.glob("*.tar.gz")
    with tarfile.open(path) as archive:
        files = {m.name.partition("/")[2] for m in archive.getmembers() if m.isfile()}
    root = {name for name in files if "/" not in name}
    assert {"LICENSE", "README.md", "pyproject.toml", "PKG-INFO"} <= root
    packages = {n for n in files if n.split("/")[0] in {"dmft", "derivations", "validation"}}
    assert len(packages) == len(shipped_files)
