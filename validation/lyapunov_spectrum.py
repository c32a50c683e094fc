"""Lyapunov exponents: the leading k or all, by repeated orthonormalisation of tangent vectors."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from dmft.errors import DmftError, InputError

from .flow import TangentCarrier
from .network import Array
from .orthonormalise import orthonormalise

#: Growth and loss of independence (natural logarithms) aimed at between orthonormalisations. Rounding
#: moves a growth by eps e^loss: at e^6 = 400 by 5e-5 in single precision, with either sign.
STRAIN = 6.0
#: Blocks of one half that must remain when blocks are merged to see how long their correlations are.
FEWEST_BLOCKS = 8
#: Standard errors that the halves of a run may differ by, beyond the tolerance.
HALVES = 4.0

SpectrumStatus = Literal["converged", "drifting", "imprecise", "rounded"]


@dataclass(frozen=True, slots=True, eq=False)
class LyapunovSpectrum:
    """Exponents of one trajectory in inverse leak time constants, in the order of the tangents.

    ``dimension``: of the state space; ``exponents`` are all of them if there are as many. They are
    not sorted: an order that is not decreasing within errors shows tangents that have not settled.
    ``block_means``: ``(blocks, k)``, averages over equal stretches that end at ``times`` (counted from
    the end of the warm-up). ``time_error``: standard error from the scatter of blocks, which are
    merged as long as that makes it larger (Flyvbjerg & Petersen, J. Chem. Phys. 91, 461 (1989)). It
    tells nothing of the scatter between networks. ``drift``: second half minus first half.
    ``rounding``: bound of what rounding of the tangents did. ``orthonormalisations``: of the
    measured stretch.

    ``status``: "converged", or "rounded" (rounding above the tolerance), "drifting" (halves that
    differ by more than tolerance and noise: longer warm-up), "imprecise" (a time error above
    the tolerance: longer run). ``message`` says which exponent and by how much.
    """

    block_means: NDArray[np.float64]
    times: NDArray[np.float64]
    dimension: int
    rounding: float
    orthonormalisations: int
    status: SpectrumStatus
    message: str

    @property
    def exponents(self) -> NDArray[np.float64]:
        """One per tangent vector."""
        return np.asarray(self.block_means.mean(axis=0))

    @property
    def time_error(self) -> NDArray[np.float64]:
        """Standard error of every exponent from this trajectory alone."""
        return binned_error(self.block_means)

    @property
    def drift(self) -> NDArray[np.float64]:
        """Second half of the run minus the first."""
        return halves_difference(self.block_means)[0]

    @property
    def running(self) -> NDArray[np.float64]:
        """Every exponent as it stood at ``times``, ``(blocks, k)``."""
        count = np.arange(1, len(self.block_means) + 1)[:, None]
        return np.asarray(np.cumsum(self.block_means, axis=0) / count)

    @property
    def is_complete(self) -> bool:
        """Whether these are all exponents."""
        return int(self.block_means.shape[1]) == self.dimension


def binned_error(block_means: Array) -> NDArray[np.float64]:
    """Standard error of the mean of blocks, ``(blocks, k)`` -> ``(k,)``; the largest over mergings."""
    bins, worst = np.asarray(block_means), np.zeros(block_means.shape[1])
    while len(bins) >= FEWEST_BLOCKS:
        worst = np.maximum(worst, bins.std(axis=0, ddof=1) / np.sqrt(len(bins)))
        even = len(bins) // 2 * 2
        bins = (bins[0:even:2] + bins[1:even:2]) / 2
    return worst


def halves_difference(block_means: Array) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Mean of the second half of the blocks minus that of the first, and its standard error.

    The error comes from the scatter within halves: a difference between them would hide itself in
    the scatter of all blocks, where a step of any height is at most 2.6 errors.
    """
    half = len(block_means) // 2
    early, late = block_means[:half], block_means[-half:]
    error = np.hypot(binned_error(early), binned_error(late))
    return np.asarray(late.mean(axis=0) - early.mean(axis=0)), np.asarray(error)


def lyapunov_spectrum(
    flow: TangentCarrier,
    *,
    warm_up: float,
    duration: float,
    blocks: int = 32,
    tol: float = 0.01,
) -> LyapunovSpectrum:
    r"""Exponents of the tangent vectors ``flow`` carries, by the method of Benettin et al.

    .. math:: \lambda_i = \frac{1}{t} \sum \ln l_{ii}, \qquad A = L Q

    over all orthonormalisations (Benettin, Galgani, Giorgilli & Strelcyn, Meccanica 15, 9 and 21
    (1980); Geist, Parlitz & Lauterborn, Prog. Theor. Phys. 83, 875 (1990)). The first i sum to
    the growth rate of volumes of dimension i. Between them tangents ride as long as
    they remain independent enough (`STRAIN`), which is learned on the way.

    During ``warm_up`` tangents turn into their directions and nothing is recorded; the state itself
    must be on its attractor before. Where exponents lie densely, as in a large network,
    neighbours keep mixing for a time of the order of one over their distance; that moves each by the order
    of that distance, and their sums not at all. Memory does not grow with ``duration``, which is rounded
    to whole steps per block.

    Raises `DmftError` when the trajectory stops being finite.
    """
    _check(warm_up, duration, blocks, tol)
    count = flow.dx[0].shape[0]
    dimension = sum(d.shape[1] for d in flow.dx)
    if not 0 < count <= dimension:
        raise InputError(
            f"tangents: {count} were given; 1 to {dimension} are allowed, the dimension of the state"
        )
    pace = _Pace()
    _straighten(flow)
    _stretch(flow, round(warm_up / flow.dt), pace)
    pace.forget()
    steps = max(1, round(duration / blocks / flow.dt))
    block = steps * flow.dt
    means = np.array([_stretch(flow, steps, pace) / block for _ in range(blocks)])
    if not np.isfinite(means).all():
        raise DmftError(
            "Lyapunov exponents are not finite: the state left the range of floating-point numbers, or "
            "a tangent vector died; these dynamics may be unbounded or not invertible"
        )
    rounding = pace.rounding / (blocks * block)
    status, message = _judge(means, rounding, tol)
    return LyapunovSpectrum(
        block_means=means,
        times=block * np.arange(1.0, blocks + 1),
        dimension=dimension,
        rounding=rounding,
        orthonormalisations=pace.orthonormalisations,
        status=status,
        message=message,
    )


@dataclass(slots=True)
class _Pace:
    """Steps between orthonormalisations, learned; and the sum of the bounds eps e^loss."""

    steps: int = 1
    rounding: float = 0.0
    orthonormalisations: int = 0
    recent: list[float] = field(default_factory=list)

    def learn(self, steps: int, strain: float, error: float) -> None:
        # The fastest of the last few stretches counts: growth fluctuates.
        self.recent = [*self.recent[-4:], strain / steps]
        fastest = max(max(self.recent), 1e-12)
        self.steps = max(1, int(min(2 * self.steps, STRAIN / fastest)))
        self.rounding += error
        self.orthonormalisations += 1

    def forget(self) -> None:
        self.rounding, self.orthonormalisations = 0.0, 0


def _straighten(flow: TangentCarrier) -> tuple[Array, float]:
    q, growth, loss = orthonormalise(flow.dx)
    flow.dx = [new.astype(old.dtype, copy=False) for new, old in zip(q, flow.dx, strict=True)]
    return growth, loss


def _stretch(flow: TangentCarrier, steps: int, pace: _Pace) -> Array:
    """Sum of ln l_ii over ``steps`` steps."""
    total: Array = np.zeros(flow.dx[0].shape[0])
    eps = float(np.finfo(flow.dx[0].dtype).eps)
    while steps > 0:
        taken = min(steps, pace.steps)
        shortened = flow.advance(taken)
        growth, loss = _straighten(flow)
        growth = growth + shortened
        total += growth
        strain = max(loss, float(np.abs(growth).max()))
        if not np.isfinite(strain):
            return np.full_like(total, np.nan)
        pace.learn(taken, strain, eps * np.exp(loss))
        steps -= taken
    return total


def _judge(means: Array, rounding: float, tol: float) -> tuple[SpectrumStatus, str]:
    error = binned_error(means)
    drift, scatter = halves_difference(means)
    excess = np.abs(drift) - HALVES * scatter
    late, rough = int(np.argmax(excess)), int(np.argmax(error))
    if rounding > tol:
        return "rounded", f"rounding may have moved exponents by {rounding:.1g}; use float64"
    if excess[late] > tol:
        return "drifting", (
            f"exponent {late + 1} moved by {drift[late]:.2g} between the halves of "
            "the run; try a longer warm-up"
        )
    if error[rough] > tol:
        return "imprecise", (
            f"exponent {rough + 1} has a time error of {error[rough]:.2g}, more than {tol:g}; try a "
            "longer run"
        )
    return "converged", ""


def _check(warm_up: float, duration: float, blocks: int, tol: float) -> None:
    problems = {
        f"warm_up: {warm_up} was given, a time >= 0 is allowed": not 0 <= warm_up < np.inf,
        f"duration: {duration} was given, a time > 0 is allowed": not 0 < duration < np.inf,
        f"blocks: {blocks} was given, at least {2 * FEWEST_BLOCKS} are allowed": (
            blocks < 2 * FEWEST_BLOCKS
        ),
        f"tol: {tol} was given, a number > 0 is allowed": not tol > 0,
    }
    for message, wrong in problems.items():
        if wrong:
            raise InputError(message)
