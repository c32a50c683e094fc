r"""Newton's method for the stationary equations, with or without a prescribed amplitude.

Unknowns are the covariances of the active fields and, if the amplitude A = C_1(0) of the first of
them is prescribed, the scale q of all couplings: the bordered system

    | 1 - q G W   -G S | |dC|     |  R           |
    |   e_0^T       0  | |dq| = - |  C_1(0) - A  |

which stays regular at a fold of the branch in q. Derivatives are those of the discretised equations
themselves. Small systems are factorised; large ones are solved matrix-free by GMRES,
preconditioned with the tail of the equations, where W is constant and the operator is diagonal in
frequency.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import linalg
from scipy.sparse.linalg import LinearOperator, gmres

from dmft.gaussian.pair_average import AverageBudgetError

from .stationary_problem import Currents, StationaryProblem

__all__ = ["DENSE_UP_TO", "NewtonResult", "linear_step", "newton", "relative_residual"]

Floats = NDArray[np.float64]

#: Method "auto" factorises up to this many unknowns; measured, see benchmarks/.
DENSE_UP_TO = 320
_MAX_STEPS = 30


@dataclass(frozen=True)
class NewtonResult:
    """Covariances (active fields, lags), coupling scale q, residual over C(0), and outcome."""

    covariance: Floats
    scale: float
    residual: float
    steps: int
    converged: bool
    currents: Currents


def relative_residual(covariance: Floats, residual: Floats) -> float:
    """Max-norm of the residual of each field over its C(0), the largest of them."""
    return float(np.max(np.max(abs(residual), axis=1) / covariance[:, 0]))


def _residual(problem: StationaryProblem, c: Floats, q: float) -> tuple[Floats, Currents]:
    currents = problem.currents(c)
    return c - q * problem.filtered(currents.covariance), currents


def linear_step(
    problem: StationaryProblem,
    currents: Currents,
    q: float,
    right: Floats,
    *,
    amplitude_defect: float | None,
    method: str = "auto",
    rtol: float = 1e-9,
) -> tuple[Floats, float]:
    """Solve the (bordered) linear system for (dC, dq); ``right`` has the shape of C.

    ``amplitude_defect`` None means q is fixed and dq = 0.
    """
    fields, lags = right.shape
    size = fields * lags
    bordered = amplitude_defect is not None

    def apply(dc: Floats) -> Floats:
        change = np.einsum("ajn,jn->an", currents.by_covariance, dc)
        change += np.einsum("ajn,j->an", currents.by_variance, dc[:, 0])
        return dc - q * problem.filtered(change)

    column = -problem.filtered(currents.covariance)
    rhs = (
        right.ravel() if amplitude_defect is None else np.append(right.ravel(), [amplitude_defect])
    )
    if method == "dense" or (method == "auto" and size <= DENSE_UP_TO):
        matrix = _dense(problem, currents, q)
        if bordered:
            border = np.zeros(size)
            border[0] = 1.0
            matrix = np.block([[matrix, column.reshape(-1, 1)], [border, np.zeros((1, 1))]])
        solution = linalg.solve(matrix, rhs)
    else:
        invert_tail = _tail_preconditioner(problem, currents, q)

        def whole(v: Floats) -> Floats:
            out = apply(v[:size].reshape(fields, lags)).ravel()
            if not bordered:
                return out
            return np.append(out + column.ravel() * v[size], v[0])

        def precondition(v: Floats) -> Floats:
            out = invert_tail(v[:size].reshape(fields, lags)).ravel()
            return np.append(out, v[size:])

        shape = (rhs.size, rhs.size)
        solution, _ = gmres(
            LinearOperator(shape, matvec=whole, dtype=float),
            rhs,
            rtol=rtol,
            restart=80,
            maxiter=5,
            M=LinearOperator(shape, matvec=precondition, dtype=float),
        )
    return solution[:size].reshape(fields, lags), float(solution[size]) if bordered else 0.0


def _dense(problem: StationaryProblem, currents: Currents, q: float) -> Floats:
    """1 - q G W, rows and columns (field, lag)."""
    fields, lags = problem.active_gain.shape[0], problem.grid.intervals + 1
    unit = problem.grid.coefficients(np.eye(lags))  # row i: coefficients of a delta at lag i
    matrix = np.eye(fields * lags).reshape(fields, lags, fields, lags)
    for k in range(fields):
        for a in range(problem.active_gain.shape[1]):
            if not np.any(problem.active_gain[k, a]):
                continue
            kernel = problem.grid.values(unit * problem.active_gain[k, a]).T  # (lag out, lag in)
            for j in range(fields):
                if not np.any(currents.by_covariance[a, j]):
                    continue
                matrix[k, :, j, :] -= q * kernel * currents.by_covariance[a, j]
                matrix[k, :, j, 0] -= q * kernel @ currents.by_variance[a, j]
    result: Floats = matrix.reshape(fields * lags, fields * lags)
    return result


def _tail_preconditioner(
    problem: StationaryProblem, currents: Currents, q: float
) -> Callable[[Floats], Floats]:
    """Inverse of 1 - q G W with W as at the end of the window: one small matrix per frequency."""
    tail = currents.by_covariance[:, :, -1]
    fields = problem.active_gain.shape[0]
    blocks = np.eye(fields)[:, :, None] - q * np.einsum("kan,aj->kjn", problem.active_gain, tail)
    blocks = np.moveaxis(blocks, -1, 0)
    if np.min(abs(np.linalg.det(blocks))) < 1e-6:
        return lambda v: v
    inverse = np.moveaxis(np.linalg.inv(blocks), 0, -1)

    def invert(v: Floats) -> Floats:
        return problem.grid.values(np.einsum("kjn,jn->kn", inverse, problem.grid.coefficients(v)))

    return invert


def newton(
    problem: StationaryProblem,
    start: Floats,
    q: float = 1.0,
    *,
    amplitude: float | None = None,
    tol: float = 1e-10,
    method: str = "auto",
    polish: bool = True,
) -> NewtonResult:
    """Solve from ``start``; with ``amplitude`` the scale q is unknown and C_1(0) is given.

    Steps are shortened until all values are possible covariances and the residual does not grow
    much. With ``polish`` one more step is made after convergence: it is quadratic and reaches
    rounding error.
    """
    c = start.copy()
    residual, currents = _residual(problem, c, q)
    size = relative_residual(c, residual)
    last_step = False
    for step in range(1, _MAX_STEPS + 1):
        defect = None if amplitude is None else amplitude - c[0, 0]
        rtol = 1e-9 if last_step else 1e-6
        dc, dq = linear_step(
            problem, currents, q, -residual, amplitude_defect=defect, method=method, rtol=rtol
        )
        share = 1.0
        while share > 1e-3:
            trial, trial_q = c + share * dc, q + share * dq
            if amplitude is not None and share == 1.0:
                trial[0, 0] = amplitude  # exactly, so that averages at this variance are reused
            if trial_q > 0 and _possible(trial):
                # a wild trial may be too steep for the averages: a shorter step need not be
                with suppress(AverageBudgetError):
                    new_residual, new_currents = _residual(problem, trial, trial_q)
                    new_size = relative_residual(trial, new_residual)
                    if new_size <= max(1.5 * size, tol):
                        break
            share /= 2
        else:
            return NewtonResult(c, q, size, step, size <= tol, currents)
        better = new_size <= size
        if last_step and not better:
            return NewtonResult(c, q, size, step, True, currents)
        c, q, residual, currents, size = trial, trial_q, new_residual, new_currents, new_size
        amplitude_met = amplitude is None or abs(c[0, 0] - amplitude) <= tol * amplitude
        reached = size <= tol and amplitude_met
        if last_step or (reached and not polish):
            return NewtonResult(c, q, size, step, True, currents)
        last_step = reached
    return NewtonResult(c, q, size, _MAX_STEPS, False, currents)


def _possible(c: Floats) -> bool:
    """Finite, with positive variances that no lagged value exceeds."""
    variance = c[:, :1]
    return bool(
        np.all(np.isfinite(c)) and np.all(variance > 0) and np.all(abs(c) <= variance * (1 + 1e-9))
    )
