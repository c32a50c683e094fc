r"""Leading edge of the Jacobian's eigenvalues at a fluctuating state in which a gate moves.

On the real axis it lies where the spectral radius of

    M_ab(lambda) = v_a < |(P G(lambda))_ab|^2 >

is one (`derivations.edge`), the average running over the joint state of a unit at one moment. The gated
fields are not Gaussian there and depend on the gating field. Given its path they are Gaussian: their
average is closed (`edge_units`) and that over paths is sampled. For one gated field x' = s(y) (xi - x),
with q = xi - x, a current reaches f(x) directly and currents of y reach it through the gate:

    < f'^2 (s / (lambda + s))^2 >      and      < f'^2 (s' q / (lambda + s))^2 > |G_yb(lambda)|^2

(Krishnamurthy, Can & Schwab, PRX 12, 011011 (2022)). At real, positive lambda it is the rightmost end of
the cloud, |1/(lambda + s)| being largest there. In constant states q = 0 and the edge falls with the gain of
the gate; here s' q / s grows with it, and the edge need not fall.

A state is given by covariances of its outputs, whoever found it. Errors: scatter between blocks of paths
(jackknife), and what the edge moves when all of these covariances rise by their standard errors.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import brentq

from .conditional_model import ConditionalModel
from .conditional_problem import ConditionalProblem
from .conditional_scales import Quality, TimeScales, adapted_step, problem_for
from .conditional_settle import MEMORY
from .conditional_state import CurrentState, SteadyAverages
from .edge_units import EdgeUnits, edge_units
from .status import Status

__all__ = ["MovingEdge", "current_covariances", "moving_edge", "uncovered_edge"]

Floats = NDArray[np.float64]

#: Rates between which the edge is looked for.
_LOWEST, _HIGHEST = 1e-9, 1e4
#: Blocks of paths at first and at most; doubled until the scatter is below this (of the log of the edge).
_FIRST_BLOCKS, _MOST_BLOCKS, _SCATTER = 8, 256, 0.01
#: Paths in a block; each is seen at some 130 moments.
_PATHS = 32
_ROUNDS = 4


@dataclass(frozen=True)
class MovingEdge:
    """``radius`` of M at lambda = 0 and the ``edge``, zero if the radius is below one.

    ``error``: standard error of log edge; where the edge is zero, of log radius. ``paths`` sampled;
    ``mean`` and ``variance`` of the first gating field.
    """

    radius: float
    edge: float
    error: float
    paths: int
    mean: float = np.nan
    variance: float = np.nan
    status: Status = Status.CONVERGED
    message: str = ""


def uncovered_edge(model: ConditionalModel) -> str:
    """Why the edge of a model is not covered; empty when it is."""
    theory = model.theory
    if model.noisy:
        return "white noise"
    if np.any(theory.vector("current_means", model.parameters)):
        return "means of couplings"
    seen = {o.factors for o in theory.observables if o is not None}
    for output in theory.outputs:
        part = model.sampled(output.factors)
        fields = [theory.functions[f].field for f in part]
        if sum(x in theory.block for x in fields) > 1:
            return "an output of several gated fields"
        rest = [(f,) for f in output.factors if f not in part]
        if any(needed not in seen for needed in [*([part] if part else []), *rest]):
            return "factors of an output that the model does not list among its nonlinearities"
    return ""


def current_covariances(model: ConditionalModel, observed: Mapping[str, Floats]) -> Floats:
    """S of every group of currents from covariances of the nonlinearities, (groups, lags)."""
    theory = model.theory
    coefficients = theory.vector("observable_coefficients", model.parameters)
    known = {
        part.factors: np.asarray(observed[name]) / coefficient**2
        for name, part, coefficient in zip(
            theory.info.nonlinearities, theory.observables, coefficients, strict=True
        )
        if part is not None and coefficient != 0 and name in observed
    }
    rows = []
    for members in model.groups:
        factors = theory.outputs[members[0]].factors
        part = model.sampled(factors)
        pieces = [part] if part else []
        pieces += [(f,) for f in factors if f not in part]
        rows.append(model.strength[members[0]] * np.prod([known[p] for p in pieces], axis=0))
    return np.array(rows)


def moving_edge(
    model: ConditionalModel,
    currents: Callable[[Floats, float], Floats],
    window: float,
    *,
    variance: float,
    seed: int = 0,
) -> MovingEdge:
    """The edge at a state.

    Parameters
    ----------
    currents
        (lags, n) -> covariances of the currents, ``(groups, lags)``, n standard errors above the best.
    window
        The largest lag at which they are known.
    variance
        C(0) of the gated fields, from which paths start: what is left of it is nothing.
    """
    problem, state = _prepared(model, currents, window, variance, seed)
    if problem is None:
        message = "the start of the gated fields is not forgotten within the window"
        return MovingEdge(np.nan, np.nan, np.nan, 0, status=Status.NOT_CONVERGED, message=message)
    gate = float(state.gates.means[0]), float(state.gates.variances[0])
    blocks = 1 if model.still else _FIRST_BLOCKS
    units: list[_Squares] = []
    while True:
        units += [
            _Squares(problem, state, edge_units(problem, state, b))
            for b in range(len(units), blocks)
        ]
        many = _Edge(units)
        radius = many.radius(0.0)
        if radius <= 1:
            paths = blocks * problem.sampling.paths
            return MovingEdge(radius, 0.0, many.scatter(0.0), paths, *gate)
        root = float(np.exp(brentq(many.excess, np.log(_LOWEST), np.log(_HIGHEST), xtol=1e-11)))
        slope = many.slope(root)
        scatter = many.scatter(root) / slope
        if scatter <= _SCATTER or blocks >= _MOST_BLOCKS or model.still:
            break
        blocks = min(2 * blocks, _MOST_BLOCKS)
    few = list(range(1 if model.still else _FIRST_BLOCKS))
    moved = problem.state(problem.basis.projected(currents(problem.grid.lags, 1.0)))
    there = _Edge([_Squares(problem, moved, edge_units(problem, moved, b)) for b in few])
    here = _Edge(units[: len(few)])
    shift = abs(np.log(there.radius(root) / here.radius(root))) / slope
    error = float(np.hypot(scatter, shift))
    return MovingEdge(radius, root, error, blocks * problem.sampling.paths, *gate)


def _prepared(
    model: ConditionalModel,
    currents: Callable[[Floats, float], Floats],
    window: float,
    variance: float,
    seed: int,
) -> tuple[ConditionalProblem | None, CurrentState]:
    """A grid on which the paths resolve the gates and forget their start, and the state on it."""
    lags = np.linspace(0.0, window, 4001)
    known = currents(lags, 0.0)
    scales = _scales(lags, known - (0 if model.decays else known[:, -1:]))
    quality = Quality()
    step, burn = min(0.2, scales.short / 4), 4 * scales.long
    memory = np.inf
    for number in range(_ROUNDS):
        problem = problem_for(
            model, scales, step, burn, seed=seed, start_variance=variance, quality=quality
        )
        if not model.still:
            problem = problem.with_sampling(paths=_PATHS)
        values = problem.basis.projected(currents(problem.grid.lags, 0.0))
        state = problem.state(values)
        if number == 0:
            step = adapted_step(problem, values, scales, quality.change)
            continue
        memory = problem.along_paths(state, 0)[0].memory
        if memory <= MEMORY or (number == _ROUNDS - 1 and memory <= 100 * MEMORY):
            return problem, state
        passed = problem.grid.burn * problem.grid.step
        burn = min(-1.3 * passed * np.log(MEMORY) / max(-np.log(memory), 0.3), 16 * passed)
    return None, state


def _scales(lags: Floats, decaying: Floats) -> TimeScales:
    """When a covariance first bends, and the longest correlation time."""
    share = decaying / decaying[:, :1]
    bent = np.maximum(np.argmax(share < 0.98, axis=1), 1)
    drop = np.maximum(1 - share[np.arange(len(share)), bent], 1e-3)
    long = float(np.max(np.trapezoid(abs(share), lags, axis=1)))
    return TimeScales(float(np.min(lags[bent] / np.sqrt(2 * drop))), long)


@dataclass(frozen=True)
class _Squares:
    """M(lambda) of one block of paths."""

    problem: ConditionalProblem
    state: CurrentState
    units: EdgeUnits

    @cached_property
    def steady(self) -> SteadyAverages:
        return SteadyAverages(self.problem.model, self.state)

    def matrix(self, growth: float) -> Floats:
        model = self.problem.model
        theory, units = model.theory, self.units
        resolvent = units.resolvent(growth)
        transfer = model.steady.transfer(np.zeros(1), growth)[0].real
        size = len(theory.outputs)
        result = np.zeros((size, size))
        for a, output in enumerate(theory.outputs):
            part = model.sampled(output.factors)
            others = [f for f in output.factors if f not in part]
            still = [float(self.steady.at(f)[0]) for f in others]
            held = float(np.mean(self._held(part))) if part else 1.0
            for b in range(size):
                total = 0.0
                if part:
                    gates = transfer[list(model.steady.gating), b]
                    total += float(np.mean(self._moved(part, resolvent, b, gates))) * float(
                        np.prod(still)
                    )
                for n, f in enumerate(others):
                    response = transfer[theory.steady.index(theory.functions[f].field), b]
                    rest = float(np.prod(still[:n] + still[n + 1 :]))
                    total += held * rest * float(self.steady.slopes(f)[0]) * response**2
                result[a, b] = model.strength[a] * total
        return result

    def _split(self, part: tuple[int, ...]) -> tuple[int, list[int]]:
        """The function of the block, and those of gating fields."""
        (f,) = [f for f in part if f in self.units.moments]
        return f, [g for g in part if g != f]

    def _held(self, part: tuple[int, ...]) -> Floats:
        """E f^2 D^2."""
        f, gating = self._split(part)
        value = self.units.moments[f].squares
        for g in gating:
            value = value * self.units.gate_factors[g][0] ** 2
        return value

    def _moved(
        self, part: tuple[int, ...], resolvent: Floats, current: int, gates: Floats
    ) -> Floats:
        """E P^2 at every place."""
        theory, units = self.problem.model.theory, self.units
        f, gating = self._split(part)
        j = theory.block.index(theory.functions[f].field)
        moments = units.moments[f]
        c0, c1, rest = units.given(j, *units.affine(resolvent, j, current, gates))
        factor = np.ones_like(c0)
        bent = np.zeros_like(c0)
        for g in gating:
            value, slope = units.gate_factors[g]
            y = theory.gating.index(theory.functions[g].field)
            bent = bent * value + factor * slope * gates[y]
            factor = factor * value
        squares, mixed, (s0, s1, s2) = moments.squares, moments.mixed, moments.slopes
        own = (c0**2 + rest) * s0 + 2 * c0 * c1 * s1 + c1**2 * s2
        both = c0 * mixed[0] + c1 * mixed[1]
        return np.asarray(factor**2 * own + 2 * factor * bent * both + bent**2 * squares)


@dataclass(frozen=True)
class _Edge:
    """Blocks together."""

    blocks: list[_Squares]

    def radius(self, growth: float) -> float:
        return _radius(np.mean([b.matrix(growth) for b in self.blocks], axis=0))

    def excess(self, log_rate: float) -> float:
        return float(np.log(self.radius(float(np.exp(log_rate)))))

    def slope(self, growth: float) -> float:
        """- d log radius / d log lambda."""
        x, d = np.log(growth), 0.01
        return (self.excess(x - d) - self.excess(x + d)) / (2 * d)

    def scatter(self, growth: float) -> float:
        """Standard error of log radius by leaving out one block at a time."""
        each = np.array([b.matrix(growth) for b in self.blocks])
        count = len(each)
        if count == 1:
            return 0.0
        without = (each.sum(axis=0) - each) / (count - 1)
        logs = np.log([_radius(m) for m in without])
        return float(np.sqrt((count - 1) / count * np.sum((logs - logs.mean()) ** 2)))


def _radius(matrix: Floats) -> float:
    return float(np.max(abs(np.linalg.eigvals(matrix))))
