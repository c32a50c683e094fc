r"""A plain Monte-Carlo iteration of the stationary single-site process, to compare with.

As in F. Roy, G. Biroli, G. Bunin, C. Cammarota, J. Phys. A 52, 484001 (2019), every field is a path: draw
the Gaussian currents of covariance S, integrate all fields, average psi(t) psi(t + tau) over time and paths
to a new S, mix, and repeat with new normals. Made as fast as is plain: stationary, so that currents are drawn
and correlations are averaged by FFT on a circle of 20 correlation times; Runge-Kutta steps as long as the
path sampler's; a start that is already the solution. What fluctuates around it is averaged over iterations,
after those in which fluctuations build up (the nearer the spectral radius of DF to one, the more of them).

    python benchmarks/plain_monte_carlo.py [--iterations 16] [--runs 20]
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from scipy import fft
from threadpoolctl import threadpool_limits

STEP, MIXING = 0.8, 0.5
#: Iterations before averages begin, in them; runs whose scatter is the error.
WARM, ITERATIONS, RUNS = 8, 16, 20


@dataclass
class PlainSampler:
    """The iteration for one model and parameters; covariances at the half steps of the circle."""

    model: str
    parameters: Mapping[str, float]
    period: float
    paths: int
    seed: int

    def __post_init__(self) -> None:
        from dmft.codegen import compile_network

        self.network = compile_network(self.model)
        self.variance = np.array(self.network.variance(self.parameters))
        self.half = 2 * round(self.period / STEP)
        self.rng = np.random.default_rng(self.seed)

    def currents(self, covariances: np.ndarray) -> np.ndarray:
        """(currents, half steps, paths)."""
        power = np.maximum(fft.rfft(covariances, axis=1).real, 0.0)
        normals = self.rng.standard_normal((len(covariances), self.half, self.paths))
        waves = fft.rfft(normals, axis=1) * np.sqrt(power)[:, :, None]
        return fft.irfft(waves, n=self.half, axis=1)

    def fields(self, xi: np.ndarray) -> np.ndarray:
        """Fields at the steps, after one round to forget the start: (fields, steps, paths)."""
        drift, p = self.network.drift, self.parameters
        idle = [0.0] * len(self.network.info.inputs)
        x = [np.zeros(self.paths) for _ in self.network.info.fields]
        steps = self.half // 2
        kept = np.empty((len(x), steps, self.paths))

        def velocity(y, at):
            return drift(y, list(xi[:, at % self.half]), p, idle)

        for n in range(-steps, steps):
            if n >= 0:
                kept[:, n] = x
            at = 2 * n
            k1 = velocity(x, at)
            k2 = velocity([a + STEP / 2 * b for a, b in zip(x, k1, strict=True)], at + 1)
            k3 = velocity([a + STEP / 2 * b for a, b in zip(x, k2, strict=True)], at + 1)
            k4 = velocity([a + STEP * b for a, b in zip(x, k3, strict=True)], at + 2)
            x = [
                a + STEP / 6 * (b + 2 * c + 2 * d + e)
                for a, b, c, d, e in zip(x, k1, k2, k3, k4, strict=True)
            ]
        return kept

    def iterate(self, covariances: np.ndarray) -> tuple[np.ndarray, float]:
        """New covariances of the currents, and C(0) of the first field."""
        x = self.fields(self.currents(covariances))
        new = []
        for variance, psi in zip(
            self.variance, self.network.outputs(list(x), self.parameters), strict=True
        ):
            waves = fft.rfft(psi, axis=0)
            steps = fft.irfft(np.mean(abs(waves) ** 2, axis=1), n=psi.shape[0]) / psi.shape[0]
            # to the half steps, by the zeros of the spectrum beyond the steps' own
            spectrum = np.zeros(self.half // 2 + 1)
            spectrum[: psi.shape[0] // 2 + 1] = fft.rfft(steps).real
            new.append(variance * 2 * fft.irfft(spectrum, n=self.half))
        return np.array(new), float(np.mean(x[0] ** 2))

    def run(self, start: np.ndarray, iterations: int, warm: int = WARM) -> tuple[float, float]:
        """C(0) of the first field, averaged over iterations after ``warm`` ones; CPU seconds."""
        begun = time.process_time()
        covariances, values = start, []
        for _ in range(warm + iterations):
            new, value = self.iterate(covariances)
            covariances = (1 - MIXING) * covariances + MIXING * new
            values.append(value)
        return float(np.mean(values[warm:])), time.process_time() - begun


def start_at(solution, sampler: PlainSampler, currents: list[str]) -> np.ndarray:
    """Covariances of the currents on the circle from a solution's observables: products of names."""
    lags = np.minimum(np.arange(sampler.half), sampler.half - np.arange(sampler.half)) * STEP / 2
    rows = []
    for name in currents:
        values = np.prod([solution.observables[part] for part in name.split("*")], axis=0)
        rows.append(np.interp(lags, solution.lags, values, right=0.0))
    return np.array(rows)


def cost(solution, parameters, iterations: int, runs: int, paths: int = 128) -> dict[str, float]:
    """Scatter of C(0) over independent runs, seconds of one run: (3, 5, 5) of the gated network."""
    period = 20 * solution.correlation_times[0]
    values, seconds = [], []
    for seed in range(runs):
        sampler = PlainSampler("gated", parameters, period, paths, seed)
        start = start_at(solution, sampler, ["phi*sigma_r", "phi", "phi"])
        value, spent = sampler.run(start, iterations)
        values.append(value)
        seconds.append(spent)
    error = float(np.std(values, ddof=1) / np.mean(values))
    return {
        "iterations": iterations,
        "relative error": error,
        "seconds": float(np.mean(seconds)),
        "mean": float(np.mean(values)),
        "seconds for 1e-3": float(np.mean(seconds)) * (error / 1e-3) ** 2,
    }


def main() -> None:
    """Two lengths of runs, to show that the error falls like iterations^-1/2."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--iterations", type=int, default=ITERATIONS)
    parser.add_argument("--runs", type=int, default=RUNS)
    arguments = parser.parse_args()
    from update_gate import POINT, path_sampler

    with threadpool_limits(limits=1):
        solution, *_ = path_sampler(3e-3, 1, lyapunov=False)
        for iterations in (arguments.iterations, 4 * arguments.iterations):
            print(cost(solution, POINT(), iterations, arguments.runs), flush=True)


if __name__ == "__main__":
    main()
