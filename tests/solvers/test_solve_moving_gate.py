"""`dmft.solve` where a gate moves: which solver answers, what the solution carries, storage, Ctrl-C."""

from functools import cache

import numpy as np
import pytest

import dmft
from dmft.results.load import load
from dmft.solvers import conditional
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


def test_a_state_that_depends_on_its_start_gets_no_number():
    """THEORY, section 5: at alpha_z = 20 the kurtosis tells a narrow start from a wide one."""
    found = dmft.solve("gated", g_h=3, alpha_z=20, alpha_r=5, precision=1e-2, lyapunov=False)
    assert found.status == "history-dependent" and found.variance["h"] is None
    assert not found.lag.size and "window cap" in found.message
