"""Values that cannot change after a result was made: dictionaries and arrays."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, NoReturn, TypeVar

import numpy as np
import numpy.typing as npt

__all__ = ["FloatArray", "FrozenDict", "frozen_array", "frozen_arrays", "rebuild"]

FloatArray = npt.NDArray[np.float64]

K = TypeVar("K")
V = TypeVar("V")


class FrozenDict(dict[K, V]):
    """A dict that refuses changes; unlike a mapping proxy it can be copied, pickled and dumped.

    >>> FrozenDict(a=1)["a"]
    1
    """

    __slots__ = ()

    def _refuse(self, *args: Any, **kwargs: Any) -> NoReturn:
        raise TypeError("results cannot be changed; make a copy with dict(...)")

    __setitem__ = __delitem__ = __ior__ = _refuse
    clear = pop = popitem = setdefault = update = _refuse

    def __reduce__(self) -> tuple[Any, ...]:
        return (type(self), (dict(self),))

    def __copy__(self) -> FrozenDict[K, V]:
        return self


def rebuild(kind: Callable[..., Any], values: Mapping[str, Any]) -> Any:
    """Make a result anew from its fields, so that a copy from another process is frozen too."""
    return kind(**values)


def frozen_array(values: Any, name: str, dtype: Any = np.float64) -> npt.NDArray[Any]:
    """A read-only one-dimensional copy; ValueError names the array otherwise."""
    array = np.array(values, dtype=dtype)
    if array.ndim != 1:
        raise ValueError(f"{name}: expected one dimension, got shape {array.shape}")
    array.flags.writeable = False
    return array


def frozen_arrays(
    columns: Mapping[str, Any], size: int, beside: str
) -> FrozenDict[str, npt.NDArray[Any]]:
    """Read-only copies of arrays that are as long as the array named ``beside``."""
    frozen = {name: frozen_array(values, name) for name, values in columns.items()}
    for name, array in frozen.items():
        if array.size != size:
            raise ValueError(f"{name}: {array.size} values, but {size} of {beside}")
    return FrozenDict(frozen)
