r"""Sheets of the static curve q(A) where couplings have a mean.

The mean outputs M obey mu = x0 + sum_a R_a m_a M_a(mu, d), as in the Curie-Weiss magnet: at a given
amplitude there may be several solutions. Each is followed in A, from q = 0 where the variances are
those of the inputs and the roots of that equation can be looked for by itself. Two sheets may meet
at a largest amplitude and end there; sheets that meet nothing go on to where q > 4. Where opposite
means are both solutions only the one whose first mean is positive is followed; where no mean solves the
equations, the sheet without one is the curve of the network without mean couplings.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import product

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import brentq, root

from .static_equations import SCAN_TOL, StaticPoints
from .statics import POINTS_PER_DECADE, Crossing, StaticCurve

__all__ = ["Sheet", "near_point", "sheet_crossings", "sheets", "starting_means"]

Floats = NDArray[np.float64]

_SMALLEST, _LARGEST = 1e-9, 1e12
#: A sheet's end is located to this step in log10 A.
_SHORTEST_STEP = 1e-5
#: Beyond a change by this share of the field's width a step in A is thought to have jumped.
_JUMP = 0.5
#: Means below this, in standard deviations, are those of the symmetric sheet.
_NO_MEAN = 1e-5


@dataclass(frozen=True)
class Sheet:
    """Amplitudes (rising), q and means (driven fields, points) of one sheet."""

    amplitudes: Floats
    scales: Floats
    means: Floats
    variances: Floats


def sheets(curve: StaticCurve) -> list[Sheet]:
    """All sheets that start at q = 0; not the one without means of a symmetric theory."""
    found = []
    for start in starting_means(curve, curve.offsets):
        sheet = _followed(curve, start)
        if sheet is not None:
            found.append(sheet)
    return found


def sheet_crossings(curve: StaticCurve, scale: float) -> list[Crossing]:
    """All constant solutions on all sheets, largest <x_1^2> first."""
    found: list[Crossing] = []
    if curve.means_may_vanish:  # without a mean they are those of the same curve whose means stay
        found += replace(curve, mean_gain=None).crossings(scale)
    for sheet in sheets(curve):
        excess = sheet.scales - scale
        for i in np.flatnonzero(excess[:-1] * excess[1:] < 0):

            def mismatch(amplitude: float, sheet: Sheet = sheet, i: int = int(i)) -> float:
                return float(near_point(curve, sheet, i, amplitude).scale[0]) - scale

            low, high = sheet.amplitudes[i], sheet.amplitudes[i + 1]
            a = float(brentq(mismatch, low, high, xtol=1e-15 * low, rtol=1e-15))
            point = near_point(curve, sheet, int(i), a)
            if point.converged[0]:
                upper = bool(excess[i + 1] > 0)
                found.append(Crossing(point.variances[:, 0], upper, point.means[:, 0]))
    return sorted(found, key=lambda c: -c.second_moment)


def near_point(curve: StaticCurve, sheet: Sheet, i: int, amplitude: float) -> StaticPoints:
    """The point of the sheet at an amplitude between its points i and i + 1."""
    a0, a1 = sheet.amplitudes[i], sheet.amplitudes[i + 1]
    share = (amplitude - a0) / (a1 - a0)
    guess = (1 - share) * sheet.means[:, i] + share * sheet.means[:, i + 1]
    return curve.points(amplitude, means=guess[:, None])


def starting_means(curve: StaticCurve, variances: Floats) -> list[Floats]:
    """Roots of the equation for the means at these variances of the driven fields."""
    assert curve.mean_gain is not None
    variances = variances[:, None]
    gain = curve.mean_gain[list(curve.fields)]
    currents = np.flatnonzero(np.any(gain != 0, axis=0))

    def means(outputs: Floats) -> Floats:
        """Means of the driven fields for mean outputs (currents that matter, points)."""
        return curve.constants[:, None] + gain[:, currents] @ outputs

    def mismatch(outputs: Floats) -> Floats:
        mu = means(outputs)
        spread = np.broadcast_to(variances, mu.shape)
        return curve.mean_outputs(spread, mu, SCAN_TOL)[0][currents] - outputs

    if currents.size == 1:
        reach = np.geomspace(1e-6, 1e4, 201)
        grid = np.concatenate([-reach[::-1], [0.0], reach])
        values = mismatch(grid[None])[0]
        values[abs(values) < 1e-14] = 0.0
        roots = [np.array([x]) for x, v in zip(grid, values, strict=True) if v == 0]
        for i in np.flatnonzero(values[:-1] * values[1:] < 0):
            x = brentq(lambda m: float(mismatch(np.array([[m]]))[0, 0]), grid[i], grid[i + 1])
            roots.append(np.array([x]))
    else:  # no scan covers several dimensions: starts of every sign and three sizes
        roots = []
        levels = [-10.0, -1.0, -0.1, 0.0, 0.1, 1.0, 10.0] if currents.size == 2 else [-1.0, 0, 1.0]
        for start in product(levels, repeat=min(currents.size, 4)):
            guess = np.zeros(currents.size)
            guess[: len(start)] = start
            result = root(lambda m: mismatch(m[:, None])[:, 0], guess, tol=1e-12)
            if result.success and not any(np.allclose(result.x, r, atol=1e-7) for r in roots):
                roots.append(result.x)
    found = [means(r[:, None])[:, 0] for r in roots]
    if not curve.means_may_vanish:
        return found
    found = [mu for mu in found if np.max(abs(mu)) > _NO_MEAN]
    positive = [mu for mu in found if mu[np.argmax(abs(mu) > _NO_MEAN)] > 0]
    mirrored = all(any(np.allclose(-mu, m, atol=1e-7) for m in found) for mu in found)
    return positive if mirrored else found


def _followed(curve: StaticCurve, start: Floats) -> Sheet | None:
    """The sheet from q = 0 upwards until it ends or q is large for good."""
    offset, top = float(curve.offsets[0]), curve.largest_amplitude
    has_mean = curve.means_may_vanish
    log_a, step = np.log10(_first_excess(curve, start)), 1 / POINTS_PER_DECADE
    last = _point(curve, offset + 10**log_a, start, has_mean)
    if last is None:
        return None
    points = [(offset + 10**log_a, last)]
    while log_a < np.log10(_LARGEST):
        a = offset + 10 ** (log_a + step)
        here = _point(curve, a, points[-1][1].means[:, 0], has_mean)
        width = np.sqrt(last.variances[:, 0]) + abs(last.means[:, 0])
        jumped = here is not None and bool(
            np.any(abs(here.means - last.means)[:, 0] > _JUMP * width)
        )
        if here is None or jumped:
            step /= 2
            if step < _SHORTEST_STEP:
                break
            continue
        log_a, last = log_a + step, here
        step = min(2 * step, 1 / POINTS_PER_DECADE)
        points.append((a, here))
        q, before = here.scale[0], points[-2][1].scale[0]
        if q > before and ((top is not None and a > top) or (top is None and q > 100)):
            break
    return Sheet(
        np.array([a for a, _ in points]),
        np.array([p.scale[0] for _, p in points]),
        np.stack([p.means[:, 0] for _, p in points], axis=1),
        np.stack([p.variances[:, 0] for _, p in points], axis=1),
    )


def _first_excess(curve: StaticCurve, start: Floats) -> float:
    """An amplitude above the offset at which q is still small."""
    total = curve.total(curve.offsets[:, None], start[:, None])
    drive = float((curve.gain[curve.fields[0]] @ total)[0])
    return min(_SMALLEST, 0.01 * drive) if drive > 0 else _SMALLEST


def _point(
    curve: StaticCurve, amplitude: float, means: Floats, has_mean: bool
) -> StaticPoints | None:
    """The solution close to ``means``; None if there is none or it has slid to the symmetric sheet."""
    found = curve.points(amplitude, SCAN_TOL, means[:, None])
    if not found.converged[0] or not np.isfinite(found.scale[0]):
        return None
    size = np.max(abs(found.means[:, 0]) / np.sqrt(np.max(found.variances[:, 0])))
    if has_mean and size < _NO_MEAN:
        return None
    return found
