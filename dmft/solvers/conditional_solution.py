"""A sampled solution to a requested precision.

From a rough solution: Newton's steps with the sampled Jacobian; what shifts the result by more than its
share of the precision (`conditional_errors`) is refined; then more paths until the standard error
suffices.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from .conditional_errors import SampledErrors, newton_on_paths, sampling_bias, shifts_of
from .conditional_problem import ConditionalProblem, Evaluation
from .conditional_response import Response, response
from .conditional_scales import Quality, adapted_averages, adapted_step, problem_for
from .conditional_settle import Settled
from .path_blocks import ALONE, BlockRunner, Stopped

__all__ = ["Sampled", "sample_to"]

Floats = NDArray[np.float64]

#: Paths at first; the Jacobian and the shifts take a quarter of them.
_FIRST_PATHS = 512
#: The share of the precision that a single shift may have; at other lags it may have all.
_SHARE = 0.3
_ROUNDS = 4
#: How much coefficients may change over half a step (`Quality.change`) for a precision of 1e-3 or more.
COARSE = 0.11
#: Residual of Newton's method over the precision: to first order the last one is corrected, too.
_RESIDUAL_SHARE, _LARGEST_RESIDUAL = 0.1, 3e-4


@dataclass(frozen=True)
class Sampled:
    """A solution: ``values`` of the unknowns on ``blocks`` of paths, its evaluation and errors.

    ``failure`` says why the precision was not reached; ``exceeded`` that it was for lack of budget,
    ``interrupted`` that the work was stopped after the first paths.
    """

    problem: ConditionalProblem
    values: Floats
    found: Evaluation
    response: Response
    transform: Floats
    errors: SampledErrors
    residual: float
    blocks: int
    failure: str = ""
    exceeded: bool = False
    interrupted: bool = False

    @property
    def covariance(self) -> Floats:
        """Sampling covariance of the reports."""
        return np.asarray(self.transform @ self.found.moments.covariance @ self.transform.T)

    def relative(self, report: int) -> float:
        """Total error of a report over its value."""
        return float(self.errors.total[report] / self.found.reports[report])


def sample_to(
    start: Settled,
    precision: float,
    report: int,
    *,
    most_paths: int,
    runner: BlockRunner = ALONE,
    progress: Callable[[str], None] = lambda text: None,
) -> Sampled:
    """Refine a rough solution until the relative error of a ``report`` is below ``precision``."""
    quality = Quality(
        change=COARSE * min(1.0, precision / 1e-3) ** 0.25, average_tol=min(1e-4, precision / 20)
    )
    problem, values = _remade(start.problem, start.values, start, quality)
    per_block = problem.sampling.paths
    first = list(range(4 if problem.model.still else max(4, _FIRST_PATHS // per_block)))
    few = first[: max(1, len(first) // 4)]
    tol = min(_LARGEST_RESIDUAL, _RESIDUAL_SHARE * precision)
    for number in range(1, _ROUNDS + 1):
        progress(f"derivatives on {len(few) * per_block} paths")
        answer = response(problem, problem.evaluate(values, few, runner), few, runner)
        values, found, residual = newton_on_paths(problem, values, answer, first, runner, tol)
        shifts = shifts_of(problem, values, answer, few, runner)
        size = found.reports[report]
        field = slice(report, report + len(problem.grid.nodes))
        share = {
            name: max(abs(v[report]), _SHARE * np.max(abs(v[field]))) / size / precision
            for name, v in shifts.items()
        }
        progress("shifts / precision: " + ", ".join(f"{k} {v:.2f}" for k, v in share.items()))
        new = _finer(quality, share)
        if new == quality or number == _ROUNDS:
            break
        quality = new
        problem, values = _remade(problem, values, start, quality)
    transform = answer.transform(problem, found.state)
    started = time.time()
    bias = sampling_bias(problem, values, found, answer, first, runner, tol)
    seconds = (time.time() - started) / 2 / len(first)
    fixed = np.sqrt(sum(abs(v[report]) ** 2 for v in shifts.values())) / size
    # rounding of the shifts must not ask for endless paths
    allowed = np.sqrt(max(precision**2 - fixed**2, (precision / 3) ** 2))
    blocks, exceeded, interrupted = first, "", False
    while True:
        spread = _standard_errors(transform, found)
        statistical = float(spread[report]) / size
        if statistical <= allowed:
            break
        number = int(np.ceil(len(blocks) * (1.05 * statistical / allowed) ** 2)) + 1
        exceeded = _too_much(number * per_block, most_paths, 3 * number * seconds, runner)
        if exceeded:
            break
        progress(f"{number * per_block} paths")
        more = list(range(number))
        try:
            values, found, residual = newton_on_paths(problem, values, answer, more, runner, tol)
        except Stopped as stopped:
            exceeded, interrupted = str(stopped), True
            break
        blocks = more
        size = found.reports[report]
    errors = SampledErrors(spread, {**shifts, "bias": bias * len(first) / len(blocks)})
    failure = exceeded
    total = float(errors.total[report]) / size
    if not failure and residual > 3 * tol:
        failure = f"Newton's method stopped at residual {residual:.1e}"
    elif not failure and total > 1.2 * precision:
        worst = max(errors.shifts, key=lambda name: abs(errors.shifts[name][report]))
        failure = f"the error {total:.1e} exceeds the precision, mostly by the {worst}"
    return Sampled(
        problem,
        values,
        found,
        answer,
        transform,
        errors,
        residual,
        len(blocks),
        failure,
        bool(exceeded),
        interrupted,
    )


def _standard_errors(transform: Floats, found: Evaluation) -> Floats:
    variances = np.einsum("rt,tu,ru->r", transform, found.moments.covariance, transform)
    return np.asarray(np.sqrt(np.maximum(variances, 0.0)))


def _too_much(paths: int, most: int, seconds: float, runner: BlockRunner) -> str:
    """Why so many paths are too many; empty when they are not."""
    if paths > most:
        return f"{paths} paths would be needed; {most} are allowed"
    deadline = runner.stop.deadline
    if deadline is not None and runner.journal is None and time.time() + seconds > deadline:
        return f"{paths} paths would take about {seconds:.0f} s, more than the time limit leaves"
    return ""


def _finer(quality: Quality, share: Mapping[str, float]) -> Quality:
    """Refine what shifts the result by more than its share of the precision."""
    changes: dict[str, float] = {}
    if share["step"] > _SHARE:
        # a rule of fourth order, with a margin
        changes["change"] = quality.change * max(0.3, 0.8 * (_SHARE / share["step"]) ** 0.25)
    if share["fit"] > _SHARE:
        changes["density"] = quality.density + 0.6
    if share["window"] > _SHARE:
        changes["reach"] = quality.reach * 1.3
    if share["averages"] > _SHARE:
        changes["average_tol"] = quality.average_tol / 5
    return replace(quality, **changes)


def _remade(
    old: ConditionalProblem, values: Floats, start: Settled, quality: Quality
) -> tuple[ConditionalProblem, Floats]:
    """A problem of given quality for the scales of the start, and the values on its lags."""
    grid = start.problem.grid
    step = adapted_step(old, values, start.scales, quality.change)
    variance = float(start.found.fields[old.model.theory.block[0], 0])
    problem = problem_for(
        old.model,
        start.scales,
        step,
        grid.burn * grid.step,
        seed=old.sampling.seed,
        start_variance=variance,
        quality=quality,
    )
    moved = old.basis.weights(values) @ old.basis.at(problem.grid.lags).T
    projected = problem.basis.projected(moved)
    return adapted_averages(problem, projected, quality.average_tol), projected
