r"""What a sampled solution's error consists of, beside the standard error.

Each shift is measured with the same normals and carried through (1 - DF)^{-1} (`conditional_response`):

    step         half the time step
    fit          half as many rates again
    window       exponentials fitted to the first three quarters of the lags only
    averages     the bound on the Gaussian averages
    memory       what is left of the start
    bias         of order 1/paths: solutions of quarters of the paths against that of all, where
                 what is linear in the averages cancels

The total is the root of the sum of squares of these and of the standard error.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from .conditional_problem import ConditionalProblem, Evaluation
from .conditional_response import Response
from .exponential_fit import ExponentialBasis
from .path_blocks import BlockRunner

__all__ = [
    "SampledErrors",
    "finer_steps",
    "newton_on_paths",
    "richer_basis",
    "sampling_bias",
    "shifts_of",
]

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class SampledErrors:
    """Of all reports (fields, then observables, at the lags): standard errors and named shifts."""

    statistical: Floats
    shifts: Mapping[str, Floats]

    @property
    def total(self) -> Floats:
        """Root of the sum of squares."""
        return np.sqrt(self.statistical**2 + sum(v**2 for v in self.shifts.values()))


def newton_on_paths(
    problem: ConditionalProblem,
    values: Floats,
    answer: Response,
    blocks: Sequence[int],
    runner: BlockRunner,
    tol: float,
) -> tuple[Floats, Evaluation, float]:
    """Solve on given blocks: values, their evaluation, the relative residual.

    The last correction is applied to the reports to first order, without another evaluation.
    """
    x = values
    for _ in range(8):
        found = problem.evaluate(x, blocks, runner)
        defect = problem.basis.projected(found.values) - x
        residual = float(np.max(abs(defect) / x[:, :1]))
        x = x + answer.correction(defect)
        if residual <= tol:
            break
    return x, found.with_reports(answer.shift(defect, found.reports)), residual


def shifts_of(
    problem: ConditionalProblem,
    values: Floats,
    answer: Response,
    blocks: Sequence[int],
    runner: BlockRunner,
) -> dict[str, Floats]:
    """How much the reports would move if the step, the fit and so on were better."""
    # the image is no sum of exponentials: what the fit leaves out shows in it only
    image = problem.evaluate(values, blocks, runner).values
    here = problem.evaluate(image, blocks, runner)
    shape = values.shape

    def shift(other: ConditionalProblem) -> Floats:
        there = other.evaluate(image, blocks, runner)
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


def sampling_bias(
    problem: ConditionalProblem,
    values: Floats,
    found: Evaluation,
    answer: Response,
    blocks: Sequence[int],
    runner: BlockRunner,
    tol: float,
) -> Floats:
    """A third of the mean of the solutions of four quarters minus that of all.

    That is the bias of the latter if the bias falls like 1/paths. Fewer blocks are halved.
    """
    parts = 4 if len(blocks) % 4 == 0 else 2
    size = len(blocks) // parts
    reports = []
    for n in range(parts):
        part = blocks[n * size : (n + 1) * size]
        _, there, _ = newton_on_paths(problem, values, answer, part, runner, tol)
        reports.append(there.reports)
    return np.asarray(abs(np.mean(reports, axis=0) - found.reports) / (parts - 1))


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
