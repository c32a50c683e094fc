r"""From a start to a rough solution: Anderson's iteration on few paths, on a window that follows.

Values x of the covariances of the currents; with the same normals in every step the map F is smooth.
An average of E f f' is always a covariance, a combination need not
be: where its spectrum is negative, or the step long, the plain image is taken instead. So it is while
amplitudes still grow or fall fast: plain iteration leaves unstable solutions, Anderson's finds them too.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

import numpy as np
from numpy.typing import NDArray

from .anderson import AndersonHistory
from .conditional_model import ConditionalModel
from .conditional_problem import ConditionalProblem, Evaluation
from .conditional_scales import (
    CIRCLE,
    Quality,
    TimeScales,
    adapted_averages,
    adapted_step,
    problem_for,
    time_scales,
)
from .path_blocks import ALONE, BlockRunner

__all__ = ["MEMORY", "Ending", "Settled", "first_values", "settle"]

Floats = NDArray[np.float64]

_MOST_STEPS = 120


#: Mean square share of a start that may be left when averages begin.
MEMORY = 1e-5


class Ending(Enum):
    """How the iteration ended."""

    SOLVED = "solved"
    ZERO = "zero"
    CONSTANT = "constant"
    TOO_SLOW = "too slow"
    UNSETTLED = "unsettled"


@dataclass(frozen=True)
class Settled:
    """A rough solution: ``values`` of the unknowns, their evaluation, relative residual."""

    ending: Ending
    problem: ConditionalProblem
    values: Floats
    found: Evaluation
    scales: TimeScales
    residual: float
    steps: int


def first_values(model: ConditionalModel, lags: Floats, variance: float, time: float) -> Floats:
    """Covariances of the currents if all fields had C(tau) = variance / cosh(tau / time).

    Of each function the mean, the linear part and the rest as one cubic part.
    """
    shape = 1 / np.cosh(np.minimum(lags / time, 500.0))
    x = np.linspace(-6.0, 6.0, 241)
    density = np.exp(-x * x / 2) * 0.05 / np.sqrt(2 * np.pi)
    rows = []
    for members in model.groups:
        total = np.full(shape.size, model.strength[members[0]])
        for f in model.theory.outputs[members[0]].factors:
            values = model.function(f, np.sqrt(variance) * x)
            mean, slope = density @ values, density @ (values * x)
            rest = density @ values**2 - mean**2 - slope**2
            total = total * (mean**2 + slope**2 * shape + rest * shape**3)
        rows.append(total)
    return np.array(rows)


def settle(
    model: ConditionalModel,
    variance: float,
    *,
    seed: int,
    tol: float,
    window_cap: float,
    quality: Quality,
    runner: BlockRunner = ALONE,
) -> Settled:
    """Iterate from fields of one ``variance`` until the residual is below ``tol``."""
    slow = 1 / min(model.steady.slowest_rate, 1.0)
    scales = TimeScales(short=2.0, long=max(8.0, 2 * slow))
    step, burn = 0.2, 20 * scales.long

    def made(scales: TimeScales, step: float, burn: float) -> ConditionalProblem:
        return problem_for(
            model, scales, step, burn, seed=seed, start_variance=variance, quality=quality
        )

    def first(problem: ConditionalProblem) -> Floats:
        values = first_values(model, problem.grid.lags, variance, scales.long / 2)
        return problem.basis.projected(values)

    problem = made(scales, step, burn)
    problem = made(scales, adapted_step(problem, first(problem), scales, quality.change), burn)
    x = first(problem)
    problem = adapted_averages(problem, x, quality.average_tol)
    history = AndersonHistory()
    first_amplitude, falling = float(np.max(x[:, 0])), 0
    for number in range(1, _MOST_STEPS + 1):
        found = problem.evaluate(x, [0], runner)
        image = problem.basis.projected(found.values)
        residual = float(np.max(abs(image - x) / x[:, :1]))
        scales = time_scales(problem, found)
        amplitude = float(np.max(image[:, 0]))
        change = max(amplitude / float(np.max(x[:, 0])), 1e-6)
        falling = falling + 1 if change < 0.97 else 0
        forgotten = found.memory <= MEMORY
        settled = scales.fits(problem.grid, quality.reach) and forgotten
        remake = not settled and (number % 5 == 0 or residual <= tol)
        burn = _burn(problem, found.memory)
        ending = None
        if falling >= 8 and amplitude < 1e-3 * first_amplitude:
            ending = Ending.ZERO
        elif settled and residual <= tol:
            ending = Ending.SOLVED
        elif remake and max(CIRCLE * scales.long * quality.reach, burn) > window_cap:
            flat = float(np.min(image[:, -1] / image[:, 0]))
            ending = Ending.CONSTANT if flat > 0.98 else Ending.TOO_SLOW
        elif number == _MOST_STEPS:
            ending = Ending.UNSETTLED
        if ending is not None:
            return Settled(ending, problem, x, found, scales, residual, number)
        if remake:
            new = made(scales, adapted_step(problem, x, scales, quality.change), burn)
            weights = problem.basis.weights(image)
            x = new.basis.projected(weights @ problem.basis.at(new.grid.lags).T)
            problem = adapted_averages(new, x, quality.average_tol)
            history = AndersonHistory()
        elif abs(np.log(change)) > 0.1:
            x, history = image, AndersonHistory()
        else:
            history.add(x, image)
            x = _next(problem, history)
    raise AssertionError("the last step ends the loop")


def _burn(problem: ConditionalProblem, memory: float) -> float:
    """Time after which less than `MEMORY` of a start is left, from what was left of the last one."""
    passed = problem.grid.burn * problem.grid.step
    rate = -np.log(max(memory, 1e-30)) / passed
    needed = -1.3 * np.log(MEMORY) / max(rate, 0.3 / passed)
    return float(max(needed, 5.0))


def _next(problem: ConditionalProblem, history: AndersonHistory) -> Floats:
    """Anderson's combination if it may be a covariance, else the last image and a new history."""
    x, image = history.pairs[-1]
    new = history.combined()
    if len(history.pairs) == 1:
        return new
    long = np.max(abs(new - x) / x[:, :1]) > 0.5
    allowed = max(2e-3, 1.5 * problem.state(image).clipped)
    if long or np.any(new[:, 0] <= 0) or problem.state(new).clipped > allowed:
        history.forget()
        return image
    return new
