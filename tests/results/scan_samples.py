"""A made-up scan of the shape of a real one; no solver is needed to test how it is stored."""

from __future__ import annotations

from typing import Any

import numpy as np

from dmft.results.provenance import versions
from dmft.results.scan import Scan, column_names, units_of, value_names

FIELDS = ("h", "z", "r")


def scan(axes: dict[str, Any] | None = None, **changes: Any) -> Scan:
    """Rest, chaos and one hole, with awkward numbers, texts and missing values."""
    axes = axes or {"g_h": [1.0, 1.5, 2.0, 3.0], "alpha_r": [0.1 + 0.2, 5.0, -0.0]}
    shape = tuple(len(values) for values in axes.values())
    size = int(np.prod(shape))
    numbers = np.random.default_rng(1).normal(size=(size, len(value_names(FIELDS))))
    rows = [[float(value) for value in row] for row in numbers]
    for i, row in enumerate(rows):
        row[3] = None  # a mean that is not known
        answered = i != size - 1
        chaotic = i >= size // 2
        row += [
            "chaotic" if chaotic else "zero",
            "converged" if answered else "not-converged",
            "zero fixed-point" if chaotic else "",
            "" if answered else 'first line\nsecond "line", with, commas: # and ü',
        ]
        if not answered:
            row[: len(value_names(FIELDS)) - 1] = [None] * (len(value_names(FIELDS)) - 1)
    assert len(rows[0]) == len(column_names(FIELDS))
    data: dict[str, Any] = {
        "model": "gated",
        "axes": axes,
        "fixed": {"beta_r": -0.1, "tau_r": 1.0},
        "fields": FIELDS,
        "units": units_of(FIELDS) | {"tau_r": "leak time"},
        "options": {
            "branch": "auto", "tol": 1e-10, "method": "auto", "seed": None, "lyapunov": True,
        },
        "versions": versions(),
        "command": "dmft scan gated g_h=1:4:4 alpha_r=0:5:3",
        "model_hash": "1234567890",
    }  # fmt: skip
    return Scan.from_rows(rows, **(data | changes))
