"""Orthonormal tangent vectors, and what making them so says about growth: a blocked QR."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from scipy.linalg import solve_triangular

from .network import Array, State


def orthonormalise(dx: Sequence[Array]) -> tuple[State, Array, float]:
    r"""Rows q of the same nested spans, ln of the growths l_ii, and the loss of independence.

    The rows of ``dx`` (one ``(k, n)`` array per field, together a matrix A) are factored as A = L Q,
    L lower triangular with a positive diagonal, Q with orthonormal rows: Gram and Schmidt in the
    order of the rows. Everything is float64 whatever the type of ``dx``, and matrix products only
    (Cholesky QR; Stathopoulos & Wu, SIAM J. Sci. Comput. 23, 2165 (2002))::

        A A' = L L',    Q = L^-1 A

    Its weakness, that Q is orthonormal only up to eps times the squared condition of A, does no harm
    here: A = L Q holds to rounding, so the product of successive L telescopes and what one Q lacks
    the next L finds. Where the rows are too dependent even for that, Householder's method takes over.

    The loss is the largest ln(|a_i| / l_ii): how many digits (to base e) a row has lost to
    the span of those before it. Rounding of relative size eps in A moves ln l_ii by eps e^loss.

    >>> q, growth, loss = orthonormalise([np.array([[3.0, 0.0], [4.0, 2.0]])])
    >>> np.exp(growth).round(12).tolist(), q[0].round(12).tolist(), round(float(np.exp(loss)), 3)
    ([3.0, 2.0], [[1.0, 0.0], [0.0, 1.0]], 2.236)
    """
    rows = [np.asarray(d, dtype=np.float64) for d in dx]
    norm = np.sqrt(sum(np.einsum("ki,ki->k", d, d) for d in rows))
    scale = np.where(norm > 0, norm, 1.0)[:, None]
    rows = [d / scale for d in rows]  # equal rows: the Cholesky factor sees angles only
    with np.errstate(divide="ignore"):
        growth = np.log(norm)
    try:
        lower = np.linalg.cholesky(np.asarray(sum(d @ d.T for d in rows)))
    except np.linalg.LinAlgError:
        return _householder(rows, growth)
    q = [solve_triangular(lower, d, lower=True, check_finite=False) for d in rows]
    angles = np.log(np.diagonal(lower))
    return q, growth + angles, float(max(0.0, -angles.min()))


def _householder(rows: Sequence[Array], growth: Array) -> tuple[State, Array, float]:
    widths = np.cumsum([d.shape[1] for d in rows])[:-1]
    # A' = Q' R with Q' of orthonormal columns: transposed, A = R' Q.
    q, r = np.linalg.qr(np.concatenate(rows, axis=1).T)
    diagonal = np.diagonal(r)
    q = (q * np.where(diagonal < 0, -1.0, 1.0)).T
    with np.errstate(divide="ignore"):
        angles = np.log(np.abs(diagonal))
    return np.split(q, widths, axis=1), growth + angles, float(max(0.0, -angles.min()))
