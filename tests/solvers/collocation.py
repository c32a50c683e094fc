"""A second discretisation of the stationary equations, with nothing of the package in it.

Chebyshev collocation on [0, T] with nodes drawn towards lag 0, as a boundary value problem in the
lag (C' = 0 at 0, C = 0 at T); Gaussian averages by a double trapezoid sum; equations and
derivatives typed from THEORY sections 4 and 6. The package uses cosine series, filters in frequency
and Hermite series instead. Every field k carries one function f_k, and is driven by a product:

    [1 - d^2 / rate_k^2] C_k = w_k prod_{j in drives_k} E f_j f_j.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.polynomial import chebyshev
from scipy.optimize import brentq


def tanh_family(gain):
    """f, f', f'' and the gain of an equivalent tanh."""

    def value(x):
        return np.tanh(gain * x)

    return (
        value,
        lambda x: gain * (1 - value(x) ** 2),
        lambda x: -2 * gain**2 * value(x) * (1 - value(x) ** 2),
        gain,
    )


def logistic_family(gain, bias=0.0):
    """sigma(gain x - bias) by its tanh."""
    value, slope, curvature, _ = tanh_family(gain / 2)
    shift = bias / gain if gain else 0.0
    if not gain:
        level = 1 / (1 + np.exp(bias))
        return lambda x: level + 0 * x, lambda x: 0 * x, lambda x: 0 * x, 0.0
    return (
        lambda x: (1 + value(x - shift)) / 2,
        lambda x: slope(x - shift) / 2,
        lambda x: curvature(x - shift) / 2,
        gain / 2,
    )


def averages(family, covariance):
    """E f f, E f' f', E f'' f at every lag; covariance[0] is the variance."""
    f, slope, curvature, gain = family
    variance = covariance[0]
    step = min(0.3, np.pi**2 / (36 * max(gain * np.sqrt(variance), 0.5)))
    count = int(8.2 / step)
    nodes = step * np.arange(-count, count + 1)
    weights = np.exp(-(nodes**2) / 2)
    weights /= weights.sum()
    result = np.empty((3, covariance.size))
    for i, c in enumerate(covariance):
        plus = np.sqrt(max(variance + c, 0.0) / 2) * nodes[:, None]
        minus = np.sqrt(max(variance - c, 0.0) / 2) * nodes[None, :]
        x, y = plus + minus, plus - minus
        for row, (a, b) in enumerate(((f, f), (slope, slope), (curvature, f))):
            result[row, i] = weights @ (a(x) * b(y)) @ weights
    return result


@dataclass(frozen=True)
class Equations:
    """What drives what; see the module's docstring."""

    families: tuple
    rates: tuple[float, ...]
    drives: tuple[tuple[int, ...], ...]
    weights: tuple[float, ...]


def gated(g_h, alpha_r, *, beta_r=0.0, tau_r=1.0, s=0.5):
    """h and r of the gated network at sigma_z = s."""
    families = (tanh_family(g_h), logistic_family(alpha_r, beta_r))
    return Equations(families, (s, 1 / tau_r), ((0, 1), (0,)), (1.0, 1.0))


def vanilla(g):
    """dx/dt = -x + g J tanh x."""
    return Equations((tanh_family(1.0),), (1.0,), ((0,),), (g**2,))


@dataclass
class Collocation:
    """``nodes`` Chebyshev points, half of them below the lag ``middle``."""

    equations: Equations
    length: float
    nodes: int
    middle: float = 4.0
    lags: np.ndarray = field(init=False)

    def __post_init__(self):
        x = -np.cos(np.pi * np.arange(self.nodes) / (self.nodes - 1))
        bend = 1 + 2 * self.middle / self.length
        self.lags = self.middle * (1 + x) / (bend - x)
        stretch = self.middle * (bend + 1) / (bend - x) ** 2
        c = np.ones(self.nodes)
        c[0] = c[-1] = 2
        c *= (-1.0) ** np.arange(self.nodes)
        difference = x[:, None] - x[None, :] + np.eye(self.nodes)
        d = np.outer(c, 1 / c) / difference
        d -= np.diag(d.sum(axis=1))  # rows of a derivative of constants sum to zero
        self.first = d / stretch[:, None]
        self.second = self.first @ self.first
        self._x = x
        self._bend = bend

    def interpolate(self, values, lags):
        """Values at any lags inside the window (barycentric, by the Chebyshev series)."""
        x = (self._bend * np.asarray(lags) - self.middle) / (np.asarray(lags) + self.middle)
        series = chebyshev.chebfit(self._x, values, self.nodes - 1)
        return chebyshev.chebval(x, series)

    def _left(self, growth=0.0):
        """(1 + growth/rate)^2 - d^2/rate^2 with boundary rows, one matrix per field."""
        matrices = []
        for rate in self.equations.rates:
            m = (1 + growth / rate) ** 2 * np.eye(self.nodes) - self.second / rate**2
            m[0], m[-1] = self.first[0], np.eye(self.nodes)[-1]
            matrices.append(m)
        return matrices

    def _sources(self, c):
        """Right-hand sides and their derivatives by C_j(tau) and C_j(0)."""
        e = self.equations
        a = [averages(family, row) for family, row in zip(e.families, c, strict=True)]
        total, by_c, by_d = [], {}, {}
        for k, (drive, weight) in enumerate(zip(e.drives, e.weights, strict=True)):
            total.append(weight * np.prod([a[j][0] for j in drive], axis=0))
            for j in drive:
                others = weight * np.prod([a[i][0] for i in drive if i != j], axis=0)
                by_c[k, j], by_d[k, j] = others * a[j][1], others * a[j][2]
        return total, by_c, by_d

    def solve(self, start, steps=12):
        """Newton's method from ``start`` (fields, nodes); stops at rounding error."""
        c, n = np.array(start, dtype=float), self.nodes
        left = self._left()
        size = len(left)
        for _ in range(steps):
            total, by_c, by_d = self._sources(c)
            jacobian = np.zeros((size, n, size, n))
            residual = np.empty((size, n))
            for k in range(size):
                right = total[k].copy()
                right[[0, -1]] = 0
                residual[k] = left[k] @ c[k] - right
                jacobian[k, :, k, :] += left[k]
                for j in range(size):
                    if (k, j) in by_c:
                        jacobian[k, range(1, n - 1), j, range(1, n - 1)] -= by_c[k, j][1:-1]
                        jacobian[k, 1:-1, j, 0] -= by_d[k, j][1:-1]
            step = np.linalg.solve(jacobian.reshape(size * n, -1), -residual.ravel())
            c += step.reshape(size, n)
            if np.max(abs(step)) < 3e-11 * c[0, 0]:
                return c
        raise AssertionError(f"the oracle did not converge: last step {np.max(abs(step)):.1e}")

    def exponent(self, c, low, high):
        """lambda where the largest eigenvalue of the linearised replicas is one."""
        _, by_c, _ = self._sources(c)
        size, n = len(c), self.nodes

        def excess(growth):
            matrix = np.zeros((size, n, size, n))
            for k, m in enumerate(self._left(growth)):
                inverse = np.linalg.inv(m)
                inverse[:, [0, -1]] = 0
                for j in range(size):
                    if (k, j) in by_c:
                        matrix[k, :, j, :] = inverse * by_c[k, j]
            return np.max(np.linalg.eigvals(matrix.reshape(size * n, -1)).real) - 1

        return brentq(excess, low, high, xtol=1e-12)
