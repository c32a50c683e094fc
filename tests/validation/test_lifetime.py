"""Lifetimes: deaths that are deaths, survival with censoring, and one rate or none."""

from functools import partial

import numpy as np
import pytest
from scipy import stats

from dmft.codegen import compile_network
from dmft.errors import InputError
from dmft.validation.ensemble import Ensemble, each_network
from dmft.validation.lifetime import (
    LifetimePlan,
    Lifetimes,
    activity,
    fit_exponential,
    kaplan_meier,
    network_lifetimes,
    survival,
)

LEVEL = 1e-3

#: Weeks in remission under 6-MP (Freireich et al. 1963; Cox & Oakes 1984, table 1.1); True: relapse.
REMISSION = [
    *((6, True), (6, True), (6, True), (6, False), (7, True), (9, False), (10, True), (10, False)),
    *((11, False), (13, True), (16, True), (17, False), (19, False), (20, False), (22, True)),
    *((23, True), (25, False), (32, False), (32, False), (34, False), (35, False)),
]


def test_published_survival():
    """The textbook example (Kleinbaum & Klein, Survival Analysis, chapter 2), and its rate 9 / 359."""
    time, died = np.array(REMISSION).T
    found = kaplan_meier(time, died.astype(bool), [5.9, 6, 7, 10, 13, 16, 22, 23, 35])
    printed = [1.0, 0.857, 0.807, 0.753, 0.690, 0.627, 0.538, 0.448, 0.448]
    np.testing.assert_allclose(found, printed, atol=5e-4)
    networks = [Lifetimes(np.array([t]), np.array([bool(d)]), 35.0) for t, d in REMISSION]
    fit = fit_exponential(networks)
    assert fit.deaths == 9
    assert fit.exposure == 359.0
    assert fit.rate.mean == pytest.approx(9 / 359)
    assert fit.rate.standard_error == pytest.approx(3 / 359, rel=0.2)  # rate / sqrt(deaths)
    assert fit.status == "exponential"


def drawn(rng, rates, starts, horizon):
    networks = []
    for rate in rates:
        time = rng.exponential(1 / rate, starts)
        networks.append(Lifetimes(np.minimum(time, horizon), time <= horizon, horizon))
    return networks


def test_rates_and_their_errors():
    """Half of the starts censored: no bias, and errors that are those of repetition."""
    rng = np.random.default_rng(0)
    fits = [fit_exponential(drawn(rng, [0.1] * 12, 10, 7.0)) for _ in range(300)]
    rates = np.array([f.rate.mean for f in fits])
    scatter = rates.std(ddof=1)
    assert abs(rates.mean() - 0.1) < 4 * scatter / np.sqrt(300) + 0.1 / 60 / 2  # O(1/deaths)
    errors = np.sqrt(np.mean([f.rate.standard_error**2 for f in fits]))
    assert errors == pytest.approx(scatter, rel=0.15)
    assert np.mean([f.status == "exponential" for f in fits]) > 0.95
    assert fits[0].mean.mean == pytest.approx(1 / rates[0])


def test_networks_differ_and_errors_know():
    """Rates scatter between networks: starts are not independent, and the error is much wider."""
    rng = np.random.default_rng(1)
    fits = [
        fit_exponential(drawn(rng, 0.1 * rng.lognormal(0, 0.7, 20), 30, 5.0)) for _ in range(200)
    ]
    scatter = np.std([f.rate.mean for f in fits], ddof=1)
    naive = np.mean([f.rate.mean / np.sqrt(f.deaths) for f in fits])
    errors = np.sqrt(np.mean([f.rate.standard_error**2 for f in fits]))
    assert scatter > 1.7 * naive
    assert errors == pytest.approx(scatter, rel=0.2)


def test_the_first_stretch_does_not_count():
    """A third dies at once; after that the rate is 0.05. Counting all gives no single rate."""
    rng = np.random.default_rng(2)
    networks = []
    for _ in range(30):
        time = 2.0 + rng.exponential(20.0, 20)
        time[:7] = rng.uniform(0, 2, 7)
        networks.append(Lifetimes(np.minimum(time, 30.0), time <= 30.0, 30.0))
    fit = fit_exponential(networks, after=2.0)
    assert abs(fit.rate.mean - 0.05) < 4 * fit.rate.standard_error
    assert fit.rate.standard_error < 0.005
    assert fit.status == "exponential"
    assert fit_exponential(networks).status == "not exponential"


def test_nobody_died():
    networks = [Lifetimes(np.full(5, 10.0), np.zeros(5, bool), 10.0)] * 4
    fit = fit_exponential(networks)
    assert fit.status == "no deaths"
    assert fit.rate.mean == 0.0
    assert fit.upper_limit == pytest.approx(-np.log(0.05) / 200.0)
    assert np.isinf(fit.mean.mean)


def test_survival_errors():
    """Without censoring the share alive has the error of a mean over networks."""
    rng = np.random.default_rng(3)
    networks = drawn(rng, [0.1] * 10, 20, np.inf)
    found = survival(networks, [0.0, 5.0, 10.0])
    shares = np.array([[np.mean(m.time > t) for t in (0.0, 5.0, 10.0)] for m in networks])
    np.testing.assert_allclose(found.alive, shares.mean(axis=0))
    np.testing.assert_allclose(found.standard_error, stats.sem(shares, axis=0), atol=1e-12)


def ensemble(g, amplitude=1.0):
    return Ensemble(compile_network("vanilla"), {"g": g}, 4, 0.125, starts=amplitude)


def test_relaxation_without_couplings():
    """x = x_0 e^-t: the activity falls through the threshold at ln(activity / threshold)."""
    plan = LifetimePlan(threshold=0.01, horizon=30.0, hold=5.0, spacing=0.125, batch=6)
    found = network_lifetimes(ensemble(0.0), plan, 50, 0)
    start = activity(ensemble(0.0).begin(50, 0, batch=6).x[0])
    exact = np.log(start / 0.01)
    assert found.died.all()
    assert ((found.time - exact >= -1e-6) & (found.time - exact < 0.125 + 1e-6)).all()


def test_a_dip_is_no_death(monkeypatch):
    """Activity on an ellipse goes under the threshold twice a turn and comes back: still alive."""
    wide = ensemble(1.0)
    run = wide.begin(2, 0, batch=3)
    np.copyto(run.network.transposed[0], np.array([[1.0, 4.0], [-0.25, 1.0]]).T)
    run.x[0][:] = 1e-2 * np.array([[1.0, 0.0], [0.0, 0.1], [0.5, 0.5]])
    monkeypatch.setattr(Ensemble, "begin", lambda *a, **k: run)
    plan = LifetimePlan(threshold=5e-3, horizon=30.0, hold=10.0, spacing=0.25, batch=3)
    found = network_lifetimes(wide, plan, 2, 0)
    assert found.died.tolist() == [False, True, False]
    assert found.time.tolist() == [30.0, 0.25, 30.0]


def test_a_run_ends_when_all_have_been_silent_for_long_enough(monkeypatch):
    """Not at the first fall, and not at the horizon either."""
    run = ensemble(1.0).begin(2, 0)
    np.copyto(run.network.transposed[0], np.array([[1.0, 4.0], [-0.25, 1.0]]).T)
    run.x[0][:] = [[1e-2, 0.0]]
    monkeypatch.setattr(Ensemble, "begin", lambda *a, **k: run)
    plan = LifetimePlan(threshold=5e-3, horizon=30.0, hold=10.0, spacing=0.25, batch=1)
    assert not network_lifetimes(ensemble(1.0), plan, 2, 0).died.any()
    run.x[0][:], run.time = 1e-4, 0.0
    assert network_lifetimes(ensemble(1.0), plan, 2, 0).died.all()
    assert run.time == 10.25


def test_deaths_near_the_end_of_the_run_are_neither_lost_nor_invented():
    """A horizon just above and below the time of death: counted, and not."""
    plan = LifetimePlan(threshold=0.01, horizon=30.0, hold=5.0, spacing=0.125, batch=1)
    death = float(network_lifetimes(ensemble(0.0), plan, 50, 0).time[0])
    for horizon, counted in ((death, True), (death - 0.125, False)):
        near = LifetimePlan(threshold=0.01, horizon=horizon, hold=5.0, spacing=0.125, batch=1)
        found = network_lifetimes(ensemble(0.0), near, 50, 0)
        assert found.died.tolist() == [counted]
        assert found.time.tolist() == [horizon]


def test_chaos_lives_and_rest_does_not():
    plan = LifetimePlan(threshold=0.05, horizon=60.0, batch=4)
    alive = each_network(partial(network_lifetimes, ensemble(3.0), plan), {100: 2})[100]
    assert not any(m.died.any() for m in alive)
    assert all((m.time == 60.0).all() for m in alive)
    dead = each_network(partial(network_lifetimes, ensemble(0.5), plan), {100: 2})[100]
    assert all(m.died.all() for m in dead)


def test_bad_plans():
    with pytest.raises(InputError, match="threshold"):
        network_lifetimes(ensemble(1.0), LifetimePlan(threshold=0.0, horizon=1.0), 10, 0)
    with pytest.raises(ValueError, match="two networks"):
        fit_exponential([Lifetimes(np.ones(3), np.ones(3, bool), 2.0)])
