"""An independent average over a pair of Gaussian values, and the functions to try it on.

With x = D^(1/2) (p u + m v), y = D^(1/2) (p u - m v), p^2 = (1 + rho)/2, m^2 = (1 - rho)/2 and u, v
independent standard normals, E a(x) b(y) is a plain double sum by the trapezoid rule, good at every
rho including +-1. Nothing of the package's series enters.
"""

import numpy as np

REACH = 8.6  # the density is 1e-16 there


def double_average(first, second, variance, rho, steepness):
    """E first(x) second(y); ``steepness`` is gain times standard deviation."""
    step = np.pi**2 / (44 * max(steepness, 0.6))  # error 2 pi / h exp(-pi^2 / (a h)) < 1e-17
    step = min(step, 0.3)
    count = int(REACH / step)
    nodes = step * np.arange(-count, count + 1)
    weights = np.exp(-(nodes**2) / 2)
    weights /= weights.sum()
    plus = np.sqrt(variance * (1 + rho) / 2) * nodes
    minus = np.sqrt(variance * (1 - rho) / 2) * nodes
    total = 0.0
    for u, weight in zip(plus, weights, strict=True):
        total += weight * float(weights @ (first(u + minus) * second(u - minus)))
    return total


def tanh_family(gain):
    """f, f', f'' of tanh(gain x), typed by hand."""

    def value(x):
        return np.tanh(gain * x)

    def slope(x):
        return gain / np.cosh(np.clip(gain * x, -350, 350)) ** 2

    def curvature(x):
        return -2 * gain * value(x) * slope(x)

    return value, slope, curvature


def logistic_family(gain, bias):
    """f, f', f'' of 1/(1 + exp(-gain x + bias)), as a shifted tanh."""
    value, slope, curvature = tanh_family(gain / 2)
    shift = bias / gain
    return (
        lambda x: (1 + value(x - shift)) / 2,
        lambda x: slope(x - shift) / 2,
        lambda x: curvature(x - shift) / 2,
    )


def as_list(family):
    """The form that the package takes: x -> [f, f', f'']."""
    return lambda x: [part(x) for part in family]
