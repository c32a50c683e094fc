r"""Covariances of perturbations along given paths, for every exponential of their sources at once.

A perturbation of the block obeys the block's own equations with A - lambda in place of A; its sources
are the perturbed currents and gating fields, Gaussian with covariance sum_m w_m exp(-kappa_m |tau|).
Because K is linear in the weights, the recursion of `conditional_covariance` is run for unit weights:
K_ij^(s,m)(t', t) for every source s and rate m, from which any eigenvector is put together.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from .block_steps import BlockSteps, PathGrid

__all__ = ["components"]

Floats = NDArray[np.float64]
Entries = dict[tuple[int, int], Floats]


@dataclass
class _Collected:
    """R_is, (rates, paths), of a source, and K_ij^(s), (rates, paths), i <= j."""

    r: dict[int, Floats]
    k: Entries


def components(
    grid: PathGrid, steps: BlockSteps, rates: Floats, sources: int
) -> Iterator[dict[tuple[int, int], Floats]]:
    """K_jj^(s,m)(t + tau, t) node by node: (field j, source s) -> (rates, starts, paths).

    ``steps`` holds P and the forcing F; all sources have the same ``rates``.
    """
    collected = {s: _run(grid, steps, rates, s) for s in range(sources)}
    yield from _lagged(grid, steps, rates, collected)


def _step(
    steps: BlockSteps, rates: Floats, step: float, state: _Collected, s: int, t: int
) -> _Collected:
    """One step of R and of K for unit weights of every rate."""
    wave = np.exp(-np.multiply.outer(rates, step * np.array([1.0, 0.5, 0.0])))
    size = steps.size
    p = {place: v[t] for place, v in steps.propagator.items()}
    f = {i: steps.forcing[i, s][t] for i in range(size) if (i, s) in steps.forcing}
    pushed = {i: wave @ v for i, v in f.items()}  # sum_q e^{-kappa (1 - q/2) h} F_q
    met = {i: wave[:, ::-1] @ v for i, v in f.items()}  # sum_q e^{-kappa q h/2} F_q
    r, k = state.r, state.k
    new_r: dict[int, Floats] = {}
    for i in range(size):
        total = pushed.get(i, np.zeros_like(r[i]))
        for (row, m), left in p.items():
            if row == i:
                total = total + left * wave[:, :1] * r[m]
        new_r[i] = total
    new_k: Entries = {}
    for i in range(size):
        for j in range(i, size):
            value = np.zeros_like(r[i])
            if i in f and j in f:
                value += _within(wave, f[i], f[j])
            for (row, m), left in p.items():
                if row == i:
                    if j in met:
                        value += left * r[m] * met[j]
                    for (other, n), right in p.items():
                        if other == j:
                            value += left * right * k[min(m, n), max(m, n)]
                if row == j and i in met:
                    value += left * r[m] * met[i]
            new_k[i, j] = value
    return _Collected(new_r, new_k)


def _within(wave: Floats, f: Floats, g: Floats) -> Floats:
    """sum_qr F_q G_r e^{-kappa |q - r| h/2}, (rates, paths)."""
    whole, half, none = wave[:, :1], wave[:, 1:2], wave[:, 2:]
    near = f[0] * g[1] + f[1] * g[0] + f[1] * g[2] + f[2] * g[1]
    far = f[0] * g[2] + f[2] * g[0]
    same = f[0] * g[0] + f[1] * g[1] + f[2] * g[2]
    return np.asarray(same * none + near * half + far * whole)


def _run(grid: PathGrid, steps: BlockSteps, rates: Floats, s: int) -> list[_Collected]:
    """State at every start, after the burn."""
    paths = next(iter(steps.propagator.values())).shape[1]
    size = steps.size
    zero = np.zeros((rates.size, paths))
    state = _Collected(
        {i: zero for i in range(size)},
        {(i, j): zero for i in range(size) for j in range(i, size)},
    )
    kept = []
    for time in range(-grid.burn, (grid.starts - 1) * grid.stride + 1):
        if time >= 0 and time % grid.stride == 0:
            kept.append(state)
        state = _step(steps, rates, grid.step, state, s, time % grid.steps)
    return kept


def _lagged(
    grid: PathGrid, steps: BlockSteps, rates: Floats, collected: Mapping[int, list[_Collected]]
) -> Iterator[dict[tuple[int, int], Floats]]:
    size, last = steps.size, grid.nodes[-1]
    length = (grid.starts - 1) * grid.stride + last + 1
    around = np.arange(length) % grid.steps
    propagator = {place: v[around] for place, v in steps.propagator.items()}
    forcing = {place: v[around] for place, v in steps.forcing.items()}
    held: dict[tuple[int, int], dict[int, Floats]] = {}
    r: dict[tuple[int, int], Floats] = {}
    for s, states in collected.items():
        for j in range(size):
            held[j, s] = {
                i: np.stack([state.k[min(i, j), max(i, j)] for state in states], axis=1)
                for i in range(size)
            }
            r[j, s] = np.stack([state.r[j] for state in states], axis=1)
    nodes = set(grid.nodes)
    for lag in range(last + 1):
        if lag in nodes:
            yield {(j, s): values[j] for (j, s), values in held.items()}
        if lag == last:
            return
        at = slice(lag, lag + grid.starts * grid.stride, grid.stride)
        wave = np.exp(-np.multiply.outer(rates, grid.step * np.array([0.0, 0.5, 1.0])))
        for (j, s), values in held.items():
            new = {i: np.zeros_like(v) for i, v in values.items()}
            for (i, m), v in propagator.items():
                new[i] += v[at] * values[m]
            for i in range(size):
                if (i, s) in forcing:
                    push = np.einsum("mq,bqp->mbp", wave, forcing[i, s][at])
                    push *= r[j, s]
                    new[i] += push
            held[j, s] = new
        fade = np.exp(-rates * grid.step)[:, None, None]
        for value in r.values():
            value *= fade
