"""A network declared in a TOML file: from bytes to tables, with everything hostile refused.

The file is data. Nothing in it is evaluated; its formulas go through `expression`, its tables
through `model_tables`. Sizes are limited before anything is read, because a parser that is merely
correct can still be kept busy.
"""

from __future__ import annotations

import os
import tomllib
from pathlib import Path
from typing import Any

from .characters import describe
from .file_values import DecimalText
from .model import DeclarationError, Model
from .model_tables import build_model

__all__ = ["MAX_BYTES", "parse_model", "read_model"]

MAX_BYTES = 64_000
#: Longest line: an expression of the greatest length and its key.
_MAX_LINE = 4_000
#: Dots outside strings would be cheaper to count, but a model has few anywhere.
_MAX_DOTTED = 20
_MAX_LINES = 4_000

_MARKS = {
    b"\xef\xbb\xbf": "a byte-order mark",
    b"\xff\xfe": "the byte-order mark of UTF-16",
    b"\xfe\xff": "the byte-order mark of UTF-16",
}


def read_model(path: str | os.PathLike[str]) -> Model:
    """The network that a TOML file declares.

    Raises `DeclarationError`, in one line that begins with the file's name, when the file cannot be
    read or is no valid declaration.
    """
    file = Path(path)
    shown = _printable(file.name or str(file))
    if file.suffix != ".toml":
        raise DeclarationError(f"{shown}: a model file is TOML, its name ends in .toml")
    try:
        if not file.is_file():  # a pipe or a device could keep us waiting for ever
            reason = "it is no file" if file.exists() else "there is no such file"
            raise DeclarationError(f"{_printable(str(file))}: {reason}")
        with file.open("rb") as stream:
            data = stream.read(MAX_BYTES + 1)
    except DeclarationError:
        raise
    except (OSError, ValueError) as error:  # ValueError: a NUL in the path
        reason = getattr(error, "strerror", None) or str(error)
        raise DeclarationError(f"{shown}: it cannot be read ({reason})") from None
    return parse_model(data, shown)


def parse_model(data: bytes, shown: str = "model") -> Model:
    """The network that the bytes of a model file declare; ``shown`` begins every message.

    >>> model = parse_model(b'''
    ... [model]
    ... name = "linear-rate"
    ... title = "vanilla"
    ... [parameters.g]
    ... meaning = "gain"
    ... positive = true
    ... [fields.x]
    ... meaning = "state"
    ... [couplings.xi]
    ... output = "tanh(x)"
    ... [dynamics]
    ... x = "-x + g*xi"
    ... ''')
    >>> model.dynamics["x"]
    g*xi - x
    """
    try:
        return build_model(_tables(data))
    except DeclarationError as error:
        raise DeclarationError(f"{shown}: {error}") from None


def _tables(data: bytes) -> dict[str, Any]:
    """The file as nested dictionaries; decimals stay text."""
    if len(data) > MAX_BYTES:
        raise DeclarationError(f"the file is larger than {MAX_BYTES} bytes, the most a model needs")
    for mark, name in _MARKS.items():
        if data.startswith(mark):
            raise DeclarationError(f"the file starts with {name}; save it as plain UTF-8")
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise DeclarationError(f"line {line} is not UTF-8; save the file as UTF-8") from None
    _check_lines(text)
    try:
        return tomllib.loads(text, parse_float=DecimalText)
    except RecursionError:
        raise DeclarationError("brackets are nested too deeply for TOML") from None
    except ValueError as error:  # not only TOMLDecodeError: also impossible dates, long integers
        raise DeclarationError(f"this is not valid TOML: {_printable(str(error))}") from None


def _check_lines(text: str) -> None:
    """Refuse what is no model and would cost the TOML parser quadratic time."""
    lines = text.split("\n")
    if len(lines) > _MAX_LINES:
        raise DeclarationError(f"the file has {len(lines)} lines, at most {_MAX_LINES} are read")
    for number, line in enumerate(lines, 1):
        if len(line) > _MAX_LINE:
            raise DeclarationError(
                f"line {number} has {len(line)} characters, at most {_MAX_LINE} are read; name parts "
                "of a long expression under [nonlinearities]"
            )
        for character in line:
            if not character.isprintable() and character not in "\t\r":
                raise DeclarationError(
                    f"line {number}: {describe(character)} may not stand in a file"
                )
        key = line.partition("=")[0]
        if key.count(".") > _MAX_DOTTED and not key.lstrip().startswith("#"):
            raise DeclarationError(f"line {number} has a key of more than {_MAX_DOTTED} parts")


def _printable(text: str) -> str:
    """A message in which the file cannot speak to the terminal."""
    shown = "".join(c if c.isprintable() else ascii(c)[1:-1] for c in text)
    return shown if len(shown) <= 200 else f"{shown[:197]}..."
