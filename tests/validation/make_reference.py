"""Measure networks once and store what they said, for tests that need more than a minute of them.

    python tests/validation/make_reference.py vanilla reference/vanilla_g2.json

Not a test and not run by one. The files hold simulations only, no theory.
"""

from __future__ import annotations

import json
import sys
from dataclasses import asdict
from pathlib import Path

from dmft.codegen import compile_network
from dmft.results.provenance import versions
from dmft.validation.schedule import Schedule
from dmft.validation.simulate import cost, default_workers, network_counts, simulate
from dmft.validation.watch import Silent

#: Parameters, and lags in half leak time constants.
CASES = {
    "vanilla": ({"g": 2.0}, 40.0, 60.0, (2, 4, 8, 12, 16)),
    "gated": (
        {
            "g_h": 3.0,
            "alpha_z": 0.0,
            "alpha_r": 5.0,
            "beta_h": 0.0,
            "beta_z": 0.0,
            "beta_r": 0.0,
            "tau_z": 1.0,
            "tau_r": 1.0,
        },
        40.0,
        60.0,
        (4, 8, 10, 16, 24),
    ),
}


def main(model: str, path: str) -> None:
    """Simulate with seed 0 and write ``path``."""
    parameters, transient, duration, lags = CASES[model]
    schedule = Schedule(0.25, transient, duration, lags, lags)
    right, counts = compile_network(model), network_counts(2000, 8)
    seconds = cost(right, parameters, schedule, counts)
    networks = simulate(
        right, parameters, schedule, counts, 0, default_workers(), Silent(), seconds
    )
    record = {
        "kind": "simulated networks",
        "command": f"python tests/validation/make_reference.py {model} {Path(path).name}",
        "model": model,
        "parameters": parameters,
        "seed": 0,
        "schedule": asdict(schedule),
        "versions": versions(),
        "networks": [asdict(m) for m in networks],
    }
    Path(path).write_text(json.dumps(record, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main(*sys.argv[1:])
