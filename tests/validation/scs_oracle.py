"""The mean-field theory of Sompolinsky, Crisanti and Sommers by its energy integral.

Written for the tests, with nothing of the package in it: dx/dt = -x + g J tanh x has

    C'' = C - g^2 E tanh tanh',   C'^2 = C^2 - 2 g^2 Cov[ln cosh x, ln cosh y](C),

and lambda = -1 + sqrt(1 - E_0), E_0 the ground state of -d^2/dt^2 + 1 - g^2 E tanh' tanh'
(THEORY sections 4 and 6). About six digits, which is ample against simulations.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import numpy as np
from scipy.linalg import eigh_tridiagonal
from scipy.optimize import brentq

NODES = np.linspace(-8.5, 8.5, 201)
WEIGHTS = np.exp(-(NODES**2) / 2)
WEIGHTS /= WEIGHTS.sum()


def average(f, variance, covariance):
    """E f(x) f(y) for x, y with equal variance and the given covariance."""
    rho = covariance / variance
    x = np.sqrt(variance) * NODES
    y = np.sqrt(variance) * (rho * NODES[:, None] + np.sqrt(1 - rho**2) * NODES[None, :])
    return float(WEIGHTS @ (f(x) * (f(y) @ WEIGHTS)))


def log_cosh(x):
    return np.abs(x) + np.log1p(np.exp(-2 * np.abs(x))) - np.log(2)


@dataclass(frozen=True)
class Theory:
    """Has what `dmft.validation.judge.Theory` asks for."""

    lag: np.ndarray
    curve: np.ndarray
    variance: dict
    lyapunov: float
    branch: str = "chaotic"

    @property
    def error_estimate(self):
        return {"variance": 1e-6, "autocorrelation": 1e-4, "lyapunov": 1e-4}

    def at(self, lags):
        return {"x": np.interp(np.abs(lags), self.lag, self.curve)}


@cache
def scs(g_squared):
    """The chaotic solution at coupling variance ``g_squared``."""

    def excess(variance):
        values = log_cosh(np.sqrt(variance) * NODES)
        return g_squared * (WEIGHTS @ values**2 - (WEIGHTS @ values) ** 2) - variance**2 / 2

    # Small variances have positive excess when g > 1, large ones negative.
    variance = brentq(excess, 1e-4, 4 * g_squared, xtol=1e-14)
    # tau(C) = int_C^C(0) dc / sqrt(c^2 - 2 g^2 Cov(c)); c = C(0)(1 - s^2) removes the root at s = 0.
    s = np.linspace(0.0, np.sqrt(1 - 1e-4), 240)
    middle = (s[1:] + s[:-1]) / 2
    at_zero = average(log_cosh, variance, 0.0)
    c = variance * (1 - middle**2)
    speed = np.sqrt([k**2 - 2 * g_squared * (average(log_cosh, variance, k) - at_zero) for k in c])
    lag = np.concatenate([[0.0], np.cumsum(np.diff(s) * 2 * variance * middle / speed)])
    curve = variance * (1 - s**2)

    t = np.linspace(0, lag[-1], 2001)
    slopes = [average(lambda x: 1 - np.tanh(x) ** 2, variance, k) for k in curve[::4]]
    well = 1 - g_squared * np.interp(t, lag[::4], slopes)
    h = t[1]
    diagonal, off = 2 / h**2 + well, -np.ones(t.size - 1) / h**2
    off[0] *= np.sqrt(2)  # even ground state: the half line, symmetrised at 0
    ground = eigh_tridiagonal(diagonal, off, select="i", select_range=(0, 0))[0][0]
    return Theory(lag, curve, {"x": variance}, float(-1 + np.sqrt(1 - ground)))
