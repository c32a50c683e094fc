"""Time, memory and accuracy of stationary solutions, with the obvious alternatives beside them.

    python benchmarks/stationary.py [--repeats 5] [--quick]

Times are warm: the model is compiled and every case has run once. Accuracy is against the reference
values of the theory notes where they exist, else against a solution at the smallest tolerance.
Peak memory is that of a fresh process that solves the case once (imports included).
"""

from __future__ import annotations

import argparse
import json
import platform
import statistics
import subprocess
import sys
import time
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from dmft.results.solution import Solution

#: name, model, parameters, {quantity: reference}; SCS by energy integral, gated by two solvers.
CASES = (
    ("vanilla g=2", "vanilla", {"g": 2}, {"C(0)": 1.9248054137370581867, "lambda": 0.1124581}),
    (
        "gated (3, 5)",
        "gated",
        {"g_h": 3, "alpha_r": 5},
        {"C(0)": 0.142274619, "lambda": 0.13216866},
    ),
    ("gated (8, 40)", "gated", {"g_h": 8, "alpha_r": 40, "tau_r": 0.5}, {}),
)

MEMORY_PROGRAM = """
import json, sys
import dmft
model, parameters, method = json.loads(sys.argv[1])
dmft.solve(model, parameters, method=method)
try:
    import resource
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    print(peak / (1024 if sys.platform != "darwin" else 1024**2))
except ImportError:
    print("nan")
"""


def peak_memory(model: str, parameters: dict[str, float], method: str) -> float:
    """Megabytes at the peak of a fresh process."""
    done = subprocess.run(
        [sys.executable, "-c", MEMORY_PROGRAM, json.dumps([model, parameters, method])],
        capture_output=True,
        text=True,
        check=True,
    )
    return float(done.stdout)


def measure(
    model: str, parameters: dict[str, float], method: str, repeats: int
) -> tuple[float, float, Solution]:
    """Median and fastest time of several warm runs, and the last solution."""
    import dmft

    if repeats > 1:
        dmft.solve(model, parameters, method=method)
    times = []
    for _ in range(repeats):
        started = time.perf_counter()
        solution = dmft.solve(model, parameters, method=method)
        times.append(time.perf_counter() - started)
    return statistics.median(times), min(times), solution


def compare_solvers(repeats: int, quick: bool) -> None:
    """One row per case and linear algebra."""
    # Memory first: a child reports its parent's size at the fork if that was larger.
    rows = [
        (case, method)
        for case in CASES
        for method in ("auto", "dense", "matrix-free")
        if not (quick and case[3] == {})
    ]
    memory = [peak_memory(model, parameters, method) for (_, model, parameters, _), method in rows]
    import dmft

    print(
        "| case | method | median s | fastest s | peak MB | lags | residual | C(0) off | lambda off |"
    )
    print("|---|---|---|---|---|---|---|---|---|")
    for ((name, model, parameters, reference), method), megabytes in zip(rows, memory, strict=True):
        best = dmft.solve(model, parameters, tol=1e-13) if not reference else None
        slow = method == "dense" and not reference
        middle, fastest, solution = measure(model, parameters, method, 1 if slow else repeats)
        first = next(iter(solution.variance))
        c, exponent = solution.variance[first], solution.lyapunov
        exact_c = best.variance[first] if best else reference["C(0)"]
        exact_exponent = best.lyapunov if best else reference["lambda"]
        print(
            f"| {name} | {method} | {middle:.2f} | {fastest:.2f} | {megabytes:.0f} | "
            f"{solution.lag.size} | {solution.residual:.0e} | {abs(c / exact_c - 1):.0e} | "
            f"{abs(exponent - exact_exponent):.0e} |",
            flush=True,
        )


def gauss_hermite(gain: float, deviation: float, rho: np.ndarray, nodes: int) -> np.ndarray:
    """E tanh tanh by a product of two Gauss-Hermite rules: the obvious alternative."""
    x, weights = np.polynomial.hermite_e.hermegauss(nodes)
    weights = weights / weights.sum()
    left = np.tanh(gain * deviation * x)
    result = np.empty(rho.size)
    for i, r in enumerate(rho):
        second = np.tanh(gain * deviation * (r * x[:, None] + np.sqrt(1 - r**2) * x[None, :]))
        result[i] = (weights * left) @ second @ weights
    return result


def double_trapezoid(gain: float, deviation: float, rho: np.ndarray) -> np.ndarray:
    """The same by a fine trapezoid sum in two independent normals: the judge."""
    step = np.pi**2 / (44 * max(gain * deviation, 0.6))
    nodes = np.arange(-int(8.6 / step), int(8.6 / step) + 1) * step
    weights = np.exp(-(nodes**2) / 2)
    weights /= weights.sum()
    result = np.empty(rho.size)
    for i, r in enumerate(rho):
        plus = np.sqrt((1 + r) / 2) * nodes[:, None]
        minus = np.sqrt((1 - r) / 2) * nodes[None, :]
        scale = gain * deviation
        result[i] = (
            weights
            @ (np.tanh(scale * (plus + minus)) * np.tanh(scale * (plus - minus)))
            @ (weights)
        )
    return result


def compare_averages(repeats: int) -> None:
    """E tanh(gain x) tanh(gain y) and both derivatives at 500 correlations."""
    from dmft.gaussian.pair_average import pair_average

    print("\n| gain x sd | ours s | terms | error | Gauss-Hermite 200 x 200 s | error |")
    print("|---|---|---|---|---|---|")
    rho = np.linspace(0, 1, 500)
    for steepness in (1.0, 3.0, 10.0, 30.0):

        def family(x: np.ndarray) -> list[np.ndarray]:
            value = np.tanh(x)
            return [value, 1 - value**2, -2 * value * (1 - value**2)]

        times = []
        for _ in range(repeats):
            started = time.perf_counter()
            average = pair_average(family, steepness**2)
            value = average.at(rho * steepness**2)[0]
            times.append(time.perf_counter() - started)
        started = time.perf_counter()
        other = gauss_hermite(1.0, steepness, rho, 200)
        other_time = time.perf_counter() - started
        some = np.array([0, 150, 300, 450, 490, 499])
        exact = double_trapezoid(1.0, steepness, rho[some])
        print(
            f"| {steepness:g} | {statistics.median(times):.4f} | {average.coefficients.size} | "
            f"{np.max(abs(value[some] - exact)):.0e} | {other_time:.2f} | "
            f"{np.max(abs(other[some] - exact)):.0e} |",
            flush=True,
        )


def main() -> None:
    """Print both tables."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--repeats", type=int, default=5, help="warm runs per row (median shown)")
    parser.add_argument("--quick", action="store_true", help="leave out gated (8, 40)")
    given = parser.parse_args()
    print(f"Python {platform.python_version()}, numpy {np.__version__}\n")
    compare_solvers(given.repeats, given.quick)
    compare_averages(given.repeats)


if __name__ == "__main__":
    main()
