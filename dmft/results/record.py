"""Reading a stored record: every key checked, every complaint naming the file and the key.

Files come from elsewhere: truncated, edited, of another program, or hostile. Nothing is evaluated
or unpickled; a value of the wrong type is refused rather than guessed at.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Mapping
from enum import StrEnum
from typing import Any, NoReturn, TypeVar

from ..errors import InputError, quoted

__all__ = ["SCHEMA", "Record", "strict_json", "strict_loads"]

#: Version of the stored layout. It changes when a reader of the old layout would be misled.
SCHEMA = 1

T = TypeVar("T")
E = TypeVar("E", bound=StrEnum)


def strict_json(value: Any, *, indent: int | None = None) -> str:
    """JSON without NaN and Infinity, which are no JSON: a missing number is null.

    >>> strict_json({"lyapunov": float("nan")})
    '{"lyapunov": null}'
    """
    return json.dumps(_plain(value), allow_nan=False, ensure_ascii=True, indent=indent)


def _plain(value: Any) -> Any:
    if hasattr(value, "tolist"):
        value = value.tolist()
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, Mapping):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    if isinstance(value, str):
        return str(value)  # an enumeration's member as its text
    return value


def strict_loads(text: str | bytes, source: str) -> Any:
    """Parse strict JSON; `InputError` names the ``source`` for anything else."""

    def refuse(word: str) -> NoReturn:
        raise ValueError(f"{word} is no JSON")

    try:
        return json.loads(text, parse_constant=refuse)
    except (ValueError, RecursionError) as exc:
        raise InputError(f"{source}: not valid JSON ({' '.join(str(exc).split())})") from None


class Record:
    """A mapping read from a file, with typed access.

    Every method raises `InputError` when the key is missing or its value is of another type.
    """

    def __init__(self, data: Any, source: str) -> None:
        if not isinstance(data, Mapping):
            raise InputError(f"{source}: expected an object of keys and values")
        self.data = data
        self.source = source

    def fail(self, key: str, expected: str) -> NoReturn:
        """Raise the complaint about one key."""
        if key not in self.data:
            raise InputError(f"{self.source}: the key {key!r} is missing")
        raise InputError(f"{self.source}: {key!r} is {quoted(self.data[key])}, expected {expected}")

    def kind(self) -> str:
        """What the record holds, after the schema number was checked."""
        schema = self.data.get("schema")
        if isinstance(schema, bool) or not isinstance(schema, int):
            raise InputError(f"{self.source}: no schema number; not a file written by dmft")
        if schema != SCHEMA:
            raise InputError(
                f"{self.source}: schema {quoted(schema)}; this version of dmft reads {SCHEMA}"
            )
        return self.text("kind")

    def text(self, key: str) -> str:
        value = self.data.get(key)
        return value if isinstance(value, str) else self.fail(key, "text")

    def text_or_none(self, key: str) -> str | None:
        return None if self._is_null(key) else self.text(key)

    def texts(self, key: str) -> tuple[str, ...]:
        value = self.data.get(key)
        if isinstance(value, list | tuple) and all(isinstance(item, str) for item in value):
            return tuple(value)
        self.fail(key, "a list of texts")

    def member(self, key: str, kind: type[E]) -> E:
        """A member of an enumeration of texts."""
        try:
            return kind(self.text(key))
        except ValueError as exc:
            if isinstance(exc, InputError):
                raise
            self.fail(key, f"one of {', '.join(kind)}")

    def integer_or_none(self, key: str) -> int | None:
        if self._is_null(key):
            return None
        value = self.data[key]
        if isinstance(value, int) and not isinstance(value, bool):
            return value
        self.fail(key, "a whole number")

    def number(self, key: str) -> float:
        return self._convert(key, _number, "a finite number")

    def number_or_none(self, key: str) -> float | None:
        return self._convert(key, _number_or_none, "a finite number or null")

    def numbers(self, key: str) -> dict[str, float]:
        return self._convert_items(key, _number, "names with finite numbers")

    def numbers_or_none(self, key: str) -> dict[str, float | None]:
        return self._convert_items(key, _number_or_none, "names with finite numbers or null")

    def text_map(self, key: str) -> dict[str, str]:
        return self._convert_items(key, _text, "names with texts")

    def series(self, key: str) -> list[float]:
        """A list of numbers; null becomes NaN."""
        return self._convert(key, _series, "a list of numbers")

    def rows(self, key: str) -> list[list[float]]:
        """A list of lists of numbers."""
        return self._convert(key, _rows, "a list of lists of numbers")

    def series_map(self, key: str) -> dict[str, list[float]]:
        return self._convert_items(key, _series, "names with lists of numbers")

    def items(self, key: str) -> list[Record]:
        """A list of objects."""
        value = self.data.get(key)
        if not isinstance(value, list):
            self.fail(key, "a list of objects")
        return [Record(item, f"{self.source}: {key}[{i}]") for i, item in enumerate(value)]

    def _is_null(self, key: str) -> bool:
        if key not in self.data:
            self.fail(key, "")
        return self.data[key] is None

    def _convert(self, key: str, convert: Callable[[Any], T], expected: str) -> T:
        if key not in self.data:
            self.fail(key, expected)
        try:
            return convert(self.data[key])
        except (TypeError, OverflowError):
            self.fail(key, expected)

    def _convert_items(self, key: str, convert: Callable[[Any], T], expected: str) -> dict[str, T]:
        value = self.data.get(key)
        if not isinstance(value, Mapping):
            self.fail(key, expected)
        try:
            return {str(name): convert(item) for name, item in value.items()}
        except (TypeError, OverflowError):
            self.fail(key, expected)


def _number(value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise TypeError
    number = float(value)
    if not math.isfinite(number):
        raise TypeError
    return number


def _number_or_none(value: Any) -> float | None:
    return None if value is None else _number(value)


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise TypeError
    return value


def _rows(value: Any) -> list[list[float]]:
    if not isinstance(value, list | tuple):
        raise TypeError
    return [_series(item) for item in value]


def _series(value: Any) -> list[float]:
    if not isinstance(value, list | tuple):
        raise TypeError
    return [math.nan if item is None else _number(item) for item in value]
