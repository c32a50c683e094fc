"""Where two-time equations start: fields that are independent of one another and of the couplings.

A Gaussian start keeps a field Gaussian, given its gates, and enters through mean and variance. Any other
is a mixture of sharp starts, each of which leaves the field Gaussian: two points, or Gauss-Legendre nodes
for the uniform distribution; fields with sampled gates take one value a path, evenly spaced quantiles in
random order.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import product
from typing import Literal, get_args

import numpy as np
from numpy.typing import NDArray

from dmft.errors import InputError, did_you_mean, quoted

__all__ = ["FieldStart", "Members", "field_starts", "mixture", "sampled"]

Floats = NDArray[np.float64]
Distribution = Literal["gaussian", "uniform", "binary"]

#: Nodes for a uniform start: far more than a smooth function of it needs.
_NODES = 24


@dataclass(frozen=True)
class FieldStart:
    """x(0) = mean + sqrt(variance) u, u of mean 0 and variance 1: normal, uniform or +-1."""

    variance: float = 0.0
    mean: float = 0.0
    distribution: Distribution = "gaussian"

    def __post_init__(self) -> None:
        if self.distribution not in get_args(Distribution):
            raise InputError(
                f"start: the distribution {quoted(self.distribution)} is not known; choose "
                f"{', '.join(get_args(Distribution))}"
            )
        if not (np.isfinite([self.mean, self.variance]).all() and self.variance >= 0):
            raise InputError(
                f"start: mean {self.mean:g} and variance {self.variance:g} were given; finite numbers "
                "are allowed, the variance >= 0"
            )

    def nodes(self) -> tuple[Floats, Floats]:
        """Sharp starts and their weights; one, the mean, for a Gaussian start."""
        if self.distribution == "gaussian" or self.variance == 0:
            return np.array([self.mean]), np.ones(1)
        if self.distribution == "binary":
            points, weights = np.array([-1.0, 1.0]), np.array([0.5, 0.5])
        else:
            points, weights = np.polynomial.legendre.leggauss(_NODES)
            points, weights = np.sqrt(3) * points, weights / 2
        return self.mean + np.sqrt(self.variance) * points, weights

    def quantiles(self, order: NDArray[np.intp]) -> Floats:
        """One sharp start a path, the path's quantile being (order + 1/2) / paths."""
        share = (order + 0.5) / order.size
        if self.distribution == "gaussian" or self.variance == 0:
            return np.full(order.size, self.mean)
        unit = np.where(share < 0.5, -1.0, 1.0)
        if self.distribution == "uniform":
            unit = np.sqrt(3) * (2 * share - 1)
        return np.asarray(self.mean + np.sqrt(self.variance) * unit)

    @property
    def spread(self) -> float:
        """The variance that a Gaussian start leaves to every path."""
        return self.variance if self.distribution == "gaussian" else 0.0


@dataclass(frozen=True)
class Members:
    """Variances and means (fields, members) of a group's starts, and the weights (members,)."""

    variance: Floats
    mean: Floats
    weights: Floats


def field_starts(
    names: Sequence[str], given: Mapping[str, FieldStart | float] | None
) -> tuple[FieldStart, ...]:
    """A start for every field, at 0 where none is given; a number is a variance.

    Raises `InputError` for a field that is not there.

    >>> [s.variance for s in field_starts(("h", "z"), {"h": 0.01})]
    [0.01, 0.0]
    """
    starts = dict(given or {})
    for name in starts:
        if name not in names:
            raise InputError(
                f"start: there is no field {quoted(name)}{did_you_mean(str(name), names)}; fields: "
                f"{', '.join(names)}"
            )
    found = [starts.get(name, 0.0) for name in names]
    return tuple(s if isinstance(s, FieldStart) else FieldStart(float(s)) for s in found)


def mixture(starts: Sequence[FieldStart]) -> Members:
    """The sharp starts of the fields of a Gaussian group, in all combinations."""
    combined = list(product(*(zip(*s.nodes(), strict=True) for s in starts)))
    means = np.array([[mean for mean, _ in one] for one in combined]).T
    weights = np.array([np.prod([weight for _, weight in one]) for one in combined])
    spread = np.array([[s.spread] for s in starts])
    return Members(np.broadcast_to(spread, means.shape).copy(), means, weights)


def sampled(starts: Sequence[FieldStart], paths: int, rng: np.random.Generator) -> Members:
    """One start a path."""
    means = np.array([s.quantiles(rng.permutation(paths)) for s in starts])
    spread = np.array([[s.spread] for s in starts])
    return Members(np.broadcast_to(spread, means.shape).copy(), means, np.full(paths, 1.0 / paths))
