r"""Time scales of a state, and the window, step, rates and averages that suit them.

The circle is 20 correlation times long and lags reach 8, so that what is cut off is e^{-8} of the
covariance and the two ends of the circle do not know of each other; the step follows how fast the
coefficients of the block change along a path.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial

import numpy as np
from numpy.typing import NDArray

from .block_steps import PathGrid
from .conditional_average import ConditionalAverage
from .conditional_model import ConditionalModel
from .conditional_problem import ConditionalProblem, Evaluation, Sampling
from .exponential_fit import ExponentialBasis, graded_lags
from .gate_paths import draw_gates
from .path_controls import PathControls

__all__ = [
    "Quality",
    "TimeScales",
    "adapted_averages",
    "adapted_step",
    "problem_for",
    "time_scales",
]

Floats = NDArray[np.float64]

#: In correlation times: the largest lag, the circle.
LAGS, CIRCLE = 8.0, 20.0
#: Of the longest correlation time, between times in the averages: half as much gives the same error.
_STRIDE = 0.3
_NODES = 30
#: Numbers in one array of a block of paths.
_BLOCK_SIZE = 2**20
#: Where no gate moves anything all paths are alike.
_STILL_PATHS = 2


@dataclass(frozen=True)
class Quality:
    """How fine a problem is, all the more so the smaller ``change``, the larger the others.

    ``change`` of a coefficient over half a step (root mean square, relative); ``density`` of the rates;
    ``reach`` of the lags in units of `LAGS` correlation times; ``average_tol`` of Gaussian averages.
    """

    change: float = 0.08
    density: float = 2.4
    reach: float = 1.0
    average_tol: float = 1e-4


@dataclass(frozen=True)
class TimeScales:
    """The shortest time on which a covariance bends and the longest correlation time."""

    short: float
    long: float

    def fits(self, grid: PathGrid, reach: float = 1.0) -> bool:
        """Whether a grid was made for about these scales."""
        return bool(0.75 <= grid.lags[-1] / (LAGS * self.long * reach) <= 1.5)


def _decaying_scales(lags: Floats, values: Floats) -> tuple[float, float]:
    """Of functions (rows) that decay to zero."""
    share = values / values[:, :1]
    bent = np.argmax(share < 0.98, axis=1)
    drop = np.maximum(1 - share[np.arange(len(share)), bent], 1e-3)
    short = float(np.min(np.where(bent > 0, lags[bent] / np.sqrt(2 * drop), lags[-1])))
    return short, float(np.max(np.trapezoid(abs(share), lags, axis=1)))


def time_scales(problem: ConditionalProblem, found: Evaluation) -> TimeScales:
    """Of the currents and the gating fields."""
    basis, model = problem.basis, problem.model
    values = np.concatenate([found.values, found.state.steady[list(model.steady.gating)]])
    if basis.has_constant:
        values = values - basis.weights(values)[:, :1]
    alive = values[:, 0] > 0
    short, long = _decaying_scales(problem.grid.lags, values[alive])
    return TimeScales(short, max(long, problem.grid.step))


def problem_for(
    model: ConditionalModel,
    scales: TimeScales,
    step: float,
    burn: float,
    *,
    seed: int,
    start_variance: float,
    quality: Quality,
) -> ConditionalProblem:
    """Window, lags, rates and blocks for given scales, step and time before averages start.

    The averages are still to be chosen (`adapted_averages`).
    """
    stride = max(1, int(_STRIDE * scales.long / step))
    starts = int(np.ceil(CIRCLE * scales.long * quality.reach / (stride * step)))
    longest = LAGS * scales.long * quality.reach
    nodes = graded_lags(max(step, scales.short / 8), longest, _NODES, step)
    grid = PathGrid(step, starts * stride, stride, int(np.ceil(burn / step)), tuple(nodes.tolist()))
    basis = ExponentialBasis.between(
        grid.lags,
        (0.5 if model.decays else 0.8) / (scales.long * quality.reach),
        max(16 / scales.short, 4 / scales.long),
        constant=not model.decays,
        smooth=not model.noisy,
        density=quality.density,
    )
    paths = 2 ** int(np.clip(np.log2(_BLOCK_SIZE / grid.steps), 4, 7))
    if model.still:
        paths = _STILL_PATHS
    controls = PathControls.for_time(scales.long)
    return ConditionalProblem(
        model, grid, basis, Sampling(seed, paths, controls, {}, start_variance)
    )


def adapted_averages(problem: ConditionalProblem, values: Floats, tol: float) -> ConditionalProblem:
    """Choose the averages' nodes and terms for the variances that occur in one block of paths."""
    model = problem.model
    along, _, _ = problem.along_paths(problem.state(values), 0)
    averages = {}
    for f in sorted({f for part in model.parts for f in part}):
        field = model.theory.functions[f].field
        if field in model.theory.block:
            j = model.theory.block.index(field)
            variances = along.variances[j][:: problem.grid.stride].ravel()
            means = (
                along.means[j][:: problem.grid.stride].ravel()
                if j in along.means
                else np.zeros_like(variances)
            )
            function = partial(model.function, f)
            averages[f] = ConditionalAverage.adapted(function, means, variances, tol)
    return problem.with_sampling(averages=averages)


def adapted_step(
    problem: ConditionalProblem, values: Floats, scales: TimeScales, change: float
) -> float:
    """The step over half of which coefficients change by ``change``.

    A h stays below 7.5 times that, h below twice that in units of the shortest scale of the covariances.
    """
    drawn = draw_gates(problem.state(values).gates, problem.sampling.seed, 0, 16)
    gates = problem.model.gates(drawn.values())
    step = problem.grid.step
    longest = 4 * step
    if not problem.model.noisy:
        longest = min(longest, 2 * change * scales.short)
    for name in ("drift", "input", "constant"):
        for value in problem.model.moving(name, gates).entries.values():
            v = np.asarray(value, dtype=float)
            if name == "drift":
                longest = min(longest, 7.5 * change / float(np.max(abs(v)) + 1e-300))
            if v.ndim:
                now = np.sqrt(np.mean(np.diff(v, axis=0) ** 2) / np.mean(v**2))
                longest = min(longest, step * change / max(float(now), 1e-12))
    return longest
