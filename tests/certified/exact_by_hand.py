"""Averages and folds of the gated network at many digits by plain sums; no code of the package."""

import mpmath


def mean(f, variance, step="0.02", reach=16):
    """E f(x), var x = variance: the trapezoid rule, far finer than needed for 45 digits."""
    h, deviation = mpmath.mpf(step), mpmath.sqrt(variance)
    total = mpmath.mpf(0)
    for k in range(-int(reach / h), int(reach / h) + 1):
        x = k * h
        total += f(deviation * x) * mpmath.exp(-x * x / 2)
    return total * h / mpmath.sqrt(2 * mpmath.pi)


def sigma(alpha, beta=0):
    return lambda x: 1 / (1 + mpmath.exp(beta - alpha * x))


def gain_square(u, alpha, beta=0):
    """g_h^2 at which a constant solution with g_h^2 Delta_h = u exists (THEORY section 3)."""
    phi = mean(lambda x: mpmath.tanh(x) ** 2, u)
    gate = mean(lambda x: sigma(alpha, beta)(x) ** 2, phi)
    return u / (phi * gate)


def fold(alpha, start_u):
    """The smallest gain: a parabola through three points, narrowed; good to the root of the digits
    in u and to all of them in the gain."""
    u, h = mpmath.mpf(start_u), mpmath.mpf("1e-3")
    for _ in range(5):
        below, here, above = (gain_square(u + k * h, alpha) for k in (-1, 0, 1))
        u += h * (below - above) / (2 * (below - 2 * here + above))
        h = max(h * h, mpmath.mpf("1e-12"))
    return mpmath.sqrt(gain_square(u, alpha))
