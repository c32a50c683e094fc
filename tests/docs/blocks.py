"""Fenced blocks of a Markdown page, and the rule for which of them run.

python    runs; the blocks of one page share one namespace, in order.
bash      every line runs that starts with ``dmft``; ``make``, ``pip`` and ``.ci/run`` install
          or test, so their targets and extras are only looked up.
text      directly after a bash block: what its commands print, compared; elsewhere equations.
console   shown, not run: sessions of minutes.
"""

import re
import shlex
from dataclasses import dataclass
from pathlib import Path

KINDS = {"python", "bash", "text", "console"}
_FENCE = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)


@dataclass(frozen=True)
class Block:
    """One fenced block: its ``kind``, ``text``, first line and what it printed, if shown."""

    kind: str
    text: str
    line: int
    output: str | None = None


def blocks_of(page: Path) -> list[Block]:
    """All fenced blocks of ``page``, bash blocks with the text block that directly follows."""
    source = page.read_text(encoding="utf-8")
    found: list[Block] = []
    end = 0
    for match in _FENCE.finditer(source):
        kind, text = match.groups()
        follows = bool(found) and not source[end : match.start()].strip()
        if kind == "text" and follows and found[-1].kind == "bash":
            before = found.pop()
            found.append(Block("bash", before.text, before.line, text))
        else:
            found.append(Block(kind, text, source[: match.start()].count("\n") + 2))
        end = match.end()
    return found


def commands_of(block: Block) -> list[list[str]]:
    """The commands of a bash block as argument lists; comments and empty lines left out."""
    joined = block.text.replace("\\\n", " ")
    return [words for line in joined.splitlines() if (words := shlex.split(line, comments=True))]
