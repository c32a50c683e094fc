"""What the architecture tests share: the checkout and what pyproject.toml declares."""

import tomllib
from pathlib import Path
from typing import Any

import pytest

CHECKOUT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="session")
def checkout() -> Path:
    return CHECKOUT


@pytest.fixture(scope="session")
def pyproject() -> dict[str, Any]:
    with (CHECKOUT / "pyproject.toml").open("rb") as file:
        return tomllib.load(file)


@pytest.fixture(scope="session")
def package_folders(pyproject: dict[str, Any]) -> dict[str, Path]:
    """Import name -> folder of the checkout, for the three folders that ship."""
    declared = pyproject["tool"]["setuptools"]["package-dir"]
    return {name: CHECKOUT / folder for name, folder in declared.items()}


@pytest.fixture(scope="session")
def shipped_files(package_folders: dict[str, Path]) -> dict[str, Path]:
    """Path inside a wheel ("dmft/derivations/x.py") -> file of the checkout."""
    files = {}
    for name, folder in package_folders.items():
        for file in folder.rglob("*"):
            inside = file.relative_to(folder)
            if file.is_file() and "__pycache__" not in inside.parts:
                files["/".join([*name.split("."), *inside.parts])] = file
    return files
