"""Eigenvalues of a whole network's Jacobian, at a state and along its trajectory."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from .ensemble import Ensemble, check_finite, check_memory, network_now, settle
from .integrate import Trajectory
from .network import FiniteNetwork, State

Complexes = NDArray[np.complex128]


def jacobian(network: FiniteNetwork, x: State) -> NDArray[np.float64]:
    """D[k N + i, l N + j] = d(dx_k,i/dt) / d x_l,j at one state, ``(1, N)`` per field.

    Every unit vector goes through the compiled tangents and the same matrix products as a
    simulation: nothing about the network is assumed a second time. Precision of the network,
    stored as float64.
    """
    units, fields = network.units, len(x)
    dense = np.zeros((fields * units, fields * units))
    one = np.eye(units, dtype=network.dtype)
    none = np.zeros_like(one)
    for source in range(fields):
        dx = [one if k == source else none for k in range(fields)]
        _, columns = network.velocity_with_tangent(x, dx)
        for target, column in enumerate(columns):
            rows = slice(target * units, (target + 1) * units)
            # Row j of `column` is what a change of unit j does: a column of D.
            dense[rows, source * units : (source + 1) * units] = column.T
    return dense


@dataclass(frozen=True, slots=True, eq=False)
class JacobianEigenvalues:
    """Eigenvalues at several moments of one network: ``(moments, fields N)``, at times ``time``.

    ``outside``: at each moment, the share outside the curve that was given; NaN without one.
    """

    time: NDArray[np.float64]
    eigenvalues: Complexes
    outside: NDArray[np.float64]

    @property
    def leading(self) -> NDArray[np.float64]:
        """The largest real part at each moment."""
        return np.asarray(self.eigenvalues.real.max(axis=1))


def fraction_outside(eigenvalues: ArrayLike, curve: Sequence[ArrayLike]) -> float:
    """Share of the eigenvalues outside closed polygons of complex vertices.

    Inside is where a ray crosses the polygons an odd number of times, so that several islands, or an
    island with a hole, are one ``curve``. Vertices in order; the last is joined to the first.

    >>> fraction_outside([0, 0.4 + 0.4j, 2, -3j], [[1 + 1j, -1 + 1j, -1 - 1j, 1 - 1j]])
    0.5
    """
    points = np.asarray(eigenvalues, dtype=np.complex128).ravel()
    inside = np.zeros(points.size, dtype=np.bool_)
    for polygon in curve:
        start = np.asarray(polygon, dtype=np.complex128).ravel()
        end = np.roll(start, -1)
        for a, b in zip(start, end, strict=True):
            # Edges that the horizontal ray to the right of the point meets; half-open, so that a
            # vertex counts once.
            crosses = (a.imag > points.imag) != (b.imag > points.imag)
            if crosses.any():
                at = a.real + (points.imag - a.imag) * (b.real - a.real) / (b.imag - a.imag)
                inside ^= crosses & (points.real < at)
    return float(1.0 - inside.mean())


def eigenvalues_along(
    run: Trajectory, moments: int, steps: int, curve: Sequence[ArrayLike] | None = None
) -> JacobianEigenvalues:
    """Eigenvalues at ``moments`` states of the first start, ``steps`` integration steps apart.

    Memory is that of the moments asked for, (fields N)^2 float64 while one is computed, and time
    about 25 (fields N)^3 operations each.
    """
    times, found, shares = [], [], []
    for _ in range(moments):
        run.advance(steps)
        check_finite(run)
        values = np.linalg.eigvals(jacobian(network_now(run), [f[:1] for f in run.x])).astype(
            complex
        )
        times.append(run.time)
        found.append(values)
        shares.append(np.nan if curve is None else fraction_outside(values, curve))
    return JacobianEigenvalues(np.array(times), np.array(found), np.array(shares))


@dataclass(frozen=True, slots=True)
class EigenvaluePlan:
    """``moments`` states after a ``transient``, ``spacing`` leak times apart."""

    transient: float = 100.0
    moments: int = 4
    spacing: float = 20.0


def network_eigenvalues(
    ensemble: Ensemble,
    plan: EigenvaluePlan,
    curve: Sequence[ArrayLike] | None,
    n: int,
    realization: int,
) -> JacobianEigenvalues:
    """Along the trajectory of network number ``realization`` of ``n`` units."""
    size = len(ensemble.right.info.fields) * n
    check_memory("the dense Jacobian", n, 8.0 * (4 + 2 * plan.moments / size) * size**2)
    run = ensemble.begin(n, realization)
    settle(run, plan.transient)
    return eigenvalues_along(run, plan.moments, max(1, round(plan.spacing / run.dt)), curve)
