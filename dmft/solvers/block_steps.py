r"""The block's equations along given paths as a stepped linear system, driven by its sources.

x' = A(y) x + B(y) s + c(y), sources s with covariance sum_m w_m exp(-kappa_m |tau|) or white noise, becomes

    x(t + h) = P x(t) + u,   u_i = sum_sq F_isq s(t + q h/2) + drift_i,    q = 0, 1, 2   (`path_matrix`),

with V_ij = <u_i u_j> from the covariances of the sources at the three nodes; white noise adds its
intensity times int P B B^T P^T over the step, by Simpson's rule. Arrays have the shape (times, paths).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .path_matrix import PathMatrix, runge_kutta_step

__all__ = ["BlockSource", "BlockSteps", "PathGrid", "block_steps"]

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class PathGrid:
    """Times of a path on a circle of ``steps`` steps of length ``step``.

    Averages are over every ``stride``-th time; ``burn`` steps before the first let the start be
    forgotten; ``nodes`` are the lags, in steps, increasing from 0.
    """

    step: float
    steps: int
    stride: int
    burn: int
    nodes: tuple[int, ...]

    @property
    def period(self) -> float:
        """Length of the circle."""
        return self.step * self.steps

    @property
    def starts(self) -> int:
        """Number of times t in the averages over pairs t, t + tau."""
        return self.steps // self.stride

    @cached_property
    def lags(self) -> Floats:
        """The lags in time units."""
        return self.step * np.array(self.nodes, dtype=float)


@dataclass(frozen=True)
class BlockSource:
    """A current or input that drives the block: sum of exponentials, or white noise of ``intensity``."""

    rates: Floats
    weights: Floats
    mean: float = 0.0
    intensity: float = 0.0

    def covariance(self, lag: float) -> float:
        """S at one lag."""
        return float(self.weights @ np.exp(-self.rates * lag))


@dataclass(frozen=True)
class BlockSteps:
    """The stepped system: P, the forcing F_isq of the sources and the mean forcing."""

    size: int
    propagator: Mapping[tuple[int, int], Floats]  # (steps, paths) each
    forcing: Mapping[tuple[int, int], Floats]  # (steps, 3, paths) each, by field and source
    variance: Mapping[tuple[int, int], Floats]  # V_ij, i <= j
    drift: Mapping[int, Floats]  # mean forcing


def block_steps(
    size: int,
    step: float,
    a: PathMatrix,
    b: PathMatrix,
    c: PathMatrix,
    sources: Sequence[BlockSource],
    shape: tuple[int, int],
) -> BlockSteps:
    """Step x' = A x + B s + c, given at the 2 n half steps of the circle (or as numbers).

    ``shape`` is (steps, paths).
    """

    def nodes(m: PathMatrix) -> tuple[PathMatrix, PathMatrix, PathMatrix]:
        picked: list[dict[tuple[int, int], Any]] = [{}, {}, {}]
        for place, value in m.entries.items():
            if np.ndim(value) == 0:
                for entries in picked:
                    entries[place] = value
            else:
                picked[0][place] = value[0::2]
                picked[1][place] = value[1::2]
                picked[2][place] = np.roll(value[0::2], -1, axis=0)
        return PathMatrix(picked[0]), PathMatrix(picked[1]), PathMatrix(picked[2])

    stepped = runge_kutta_step(nodes(a), size, step)
    pushed = [u @ at for u, at in zip(stepped.forcing, nodes(b), strict=True)]
    constant = PathMatrix({})
    for u, at in zip(stepped.forcing, nodes(c), strict=True):
        constant = constant + u @ at
    moving = [s for s, source in enumerate(sources) if source.weights.size]
    forcing = {}
    for i in range(size):
        for s in moving:
            parts = [m.entries.get((i, s)) for m in pushed]
            if any(p is not None for p in parts):
                forcing[i, s] = np.stack(
                    [np.broadcast_to(0.0 if p is None else p, shape) for p in parts], axis=1
                )
    drift: dict[int, Floats] = {
        i: np.broadcast_to(np.asarray(value, dtype=float), shape)
        for (i, _), value in constant.entries.items()
    }
    for m in pushed:
        for (i, s), value in m.entries.items():
            if sources[s].mean:
                drift[i] = drift.get(i, np.zeros(shape)) + sources[s].mean * value
    return BlockSteps(
        size=size,
        propagator={
            place: np.ascontiguousarray(np.broadcast_to(value, shape))
            for place, value in stepped.propagator.entries.items()
        },
        forcing=forcing,
        variance=_forced_variance(size, step, pushed, forcing, sources),
        drift=drift,
    )


def _forced_variance(
    size: int,
    step: float,
    pushed: Sequence[PathMatrix],
    forcing: Mapping[tuple[int, int], Floats],
    sources: Sequence[BlockSource],
) -> dict[tuple[int, int], Floats]:
    """V_ij: currents at the three nodes, and white noise by Simpson's rule in the propagated noise."""
    total: dict[tuple[int, int], Floats] = {}

    def add(place: tuple[int, int], value: Floats) -> None:
        total[place] = total[place] + value if place in total else value

    for s, source in enumerate(sources):
        fields = [i for i in range(size) if (i, s) in forcing]
        s0, s1, s2 = (source.covariance(q * step / 2) for q in range(3))
        toeplitz = np.array([[s0, s1, s2], [s1, s0, s1], [s2, s1, s0]])
        for n, i in enumerate(fields):
            for j in fields[n:]:
                held = np.einsum("qr,trp->tqp", toeplitz, forcing[j, s])
                add((i, j), np.einsum("tqp,tqp->tp", forcing[i, s], held))
        if source.intensity:
            # U_q is the propagator from node q times its Simpson weight (1, 4, 1) h/6
            for m, weight in zip(pushed, (1.0, 0.25, 1.0), strict=True):
                for i in range(size):
                    for j in range(i, size):
                        if (i, s) in m.entries and (j, s) in m.entries:
                            square = m.entries[i, s] * m.entries[j, s]
                            add((i, j), source.intensity * weight * 6 / step * square)
    return total
