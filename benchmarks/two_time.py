"""Time, memory and error bars of two-time solutions, beside plain sampling of the same equations.

    python benchmarks/two_time.py [--quick]

One process, one BLAS thread. "total" is the largest error of C(t,t) over max C(t,t) of the worst field, by
cause where it matters. Plain sampling (Roy et al. 2019: every field a path, averages over paths) takes
the same grid and step; its time for the error of the conditional averages is extrapolated from the
scatter of its populations, error ~ paths^-1/2.
"""

from __future__ import annotations

import argparse
import json
import platform
import subprocess
import sys
import time

import numpy as np
from threadpoolctl import threadpool_limits

#: name, parameters of the gated network, start, options
CASES = (
    ("alpha_z=0, T=100", {"alpha_z": 0}, {"h": 0.01}, {"until": 100.0, "precision": 2e-3}),
    ("alpha_z=5, T=20", {"alpha_z": 5}, {"h": 0.1}, {"until": 20.0}),
    ("alpha_z=20, T=40, narrow", {"alpha_z": 20}, {"h": 0.01}, {"until": 40.0}),
    ("alpha_z=20, T=40, wide", {"alpha_z": 20}, {"h": 1.0}, {"until": 40.0}),
    ("alpha_z=5, T=150", {"alpha_z": 5}, {"h": 0.1}, {"until": 150.0}),
)
COMPARED = "alpha_z=5, T=20"

PROGRAM = """
import json, sys
sys.path.insert(0, sys.argv[2])
from two_time import solve
solve(json.loads(sys.argv[1]))
try:
    import resource
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    print(peak / (1024 if sys.platform != "darwin" else 1024**2))
except ImportError:
    print("nan")
"""


def solve(case):
    """One case."""
    from dmft.codegen.two_time import two_time_theory
    from dmft.solvers.two_time_solution import solve_transient

    _, more, start, options = case
    theory = two_time_theory("gated")
    given = {"g_h": 3.0, "alpha_r": 5.0} | more
    parameters = {p.name: float(given.get(p.name, p.default)) for p in theory.info.parameters}
    return solve_transient(theory, parameters, start=start, **options)


def peak_memory(case) -> float:
    """Megabytes at the peak of a fresh process."""
    from pathlib import Path

    here = str(Path(__file__).resolve().parent)
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, json.dumps(case), here],
        capture_output=True,
        text=True,
        check=True,
    )
    return float(done.stdout)


def expit(x):
    """1 / (1 + exp(-x))."""
    return 1 / (1 + np.exp(-x))


def plain_sampling(times, paths, seed, alpha_z=5.0, variance=0.1):
    """C_h(T,T) of gated (3, alpha_z, 5) by sampling h, z and r; Heun's rule, growing Cholesky factors."""
    from dmft.solvers.two_time_gates import GrowingCholesky

    rng = np.random.default_rng(seed)
    count = len(times)
    h, z, r = np.sqrt(variance) * rng.standard_normal(paths), np.zeros(paths), np.zeros(paths)
    heard = np.zeros((2, count, paths))
    normals = np.zeros((3, count, paths))
    factors = [GrowingCholesky(count) for _ in range(2)]

    def outputs(h, r):
        phi = np.tanh(3 * h)
        return phi * expit(5 * r), phi

    def noise(n, latest):
        """The three noises at time n, and the rows of both factors."""
        drawn, rows = [], []
        for a, value in enumerate(latest):
            row = np.append(heard[a, :n] @ value, value @ value) / paths
            factor = factors[a]
            solved = factor.append(row)
            factor.size -= 1  # a prediction: the row is replaced by the corrected one
            rows.append(row)
            drawn.append(solved)
        return [drawn[0] @ normals[0, : n + 1]] + [
            drawn[1] @ normals[k, : n + 1] for k in (1, 2)
        ], rows

    normals[:, 0] = rng.standard_normal((3, paths))
    now, rows = noise(0, outputs(h, r))
    heard[:, 0] = outputs(h, r)
    for factor, row in zip(factors, rows, strict=True):
        factor.append(row)
    for n in range(count - 1):
        step = times[n + 1] - times[n]
        normals[:, n + 1] = rng.standard_normal((3, paths))

        def velocity(h, z, r, w):
            return expit(alpha_z * z) * (-h + w[0]), -z + w[1], -r + w[2]

        first = velocity(h, z, r, now)
        guess = [x + step * v for x, v in zip((h, z, r), first, strict=True)]
        after, _ = noise(n + 1, outputs(guess[0], guess[2]))
        second = velocity(*guess, after)
        h, z, r = (x + step / 2 * (v + w) for x, v, w in zip((h, z, r), first, second, strict=True))
        heard[:, n + 1] = outputs(h, r)
        now, rows = noise(n + 1, heard[:, n + 1])
        for factor, row in zip(factors, rows, strict=True):
            factor.append(row)
    return float(np.mean(h**2))


def compare(solution, seconds: float) -> None:
    """Time of plain sampling for the same standard error of C_h(T,T)."""
    ours = solution.standard_error["h"][-1, -1] / solution.variance("h")[-1]
    # the extra stages that measure step and bias cost half as much again
    own = seconds / 1.5
    print(f"\nconditional averages: standard error {ours:.2%} of C_h(T,T) in {own:.1f} s")
    for paths in (2000, 8000):
        started = time.perf_counter()
        values = [plain_sampling(solution.times, paths, seed) for seed in range(8)]
        taken = time.perf_counter() - started
        error = np.std(values, ddof=1) / np.sqrt(8) / np.mean(values)
        print(
            f"plain sampling, 8 x {paths} paths: C_h(T,T) = {np.mean(values):.4f}, standard error "
            f"{error:.2%} in {taken:.1f} s; for {ours:.2%} {taken * (error / ours) ** 2:.0f} s "
            f"({taken * (error / ours) ** 2 / own:.0f} times)"
        )


def main() -> None:
    """Print the table and the comparison."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--quick", action="store_true", help="leave out T = 150")
    given = parser.parse_args()
    cases = CASES[:-1] if given.quick else CASES
    print(f"Python {platform.python_version()}, numpy {np.__version__}\n")
    print("| gated (3, 5) | times | paths | C_h(T,T) | sampling | step | bias | s | peak MB |")
    print("|---|---|---|---|---|---|---|---|---|")
    with threadpool_limits(1):
        # memory first: a child reports its parent's size at the fork if that was larger
        peaks = [peak_memory(case) for case in cases]
        for case, memory in zip(cases, peaks, strict=True):
            started = time.perf_counter()
            found = solve(case)
            seconds = time.perf_counter() - started
            parts = " | ".join(f"{found.errors[k]:.1e}" for k in ("sampling", "step", "bias"))
            paths = f"{found.populations} x {found.paths}"
            print(
                f"| {case[0]} | {found.times.size} | {paths} | {found.variance('h')[-1]:.5f} | "
                f"{parts} | {seconds:.1f} | {memory:.0f} |",
                flush=True,
            )
            if case[0] == COMPARED:
                kept = found, seconds
        compare(*kept)


if __name__ == "__main__":
    main()
