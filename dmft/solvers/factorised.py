r"""The factorised closure: coefficients taken independent of the field that they multiply.

For x' = a(y) x + b(y) xi + e(y) I, from (d/dt - a) x = b xi + e I multiplied by itself at another time,

    [C_a(tau) - d^2/dtau^2] C_x = C_b(tau) S(tau) + C_e(tau) var I,      C_a = E a(y) a(y'),

and likewise for b and e; x is then taken as Gaussian. Fast, deterministic, and an approximation: exact
where a and b do not move, it misses that a closed gate keeps what it has. For the gated network at
gains (3, 5, 5) C(0) comes out 4% and C(10) five times too small. Solved by Numerov's rule
(fourth order; Hairer, Norsett & Wanner, Solving ODEs I, section III.10) with mirrored ends.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import solve_banded

from dmft.codegen.conditional import CompiledConditional
from dmft.gaussian.pair_average import AverageBudgetError, pair_average

from .anderson import AndersonHistory
from .conditional_model import ConditionalModel
from .conditional_settle import first_values
from .lag_grid import LagGrid
from .stationary import StationarySolution
from .status import Status
from .steady_fields import Sources

__all__ = ["LABEL", "solve_factorised"]

Floats = NDArray[np.float64]

#: What every result of this closure says of itself.
LABEL = "approximation: factorised closure, gates taken independent of the fields that they move"
_MOST_STEPS = 400
_MOST_INTERVALS = 2**15
_TOL = 1e-9


@dataclass(frozen=True)
class _Closure:
    """The closed equations on one grid."""

    model: ConditionalModel
    grid: LagGrid
    coefficients: tuple[tuple[tuple[int, int], ...], ...] = field(default=())

    @cached_property
    def uncovered(self) -> str:
        """Why the closure does not exist; empty when it does."""
        theory = self.model.theory
        if any(i != k for i, k in theory.moving["drift"].places):
            return "fields that gates move follow other such fields"
        if theory.moving["constant"].places:
            return "gating fields drive others directly"
        if self.model.noisy:
            return "white noise"
        if np.any(self.model.input_means):
            return "inputs with a mean"
        if len(theory.gating) > 1:
            return "several gating fields"
        return ""

    def steady(self, values: Floats) -> tuple[Floats, Floats]:
        """Covariances (centred) and means of the steady fields at the lags."""
        model, grid = self.model, self.grid
        groups = list(model.group_of)
        frozen = values[:, -1] if not model.decays else np.zeros(len(values))
        spectra = np.maximum(grid.coefficients(values - frozen[:, None]), 0.0)
        inputs = len(model.theory.white)
        sources = Sources(
            spectra=np.concatenate([spectra[groups], np.zeros((inputs, spectra.shape[1]))]),
            frozen=np.concatenate([np.maximum(frozen, 0.0)[groups], model.input_variances]),
            means=np.concatenate([np.zeros(len(groups)), model.input_means]),
        )
        moving = grid.values(model.steady.spectra(sources, grid))
        return moving + model.steady.frozen(sources)[:, None], model.steady.means(sources)

    def fields(self, values: Floats, steady: Floats, means: Floats) -> Floats:
        """Second moments of all fields at the lags."""
        model, theory = self.model, self.model.theory
        result = np.empty((len(theory.info.fields), values.shape[1]))
        for place, k in enumerate(theory.steady):
            result[k] = steady[place] + means[place] ** 2
        gate = model.steady.gating[0]
        currents = np.concatenate(
            [
                values[list(model.group_of)],
                np.outer(model.input_variances, np.ones(values.shape[1])),
            ]
        )
        for j, k in enumerate(theory.block):
            right = np.zeros(values.shape[1])
            for n, (row, source) in enumerate(theory.moving["input"].places):
                if row == j:
                    square = self._moved("input", n, steady[gate], means[gate])
                    right += square * currents[source]
            drift = next(n for n, (row, _) in enumerate(theory.moving["drift"].places) if row == j)
            square = self._moved("drift", drift, steady[gate], means[gate])
            result[k] = self._numerov(square, right)
        return result

    def _moved(self, name: str, entry: int, covariance: Floats, mean: float) -> Floats:
        """E a(y) a(y') of one moving coefficient."""
        model = self.model
        part = model.theory.moving[name]

        def function(x: Floats) -> list[Floats]:
            gates = model.gates((x + mean)[None])
            value, slope = (
                np.broadcast_to(np.asarray(v[entry], dtype=float), x.shape)
                for v in (part.at(model.parameters, gates), part.slopes_at(model.parameters, gates))
            )
            return [value, slope, np.zeros_like(x)]

        return _average(function, covariance)

    def _numerov(self, a: Floats, right: Floats) -> Floats:
        """Solve a C - C'' = right, even at both ends."""
        step = self.grid.length / self.grid.intervals
        weight = step * step / 12
        bands = np.zeros((3, a.size))
        bands[1] = 2 + 10 * weight * a
        bands[0, 1:] = -1 + weight * a[1:]
        bands[2, :-1] = -1 + weight * a[:-1]
        bands[0, 1] *= 2
        bands[2, -2] *= 2
        around = np.concatenate([right[1:2], right, right[-2:-1]])
        forced = weight * (around[:-2] + 10 * right + around[2:])
        return np.asarray(solve_banded((1, 1), bands, forced))

    def products(self, fields: Floats, steady: Floats, means: Floats) -> dict[int, Floats]:
        """E f f' of every function of one field."""
        theory = self.model.theory
        found = {}
        for f, function in enumerate(theory.functions):
            mean, covariance = 0.0, fields[function.field]
            if function.field in theory.steady:
                place = theory.steady.index(function.field)
                mean, covariance = float(means[place]), steady[place]

            def shifted(x: Floats, f: int = f, mean: float = mean) -> list[Floats]:
                return theory.functions[f].at(x + mean, self.model.parameters)

            found[f] = _average(shifted, covariance)
        return found

    def image(self, values: Floats) -> Floats:
        """New covariances of the currents."""
        steady, means = self.steady(values)
        averages = self.products(self.fields(values, steady, means), steady, means)
        return np.array(
            [
                self.model.strength[members[0]]
                * np.prod(
                    [averages[f] for f in self.model.theory.outputs[members[0]].factors], axis=0
                )
                for members in self.model.groups
            ]
        )


def _average(function: object, covariance: Floats) -> Floats:
    if covariance[0] <= 1e-14:
        value = function(np.zeros(1))[0][0]  # type: ignore[operator]
        return np.full(covariance.size, float(value) ** 2)
    series = pair_average(function, float(covariance[0]), 1e-12)  # type: ignore[arg-type]
    return series.at(np.clip(covariance, -covariance[0], covariance[0]))[0]


def solve_factorised(
    theory: CompiledConditional, parameters: Mapping[str, float], variance: float = 1.0
) -> StationarySolution:
    """The decaying state of the closure, from fields of one variance; labelled an approximation."""
    model = ConditionalModel(theory, parameters)
    scale = max(8.0, 2 / model.steady.slowest_rate) if model.steady.slowest_rate > 0 else 8.0
    try:
        return _solve(model, scale, variance)
    except AverageBudgetError as error:
        return StationarySolution("chaotic", Status.BUDGET_EXCEEDED, f"{LABEL}; {error}")


def _solve(model: ConditionalModel, scale: float, variance: float) -> StationarySolution:
    grid = LagGrid(15 * scale, 512)
    closure = _Closure(model, grid)
    if closure.uncovered:
        message = f"the factorised closure does not cover {closure.uncovered}"
        return StationarySolution("chaotic", Status.NO_SOLUTION, message)
    x = first_values(model, grid.lags, variance, scale / 2)
    history = AndersonHistory()
    first = float(np.max(x[:, 0]))
    for number in range(_MOST_STEPS):
        image = closure.image(x)
        residual = float(np.max(abs(image - x) / x[:, :1]))
        amplitude = float(np.max(image[:, 0]))
        if amplitude < 1e-6 * first:
            return StationarySolution("chaotic", Status.NO_SOLUTION, f"{LABEL}; it decays to rest")
        if residual <= _TOL or number % 10 == 9:
            new = _better(grid, image, model.decays)
            if new is None:
                message = f"{LABEL}; more than {_MOST_INTERVALS} lags are needed"
                return StationarySolution("chaotic", Status.BUDGET_EXCEEDED, message)
            if new != grid:
                x = grid.resample(image, new) if model.decays else _held(grid, image, new)
                grid, history = new, AndersonHistory()
                closure = _Closure(model, grid)
                continue
            if residual <= _TOL:
                return _reported(closure, x, residual)
        history.add(x, image)
        growth = abs(np.log(amplitude / float(np.max(x[:, 0]))))
        x = history.combined() if growth < 0.1 else image
        if np.any(x[:, 0] <= 0) or np.any(abs(x) > 1.0001 * x[:, :1]):
            history.forget()
            x = image
    return StationarySolution(
        "chaotic", Status.NOT_CONVERGED, f"{LABEL}; the residual is {residual:.1e}"
    )


def _held(grid: LagGrid, values: Floats, new: LagGrid) -> Floats:
    """On another grid, constant beyond the window."""
    limit = values[:, -1:]
    return limit + grid.resample(values - limit + 1e-300, new)


def _better(grid: LagGrid, values: Floats, decays: bool) -> LagGrid | None:
    """The window and density that these covariances need; None if there are too many lags."""
    rest = values if decays else values - values[:, -1:]
    share = rest / rest[:, :1]
    long = float(np.max(np.trapezoid(share, grid.lags, axis=1)))
    bent = np.argmax(share < 0.98, axis=1)
    drop = np.maximum(1 - share[np.arange(len(share)), bent], 1e-3)
    short = float(np.min(np.where(bent > 0, grid.lags[bent] / np.sqrt(2 * drop), grid.length)))
    if 12 * long <= grid.length <= 40 * long and grid.length / grid.intervals <= short / 12:
        return grid
    length = 18 * long
    intervals = int(np.ceil(length / (short / 20) / 16)) * 16
    return LagGrid(length, intervals) if intervals <= _MOST_INTERVALS else None


def _reported(closure: _Closure, x: Floats, residual: float) -> StationarySolution:
    """All covariances; the error is that of the equations, not of the closure."""
    model, grid = closure.model, closure.grid
    theory = model.theory
    steady, means = closure.steady(x)
    fields = closure.fields(x, steady, means)
    averages = closure.products(fields, steady, means)
    coefficients = theory.vector("observable_coefficients", model.parameters)
    observables = {
        name: coefficient**2 * np.prod([averages[f] for f in part.factors], axis=0)
        for name, part, coefficient in zip(
            theory.info.nonlinearities, theory.observables, coefficients, strict=True
        )
        if part is not None
    }
    limits = np.zeros(len(fields)) if model.decays else fields[:, -1]
    times = [
        float(np.trapezoid(c - end, grid.lags) / (c[0] - end)) if c[0] - end > 1e-12 else None
        for c, end in zip(fields, limits, strict=True)
    ]
    return StationarySolution(
        branch="chaotic",
        status=Status.CONVERGED,
        message=LABEL,
        lags=grid.lags,
        covariance=fields,
        observables=observables,
        correlation_times=tuple(times),
        residual=residual,
        errors={"variance": None, "lyapunov": None, "autocorrelation": None},
    )
