r"""The two-replica operator on covariances of the currents, for given averages over paths.

    (O X)_a = v_a c_a^2 sum_f < prod_{g != f} g g' . f' f' . <dx dx'> >,

f over the factors of the output, dx the perturbed field of f (`derivations.replicas`). Perturbed steady
fields follow X by |G(lambda + i omega)|^2; those of the block are averaged over paths (`replica_paths`).
Values at the lags and weights of exponentials are related by the basis, so that O is a matrix.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from .conditional_model import ConditionalModel
from .conditional_problem import ConditionalProblem
from .conditional_state import CurrentState, SteadyAverages
from .replica_paths import ReplicaTerm

__all__ = ["Averages", "ReplicaOperator", "replica_terms", "uncovered"]

Floats = NDArray[np.float64]
#: (term, source) -> averages at (lags, rates)
Averages = Mapping[tuple[ReplicaTerm, int], Floats]


def uncovered(model: ConditionalModel) -> str:
    """Why the operator is not covered; empty when it is."""
    theory = model.theory
    if any(model.theory.functions[f].field in theory.gating for part in model.parts for f in part):
        return "outputs multiply functions of the block and of gating fields"
    white = [
        len(theory.outputs) + i
        for i, w in enumerate(theory.white)
        if w and model.input_variances[i] > 0
    ]
    if any(s in white for _, s in theory.moving["input"].places):
        return "white noise drives fields that gates move"
    transfer = np.any(model.steady.transfer(np.array([0.0, 1.0])) != 0, axis=0)
    reached = transfer[list(model.steady.gating), : len(theory.outputs)]
    if np.any(np.sum(reached, axis=0) > 1):
        return "gating fields share a current"
    return ""


def replica_terms(model: ConditionalModel) -> list[ReplicaTerm]:
    """The averages over paths that the outputs need: one for each function of the block."""
    used = {model.sampled(o.factors) for o in model.theory.outputs} - {()}
    return [
        ReplicaTerm(part, f)
        for part in model.parts
        if part in used
        for f in part
        if model.theory.functions[f].field in model.theory.block
    ]


@dataclass(frozen=True)
class ReplicaOperator:
    """O(lambda) on values at the lags, of one problem at one state, for given averages over paths."""

    problem: ConditionalProblem
    state: CurrentState
    parts: Floats  # (parts, lags)

    def steady_filters(self, growth: float) -> Floats:
        """Covariances at the lags of perturbed steady fields, (fields, currents, lags, rates)."""
        problem = self.problem
        grid = problem.filters
        waves = grid.coefficients(problem.basis.at(grid.lags).T)
        count = len(problem.model.theory.outputs)
        power = abs(problem.model.steady.transfer(grid.frequencies, growth)[:, :, :count]) ** 2
        nodes = 2 * np.array(problem.grid.nodes)
        result = np.zeros((*power.shape[1:], nodes.size, waves.shape[0]))
        for k in range(power.shape[1]):
            for s in range(count):
                if np.any(power[:, k, s]):
                    filtered = grid.values(waves * power[:, k, s])[:, nodes]
                    result[k, s] = filtered.T
        return result

    def matrix(self, growth: float, averages: Averages) -> Floats:
        """O on (groups * lags); ``averages`` (lags, rates) for every term and source."""
        problem = self.problem
        model = problem.model
        theory, fit = model.theory, problem.basis.fit
        lags = len(problem.grid.nodes)
        filters = self.steady_filters(growth)
        steady = SteadyAverages(model, self.state)
        size = len(model.groups)
        result = np.zeros((size, lags, size, lags))
        sources = len(theory.outputs) + len(theory.white)
        for row, members in enumerate(model.groups):
            factors = theory.outputs[members[0]].factors
            part = model.sampled(factors)
            strength = np.full(lags, model.strength[members[0]])
            others = [f for f in factors if f not in part]
            outer = strength * np.prod([steady.at(f) for f in others], axis=0)
            for term, s in averages:
                if term.part != part:
                    continue
                weights = outer[:, None] * averages[term, s]
                if s < sources:
                    result[row, :, model.group_of[s]] += weights @ fit
                    continue
                gate = model.steady.gating[s - sources]
                for a in range(len(theory.outputs)):
                    if np.any(filters[gate, a]):
                        result[row, :, model.group_of[a]] += weights @ fit @ filters[gate, a] @ fit
            inner = self.parts[model.parts.index(part)] if part else np.ones(lags)
            for f in others:
                place = theory.steady.index(theory.functions[f].field)
                rest = np.prod([steady.at(g) for g in others if g != f], axis=0)
                weights = (strength * inner * rest * steady.slopes(f))[:, None]
                for a in range(len(theory.outputs)):
                    if np.any(filters[place, a]):
                        result[row, :, model.group_of[a]] += weights * (filters[place, a] @ fit)
        return result.reshape(size * lags, size * lags)

    @cached_property
    def frame(self) -> tuple[Floats, Floats]:
        """Orthonormal sums of exponentials, (groups * lags, modes), and the projection on them."""
        basis = self.problem.basis
        size = np.eye(len(self.problem.model.groups))
        directions = np.asarray(np.kron(size, basis.directions), dtype=np.float64)
        return directions, np.asarray(np.kron(size, basis.values @ basis.fit), dtype=np.float64)

    def reduced(self, matrix: Floats) -> Floats:
        """O between sums of exponentials, in the orthonormal basis."""
        u, projection = self.frame
        return np.asarray(u.T @ projection @ matrix @ u)

    def gradient(
        self, growth: float, row: Floats, column: Floats
    ) -> dict[tuple[ReplicaTerm, int], Floats]:
        """d (row O column) / d averages, for every term and source: (lags, rates).

        Each average enters as outer(lag) * average(lag, rate) * weight(rate).
        """
        problem = self.problem
        model = problem.model
        theory, fit = model.theory, problem.basis.fit
        lags = len(problem.grid.nodes)
        filters = self.steady_filters(growth)
        steady = SteadyAverages(model, self.state)
        sources = len(theory.outputs) + len(theory.white)
        left = row.reshape(len(model.groups), lags)
        right = column.reshape(len(model.groups), lags)
        weights = {s: fit @ right[model.group_of[s]] for s in range(len(theory.outputs))}
        for y, gate in enumerate(model.steady.gating):
            moved = [
                filters[gate, a] @ fit @ right[model.group_of[a]]
                for a in range(len(theory.outputs))
            ]
            weights[sources + y] = fit @ np.sum(moved, axis=0)
        found: dict[tuple[ReplicaTerm, int], Floats] = {}
        for term in replica_terms(model):
            outer = np.zeros(lags)
            for g, members in enumerate(model.groups):
                factors = theory.outputs[members[0]].factors
                if model.sampled(factors) == term.part:
                    others = [steady.at(f) for f in factors if f not in term.part]
                    outer += left[g] * model.strength[members[0]] * np.prod(others, axis=0)
            for s, weight in weights.items():
                found[term, s] = np.outer(outer, weight)
        return found
