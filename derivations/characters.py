"""Characters that look like something the language has, named so that one can find them."""

from __future__ import annotations

import unicodedata

__all__ = ["describe"]

#: What was probably meant.
_MEANT = {
    "\N{MINUS SIGN}": "-",
    "\N{EN DASH}": "-",
    "\N{EM DASH}": "-",
    "\N{HYPHEN}": "-",
    "\N{NON-BREAKING HYPHEN}": "-",
    "\N{MULTIPLICATION SIGN}": "*",
    "\N{MIDDLE DOT}": "*",
    "\N{DOT OPERATOR}": "*",
    "\N{ASTERISK OPERATOR}": "*",
    "\N{DIVISION SIGN}": "/",
    "\N{DIVISION SLASH}": "/",
    "\N{FRACTION SLASH}": "/",
    "\N{SQUARE ROOT}": "sqrt(...)",
    "\N{SUPERSCRIPT TWO}": "^2",
    "\N{SUPERSCRIPT THREE}": "^3",
    "\N{NO-BREAK SPACE}": "a space",
    "\N{ZERO WIDTH SPACE}": "nothing",
    "\N{ZERO WIDTH NO-BREAK SPACE}": "nothing",
    "[": "(",
    "]": ")",
    "{": "(",
    "}": ")",
    ",": ". in a number",
}
#: Letters of other scripts that print like Latin ones.
_TWINS = dict(
    zip(
        "\u0430\u0435\u043e\u0440\u0441\u0445\u0443\u0456\u0410\u0412\u0415\u041a\u041c\u041d\u041e"
        "\u0420\u0421\u0422\u0425\u03bf\u03bd\u0391\u0392\u0395\u0397\u0399\u039a\u039c\u039d\u039f"
        "\u03a1\u03a4\u03a7",
        "aeopcxyiABEKMHOPCTXovABEHIKMNOPTX",
        strict=True,
    )
)


def describe(character: str) -> str:
    """A character by its name, with what was probably meant.

    >>> describe("\u0435")
    "the character U+0435 (CYRILLIC SMALL LETTER IE, not 'e')"
    >>> describe("$")
    "'$'"
    """
    meant = _MEANT.get(character) or _TWINS.get(character)
    if not meant:
        plain = unicodedata.normalize("NFKC", character)
        meant = plain if plain != character and plain.isascii() and plain.isprintable() else ""
    if not meant and not character.isascii() and character.isdigit():
        meant = str(unicodedata.digit(character))
    name = unicodedata.name(character, "no printable character")
    if not meant and name.startswith("GREEK") and " LETTER " in name:
        meant = name.split()[-1].lower()
    if character.isascii() and character.isprintable():
        return f"'{character}'" + (f" (write {meant})" if meant else "")
    return f"the character U+{ord(character):04X} ({name}{f', not {meant!r}' if meant else ''})"
