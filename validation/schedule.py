"""How long to simulate, how finely, and from how many starts: decided before anything is measured.

The theory is consulted for one thing only, its time scale: a run must be long against it. A theory
with a wrong time scale costs precision, not honesty; what is measured comes from the network alone.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dmft.errors import DmftError

from .integrate import Backend, Integrator, is_noisy, quiet_step
from .network import FiniteNetwork, RightHandSide, State, draw_network, draw_state, generators

#: Time between samples, in leak time constants; lags are multiples of it.
SAMPLE = 0.5
#: Largest time step tried, that with white noise, and the smallest before a model is called too stiff.
LARGEST_STEP, NOISY_STEP, SMALLEST_STEP = 0.5, 0.25, 2.0**-10
#: Relative error of C(t,t) allowed on the way from a random start. Calibrated: see `choose_step`.
STEP_TOLERANCE = 3e-3
#: Leak times for which steps are compared, and a C(t,t) that is nothing: networks start at 1.
PILOT_TIME, NEGLIGIBLE = 10, 1e-12
#: Standard errors that make a change of C(t,t) larger than what chaos does to two runs.
SIGNIFICANT = 3.0
#: Where C(tau)/C(0) is compared. Few lags, because neighbouring ones say the same and every row
#: takes its share of the family-wise level.
LEVELS = (0.75, 0.5, 0.25)
#: A share of C(0) that C keeps for ever, beyond which only the rest is said to decay.
FROZEN = 0.05


@dataclass(frozen=True, slots=True)
class Schedule:
    """One run of a network. Times in leak time constants, ``lags`` in multiples of ``SAMPLE``.

    ``batch`` starts share a network; the first ``tangents`` of them carry a tangent vector. Twenty
    of each, followed for 80 time units, leave the scatter between networks the larger part of the
    error bars at the gated point (3, 5).
    ``amplitude`` is the standard deviation of the Gaussian starts, ``mean`` their mean for each field
    that has one. The first ``transient`` is discarded, ``duration`` is measured. ``judged_lags`` are
    among ``lags``; the others are only drawn.
    """

    dt: float
    transient: float
    duration: float
    lags: tuple[int, ...]
    judged_lags: tuple[int, ...]
    batch: int = 20
    tangents: int = 20
    amplitude: float = 1.0
    mean: dict[str, float] = field(default_factory=dict)
    integrator: Integrator = "rk4"
    backend: Backend = "numpy"

    @property
    def steps_per_sample(self) -> int:
        """Steps between samples."""
        return max(1, round(SAMPLE / self.dt))

    @property
    def transient_samples(self) -> int:
        """Samples discarded."""
        return int(np.ceil(self.transient / SAMPLE))

    @property
    def samples(self) -> int:
        """Samples measured."""
        return int(np.ceil(self.duration / SAMPLE))

    @property
    def steps(self) -> int:
        """Steps of one run."""
        return (self.transient_samples + self.samples) * self.steps_per_sample


def is_constant(branch: str) -> bool:
    """Whether the states of a branch do not move: rest and fixed points.

    >>> is_constant("fixed-point-lower"), is_constant("chaotic")
    (True, False)
    """
    return branch == "zero" or branch.startswith("fixed-point")


def lag_at_level(lag: NDArray[Any], curve: NDArray[Any], level: float) -> float | None:
    """The first lag where ``curve / curve[0]`` falls to ``level``; None when it never does.

    >>> round(lag_at_level(np.linspace(0, 10, 101), np.exp(-np.linspace(0, 10, 101)), 0.5), 2)
    0.69
    """
    below = np.flatnonzero(curve <= level * curve[0])
    if not curve[0] > 0 or below.size == 0:
        return None
    k = int(below[0])
    ratio = (curve[k - 1] - level * curve[0]) / (curve[k - 1] - curve[k])
    return float(lag[k - 1] + ratio * (lag[k] - lag[k - 1]))


def plan(
    lag: NDArray[Any],
    curve: NDArray[Any],
    dt: float,
    branch: str,
    lyapunov: float | None,
    *,
    mean: Mapping[str, float] | None = None,
    integrator: Integrator = "rk4",
) -> Schedule:
    """The schedule for a theory with autocorrelation ``curve`` of its first field over ``lag``.

    A decaying one sets the time scale: t_half, where C has fallen to half. Transient
    max(40, 6 t_half), duration max(80, 12 t_half); at the gated point (3, 5) t_half is 5.9, and
    from t = 40 on the mean of C(t,t) over networks is on its plateau within 1%, its noise. Constant
    solutions have no such lag: the transient is 15 times the theory's relaxation time -1/lambda (between 40
    and 400), and rest is approached from a small start, so that only its own basin is asked for.
    With a frozen part, C(infinity) > 0, the levels are those of what does decay. Networks start around
    the theory's ``mean``, whose sign chooses between states that mirror each other.
    """
    means = {name: float(value) for name, value in (mean or {}).items() if value}
    if curve.size and curve[-1] > FROZEN * curve[0]:
        curve = curve - curve[-1]
    found = [lag_at_level(lag, curve, level) for level in LEVELS] if curve.size else []
    decaying = [x for x in found if x is not None]
    if not is_constant(branch) and len(decaying) >= 2:
        half = decaying[min(1, len(decaying) - 1)]
        judged = sorted({max(1, round(x / SAMPLE)) for x in decaying})
        drawn = {max(1, round(x * judged[-1])) for x in np.linspace(0.05, 1.2, 24)}
        return Schedule(
            dt=dt,
            transient=max(40.0, 6 * half),
            duration=max(80.0, 12 * half, 4 * judged[-1] * SAMPLE),
            lags=tuple(sorted(drawn | set(judged))),
            judged_lags=tuple(judged),
            mean=means,
            integrator=integrator,
        )
    rate = abs(lyapunov) if lyapunov else 0.0
    return Schedule(
        dt=dt,
        transient=float(np.clip(15 / rate if rate else 400.0, 40.0, 400.0)),
        duration=80.0,
        lags=(2, 4, 10, 20),
        judged_lags=(2, 10, 20),
        amplitude=1e-3 if branch == "zero" else 1.0,
        mean=means,
        integrator=integrator,
    )


def choose_step(
    right: RightHandSide,
    parameters: Mapping[str, float],
    seed: int,
    integrator: Integrator = "rk4",
) -> float:
    """The largest time step of 0.5, 0.25, ... that is accurate for this model.

    A pilot network (N = 100, 8 starts) runs for ten leak times in steps of dt and of dt/2. Where the
    mean square of a field, C(t,t) at t = 1 ... 10, moves by more than ``STEP_TOLERANCE``, or is not
    finite, as happens when a time constant is short, the step is halved. So errors count as they add
    up: those of an oscillation from turn to turn, those within a decay not at all. When chaos has driven
    the two runs so far apart that the difference is chance (its standard error over units and starts),
    later times are left out; at t = 1 it must not have.
    White noise is left out of the pilot: its own error, O(dt^2), comes with the same rates, and steps
    larger than ``NOISY_STEP`` are not taken.

    The start is the worst. Stationary chaos of 800 units against steps of 1/16 (benchmarks/time_step.py):
    at the steps taken for ten kinds of networks C(0) and lambda are off by at most 4e-5, where that can be
    told (gated (4, 20) is not: 1e-4 +- 2e-4 and 2e-4 +- 7e-4); error bars are 5e-3.

    Raises `DmftError` when even 2^-10 is too long.
    """
    couplings, starts = generators(seed, 100, 0)
    network = draw_network(right, parameters, 100, couplings, np.float64)
    start = draw_state(network, 8, 1.0, starts)
    dt = NOISY_STEP if is_noisy(network) else LARGEST_STEP
    while dt >= SMALLEST_STEP:
        with np.errstate(over="ignore", invalid="ignore"):
            if _accurate(network, start, dt, integrator):
                return dt
        dt /= 2
    other = (
        'try the integrator "exponential", made for short time constants'
        if integrator == "rk4"
        else "a gain may be extremely large, choose a milder one"
    )
    raise DmftError(
        f"{right.info.name}: a time step of {SMALLEST_STEP:g} leak time constants is still too "
        f"long for these parameters; {other}"
    )


def _accurate(network: FiniteNetwork, start: State, dt: float, integrator: Integrator) -> bool:
    """Whether half the step tells the same C(t,t) for as long as chaos lets both be compared."""
    runs = [_leak_times(network, start, step, integrator) for step in (dt, dt / 2)]
    for time, (coarse, fine) in enumerate(zip(*runs, strict=True)):
        for a, b in zip(coarse, fine, strict=True):
            change, square = a**2 - b**2, np.mean(b**2)
            allowed = STEP_TOLERANCE * square + NEGLIGIBLE
            if not np.abs(np.mean(change)) <= allowed:  # so that NaN is refused
                return False
            if SIGNIFICANT * np.std(change) / np.sqrt(change.size) > allowed:
                return time > 0
    return True


def _leak_times(
    network: FiniteNetwork, x: State, dt: float, integrator: Integrator
) -> Iterator[State]:
    """The states after 1, 2, ... leak times."""
    for _ in range(PILOT_TIME):
        for _ in range(round(1 / dt)):
            x = quiet_step(network, x, dt, integrator)
        yield x
