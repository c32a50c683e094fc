r"""The law of the couplings, and the drawing of matrices that obey it.

Entries with mean m_a/N and variance sigma_a^2/N are J^a = m_a/N + sigma_a X^a / sqrt(N), and the
standardised X^a carry all correlations, c_ab of X^a_ij with X^b_ij and rho_a of X^a_ij with X^a_ji.
The symmetric and the antisymmetric parts of X are independent, with the covariance matrices C + R and
C - R over the currents, R = diag(rho). From independent standardised matrices G^a therefore

    X = P G + M G^T,    P, M = (sqrt(C + R) +- sqrt(C - R)) / 2,

with products over the currents only: X^a_ij = sum_b P_ab G^b_ij + M_ab G^b_ji. Both roots are real if
and only if such couplings exist. Diagonal entries have the variance (1 + rho_a) sigma_a^2/N.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, get_args

import numpy as np
from numpy.typing import DTypeLike, NDArray

from dmft.errors import InputError, quoted

from .standard_numbers import Distribution, standard_numbers

if TYPE_CHECKING:
    from .network import RightHandSide

Floats = NDArray[np.float64]

#: Eigenvalues above minus this are zero up to rounding: couplings at the edge of what exists.
ROUNDING = 1e-12
#: Rows and columns that are mixed at once, so that mixing needs no second copy of the matrices.
BLOCK = 512


@dataclass(frozen=True, slots=True)
class Couplings:
    """Which independent numbers the matrices are made of; the mean-field theory does not depend on it.

    ``distribution``: "gaussian", "uniform" or "binary" (+-1), each with mean 0 and variance 1.
    ``density``: the share p of pairs that are connected, in every matrix and in both directions alike;
    the others have X = 0, and the variance stays 1 over all pairs. A mean m_a/N stays spread over all
    pairs. Correlated matrices are mixtures of the independent numbers: their entries have the declared
    correlations, and sums of two such numbers as distribution.

    >>> Couplings("binary", density=0.1)
    Couplings(distribution='binary', density=0.1)
    """

    distribution: Distribution = "gaussian"
    density: float = 1.0

    def __post_init__(self) -> None:
        if self.distribution not in get_args(Distribution):
            raise InputError(
                f"distribution: {quoted(self.distribution)} was given; choose "
                f"{', '.join(get_args(Distribution))}"
            )
        if not 0 < self.density <= 1:
            raise InputError(f"density: {self.density!r} was given, 0 < density <= 1 is allowed")


GAUSSIAN = Couplings()


@dataclass(frozen=True, slots=True)
class CouplingLaw:
    """m_a, sigma_a^2, rho_a and C at given parameters; `coupling_law` has checked that it exists."""

    mean: Floats
    variance: Floats
    reciprocity: Floats
    correlation: Floats

    @property
    def independent(self) -> bool:
        """Whether all entries of all matrices are independent."""
        return not self.reciprocity.any() and bool(
            (self.correlation == np.eye(self.variance.size)).all()
        )

    def mixing(self) -> tuple[Floats, Floats]:
        """P and M of X = P G + M G^T."""
        back = np.diag(self.reciprocity)
        even, odd = _root(self.correlation + back), _root(self.correlation - back)
        return (even + odd) / 2, (even - odd) / 2


def coupling_law(right: RightHandSide, p: Mapping[str, float]) -> CouplingLaw:
    """The law of a model's couplings; `InputError` where there are no such random numbers."""
    given = dict(p)
    law = CouplingLaw(
        mean=np.array(right.mean(given)),
        variance=np.array(right.variance(given)),
        reciprocity=np.array(right.reciprocity(given)),
        correlation=np.array(right.correlation(given)),
    )
    name, currents = right.info.name, right.info.currents
    for a, current in enumerate(currents):
        _within(name, f"the variance of the couplings of {current}", law.variance[a], 0, np.inf)
        _within(name, f"the mean of the couplings of {current}", law.mean[a], -np.inf, np.inf)
        _within(name, f"the reciprocity of {current}", law.reciprocity[a], -1.0, 1.0)
        for b in range(a):
            what = f"the correlation of {currents[b]} and {current}"
            _within(name, what, law.correlation[a, b], -1.0, 1.0)
    back = np.diag(law.reciprocity)
    lowest = min(np.linalg.eigvalsh(law.correlation + sign * back)[0] for sign in (1, -1))
    if lowest < -ROUNDING:
        raise InputError(
            f"{name}: no random matrices have these correlations and reciprocities together: their "
            f"correlation matrix has the eigenvalue {lowest:.3g}, none may be negative; choose "
            "smaller ones"
        )
    return law


def _within(model: str, what: str, value: float, low: float, high: float) -> None:
    if np.isfinite(value) and low <= value <= high:
        return
    allowed = "a finite number" + (" >= 0" if low == 0 else "")
    if np.isfinite(high):
        allowed = f"a number from {low:g} to {high:g}"
    raise InputError(f"{model}: {what} is {value:g} at these parameters; {allowed} is allowed")


def _root(matrix: Floats) -> Floats:
    """The symmetric square root of a positive semidefinite matrix."""
    values, vectors = np.linalg.eigh(matrix)
    root: Floats = (vectors * np.sqrt(np.maximum(values, 0.0))) @ vectors.T
    return root


def draw_couplings(
    law: CouplingLaw, n: int, rng: np.random.Generator, dtype: DTypeLike, made_of: Couplings
) -> tuple[NDArray[Any], ...]:
    """The matrices J^a, transposed and row-major: entry [j, i] is J^a_ij.

    The independent numbers are drawn in float32 whatever ``dtype`` is, so that the same generator gives
    the same network in both precisions; a rounding of 6e-8 in a random number changes nothing.
    """
    drawn = [
        standard_numbers(made_of.distribution, (n, n), rng).astype(dtype, copy=False)
        for _ in law.variance
    ]
    if not law.independent:
        _mix(drawn, *law.mixing())
    if made_of.density < 1:
        _disconnect(drawn, made_of.density, rng, both_ways=bool(law.reciprocity.any()))
    for j, variance, mean in zip(drawn, law.variance, law.mean, strict=True):
        j *= np.sqrt(variance / n).astype(dtype)
        if mean:
            j += np.asarray(mean / n, dtype=dtype)
    return tuple(drawn)


def _mix(matrices: Sequence[NDArray[Any]], along: Floats, back: Floats) -> None:
    """G -> P G + M G^T in place, block by block. Transposing G transposes the result alike."""
    n = matrices[0].shape[0]
    along, back = (m.astype(matrices[0].dtype) for m in (along, back))
    edges = [slice(start, start + BLOCK) for start in range(0, n, BLOCK)]
    for k, rows in enumerate(edges):
        for columns in edges[k:]:
            upper = np.stack([g[rows, columns] for g in matrices])
            lower = np.stack([g[columns, rows].T for g in matrices])
            for g, u, v in zip(
                matrices,
                np.tensordot(along, upper, 1) + np.tensordot(back, lower, 1),
                np.tensordot(along, lower, 1) + np.tensordot(back, upper, 1),
                strict=True,
            ):
                g[rows, columns] = u
                g[columns, rows] = v.T


def _disconnect(
    matrices: Sequence[NDArray[Any]], density: float, rng: np.random.Generator, *, both_ways: bool
) -> None:
    """Keep each entry with probability ``density``, the same ones in all matrices, in place."""
    n = matrices[0].shape[0]
    kept = np.empty((n, n), dtype=np.bool_)
    for row in kept:
        row[:] = rng.random(n, dtype=np.float32) < density
    if both_ways:  # else a connection without its partner would dilute the reciprocity
        kept = np.tril(kept)
        kept |= kept.T
    for g in matrices:
        g *= np.asarray(density**-0.5, dtype=g.dtype)
        g *= kept
