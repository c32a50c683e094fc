"""Cost of Lyapunov spectra of finite networks, and the spectra themselves.

    python benchmarks/lyapunov_spectrum.py [--case NAME ...] [--time 8]
    python benchmarks/lyapunov_spectrum.py --run --case NAME [--networks 2] [--workers 2]

Without --run: processor seconds per leak time, measured over --time leak times after a short
start; the share of them that orthonormalisation takes; the rate of the matrix products as a share of
what the machine reaches for the same shapes, measured on the spot; and what the whole plan of the
case costs at that rate. With --run the plan is carried out on several networks, with what it found.
With --limit the largest exponent of vanilla networks is extrapolated in 1/N. Every network runs on
one core with one BLAS thread; seconds are those of the processor, which other
work on the machine lengthens only through shared caches and memory.
"""

from __future__ import annotations

import argparse
import platform
import time
from dataclasses import dataclass
from functools import partial

import numpy as np
from threadpoolctl import threadpool_limits

from dmft.codegen import compile_network
from dmft.validation import lyapunov_spectrum as core
from dmft.validation.compare import t_test
from dmft.validation.dimension import entropy_rate, kaplan_yorke
from dmft.validation.ensemble import (
    Ensemble,
    each_network,
    number_in_the_limit,
    number_over_networks,
)
from dmft.validation.lyapunov_spectrum import LyapunovSpectrum
from dmft.validation.spectrum_of_networks import SpectrumPlan, mean_spectrum, network_spectrum

GATED = {
    **{"g_h": 3.0, "alpha_z": 0.0, "alpha_r": 5.0, "tau_z": 1.0, "tau_r": 1.0},
    **{"beta_h": 0.0, "beta_z": 0.0, "beta_r": 0.0},
}


@dataclass(frozen=True)
class Case:
    """One spectrum: what is asked for, and the minutes it may take."""

    model: str
    parameters: dict[str, float]
    n: int
    plan: SpectrumPlan
    minutes: float


CASES = {
    "vanilla-1000-full": Case("vanilla", {"g": 3.0}, 1000, SpectrumPlan(duration=400.0), 5.0),
    "gated-300-full": Case("gated", GATED, 300, SpectrumPlan(duration=400.0), 5.0),
    "gated-4000-leading-50": Case(
        "gated", GATED, 4000, SpectrumPlan(leading=50, duration=400.0), 30.0
    ),
}
STEP = 0.25


def ensemble(case: Case, seed: int) -> Ensemble:
    """The networks of a case."""
    return Ensemble(compile_network(case.model), case.parameters, seed, STEP)


def product_rate(rows: int, n: int) -> float:
    """Operations per second of one product (rows, n) (n, n) in float32: the best of five."""
    rng = np.random.default_rng(0)
    a = rng.standard_normal((rows, n), dtype=np.float32)
    b = rng.standard_normal((n, n), dtype=np.float32)
    best = np.inf
    for _ in range(6):
        begun = time.process_time()
        a @ b
        best = min(best, time.process_time() - begun)
    return 2.0 * rows * n * n / best


def measure(name: str, case: Case, duration: float) -> None:
    """One row: cost per leak time and what the plan costs at that."""
    run = ensemble(case, 0).begin(case.n, 0, tangents=1)
    fields = len(run.x)
    count = case.plan.leading or fields * case.n
    begun = time.process_time()
    still = [d[:0] for d in run.dx]
    run.dx = still
    run.advance(round(4.0 / STEP))
    state_alone = (time.process_time() - begun) / 4.0

    run = ensemble(case, 0).begin(case.n, 0, tangents=count)
    pace = core._Pace()
    core._straighten(run)
    core._stretch(run, round(4.0 / STEP), pace)
    spent = 0.0
    original = core.orthonormalise

    def timed(dx: list[np.ndarray]) -> tuple[list[np.ndarray], np.ndarray, float]:
        nonlocal spent
        started = time.process_time()
        result = original(dx)
        spent += time.process_time() - started
        return result

    core.orthonormalise = timed
    try:
        begun = time.process_time()
        core._stretch(run, round(duration / STEP), pace)
        per_time = (time.process_time() - begun) / duration
    finally:
        core.orthonormalise = original
    stages = 4.0 / STEP * len(run.network.transposed)
    rate = stages * 2.0 * (count + 1) * case.n**2 / (per_time - spent / duration)
    plan = case.plan
    total = per_time * (plan.warm_up + plan.duration) + state_alone * plan.transient
    print(
        f"| {name} | {count} | {per_time:.3g} | {spent / duration / per_time:.0%} | "
        f"{pace.steps * STEP:.2g} | {rate / product_rate(count + 1, case.n):.0%} | "
        f"{plan.transient:g} + {plan.warm_up:g} + {plan.duration:g} | {total / 60:.1f} | "
        f"{case.minutes:g} |",
        flush=True,
    )


def timed_spectrum(
    networks: Ensemble, plan: SpectrumPlan, n: int, realization: int
) -> tuple[LyapunovSpectrum, float]:
    """A spectrum and the processor time it took, which other work on the machine does not change."""
    begun = time.process_time()
    return network_spectrum(networks, plan, n, realization), time.process_time() - begun


def largest_in_the_limit(gain: float, exact: float, workers: int, seed: int) -> None:
    """The largest exponent of vanilla networks in 1/N, beside the theory's."""
    networks = Ensemble(compile_network("vanilla"), {"g": gain}, seed, STEP)
    plan = SpectrumPlan(leading=1, duration=400.0)
    counts = {500: 16, 1000: 12, 2000: 8}
    found = each_network(partial(network_spectrum, networks, plan), counts, workers)
    for n, e in number_over_networks(found, lambda s: s.exponents[0]).items():
        print(f"  N = {n}: {e.mean:.4f} +- {e.standard_error:.4f} ({counts[n]} networks)")
    fit = number_in_the_limit(found, lambda s: s.exponents[0])
    p, score = t_test(fit.limit.mean - exact, fit.limit.standard_error, fit.limit.dof)
    print(
        f"vanilla g = {gain:g}: limit {fit.limit.mean:.4f} +- {fit.limit.standard_error:.4f}, theory "
        f"{exact:.4f}, score {score:.2f}, p {p:.2f}; straight line p {fit.straightness:.2f}",
        flush=True,
    )


def run_plan(name: str, case: Case, networks: int, workers: int, seed: int) -> None:
    """Carry the plan out and print what it found."""
    begun = time.perf_counter()
    task = partial(timed_spectrum, ensemble(case, seed), case.plan)
    timed = each_network(task, {case.n: networks}, workers)
    minutes = (time.perf_counter() - begun) / 60
    spectra = [spectrum for spectrum, _ in timed[case.n]]
    found = {case.n: spectra}
    cpu = max(seconds for _, seconds in timed[case.n]) / 60
    print(
        f"{name}: {networks} networks on {workers} processes in {minutes:.1f} min; at most "
        f"{cpu:.1f} min of one core each"
    )
    for k, s in enumerate(spectra):
        d, h = kaplan_yorke(s), entropy_rate(s)
        print(
            f"  network {k}: {s.status} {s.message}; lambda_1 = {s.exponents[0]:.4f} +- "
            f"{s.time_error[0]:.4f}, last {s.exponents[-1]:.4f}; largest time error "
            f"{s.time_error.max():.4f}, drift {np.abs(s.drift).max():.4f}; D = {d.value:.2f} +- "
            f"{d.time_error:.2f} ({d.bracket}), h = {h.value:.3f} +- {h.time_error:.3f} ({h.bracket})"
        )
    if networks > 1:
        mean = mean_spectrum(spectra)
        index = [i for i in (0, 1, 2, 5, 10, 20, 50, 100, 200, 500, 899, 999) if i < mean.mean.size]
        for i in index:
            print(f"  lambda_{i + 1} = {mean.mean[i]:.4f} +- {mean.standard_error[i]:.4f}")
        for label, number in (("D", kaplan_yorke), ("h", entropy_rate)):
            e = number_over_networks(found, lambda s, f=number: f(s).value)[case.n]
            print(f"  {label} = {e.mean:.3f} +- {e.standard_error:.3f} over networks")


def main() -> None:
    """Print the table, or carry plans out."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--case", nargs="*", choices=list(CASES), default=list(CASES))
    parser.add_argument("--time", type=float, default=8.0, help="leak times to measure over")
    parser.add_argument("--run", action="store_true", help="carry the plans out")
    parser.add_argument("--networks", type=int, default=2)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--limit", action="store_true", help="SCS exponents in 1/N instead")
    given = parser.parse_args()
    print(f"Python {platform.python_version()}, numpy {np.__version__}\n")
    if given.limit:
        for gain, exact in ((2.0, 0.1124581), (3.0, 0.2354610)):
            largest_in_the_limit(gain, exact, given.workers, given.seed)
        return
    if given.run:
        for name in given.case:
            run_plan(name, CASES[name], given.networks, given.workers, given.seed)
        return
    print(
        "| case | exponents | s per leak time | orthonormalising | every | matrix rate | plan | min | "
        "allowed |"
    )
    print("|---|---|---|---|---|---|---|---|---|")
    with threadpool_limits(1):
        for name in given.case:
            measure(name, CASES[name], given.time)


if __name__ == "__main__":
    main()
