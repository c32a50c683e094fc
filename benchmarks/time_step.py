"""What the time step costs in digits: C(0) and lambda of networks against steps of 1/16.

    python benchmarks/time_step.py [--n 800] [--networks 6] [--workers 2]

The same networks, starts and tangent vectors, settled for 60 leak times, run for 20 more in every step,
so that what chaos does to both is the same for as long as it keeps them together; the error is over
networks. "chosen" is the step of `dmft.validation.schedule.choose_step`.
"""

from __future__ import annotations

import argparse
from functools import partial

import numpy as np

from dmft.codegen import compile_network
from dmft.parameters import check_parameters
from dmft.validation.compare import over_networks
from dmft.validation.ensemble import Ensemble, each_network, settle
from dmft.validation.estimate import mean_product
from dmft.validation.integrate import Integrator, Trajectory
from dmft.validation.schedule import choose_step

NETWORKS: tuple[tuple[str, dict[str, float], Integrator], ...] = (
    ("gated", {"g_h": 3.0, "alpha_r": 5.0, "tau_r": 2.0}, "rk4"),
    ("gated", {"g_h": 3.0, "alpha_z": 5.0, "alpha_r": 10.0}, "rk4"),
    ("gated", {"g_h": 4.0, "alpha_r": 20.0}, "rk4"),
    ("gated-input", {"g_h": 4.0, "alpha_r": 5.0, "input_h": 0.1, "beta_z": -1.0}, "rk4"),
    ("vanilla", {"g": 2.0}, "rk4"),
    ("vanilla", {"g": 3.0}, "rk4"),
    ("vanilla-erf", {"g": 3.0}, "rk4"),
    ("adaptation", {"g": 3.0}, "rk4"),
    ("mean-coupling", {"g": 1.5, "m": 2.5}, "rk4"),
    ("gated", {"g_h": 3.0, "alpha_r": 5.0, "tau_r": 0.001}, "exponential"),
)
STEPS, EXACT = (0.5, 0.25, 0.125), 1 / 16
SETTLE, SAMPLE, SAMPLES, STARTS, SEED = 60.0, 0.5, 40, 8, 7


def measured(run: Trajectory, dt: float) -> tuple[float, float]:
    """C(0) of the first field, two leak times after the change of step, and lambda."""
    other = Trajectory(run.network, run.x, run.dx, dt, integrator=run.integrator)
    squares, growth = [], []
    for _ in range(SAMPLES):
        growth.append(float(np.mean(other.advance(round(SAMPLE / dt)))) / SAMPLE)
        squares.append(mean_product(other.x[0], other.x[0]))
    return float(np.mean(squares[4:])), float(np.mean(growth[4:]))


def changes(ensemble: Ensemble, n: int, realization: int) -> list[float]:
    """Relative change of C(0) and change of lambda for every step."""
    run = ensemble.begin(n, realization, batch=STARTS, tangents=STARTS)
    settle(run, SETTLE)
    square, exponent = measured(run, EXACT)
    found = []
    for dt in STEPS:
        seen = measured(run, dt)
        found += [seen[0] / square - 1, seen[1] - exponent]
    return found


def main() -> None:
    """Print one row per network and step."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--n", type=int, default=800, help="units")
    parser.add_argument("--networks", type=int, default=6, help="networks of every kind")
    parser.add_argument("--workers", type=int, default=2, help="processes")
    given = parser.parse_args()
    print("| network | chosen | step | C(0), relative | lambda |\n|---|---|---|---|---|")
    for model, p, integrator in NETWORKS:
        right = compile_network(model)
        parameters = check_parameters(right.info, p)
        chosen = choose_step(right, parameters, SEED, integrator)
        ensemble = Ensemble(right, parameters, SEED, chosen, dtype="float64", integrator=integrator)
        rows = each_network(partial(changes, ensemble), {given.n: given.networks}, given.workers)[
            given.n
        ]
        name = f"{model} " + ", ".join(f"{k} = {v:g}" for k, v in p.items())
        seen = [over_networks(column) for column in np.transpose(rows)]
        for k, dt in enumerate(STEPS):
            square, exponent = seen[2 * k : 2 * k + 2]
            print(
                f"| {name} ({integrator}) | {chosen:g} | {dt:g} | "
                f"{square.mean:.1e} +- {square.standard_error:.0e} | "
                f"{exponent.mean:.1e} +- {exponent.standard_error:.0e} |",
                flush=True,
            )


if __name__ == "__main__":
    main()
