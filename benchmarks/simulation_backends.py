"""How fast networks run on numpy and on jax, beside the matrix products that they cannot do without.

    OMP_NUM_THREADS=1 python benchmarks/simulation_backends.py [--n 4000] [--batch 32] [--steps 8]

On a machine with a graphics card: the same command, after pip install 'dmft[jax]' 'jax[cuda12]' (or the
copy of jax that fits the card). Nothing is read from the network.

A step of Runge-Kutta takes four slopes, each with one product of (batch, N) and (N, N) per coupling.
"steps/s" is that of `Trajectory.advance` in blocks of --steps, with the way of the states to the device
and back; "step" turns it into GFLOP/s of the products alone; "products" is what this machine and backend
reach when they do nothing but products of the same shapes on the same matrices. The ratio of both, the
median over rounds in which both take turns, should be 80% or more at the default shapes. numpy uses as
many threads as its BLAS is told to; jax on a processor takes all cores.
"""

from __future__ import annotations

import argparse
import platform
import statistics
import time
from collections.abc import Callable
from importlib.util import find_spec
from typing import Any

import numpy as np

from dmft.codegen import compile_network
from dmft.validation.integrate import Backend, Trajectory
from dmft.validation.network import FiniteNetwork, State, draw_network, draw_state

PARAMETERS = {
    "vanilla": {"g": 2.0},
    "gated": {"g_h": 3.0, "alpha_z": 1.0, "alpha_r": 5.0},
    "adaptation": {"g": 2.0, "gamma": 0.25},
}
SLOPES = 4
DT = 0.125


def numpy_products(network: FiniteNetwork, outputs: State, count: int) -> Callable[[], object]:
    """``count`` rounds of all products."""

    def run() -> None:
        for _ in range(count):
            for psi, j in zip(outputs, network.transposed, strict=True):
                psi @ j

    return run


def jax_products(network: FiniteNetwork, outputs: State, count: int) -> Callable[[], object]:
    """The same in one compiled loop; each round starts from the last, or it would be left out."""
    import jax

    from dmft.validation.jax_backend import precisely

    def loop(psis: list[Any], couplings: tuple[Any, ...]) -> list[Any]:
        def once(_: int, now: list[Any]) -> list[Any]:
            return [psi @ j for psi, j in zip(now, couplings, strict=True)]

        done: list[Any] = jax.lax.fori_loop(0, count, once, psis)
        return done

    compiled = jax.jit(loop)
    with precisely():
        couplings, psis = jax.device_put((network.transposed, outputs))

    def run() -> None:
        with precisely():
            jax.block_until_ready(compiled(psis, couplings))

    return run


def seconds_of(task: Callable[[], object]) -> float:
    """Once, by the clock."""
    begun = time.perf_counter()
    task()
    return time.perf_counter() - begun


def row(
    model: str, dtype: str, backend: Backend, n: int, batch: int, steps: int, rounds: int
) -> str:
    """Steps and products in turns, after one round that compiles and warms up."""
    right, p = compile_network(model), PARAMETERS[model]
    network = draw_network(right, p, n, np.random.default_rng(0), dtype)
    x = draw_state(network, batch, 1.0, np.random.default_rng(1))
    run = Trajectory(network, x, [field[:0] for field in x], DT, backend=backend)
    bare = {"numpy": numpy_products, "jax": jax_products}[backend](
        network, right.outputs(x, p), SLOPES * steps
    )
    tasks: list[Callable[[], object]] = [bare, lambda: run.advance(steps)]
    pairs = [[seconds_of(task) for task in tasks] for _ in range(rounds + 1)]
    products, whole = (min(own) for own in zip(*pairs[1:], strict=True))
    ratio = statistics.median(few / all_ for few, all_ in pairs[1:])
    work = SLOPES * steps * len(network.transposed) * 2 * batch * n * n / 1e9
    return (
        f"| {model} | {dtype} | {backend} | {steps / whole:.3g} | {work / whole:.0f} | "
        f"{work / products:.0f} | {ratio:.0%} | {pairs[0][1] - whole:.1f} |"
    )


def main() -> None:
    """Print one row per model, precision and backend."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--n", type=int, default=4000, help="units")
    parser.add_argument("--batch", type=int, default=32, help="starts in one network")
    parser.add_argument("--steps", type=int, default=8, help="steps in a block")
    parser.add_argument("--rounds", type=int, default=5, help="fastest time, median ratio")
    parser.add_argument(
        "--models", nargs="+", choices=tuple(PARAMETERS), default=["vanilla", "gated"]
    )
    parser.add_argument("--precisions", nargs="+", default=["float32", "float64"])
    parser.add_argument("--backends", nargs="+", default=["numpy", "jax"])
    given = parser.parse_args()
    print(f"{platform.machine()}, Python {platform.python_version()}, numpy {np.__version__}")
    backends: list[Backend] = list(given.backends)
    if find_spec("jax") is None:
        print("jax is not installed (pip install 'dmft[jax]'): numpy alone")
        backends = ["numpy"]
    elif "jax" in backends:
        import jax

        from dmft.validation.jax_backend import device_name

        print(f"jax {jax.__version__} on {device_name()}")
    print(f"N = {given.n}, batch {given.batch}, blocks of {given.steps} steps\n")
    print("| model | states | backend | steps/s | step GFLOP/s | products | ratio | compiling s |")
    print("|---|---|---|---|---|---|---|---|")
    for model in given.models:
        for dtype in given.precisions:
            for backend in backends:
                print(
                    row(
                        *(model, dtype, backend),
                        *(given.n, given.batch, given.steps, given.rounds),
                    ),
                    flush=True,
                )


if __name__ == "__main__":
    main()
