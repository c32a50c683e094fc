"""lambda_max of the classical network (tanh) by another route, in balls: no lag grid, no FFT, no window.

The exponent of SCS (1988) is lambda = -1 + sqrt(1 - E_0), E_0 the ground energy of -d^2/dt^2 + W with
W = 1 - g^2 E phi'(x) phi'(x'). The time is left for the correlation itself: y = C / Delta_0 runs from 1 to
0 with (dy/dt)^2 = P(y), P known from the coefficients of phi in Hermite polynomials,

    P = y^2 - 2 g^2 / Delta_0 sum_n c_n y^(n+1) / (n+1),   E phi phi' = sum_n c_n y^n (n odd),

so that P psi'' + P'/2 psi' + (E - 1 + g^2 / Delta_0 sum_n n c_n y^(n-1)) psi = 0. The state decays as y^s,
s = sqrt(1 - E / P''(0)/2); psi = y^s u(y^2) with u analytic on [0, 1], found by Chebyshev collocation, and
the energy by the secant method on 1/u at y = 1 for a given right-hand side.
"""

from __future__ import annotations

import math

from flint import arb, arb_mat, ctx

_TERMS = 900
_STEP = 28  # nodes of the trapezoid rule per unit of x / sqrt(Delta_0)
_REACH = 16


def hermite_coefficients(variance: arb) -> dict[int, arb]:
    """c_n = E[phi he_n]^2 for odd n, he_n orthonormal."""
    spread = variance.sqrt()
    x = [arb(k) / _STEP for k in range(_REACH * _STEP + 1)]
    norm = 2 / (_STEP * (2 * arb.pi()).sqrt())  # odd times odd: twice the half line
    weighted = [(norm * (-t * t / 2).exp() * (spread * t).tanh()).mid() for t in x]
    before, now = [arb(1)] * len(x), x
    found = {}
    for n in range(1, _TERMS):
        if n % 2:
            total = arb(0)
            for a, b in zip(weighted, now, strict=True):
                total += a * b
            found[n] = (total * total).mid()
        r, q = arb(n).sqrt(), arb(n + 1).sqrt()
        before, now = (
            now,
            [((t * u - r * v) / q).mid() for t, u, v in zip(x, now, before, strict=True)],
        )
    return found


def _chebyshev(order: int) -> tuple[list[arb], arb_mat]:
    """Points on [0, 1] from 1 down to 0, and the differentiation matrix."""
    nodes = [(arb.pi() * i / order).cos() for i in range(order + 1)]
    scale = [(2 if i in (0, order) else 1) * (-1) ** i for i in range(order + 1)]
    rows = []
    for i in range(order + 1):
        row = [
            (arb(scale[i]) / scale[j] / (nodes[i] - nodes[j]) * 2).mid() if i != j else arb(0)
            for j in range(order + 1)
        ]
        row[i] = -sum(row, arb(0)).mid()
        rows.append(row)
    points = [((1 + t) / 2).mid() for t in nodes]
    points[-1] = arb(0)
    return points, arb_mat(rows)


def classical_exponent(gain: int, variance: str, near: float, order: int = 60) -> str:
    """lambda_max for tanh and Delta_0 = ``variance``, about 20 digits at order 60, as a decimal."""
    digits, ctx.dps = ctx.dps, 60
    try:
        return _exponent(gain, arb(variance), near, order).str(25, radius=False)
    finally:
        ctx.dps = digits


def _exponent(gain: int, variance: arb, near: float, order: int) -> arb:
    c = hermite_coefficients(variance)
    ratio = arb(gain) ** 2 / variance
    points, first = _chebyshev(order)
    second = first * first
    rest = 1 - ratio * c[1]  # P = rest y^2 + ...
    curve = []
    for w in points[:-1]:
        y = w.sqrt()
        by_n = [(n, c[n] * y ** (n - 1)) for n in c]
        inner = sum((v * w / (n + 1) for n, v in by_n), arb(0))
        slope = sum((v * y for _, v in by_n), arb(0))
        bend = sum((n * v for n, v in by_n), arb(0))
        curve.append((w - 2 * ratio * inner, 2 * y - 2 * ratio * slope, 1 - ratio * bend, y))

    def inverse(energy: arb) -> arb:
        """Zero where a state with this energy exists."""
        s = (1 - energy / rest).sqrt()
        rows = []
        for i, w in enumerate(points[:-1]):
            p, slope, well, y = curve[i]
            of_u = p / w * s * (s - 1) + slope / y * s / 2 - well + energy
            of_first = p * (4 * s + 2) + slope * y
            of_second = 4 * w * p
            rows.append(
                [
                    (of_first * first[i, j] + of_second * second[i, j] + (of_u if i == j else 0))
                    / w
                    for j in range(order + 1)
                ]
            )
        bent = c[3] * ratio  # the row at y = 0, where all is divided by w
        at_zero = -bent / 2 * s * (s - 1) - bent * s + 3 * bent
        last = [rest * (4 * s + 4) * first[order, j] for j in range(order)]
        rows.append([*last, rest * (4 * s + 4) * first[order, order] + at_zero])
        middle = arb_mat([[v.mid() for v in row] for row in rows])
        u = middle.solve(arb_mat(order + 1, 1, [1] * (order + 1)), algorithm="approx")
        return (1 / u[0, 0]).mid()

    energies = [arb(1 - (1 + near) ** 2), arb(1 - (1 + near) ** 2) + arb(10) ** -11]
    values = [inverse(e) for e in energies]
    for _ in range(8):
        if math.isclose(float(values[1] - values[0]), 0.0, abs_tol=1e-50):
            break
        step = values[1] * (energies[1] - energies[0]) / (values[1] - values[0])
        energies = [energies[1], (energies[1] - step).mid()]
        values = [values[1], inverse(energies[1])]
    return -1 + (1 - energies[1]).sqrt()
