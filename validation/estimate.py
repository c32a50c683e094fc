"""What one network says: time averages after its transient, streamed, in float64."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import DTypeLike

from dmft.errors import DmftError

from .couplings import GAUSSIAN, Couplings
from .integrate import Trajectory, draw_tangents
from .network import (
    Array,
    RightHandSide,
    draw_network,
    draw_state,
    generators,
    noise_generator,
)
from .schedule import SAMPLE, Schedule
from .start import Start


@dataclass(frozen=True, slots=True)
class Measurement:
    r"""Averages of one network over units, starts and time.

    ``second_moment``: field -> C(0) = <x(t)^2>. ``autocorrelation``: <x(t) x(t + tau)> of the first
    field, one value per lag of the schedule. ``lyapunov``: largest exponent, in inverse leak time
    constants; NaN without tangents. ``drift``: C(0) of the first field in the second half of the run
    over that in the first half, minus 1, which vanishes up to noise when the transient was long enough.
    ``mean``: field -> <x(t)>.

    No error bar: samples of one network are correlated in time and share its couplings. Error bars
    come from comparing networks.
    """

    n: int
    realization: int
    second_moment: dict[str, float]
    autocorrelation: tuple[float, ...]
    lyapunov: float
    drift: float
    mean: dict[str, float] = field(default_factory=dict)

    @staticmethod
    def from_json(data: Mapping[str, Any]) -> Measurement:
        """Rebuild from the dictionary of its attributes."""
        return Measurement(**{**data, "autocorrelation": tuple(data["autocorrelation"])})


def mean_product(a: Array, b: Array) -> float:
    """Mean of the product over all entries, accumulated in float64."""
    return float(np.einsum("bi,bi->", a, b, dtype=np.float64)) / a.size


class LaggedProducts:
    """Running average of <x(t) x(t + tau)>, keeping only as many states as the longest lag needs.

    ``lags`` count calls of :meth:`add` and increase strictly. Pairs that reach back before the
    first call are not used, so a long lag has fewer pairs, never biased ones.
    """

    def __init__(self, lags: tuple[int, ...]) -> None:
        self.lags = lags
        self._ring: list[Array] = []
        self._sums = np.zeros(len(lags))
        self._counts = np.zeros(len(lags), dtype=np.int64)
        self._calls = 0

    def add(self, x: Array) -> None:
        """Take the next state, shape ``(batch, N)``; it must not be changed afterwards."""
        length = max(self.lags, default=0) + 1
        if len(self._ring) < length:
            self._ring.append(x)
        else:
            self._ring[self._calls % length] = x
        for k, lag in enumerate(self.lags):
            if lag <= self._calls:
                self._sums[k] += mean_product(x, self._ring[(self._calls - lag) % length])
                self._counts[k] += 1
        self._calls += 1

    def means(self) -> tuple[float, ...]:
        """One average per lag; NaN for a lag that was never reached."""
        with np.errstate(invalid="ignore"):
            return tuple(float(v) for v in self._sums / self._counts)


def begin(
    right: RightHandSide,
    parameters: Mapping[str, float],
    schedule: Schedule,
    n: int,
    realization: int,
    seed: int,
    dtype: DTypeLike = np.float32,
    couplings: Couplings = GAUSSIAN,
) -> Trajectory:
    """Draw network number ``realization`` of size ``n`` with its starts and tangents, at time 0."""
    drawn, starts = generators(seed, n, realization)
    network = draw_network(right, parameters, n, drawn, dtype, couplings)
    return Trajectory(
        network,
        draw_state(network, schedule.batch, Start(schedule.amplitude, schedule.mean), starts),
        draw_tangents(network, schedule.tangents, starts),
        schedule.dt,
        integrator=schedule.integrator,
        noise=noise_generator(seed, n, realization),
        backend=schedule.backend,
    )


def measure(
    right: RightHandSide,
    parameters: Mapping[str, float],
    schedule: Schedule,
    n: int,
    realization: int,
    seed: int,
    dtype: DTypeLike = np.float32,
    couplings: Couplings = GAUSSIAN,
) -> Measurement:
    """Draw network number ``realization`` of size ``n``, run it, and average.

    States and couplings are float32, averages float64: rounding acts like a noise of 1e-7 per step
    on a chaotic trajectory, far below the sampling error, and a test holds the exponents of both
    precisions together. Raises `DmftError` when the trajectory stops being finite.
    """
    run = begin(right, parameters, schedule, n, realization, seed, dtype, couplings)
    steps = schedule.steps_per_sample
    for _ in range(schedule.transient_samples):
        run.advance(steps)

    fields = right.info.fields
    squares, means = np.zeros((2, schedule.samples, len(fields)))
    lagged = LaggedProducts(schedule.lags)
    growth = np.zeros(schedule.tangents)
    for sample in range(schedule.samples):
        growth += run.advance(steps)
        squares[sample] = [mean_product(x, x) for x in run.x]
        means[sample] = [x.mean(dtype=np.float64) for x in run.x]
        lagged.add(run.x[0])
    if not np.isfinite(squares).all():
        raise DmftError(
            f"{right.info.name}: the simulated network of {n} units left the range of floating-"
            "point numbers; these dynamics may be unbounded"
        )
    half = schedule.samples // 2
    time = schedule.samples * SAMPLE
    early, late = squares[:half, 0].mean(), squares[half:, 0].mean()
    return Measurement(
        n=n,
        realization=realization,
        second_moment=dict(zip(fields, squares.mean(axis=0).tolist(), strict=True)),
        autocorrelation=lagged.means(),
        lyapunov=float(growth.mean()) / time if schedule.tangents else float("nan"),
        drift=float(late / early - 1.0) if early > 0 else 0.0,
        mean=dict(zip(fields, means.mean(axis=0).tolist(), strict=True)),
    )
