"""Lyapunov spectra of finite networks: one trajectory each, to be compared between networks."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from .ensemble import CurveEstimate, Ensemble, check_memory, curves_over_networks, settle
from .lyapunov_spectrum import LyapunovSpectrum, lyapunov_spectrum


@dataclass(frozen=True, slots=True)
class SpectrumPlan:
    """How many exponents and for how long; times in leak time constants.

    ``leading``: how many, None for all. ``transient``: of the state alone, before tangents start.
    The rest as in `dmft.validation.lyapunov_spectrum.lyapunov_spectrum`.
    """

    leading: int | None = None
    transient: float = 100.0
    warm_up: float = 50.0
    duration: float = 200.0
    blocks: int = 32
    tol: float = 0.01


def network_spectrum(
    ensemble: Ensemble, plan: SpectrumPlan, n: int, realization: int
) -> LyapunovSpectrum:
    """The spectrum of network number ``realization`` of ``n`` units.

    State and tangents go through one matrix product per current: k tangents cost little more than
    one until k reaches the tens, and from there 2 k N^2 operations per product. Raises `InputError` for a
    size that does not fit into memory.
    """
    fields = len(ensemble.right.info.fields)
    count = fields * n if plan.leading is None else plan.leading
    itemsize = np.dtype(ensemble.dtype).itemsize
    # Tangents: a dozen copies while they ride, three float64 ones while they are made orthonormal.
    check_memory(
        f"a spectrum of {count} exponents",
        n,
        itemsize * (len(ensemble.right.info.currents) * n**2 + 12 * count * fields * n)
        + 8 * (3 * count * fields * n + 2 * count**2),
    )
    run = ensemble.begin(n, realization, tangents=count)
    tangents = run.dx
    run.dx = [d[:0] for d in tangents]
    settle(run, plan.transient)
    run.dx = tangents
    return lyapunov_spectrum(
        run, warm_up=plan.warm_up, duration=plan.duration, blocks=plan.blocks, tol=plan.tol
    )


def mean_spectrum(spectra: Sequence[LyapunovSpectrum]) -> CurveEstimate:
    """Exponent by exponent over networks of one size, with standard errors."""
    return curves_over_networks([s.exponents for s in spectra])


def mean_running(spectra: Sequence[LyapunovSpectrum]) -> NDArray[np.float64]:
    """The running estimate of every exponent, averaged over networks: ``(blocks, k)``."""
    return np.asarray(np.mean([s.running for s in spectra], axis=0))


def at_fraction(spectrum: LyapunovSpectrum, fraction: float) -> float:
    """The exponent at a place in the spectrum that networks of all sizes have.

    Exponent i (from 1) sits at (i - 1/2) / dimension; in between linearly. As N grows the spectrum
    becomes a function of this fraction, which is what may be extrapolated.
    """
    exponents = spectrum.exponents
    place = (np.arange(exponents.size) + 0.5) / spectrum.dimension
    if not place[0] <= fraction <= place[-1]:
        raise ValueError(f"fraction: {fraction} lies outside {place[0]:.3g} to {place[-1]:.3g}")
    return float(np.interp(fraction, place, exponents))
