"""Time averages of one network: streamed, transient discarded, reproducible."""

import numpy as np
import pytest
from by_hand import Plain

from dmft.codegen import compile_network
from dmft.errors import DmftError
from dmft.validation.estimate import LaggedProducts, mean_product, measure
from dmft.validation.integrate import Trajectory, draw_tangents
from dmft.validation.network import draw_network, draw_state, generators
from dmft.validation.schedule import SAMPLE, Schedule

SHORT = Schedule(
    dt=0.25, transient=3.0, duration=6.0, lags=(1, 4), judged_lags=(4,), batch=4, tangents=2
)


def test_lagged_products_against_a_stored_series():
    series = np.random.default_rng(0).standard_normal((23, 3, 5)).astype(np.float32)
    lagged = LaggedProducts((0, 1, 4, 22, 30))
    for x in series:
        lagged.add(x)
    wide = series.astype(np.float64)
    expected = [np.mean(wide[: 23 - k] * wide[k:]) for k in (0, 1, 4, 22)]
    np.testing.assert_allclose(lagged.means()[:4], expected, rtol=1e-12)
    assert np.isnan(lagged.means()[4])


def test_products_are_summed_in_double_precision():
    """Ten million ones in float32 stop counting at 2^24 = 16.8 million half-steps; float64 not."""
    ones = np.full((40, 500_000), 1.0, dtype=np.float32)
    assert mean_product(ones, ones) == 1.0


def test_averages_by_hand():
    """The same run done step by step, with plain averages over the stored samples."""
    right, p = compile_network("vanilla"), {"g": 2.0}
    result = measure(right, p, SHORT, 60, 3, 7, np.float64)
    couplings, starts = generators(7, 60, 3)
    network = draw_network(right, p, 60, couplings, np.float64)
    x = draw_state(network, SHORT.batch, 1.0, starts)
    run = Trajectory(network, x, draw_tangents(network, SHORT.tangents, starts), 0.25)
    growth, series = [], []
    for _ in range(18):
        growth.append(run.advance(2))
        series.append(run.x[0])
    kept = np.array(series[6:])
    assert result.second_moment["x"] == pytest.approx(np.mean(kept**2), rel=1e-12)
    expected = [np.mean(kept[:-k] * kept[k:]) for k in SHORT.lags]
    np.testing.assert_allclose(result.autocorrelation, expected, rtol=1e-12)
    assert result.lyapunov == pytest.approx(np.mean(growth[6:]) / SAMPLE, rel=1e-10)
    halves = np.mean(kept[6:] ** 2) / np.mean(kept[:6] ** 2) - 1
    assert result.drift == pytest.approx(halves, rel=1e-9)


def test_same_seed_same_digits():
    right, p = compile_network("vanilla"), {"g": 2.0}
    one = measure(right, p, SHORT, 50, 0, 1)
    assert measure(right, p, SHORT, 50, 0, 1) == one
    assert measure(right, p, SHORT, 50, 0, 2).lyapunov != one.lyapunov


def test_unbounded_dynamics_is_an_error():
    class Explosive(Plain):
        def drift(self, x, xi, p, inputs):
            return [x[0] ** 3 + xi[0]]

        def tangent_drift(self, x, xi, dx, dxi, p, inputs):
            return [3 * x[0] ** 2 * dx[0] + dxi[0]]

    with np.errstate(all="ignore"), pytest.raises(DmftError, match="unbounded"):
        measure(Explosive(), {}, SHORT, 30, 0, 0)
