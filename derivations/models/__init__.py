"""The models that come with the package, one file each: definition, citation, known limits.

A model's name is that of its file with - for _: `vanilla_erf.py` declares "vanilla-erf".
"""

from __future__ import annotations

from importlib import import_module

from ..model import Model

__all__ = ["get"]


def get(name: str) -> Model:
    """The shipped model of that name; KeyError for any other.

    >>> get("vanilla").fields[0].name
    'x'
    """
    module = name.replace("-", "_")
    if "_" in name or not module.isidentifier() or module.startswith("_"):
        raise KeyError(name)
    try:
        model: Model = import_module(f"{__name__}.{module}").MODEL
    except ModuleNotFoundError as error:
        raise KeyError(name) from error
    return model
