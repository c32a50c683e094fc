"""Made-up results of the shape of real ones; no solver is needed to test how they are stored."""

from __future__ import annotations

from typing import Any

import numpy as np

from dmft.results.curve import BoundaryCurve
from dmft.results.provenance import versions
from dmft.results.solution import Solution
from dmft.solvers.status import Status


def solution(**changes: Any) -> Solution:
    """A two-field solution with awkward numbers, texts and missing values."""
    lag = np.linspace(0.0, 60.0, 129)
    data: dict[str, Any] = {
        "model": "gated",
        "parameters": {"g_h": 3.0, "alpha_r": 5.0, "beta_r": -0.1, "tau_r": 1.0},
        "branch": "chaotic",
        "other_branches": ("zero", "fixed-point"),
        "status": Status.CONVERGED,
        "message": 'first line\nsecond "line", with, commas: # and ü',
        "variance": {"h": 0.1 + 0.2, "z": 1 / 3, "r": 0.417489830},
        "lyapunov": 0.13216866,
        "lag": lag,
        "autocorrelation": {
            "h": 0.3 / np.cosh(lag / 5) ** 2,
            "z": 0.41749 / np.cosh(lag / 6.5) ** 2,
            "r": 0.41749 / np.cosh(lag / 6.5) ** 2,
            "phi": 0.5 / np.cosh(lag / 4.5) ** 2,
            "sigma_z": np.full(lag.size, 0.25),
        },
        "correlation_time": {"h": 4.2, "z": None, "r": 7.1},
        "residual": 3.1e-13,
        "error_estimate": {"variance": 1e-11, "lyapunov": None, "autocorrelation": 5e-324},
        "versions": versions(),
        "seed": None,
        "seconds": 0.25,
        "command": "dmft solve gated g_h=3 alpha_r=5",
        "model_hash": "1234567890",
        "tol": 1e-10,
        "method": "newton",
    }
    return Solution(**(data | changes))


def curve(**changes: Any) -> BoundaryCurve:
    """A boundary that begins continuous, goes on as a fold and misses one point."""
    alpha = np.linspace(0.0, 10.0, 21)
    gain = 2.0 - 0.246 * (np.maximum(alpha - 2.83, 0) / 7.17) ** 0.9
    gain[20] = np.nan
    status = ["continuous" if a < 2.83 else "converged" for a in alpha]
    status[20] = "not-converged"
    data: dict[str, Any] = {
        "model": "gated",
        "boundary": "fixed-points",
        "solve_for": "g_h",
        "sweep": ("alpha_r",),
        "fixed": {"alpha_z": 0.0, "beta_r": 0.5, "tau_r": 1.0},
        "columns": {"alpha_r": alpha, "g_h": gain},
        "error": np.where(np.isnan(gain), np.nan, 1e-13),
        "status": tuple(status),
        "segment": (alpha > 2.83).astype(int),
        "versions": versions(),
        "tolerance": 1e-12,
        "command": "dmft boundary gated fixed-points alpha_r=0:10:21",
        "seconds": 1.5,
        "model_hash": "2e10",
        "message": "",
    }
    return BoundaryCurve(**(data | changes))
