"""Random parameter sets of the gated network with an open update gate: what the fuzz test is fed.

Set ``index`` of a ``seed`` has its own generator, so that it does not depend on how many sets are drawn
or by whom. Gains and times are log-uniform, biases and inputs uniform, but the special values at which a
theory changes its kind are drawn often: no bias (rest, symmetry), no input, small inputs, no noise.
"""

from __future__ import annotations

import numpy as np

__all__ = ["MODEL", "draw"]

MODEL = "gated"

#: Of gain and time constants, log-uniform.
_GAIN, _TIME = (0.1, 20.0), (0.05, 20.0)
_LARGEST_GATE_GAIN, _LARGEST_BIAS = 50.0, 4.0
#: Of quenched inputs (variances) and of noise (intensities).
_LARGEST_INPUT, _LARGEST_NOISE, _SMALLEST_DRIVE = 10.0, 5.0, 1e-4
_SHARE_UNBIASED, _SHARE_NOISY = 0.3, 0.2
#: Decimals, so that a printed set is the set.
_DIGITS = 6


def draw(seed: int, index: int) -> dict[str, float]:
    """Parameters of one set; six significant digits.

    >>> draw(0, 3) == draw(0, 3), draw(0, 3) == draw(0, 4)
    (True, False)
    """
    rng = np.random.default_rng([seed, index])

    def log_uniform(low: float, high: float) -> float:
        return float(np.exp(rng.uniform(np.log(low), np.log(high))))

    def drive(largest: float) -> float:
        """Nothing, anything, or any order of magnitude."""
        kind, anything = rng.random(), rng.uniform(0.0, largest)
        small = log_uniform(_SMALLEST_DRIVE, largest)
        return 0.0 if kind < 0.4 else anything if kind < 0.7 else small

    def bias() -> float:
        kind, anything = rng.random(), rng.uniform(-_LARGEST_BIAS, _LARGEST_BIAS)
        return 0.0 if kind < _SHARE_UNBIASED else float(anything)

    values = {
        "g_h": log_uniform(*_GAIN),
        "alpha_r": float(rng.uniform(0.0, _LARGEST_GATE_GAIN)),
        "tau_r": log_uniform(*_TIME),
        "tau_z": log_uniform(*_TIME),
        **{name: bias() for name in ("beta_h", "beta_r", "beta_z")},
        **{name: drive(_LARGEST_INPUT) for name in ("input_h", "input_r", "input_z")},
    }
    noisy = rng.random() < _SHARE_NOISY
    noises = {name: drive(_LARGEST_NOISE) for name in ("noise_h", "noise_r")}
    if noisy:
        values |= noises
    return {name: float(f"{value:.{_DIGITS}g}") for name, value in values.items()}
