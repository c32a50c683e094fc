"""Energy integrals of one-field theories in many digits, with nothing of the package in them.

SCS: C'^2 = C^2 - g^2 ... conserves an energy; a solution that decays to zero has
g^2 Var[ln cosh(Delta^(1/2) xi)] = Delta^2 / 2 (SCS 1988; THEORY section 4).
"""

from functools import cache

import mpmath
import numpy as np
from numpy.polynomial.legendre import leggauss
from scipy.optimize import brentq


@cache
def scs_variance(g_text, digits=25):
    """Delta_0 of dx/dt = -x + g J tanh x, as an mpmath number; ``g_text`` is a decimal string.

    Trapezoid sums of ln cosh, whose error is exp(-pi^2 / (h Delta^(1/2))).
    """
    context = mpmath.MPContext()
    context.dps = digits + 5
    g = context.mpf(g_text)
    ln10 = context.log(10)
    reach = context.sqrt(2 * ln10 * (digits + 3))

    def excess(variance):
        a = context.sqrt(variance)
        step = context.pi**2 / (max(a, 1) * ln10 * (digits + 3))
        step = min(step, context.mpf("0.25"))
        count = int(reach / step)
        total = first = second = context.mpf(0)
        for k in range(count + 1):
            u = step * k
            weight = context.exp(-u * u / 2) * (1 if k == 0 else 2)
            x = a * u
            value = x + context.log1p(context.exp(-2 * x)) - context.ln2
            total += weight
            first += weight * value
            second += weight * value * value
        mean = first / total
        return g**2 * (second / total - mean**2) / variance**2 - context.mpf(1) / 2

    low, high = scs_bracket(float(g))
    return context.findroot(excess, (low, high), solver="anderson", tol=10 ** (-2 * digits))


def scs_bracket(g):
    """A double-precision root of the same condition, widened by 1e-6."""
    nodes = np.linspace(-9, 9, 6001)
    weights = np.exp(-(nodes**2) / 2)
    weights /= weights.sum()

    def excess(variance):
        x = abs(np.sqrt(variance) * nodes)
        value = x + np.log1p(np.exp(-2 * x)) - np.log(2)
        mean = weights @ value
        return g**2 * (weights @ (value - mean) ** 2) / variance**2 - 0.5

    root = brentq(excess, 1e-3 * (g - 1), g**2, xtol=1e-14)
    return root * (1 - 1e-6), root * (1 + 1e-6)


def fast_gate_variance(phi_average, gate_average, guess):
    """C_h(0) of the gated network for tau_r -> 0, where C_r = C_phi (THEORY section 4).

    The energy of  s^-2 C'' = C - F_phi(C) F_sigma(F_phi(C))  vanishes over the whole way from C(0)
    to 0:  int_0^D [c - F_phi(D, c) F_sigma(F_phi(D, D), F_phi(D, c))] dc = 0. Both averages are
    functions of (variance, array of covariances).
    """
    points, weights = leggauss(60)

    def energy(variance):
        # covariance = D sin(t): the square root of sin removes nothing, it crowds nodes at D
        t = np.pi / 4 * (points + 1)
        c = variance * np.sin(t)
        phi = phi_average(variance, np.append(variance, c))
        source = phi[1:] * gate_average(phi[0], phi[1:])
        return float(weights @ ((c - source) * np.cos(t))) / variance

    return brentq(energy, 0.8 * guess, 1.25 * guess, xtol=1e-14)
