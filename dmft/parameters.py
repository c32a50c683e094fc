"""Parameters as a user gives them: ``name=value``, ranges ``name=a:b:n`` or ``a:b``, their domains.

Only plain decimal numbers are read (``3``, ``-0.5``, ``.5``, ``1e-3``). What Python would also
take for a float (``nan``, ``inf``, ``1_000``, digits of other scripts) is refused: such a value is
nearly always a slip, and a number that silently means something else costs a day.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from .errors import InputError, did_you_mean, quoted
from .sweep import MAX_POINTS, Sweep, as_float

if TYPE_CHECKING:
    from .codegen.info import ModelInfo, ParameterInfo
    from .codegen.source import ModelSource

__all__ = [
    "MAX_POINTS",
    "Sweep",
    "check_parameters",
    "check_swept",
    "find_model",
    "merge_parameters",
    "parse_assignments",
    "parse_number",
]

_NUMBER = re.compile(r"[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?")
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")


def parse_number(text: str, name: str, allowed: str = "a finite number") -> float:
    """A plain decimal number as a float; ``name`` and ``allowed`` go into the message.

    Raises `InputError` for any other text and for what a double cannot hold.

    >>> parse_number("1e-3", "tol")
    0.001
    """
    if not _NUMBER.fullmatch(text):
        raise InputError(f"{name}: {quoted(text)} is not a plain decimal number; give {allowed}")
    value = float(text)
    if math.isinf(value):
        raise InputError(f"{name}: {quoted(text)} is too large for a double; give {allowed}")
    if value == 0 and re.search("[1-9]", re.split("[eE]", text)[0]):
        raise InputError(f"{name}: {quoted(text)} is too small for a double; give {allowed}")
    return value


def parse_assignments(texts: Iterable[str]) -> dict[str, float | Sweep]:
    """Read ``name=value``, ``name=a:b:n`` and ``name=a:b`` in the order given.

    Raises `InputError`, in one line, for anything else and for a name given twice.

    >>> parse_assignments(["g_h=3", "alpha_r=1:9:3"])
    {'g_h': 3.0, 'alpha_r': Sweep(start=1.0, stop=9.0, num=3)}
    """
    found: dict[str, float | Sweep] = {}
    for text in texts:
        name, equals, value = text.partition("=")
        if not equals:
            raise InputError(f"{quoted(text)} is not a parameter; write name=value, like g=2")
        if not _NAME.fullmatch(name):
            raise InputError(
                f"{quoted(text)}: {quoted(name)} is no parameter name; write name=value, like g=2"
            )
        if name in found:
            raise InputError(f"{name} is given twice; give each parameter once")
        found[name] = _parse_value(name, value)
    return found


def _parse_value(name: str, text: str) -> float | Sweep:
    if not text:
        raise InputError(f"{name}: no value given; write {name}=value without spaces")
    if ":" not in text:
        return parse_number(text, name)
    parts = text.split(":")
    counted = len(parts) == 3 and re.fullmatch("[0-9]{1,9}", parts[2])
    if len(parts) != 2 and not counted:
        raise InputError(
            f"{name}: {quoted(text)} is not a range; write {name}=first:last:points, "
            f"like {name}=0:1:11, or {name}=first:last where a curve is followed"
        )
    ends = [parse_number(part, name) for part in parts[:2]]
    try:
        return Sweep(ends[0], ends[1], int(parts[2]) if counted else None)
    except InputError as exc:
        raise InputError(f"{name}: {exc}") from None


def find_model(source: ModelSource) -> ModelInfo:
    """Names and domains of a shipped model, of the one in a file, or of a `dmft.Model`.

    Raises `InputError` with a suggestion for an unknown name, and for a file that declares none.
    """
    from .codegen import load_info, model_names, resolve

    found = resolve(source)
    names = model_names()
    if isinstance(found, str) and found not in names:
        raise InputError(
            f"there is no model {quoted(found)}{did_you_mean(found, names)}; "
            f"models: {', '.join(names)}, or a file that ends in .toml"
        )
    return load_info(found)


def merge_parameters(parameters: Mapping[str, Any] | None, keywords: Mapping[str, Any]) -> Any:
    """Parameters given as one mapping and as keywords, in one dict; a name in both is refused."""
    given = dict(parameters or {})
    for name, value in keywords.items():
        if name in given:
            raise InputError(f"{name} is given twice; give each parameter once")
        given[name] = value
    return given


def check_parameters(info: ModelInfo, given: Mapping[str, Any]) -> dict[str, float]:
    """All parameters of a model as floats: defaults filled in, domains checked.

    Raises `InputError` for unknown names (with a suggestion), missing ones, ranges, and values
    that are no finite number of the parameter's domain.
    """
    fixed, swept = check_swept(info, given)
    for name in swept:
        raise InputError(
            f"{name}: the range {quoted(_shown(given[name]))} was given where one number is meant; "
            f"give {info.parameter(name).allowed}"
        )
    return fixed


def check_swept(
    info: ModelInfo, given: Mapping[str, Any], *, solve_for: str | None = None
) -> tuple[dict[str, float], dict[str, tuple[float, ...]]]:
    """Split parameters into fixed numbers and swept values (a `Sweep` or a sequence of numbers).

    ``solve_for`` names a parameter that is an unknown: it needs no value and must have none.
    The order of the swept parameters is the order in which they were given. Raises `InputError`
    like `check_parameters`.
    """
    known = {parameter.name: parameter for parameter in info.parameters}
    for name in given:
        if name not in known:
            raise InputError(
                f"{info.name} has no parameter {quoted(name)}{did_you_mean(str(name), known)}; "
                f"parameters: {', '.join(known)}"
            )
    if solve_for is not None and solve_for not in known:
        raise InputError(
            f"cannot solve for {quoted(solve_for)}{did_you_mean(solve_for, known)}; "
            f"parameters of {info.name}: {', '.join(known)}"
        )
    fixed: dict[str, float] = {}
    swept: dict[str, tuple[float, ...]] = {}
    for name, parameter in known.items():
        if name == solve_for:
            if name in given:
                raise InputError(f"{name} is what is solved for: give no value for it")
        elif name not in given:
            if parameter.default is None:
                raise InputError(
                    f"{info.name} needs {name} ({parameter.meaning}); give {parameter.allowed}, "
                    f"like {name}=2"
                )
            fixed[name] = float(parameter.default)
        elif _is_swept(given[name]):
            swept[name] = _swept_values(parameter, given[name])
        else:
            fixed[name] = _checked(parameter, given[name])
    return fixed, {name: swept[name] for name in given if name in swept}


def _is_swept(value: Any) -> bool:
    if isinstance(value, Sweep | list | tuple | range):
        return True
    return getattr(value, "ndim", 0) > 0  # arrays, without importing numpy


def _swept_values(parameter: ParameterInfo, value: Any) -> tuple[float, ...]:
    if getattr(value, "ndim", 1) != 1:
        raise InputError(f"{parameter.name}: an array of several dimensions; give one list")
    points: Sequence[Any] = value.values() if isinstance(value, Sweep) else list(value)
    if not 1 <= len(points) <= MAX_POINTS:
        raise InputError(f"{parameter.name}: {len(points)} values; give 1 to {MAX_POINTS}")
    return tuple(_checked(parameter, point) for point in points)


def _checked(parameter: ParameterInfo, value: Any) -> float:
    if getattr(value, "ndim", None) == 0:
        value = value.item()  # numpy scalars and arrays without dimensions
    number = as_float(value)
    low = number > 0 if parameter.positive else number >= 0 or not parameter.nonnegative
    if math.isfinite(number) and low:
        return number
    raise InputError(
        f"{parameter.name}: {quoted(_shown(value))} is not allowed; give {parameter.allowed}"
    )


def _shown(value: Any) -> Any:
    """Numbers without quotes, long arrays without their middle."""
    return _Bare(value) if not isinstance(value, str) else value


class _Bare:
    def __init__(self, value: Any) -> None:
        self.value = value

    def __repr__(self) -> str:
        return " ".join(str(self.value).split())
