"""Lay the packages out in one folder as an install would: python .ci/stage.py FOLDER.

``derivations/`` and ``validation/`` stand beside ``dmft/`` in the checkout and below it once
installed (see ``[tool.setuptools.package-dir]``). mypy and import-linter look at folders,
so they are shown this copy. Standard library only; modification times are kept, so that
mypy's cache stays good.
"""

import shutil
import sys
import tomllib
from pathlib import Path

CHECKOUT = Path(__file__).resolve().parent.parent


def stage(destination: Path, checkout: Path = CHECKOUT) -> None:
    """Replace ``destination`` by a copy of every declared package, under its import name."""
    with (checkout / "pyproject.toml").open("rb") as file:
        folders = tomllib.load(file)["tool"]["setuptools"]["package-dir"]
    shutil.rmtree(destination, ignore_errors=True)
    for package, folder in sorted(folders.items()):  # parents sort before their children
        shutil.copytree(
            checkout / folder,
            destination.joinpath(*package.split(".")),
            ignore=shutil.ignore_patterns("__pycache__"),
            dirs_exist_ok=True,
        )


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit("usage: python .ci/stage.py FOLDER")
    stage(Path(sys.argv[1]))
