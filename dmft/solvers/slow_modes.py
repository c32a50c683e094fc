r"""Slow modes of a constant state with a moving gate: leading edge of the Jacobian, relaxation times.

Gated fields relax at the rate s(y) of their unit, y Gaussian. With q = 0, as in every constant state
without an input beside the gate, the edge of the Jacobian's eigenvalues on the real axis lies where
the spectral radius of

    sum_a <|G_ka(lambda)|^2> dS_a/dC_j,   <|G_ka|^2> = R_ka^2 < (s(y) / (lambda + s(y)))^2 >,

is one; for fields that are not gated s is a number (`derivations.edge`). At lambda -> 0 this is the radius
of the static matrix M, whatever the gate: the edge is positive if that is above one, but falls
exponentially with the gain of the gate where the open units alone are stable
(`boundaries.marginal_stability`). Where it is below one the edge is zero: rates of a Gaussian y come
arbitrarily close to it. Chaotic states: `moving_edge`.

With a share f of open units the gated rows of M are multiplied by f. Its radius is then not f times what
it was where other fields are part of the loop, but it is one where f V = 1, V being the gain once around,
from the gated fields to themselves, directly and through all others (`loop_gain`).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.optimize import brentq

from dmft.codegen.theory import CompiledTheory

from .static_system import StaticRows, StaticSystem
from .statics import StaticCurve
from .status import Status

__all__ = ["SlowModes", "loop_gain", "relaxation", "slow_modes"]

Floats = NDArray[np.float64]

#: Widths of the gating field that are averaged over, and nodes at first; doubled until nothing changes.
_REACH, _FIRST_NODES, _MOST_NODES = 9.0, 2001, 2**19
_TOL = 1e-11
#: log rates between which the edge is looked for.
_LOWEST, _HIGHEST = -650.0, 12.0


@dataclass(frozen=True)
class SlowModes:
    """``radius`` of M and leading ``edge`` of a state; ``mean``, ``variance`` of the gating field.

    ``loop_gain`` V of `loop_gain`, on the same side of one as the radius and equal to it where the gated
    fields alone drive each other; open units, a share f, pass on f V. NaN for chaotic states.
    ``error`` that of log edge: of a constant state by doubling the nodes of the average, of a chaotic one
    a standard error (`moving_edge`). ``amplitude``: C(0) of the first field that is driven or gated.
    ``status``, ``message``: whether the numbers may be used.
    """

    amplitude: float
    radius: float
    edge: float
    error: float
    mean: float
    variance: float
    loop_gain: float = float("nan")
    status: Status = Status.CONVERGED
    message: str = ""


def relaxation(
    theory: CompiledTheory, p: Mapping[str, float], mean: float, variance: float, times: ArrayLike
) -> Floats:
    """The share of units whose gate makes them relax more slowly than ``times``.

    Of any state whose gating field has this mean and variance, chaotic ones too: it is Gaussian.
    """
    nodes, weights = _normal(200001)
    rates = _rates(theory, p, mean + np.sqrt(variance) * nodes)
    order = np.argsort(rates)
    cumulative = np.concatenate([[0.0], np.cumsum(weights[order])])
    slower = np.searchsorted(rates[order], 1 / np.asarray(times, dtype=float))
    return np.asarray(cumulative[slower])


def loop_gain(matrix: ArrayLike, gated: Sequence[int]) -> float:
    """V: the spectral radius of M_gg + M_gu (1 - M_uu)^-1 M_ug, g the gated fields, u all others.

    Infinite where the others alone amplify, radius of M_uu >= 1. For a matrix without negative entries
    V and its radius lie on the same side of one; multiplying the gated rows multiplies V, not the radius.

    >>> matrix = np.array([[1.5, 0.5], [1.0, 0.0]])
    >>> round(loop_gain(matrix, [0]), 6), round(float(max(abs(np.linalg.eigvals(matrix)))), 6)
    (2.0, 1.780776)
    """
    m = np.asarray(matrix, dtype=float)
    g = list(gated)
    u = [k for k in range(len(m)) if k not in g]
    inner = m[np.ix_(u, u)]
    if u and np.max(abs(np.linalg.eigvals(inner))) >= 1:
        return float("inf")
    through = np.linalg.solve(np.eye(len(u)) - inner, m[np.ix_(u, g)])
    around = m[np.ix_(g, g)] + m[np.ix_(g, u)] @ through
    return float(np.max(abs(np.linalg.eigvals(around))))


def slow_modes(theory: CompiledTheory, p: Mapping[str, float]) -> list[SlowModes]:
    """Of all constant states other than rest, the largest first."""
    gate = theory.gate
    system = StaticSystem(theory, also=(gate.field,))
    found = []
    for crossing in StaticCurve.of(theory, p).crossings():
        rows = system.at(crossing.variances[:1], p)
        place = system.fields.index(gate.field)
        found.append(_at(_Edge(system, rows, p), float(crossing.variances[0]), place))
    return found


def _at(edge: _Edge, amplitude: float, place: int) -> SlowModes:
    nodes, log_edge, error = _FIRST_NODES, _HIGHEST, np.inf
    radius = edge.radius(-np.inf, 3)
    while radius > 1 and nodes < _MOST_NODES and error > _TOL * (1 + abs(log_edge)):
        new = brentq(lambda x, n=nodes: np.log(edge.radius(x, n)), _LOWEST, _HIGHEST, xtol=1e-12)
        error = abs(new - log_edge)
        log_edge, nodes = float(new), 2 * nodes - 1
    return SlowModes(
        amplitude=amplitude,
        radius=radius,
        edge=float(np.exp(log_edge)) if radius > 1 else 0.0,
        error=error if radius > 1 else 0.0,
        mean=float(edge.rows.means[place, 0]),
        variance=float(edge.rows.variances[place, 0]),
        loop_gain=loop_gain(edge.matrix(-np.inf, 3), edge.gated),
    )


@dataclass(frozen=True)
class _Edge:
    """The matrix, driven field by driven field, whose spectral radius is one at the edge."""

    system: StaticSystem
    rows: StaticRows
    p: Mapping[str, float]

    @property
    def gated(self) -> list[int]:
        """Rows of the gated fields."""
        held = self.system.theory.gate.held
        return [place for place, k in enumerate(self.system.fields) if k in held]

    def radius(self, log_rate: float, nodes: int) -> float:
        """Of `matrix`."""
        return float(np.max(abs(np.linalg.eigvals(self.matrix(log_rate, nodes)))))

    def matrix(self, log_rate: float, nodes: int) -> Floats:
        """At lambda = exp(log_rate), the average over the gate on so many nodes."""
        theory, fields = self.system.theory, list(self.system.fields)
        gain = theory.matrices["response"].at(self.p)[fields] ** 2
        if np.isfinite(log_rate):
            filtered = [self._filter(k, log_rate, nodes) for k in fields]
            gain = gain * np.array(filtered)[:, None]
        return np.asarray(gain @ self.rows.weights[:, :, 0])

    def _filter(self, field: int, log_rate: float, nodes: int) -> float:
        """< (s / (lambda + s))^2 > of one field."""
        theory, gate = self.system.theory, self.system.theory.gate
        if field not in gate.held:
            return float(1 + np.exp(log_rate) / _leak(theory, self.p, field)) ** -2
        x, weights = _normal(nodes)
        place = self.system.fields.index(gate.field)
        y = self.rows.means[place, 0] + np.sqrt(self.rows.variances[place, 0]) * x
        with np.errstate(divide="ignore", over="ignore"):
            ratio = np.exp(log_rate - np.log(_rates(theory, self.p, y, field)))
        return float(weights @ (1 / (1 + ratio)) ** 2)


def _leak(theory: CompiledTheory, p: Mapping[str, float], field: int) -> float:
    """The rate of a field while the gain of the gate is zero."""
    drift = theory.matrices["drift"].at({**p, theory.gate.gain: 0.0})
    return -float(drift[field, field])


def _rates(
    theory: CompiledTheory, p: Mapping[str, float], y: Floats, field: int | None = None
) -> Floats:
    """s(y) of a gated field, the first by default."""
    gate = theory.gate
    still = gate.share(np.zeros(1), {**p, gate.gain: 0.0})
    leak = _leak(theory, p, gate.held[0] if field is None else field)
    return np.asarray(leak * gate.share(y, p) / still)


def _normal(nodes: int) -> tuple[Floats, Floats]:
    """Nodes and weights of the trapezoid rule for a standard normal variable."""
    x = np.linspace(-_REACH, _REACH, nodes)
    weights = np.exp(-(x**2) / 2)
    return x, weights / weights.sum()
