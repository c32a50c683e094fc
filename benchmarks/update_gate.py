"""Time, error and memory of the path sampler at (g_h, alpha_z, alpha_r) = (3, 5, 5), beside plain sampling.

    python benchmarks/update_gate.py [--precisions 3e-3 1e-3] [--workers 2] [--plain] [--lags]

Times are processor time of one process, which other work on the machine does not stretch much; with
--workers also the wall time of so many processes. "error" is the relative error of C(0) of h, all parts
included. Peak memory is that of a fresh process that solves once (imports included). With --plain, the time
that a plain Monte-Carlo iteration would take for the same error follows from its scatter over independent
runs at several numbers of paths, error ~ paths^-1/2 (`plain_monte_carlo`).
"""

from __future__ import annotations

import argparse
import platform
import subprocess
import sys
import time
from dataclasses import replace

import numpy as np

MEMORY_PROGRAM = """
import sys
sys.path.insert(0, sys.argv[2])
from update_gate import path_sampler
path_sampler(float(sys.argv[1]), 1, lyapunov=True)
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
    """A solution; processor time of this process and wall time in seconds."""
    from dmft.solvers.conditional import solve_conditional

    compiled, parameters = theory(), POINT(**changes)
    begun = time.process_time(), time.perf_counter()
    solution, _ = solve_conditional(
        compiled, parameters, precision=precision, workers=workers, lyapunov=lyapunov
    )
    return solution, time.process_time() - begun[0], time.perf_counter() - begun[1]


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
        # as for a state whose correlations last so much longer: the times from which lags count lie apart
        scales = replace(rough.scales, long=count * 0.6 / 8)
        problem = problem_for(
            model, scales, 0.6, 50.0, seed=0, start_variance=0.1, quality=Quality()
        )
        old = rough.problem.basis
        values = old.weights(rough.values) @ old.at(problem.grid.lags).T
        problem = adapted_averages(problem, problem.basis.projected(values), 1e-4)
        state = problem.state(problem.basis.projected(values))
        begun = time.process_time()
        for block in range(3):
            problem.block_rows(state, block)
        spent = (time.process_time() - begun) / 3
        print(f"{problem.grid.nodes[-1]:10d} {spent:20.2f}   ({problem.grid.starts} times)")


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--precisions", type=float, nargs="*", default=[3e-3, 1e-3])
    parser.add_argument("--workers", type=int, default=1)
    parser.add_argument("--plain", action="store_true")
    parser.add_argument("--lags", action="store_true")
    arguments = parser.parse_args()
    from threadpoolctl import threadpool_limits

    print(platform.processor() or platform.machine(), "numpy", np.__version__)
    with threadpool_limits(limits=1):
        print(
            "| precision | error | C_h(0) | paths | CPU s | with lambda: CPU s | lambda | peak MB |"
        )
        print("|---|---|---|---|---|---|---|---|")
        for precision in arguments.precisions:
            solution, spent, _ = path_sampler(precision, 1, lyapunov=False)
            full, longer, _ = path_sampler(precision, 1, lyapunov=True)
            print(
                f"| {precision:.0e} | {solution.errors['variance']:.1e} | "
                f"{solution.covariance[0, 0]:.5f} | {solution.paths} | {spent:.1f} | {longer:.1f} | "
                f"{full.lyapunov:.4f} +- {full.errors['lyapunov']:.4f} | {peak_memory(precision):.0f} |",
                flush=True,
            )
            if arguments.workers > 1:
                for workers in (1, arguments.workers):
                    _, _, wall = path_sampler(precision, workers, lyapunov=True)
                    print(f"workers {workers}: {wall:.1f} s on the wall", flush=True)
        if arguments.lags:
            seconds_by_lags((150, 300, 600, 1200))
        if arguments.plain:
            plain_table(arguments.precisions)


def plain_table(precisions: list[float]) -> None:
    """What plain sampling costs at several numbers of paths, and for the path sampler's error."""
    from plain_monte_carlo import ITERATIONS, RUNS, cost

    solution, spent, _ = path_sampler(min(precisions), 1, lyapunov=False)
    reached = solution.errors["variance"]
    print(f"\npath sampler: error {reached:.1e} in {spent:.1f} s (CPU)")
    print(
        "| plain: paths | runs | CPU s a run | error of a run | error paths^1/2 | CPU s for the same "
        "error | times the path sampler's |"
    )
    print("|---|---|---|---|---|---|---|")
    for paths in (64, 256, 1024):
        found = cost(solution, POINT(), ITERATIONS, RUNS, paths)
        error = found["relative error"]
        unsure = error / (2 * (RUNS - 1)) ** 0.5
        same = found["seconds"] * (error / reached) ** 2
        print(
            f"| {paths} | {RUNS} | {found['seconds']:.1f} | {error:.1e} | "
            f"{error * paths**0.5:.3f} +- {unsure * paths**0.5:.3f} | {same:.0f} | {same / spent:.0f} |",
            flush=True,
        )


if __name__ == "__main__":
    main()
