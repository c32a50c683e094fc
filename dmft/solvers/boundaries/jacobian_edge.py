r"""``jacobian-edge``: where a non-zero or driven constant state loses stability.

At a constant state a perturbation grows at rate zero where the spectral radius of

    sum_a |G_ka(i omega)|^2 dS_a/dC_j,      dS_a/dC_j at C = D,

the largest over all frequencies, is one (`solvers.lyapunov` at growth zero; V = 1 for one critical loop).
Filters whose gain is largest at zero frequency need only the static response there, which does not
depend on what multiplies the whole of a field's equation; where that is not the case the frequencies
are scanned, which takes Gaussian fields.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dmft.codegen.theory import CompiledTheory

from ..static_system import StaticRows, StaticSystem
from .family import Family
from .point import Kind
from .request import Request
from .static_families import StaticFamily
from .static_search import Condition, StaticSearch

__all__ = ["edge_condition", "jacobian_edge_families", "spectral_radius"]

Floats = NDArray[np.float64]

#: A peak is flat: closing in nine-fold this often gives its height to rounding error.
_ROUNDS = 9
_SCAN = np.concatenate([[0.0], np.geomspace(1e-2, 1e2, 33)])


def jacobian_edge_families(request: Request) -> list[Family]:
    """Constant solutions other than rest with an eigenvalue on the imaginary axis."""
    system = StaticSystem(request.theory)
    search = StaticSearch(system, edge_condition(system), request.axis, request.base)
    return [StaticFamily(search, request.swept, Kind.EDGE, cusps=False)]


def edge_condition(system: StaticSystem) -> Condition:
    """Log of the largest spectral radius over all frequencies, as a condition."""

    def condition(rows: StaticRows, p: Mapping[str, Any]) -> Floats:
        count = rows.excess.size
        filters = _Filters.of(system, p, count)
        with np.errstate(all="ignore"):
            if filters is None or filters.lowpass:
                static = system.entries(system.theory.matrices["response"].tape, p, count)
                shape = system.theory.matrices["response"].shape
                gain = static.reshape(*shape, count)[list(system.fields)] ** 2
                return np.asarray(np.log(spectral_radius(gain[None], rows.weights)[0]))
            return np.asarray(np.log(filters.peak(rows.weights)))

    return condition


def spectral_radius(gain: Floats, weights: Floats) -> Floats:
    """Spectral radii, (frequencies, rows); NaN where weights are."""
    matrices = np.einsum("fkan,ajn->fnkj", gain, weights)
    usable = np.isfinite(matrices).all(axis=(2, 3))
    matrices = np.where(usable[..., None, None], matrices, 0.0)
    return np.where(usable, np.max(abs(np.linalg.eigvals(matrices)), axis=-1), np.nan)


def _holds(theory: CompiledTheory, stage: str, p: Mapping[str, Any]) -> bool:
    """Whether the conditions of a stage are met in all rows."""
    return stage in theory.conditions and all(
        not np.any(p[c.parameter])
        or (bool(c.unless) and not any(np.any(p[name]) for name in c.unless))
        for c in theory.conditions[stage]
    )


@dataclass(frozen=True)
class _Filters:
    """Linear dynamics x' = A x + B xi at every row, (rows, fields, ...); one row if all are alike."""

    drift: Floats
    inputs: Floats
    fields: tuple[int, ...]
    rows: int

    @staticmethod
    def of(system: StaticSystem, p: Mapping[str, Any], rows: int) -> _Filters | None:
        """None where the dynamics of the fluctuations are not linear."""
        theory = system.theory
        if "drift" not in theory.matrices or not _holds(theory, "gaussian", p):
            return None
        both = []
        for name in ("drift", "input"):
            part = theory.matrices[name]
            entries = system.entries(part.tape, p, rows).reshape(*part.shape, rows)
            both.append(np.moveaxis(entries, -1, 0))
        if all(np.ptp(matrix, axis=0).max() == 0 for matrix in both):
            both = [matrix[:1] for matrix in both]
        return _Filters(both[0], both[1], system.fields, rows)

    @cached_property
    def scan(self) -> Floats:
        """Frequencies, (frequencies, rows), zero first and then ascending."""
        poles = np.linalg.eigvals(self.drift)
        middle = np.sqrt(abs(poles).min(axis=1) * abs(poles).max(axis=1))
        return np.sort(np.concatenate([_SCAN[:, None] * middle, abs(poles.imag).T]), axis=0)

    def gain(self, frequencies: Floats) -> Floats:
        """|G_ka|^2 of the driven fields, (frequencies, fields, currents, rows)."""
        s = 1j * frequencies[..., None, None]
        size = self.drift.shape[-1]
        transfer = np.linalg.solve(s * np.eye(size) - self.drift, self.inputs + 0 * s)
        power = np.moveaxis(abs(transfer[:, :, list(self.fields)]) ** 2, 1, -1)
        return np.broadcast_to(power, (*power.shape[:-1], self.rows))

    @cached_property
    def lowpass(self) -> bool:
        """Whether every gain is largest at zero frequency."""
        power = self.gain(self.scan)
        return bool(np.all(power <= power[0] * (1 + 1e-12)))

    def peak(self, weights: Floats) -> Floats:
        """The largest radius over all frequencies, (rows,): a scan that closes in on the peak."""
        scan = np.broadcast_to(self.scan, (len(self.scan), self.rows))
        full = _Filters(
            np.broadcast_to(self.drift, (self.rows, *self.drift.shape[1:])),
            np.broadcast_to(self.inputs, (self.rows, *self.inputs.shape[1:])),
            self.fields,
            self.rows,
        )
        rows = np.arange(self.rows)
        for _ in range(_ROUNDS):
            radii = spectral_radius(full.gain(scan), weights)
            best = np.argmax(np.where(np.isnan(radii), -1.0, radii), axis=0)
            low = scan[np.maximum(best - 1, 0), rows]
            high = scan[np.minimum(best + 1, len(scan) - 1), rows]
            scan = low + (high - low) * np.linspace(0, 1, 9)[:, None]
        return np.asarray(np.max(radii, axis=0))
