"""Constant solutions of the gated network, typed from THEORY sections 3 and 7.

Delta_r = <phi^2>, Delta_h = <phi^2><sigma_r^2>: with u = g_h^2 Delta_h given, <phi^2> and so the
gate are known, and g_h follows. Plain trapezoid sums; no code of the package.
"""

import numpy as np
from scipy.optimize import brentq, minimize_scalar

NODES = np.linspace(-9, 9, 6001)
WEIGHTS = np.exp(-(NODES**2) / 2)
WEIGHTS /= WEIGHTS.sum()


def mean(f, variance):
    """E f(x), var x = variance."""
    return float(WEIGHTS @ f(np.sqrt(variance) * NODES))


def sigma(alpha, beta):
    return lambda x: (1 + np.tanh((alpha * x - beta) / 2)) / 2  # no overflow


def gain_for(u, alpha_r, beta_r=0.0):
    """g_h at which a constant solution with g_h^2 Delta_h = u exists."""
    phi = mean(lambda x: np.tanh(x) ** 2, u)
    gate = mean(lambda x: sigma(alpha_r, beta_r)(x) ** 2, phi)
    return np.sqrt(u / (phi * gate))


def solutions(g_h, alpha_r, beta_r=0.0):
    """All Delta_h > 0, largest first, by sign changes on a fine grid."""
    grid = np.geomspace(1e-7, 1e3, 500)
    excess = np.array([gain_for(u, alpha_r, beta_r) for u in grid]) - g_h
    roots = [
        brentq(lambda u: gain_for(u, alpha_r, beta_r) - g_h, grid[i], grid[i + 1], xtol=1e-15)
        for i in np.flatnonzero(excess[:-1] * excess[1:] < 0)
    ]
    return [u / g_h**2 for u in roots[::-1]]


def lowest_gain(alpha_r, beta_r=0.0):
    """The smallest g_h with a constant solution (the fold), and u there."""
    grid = np.geomspace(1e-6, 1e3, 500)
    values = [gain_for(u, alpha_r, beta_r) for u in grid]
    i = int(np.argmin(values))
    best = minimize_scalar(
        lambda t: gain_for(np.exp(t), alpha_r, beta_r),
        bounds=(np.log(grid[max(i - 1, 0)]), np.log(grid[min(i + 1, 499)])),
        method="bounded",
        options={"xatol": 1e-9},
    )
    return float(best.fun), float(np.exp(best.x))


def all_folds(alpha_r, beta_r=0.0):
    """Every extremum (g_h, u) of the gain along the curve of constant solutions, by a fine scan."""
    grid = np.geomspace(1e-8, 1e3, 1200)
    values = np.array([gain_for(u, alpha_r, beta_r) for u in grid])
    found = []
    for i in np.flatnonzero(np.diff(values)[:-1] * np.diff(values)[1:] < 0) + 1:
        sign = 1.0 if values[i] < values[i - 1] else -1.0
        best = minimize_scalar(
            lambda t, sign=sign: sign * gain_for(np.exp(t), alpha_r, beta_r),
            bounds=(np.log(grid[i - 1]), np.log(grid[i + 1])),
            method="bounded",
            options={"xatol": 1e-9},
        )
        found.append((sign * float(best.fun), float(np.exp(best.x))))
    return sorted(found)


def driven_solutions(g_h, alpha_r, input_h, beta_h=0.0, s=0.5):
    """All Delta_h of a driven or biased network: Delta_h = <phi^2><sigma_r^2> + input_h / s^2."""

    def excess(log_delta):
        delta = np.exp(log_delta)
        phi = mean(lambda x: np.tanh(g_h * x + beta_h) ** 2, delta)
        return np.log(phi * mean(lambda x: sigma(alpha_r, 0)(x) ** 2, phi) + input_h / s**2) - (
            log_delta
        )

    grid = np.linspace(np.log(1e-9), np.log(1e3), 700)
    values = np.array([excess(x) for x in grid])
    return [
        float(np.exp(brentq(excess, grid[i], grid[i + 1], xtol=1e-14)))
        for i in np.flatnonzero(values[:-1] * values[1:] < 0)
    ]


def edge(g_h, alpha_r, delta_h, *, s=0.5, tau_r=1.0, beta_r=0.0):
    """Leading edge of the Jacobian's spectrum at a fixed point (THEORY section 7 with q = 0)."""
    phi = mean(lambda x: np.tanh(g_h * x) ** 2, delta_h)
    slope = mean(lambda x: g_h**2 / np.cosh(g_h * x) ** 4, delta_h)
    gate = sigma(alpha_r, beta_r)
    open_ = mean(lambda x: gate(x) ** 2, phi)
    gate_slope = mean(lambda x: (alpha_r * gate(x) * (1 - gate(x))) ** 2, phi)

    def excess(growth):
        inside = open_ + phi * gate_slope / (1 + tau_r * growth) ** 2
        return slope * s**2 / (growth + s) ** 2 * inside - 1

    return brentq(excess, -min(s, 1 / tau_r) * 0.999, 50.0, xtol=1e-15)


def stability(g_h, alpha_r, delta_h, beta_r=0.0):
    """V = <phi'^2>(<sigma_r^2> + <phi^2><sigma_r'^2>): above one the fixed point is unstable."""
    phi = mean(lambda x: np.tanh(g_h * x) ** 2, delta_h)
    slope = mean(lambda x: g_h**2 / np.cosh(g_h * x) ** 4, delta_h)
    gate = sigma(alpha_r, beta_r)
    gate_slope = mean(lambda x: (alpha_r * gate(x) * (1 - gate(x))) ** 2, phi)
    return slope * (mean(lambda x: gate(x) ** 2, phi) + phi * gate_slope)
