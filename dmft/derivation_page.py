"""A derivation as one self-contained HTML page: MathML, light and dark, opens offline."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING

from ._version import __version__
from .errors import MissingExtraError

if TYPE_CHECKING:
    from dmft.derivations.derivation import Derivation

__all__ = ["derivation_page"]

_STYLE = """
:root { color-scheme: light dark; }
body { font: 1rem/1.55 system-ui, sans-serif; max-width: 58rem; margin: 2rem auto; padding: 0 1rem; }
h1 { font-size: 1.5rem; } h2 { font-size: 1.15rem; margin-top: 2.2rem; }
.equation { display: flex; align-items: center; margin: 0.7rem 0; }
.equation > div { flex: 1; overflow-x: auto; padding: 0.3rem 0; }
.equation > span { padding-left: 1rem; opacity: 0.7; }
nav ol { margin: 0; } footer { margin-top: 3rem; opacity: 0.7; font-size: 0.85rem; }
"""


def derivation_page(derivation: Derivation) -> str:
    """The page as text, with numbered equations, sources and assumptions.

    Raises `MissingExtraError` without the extra ``html`` (latex2mathml).
    """
    try:
        from latex2mathml.converter import convert
    except ImportError:
        raise MissingExtraError("HTML pages", "html") from None
    model = derivation.equations.model
    title = f"{model.name}: {model.title}"
    parts = [
        "<!doctype html>",
        '<html lang="en"><head><meta charset="utf-8">',
        '<meta name="viewport" content="width=device-width, initial-scale=1">',
        f"<title>{escape(title)}</title><style>{_STYLE}</style></head><body>",
        f"<h1>{escape(title)}</h1>",
        f"<p>Source: {escape(model.citation)}. Times in units of the leak.</p>",
        "<nav><ol>",
        *(f'<li><a href="#{s.key}">{escape(s.title)}</a></li>' for s in derivation.stages),
        "</ol></nav>",
    ]
    number = 0
    for stage in derivation.stages:
        parts += [
            f'<h2 id="{stage.key}">{escape(stage.title)}</h2>',
            f"<p>{escape(stage.prose)}</p>",
        ]
        for equation in stage.equations:
            number += 1
            formula = convert(equation.latex, display="block")
            parts.append(f'<div class="equation"><div>{formula}</div><span>({number})</span></div>')
    parts.append(f"<footer>Derived by dmft {__version__}, model hash {model.hash}.</footer>")
    parts.append("</body></html>")
    return "\n".join(parts) + "\n"
