r"""The equations near rest: what grows, and whether non-zero states are born forwards or backwards.

To second order in variances and covariances, with f(x) = sum_n t_n x^n,

    E f(x) f(y) = t0^2 + [2 t0 t2 D + t1^2 C] + [(t2^2 + 6 t0 t4) D^2 + 6 t1 t3 D C + 2 t2^2 C^2] + ...

for var x = var y = D, cov = C. Slow modes feel the filters at zero frequency only, gain R_ka^2, so that
all covariances follow the critical eigenvector v of M = R^2 dS/dC, C_j = v_j u(tau) with v_1 = 1, and,
projected on the left eigenvector w (w v = 1), with e the excess of M's eigenvalue over one,

    ... = e u + kappa u0 u + a u^2,      u0 = u(0)

(`derivations.onset`; there symbolically for one set of parameters, here numerically for any). States
leave rest with  e = -(kappa + a) u0 if they are constant, and e = -(kappa + 2 a / 3) u0 if they decay.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dmft.codegen.float64 import FLOAT64
from dmft.codegen.taylor import Series, taylor

from .static_system import StaticSystem

__all__ = ["RestExpansion", "rest_expansion", "rest_matrix"]

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class RestExpansion:
    """One entry per row of parameters; NaN where rest is no state.

    ``eigenvalue`` 1 + e of M, ``kappa`` and ``quadratic`` a; the numbers are meaningful where the
    eigenvalue is one.
    """

    eigenvalue: Floats
    kappa: Floats
    quadratic: Floats

    @property
    def static(self) -> Floats:
        """e / u0 of constant states: negative means that they are born backwards."""
        return -(self.kappa + self.quadratic)

    @property
    def dynamic(self) -> Floats:
        """e / u0 of decaying states: negative means that they are born backwards."""
        return -(self.kappa + 2 * self.quadratic / 3)


def rest_expansion(system: StaticSystem, p: Mapping[str, Any], rows: int) -> RestExpansion:
    """Expand at parameters given as numbers or arrays of shape (rows,)."""
    parts = _Parts.of(system, p, rows)
    matrix = np.einsum("kan,ajn->nkj", parts.gain, parts.linear)
    usable = np.isfinite(matrix).all(axis=(1, 2)) & parts.is_rest
    safe = np.where(usable[:, None, None], matrix, np.eye(len(system.fields)))
    eigenvalue, right, left = _critical(safe)
    onto = np.einsum("nk,kan->an", left, parts.gain)
    second = np.einsum("an,aijn,ni,nj->n", onto, parts.mixed, right, right)
    third = np.einsum("an,aijn,ni,nj->n", onto, parts.square, right, right)
    return RestExpansion(*(np.where(usable, v, np.nan) for v in (eigenvalue, second, third)))


def rest_matrix(system: StaticSystem, p: Mapping[str, Any], rows: int) -> Floats:
    """M = R^2 dS/dC at rest, (rows, driven fields, driven fields)."""
    parts = _Parts.of(system, p, rows)
    return np.asarray(np.einsum("kan,ajn->nkj", parts.gain, parts.linear))


@dataclass(frozen=True)
class _Parts:
    """R_ka^2 v_a c_a^2, and the outputs' coefficients of C_j, D_i C_j and C_i C_j, by row.

    ``is_rest``: no output and no input moves the fields at zero.
    """

    gain: Floats
    linear: Floats
    mixed: Floats
    square: Floats
    is_rest: NDArray[np.bool_]

    @staticmethod
    def of(system: StaticSystem, p: Mapping[str, Any], rows: int) -> _Parts:
        p = {k: (np.asarray(v, dtype=float) if np.ndim(v) else float(v)) for k, v in p.items()}
        theory, fields = system.theory, list(system.fields)
        gain, driven = system.response_gain(p, rows)
        table, variable = taylor(FLOAT64, 4)
        coefficients: dict[int, Floats] = {}
        with np.errstate(all="ignore"):
            for f in {f for o in theory.static_outputs for f in o.factors}:
                tape = theory.functions[f].tape
                value = tape.run(table, {**p, tape.inputs[0]: variable(np.zeros(rows))})[0]
                series = value if isinstance(value, Series) else Series([value, 0.0, 0.0, 0.0, 0.0])
                coefficients[f] = np.stack(
                    [
                        np.broadcast_to(np.asarray(c, dtype=float), (rows,))
                        for c in series.coefficients
                    ]
                )
        size, currents = len(fields), len(theory.static_outputs)
        at_rest = np.zeros(rows)
        linear = np.zeros((currents, size, rows))
        mixed = np.zeros((currents, size, size, rows))
        square = np.zeros((currents, size, size, rows))
        for a, output in enumerate(theory.static_outputs):
            product = _Quadratic.one(size, rows)
            for f in output.factors:
                product = product.times(coefficients[f], fields.index(theory.functions[f].field))
            at_rest = np.maximum(at_rest, abs(product.constant))
            linear[a], mixed[a], square[a] = product.by_c, product.by_d_c, product.by_c_c
        return _Parts(gain, linear, mixed, square, (at_rest == 0) & (driven == 0))


@dataclass(frozen=True)
class _Quadratic:
    """A product of averages to second order; terms in D alone vanish wherever the constant does."""

    constant: Floats
    by_d: Floats
    by_c: Floats
    by_d_c: Floats
    by_c_c: Floats

    @staticmethod
    def one(size: int, rows: int) -> _Quadratic:
        line, plane = np.zeros((size, rows)), np.zeros((size, size, rows))
        return _Quadratic(np.ones(rows), line, line.copy(), plane, plane.copy())

    def times(self, t: Floats, j: int) -> _Quadratic:
        """With the average of one more function of field j, Taylor coefficients ``t`` (5, rows)."""
        constant, by_d, by_c = t[0] ** 2, 2 * t[0] * t[2], t[1] ** 2
        line_d, line_c = self.by_d * constant, self.by_c * constant
        line_d[j] += self.constant * by_d
        line_c[j] += self.constant * by_c
        d_c, c_c = self.by_d_c * constant, self.by_c_c * constant
        d_c[j, j] += self.constant * 6 * t[1] * t[3]
        c_c[j, j] += self.constant * 2 * t[2] ** 2
        d_c[:, j] += self.by_d * by_c
        d_c[j, :] += self.by_c * by_d
        c_c[:, j] += self.by_c * by_c
        return _Quadratic(self.constant * constant, line_d, line_c, d_c, c_c)


def _critical(matrices: Floats) -> tuple[Floats, Floats, Floats]:
    """The largest real eigenvalue with right (v_1 = 1) and left (w v = 1) eigenvectors."""
    values, vectors = np.linalg.eig(matrices)
    rows = np.arange(len(matrices))
    best = np.argmax(
        np.where(abs(values.imag) < 1e-9 * abs(values) + 1e-300, values.real, -np.inf), axis=1
    )
    value = values[rows, best].real
    right = vectors[rows, :, best].real
    left_values, left_vectors = np.linalg.eig(np.swapaxes(matrices, 1, 2))
    same = np.argmin(abs(left_values - value[:, None]), axis=1)
    left = left_vectors[rows, :, same].real
    with np.errstate(all="ignore"):
        right = right / right[:, :1]
        left = left / np.einsum("nk,nk->n", left, right)[:, None]
    return value, right, left
