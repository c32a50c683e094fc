"""Every symbol that the derivations share, once, with its assumptions and its meaning."""

from __future__ import annotations

import sympy as sp

#: Lag between two times, in leak time constants.
tau = sp.Symbol("tau", real=True)
#: Angular frequency conjugate to the lag.
omega = sp.Symbol("omega", real=True)
#: Laplace variable; a perturbation grows like exp(s t).
s = sp.Symbol("s")
#: Growth rate of a perturbation (Lyapunov exponent, real part of an eigenvalue).
lambda_ = sp.Symbol("lambda", real=True)
#: Number of units.
N = sp.Symbol("N", integer=True, positive=True)


def field_symbol(name: str) -> sp.Symbol:
    """The symbol of a field: a real number."""
    return sp.Symbol(name, real=True)


def variance_symbol(field: str) -> sp.Symbol:
    """C(0) of a field: its second moment, a positive number."""
    return sp.Symbol(f"D_{field}", positive=True)


def covariance_symbol(field: str) -> sp.Symbol:
    """C(tau) of a field at the lag in question: a real number."""
    return sp.Symbol(f"C_{field}", real=True)
