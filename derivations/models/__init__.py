"""The models that come with the package, one file each: definition, citation, known limits."""

from __future__ import annotations

from importlib import import_module

from ..model import Model

__all__ = ["get"]


def get(name: str) -> Model:
    """The shipped model of that name; KeyError for any other.

    >>> get("vanilla").fields[0].name
    'x'
    """
    if not name.isidentifier() or name.startswith("_"):
        raise KeyError(name)
    try:
        model: Model = import_module(f"{__name__}.{name}").MODEL
    except ModuleNotFoundError as error:
        raise KeyError(name) from error
    return model
