r"""LaTeX of a symbol, from a file of unknown origin: letters and marks, no programming.

TeX is a language that can read and write files. What a model file gives goes into documents and
figures, so only named letters, fonts and accents are let through.
"""

from __future__ import annotations

import re

__all__ = ["check_label"]

_LONGEST = 60
_LETTERS = (
    "alpha beta gamma delta epsilon varepsilon zeta eta theta vartheta iota kappa lambda mu nu xi "
    "pi varpi rho varrho sigma varsigma tau upsilon phi varphi chi psi omega Gamma Delta Theta "
    "Lambda Xi Pi Sigma Upsilon Phi Psi Omega ell hbar prime infty ast star dagger perp parallel"
)
_STYLES = "mathrm mathbf mathit mathcal mathsf hat tilde bar dot ddot vec"
_COMMANDS = frozenset([*_LETTERS.split(" "), *_STYLES.split(" ")])
_PIECES = re.compile(r"\\([A-Za-z]+)|[A-Za-z0-9 ,'^_{}()*+-]")


def check_label(text: str) -> str:
    r"""What is wrong with a symbol's LaTeX; empty if nothing is.

    >>> check_label(r"\sigma_{r}"), check_label(r"\input{file}")
    ('', 'may not contain \\input; letters, accents and fonts are allowed')
    """
    if not text or len(text) > _LONGEST:
        return f"has {len(text)} characters; give 1 to {_LONGEST}"
    position = depth = 0
    while position < len(text):
        match = _PIECES.match(text, position)
        if match is None:
            return f"may not contain {text[position]!a}; letters, accents and fonts are allowed"
        if match[1] and match[1] not in _COMMANDS:
            return f"may not contain \\{match[1]}; letters, accents and fonts are allowed"
        depth += {"{": 1, "}": -1}.get(match[0], 0)
        if depth < 0:
            break
        position = match.end()
    if depth:
        return "has braces that do not match"
    if re.search(r"[_^] *([_^}]|$)", text):
        return "has an index or a power without anything in it"
    return ""
