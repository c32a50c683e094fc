"""A phase diagram as a labelled data set, and back."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from ..errors import MissingExtraError
from .record import strict_json

if TYPE_CHECKING:
    from .phase import PhaseDiagram

__all__ = ["phase_columns", "phase_dataset"]


def phase_dataset(diagram: PhaseDiagram) -> Any:
    """Dimensions are the two parameters; fixed ones are scalar coordinates."""
    try:
        import xarray
    except ImportError:
        raise MissingExtraError("data sets", "io") from None
    header = diagram.to_sheet().header
    legend = {
        "long_name": "region",
        "flag_values": np.arange(-1, len(diagram.labels)),
        "flag_meanings": "; ".join(["undecided", *diagram.labels]),
    }
    return xarray.Dataset(
        data_vars={"region": ((diagram.up, diagram.across), diagram.region, legend)},
        coords={
            **{name: (name, values) for name, values in diagram.axes.items()},
            **{name: ((), value) for name, value in diagram.fixed.items()},
        },
        attrs={
            "kind": diagram.kind,
            "model": diagram.model,
            "source": f"dmft {diagram.versions.get('dmft', '')}".strip(),
            **({"history": diagram.command} if diagram.command else {}),
            "header": strict_json(header),
        },
    )


def phase_columns(dataset: Any) -> dict[str, Any]:
    """The column of regions, a row per grid point."""
    return {"region": np.asarray(dataset["region"].values).ravel()}
