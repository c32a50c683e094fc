"""The README and the pages of the documentation say what is so: their blocks run."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from blocks import KINDS, Block, blocks_of, commands_of

CHECKOUT = Path(__file__).resolve().parents[2]
PAGES = [CHECKOUT / "README.md", *sorted((CHECKOUT / "docs" / "pages").glob("*.md"))]
NUMBER = re.compile(r"[-+]?\d+(?:\.\d+)?(?:e[-+]?\d+)?")
#: Lines about these differ from run to run or machine to machine: words compared, not numbers.
VOLATILE = re.compile(r"^residual|^error|^time|^dmft \d")
#: Lines drawn across a table; their length follows the widest cell.
RULE = re.compile(r"[─━-]{3,}")


def page_id(page: Path) -> str:
    return str(page.relative_to(CHECKOUT))


def with_commands() -> list[Any]:
    return [
        pytest.param(block, id=f"{page_id(page)}:{block.line}")
        for page in PAGES
        for block in blocks_of(page)
        if block.kind == "bash"
    ]


def assert_same_output(shown: str, printed: str) -> None:
    """Equal line by line: the words, and the numbers to six digits unless volatile.

    Error estimates are compared too, to 1e-10: they must stay small, not equal.
    """
    for one, two in zip(normalised(shown), normalised(printed), strict=True):
        assert NUMBER.sub("#", one) == NUMBER.sub("#", two)
        if not VOLATILE.search(one):
            numbers = [float(number) for number in NUMBER.findall(two)]
            expected = [float(number) for number in NUMBER.findall(one)]
            assert numbers == pytest.approx(expected, rel=1e-6, abs=1e-10), one


def normalised(text: str) -> list[str]:
    """The lines that are not empty, with single spaces and short rules."""
    lines = (" ".join(line.split()) for line in text.splitlines())
    return [RULE.sub("---", line) for line in lines if line]


@pytest.mark.parametrize("page", PAGES, ids=page_id)
def test_every_block_says_what_it_is(page: Path) -> None:
    fences = re.findall(r"^```", page.read_text(encoding="utf-8"), re.MULTILINE)
    blocks = blocks_of(page)
    assert {block.kind for block in blocks} <= KINDS
    shown = sum(1 for block in blocks if block.output is not None)
    assert len(fences) == 2 * (len(blocks) + shown)


def with_python() -> list[Path]:
    return [page for page in PAGES if any(block.kind == "python" for block in blocks_of(page))]


@pytest.mark.parametrize("page", with_python(), ids=page_id)
def test_python_blocks_run(page: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    blocks = [block for block in blocks_of(page) if block.kind == "python"]
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("MPLBACKEND", "agg")
    namespace: dict[str, Any] = {"__name__": "page"}
    for block in blocks:
        padding = "\n" * (block.line - 1)  # so that a traceback names the line of the page
        exec(compile(padding + block.text, str(page), "exec"), namespace)


@pytest.mark.parametrize("block", with_commands())
def test_bash_blocks_run(block: Block, tmp_path: Path) -> None:
    dmft = shutil.which("dmft", path=str(Path(sys.executable).parent))
    assert dmft is not None
    printed = ""
    for words in commands_of(block):
        if words[0] != "dmft":
            assert_known(words)
            continue
        outcome = subprocess.run(
            [dmft, *words[1:]],
            cwd=tmp_path,
            env=os.environ | {"COLUMNS": "100", "PYTHONIOENCODING": "utf-8"},
            capture_output=True,
            text=True,
            encoding="utf-8",
            check=False,
        )
        assert outcome.returncode == 0, (words, outcome.stdout, outcome.stderr)
        assert "Traceback" not in outcome.stderr
        printed += outcome.stdout
    if block.output is not None:
        assert_same_output(block.output, printed)


def assert_known(words: list[str]) -> None:
    """The targets, files and extras of a command that tests must not run."""
    if words[0] == "make":
        makefile = (CHECKOUT / "Makefile").read_text(encoding="utf-8")
        (phony,) = re.findall(r"^\.PHONY: (.*)$", makefile, re.MULTILINE)
        assert set(words[1:]) <= set(phony.split())
        for target in words[1:]:
            assert re.search(rf"^{target}:", makefile, re.MULTILINE), target
    else:
        assert (CHECKOUT / words[0]).is_file(), words


def test_the_comparison_of_outputs_can_fail() -> None:
    assert_same_output("C(0)  1.9248054\n───\ntime 1.0 s", "C(0) 1.92480541\n────\n\ntime 3 s\n")
    for printed in ("C(0) 1.9249\ntime 1 s", "D(0) 1.9248054\ntime 1 s", "C(0) 1.9248054"):
        with pytest.raises((AssertionError, ValueError)):
            assert_same_output("C(0) 1.9248054\ntime 1 s", printed)
