"""pyproject's explicit package list against the tree.

The flat layout with two folders mapped under ``dmft`` defeats automatic discovery, so the
packages are listed by hand; a folder that is forgotten there would be missing from the
wheel while every test in the checkout passes.
"""

from pathlib import Path
from typing import Any


def packages_of(shipped_files: dict[str, Path]) -> set[str]:
    return {
        inside.rpartition("/")[0].replace("/", ".")
        for inside in shipped_files
        if inside.endswith(".py")
    }


def test_every_package_is_listed_once(
    pyproject: dict[str, Any], shipped_files: dict[str, Path]
) -> None:
    listed = pyproject["tool"]["setuptools"]["packages"]
    assert len(listed) == len(set(listed))
    assert set(listed) == packages_of(shipped_files)


def test_every_package_has_an_init(shipped_files: dict[str, Path]) -> None:
    missing = {
        package
        for package in packages_of(shipped_files)
        if package.replace(".", "/") + "/__init__.py" not in shipped_files
    }
    assert not missing


def test_every_data_file_is_declared(
    pyproject: dict[str, Any], shipped_files: dict[str, Path]
) -> None:
    declared = pyproject["tool"]["setuptools"].get("package-data", {})
    undeclared = []
    for inside in shipped_files:
        package, _, name = inside.rpartition("/")
        patterns = declared.get(package.replace("/", "."), [])
        if not name.endswith(".py") and not any(Path(name).match(p) for p in patterns):
            undeclared.append(inside)
    assert not undeclared


def test_the_contracts_name_every_module_of_dmft(
    pyproject: dict[str, Any], package_folders: dict[str, Path]
) -> None:
    """A new module of ``dmft`` must be placed: the contract forbidding simulations lists them."""
    contracts = pyproject["tool"]["importlinter"]["contracts"]
    (theory,) = [c for c in contracts if c.get("forbidden_modules") == ["dmft.validation"]]
    root = package_folders["dmft"]
    modules = {f"dmft.{file.stem}" for file in root.glob("*.py") if not file.stem.startswith("_")}
    modules |= {f"dmft.{file.parent.name}" for file in root.glob("*/__init__.py")}
    assert set(theory["source_modules"]) == modules
