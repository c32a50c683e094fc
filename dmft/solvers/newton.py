r"""Newton's method for the stationary equations, with or without a prescribed amplitude.

Unknowns are the covariances of the active fields, the means that respond, and the scale q of all
couplings if one more equation g(C_1(0), C_1(T), q) = 0 is prescribed (`PrescribedAmplitude` A = C_1(0),
or `PrescribedLine` on the curve of solutions): the bordered system

    | 1 - q G W   -q G V   -G S | |dC |     |  R  |
    | dr/dC(0)     dr/dmu    0  | |dmu| = - |  r  |
    | dg/dC         0      dg/dq| |dq |     |  g  |

which stays regular at a fold of the branch in q. Derivatives are those of the discretised equations
themselves. Small systems are factorised; large ones are solved matrix-free by GMRES,
preconditioned with the tail of the equations, where W is constant and the operator is diagonal in
frequency.
"""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.sparse.linalg import LinearOperator, gmres

from dmft.gaussian.pair_average import AverageBudgetError

from .stationary_problem import Currents, Equations, MeanBalance

__all__ = [
    "DENSE_UP_TO",
    "NewtonResult",
    "PrescribedAmplitude",
    "PrescribedLine",
    "Step",
    "linear_step",
    "newton",
    "relative_residual",
]

Floats = NDArray[np.float64]

#: Method "auto" factorises up to this many unknowns; measured, see benchmarks/.
DENSE_UP_TO = 320
_MAX_STEPS = 30


@dataclass(frozen=True)
class PrescribedAmplitude:
    """C_1(0) = ``amplitude``."""

    amplitude: float

    def defect(self, covariance: Floats, scale: float) -> float:
        """Minus g."""
        return float(self.amplitude - covariance[0, 0])

    def slopes(self, covariance: Floats, scale: float) -> tuple[float, float, float]:
        """dg by C_1(0), C_1(T) and q."""
        return 1.0, 0.0, 0.0

    def met(self, covariance: Floats, scale: float, tol: float) -> bool:
        """Whether it holds to a relative tolerance."""
        return abs(self.defect(covariance, scale)) <= tol * self.amplitude


@dataclass(frozen=True)
class PrescribedLine:
    """along_amplitude log(C_1(0) - C_1(T)) + along_scale log q = target."""

    along_amplitude: float
    along_scale: float
    target: float

    def defect(self, covariance: Floats, scale: float) -> float:
        """Minus g; infinite where the first field does not fall."""
        fall = covariance[0, 0] - covariance[0, -1]
        if not (fall > 0 and scale > 0):
            return float("inf")
        here = self.along_amplitude * np.log(fall) + self.along_scale * np.log(scale)
        return float(self.target - here)

    def slopes(self, covariance: Floats, scale: float) -> tuple[float, float, float]:
        """dg by C_1(0), C_1(T) and q."""
        by_start = self.along_amplitude / float(covariance[0, 0] - covariance[0, -1])
        return by_start, -by_start, self.along_scale / scale

    def met(self, covariance: Floats, scale: float, tol: float) -> bool:
        """Whether it holds to a relative tolerance."""
        return abs(self.defect(covariance, scale)) <= tol


Prescribed = PrescribedAmplitude | PrescribedLine


@dataclass(frozen=True)
class NewtonResult:
    """Covariances (active fields, lags), means, coupling scale q, residual over C(0), and outcome."""

    covariance: Floats
    means: Floats
    scale: float
    residual: float
    steps: int
    converged: bool
    currents: Currents


@dataclass(frozen=True)
class Step:
    """Changes of the covariances, of all means (active fields) and of q."""

    covariance: Floats
    means: Floats
    scale: float


def relative_residual(covariance: Floats, residual: Floats) -> float:
    """Max-norm of the residual of each field over its C(0), the largest of them."""
    variance = covariance[:, 0]
    return float(np.max(np.max(abs(residual), axis=1) / np.where(variance > 0, variance, 1.0)))


@dataclass(frozen=True)
class _Equations:
    """Residuals at a trial solution; ``size`` is the largest, relative to what has to be resolved."""

    residual: Floats
    balance: MeanBalance | None
    currents: Currents
    size: float


def _equations(problem: Equations, c: Floats, means: Floats, q: float) -> _Equations:
    currents = problem.currents(c, means)
    residual = c - q * problem.filtered(currents.covariance) - problem.added
    size = relative_residual(c, residual)
    balance = None
    if problem.linear.responding:
        balance = problem.mean_balance(c[:, 0], means)
        width = np.sqrt(c[list(problem.linear.responding), 0])
        size = max(size, float(np.max(abs(balance.residual) / width)))
    if not problem.linear.decays:  # what decays may be a small part of C(0)
        size *= c[0, 0] / max(c[0, 0] - c[0, -1], 1e-6 * c[0, 0])
    return _Equations(residual, balance, currents, size)


def linear_step(
    problem: Equations,
    currents: Currents,
    q: float,
    right: Floats,
    *,
    balance: MeanBalance | None = None,
    right_means: Floats | None = None,
    border: tuple[tuple[float, float, float], float] | None = None,
    method: str = "auto",
    rtol: float = 1e-9,
) -> Step:
    """Solve the (bordered) linear system; ``right`` has the shape of C.

    ``balance`` and ``right_means`` (responding) belong to the means, when some respond; ``border``
    is the row of the prescribed equation and its right-hand side, None when q is fixed.
    """
    fields, lags = right.shape
    size = fields * lags
    rows = list(problem.linear.responding) if balance is not None else []
    extra = len(rows) + (border is not None)
    columns = np.zeros((extra, fields, lags))
    at_start, at_end = np.zeros((extra, fields)), np.zeros((extra, fields))
    corner, below = np.zeros((extra, extra)), np.zeros(extra)
    if balance is not None:
        assert currents.by_mean is not None
        assert right_means is not None
        for i, k in enumerate(rows):
            columns[i] = -q * problem.filtered(currents.by_mean[:, k])
        at_start[: len(rows)] = balance.by_variance
        corner[: len(rows), : len(rows)] = balance.by_mean[:, rows]
        below[: len(rows)] = right_means
    if border is not None:
        (by_start, by_end, by_scale), below[-1] = border
        columns[-1] = -problem.filtered(currents.covariance)
        at_start[-1, 0], at_end[-1, 0], corner[-1, -1] = by_start, by_end, by_scale
    rhs = np.append(right.ravel(), below)
    if method == "dense" or (method == "auto" and size <= DENSE_UP_TO):
        matrix = _dense(problem, currents, q)
        if extra:
            border_rows = np.zeros((extra, fields, lags))
            border_rows[:, :, 0] += at_start
            border_rows[:, :, -1] += at_end
            matrix = np.block(
                [
                    [matrix, columns.reshape(extra, size).T],
                    [border_rows.reshape(extra, size), corner],
                ]
            )
        try:
            solution = np.asarray(np.linalg.solve(matrix, rhs), dtype=np.float64)
        except np.linalg.LinAlgError:
            solution = np.full(rhs.size, np.nan)  # no step is possible from here
    else:
        invert_tail = problem.tail_inverse(currents, q)

        def whole(v: Floats) -> Floats:
            dc, more = v[:size].reshape(fields, lags), v[size:]
            change = np.einsum("ajn,jn->an", currents.by_covariance, dc)
            change += np.einsum("ajn,j->an", currents.by_variance, dc[:, 0])
            out = dc - q * problem.filtered(change)
            if not extra:
                return out.ravel()
            out = out + np.einsum("i,ikn->kn", more, columns)
            return np.append(out, at_start @ dc[:, 0] + at_end @ dc[:, -1] + corner @ more)

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
    means = np.zeros(fields)
    means[rows] = solution[size : size + len(rows)]
    scale = float(solution[-1]) if border is not None else 0.0
    return Step(solution[:size].reshape(fields, lags), means, scale)


def _dense(problem: Equations, currents: Currents, q: float) -> Floats:
    """1 - q G W, rows and columns (field, lag)."""
    fields, lags = currents.by_covariance.shape[1:]
    matrix = np.eye(fields * lags).reshape(fields, lags, fields, lags)
    for k in range(fields):
        for a in range(currents.covariance.shape[0]):
            kernel = problem.kernel(k, a)
            if kernel is None:
                continue
            for j in range(fields):
                if not np.any(currents.by_covariance[a, j]):
                    continue
                matrix[k, :, j, :] -= q * kernel * currents.by_covariance[a, j]
                matrix[k, :, j, 0] -= q * kernel @ currents.by_variance[a, j]
    result: Floats = matrix.reshape(fields * lags, fields * lags)
    return result


def newton(
    problem: Equations,
    start: Floats,
    q: float = 1.0,
    *,
    means: Floats | None = None,
    prescribed: Prescribed | None = None,
    tol: float = 1e-10,
    method: str = "auto",
    polish: bool = True,
) -> NewtonResult:
    """Solve from ``start``; with ``prescribed`` the scale q is unknown.

    Steps are shortened until all values are possible covariances and the residual does not grow
    much. With ``polish`` one more step is made after convergence: it is quadratic and reaches
    rounding error.
    """
    c = start.copy()
    mu = problem.linear.active_means if means is None else means
    here = _equations(problem, c, mu, q)
    last_step = False

    def outcome(steps: int, converged: bool) -> NewtonResult:
        return NewtonResult(c, mu, q, here.size, steps, converged, here.currents)

    for number in range(1, _MAX_STEPS + 1):
        border = None
        if prescribed is not None:
            border = prescribed.slopes(c, q), prescribed.defect(c, q)
        step = linear_step(
            problem,
            here.currents,
            q,
            -here.residual,
            balance=here.balance,
            right_means=None if here.balance is None else -here.balance.residual,
            border=border,
            method=method,
            rtol=1e-9 if last_step else 1e-6,
        )
        share = 1.0
        while share > 1e-3:
            trial, trial_q = c + share * step.covariance, q + share * step.scale
            trial_mu = mu + share * step.means
            if isinstance(prescribed, PrescribedAmplitude) and share == 1.0:
                # exactly, so that averages at this variance are reused
                trial[0, 0] = prescribed.amplitude
            if trial_q > 0 and _possible(trial):
                # a wild trial may be too steep for the averages: a shorter step need not be
                with suppress(AverageBudgetError):
                    new = _equations(problem, trial, trial_mu, trial_q)
                    if new.size <= max(1.5 * here.size, tol):
                        break
            share /= 2
        else:
            return outcome(number, here.size <= tol and _met(prescribed, c, q, tol))
        if last_step and not new.size <= here.size:
            return outcome(number, True)
        c, mu, q, here = trial, trial_mu, trial_q, new
        reached = here.size <= tol and _met(prescribed, c, q, tol)
        if last_step or (reached and not polish):
            return outcome(number, True)
        last_step = reached
    return outcome(_MAX_STEPS, False)


def _met(prescribed: Prescribed | None, c: Floats, q: float, tol: float) -> bool:
    return prescribed is None or prescribed.met(c, q, tol)


def _possible(c: Floats) -> bool:
    """Finite, with positive variances that no lagged value exceeds."""
    variance = c[:, :1]
    return bool(
        np.all(np.isfinite(c)) and np.all(variance > 0) and np.all(abs(c) <= variance * (1 + 1e-9))
    )
