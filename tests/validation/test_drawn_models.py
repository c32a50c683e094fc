"""Three models drawn once from a grammar: theory and Jacobian edge against networks of 1000 units."""

from dataclasses import replace
from functools import cache
from pathlib import Path

import numpy as np
import pytest
from drawn_grammar import SEEDS, draw
from numpy.typing import NDArray
from scipy.linalg import lu_factor, lu_solve
from scipy.optimize import brentq
from scipy.sparse.linalg import LinearOperator, eigs
from threadpoolctl import threadpool_limits

import dmft
from dmft.codegen import CompiledNetwork, compile_network, resolve
from dmft.codegen.float64 import FLOAT64
from dmft.codegen.translate import translate
from dmft.derivations.disorder import average_over_couplings
from dmft.derivations.edge import jacobian_edge
from dmft.derivations.linearise import linearise
from dmft.derivations.model import Model
from dmft.derivations.symbols import s
from dmft.results.solution import Solution
from dmft.validation.compare import Row
from dmft.validation.estimate import Measurement, measure
from dmft.validation.integrate import rk4_step
from dmft.validation.judge import judge
from dmft.validation.network import FiniteNetwork, State, draw_network, draw_state, generators
from dmft.validation.schedule import Schedule, choose_step, plan

UNITS = 1000


def path(seed: int) -> Path:
    return Path(__file__).parent / "drawn" / f"drawn-{seed}.toml"


@pytest.mark.parametrize("seed", SEEDS)
def test_the_stored_models_are_those_of_the_grammar(seed: int) -> None:
    assert path(seed).read_text(encoding="utf-8") == draw(seed)


@cache
def solved(seed: int) -> Solution:
    return dmft.solve(str(path(seed)))


@cache
def network_of(seed: int) -> CompiledNetwork:
    return compile_network(resolve(str(path(seed))))


@cache
def schedule_of(seed: int) -> Schedule:
    """Shorter than `validate` would have it: five networks, whose disorder is the larger error."""
    theory, right = solved(seed), network_of(seed)
    dt = choose_step(right, dict(theory.parameters), 0)
    curve = theory.autocorrelation[right.info.fields[0]]
    lags = plan(theory.lag, curve, dt, theory.branch, theory.lyapunov).judged_lags
    return Schedule(dt, 15.0, 25.0, lags, lags, batch=2, tangents=1)


@cache
def measured(seed: int) -> list[Measurement]:
    right, p = network_of(seed), dict(solved(seed).parameters)
    with threadpool_limits(1):
        return [
            measure(right, p, schedule_of(seed), n, realization, seed)
            for n, count in {UNITS: 5, 60: 2}.items()
            for realization in range(count)
        ]


def judged(theory: Solution, seed: int) -> list[Row]:
    """The rows of C; exponents need longer runs at several sizes."""
    rows, _ = judge(theory, measured(seed), schedule_of(seed))
    return [row for row in rows if row.quantity.startswith("C_")]


@pytest.mark.parametrize("seed", SEEDS)
def test_theory_against_networks(seed: int) -> None:
    theory = solved(seed)
    assert theory.status == "converged" and theory.branch == "chaotic"
    assert theory.lyapunov is not None and theory.lyapunov > 0
    rows = judged(theory, seed)
    fields = network_of(seed).info.fields
    assert [row.quantity for row in rows[: len(fields)]] == [f"C_{f}(0)" for f in fields]
    assert "fail" not in {row.verdict for row in rows}
    # the first field's variance is seen well enough to decide
    assert rows[0].verdict == "pass"


@pytest.mark.parametrize("seed", SEEDS)
def test_a_wrong_theory_fails(seed: int) -> None:
    """The same networks against covariances a third too large: the runs are long enough to see it."""
    right = solved(seed)
    wrong = replace(
        right,
        variance={
            name: 4 / 3 * value for name, value in right.variance.items() if value is not None
        },
        autocorrelation={name: 4 / 3 * curve for name, curve in right.autocorrelation.items()},
    )
    assert "fail" in {row.verdict for row in judged(wrong, seed)}


def state_of(seed: int) -> tuple[FiniteNetwork, State]:
    """One network of 1000 units, at rest from its start: fields as arrays (N,)."""
    right, p = network_of(seed), dict(solved(seed).parameters)
    couplings, starts = generators(17, UNITS, seed)
    network = draw_network(right, p, UNITS, couplings)
    x = draw_state(network, 1, 1.0, starts)
    with threadpool_limits(1):
        for _ in range(100):
            x = rk4_step(network.velocity, x, schedule_of(seed).dt)
    return network, [field[0] for field in x]


def jacobian(network: FiniteNetwork, x: State, xi: State) -> NDArray[np.float32]:
    """All couplings between all fields, from the tangent equations of the declaration."""
    right, p, n = network.right, network.parameters, network.units
    fields, currents = range(len(x)), range(len(xi))
    zero, one = np.zeros(n, np.float32), np.ones(n, np.float32)
    blocks = [[np.zeros((n, n), np.float32) for _ in fields] for _ in fields]
    for changed in fields:
        dx = [one if k == changed else zero for k in fields]
        own = right.tangent_drift(x, xi, dx, [zero] * len(xi), p)
        heard = right.tangent_outputs(x, dx, p)
        for k in fields:
            np.fill_diagonal(blocks[k][changed], np.broadcast_to(own[k], n))
        for a in currents:
            dxi = [one if b == a else zero for b in currents]
            felt = right.tangent_drift(x, xi, [zero] * len(x), dxi, p)
            for k in fields:
                if np.any(felt[k]) and np.any(heard[a]):
                    spread = np.broadcast_to(felt[k], n)[:, None] * network.transposed[a].T
                    blocks[k][changed] += spread * np.broadcast_to(heard[a], n)[None, :]
    return np.block(blocks)


@pytest.mark.parametrize("seed", SEEDS)
def test_edge_of_the_jacobian_against_its_eigenvalues(seed: int) -> None:
    network, x = state_of(seed)
    p = network.parameters
    outputs = network.right.outputs(x, p)
    xi = [psi @ j for psi, j in zip(outputs, network.transposed, strict=True)]
    model = resolve(str(path(seed)))
    assert isinstance(model, Model)
    edge = jacobian_edge(linearise(model), average_over_couplings(model))
    inputs = [*model.field_symbols(), *model.current_symbols(), *model.parameter_symbols(), s]
    tape = translate("edge", inputs, list(edge.chain))
    values = dict(zip([i.name for i in inputs], [*x, *xi], strict=False)) | p
    weights = np.array([float(w.subs(_numbers(model, p))) for w in edge.weights])
    size = len(weights)

    def radius(growth: complex) -> float:
        entries = tape.run(FLOAT64, values | {"s": growth})
        means = [np.mean(np.abs(np.broadcast_to(e, UNITS)) ** 2) for e in entries]
        matrix = weights[:, None] * np.reshape(means, (size, size))
        return float(max(abs(np.linalg.eigvals(matrix))))

    right_end = brentq(lambda v: radius(v) - 1, 1e-3, 20.0)
    # eigenvalues nearest to a point outside the cloud, right of its real end: shift and invert
    shift = 1.3 * right_end + 0.1
    matrix = jacobian(network, x, xi)
    with threadpool_limits(1):
        matrix[np.diag_indices_from(matrix)] -= np.float32(shift)
        factors = lu_factor(matrix, overwrite_a=True, check_finite=False)
        inverse = LinearOperator(
            (len(matrix), len(matrix)),
            matvec=lambda v: lu_solve(factors, v, check_finite=False),
            dtype=np.float32,
        )
        start = np.random.default_rng(seed).standard_normal(len(matrix)).astype(np.float32)
        found = shift + 1 / eigs(inverse, k=10, v0=start, return_eigenvectors=False, tol=1e-4)
    radii = np.array([radius(complex(e)) for e in found])
    # finite size: the rim of the cloud is a few per cent wide; radii grow inwards
    assert 0.88 < np.min(radii) < 1.1
    assert np.max(radii) < 1.5


def _numbers(model: Model, p: dict[str, float]) -> dict[object, float]:
    return {symbol: p[symbol.name] for symbol in model.parameter_symbols()}
