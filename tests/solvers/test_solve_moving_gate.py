"""`dmft.solve` where a gate moves: which solver answers, what the solution carries, storage, Ctrl-C."""

from functools import cache
from itertools import count

import numpy as np
import pytest
from gate_models import complete

import dmft
from dmft import solve_moving
from dmft.codegen.two_time import two_time_theory
from dmft.errors import InputError
from dmft.results.load import load
from dmft.solvers import conditional, two_histories
from dmft.solvers.conditional import SampledSolution
from dmft.solvers.status import Status
from dmft.solvers.two_time_stop import Stop


@cache
def moving(**options):
    return dmft.solve(
        "gated", g_h=3, alpha_z=5, alpha_r=5, precision=1e-2, lyapunov=False, **options
    )


def test_the_sampled_state_is_that_of_the_two_time_equations():
    """THEORY's late two-time values, 0.1518 at lag 0, are good to about one per cent."""
    found = moving(seed=3)
    assert (found.status, found.method, found.seed, found.tol) == ("converged", "sampled", 3, 1e-2)
    values = found.at([0.0, 5.0, 10.0, 20.0])["h"]
    np.testing.assert_allclose(values, [0.1518, 0.127, 0.0966, 0.0578], rtol=0.025)
    assert set(found.standard_error) >= {"h", "z", "r"}
    assert 0 < found.error_estimate["variance"] < 1e-2


@pytest.mark.parametrize("suffix", [".csv", ".json", ".nc"])
def test_sampled_solutions_survive_storage(tmp_path, suffix):
    path = tmp_path / f"a{suffix}"
    moving(seed=3).save(path)
    assert load(path).to_json() == moving(seed=3).to_json()


def test_a_gate_without_gain_takes_the_deterministic_solver():
    found = dmft.solve("gated", g_h=3, alpha_r=5, lyapunov=False)
    assert found.method == "auto" and not found.standard_error
    assert found.variance["h"] == pytest.approx(0.142274619, abs=1e-9)


def test_the_closure_is_labelled():
    found = moving(method="factorised")
    assert found.method == "factorised" and "approximation" in found.message


def test_an_interrupt_is_passed_on(monkeypatch):
    monkeypatch.setattr(Stop, "reason", property(lambda stop: stop.mark.touch() or "interrupted"))
    with pytest.raises(KeyboardInterrupt):
        dmft.solve("gated", g_h=3, alpha_z=5, alpha_r=5)
    assert conditional.METHODS == ("sampled", "factorised")


def test_a_state_that_depends_on_its_start_gets_no_number(monkeypatch):
    """THEORY, section 5: at alpha_z = 20 the kurtosis tells a narrow start from a wide one."""
    monkeypatch.setattr(solve_moving, "_WAITING", 5.0)
    found = dmft.solve("gated", g_h=3, alpha_z=20, alpha_r=5, precision=1e-2, lyapunov=False)
    assert found.status == "history-dependent" and found.variance["h"] is None
    assert not found.lag.size and "window cap" in found.message
    past = found.histories
    apart = past["wide"] - past["narrow"]
    assert apart > 4 * np.hypot(past["wide_error"], past["narrow_error"]) > 0
    assert "5 leak times after starts of variance 0.01 and 1" in found.message


def stationary(*, correlation_time=50.0):
    lags = np.linspace(0.0, 400.0, 11)
    values = np.tile(np.exp(-lags / correlation_time), (3, 1))
    return SampledSolution(
        "chaotic",
        Status.CONVERGED,
        lags=lags,
        covariance=0.3 * values,
        correlation_times=(correlation_time,) * 3,
        standard_errors=dict(zip("hzr", 0.001 * values, strict=True)),
        paths=64,
    )


@pytest.mark.parametrize(
    ("wide", "status"), [(0.26, Status.CONVERGED), (0.30, Status.HISTORY_DEPENDENT)]
)
def test_slow_states_are_checked_from_two_starts(monkeypatch, wide, status):
    """0.20 +- 0.01 from the narrow start: 3.8 and 6.3 combined errors apart."""
    asked = []

    def followed(theory, values, gated, waiting, **options):
        asked.append((gated, waiting))
        return two_histories.Histories("h", waiting, 0.2, 0.01, wide, 0.0123)

    monkeypatch.setattr(two_histories, "two_histories", followed)
    monkeypatch.setattr(conditional, "solve_conditional", lambda *a, **o: (stationary(), ()))
    found = dmft.solve("gated", g_h=3, alpha_z=10, alpha_r=5)
    assert asked == [((0,), 200.0)]
    assert found.status == status and found.histories["wide"] == wide
    assert (found.variance["h"] is None) == (status is Status.HISTORY_DEPENDENT)
    # fast states are not
    monkeypatch.setattr(
        conditional, "solve_conditional", lambda *a, **o: (stationary(correlation_time=22.0), ())
    )
    found = dmft.solve("gated", g_h=3, alpha_z=5, alpha_r=5)
    assert len(asked) == 1 and found.status == "converged" and not found.histories


def test_what_does_not_converge_is_followed_too(monkeypatch):
    lost = SampledSolution("chaotic", Status.NOT_CONVERGED, "no")
    monkeypatch.setattr(conditional, "solve_conditional", lambda *a, **o: (lost, ()))
    agreeing = two_histories.Histories("h", 40.0, 0.2, 0.01, 0.21, 0.01)
    monkeypatch.setattr(two_histories, "two_histories", lambda *a, **o: agreeing)
    found = dmft.solve("gated", g_h=3, alpha_z=10, alpha_r=5)
    assert found.status == "not-converged" and found.histories == agreeing.as_numbers()


def test_two_histories_are_transients(monkeypatch):
    """(3, 5, 5) after two leak times: what `dmft.transient` gives."""
    monkeypatch.setattr(two_histories, "_PATHS", 32)
    theory = two_time_theory("gated")
    values = complete("gated", g_h=3, alpha_z=5, alpha_r=5)
    found = two_histories.two_histories(theory, values, (0,), 2.0, seed=2)
    same = dmft.transient(
        "gated", values, until=2.0, start={"h": 0.01}, paths=32, precision=0.05, seed=2
    )
    assert found.narrow == same.variance("h")[-1]
    assert found.narrow_error == same.variance_error("h")[-1]
    assert found.differ


def test_a_solution_cut_short_goes_on_with_the_same_digits(tmp_path, monkeypatch):
    options = {"g_h": 3, "alpha_z": 1.5, "alpha_r": 5, "precision": 2e-2, "lyapunov": False}
    whole = dmft.solve("gated", **options)
    calls = count()

    def later(stop):
        return "time limit reached" if stop.deadline and next(calls) >= 40 else ""

    monkeypatch.setattr(Stop, "reason", property(later))
    work = tmp_path / "work"
    begun = dmft.solve("gated", **options, time_limit=1e6, checkpoint=work)
    assert begun.status == "interrupted" and begun.message == "time limit reached"
    kept = len(list(work.iterdir()))
    assert kept >= 38
    monkeypatch.undo()
    before = {path: path.read_bytes() for path in work.iterdir()}
    ended = dmft.solve("gated", **options, checkpoint=work)
    assert ended.status == "converged" and ended.message == whole.message
    np.testing.assert_array_equal(ended.autocorrelation["h"], whole.autocorrelation["h"])
    np.testing.assert_array_equal(ended.standard_error["r"], whole.standard_error["r"])
    assert all(path.read_bytes() == content for path, content in before.items())
    assert len(list(work.iterdir())) > kept
    with pytest.raises(InputError, match="other inputs"):
        dmft.solve("gated", **options | {"alpha_z": 2}, checkpoint=work)


@pytest.mark.parametrize("option", [{"workers": 0}, {"workers": 1.0}, {"time_limit": -1}])
def test_work_that_means_nothing_is_refused(option):
    with pytest.raises(InputError, match=next(iter(option))):
        dmft.solve("gated", g_h=3, alpha_z=5, **option)
