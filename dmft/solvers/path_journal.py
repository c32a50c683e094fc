"""What blocks of paths gave, kept in a folder, so that a computation cut short goes on where it was.

With fixed seeds the sampled solvers are deterministic: the same inputs ask for the same blocks in the
same order. A journal numbers these requests; those that a former run answered are read back instead of
being computed, and the digits are those of an uninterrupted run. One file per piece of a request
(`two_time_checkpoint`); results are taken apart into numbers, texts and arrays: nothing is unpickled.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, fields, is_dataclass
from typing import Any, TypeVar

import numpy as np

from dmft.errors import InputError, quoted

from .two_time_checkpoint import Checkpoint

__all__ = ["PathJournal"]

_T = TypeVar("_T")
#: Blocks in one file: what is lost at most when a run ends.
_PIECE = 16


@dataclass
class PathJournal:
    """Requests are counted by ``next``; ``kinds`` are the classes of records that results contain."""

    checkpoint: Checkpoint
    kinds: Mapping[str, type]
    next: int = field(default=0, init=False)

    def over(self, run: Callable[[Sequence[int]], list[_T]], blocks: Sequence[int]) -> list[_T]:
        """Results of the blocks, from the folder as far as they are there, else from ``run``."""
        number, self.next = self.next, self.next + 1
        results: list[_T] = []
        for first in range(0, len(blocks), _PIECE):
            stage = f"paths-{number:05d}-{first // _PIECE:05d}"
            known = self.checkpoint.load(stage)
            if known is None:
                part = run(blocks[first : first + _PIECE])
                arrays: list[Any] = []
                plan = json.dumps([_taken_apart(result, arrays) for result in part])
                named = {f"a{n}": array for n, array in enumerate(arrays)}
                self.checkpoint.save(stage, {"plan": np.array(plan), **named})
            else:
                part = self._read(stage, known)
            results += part
        return results

    def _read(self, stage: str, known: Mapping[str, Any]) -> list[Any]:
        try:
            plan = json.loads(str(known["plan"]))
            return [self._put_together(item, known) for item in plan]
        except (KeyError, IndexError, TypeError, ValueError):
            raise InputError(
                f"checkpoint {quoted(str(self.checkpoint.folder / stage))} is damaged; delete it or choose "
                "another folder"
            ) from None

    def _put_together(self, item: Any, arrays: Mapping[str, Any]) -> Any:
        if not isinstance(item, list):
            return item
        kind, *rest = item
        if kind == "array":
            return arrays[f"a{rest[0]}"]
        parts = [self._put_together(part, arrays) for part in rest]
        if kind == "tuple":
            return tuple(parts)
        if kind == "list":
            return parts
        if kind == "dict":
            return dict(zip(parts[::2], parts[1::2], strict=True))
        return self.kinds[kind](*parts)


def _taken_apart(value: Any, arrays: list[Any]) -> Any:
    """Plain numbers as they are, everything else as [kind, parts...]; arrays are collected."""
    if value is None or isinstance(value, str | bool | int | float):
        return float(value) if isinstance(value, float) else value
    if isinstance(value, np.ndarray):
        arrays.append(value)
        return ["array", len(arrays) - 1]
    if isinstance(value, tuple | list):
        kind = "tuple" if isinstance(value, tuple) else "list"
        return [kind, *(_taken_apart(part, arrays) for part in value)]
    if isinstance(value, Mapping):
        both = [part for pair in value.items() for part in pair]
        return ["dict", *(_taken_apart(part, arrays) for part in both)]
    if is_dataclass(value):
        parts = [getattr(value, f.name) for f in fields(value)]
        return [type(value).__name__, *(_taken_apart(part, arrays) for part in parts)]
    raise TypeError(f"{type(value).__name__} cannot be kept")
