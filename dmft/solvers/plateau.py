r"""What correlations decay to: C(tau -> infinity) of a fluctuating state.

Outputs with a mean and quenched inputs leave a constant part, which obeys its own equations,

    c_k = q sum_a |G_ka(0)|^2 S_a(C_j(0), c_j) + I_k,

at the values C_j(0) of the whole solution. They have more roots than one (C(0) itself is close to
one near the onset of chaos); correlations can decay to a root only if there the linearisation, the
matrix q |G(0)|^2 W, has a spectral radius below one.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from .stationary_problem import Equations

__all__ = ["plateau"]

Floats = NDArray[np.float64]

_TOL = 1e-14
_ROUGHEST = 1e-9
_MOST_STEPS = 40


def plateau(
    problem: Equations, covariance: Floats, means: Floats, scale: float = 1.0
) -> Floats | None:
    """The root next to the end of the window, (active fields,); None if there is none to decay to."""
    linear = problem.linear
    if linear.decays:
        return np.zeros(len(covariance))
    gain = scale * linear.response[list(linear.active)] ** 2
    added = linear.input_variances[list(linear.active)]
    start = covariance[:, 0]
    c = covariance[:, -1]
    for _ in range(_MOST_STEPS):
        currents = problem.currents(np.stack([start, c], axis=1), means)
        matrix = gain @ currents.by_covariance[:, :, 1]
        residual = gain @ currents.covariance[:, 1] + added - c
        try:
            step = np.linalg.solve(np.eye(len(c)) - matrix, residual)
        except np.linalg.LinAlgError:
            return None
        c = np.clip(c + step, -start, start)
        radius = float(np.max(abs(np.linalg.eigvals(matrix))))
        # rounding is amplified where the root is nearly double
        noise = _TOL * max(1.0, 1 / max(abs(1 - radius), _TOL))
        if np.all(abs(step) <= min(noise, _ROUGHEST) * start):
            return c if radius < 1 else None
    return None
