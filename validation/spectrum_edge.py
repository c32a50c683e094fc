r"""Where random-matrix theory puts the edge of a Jacobian's eigenvalues, from units of known states.

A perturbation exp(s t) of a unit obeys dx = G(s) B dxi with G(s) = (s - A)^-1, A = df/dx and B = df/dxi
at its own state, and dpsi = P dx. With independent Gaussian couplings of variance v_a/N the eigenvalues of
the whole network lie where the spectral radius of

.. math:: M_{ab}(s) = v_a \left\langle |(P G(s) B)_{ab}|^2 \right\rangle

exceeds one, the average running over units (Ahmadian, Fumarola & Miller, PRE 91, 012820 (2015);
Krishnamurthy, Can & Schwab 2022; derived for any model in `dmft.derivations.edge`). States are an argument:
those that a network has, or those that a mean-field theory says its units have.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.optimize import brentq
from scipy.special import ndtri
from scipy.stats import qmc

from .network import RightHandSide

Floats = NDArray[np.float64]
Complexes = NDArray[np.complex128]


@dataclass(frozen=True, slots=True, eq=False)
class UnitJacobians:
    """A, B and P of every unit, ``(units, rows, columns)``, and the variances of the currents."""

    drift: Floats
    by_current: Floats
    outputs: Floats
    variances: Floats

    def radius(self, s: ArrayLike) -> Floats:
        """Spectral radius of M at every s; below one outside the cloud, infinite at a pole."""
        points = np.asarray(s, dtype=np.complex128)
        found = np.array([self._radius(value) for value in points.ravel()])
        return found.reshape(points.shape)

    def _radius(self, s: complex) -> float:
        fields = self.drift.shape[-1]
        try:
            inner = np.linalg.solve(s * np.eye(fields) - self.drift, self.by_current + 0j)
        except np.linalg.LinAlgError:
            return float("inf")
        squares = np.abs(self.outputs @ inner) ** 2
        matrix = self.variances[:, None] * squares.mean(axis=0)
        return float(np.abs(np.linalg.eigvals(matrix)).max())

    @property
    def centre(self) -> float:
        """Mean leak rate of the first field: what the cloud surrounds."""
        return float(self.drift[:, 0, 0].mean())

    def edge(self, vertices: int = 48) -> Complexes:
        """Closed polygon on the outermost edge, in order of the angle about `centre`, from the right.

        On every ray from there, where the radius of M falls through one.
        """
        angles = 2 * np.pi * np.arange(vertices // 2 + 1) / vertices
        upper = [self._crossing(np.exp(1j * angle)) for angle in angles]
        return np.array([*upper, *np.conj(upper[-2:0:-1])])

    def _crossing(self, direction: complex) -> complex:
        def excess(distance: float) -> float:
            return float(np.log(self._radius(self.centre + direction * distance)))

        far = 0.05
        while excess(far) > 0 or excess(1.3 * far) > 0:
            far *= 1.3
        near = far / 1.3
        while excess(near) <= 0:
            near /= 1.3
        return complex(self.centre + direction * brentq(excess, near, far, xtol=1e-6))


def unit_jacobians(
    right: RightHandSide,
    p: dict[str, float],
    x: Sequence[ArrayLike],
    xi: Sequence[ArrayLike],
) -> UnitJacobians:
    """At the states ``x``, one array over units per field, and the currents ``xi``."""
    fields = [np.asarray(f, dtype=np.float64)[None] for f in x]
    currents = [np.asarray(c, dtype=np.float64)[None] for c in xi]
    units = fields[0].shape[1]
    one, none = np.ones((1, units)), np.zeros((1, units))
    inputs = [np.zeros(units)] * len(right.info.inputs)

    def unit(k: int, count: int) -> list[Floats]:
        return [one if j == k else none for j in range(count)]

    def stacked(columns: list[list[NDArray[np.float64]]]) -> Floats:
        whole = [[np.broadcast_to(e, (1, units))[0] for e in column] for column in columns]
        return np.moveaxis(np.array(whole), (0, 1, 2), (2, 1, 0))

    k, a = len(fields), len(currents)
    # unit(k, k) and unit(a, a) are tangents that vanish.
    by_field = [
        right.tangent_drift(fields, currents, unit(j, k), unit(a, a), p, inputs) for j in range(k)
    ]
    by_current = [
        right.tangent_drift(fields, currents, unit(k, k), unit(b, a), p, inputs) for b in range(a)
    ]
    outputs = [right.tangent_outputs(fields, unit(j, k), p) for j in range(k)]
    variances = np.array(right.variance(p), dtype=np.float64)
    return UnitJacobians(stacked(by_field), stacked(by_current), stacked(outputs), variances)


def gaussian_states(variances: Sequence[float], count: int = 1024) -> list[Floats]:
    """Independent centred Gaussian fields, as ``count`` (a power of two) evenly spread units each.

    The law of units where the theory is Gaussian and currents of different fields have independent
    couplings. Scrambled Sobol points with a fixed seed: 1024 of them give variances to half a per cent.
    """
    uniform = qmc.Sobol(len(variances), rng=np.random.default_rng(0)).random(count)
    return [np.sqrt(v) * ndtri(u) for v, u in zip(variances, uniform.T, strict=True)]
