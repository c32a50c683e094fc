r"""Derivatives of the outputs of units along paths of the gating fields, averaged over the gated block.

Given the paths of the gating fields y, the block x and the sources s that drive it are jointly Gaussian
at every moment. A perturbation e^{lambda t} of the current b reaches the fields with (`derivations.edge`)

    dy = G_yb(lambda),   dx = (lambda - A)^{-1} [ B_b + Q G_yb ],   Q = (dA/dy) x + (dB/dy) s + dc/dy,

so that dx_j is affine in (x, s): given x_j = m_j + sqrt(K_jj) u it has the mean c_0 + c_1 u and a variance
e that does not depend on u. An output f(x_j) D(y) changes by P = f' D dx_j + f dD, and

    E P^2 = D^2 [ E f'^2 (c_0 + c_1 u)^2 + e E f'^2 ] + 2 D dD E f f' (c_0 + c_1 u) + dD^2 E f^2.

The moments over u do not depend on lambda. What is left are averages over paths and times.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from .conditional_problem import ConditionalProblem
from .conditional_state import CurrentState

__all__ = ["EdgeUnits", "SlopeMoments", "edge_units"]

Floats = NDArray[np.float64]
Entries = dict[tuple[int, int], Floats]

_REACH, _FIRST_STEP, _SMALLEST_STEP = 6.5, 0.5, 0.5 / 2**7
_TOL = 1e-7
_CHUNK = 2**12


@dataclass(frozen=True)
class SlopeMoments:
    """Over u, of one function of the block, at every place: E f^2, E f f' u^n and E f'^2 u^n."""

    squares: Floats
    mixed: Floats  # n = 0, 1
    slopes: Floats  # n = 0, 1, 2


@dataclass(frozen=True)
class EdgeUnits:
    """Units of one block of paths at one moment each, last axis (places).

    ``covariance`` of w = (x, then sources), (w, w, places), ``means`` (w, places); ``drift`` A and
    ``inputs`` B by entries; ``bends`` and ``bend_constants``: Q_iy = sum_w bends[i, y, w] w +
    bend_constants[i, y]. ``gate_factors`` function -> f and f' of its gating field; ``moments`` of the
    functions of the block.
    """

    size: int
    means: Floats
    covariance: Floats
    drift: Floats
    inputs: Floats
    bends: Mapping[tuple[int, int, int], Floats]
    bend_constants: Mapping[tuple[int, int], Floats]
    gate_factors: Mapping[int, tuple[Floats, Floats]]
    moments: Mapping[int, SlopeMoments]

    def resolvent(self, growth: float) -> Floats:
        """(lambda - A)^{-1}, (places, block, block)."""
        matrix = growth * np.eye(self.size) - np.moveaxis(self.drift, -1, 0)
        return np.asarray(np.linalg.inv(matrix))

    def affine(
        self, resolvent: Floats, j: int, current: int, gates: Floats
    ) -> tuple[Floats, Floats]:
        """dx_j as a constant and coefficients of w; ``gates`` are G_yb of the gating fields."""
        row = resolvent[:, j]
        constant = np.einsum("pi,ip->p", row, self.inputs[:, current])
        slopes = np.zeros_like(self.means)
        for (i, y), value in self.bend_constants.items():
            constant = constant + row[:, i] * value * gates[y]
        for (i, y, w), value in self.bends.items():
            slopes[w] += row[:, i] * value * gates[y]
        return constant, slopes

    def given(self, j: int, constant: Floats, slopes: Floats) -> tuple[Floats, Floats, Floats]:
        """c_0, c_1 and e of a field's perturbation."""
        c0 = constant + np.einsum("wp,wp->p", slopes, self.means)
        moved = np.einsum("wvp,vp->wp", self.covariance, slopes)
        spread = np.sqrt(np.maximum(self.covariance[j, j], 1e-300))
        c1 = moved[j] / spread
        rest = np.einsum("wp,wp->p", slopes, moved) - c1**2
        return c0, c1, np.maximum(rest, 0.0)


def edge_units(problem: ConditionalProblem, state: CurrentState, block: int) -> EdgeUnits:
    """The units of one block of paths."""
    model = problem.model
    theory = model.theory
    size, sources = len(theory.block), state.sources
    along, gates, _ = problem.along_paths(state, block)
    here = along.at_starts(0)
    y = gates[:, here].reshape(len(theory.gating), -1)
    places = y.shape[1]
    count = size + len(sources)
    means, covariance = np.zeros((count, places)), np.zeros((count, count, places))
    for (i, k), value in along.starts.items():
        covariance[i, k] = covariance[k, i] = value.ravel()
    for i, value in along.means.items():
        means[i] = value[here].ravel()
    for s, source in enumerate(sources):
        means[size + s] = source.mean
        covariance[size + s, size + s] = source.covariance(0.0) if source.weights.size else 0.0
    for (i, s), collected in along.collected.items():
        value = sources[s].weights @ collected
        covariance[i, size + s] = covariance[size + s, i] = value
    named = model.gates(y)
    moving = {
        name: np.zeros((size, columns, places))
        for name, columns in (("drift", size), ("input", len(sources)))
    }
    for name, array in moving.items():
        for place, value in model.moving(name, named).entries.items():
            array[place] = value
    bends, constants = _bends(problem, named, places)
    functions = sorted({f for o in theory.outputs for f in o.factors})
    factors, moments = {}, {}
    for f in functions:
        field = theory.functions[f].field
        if field in theory.block:
            j = theory.block.index(field)
            moments[f] = _moments(problem, f, means[j], covariance[j, j])
        elif field in theory.gating:
            values = y[theory.gating.index(field)]
            factors[f] = model.function(f, values), model.function(f, values, 1)
    return EdgeUnits(
        size=size,
        means=means,
        covariance=covariance,
        drift=moving["drift"],
        inputs=moving["input"],
        bends=bends,
        bend_constants=constants,
        gate_factors=factors,
        moments=moments,
    )


def _bends(
    problem: ConditionalProblem, named: Mapping[str, Floats], places: int
) -> tuple[dict[tuple[int, int, int], Floats], dict[tuple[int, int], Floats]]:
    """Q, by what it multiplies."""
    model = problem.model
    theory = model.theory
    bends: dict[tuple[int, int, int], Floats] = {}
    constants: dict[tuple[int, int], Floats] = {}
    for name, first in (("drift", 0), ("input", len(theory.block)), ("constant", None)):
        part = theory.moving[name]
        entries = part.slopes_at(model.parameters, named)
        for y in range(len(theory.gating)):
            for n, (i, k) in enumerate(part.places):
                slope = np.broadcast_to(
                    np.asarray(entries[y * len(part.places) + n], dtype=float), (places,)
                )
                if not np.any(slope):
                    continue
                if first is None:
                    constants[i, y] = constants.get((i, y), 0.0) + slope
                else:
                    bends[i, y, first + k] = slope
    return bends, constants


def _moments(
    problem: ConditionalProblem, function: int, means: Floats, variances: Floats
) -> SlopeMoments:
    """By the trapezoid rule, whose step is halved until the widest variances do not mind."""
    order = np.argsort(variances)
    picked = order[np.linspace(0, order.size - 1, 64).astype(int)]
    step, before = _FIRST_STEP, None
    while True:
        now = _on_nodes(problem, function, means[picked], variances[picked], step)[3]
        change = np.inf if before is None else float(np.mean(abs(now - before)) / np.mean(now))
        if change <= _TOL or step <= _SMALLEST_STEP:
            break
        before, step = now, step / 2
    rows = np.concatenate(
        [
            _on_nodes(
                problem,
                function,
                means[first : first + _CHUNK],
                variances[first : first + _CHUNK],
                step,
            )
            for first in range(0, means.size, _CHUNK)
        ],
        axis=1,
    )
    return SlopeMoments(rows[0], rows[1:3], rows[3:])


def _on_nodes(
    problem: ConditionalProblem, function: int, means: Floats, variances: Floats, step: float
) -> Floats:
    count = int(np.ceil(_REACH / step))
    u = step * np.arange(-count, count + 1)
    weights = np.exp(-(u**2) / 2)
    weights /= weights.sum()
    x = means[:, None] + np.sqrt(variances)[:, None] * u
    f = problem.model.function(function, x)
    slope = problem.model.function(function, x, 1)
    mixed, squares = f * slope, slope * slope
    rows = [f * f @ weights, mixed @ weights, mixed @ (weights * u)]
    rows += [squares @ (weights * u**n) for n in range(3)]
    return np.array(rows)
