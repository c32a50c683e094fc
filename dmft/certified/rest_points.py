r"""Where rest loses stability, and its tricritical points, as systems for Krawczyk's test.

zero state:   det(1 - v_a (P (-A0)^{-1} B0)_ab^2) = 0, or det(A0 + B0 diag(m) P) = 0 for means of couplings
tricritical:  M v = v (v_1 = 1),  w_j = (w M)_j for j > 1 (w_1 = 1),  w (kappa + share a)(v, v) = 0

M = R^2 dS/dC at rest, kappa and a its second-order coefficients (`solvers.rest_expansion`), share 1 for
constant and 2/3 for decaying states. Averages at rest are Taylor coefficients of the tapes: no
quadrature is needed. The instability must be at zero frequency.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from dmft.codegen.tape import Table
from dmft.codegen.taylor import Series, taylor
from dmft.codegen.theory import CompiledTheory

from ..solvers.boundaries.zero_state import rest_log_radius, rest_outliers
from ..solvers.rest_expansion import rest_expansion, rest_matrix
from ..solvers.static_system import StaticSystem
from .exact_theory import ExactTheory, determinant, exact, pair, solve_exactly
from .krawczyk import CertificationError, certified_root
from .trapezoid import first_output

__all__ = ["certified_birth", "certified_tricritical", "certified_zero_state"]

_ORDER = 4


def certified_zero_state(
    theory: CompiledTheory, base: Mapping[str, float], unknown: str, start: float, digits: int
) -> Any:
    """The unknown parameter where rest loses stability near ``start``, as a ball."""
    fixed = {name: exact(value) for name, value in base.items() if name != unknown}
    equations = ExactTheory(theory, fixed)
    at = {**base, unknown: np.array([start])}
    cloud = abs(float(rest_log_radius(theory, at, 1)[0])) < 1e-6
    if not cloud and abs(float(rest_outliers(theory, at, 1)[0])) > 1e-6:
        raise CertificationError("rest does not lose stability at the given start")

    def system(x: Sequence[Any], balls: Table, _: int) -> tuple[list[Any], list[list[Any]]]:
        value = _margin(equations, {unknown: pair(x[0], balls.rational(1, 1))}, balls, cloud)
        return [value[0]], [[value[1]]]

    return certified_root(system, [start], digits)[0]


def _margin(
    equations: ExactTheory, unknown: Mapping[str, Any], balls: Table, cloud: bool
) -> Series:
    """The determinant that vanishes at zero frequency."""
    p = equations.parameters(balls, unknown)
    drift = equations.matrix("drift_zero", balls, p)
    inputs = equations.matrix("input_zero", balls, p)
    output = equations.matrix("output_zero", balls, p)
    one, zero = (pair(balls.rational(n, 1), balls.rational(0, 1)) for n in (1, 0))

    def product(a: list[list[Series]], b: list[list[Series]]) -> list[list[Series]]:
        return [
            [
                sum((x * row[j] for x, row in zip(line, b, strict=True)), zero)
                for j in range(len(b[0]))
            ]
            for line in a
        ]

    if not cloud:
        means = equations.vector("current_means", balls, p)
        weighted = [[m * x for x in row] for m, row in zip(means, output, strict=True)]
        feedback = product(inputs, weighted)
        return determinant(
            [
                [a + b for a, b in zip(*rows, strict=True)]
                for rows in zip(drift, feedback, strict=True)
            ]
        )
    weights = equations.vector("weights", balls, p)
    chain = product(output, solve_exactly(drift, inputs))  # its sign does not matter
    size = len(weights)
    return determinant(
        [
            [
                (one if a == b else zero) - weights[a] * chain[a][b] * chain[a][b]
                for b in range(size)
            ]
            for a in range(size)
        ]
    )


def certified_tricritical(
    theory: CompiledTheory,
    base: Mapping[str, float],
    unknown: str,
    line: str,
    start: tuple[float, float],
    digits: int,
    *,
    dynamic: bool,
) -> tuple[Any, Any]:
    """Both parameters at a tricritical point near ``start`` = (unknown, line), as balls."""
    fixed = {name: exact(value) for name, value in base.items() if name not in (unknown, line)}
    equations = ExactTheory(theory, fixed)
    system = StaticSystem(theory)
    n = len(system.fields)
    at = {**base, unknown: start[0], line: start[1]}
    found = rest_expansion(system, at, 1)
    if not abs(found.eigenvalue[0] - 1) < 1e-6:
        raise CertificationError("the start does not lie on the line of rest")
    v, w = _float_vectors(system, at)
    share = (2, 3) if dynamic else (1, 1)

    def residuals(x: Sequence[Any], balls: Table, _: int) -> tuple[list[Any], list[list[Any]]]:
        columns = []
        for direction in range(2 * n):
            u = [pair(value, balls.rational(int(i == direction), 1)) for i, value in enumerate(x)]
            columns.append(_tricritical(equations, system, unknown, line, u, share, balls))
        values = [equation[0] for equation in columns[0]]
        return values, [[column[i][1] for column in columns] for i in range(len(values))]

    root = certified_root(residuals, [*start, *v[1:], *w[1:]], digits)
    return root[0], root[1]


def _float_vectors(system: StaticSystem, p: Mapping[str, float]) -> tuple[Any, Any]:
    """Right and left critical vectors of M, first components one."""
    matrix = rest_matrix(system, p, 1)[0]
    vectors = []
    for m in (matrix, matrix.T):
        values, columns = np.linalg.eig(m)
        column = columns[:, np.argmin(abs(values - 1))].real
        if abs(column[0]) < 1e-8:
            raise CertificationError("the first field takes no part in the instability")
        vectors.append(column / column[0])
    return vectors[0], vectors[1]


def certified_birth(
    theory: CompiledTheory, base: Mapping[str, float], unknown: str, start: float, digits: int
) -> Any:
    """The unknown parameter where det(1 - M) = 0 near ``start``: constant states are born at rest."""
    fixed = {name: exact(value) for name, value in base.items() if name != unknown}
    equations, system = ExactTheory(theory, fixed), StaticSystem(theory)

    def margin(x: Sequence[Any], balls: Table, _: int) -> tuple[list[Any], list[list[Any]]]:
        one = pair(balls.rational(1, 1), balls.rational(0, 1))
        v = [one] * len(system.fields)
        rows, _second = _rest(equations, system, {unknown: _along(x[0], balls)}, v, (1, 1), balls)
        value = determinant(
            [
                [(one if i == j else one * 0) - entry for j, entry in enumerate(row)]
                for i, row in enumerate(rows)
            ]
        )
        return [value[0]], [[value[1]]]

    return certified_root(margin, [start], digits)[0]


def _along(value: Any, balls: Table) -> Series:
    return pair(value, balls.rational(1, 1))


def _tricritical(
    equations: ExactTheory,
    system: StaticSystem,
    unknown: str,
    line: str,
    u: Sequence[Series],
    share: tuple[int, int],
    balls: Table,
) -> list[Series]:
    n = len(system.fields)
    one = pair(balls.rational(1, 1), balls.rational(0, 1))
    zero = one * 0
    v, w = [one, *u[2 : n + 1]], [one, *u[n + 1 :]]
    rows, second = _rest(equations, system, {unknown: u[0], line: u[1]}, v, share, balls)
    result = []
    for k in range(n):
        result.append(sum((rows[k][j] * v[j] for j in range(n)), zero) - v[k])
    for j in range(1, n):
        result.append(sum((w[k] * rows[k][j] for k in range(n)), zero) - w[j])
    result.append(sum((w[k] * second[k] for k in range(n)), zero))
    return result


def _rest(
    equations: ExactTheory,
    system: StaticSystem,
    unknown: Mapping[str, Series],
    v: Sequence[Series],
    share: tuple[int, int],
    balls: Table,
) -> tuple[list[list[Series]], list[Series]]:
    """M, and (kappa + share a)(v, v) of every field."""
    theory, fields = system.theory, list(system.fields)
    n = len(fields)
    one = pair(balls.rational(1, 1), balls.rational(0, 1))
    zero = one * 0
    p = equations.parameters(balls, unknown)
    response = equations.matrix("response", balls, p)
    weights = equations.vector("weights", balls, p)
    factors = equations.vector("static_coefficients", balls, p)
    taylor_of = {
        f: _taylor(equations, f, p, balls)
        for f in {f for o in theory.static_outputs for f in o.factors}
    }
    rows = [[zero] * n for _ in range(n)]
    second = [zero] * n
    for a, output in enumerate(theory.static_outputs):
        linear = [zero] * n
        places = [(fields.index(theory.functions[f].field), taylor_of[f]) for f in output.factors]
        quadratic = _second_order(places, v, linear, share, one)
        for k in range(n):
            gain = response[fields[k]][a] * response[fields[k]][a]
            gain = gain * weights[a] * factors[a] * factors[a]
            rows[k] = [entry + gain * slope for entry, slope in zip(rows[k], linear, strict=True)]
            second[k] = second[k] + gain * quadratic
    return rows, second


def _taylor(equations: ExactTheory, f: int, p: Mapping[str, Any], balls: Table) -> list[Series]:
    """t_0 ... t_4 of a function at zero, with derivatives along the direction of ``p``."""
    tape = first_output(equations.theory.functions[f].tape)
    inner, variable = taylor(balls, _ORDER)
    table, _ = taylor(inner, 1, level=2)
    lifted = {k: Series(v.coefficients, 2) if isinstance(v, Series) else v for k, v in p.items()}
    (found,) = tape.run(table, {**lifted, tape.inputs[0]: variable(balls.rational(0, 1))})
    parts = (
        found.coefficients if isinstance(found, Series) and found.level == 2 else [found, 0 * found]
    )
    zero = balls.rational(0, 1)
    value, derivative = (
        part.coefficients if isinstance(part, Series) else [part] + [zero] * _ORDER
        for part in parts
    )
    return [pair(a, b) for a, b in zip(value, derivative, strict=True)]


def _second_order(
    factors: Sequence[tuple[int, list[Series]]],
    v: Sequence[Series],
    linear: list[Series],
    share: tuple[int, int],
    one: Series,
) -> Series:
    """The coefficient of t^2 in the product of averages at D = v t, C = v t; C^2 counts ``share``.

    ``linear`` receives the coefficients of C_j. E f f = t0^2 + [2 t0 t2 D + t1^2 C] + [(t2^2 + 6 t0 t4) D^2
    + 6 t1 t3 D C + 2 t2^2 C^2]; terms in D alone vanish with the constant.
    """
    constant, by_d, by_c, d_c, c_c = one, one * 0, one * 0, one * 0, one * 0
    for j, t in factors:
        c0, d1, c1 = t[0] * t[0], 2 * t[0] * t[2] * v[j], t[1] * t[1] * v[j]
        new_d_c = d_c * c0 + constant * 6 * t[1] * t[3] * v[j] * v[j] + by_d * c1 + by_c * d1
        new_c_c = c_c * c0 + constant * 2 * t[2] * t[2] * v[j] * v[j] + by_c * c1
        for i in range(len(linear)):
            linear[i] = linear[i] * c0
        linear[j] = linear[j] + constant * t[1] * t[1]
        by_d, by_c = by_d * c0 + constant * d1, by_c * c0 + constant * c1
        constant, d_c, c_c = constant * c0, new_d_c, new_c_c
    total: Series = d_c + c_c * share[0] / share[1]
    return total
