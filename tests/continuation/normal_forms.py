"""Textbook equations with closed-form branches (Kuznetsov, Elements of Applied Bifurcation Theory)."""

import numpy as np

from dmft.continuation import FoldFamily, Problem

#: The fold of the one-dimensional Bratu problem u'' + p exp(u) = 0, u(0) = u(1) = 0:
#: p = 8 (a / cosh a)^2 with a tanh a = 1 (closed form; value from 30-digit mpmath).
BRATU_FOLD = 3.513830719125161


def one(function):
    """A problem with one unknown."""
    return Problem(lambda u, p: np.array([function(float(u[0]), p)]))


FOLD = one(lambda u, p: p - u**2)
HYSTERESIS = one(lambda u, p: p + u - u**3)
PITCHFORK = one(lambda u, p: p * u - u**3)
TRANSCRITICAL = one(lambda u, p: p * u - u**2)
CIRCLE = one(lambda u, p: u**2 + p**2 - 1)
CUSP = FoldFamily(lambda u, p, q: np.array([p + q * u[0] - u[0] ** 3]))
#: Folds in p at u = 0 where q = 1 - p^2.
TURNS_BACK = FoldFamily(lambda u, p, q: np.array([u[0] ** 2 + q - 1 + p**2]))


def mixed_hysteresis():
    """The hysteresis curve hidden in three unknowns by an invertible, nonlinear change of variables."""

    def residual(u, p):
        x, y, z = u
        a, b, c = x + y**2, y - 0.5 * z, z
        return np.array([p + a - a**3 + 0.2 * b, b + 0.1 * c, c - 0.3 * b])

    return Problem(residual)


def bratu(nodes=25):
    """Chebyshev collocation of the Bratu problem; inner values are the unknowns."""
    k = np.arange(nodes)
    x = np.cos(np.pi * k / (nodes - 1))
    weight = np.where((k == 0) | (k == nodes - 1), 2.0, 1.0) * (-1.0) ** k
    gaps = x[:, None] - x[None, :] + np.eye(nodes)
    d = np.outer(weight, 1 / weight) / gaps
    d -= np.diag(d.sum(axis=1))
    second = (4 * d @ d)[1:-1, 1:-1]  # x on (-1, 1) for a unit interval

    def residual(u, p):
        return second @ u + p * np.exp(u)

    def jacobian(u, p):
        return second + np.diag(p * np.exp(u)), np.exp(u)

    return Problem(residual, jacobian)
