r"""Means and covariances of the block along given paths of the gating fields, by recursion in time.

With S_s = sum_m w_sm exp(-kappa_m |tau|) for every source s, and one Runge-Kutta step
x(t + h) = P x(t) + u, u_i = sum_sq F_isq s(t + q h/2) with nodes q = 0, 1, 2 (`path_matrix`), let

    R_ism(t) = what x_i(t) has collected of exp(-kappa_m (t - .)) through source s.

Then, exactly for the stepped system,

    R_is(t + h)  = e^{-kappa h} sum_k P_ik R_ks(t) + sum_q F_isq e^{-kappa (1 - q/2) h},
    <x_i(t) s(t + v)> = sum_m w_sm e^{-kappa_m v} R_ism(t),      v >= 0,
    K_ij(t + h)  = [P K P^T + P X + (P X)^T + V]_ij,      X_kj = <x_k(t) u_j>,   V_ij = <u_i u_j>,

and the lagged covariance follows from the same step, with x_j(t) held:
<x_i(t') x_j(t)> at t' + h = sum_k P_ik <x_k(t') x_j(t)> + sum_sq F_isq <s(t' + q h/2) x_j(t)>.
All in all O(n M) for the variances at n times and O(lags) for the lagged values of every pair: no
covariance matrix of a path is ever formed. Arrays have the shape (times, paths).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from .path_matrix import PathMatrix, runge_kutta_step

__all__ = ["BlockPaths", "BlockSource", "BlockSteps", "PathGrid", "block_paths", "block_steps"]

Floats = NDArray[np.float64]

_LAG_CHUNK = 16


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
        picked = [{}, {}, {}]
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


@dataclass(frozen=True)
class BlockPaths:
    """Along one block of paths: means m_i and variances K_ii at all times, and what lags need."""

    grid: PathGrid
    steps: BlockSteps
    sources: Sequence[BlockSource]
    means: Mapping[int, Floats]
    variances: Mapping[int, Floats]
    starts: Mapping[tuple[int, int], Floats]  # K_ij at the starts, (starts, paths)
    collected: Mapping[tuple[int, int], Floats]  # R_is at the starts, (rates, starts * paths)
    memory: float

    def lagged(self) -> Iterator[dict[int, Floats]]:
        """K_jj(t + tau, t) of every field of the block, node by node, (starts, paths)."""
        grid, size = self.grid, self.steps.size
        last = grid.nodes[-1]
        propagator = {place: self._around(v) for place, v in self.steps.propagator.items()}
        forcing = {place: self._around(v) for place, v in self.steps.forcing.items()}
        held = {
            j: {i: self.starts[min(i, j), max(i, j)] for i in range(size)} for j in range(size)
        }
        where = set(grid.nodes)
        coupled: dict[tuple[int, int], Floats] = {}
        shape = (-1, *self.starts[0, 0].shape)
        for lag in range(last + 1):
            if lag in where:
                yield {j: held[j][j] for j in range(size)}
            if lag == last:
                return
            if lag % _LAG_CHUNK == 0:
                half = grid.step / 2 * np.arange(2 * lag, 2 * (lag + _LAG_CHUNK) + 1)
                for (j, s), r in self.collected.items():
                    source = self.sources[s]
                    waves = source.weights * np.exp(-np.multiply.outer(half, source.rates))
                    coupled[j, s] = (waves @ r).reshape(shape)
            at = slice(lag, lag + grid.starts * grid.stride, grid.stride)
            first = 2 * (lag % _LAG_CHUNK)
            p = {place: v[at] for place, v in propagator.items()}
            f = {place: v[at] for place, v in forcing.items()}
            for j in range(size):
                held[j] = _held_step(j, held[j], coupled, p, f, first)

    def _around(self, values: Floats) -> Floats:
        """The circle continued by the largest lag, so that lagged times are plain slices."""
        grid = self.grid
        length = (grid.starts - 1) * grid.stride + grid.nodes[-1] + 1
        return np.take(values, np.arange(length) % grid.steps, axis=0)

    def around(self, values: Floats, lag: int) -> Floats:
        """Values at all times (first axis), at the starts plus a lag: a copy."""
        at = np.arange(self.grid.starts) * self.grid.stride + lag
        return values[at % self.grid.steps]


def _held_step(
    j: int,
    held: Mapping[int, Floats],
    coupled: Mapping[tuple[int, int], Floats],
    p: Mapping[tuple[int, int], Floats],
    f: Mapping[tuple[int, int], Floats],
    first: int,
) -> dict[int, Floats]:
    """<x_i(t' + h) x_j(t)> for all i."""
    new = {i: np.zeros_like(v) for i, v in held.items()}
    for (i, k), left in p.items():
        new[i] += left * held[k]
    for (i, s), strength in f.items():
        if (j, s) in coupled:
            for q in range(3):
                new[i] += strength[:, q] * coupled[j, s][first + q]
    return new


def block_paths(
    grid: PathGrid,
    steps: BlockSteps,
    sources: Sequence[BlockSource],
    start_variance: float = 0.0,
) -> BlockPaths:
    """Run the recursion once around the circle, after ``grid.burn`` steps from a start.

    All fields of the block start independently with ``start_variance``. ``memory`` is the mean
    square of what is left of a start at unit variance.
    """
    size = steps.size
    paths = next(iter(steps.propagator.values())).shape[1]
    driven = _driven(steps)
    decay, collect, cross = {}, {}, {}
    for s, source in enumerate(sources):
        lags = np.multiply.outer(source.rates, [grid.step, grid.step / 2, 0.0])
        collect[s] = np.exp(-lags)
        decay[s] = collect[s][:, :1]
        cross[s] = source.weights * np.exp(-lags[:, ::-1]).T
    r = {(i, s): np.zeros((sources[s].rates.size, paths)) for i, s in driven}
    pairs = [(i, j) for i in range(size) for j in range(i, size)]
    k = {(i, j): np.full(paths, start_variance if i == j else 0.0) for i, j in pairs}
    mean = {i: np.zeros(paths) for i in range(size)}
    left = {(i, j): np.full(paths, float(i == j)) for i, j in steps.propagator} | {
        (i, i): np.ones(paths) for i in range(size)
    }
    moving_means = bool(steps.drift)
    means = {i: np.zeros((grid.steps, paths)) for i in range(size)} if moving_means else {}
    variances = {i: np.empty((grid.steps, paths)) for i in range(size)}
    starts = {pair: np.empty((grid.starts, paths)) for pair in pairs}
    collected = {
        (i, s): np.empty((sources[s].rates.size, grid.starts, paths)) for i, s in driven
    }
    memory = 0.0
    for time in range(-grid.burn, grid.steps):
        t = time % grid.steps
        if time == 0:
            memory = float(np.mean(sum(v * v for v in left.values())))
        if time >= 0:
            for i in range(size):
                variances[i][t] = k[i, i]
                if moving_means:
                    means[i][t] = mean[i]
            number, rest = divmod(t, grid.stride)
            if rest == 0 and number < grid.starts:
                for pair in pairs:
                    starts[pair][number] = k[pair]
                for place, value in r.items():
                    collected[place][:, number] = value
        p = {place: value[t] for place, value in steps.propagator.items()}
        f = {place: value[t] for place, value in steps.forcing.items()}
        k = _covariance_step(pairs, k, r, p, f, cross, {v: a[t] for v, a in steps.variance.items()})
        r = _collect_step(driven, r, p, f, decay, collect)
        if moving_means:
            mean = _vector_step(mean, p, {i: d[t] for i, d in steps.drift.items()})
        if time < 0:
            left = _matrix_step(left, p)
    return BlockPaths(
        grid=grid,
        steps=steps,
        sources=sources,
        means=means,
        variances=variances,
        starts=starts,
        collected={place: v.reshape(v.shape[0], -1) for place, v in collected.items()},
        memory=memory,
    )


def _driven(steps: BlockSteps) -> list[tuple[int, int]]:
    """Pairs (field, source) of sources that reach a field, directly or through others."""
    found = set(steps.forcing)
    for _ in range(steps.size):
        found |= {(i, s) for i, k in steps.propagator for m, s in found if m == k}
    return sorted(found)


Entries = dict[tuple[int, int], Floats]


def _covariance_step(
    pairs: Sequence[tuple[int, int]],
    k: Entries,
    r: Entries,
    p: Entries,
    f: Entries,
    cross: Mapping[int, Floats],
    v: Entries,
) -> Entries:
    """K(t + h); see the module's docstring."""
    x: Entries = {}
    for (m, s), value in r.items():
        coupled = cross[s] @ value  # <x_m(t) s(t + q h/2)>, (3, paths)
        for (j, source), strength in f.items():
            if source == s:
                term = np.einsum("qp,qp->p", strength, coupled)
                x[m, j] = x[m, j] + term if (m, j) in x else term
    new: Entries = {}
    for i, j in pairs:
        total = v.get((i, j), np.zeros_like(next(iter(p.values()))))
        for (row, m), left in p.items():
            if row == i:
                inner = x.get((m, j))
                for (other, n), right in p.items():
                    if other == j:
                        held = right * k[min(m, n), max(m, n)]
                        inner = held if inner is None else inner + held
                if inner is not None:
                    total = total + left * inner
            if row == j and (m, i) in x:
                total = total + left * x[m, i]
        new[i, j] = np.maximum(total, 0.0) if i == j else total
    return new


def _collect_step(
    driven: Sequence[tuple[int, int]],
    r: Entries,
    p: Entries,
    f: Entries,
    decay: Mapping[int, Floats],
    collect: Mapping[int, Floats],
) -> Entries:
    """R(t + h)."""
    new: Entries = {}
    for i, s in driven:
        total = collect[s] @ f[i, s] if (i, s) in f else None
        for (row, m), left in p.items():
            if row == i and (m, s) in r:
                term = r[m, s] * decay[s]
                term *= left
                total = term if total is None else total + term
        assert total is not None
        new[i, s] = total
    return new


def _vector_step(
    x: Mapping[int, Floats], p: Entries, push: Mapping[int, Floats]
) -> dict[int, Floats]:
    new = {i: push.get(i, np.zeros_like(v)) for i, v in x.items()}
    for (i, k), left in p.items():
        new[i] = new[i] + left * x[k]
    return new


def _matrix_step(x: Entries, p: Entries) -> Entries:
    new: Entries = {}
    for (i, k), left in p.items():
        for (m, j), value in x.items():
            if m == k:
                term = left * value
                new[i, j] = new[i, j] + term if (i, j) in new else term
    return new

