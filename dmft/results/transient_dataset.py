"""A transient as a labelled data set, and back (extra ``io``)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from ..errors import MissingExtraError
from .frozen import FloatArray
from .record import strict_json
from .transient_sheet import TABLES, pairs_of

if TYPE_CHECKING:
    from .transient import Transient

__all__ = ["transient_columns", "transient_dataset"]

_TIME = {"long_name": "time", "units": "leak time of the first field"}
_LONG_NAMES = {
    "moment": "moment <x(t) x(t')>, not centred",
    "standard_error": "standard error of the moment, from sampling",
    "error": "estimated error of the moment, all parts",
    "mean": "mean <x(t)>",
    "mean_error": "estimated error of the mean",
    "kurtosis": "<x^4> / <x^2>^2",
}


def transient_dataset(transient: Transient) -> Any:
    """Dimensions quantity, field, time and other_time; parameters at time 0 as scalar coordinates."""
    try:
        import xarray
    except ImportError:
        raise MissingExtraError("data sets", "io") from None
    header = transient.to_sheet().header
    names, size = list(transient.moment), transient.time.size

    def stacked(kind: str, *shape: int) -> FloatArray:
        tables = getattr(transient, kind)
        return np.array(list(tables.values()), dtype=np.float64).reshape(len(tables), *shape)

    square, line = ("quantity", "time", "other_time"), ("quantity", "time")
    variables = {
        **{kind: (square, stacked(kind, size, size)) for kind in TABLES},
        **{kind: (line, stacked(kind, size)) for kind in ("mean", "mean_error")},
        "kurtosis": (("field", "time"), stacked("kurtosis", size)),
    }
    return xarray.Dataset(
        data_vars={
            name: (dims, values, {"long_name": _LONG_NAMES[name]})
            for name, (dims, values) in variables.items()
        },
        coords={
            "quantity": np.array(names, dtype=object),
            "field": np.array(list(transient.kurtosis), dtype=object),
            "time": ("time", transient.time, _TIME),
            "other_time": ("other_time", transient.time, _TIME),
            **{name: ((), value) for name, value in transient.parameters.items()},
        },
        attrs={
            "kind": transient.kind,
            "model": transient.model,
            "status": str(transient.status),
            "message": transient.message,
            **({"history": transient.command} if transient.command else {}),
            "source": f"dmft {transient.versions.get('dmft', '')}".strip(),
            "header": strict_json(header),
        },
    )


def transient_columns(dataset: Any) -> dict[str, Any]:
    """Columns of a data set that `transient_dataset` made."""
    names = [str(name) for name in dataset["quantity"].values]
    tables = {}
    for kind in TABLES:
        stacked = dataset[kind].transpose("quantity", "time", "other_time").values
        tables[kind] = dict(zip(names, np.asarray(stacked, dtype=np.float64), strict=True))
    return pairs_of(np.asarray(dataset["time"].values, dtype=np.float64), tables)
