"""Derivations print the same whichever integers sympy computes with."""

import os
import subprocess
import sys

import pytest

PRINT = """
import dmft
from sympy.external.gmpy import GROUND_TYPES
print(GROUND_TYPES)
for name in ("gated", "gated-input", "vanilla-erf"):
    derivation = dmft.derive(name)
    print(derivation, derivation.latex())
onset = dmft.derive("vanilla", show="tricritical")
print(onset, onset.latex())
"""


def printed(ground_types):
    environment = os.environ | {"SYMPY_GROUND_TYPES": ground_types, "DMFT_CACHE": ""}
    done = subprocess.run(
        [sys.executable, "-c", PRINT],
        env=environment,
        capture_output=True,
        encoding="utf-8",
        check=True,
        timeout=250,
    )
    used, _, text = done.stdout.partition("\n")
    assert used.strip() == ground_types
    return text


def test_python_and_flint():
    pytest.importorskip("flint")
    plain = printed("python")
    assert len(plain) > 1000
    assert plain == printed("flint")
