"""A piece of an equation in plain text and in LaTeX, built side by side."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

__all__ = ["Formula", "averaged", "braced", "joined"]


@dataclass(frozen=True)
class Formula:
    """Text and LaTeX of the same thing; ``+`` puts one behind the other."""

    text: str
    latex: str

    def __add__(self, other: Formula) -> Formula:
        return Formula(self.text + other.text, self.latex + other.latex)

    def at(self, time: str) -> Formula:
        """The value at a time."""
        return Formula(f"{self.text}({time})", f"{self.latex}({time})")


def joined(parts: Iterable[Formula], text: str = " + ", latex: str | None = None) -> Formula:
    """Parts with a sign between them; ``latex`` is that of the LaTeX if it differs."""
    parts = list(parts)
    between = text if latex is None else latex
    return Formula(text.join(p.text for p in parts), between.join(p.latex for p in parts))


def averaged(parts: Iterable[Formula]) -> Formula:
    """< a b >."""
    inner = joined(parts, " ", r"\,")
    return Formula(f"<{inner.text}>", rf"\left\langle {inner.latex} \right\rangle")


def braced(inner: Formula) -> Formula:
    """{ ... }."""
    return Formula(f"{{ {inner.text} }}", rf"\left\{{ {inner.latex} \right\}}")
