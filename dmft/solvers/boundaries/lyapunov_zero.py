r"""``lyapunov-zero``: where the largest Lyapunov exponent of the state that is preferred changes its sign.

Without white noise the sign changes where chaos appears (`chaos_onset`): through zero where chaos is born
continuously, with a jump where it appears in a fold. Those points are candidates, and the exponent a
little to both sides decides. With white noise the state fluctuates on both sides and the exponent is a
smooth function of any parameter: its zero is found by the secant method, next to the line where rest
would lose stability without the noise, and from there along the curve. For one field it lies where
C(0) = R^2 v c^2 E f^2 (J. Schuecker, S. Goedeke, M. Helias, Phys. Rev. X 8, 041029 (2018)).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from ..stationary import solve_stationary
from ..status import Status
from .chaos_onset import chaos_families
from .family import Family, Run, Seed, Sharp
from .locate import Located
from .point import BoundaryPoint, Kind, no_point
from .request import Request, by_families
from .zero_state import zero_state_families

__all__ = ["SignChange", "locate_lyapunov_zero"]

Floats = NDArray[np.float64]

#: The exponent is looked at this far, in the unknown's coordinate, on both sides of a candidate.
_BESIDE = 0.01
#: Along a curve of driven states this many points are located.
_POINTS = 25
_STEPS = (0.05, 0.1, 0.2, 0.4, 0.8, 1.6)
_MOST_STEPS = 30


def locate_lyapunov_zero(request: Request) -> Located:
    """Candidates where nothing is noisy, else zeros of a smooth function."""
    if _is_noisy(request):
        return _driven(request)
    return by_families(sign_changes)(request)


def _is_noisy(request: Request) -> bool:
    p = {**request.base, request.solve_for: 1.0}
    if request.swept:
        p[request.swept] = max(map(abs, request.values or request.span or (0.0,)))
    return bool(np.any(request.theory.vector("noise_intensities", p) != 0))


def _exponent(request: Request, c: float, q: float) -> float:
    """lambda_max of the preferred state; NaN without an answer."""
    p = {**request.base, request.solve_for: float(request.axis.value(c))}
    if request.swept:
        p[request.swept] = q
    try:
        solution, _ = solve_stationary(request.theory, p, tol=min(1e-8, request.tol * 1e3))
    except ArithmeticError:
        return float("nan")
    if not solution.status.is_answer or solution.lyapunov is None:
        return float("nan")
    return solution.lyapunov


def sign_changes(request: Request) -> list[Family]:
    """The families of the onset of chaos, and of mean activities, judged by the exponent."""
    chaos = [*chaos_families(request), zero_state_families(request)[1]]
    return [SignChange(request, family) for family in chaos]


@dataclass
class SignChange:
    """Points of another family where the exponent has different signs on both sides."""

    request: Request
    inner: Family
    _judged: list[tuple[Floats, bool]] = field(default_factory=list, repr=False)

    @property
    def kind(self) -> Kind:
        """Through zero, or a jump where the family's points are folds."""
        return Kind.JUMP if self.inner.kind is Kind.FOLD else Kind.ZERO

    @property
    def splits(self) -> bool:
        """As the other family."""
        return bool(getattr(self.inner, "splits", False))

    def seeds(self, q: Floats) -> list[Seed]:
        """Of the other family."""
        return self.inner.seeds(q)

    def run(self, seed: Seed, span: tuple[float, float]) -> Run:
        """Of the other family."""
        return self.inner.run(seed, span)

    def sharpen(self, z: Floats) -> Sharp:
        """Of the other family."""
        return self.inner.sharpen(z)

    def amplitude(self, z: Floats) -> float:
        """Of the other family."""
        return self.inner.amplitude(z)

    def others(self, z: Floats) -> dict[str, float]:
        """Of the other family."""
        return self.inner.others(z)

    def belongs(self, z: Floats) -> bool:
        """Whether the exponent changes its sign; takes two solutions."""
        for known, verdict in self._judged:
            if np.max(abs(known - z)) < 1e-9:
                return verdict
        verdict = self.inner.belongs(z) and self._changes(float(z[-2]), float(z[-1]))
        self._judged.append((z.copy(), verdict))
        return verdict

    def _changes(self, c: float, q: float) -> bool:
        low, high = (_exponent(self.request, c + side * _BESIDE, q) for side in (-1, 1))
        return bool(low * high < 0)


def _driven(request: Request) -> Located:
    """Zeros of the exponent of states that noise drives, row by row, each from the last."""
    values: Floats
    if request.span is not None:
        values = np.linspace(*request.span, _POINTS)
    else:
        values = np.array(request.values) if request.values else np.array([np.nan])
    found: dict[float, BoundaryPoint] = {}
    near: float | None = None
    for q in np.unique(values).tolist():
        point = _zero(request, q, near)
        if point.found:
            near = float(request.axis.coordinate(point.value))
        found[q] = point
    return Located(tuple((float(q), found[float(q)]) for q in values))


def _zero(request: Request, q: float, near: float | None) -> BoundaryPoint:
    bracket = _bracket(request, q, near)
    if bracket is None:
        return no_point()
    (low, f_low), (high, f_high) = bracket
    side = 0
    for _ in range(_MOST_STEPS):
        c = (low * f_high - high * f_low) / (f_high - f_low)
        f = _exponent(request, c, q)
        if np.isnan(f):
            return no_point(Status.NOT_CONVERGED)
        slope = abs((f_high - f_low) / (high - low))
        error = (abs(f) + 2e-12) / slope * abs(request.axis.slope(c))
        value = float(request.axis.value(c))
        if error <= max(request.tol, 1e-10) * max(1.0, abs(value)) or abs(f) < 1e-12:
            accurate = error <= max(request.tol, 1e-9) * max(1.0, abs(value))
            status = Status.CONVERGED if accurate else Status.NOT_CONVERGED
            return BoundaryPoint(value, error, status, Kind.ZERO)
        if f * f_high < 0:
            low, f_low = high, f_high
            side = 0
        else:
            f_low = f_low / 2 if side else f_low
            side = 1
        high, f_high = c, f
    return no_point(Status.NOT_CONVERGED)


def _bracket(
    request: Request, q: float, near: float | None
) -> tuple[tuple[float, float], tuple[float, float]] | None:
    """Two coordinates with exponents of different signs, next to ``near`` or to the line of rest."""
    starts = [near] if near is not None else []
    if near is None:
        row = request.at(q) if request.swept else request
        starts = [
            float(seed.z[0]) for f in zero_state_families(row) for seed in f.seeds(np.zeros(1))
        ]
        starts = starts or [float(request.axis.coordinate(1.0))]
    low, high = request.axis.ends
    for start in starts:
        known: dict[float, float] = {start: _exponent(request, start, q)}
        for step in _STEPS:
            for side in (1.0, -1.0):
                c = start + side * step
                if not low <= c <= high:
                    continue
                known[c] = _exponent(request, c, q)
                ordered = sorted(k for k in known if not np.isnan(known[k]))
                for a, b in pairwise(ordered):
                    if known[a] * known[b] < 0:
                        return (a, known[a]), (b, known[b])
    return None
