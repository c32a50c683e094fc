"""``dmft models``: the models that come with the package and their parameters."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .terminal import print_table

if TYPE_CHECKING:
    from ..codegen.info import ParameterInfo


def models() -> None:
    """List the models, their fields and their parameters."""
    from ..codegen import load_info, model_names

    for name in model_names():
        info = load_info(name)
        print(f"{info.name}: {info.title}")
        print(f"  {info.citation}; fields {', '.join(info.fields)}")
        print_table(
            "",
            ("parameter", "default", "allowed", "meaning"),
            [_row(parameter) for parameter in info.parameters],
        )


def _row(parameter: ParameterInfo) -> tuple[str, str, str, str]:
    default = "required" if parameter.default is None else f"{parameter.default:g}"
    unit = "" if parameter.unit in ("", "1") else f", in units of the {parameter.unit}"
    return (parameter.name, default, parameter.allowed, parameter.meaning + unit)
