"""Participation-ratio dimension of activity: how many directions share its variance."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import permutations

import numpy as np
from numpy.typing import NDArray

from .ensemble import check_memory
from .network import Array
from .observe import Signals

#: Independent groups of starts. Four is the least: |m|^4 needs four independent means.
GROUPS = 4
#: Rows kept back until one matrix product takes them all.
ROWS_AT_ONCE = 256


@dataclass(frozen=True, slots=True)
class ParticipationRatio:
    r"""D = (tr C)^2 / tr C^2 of one network, C the covariance of its units over its attractor.

    1 for activity along one line, N for N independent units of equal variance. ``trace`` = tr C and
    ``trace_of_square`` = tr C^2 are unbiased however few the samples; their ratio is nearly so.
    ``naive`` is the ratio of the pooled sample covariance, which is too low while samples are few.
    NaN where noise leaves no positive ``trace_of_square``.
    """

    value: float
    trace: float
    trace_of_square: float
    naive: float
    samples: int


class Participation:
    r"""Observer of the participation ratio of one signal; the batch is split in four groups.

    The sample covariance S of T samples has E tr S^2 = tr C^2 + O((tr C)^2 / T): noise looks like further
    dimensions of little variance, and correlated samples make it worse by an unknown factor. Groups of
    starts are independent given the network, so products across groups have no such term. With the
    second moments M_a and means m_a of group a, C = M - m m', and distinct a, b, c, d:

    .. math:: \operatorname{tr} C^2 = \langle \operatorname{tr} M_a M_b \rangle
              - 2 \langle m_a^T M_b m_c \rangle + \langle m_a^T m_b\, m_c^T m_d \rangle

    exactly on average (a U-statistic; Hoeffding 1948), likewise tr C = <tr M_a> - <m_a' m_b> and the
    square of it. Starts must have forgotten their common transient. Memory: 4 N^2 float64.

    ``batch`` must be a multiple of 4; rows a, a + 4, ... form group a.
    """

    def __init__(self, name: str) -> None:
        self._name = name
        self._moment: list[NDArray[np.float64]] = []
        self._sum: list[NDArray[np.float64]] = []
        self._rows: list[list[Array]] = [[] for _ in range(GROUPS)]
        self._count = 0

    def add(self, signals: Signals) -> None:
        """Take the next sample."""
        x = signals[self._name]
        batch, units = x.shape
        if batch % GROUPS:
            raise ValueError(f"batch: {batch} starts were given, a multiple of {GROUPS} is allowed")
        if not self._moment:
            check_memory("the covariance", units, 8.0 * (GROUPS + 2) * units**2)
            self._moment = [np.zeros((units, units)) for _ in range(GROUPS)]
            self._sum = [np.zeros(units) for _ in range(GROUPS)]
        self._count += batch // GROUPS
        for group in range(GROUPS):
            self._rows[group].append(x[group::GROUPS])
        if len(self._rows[0]) * (batch // GROUPS) >= ROWS_AT_ONCE:
            self._take_rows()

    def _take_rows(self) -> None:
        for group, kept in enumerate(self._rows):
            if kept:
                rows = np.concatenate(kept).astype(np.float64)
                self._moment[group] += rows.T @ rows
                self._sum[group] += rows.sum(axis=0)
                kept.clear()

    def result(self) -> ParticipationRatio:
        """The ratio so far."""
        self._take_rows()
        if self._count == 0:
            nan = float("nan")
            return ParticipationRatio(nan, nan, nan, nan, 0)
        moments = [m / self._count for m in self._moment]
        means = np.array([s / self._count for s in self._sum])
        trace, trace_squared, square = _unbiased(moments, means)
        mean = means.mean(axis=0)
        pooled = sum(moments) / GROUPS - np.outer(mean, mean)
        return ParticipationRatio(
            value=float(trace_squared / square) if square > 0 else float("nan"),
            trace=trace,
            trace_of_square=square,
            naive=float(np.trace(pooled) ** 2 / np.sum(pooled**2)),
            samples=GROUPS * self._count,
        )


def _unbiased(
    moments: list[NDArray[np.float64]], means: NDArray[np.float64]
) -> tuple[float, float, float]:
    """tr C, (tr C)^2 and tr C^2, each without bias."""
    traces = np.array([np.trace(m) for m in moments])
    dots = means @ means.T  # m_a' m_b
    products = np.array([[np.sum(a * b) for b in moments] for a in moments])  # tr M_a M_b
    forms = np.array([means @ m @ means.T for m in moments])  # [b, a, c]: m_a' M_b m_c
    triples = list(permutations(range(GROUPS), 3))
    pairs = [(a, b) for a, b in permutations(range(GROUPS), 2)]
    quads = list(permutations(range(GROUPS)))
    mean_square = np.mean([dots[a, b] for a, b in pairs])
    quartic = np.mean([dots[a, b] * dots[c, d] for a, b, c, d in quads])
    trace = traces.mean() - mean_square
    trace_squared = (
        np.mean([traces[a] * traces[b] for a, b in pairs])
        - 2 * np.mean([traces[a] * dots[b, c] for a, b, c in triples])
        + quartic
    )
    square = (
        np.mean([products[a, b] for a, b in pairs])
        - 2 * np.mean([forms[b, a, c] for a, b, c in triples])
        + quartic
    )
    return float(trace), float(trace_squared), float(square)
