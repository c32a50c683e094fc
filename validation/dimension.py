"""How large the attractor is and how fast it makes information: from the Lyapunov spectrum."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike

from .lyapunov_spectrum import LyapunovSpectrum

Bracket = Literal["value", "lower bound", "upper bound", "incomplete"]


@dataclass(frozen=True, slots=True)
class SpectralNumber:
    """A number made of the exponents of one trajectory.

    ``time_error``: standard error from that trajectory alone, by leaving out one block of it after
    the other (jackknife); error bars between networks are another matter. ``bracket``: what the value
    is, given how many exponents were there. ``spectrum_status``: how those exponents ended;
    only "converged" is an answer.
    """

    value: float
    time_error: float
    bracket: Bracket
    spectrum_status: str


def kaplan_yorke_dimension(exponents: ArrayLike) -> float:
    r"""The dimension that volumes neither gain nor lose (Kaplan & Yorke, 1979).

    .. math:: D = j + \frac{\lambda_1 + ... + \lambda_j}{|\lambda_{j+1}|}

    with the last j whose sum is not negative. Where even the sum of all is not negative it is their
    number; where the first is negative it is 0. Exponents in the order of their tangents: sums are
    growth rates of volumes whether or not the order is perfect.

    >>> round(kaplan_yorke_dimension([0.906, 0.0, -14.572]), 4)
    2.0622
    """
    values = np.asarray(exponents, dtype=np.float64)
    sums = np.cumsum(values)
    held = np.flatnonzero(sums >= 0)
    if held.size == 0:
        return 0.0
    j = int(held[-1]) + 1
    return float(j) if j == values.size else float(j + sums[j - 1] / -values[j])


def positive_sum(exponents: ArrayLike) -> float:
    """The sum of the positive exponents.

    >>> positive_sum([0.5, 0.25, -1.0])
    0.75
    """
    return float(np.maximum(np.asarray(exponents, dtype=np.float64), 0.0).sum())


def kaplan_yorke(spectrum: LyapunovSpectrum) -> SpectralNumber:
    """Kaplan-Yorke dimension; a lower bound where the computed exponents end too early to see it.

    It bounds the information dimension from above and is conjectured to equal it.
    """
    exponents = spectrum.exponents
    sees = float(exponents.sum()) < 0 or spectrum.is_complete
    return _number(spectrum, kaplan_yorke_dimension, "value" if sees else "lower bound")


def entropy_rate(spectrum: LyapunovSpectrum) -> SpectralNumber:
    r"""Sum of the positive exponents: an upper bound of the entropy rate, in nats per leak time.

    .. math:: h_{KS} \le \sum_{\lambda_i > 0} \lambda_i

    (Ruelle 1978), with equality where the invariant measure is smooth along unstable directions
    (Pesin 1977; Ledrappier & Young 1985). If the last computed exponent is still positive, some are
    missing and this part of the sum bounds nothing: "incomplete".
    """
    whole = spectrum.is_complete or spectrum.exponents[-1] <= 0
    return _number(spectrum, positive_sum, "upper bound" if whole else "incomplete")


def _number(
    spectrum: LyapunovSpectrum, of: Callable[[ArrayLike], float], bracket: Bracket
) -> SpectralNumber:
    blocks = spectrum.block_means
    count, total = len(blocks), blocks.sum(axis=0)
    without = np.array([of((total - block) / (count - 1)) for block in blocks])
    error = float(np.sqrt((count - 1) * without.var()))
    return SpectralNumber(of(spectrum.exponents), error, bracket, spectrum.status)
