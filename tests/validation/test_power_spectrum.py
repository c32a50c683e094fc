"""Power spectra: normalisation, windows and memory, against exact expectations."""

import numpy as np
import pytest
from scipy import signal, stats

from dmft.validation.power_spectrum import PowerSpectrum, mean_power_spectrum

LEVEL = 1e-3


def measured(series, segment, spacing):
    observer = PowerSpectrum(segment, spacing)
    for x in series:
        observer.add({"x": x})
    return observer.result()


def test_against_scipy():
    """Welch's method there, one-sided in f; here two-sided in omega."""
    rng = np.random.default_rng(0)
    series = rng.standard_normal((200, 3, 300)).astype(np.float32)
    found = measured(series, 64, 0.25)
    f, density = signal.welch(
        series.astype(np.float64), 4.0, "hann", 64, detrend=False, return_onesided=False, axis=0
    )
    half = np.arange(33)
    np.testing.assert_allclose(found.frequency, 2 * np.pi * np.abs(f[half]), rtol=1e-12)
    np.testing.assert_allclose(found.values["x"], density.mean(axis=(1, 2))[half], rtol=1e-6)
    assert found.segments == 5


def test_expectation_for_a_first_order_process():
    """C(k) = rho^|k|: the windowed spectrum is known exactly; every frequency within its error."""
    rng = np.random.default_rng(1)
    rho, spacing, segment, networks = 0.8, 0.5, 32, 40
    x = rng.standard_normal((networks, 50))
    series = []
    for _ in range(96):
        series.append(x)
        x = rho * x + np.sqrt(1 - rho**2) * rng.standard_normal(x.shape)
    found = [measured([x[k : k + 1] for x in series], segment, spacing) for k in range(networks)]
    window = signal.get_window("hann", segment)
    lag = np.subtract.outer(np.arange(segment), np.arange(segment))
    omega = found[0].frequency
    expected = [
        spacing
        / np.sum(window**2)
        * np.sum(np.outer(window, window) * rho ** np.abs(lag) * np.cos(w * lag * spacing))
        for w in omega
    ]
    mean = mean_power_spectrum(found, "x")
    score = (mean.mean - expected) / mean.standard_error
    assert np.abs(score).max() < stats.t.isf(LEVEL / 2 / score.size, mean.dof)
    assert np.median(mean.standard_error / mean.mean) < 0.03


def test_a_wave_keeps_its_power():
    """cos(w t) has C(0) = 1/2: the integral over positive and negative frequencies."""
    segment, spacing = 256, 0.5
    w = 2 * np.pi * 20 / (segment * spacing)
    series = [np.full((1, 4), np.cos(w * spacing * t)) for t in range(1024)]
    found = measured(series, segment, spacing)
    step = found.frequency[1]
    power = step / (2 * np.pi) * (2 * found.values["x"].sum() - found.values["x"][0])
    assert power == pytest.approx(0.5, rel=1e-3)
    assert found.frequency[np.argmax(found.values["x"])] == pytest.approx(w)


def test_memory_does_not_grow_and_short_runs_have_no_answer():
    observer = PowerSpectrum(16, 1.0, names=("x",))
    for t in range(15):
        observer.add({"x": np.full((2, 3), float(t)), "y": np.zeros((2, 3))})
    assert np.isnan(observer.result().values["x"]).all()
    assert "y" not in observer.result().values
    before = observer._buffers["x"].nbytes
    for _ in range(500):
        observer.add({"x": np.zeros((2, 3))})
    assert observer._buffers["x"].nbytes == before == 16 * 6 * 8
    assert observer.result().segments == 1 + (515 - 16) // 8


def test_bad_segments():
    for wrong in (2, 7):
        with pytest.raises(ValueError, match="even number"):
            PowerSpectrum(wrong, 1.0)
