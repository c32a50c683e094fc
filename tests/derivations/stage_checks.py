"""What each stage of a derivation must satisfy, by a route that does not use that stage.

Every check takes all stages and raises AssertionError. `test_planted_faults` spoils a stage and asks
the check of the one that follows; the routes are sampled couplings, numbers put into the declared
equations, another stage that is derived by another path, and a finite network's eigenvalues.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import sympy as sp

from dmft.derivations.conditional import ConditionalStructure, conditional_structure
from dmft.derivations.disorder import DisorderAverage, disorder_average
from dmft.derivations.edge import JacobianEdge, jacobian_edge
from dmft.derivations.filters import power_gain
from dmft.derivations.linearise import Linearisation, linearise
from dmft.derivations.model import Model
from dmft.derivations.replicas import ReplicaEquations, replica_equations
from dmft.derivations.statics import StaticEquations, static_equations
from dmft.derivations.stationary import StationaryEquations, stationary_equations
from dmft.derivations.symbols import lambda_, omega, s

LOGISTIC = [{"logistic": lambda v: 1 / (1 + np.exp(-v))}, "numpy"]


@dataclass(frozen=True)
class Stages:
    """The stages of one derivation, each made from those before it."""

    model: Model
    average: DisorderAverage
    process: ConditionalStructure
    statics: StaticEquations
    stationary: StationaryEquations
    linearisation: Linearisation
    replicas: ReplicaEquations
    edge: JacobianEdge


def derive(model: Model) -> Stages:
    """All stages of a model that has all of them."""
    average, linearisation = disorder_average(model), linearise(model)
    process = conditional_structure(model)
    statics = static_equations(model, average.currents)
    assert process is not None and statics is not None
    return Stages(
        model=model,
        average=average,
        process=process,
        statics=statics,
        stationary=stationary_equations(model, average.currents),
        linearisation=linearisation,
        replicas=replica_equations(linearisation, average),
        edge=jacobian_edge(linearisation, average.currents),
    )


def values_of(model: Model, seed: int = 0) -> dict[sp.Symbol, float]:
    """Numbers for all parameters, none of them special."""
    random = np.random.default_rng(seed)
    return {p: float(random.uniform(0.3, 0.9)) for p in model.parameter_symbols()}


def number(expression: Any, values: dict[sp.Symbol, float]) -> float:
    return float(sp.sympify(expression).subs(values))


def _drawn(model: Model, p: dict[sp.Symbol, float], shape: tuple[int, ...], seed: int) -> Any:
    """J_ij and J_ji of every coupling, N = 1, drawn as declared: each (couplings, *shape)."""
    random, size = np.random.default_rng(seed), len(model.couplings)
    share = np.eye(size)
    names = [c.current for c in model.couplings]
    for (one, other), value in model.correlations.items():
        i, j = names.index(one), names.index(other)
        share[i, j] = share[j, i] = number(value, p)
    root = np.linalg.cholesky(share)
    axes = (slice(None), *(None for _ in shape))
    spread = np.sqrt([number(c.variance, p) for c in model.couplings])[axes]
    back = np.array([number(c.reciprocity, p) for c in model.couplings])[axes]
    means = np.array([number(c.mean, p) for c in model.couplings])[axes]
    there, own = (
        np.tensordot(root, random.standard_normal((size, *shape)), axes=1) for _ in range(2)
    )
    again = back * there + np.sqrt(1 - back**2) * own
    return spread * there, spread * again, np.broadcast_to(means, there.shape)


def check_disorder(model: Model, average: DisorderAverage) -> None:
    """The averaged action: second moments of 10^6 pairs of entries (J_ij, J_ji)."""
    p, pairs = values_of(model), 1_000_000
    there, again, means = _drawn(model, p, (pairs,), 4)
    size = len(model.couplings)
    error = 6 * np.max(np.var(there, axis=1)) * np.sqrt(2 / pairs)
    derived = np.array(average.covariance.subs(p), dtype=float)
    assert np.max(abs(np.cov(there).reshape(size, size) - derived)) < error
    response = [number(e, p) for e in average.response]
    assert np.max(abs(np.mean(there * again, axis=1) - response)) < error
    assert np.max(abs(means[:, 0] - [number(e, p) for e in average.mean])) < 1e-12


def check_currents(model: Model, average: DisorderAverage) -> None:
    """The single-site process: currents of a network of 600 units whose outputs are given numbers.

    Mean m <psi>, covariance c <psi psi>, and the response: what a unit hears back of its own output
    after one step through the others, sum_j J_ij J_ji.
    """
    p, units = values_of(model), 600
    there, again, means = _drawn(model, p, (units, units), 5)
    size = len(model.couplings)
    upper = np.triu(np.ones((units, units), bool), 1)
    j = np.where(upper, there, np.swapaxes(again, 1, 2)) / np.sqrt(units)
    j[:, np.arange(units), np.arange(units)] = 0
    psi = np.random.default_rng(6).uniform(0.2, 1.0, (size, units))
    xi = np.einsum("aij,aj->ai", j, psi)
    derived = np.array(average.covariance.subs(p), dtype=float) * (psi @ psi.T) / units
    sampled = xi @ xi.T / units
    largest = float(np.max(abs(derived)))
    assert np.max(abs(sampled - derived)) < 6 * largest * np.sqrt(2 / units)
    heard = np.einsum("aij,aji->ai", j, j)
    response = np.array([number(e, p) for e in average.response])
    error = np.std(heard, axis=1) / np.sqrt(units) + 2e-3
    assert np.all(abs(np.mean(heard, axis=1) - response) < 6 * error)
    derived_mean = [number(e, p) for e in average.mean] * np.mean(psi, axis=1)
    assert np.max(abs(np.mean(means[:, 0, 0][:, None] * psi, axis=1) - derived_mean)) < 1e-12


def check_process(stages: Stages) -> None:
    """A(y) x + B(y) xi is the declared drift without inputs, at random numbers."""
    model, process = stages.model, stages.process
    p, random = values_of(model), np.random.default_rng(7)
    moving = [*model.field_symbols(), *model.current_symbols()]
    at = p | {v: float(random.normal()) for v in moving} | dict.fromkeys(model.input_symbols(), 0.0)
    x = sp.Matrix(model.field_symbols())
    xi = sp.Matrix(model.current_symbols())
    derived = process.drift_matrix * x + process.input_matrix * xi
    for one, declared in zip(derived, model.drift(), strict=True):
        assert abs(number(one, at) - number(declared, at)) < 1e-12


def check_statics(stages: Stages) -> None:
    """The single-site process at rest: its fields, solved numerically at a given path, are R xi."""
    model, process, statics = stages.model, stages.process, stages.statics
    gains = {v: 0.0 for v in model.parameter_symbols() if v.name == "alpha_z"}
    p, random = values_of(model) | gains, np.random.default_rng(2)
    gates = {v: float(random.normal()) for v in model.field_symbols()}
    a, b = (
        np.array(m.subs(p | gates), dtype=float)
        for m in (process.drift_matrix, process.input_matrix)
    )
    held = -np.linalg.solve(a, b)
    assert np.max(abs(held - np.array(statics.response.subs(p), dtype=float))) < 1e-12
    for a_index, product in enumerate(statics.outputs):
        typed = product.coefficient * sp.prod([f.expression for f in product.factors])
        declared = model.outputs()[a_index]
        at = p | gates
        assert abs(number(typed, at) - number(declared, at)) < 1e-12
        variance = stages.average.covariance[a_index, a_index]
        assert abs(number(statics.weights[a_index], p) - number(variance, p)) < 1e-12


def check_stationary(stages: Stages) -> None:
    """At omega = 0 and C = D the stationary equations are the statics; filters from the process."""
    model, statics, stationary = stages.model, stages.statics, stages.stationary
    still = {v: 0 for v in model.parameter_symbols() if v.name == "alpha_z"}
    p = values_of(model) | still
    x = {v: 0 for v in model.field_symbols()}
    size = len(model.fields)
    for k in range(size):
        for a in range(len(model.couplings)):
            rest = number(statics.response[k, a], p) ** 2
            assert abs(number(stationary.filter(k, a).subs(omega, 0), p) - rest) < 1e-12
    inner, push = (
        m.subs(still).subs(x) for m in (stages.process.drift_matrix, stages.process.input_matrix)
    )
    transfer = ((s * sp.eye(size) - inner).inv() * push).subs(p | {s: 0.7})
    found = stationary.transfer.subs(p | {s: 0.7})
    assert max(abs(float(e)) for e in transfer - found) < 1e-12
    for one, other in zip(stationary.outputs, statics.outputs, strict=True):
        at = p | {v: 0.4 for v in model.field_symbols()}
        products = [
            q.coefficient * sp.prod([f.expression for f in q.factors]) for q in (one, other)
        ]
        assert abs(number(products[0], at) - number(products[1], at)) < 1e-12
    assert all(
        abs(number(one - other, p)) < 1e-12
        for one, other in zip(stationary.weights, statics.weights, strict=True)
    )


def check_lyapunov(stages: Stages) -> None:
    """The closed operator against the two-replica one with still gates, derived from the tangents."""
    model, stationary, replicas = stages.model, stages.stationary, stages.replicas
    still = {v: 0 for v in model.parameter_symbols() if v.name == "alpha_z"}
    p = values_of(model) | still
    names = [f.name for f in model.fields]
    response = replicas.response_at_rest().subs(still)
    for a in range(len(model.couplings)):
        for k, name in enumerate(names):
            at = p | {omega: 0.6, lambda_: 0.3}
            one, other = stationary.filter(k, a, lambda_), power_gain(response[k, a], lambda_)
            assert abs(number(one, at) - number(other, at)) < 1e-12
            weight = replicas.covariance[a, a] * sum(
                (q.weight(names) for q in replicas.pairs(a, a) if q.first == q.second == name),
                sp.Integer(0),
            )
            assert sp.expand(weight - stationary.lyapunov_weight(a, k)) == 0


def check_edge(stages: Stages) -> None:
    """At every eigenvalue of a finite Jacobian (N = 5) some output perturbation repeats itself.

    delta psi = (P G)(s) J delta psi, unit by unit: exact for any N, so that one sign in the chain
    P (s - A)^{-1} B is seen. The replicas' response at rest is the same chain.
    """
    model, tangent, units = stages.model, linearise(stages.model), 5
    p, random = values_of(model), np.random.default_rng(9)
    fields, currents = len(model.fields), len(model.couplings)
    moving = [*model.field_symbols(), *model.current_symbols()]
    state = random.normal(size=(len(moving), units))
    j = random.normal(size=(currents, units, units))
    rest = p | dict.fromkeys(model.input_symbols(), 0.0)

    def at_units(matrix: sp.Matrix, *more: sp.Symbol) -> Any:
        shape = matrix.shape
        f = sp.lambdify([*moving, *more], list(matrix.subs(rest)), LOGISTIC)

        def evaluate(*numbers: complex) -> np.ndarray:
            columns = [
                np.broadcast_to(np.asarray(e, dtype=complex), units) for e in f(*state, *numbers)
            ]
            return np.reshape(columns, (*shape, units))

        return evaluate

    a, b, o = (
        at_units(m)().real
        for m in (tangent.drift_by_field, tangent.drift_by_current, tangent.output_by_field)
    )
    # from the declaration, not from the linearisation under test: central differences
    step = 1e-6
    drift = sp.lambdify(moving, [f.subs(rest) for f in model.drift()], LOGISTIC)
    for k in range(fields):
        up, down = state.copy(), state.copy()
        up[k] += step
        down[k] -= step
        slope = (np.array(drift(*up)) - np.array(drift(*down))) / (2 * step)
        assert np.max(abs(slope - a[:, k])) < 1e-7
    whole = np.zeros((fields * units, fields * units))
    for k in range(fields):
        for l in range(fields):  # noqa: E741
            block = np.diag(a[k, l])
            for c in range(currents):
                block = block + b[k, c][:, None] * j[c] * o[c, l][None, :]
            whole[k * units : (k + 1) * units, l * units : (l + 1) * units] = block
    chains = [
        at_units(stages.edge.chain, s),
        at_units(stages.linearisation.output_by_field * stages.replicas.response_at_rest(), s),
    ]
    for eigenvalue in np.linalg.eigvals(whole):
        for chain in chains:
            entries = chain(eigenvalue)
            loop = np.block(
                [[entries[c, d][:, None] * j[d] for d in range(currents)] for c in range(currents)]
            )
            smallest = np.linalg.svd(np.eye(currents * units) - loop, compute_uv=False)[-1]
            assert smallest < 1e-6
    for a_index, weight in enumerate(stages.edge.weights):
        declared = model.couplings[a_index].variance
        assert abs(number(weight, p) - number(declared, p)) < 1e-12
