"""A transient made by hand, with everything that a file must keep."""

import numpy as np

from dmft.protocol import Pulse, Ramp, Step
from dmft.results.transient import Transient
from dmft.solvers.two_time_start import FieldStart

TIME = np.array([0.0, 0.5, 1.0, 1.0, 2.5])


def sample(**changes):
    rng = np.random.default_rng(3)
    n = TIME.size

    def tables(scale):
        found = {}
        for name in ("x", "phi"):
            a = scale * rng.standard_normal((n, n)) / 3
            found[name] = a @ a.T
        return found

    given = {
        "model": "vanilla",
        "parameters": {"g": 2.0, "input_x": 0.1, "noise_x": 0.0},
        "changes": (
            Step("g", 1.0, 1 / 3),
            Ramp("noise_x", 0.25, 2.0, 1.0),
            Pulse("input_x", 1.0, 1.5, 2.0),
        ),
        "start": {"x": FieldStart(0.1, 0.2, "binary")},
        "status": "interrupted",
        "message": "interrupted: 2 of 8 populations are finished",
        "time": TIME,
        "moment": tables(1.0),
        "standard_error": {k: np.full((n, n), np.nan) for k in ("x", "phi")},
        "error": tables(0.1),
        "mean": {"x": rng.standard_normal(n), "phi": np.zeros(n)},
        "mean_error": {"x": np.full(n, 0.1), "phi": np.full(n, np.nan)},
        "kurtosis": {"x": np.array([np.nan, 3.0, 3.1, 3.1, 1 / 3])},
        "error_estimate": {"sampling": 0.01, "step": None, "bias": 1e-3, "total": None},
        "paths": 64,
        "populations": 2,
        "precision": 0.02,
        "seed": 5,
        "versions": {"dmft": "0"},
        "seconds": 1.5,
        "command": "dmft transient vanilla g=2",
        "model_hash": "abc",
    }
    return Transient(**given | changes)


def nothing():
    """Stopped before the first step."""
    return sample(
        time=np.empty(0),
        **{k: {} for k in ("moment", "standard_error", "error", "mean", "mean_error", "kurtosis")},
    )
