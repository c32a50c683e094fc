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

import numpy as np
from numpy.typing import NDArray

from .block_steps import BlockSource, BlockSteps, PathGrid

__all__ = ["BlockPaths", "block_paths"]

Floats = NDArray[np.float64]

_LAG_CHUNK = 16


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
        held = {j: {i: self.starts[min(i, j), max(i, j)] for i in range(size)} for j in range(size)}
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

    def at_starts(self, lag: int) -> NDArray[np.intp]:
        """Positions of the times a lag after the starts."""
        at = np.arange(self.grid.starts) * self.grid.stride + lag
        return np.asarray(at % self.grid.steps)


def _held_step(
    j: int,
    held: Mapping[int, Floats],
    coupled: Mapping[tuple[int, int], Floats],
    p: Mapping[tuple[int, int], Floats],
    f: Mapping[tuple[int, int], Floats],
    first: int,
) -> dict[int, Floats]:
    """<x_i(t' + h) x_j(t)> for all i."""
    new: dict[int, Floats] = {}
    scratch = np.empty_like(next(iter(held.values())))

    def add(i: int, strength: Floats, value: Floats) -> None:
        if i in new:
            new[i] += np.multiply(strength, value, out=scratch)
        else:
            new[i] = strength * value

    for (i, k), left in p.items():
        add(i, left, held[k])
    for (i, s), strength in f.items():
        if (j, s) in coupled:
            for q in range(3):
                add(i, strength[:, q], coupled[j, s][first + q])
    return {i: new[i] if i in new else np.zeros_like(v) for i, v in held.items()}


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
    collected = {(i, s): np.empty((sources[s].rates.size, grid.starts, paths)) for i, s in driven}
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
