"""The HTML page of a derivation: complete, well-formed, without anything from the network."""

import re
import subprocess
import sys
from pathlib import Path
from xml.etree import ElementTree

import pytest

import dmft
from dmft.derivation_page import derivation_page
from dmft.errors import InputError, MissingExtraError

MATHML = "{http://www.w3.org/1998/Math/MathML}"


@pytest.mark.parametrize("name", ["vanilla", "gated"])
def test_every_equation_is_there_as_mathml(name: str) -> None:
    derivation = dmft.derive(name)
    page = derivation_page(derivation)
    formulas = re.findall(r"<math.*?</math>", page, flags=re.DOTALL)
    assert len(formulas) == sum(len(stage.equations) for stage in derivation.stages)
    for formula in formulas:
        root = ElementTree.fromstring(formula)
        assert root.tag == f"{MATHML}math"
        # what the converter does not know it leaves as a backslash
        assert "\\" not in "".join(root.itertext())


def test_the_page_needs_nothing_from_outside() -> None:
    page = derivation_page(dmft.derive("gated"))
    addresses = set(re.findall(r"https?://[^\"'<> ]+", page))
    assert addresses <= {"http://www.w3.org/1998/Math/MathML"}
    assert "<script" not in page and "<img" not in page and "<link" not in page


def test_the_command_writes_the_page(tmp_path: Path) -> None:
    target = tmp_path / "vanilla.html"
    done = subprocess.run(
        [
            sys.executable,
            "-m",
            "dmft",
            "derive",
            "vanilla",
            "--show",
            "zero-state",
            "--html",
            target,
        ],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert "g = 1" in done.stdout
    assert target.read_text(encoding="utf-8").count("<math") == 2


def test_without_the_extra_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "latex2mathml.converter", None)
    with pytest.raises(MissingExtraError, match=r"dmft\[html\]"):
        derivation_page(dmft.derive("vanilla"))


def test_an_unknown_stage_is_refused_with_a_suggestion() -> None:
    with pytest.raises(InputError, match="did you mean 'zero-state'"):
        dmft.derive("vanilla", show="zero-stat")
