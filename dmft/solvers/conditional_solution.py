r"""A sampled solution to a requested precision, and how far it can be trusted.

From a rough solution: Newton's steps with the sampled Jacobian, more paths until the standard error
suffices, and the shifts that remain, each measured with the same normals and carried through
(1 - DF)^{-1} (`conditional_response`):

    step         half the time step
    fit          half as many rates again
    window       exponentials fitted to the first three quarters of the lags only
    averages     the bound on the Gaussian averages
    memory       what is left of the start
    bias         of order 1/paths: solutions of quarters of the paths against that of all, where
                 what is linear in the averages cancels

The total is the root of the sum of squares of these and of the standard error. Where a shift is too
large for the precision, what causes it is refined.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from joblib import Parallel
from numpy.typing import NDArray

from .conditional_problem import ConditionalProblem, Evaluation
from .conditional_response import Response, response
from .conditional_scales import Quality, adapted_averages, problem_for
from .conditional_settle import Settled
from .exponential_fit import ExponentialBasis

__all__ = ["Budget", "Sampled", "SampledErrors", "finer_steps", "richer_basis", "sample_to"]

Floats = NDArray[np.float64]

#: Paths at first; the Jacobian and the shifts take a quarter of them.
_FIRST_PATHS = 512
#: The share of the precision that a single shift may have.
_SHARE = 0.3
_ROUNDS = 4


@dataclass(frozen=True)
class Budget:
    """At most so many ``paths`` and, by the clock, ``deadline`` (seconds of `time.monotonic`)."""

    paths: int
    deadline: float | None = None

    def left(self) -> float:
        """Seconds."""
        return np.inf if self.deadline is None else self.deadline - time.monotonic()


@dataclass(frozen=True)
class SampledErrors:
    """Of all reports (fields, then observables, at the lags): standard errors and named shifts."""

    statistical: Floats
    shifts: Mapping[str, Floats]

    @property
    def total(self) -> Floats:
        """Root of the sum of squares."""
        return np.sqrt(self.statistical**2 + sum(v**2 for v in self.shifts.values()))


@dataclass(frozen=True)
class Sampled:
    """A solution: ``values`` of the unknowns on ``blocks`` of paths, its evaluation and errors.

    ``failure`` says why the precision was not reached; ``exceeded`` that it was for lack of budget.
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

    @property
    def covariance(self) -> Floats:
        """Sampling covariance of the reports."""
        return np.asarray(self.transform @ self.found.moments.covariance @ self.transform.T)

    def relative(self, report: int) -> float:
        """Total error of a report over its value."""
        return float(self.errors.total[report] / self.found.reports[report])


def _newton(
    problem: ConditionalProblem,
    values: Floats,
    answer: Response,
    blocks: Sequence[int],
    pool: Parallel | None,
    tol: float,
) -> tuple[Floats, Evaluation, float]:
    """Solve on given blocks: values, their evaluation, the relative residual.

    The last correction is applied to the reports to first order, without another evaluation.
    """
    x = values
    for _ in range(8):
        found = problem.evaluate(x, blocks, pool)
        defect = problem.basis.projected(found.values) - x
        residual = float(np.max(abs(defect) / x[:, :1]))
        x = x + answer.correction(defect)
        if residual <= tol:
            break
    return x, found.with_reports(answer.shift(defect, found.reports)), residual


def sample_to(
    start: Settled,
    precision: float,
    report: int,
    budget: Budget,
    pool: Parallel | None = None,
    progress: Callable[[str], None] = lambda text: None,
) -> Sampled:
    """Refine a rough solution until the relative error of a ``report`` is below ``precision``."""
    quality = Quality(average_tol=min(1e-4, precision / 20))
    problem, values = _remade(start.problem, start.values, start, quality)
    per_block = problem.sampling.paths
    first = list(range(max(2, _FIRST_PATHS // per_block)))
    few = first[: max(1, len(first) // 4)]
    tol = min(1e-4, precision / 30)
    for round_ in range(_ROUNDS):
        progress(f"derivatives on {len(few) * per_block} paths")
        answer = response(problem, problem.evaluate(values, few, pool), few, pool)
        values, found, residual = _newton(problem, values, answer, first, pool, tol)
        shifts = _shifts(problem, values, answer, few, pool)
        size = found.reports[report]
        share = {name: abs(v[report]) / size / precision for name, v in shifts.items()}
        progress("shifts / precision: " + ", ".join(f"{k} {v:.2f}" for k, v in share.items()))
        new = _finer(quality, share)
        if new == quality or round_ == _ROUNDS - 1 or budget.left() <= 0:
            break
        quality = new
        problem, values = _remade(problem, values, start, quality)
    transform = answer.transform(problem, found.state)
    started = time.monotonic()
    bias = _bias(problem, values, found, answer, first, pool, tol)
    seconds = (time.monotonic() - started) / 2 / len(first)
    fixed = np.sqrt(sum(abs(v[report]) ** 2 for v in shifts.values())) / size
    blocks, exceeded = first, ""
    for _ in range(4):
        errors = _errors(transform, found, shifts, bias * len(first) / len(blocks))
        statistical = errors.statistical[report] / size
        allowed = np.sqrt(max(precision**2 - fixed**2, (precision / 3) ** 2))
        if statistical <= allowed:
            break
        needed = int(np.ceil(len(blocks) * (1.05 * statistical / allowed) ** 2)) + 1
        if needed * per_block > budget.paths:
            exceeded = f"{needed * per_block} paths would be needed; {budget.paths} are allowed"
            break
        if 3 * needed * seconds > budget.left():
            exceeded = f"{needed * per_block} paths would be needed; the time is too short for them"
            break
        progress(f"{needed * per_block} paths")
        blocks = list(range(needed))
        values, found, residual = _newton(problem, values, answer, blocks, pool, tol)
        size = found.reports[report]
    errors = _errors(transform, found, shifts, bias * len(first) / len(blocks))
    failure = exceeded
    total = errors.total[report] / size
    if not failure and residual > 10 * tol:
        failure = f"Newton's method stopped at residual {residual:.1e}"
    elif not failure and total > 1.2 * precision:
        worst = max(shifts, key=lambda name: abs(shifts[name][report]))
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
    )


def _errors(
    transform: Floats, found: Evaluation, shifts: Mapping[str, Floats], bias: Floats
) -> SampledErrors:
    covariance = found.moments.covariance
    variances = np.einsum("rt,tu,ru->r", transform, covariance, transform)
    return SampledErrors(np.sqrt(np.maximum(variances, 0.0)), {**shifts, "bias": bias})


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
    from .conditional_scales import adapted_step

    grid = start.problem.grid
    step = adapted_step(old, values, quality.change)
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


def _shifts(
    problem: ConditionalProblem,
    values: Floats,
    answer: Response,
    blocks: Sequence[int],
    pool: Parallel | None,
) -> dict[str, Floats]:
    """How much the reports would move if the step, the fit and so on were better."""
    # the image is no sum of exponentials: what the fit leaves out shows in it only
    image = problem.evaluate(values, blocks, pool).values
    here = problem.evaluate(image, blocks, pool)
    shape = values.shape

    def shift(other: ConditionalProblem) -> Floats:
        there = other.evaluate(image, blocks, pool)
        change = (there.values - here.values).reshape(shape)
        return abs(answer.shift(problem.basis.projected(change), there.reports - here.reports))

    basis = problem.basis
    shorter = replace(basis, used=int(np.searchsorted(basis.lags, 0.75 * basis.lags[-1])))
    transform = answer.transform(problem, here.state)
    bound = here.average_errors @ abs(transform[:, : here.average_errors.size]).T
    return {
        # the difference to half the step is 15/16 of the error
        "step": shift(finer_steps(problem)),
        "fit": shift(replace(problem, basis=richer_basis(basis))),
        "window": shift(replace(problem, basis=shorter)),
        "averages": bound,
        "memory": here.memory * abs(here.reports),
    }


def finer_steps(problem: ConditionalProblem) -> ConditionalProblem:
    """The same times and lags with half the step."""
    grid = problem.grid
    halved = replace(
        grid,
        step=grid.step / 2,
        steps=2 * grid.steps,
        stride=2 * grid.stride,
        burn=2 * grid.burn,
        nodes=tuple(2 * n for n in grid.nodes),
    )
    return replace(problem, grid=halved)


def richer_basis(basis: ExponentialBasis) -> ExponentialBasis:
    """More rates over a wider range."""
    rates = basis.rates[1:] if basis.has_constant else basis.rates
    return ExponentialBasis.between(
        basis.lags,
        float(rates[0]) / 1.3,
        float(rates[-1]) * 1.3,
        constant=basis.has_constant,
        smooth=basis.smooth,
        density=1.4 * rates.size / np.log(rates[-1] / rates[0]),
    )


def _bias(
    problem: ConditionalProblem,
    values: Floats,
    found: Evaluation,
    answer: Response,
    blocks: Sequence[int],
    pool: Parallel | None,
    tol: float,
) -> Floats:
    """A third of the mean of the solutions of four quarters minus that of all.

    That is the bias of the latter if the bias falls like 1/paths. Fewer blocks are halved.
    """
    parts = 4 if len(blocks) % 4 == 0 else 2
    size = len(blocks) // parts
    reports = [
        _newton(problem, values, answer, blocks[n * size : (n + 1) * size], pool, tol / 3)[
            1
        ].reports
        for n in range(parts)
    ]
    return np.asarray(abs(np.mean(reports, axis=0) - found.reports) / (parts - 1))
