r"""``zero-state``: where rest loses stability.

The spectrum of a large network at rest is a cloud and, if couplings have means, a few eigenvalues
outside (`derivations.statics`). The cloud reaches the imaginary axis where the spectral radius of
v_a |sum_l P_al G0_lb(i omega)|^2, the largest over all frequencies, is one; the eigenvalues outside are
those of A0 + B0 diag(m) P. Whichever is first is the boundary: a crossing of one counts where the other
is on the stable side.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize_scalar

from dmft.codegen.float64 import FLOAT64
from dmft.codegen.theory import CompiledTheory

from .family import Family
from .point import Kind
from .request import Request
from .scalar import ScalarFamily, Values

__all__ = ["rest_log_radius", "rest_outliers", "zero_state_families"]

Floats = NDArray[np.float64]

_SCAN = np.concatenate([[0.0], np.geomspace(1e-3, 1e3, 61)])


def zero_state_families(request: Request) -> list[Family]:
    """The edge of the cloud, and the eigenvalues outside."""
    theory, axis = request.theory, request.axis

    def at(c: Floats, rows: Mapping[str, Floats]) -> dict[str, Any]:
        return {**request.base, **rows, request.solve_for: axis.value(c)}

    def cloud(c: Floats, rows: Mapping[str, Floats]) -> Floats:
        return rest_log_radius(theory, at(c, rows), c.size)

    def outside(c: Floats, rows: Mapping[str, Floats]) -> Floats:
        return rest_outliers(theory, at(c, rows), c.size)

    def stable(values: Values) -> Values:
        return lambda c, rows: -values(c, rows)

    pairs = [(cloud, outside), (outside, cloud)]
    return [
        ScalarFamily(
            values,
            axis,
            request.swept,
            Kind.LINE,
            member=stable(other),
            member_event=Kind.CORNER,
        )
        for values, other in pairs
    ]


def _matrices(theory: CompiledTheory, p: Mapping[str, Any], rows: int, name: str) -> Floats:
    """A matrix of the zero state at every row, (rows, n, m)."""
    part = theory.matrices[name]
    with np.errstate(all="ignore"):
        entries = part.tape.run(FLOAT64, dict(p))
    stacked = [np.broadcast_to(np.asarray(e, dtype=float), (rows,)) for e in entries]
    return np.stack(stacked, axis=-1).reshape(rows, *part.shape)


def _vectors(theory: CompiledTheory, p: Mapping[str, Any], rows: int, name: str) -> Floats:
    with np.errstate(all="ignore"):
        entries = theory.vectors[name].run(FLOAT64, dict(p))
    return np.stack(
        [np.broadcast_to(np.asarray(e, dtype=float), (rows,)) for e in entries], axis=-1
    )


def rest_log_radius(theory: CompiledTheory, p: Mapping[str, Any], rows: int) -> Floats:
    """Log of the largest spectral radius over all frequencies, (rows,)."""
    drift, inputs, output = (
        _matrices(theory, p, rows, name) for name in ("drift_zero", "input_zero", "output_zero")
    )
    weights = _vectors(theory, p, rows, "weights")
    size = drift.shape[-1]
    poles = np.linalg.eigvals(drift)
    rates = abs(poles)
    scan = _SCAN * np.sqrt(rates.min(axis=1) * rates.max(axis=1))[:, None]
    scan = np.concatenate([scan, abs(poles.imag)], axis=1)

    def radius(frequencies: Floats, of: Any = slice(None)) -> Floats:
        """(rows, frequencies)."""
        s = 1j * frequencies[..., None, None]
        filters = np.linalg.solve(s * np.eye(size) - drift[of, None], inputs[of, None] + 0j * s)
        matrices = weights[of, None, :, None] * abs(output[of, None] @ filters) ** 2
        return np.asarray(np.max(abs(np.linalg.eigvals(matrices)), axis=-1))

    seen = radius(scan)
    largest = seen[:, 0].copy()
    ordered = np.argsort(scan, axis=1)
    for row in np.flatnonzero(np.max(seen, axis=1) > seen[:, 0] * (1 + 1e-12)).tolist():
        places = ordered[row]
        best = int(np.argmax(seen[row, places]))
        ends = (
            scan[row, places[max(best - 1, 0)]],
            scan[row, places[min(best + 1, len(places) - 1)]],
        )

        def minus(w: float, row: int = row) -> float:
            return -float(radius(np.array([[w]]), slice(row, row + 1))[0, 0])

        peak = minimize_scalar(
            minus, bounds=ends, method="bounded", options={"xatol": 1e-10 * ends[1]}
        )
        largest[row] = max(float(seen[row, places[best]]), -float(peak.fun))
    with np.errstate(divide="ignore"):
        return np.asarray(np.log(largest))


def rest_outliers(theory: CompiledTheory, p: Mapping[str, Any], rows: int) -> Floats:
    """The largest real part of the eigenvalues outside, over the slowest rate of the fields."""
    drift, inputs, output = (
        _matrices(theory, p, rows, name) for name in ("drift_zero", "input_zero", "output_zero")
    )
    means = _vectors(theory, p, rows, "current_means")
    mean_field = drift + inputs @ (means[:, :, None] * output)
    slowest = -np.max(np.linalg.eigvals(drift).real, axis=1)
    return np.asarray(np.max(np.linalg.eigvals(mean_field).real, axis=1) / slowest)
