"""What a simulated network costs: beside bare matrix products, and by integrator at equal accuracy.

    OMP_NUM_THREADS=1 python benchmarks/simulation.py [--n 4000] [--batch 32] [--repeats 7]

The first table times one Runge-Kutta step (four slopes) and the matrix products that it contains, of the
same shapes on the same matrices, in turns, so that other work on the machine meets both. The second
asks how long a step may be for an error of 1e-3 after two leak times, off the boundary layer of the
start, and what a leak time then costs in slopes.
"""

from __future__ import annotations

import argparse
import platform
import statistics
import time
from collections.abc import Callable

import numpy as np

from dmft.codegen import compile_network
from dmft.validation.integrate import Integrator, Trajectory, rk4_step
from dmft.validation.network import FiniteNetwork, State, draw_network, draw_state

VANILLA = {"g": 2.0}
GATED = {"g_h": 3.0, "alpha_z": 1.0, "alpha_r": 5.0}
#: Slopes that a step takes.
SLOPES: dict[Integrator, int] = {"rk4": 4, "exponential": 5}
ACCURACY = 1e-3


def in_turns(tasks: list[Callable[[], object]], repeats: int) -> list[list[float]]:
    """Seconds of each task, one after the other, again and again."""
    seconds: list[list[float]] = [[] for _ in tasks]
    for _ in range(repeats + 1):
        for task, own in zip(tasks, seconds, strict=True):
            started = time.perf_counter()
            task()
            own.append(time.perf_counter() - started)
    return [own[1:] for own in seconds]  # the first round warms up


def compare_products(n: int, batch: int, repeats: int) -> None:
    """One row per model and precision."""
    print("| model | states | products ms | step ms | GFLOP/s of the products | ratio |")
    print("|---|---|---|---|---|---|")
    for model, p in (("vanilla", VANILLA), ("gated", GATED)):
        right = compile_network(model)
        for dtype in (np.float32, np.float64):
            network = draw_network(right, p, n, np.random.default_rng(0), dtype)
            x = draw_state(network, batch, 1.0, np.random.default_rng(1))
            outputs = right.outputs(x, p)

            def products(network: FiniteNetwork = network, outputs: State = outputs) -> None:
                for _ in range(SLOPES["rk4"]):
                    for psi, j in zip(outputs, network.transposed, strict=True):
                        psi @ j

            def step(network: FiniteNetwork = network, x: State = x) -> State:
                return rk4_step(network.velocity, x, 0.25)

            bare, whole = in_turns([products, step], repeats)
            ratio = statistics.median(b / w for b, w in zip(bare, whole, strict=True))
            work = SLOPES["rk4"] * len(outputs) * 2 * batch * n * n
            print(
                f"| {model} | {np.dtype(dtype).name} | {1e3 * min(bare):.1f} | "
                f"{1e3 * min(whole):.1f} | {work / min(bare) / 1e9:.0f} | {ratio:.0%} |",
                flush=True,
            )


def largest_step(p: dict[str, float], integrators: tuple[Integrator, ...]) -> list[float]:
    """The longest step 2^-k with an error below ACCURACY, for each integrator."""
    network = draw_network(compile_network("gated"), p, 100, np.random.default_rng(0), np.float64)
    x = draw_state(network, 4, 1.0, np.random.default_rng(1))
    none = [field[:0] for field in x]
    fine = min(2.0**-8, 2.0 ** np.floor(np.log2(p["tau_r"] / 2)))
    exact = Trajectory(network, x, none, fine)
    exact.advance(round(1 / fine))
    settled = exact.x
    exact.advance(round(2 / fine))

    def error(dt: float, integrator: Integrator) -> float:
        run = Trajectory(network, settled, none, dt, integrator=integrator)
        with np.errstate(all="ignore"):
            run.advance(round(2 / dt))
            return max(
                float(np.sqrt(np.mean((a - b) ** 2) / np.mean(b**2)))
                for a, b in zip(run.x, exact.x, strict=True)
            )

    steps = [2.0**-k for k in range(14)]
    return [next(dt for dt in steps if error(dt, name) < ACCURACY) for name in integrators]


def compare_integrators() -> None:
    """One row per time constant of the output gate."""
    integrators: tuple[Integrator, ...] = ("rk4", "exponential")
    print("\n| tau_r | RK4 step | slopes a leak time | exponential step | slopes | gain |")
    print("|---|---|---|---|---|---|")
    for tau in (1.0, 0.1, 0.01, 0.001):
        steps = largest_step(GATED | {"tau_r": tau}, integrators)
        costs = [SLOPES[name] / dt for name, dt in zip(integrators, steps, strict=True)]
        print(
            f"| {tau:g} | {steps[0]:.2g} | {costs[0]:.0f} | {steps[1]:.2g} | {costs[1]:.0f} | "
            f"{costs[0] / costs[1]:.2g} |",
            flush=True,
        )


def main() -> None:
    """Print both tables."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--n", type=int, default=4000, help="units")
    parser.add_argument("--batch", type=int, default=32, help="starts in one network")
    parser.add_argument(
        "--repeats", type=int, default=7, help="rounds (median ratio, fastest time)"
    )
    given = parser.parse_args()
    print(f"Python {platform.python_version()}, numpy {np.__version__}")
    print(f"N = {given.n}, batch {given.batch}\n")
    compare_products(given.n, given.batch, given.repeats)
    compare_integrators()


if __name__ == "__main__":
    main()
