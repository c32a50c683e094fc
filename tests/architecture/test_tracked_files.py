"""Nothing in the repository depends on the machine or the network it was written on."""

import re
import subprocess
from pathlib import Path

import pytest

# Put together from pieces, or this file would find itself.
MACHINE_PATHS = [
    r"(?<![\w./])/" + "(?:home|root|Users|work|private|var/folders)" + "/[A-Za-z0-9_.-]",
    r"\b[A-Za-z]:" + r"\\+(?:Users|Documents)",
]
REGISTRIES = [
    r"https?://[^\s\"'<>)]*(?:" + "|".join(["py" + "pi", "python" + "hosted", "registry"]) + ")",
    "--(?:extra-)?" + "index" + "-url",
    "PIP_" + "(?:EXTRA_)?INDEX",
]
TEXT = {".cff", ".cfg", ".csv", ".json", ".md", ".py", ".svg", ".toml", ".txt", ".yaml", ".yml", ""}


def tracked_files(checkout: Path) -> list[Path]:
    """Files that git tracks or would add; skips where this is no git checkout."""
    try:
        listed = subprocess.run(
            ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
            cwd=checkout,
            capture_output=True,
            text=True,
            check=True,
        ).stdout
    except (OSError, subprocess.CalledProcessError):
        pytest.skip("needs git and a git checkout to know which files are tracked")
    files = [checkout / name for name in listed.split("\0") if name]
    return [file for file in files if file.is_file()]


def offences(text: str, patterns: list[str]) -> list[str]:
    return [match.group() for p in patterns for match in re.finditer(p, text)]


def test_the_patterns_find_what_they_should() -> None:
    assert offences("see " + "/" + "home/ann/x.py", MACHINE_PATHS)
    assert offences("C:" + r"\Users\ann", MACHINE_PATHS)
    assert not offences("dmft/homework/x.py and a/b", MACHINE_PATHS)
    assert offences("https://files.python" + "hosted.org/x", REGISTRIES)
    assert offences("pip install --" + "index-url x", REGISTRIES)
    assert not offences("https://doi.org/10.1103/PhysRevX.12.011011", REGISTRIES)


def test_no_paths_of_a_machine_and_no_registry_addresses(checkout: Path) -> None:
    folders = {checkout.parent, Path.home()} - {Path(checkout.anchor)}
    here = [r"(?<![\w.])" + re.escape(f"{folder}/") for folder in folders]
    found = {}
    for file in tracked_files(checkout):
        if file.suffix in TEXT:
            text = file.read_text(encoding="utf-8")
            if bad := offences(text, [*MACHINE_PATHS, *REGISTRIES, *here]):
                found[str(file.relative_to(checkout))] = bad
    assert not found


def test_no_large_files_and_no_build_products(checkout: Path) -> None:
    files = tracked_files(checkout)
    large = [str(file) for file in files if file.stat().st_size > 200_000]
    products = [str(f) for f in files if f.suffix in {".pyc", ".so", ".whl", ".gz", ".lock"}]
    assert not large
    assert not products


def test_the_repository_top_is_the_agreed_one(checkout: Path) -> None:
    top = {file.relative_to(checkout).parts[0] for file in tracked_files(checkout)}
    allowed = {
        "derivations", "dmft", "validation", "tests", "benchmarks", "examples", "docs", ".ci",
        "pyproject.toml", "README.md", "Makefile", "LICENSE", "CITATION.cff", "CHANGELOG.md",
        ".gitignore",
    }  # fmt: skip
    assert top <= allowed


def test_the_citation_names_this_version(checkout: Path) -> None:
    import yaml

    import dmft

    citation = yaml.safe_load((checkout / "CITATION.cff").read_text(encoding="utf-8"))
    assert citation["version"] == dmft.__version__
    assert citation["references"][0]["doi"] == "10.1103/PhysRevX.12.011011"
