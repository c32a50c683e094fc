"""Time, error and memory of the path sampler at (g_h, alpha_z, alpha_r) = (3, 5, 5), beside plain sampling.

    python benchmarks/update_gate.py [--workers 2] [--plain] [--quick]

"error" is the relative error of C(0) of h, all parts included. Peak memory is that of a fresh process
that solves once (imports included; workers are not counted). With --plain, the time that a plain
Monte-Carlo iteration would take for the same error follows from its scatter over independent runs,
error ~ (paths * iterations)^-1/2 (`plain_monte_carlo`).
"""

from __future__ import annotations

import argparse
import platform
import subprocess
import sys
import time

import numpy as np

MEMORY_PROGRAM = """
import sys
sys.path.insert(0, sys.argv[2])
from update_gate import path_sampler
path_sampler(float(sys.argv[1]), 1, lyapunov=False)
try:
    import resource
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    print(peak / (1024 if sys.platform != "darwin" else 1024**2))
except ImportError:
    print("nan")
"""


def theory():
    """The compiled gated network."""
    from dmft.codegen.cache import describe
    from dmft.codegen.conditional import compile_conditional
    from dmft.derivations.equations import derive_equations
    from dmft.derivations.models import get

    model = get("gated")
    return compile_conditional(derive_equations(model), describe(model))


def POINT(**changes: float) -> dict[str, float]:
    """All parameters at (3, 5, 5)."""
    given = {"g_h": 3.0, "alpha_z": 5.0, "alpha_r": 5.0} | changes
    return {p.name: float(given.get(p.name, p.default or 0.0)) for p in theory().info.parameters}


def path_sampler(precision: float, workers: int, lyapunov: bool, **changes: float):
    """A solution and the seconds that it took."""
    from dmft.solvers.conditional import solve_conditional

    compiled, parameters = theory(), POINT(**changes)
    begun = time.perf_counter()
    solution, _ = solve_conditional(
        compiled, parameters, precision=precision, workers=workers, lyapunov=lyapunov
    )
    return solution, time.perf_counter() - begun


def peak_memory(precision: float) -> float:
    """Megabytes at the peak of a fresh process."""
    done = subprocess.run(
        [sys.executable, "-c", MEMORY_PROGRAM, str(precision), sys.path[0]],
        capture_output=True,
        text=True,
        check=True,
    )
    return float(done.stdout)


def seconds_by_lags(counts: tuple[int, ...]) -> None:
    """Time of one block of paths against the number of steps to the largest lag."""
    from dmft.solvers.conditional_model import ConditionalModel
    from dmft.solvers.conditional_scales import Quality, adapted_averages, problem_for
    from dmft.solvers.conditional_settle import settle

    model = ConditionalModel(theory(), POINT())
    rough = settle(model, 1.0, seed=0, tol=1e-2, window_cap=1e4, quality=Quality())
    print("\nsteps to the largest lag   seconds of one block (same number of times)")
    for count in counts:
        reach = count * 0.6 / (8 * rough.scales.long)
        problem = problem_for(
            model, rough.scales, 0.6, 50.0, seed=0, start_variance=0.1, quality=Quality(reach=reach)
        )
        old = rough.problem.basis
        values = old.weights(rough.values) @ old.at(problem.grid.lags).T
        problem = adapted_averages(problem, problem.basis.projected(values), 1e-4)
        state = problem.state(problem.basis.projected(values))
        begun = time.perf_counter()
        problem.block_rows(state, 0)
        spent = time.perf_counter() - begun
        print(f"{problem.grid.nodes[-1]:10d} {spent:20.2f}   ({problem.grid.starts} times)")


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--plain", action="store_true")
    parser.add_argument("--quick", action="store_true")
    arguments = parser.parse_args()
    from threadpoolctl import threadpool_limits

    print(platform.processor() or platform.machine(), "numpy", np.__version__)
    print("precision  workers   error      C(0)   paths  seconds   MB")
    with threadpool_limits(limits=1):
        for precision in (3e-3,) if arguments.quick else (3e-3, 1e-3, 3e-4):
            solution, seconds = path_sampler(precision, arguments.workers, lyapunov=False)
            memory = peak_memory(precision)
            print(
                f"{precision:9.0e} {arguments.workers:8d} {solution.errors['variance']:.1e} "
                f"{solution.covariance[0, 0]:.6f} {solution.paths:6d} {seconds:8.1f} {memory:5.0f}",
                flush=True,
            )
        solution, seconds = path_sampler(3e-3, arguments.workers, lyapunov=True)
        print(
            f"with lambda = {solution.lyapunov:.4f} +- {solution.errors['lyapunov']:.1e}: {seconds:.1f} s"
        )
        seconds_by_lags((150, 300) if arguments.quick else (150, 300, 600, 1200))
        if arguments.plain:
            from plain_monte_carlo import cost

            solution, seconds = path_sampler(1e-3, 1, lyapunov=False)
            ours = seconds * (solution.errors["variance"] / 1e-3) ** 2
            for iterations in (4, 16):
                found = cost(solution, POINT(), iterations, 8)
                ratio = found["seconds for 1e-3"] / seconds
                print(found, f"{ratio:.0f} times the path sampler's {seconds:.1f} s", flush=True)
            print(f"path sampler scaled to an error of exactly 1e-3: {ours:.1f} s")


if __name__ == "__main__":
    main()
