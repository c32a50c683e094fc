"""A model as a user gives it: the name of a shipped one, the path of a TOML file, or a `Model`."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING

from dmft.errors import InputError

if TYPE_CHECKING:
    from dmft.derivations.model import Model

    ModelSource = str | os.PathLike[str] | Model

__all__ = ["is_path", "resolve"]


def is_path(source: object) -> bool:
    """Whether it means a file: a path object, a name ending in .toml, or one with a separator.

    >>> is_path("gated"), is_path("gated.toml"), is_path("models/gated")
    (False, True, True)
    """
    if isinstance(source, os.PathLike):
        return True
    separators = [character for character in (os.sep, os.altsep) if character]
    return isinstance(source, str) and (
        source.endswith(".toml") or any(character in source for character in separators)
    )


def resolve(source: ModelSource) -> str | Model:
    """A name as it is; a file read into its declaration; a declaration as it is.

    Raises `InputError` for a file that is no valid declaration and for any other object.
    """
    if is_path(source):
        from dmft.derivations.model import DeclarationError
        from dmft.derivations.model_file import read_model

        try:
            return read_model(source)  # type: ignore[arg-type]  # not a Model, says is_path
        except DeclarationError as error:
            raise InputError(str(error)) from None
    if isinstance(source, str):
        return source
    declaration = sys.modules.get("dmft.derivations.model")  # whoever holds a Model has loaded it
    if declaration is not None and isinstance(source, declaration.Model):
        declared: Model = source
        return declared
    raise InputError(
        f"{type(source).__name__} is no model; give the name of one, the path of a .toml file or a "
        "dmft.Model"
    )
