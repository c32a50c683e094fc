"""Autocorrelations of all signals, and the one run that feeds every observer."""

import tracemalloc
from functools import partial

import numpy as np
import pytest
from by_hand import Plain
from scipy import stats

from dmft.codegen import compile_network
from dmft.errors import DmftError, InputError
from dmft.protocol import Protocol, Step
from dmft.validation.autocorrelations import Autocorrelations, mean_autocorrelation
from dmft.validation.couplings import Couplings
from dmft.validation.distribution import Distribution
from dmft.validation.eigenvalues import EigenvaluePlan, network_eigenvalues
from dmft.validation.ensemble import Ensemble, curves_over_networks, each_network, network_now
from dmft.validation.integrate import Trajectory
from dmft.validation.network import draw_network, draw_state, generators
from dmft.validation.observe import ObservationPlan, observe, observe_network, signals
from dmft.validation.participation import Participation
from dmft.validation.power_spectrum import PowerSpectrum
from dmft.validation.spectrum_of_networks import SpectrumPlan, network_spectrum
from dmft.validation.start import Start

LEVEL = 1e-3
GATED = {
    "g_h": 3.0,
    "alpha_z": 1.0,
    "alpha_r": 5.0,
    "beta_h": 0.0,
    "beta_z": 0.2,
    "beta_r": 0.3,
    "tau_z": 2.0,
    "tau_r": 0.5,
}


def test_first_order_process():
    """C(k) = mean^2 + rho^k at every lag, within errors over independent networks."""
    rng = np.random.default_rng(0)
    rho, networks, lags = 0.9, 30, (0, 1, 5, 20)
    x = rng.standard_normal((networks, 2, 40))
    observers = [Autocorrelations(lags, 0.5) for _ in range(networks)]
    for _ in range(300):
        for observer, one in zip(observers, x, strict=True):
            observer.add({"x": 0.7 + one})
        x = rho * x + np.sqrt(1 - rho**2) * rng.standard_normal(x.shape)
    found = [observer.result() for observer in observers]
    assert found[0].lag.tolist() == [0.0, 0.5, 2.5, 10.0]
    mean = mean_autocorrelation(found, "x")
    score = (mean.mean - (0.49 + rho ** np.array(lags))) / mean.standard_error
    assert np.abs(score).max() < stats.t.isf(LEVEL / 2 / 4, mean.dof)
    assert (mean.standard_error < 0.02).all()
    assert np.mean([f.mean["x"] for f in found]) == pytest.approx(0.7, abs=0.02)


def test_every_field_and_nonlinearity():
    """Against stored samples of the same run, typed by hand."""
    network = draw_network(
        compile_network("gated"), GATED, 12, np.random.default_rng(1), np.float64
    )
    x = draw_state(network, 2, 1.0, np.random.default_rng(2))
    run = Trajectory(network, x, [np.zeros((0, 12))] * 3, 0.25)
    observer = Autocorrelations((0, 2), 0.5)
    observe(run, 9, 2, {"C": observer})
    again = Trajectory(network, x, [np.zeros((0, 12))] * 3, 0.25)
    series = []
    for _ in range(9):
        again.advance(2)
        h, z, r = again.x
        series.append(
            [h, z, r, np.tanh(3 * h), 1 / (1 + np.exp(-z + 0.2)), 1 / (1 + np.exp(-5 * r + 0.3))]
        )
    stored = np.array(series)
    found = observer.result()
    assert len(found.values) == 6
    names = {name: k for k, name in enumerate(network.right.info.fields)}
    assert names == {"h": 0, "z": 1, "r": 2}
    rest = [name for name in found.values if name not in names]
    for k, name in enumerate([*names, *rest]):
        a = stored[:, k]
        expected = [np.mean(a * a), np.mean(a[:-2] * a[2:])]
        np.testing.assert_allclose(found.values[name], expected, rtol=1e-10)
        assert found.mean[name] == pytest.approx(a.mean(), rel=1e-9)


def everything():
    return {
        "C": Autocorrelations((0, 4), 0.5, names=("x",)),
        "S": PowerSpectrum(16, 0.5),
        "P": Distribution(edges={"x": [-1.0, 0.0, 1.0]}),
        "D": Participation("x"),
    }


def test_same_digits_for_any_number_of_workers():
    ensemble = Ensemble(compile_network("vanilla"), {"g": 2.0}, 7, 0.25)
    plan = ObservationPlan(batch=4, transient=5.0, samples=40)
    task = partial(observe_network, ensemble, plan, everything)
    one, two = (each_network(task, {30: 2, 40: 1}, workers) for workers in (1, 2))
    for n in (30, 40):
        for a, b in zip(one[n], two[n], strict=True):
            np.testing.assert_array_equal(a["C"].values["x"], b["C"].values["x"])
            for name in ("x", *(set(a["S"].values) - {"x"})):
                np.testing.assert_array_equal(a["S"].values[name], b["S"].values[name])
            assert a["P"].moments == b["P"].moments
            assert a["D"] == b["D"]
    assert one[30][0]["D"] != one[30][1]["D"]
    assert task(40, 0)["D"] == one[40][0]["D"]


def test_networks_are_those_of_the_generators():
    ensemble = Ensemble(compile_network("vanilla"), {"g": 2.0}, 7, 0.25)
    couplings, starts = generators(7, 20, 3)
    network = draw_network(ensemble.right, {"g": 2.0}, 20, couplings)
    run = ensemble.begin(20, 3, batch=2)
    np.testing.assert_array_equal(run.network.transposed[0], network.transposed[0])
    np.testing.assert_array_equal(run.x[0], draw_state(network, 2, 1.0, starts)[0])
    assert run.dx[0].shape == (0, 20)


def test_what_an_ensemble_hands_on():
    """Law of couplings and starts, integrator, protocol and white noise reach the run."""
    steps = Protocol({"g": 2.0}, (Step("g", 1.0, 0.5),))
    ensemble = Ensemble(
        compile_network("vanilla"),
        {"g": 2.0},
        7,
        0.25,
        starts=Start(0.0, mean=2.0),
        couplings=Couplings("binary"),
        integrator="exponential",
        protocol=steps,
    )
    run = ensemble.begin(16, 0, batch=2)
    assert set(np.abs(run.network.transposed[0]).ravel().tolist()) == {0.25}
    assert (run.x[0] == 2.0).all()
    assert run.integrator == "exponential"
    assert network_now(run).parameters["g"] == 2.0
    run.advance(8)
    assert network_now(run).parameters["g"] == 0.5

    class Noisy(Plain):
        def noise(self, p):
            return np.eye(1)

    first, again = (Ensemble(Noisy(), {}, 7, 0.25).begin(5, 0) for _ in range(2))
    first.advance(4)
    again.advance(4)
    np.testing.assert_array_equal(first.x[0], again.x[0])
    assert first.noise is not None


def test_the_transient_is_discarded():
    """A quiet network is at rest after it, and was not before."""
    ensemble = Ensemble(compile_network("vanilla"), {"g": 0.5}, 7, 0.25)
    for transient, quiet in ((80.0, True), (0.0, False)):
        plan = ObservationPlan(batch=1, transient=transient, samples=4)
        found = observe_network(ensemble, plan, lambda: {"P": Distribution()}, 30, 0)
        assert (found["P"].moments["x"].variance < 1e-12) is quiet


def test_signals_are_fields_and_nonlinearities():
    network = draw_network(compile_network("vanilla"), {"g": 2.0}, 5, np.random.default_rng(0))
    x = draw_state(network, 3, 1.0, np.random.default_rng(1))
    found = signals(network, x)
    assert next(iter(found)) == "x"
    for values in found.values():
        assert values.shape == (3, 5)


def test_memory_does_not_grow_with_time():
    """Peak memory of 4000 samples is that of 400, to a few kilobytes."""

    def peak(samples):
        observers = everything()
        rng = np.random.default_rng(0)
        tracemalloc.start()
        for _ in range(samples):
            x = rng.standard_normal((4, 50))
            for observer in observers.values():
                observer.add({"x": x})
        top = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        return top

    peak(100)
    assert peak(4000) - peak(400) < 20_000


def test_unbounded_dynamics_is_an_error():
    run = Ensemble(compile_network("vanilla"), {"g": 2.0}, 0, 0.25).begin(10, 0)
    run.x[0][0, 0] = np.inf
    with np.errstate(all="ignore"), pytest.raises(DmftError, match="unbounded"):
        observe(run, 1, 1, {})


def test_absurd_sizes_are_refused_with_the_memory_they_would_need():
    ensemble = Ensemble(compile_network("vanilla"), {"g": 2.0}, 0, 0.25)
    for estimate in (
        partial(network_spectrum, ensemble, SpectrumPlan()),
        partial(network_eigenvalues, ensemble, EigenvaluePlan(), None),
    ):
        with pytest.raises(InputError, match=r"n: 10000000 was given; .* GB may be used"):
            estimate(10**7, 0)
    with pytest.raises(InputError, match="the covariance"):
        Participation("x").add({"x": np.broadcast_to(np.zeros(1), (4, 10**7))})


def test_error_bars_need_two_networks():
    with pytest.raises(ValueError, match="two networks"):
        curves_over_networks([[1.0, 2.0]])
