"""`solve_transient`: error bars that hold, grids that fit, work that is resumed, input that is refused."""

import dataclasses
import gc
import signal
import threading
import weakref

import numpy as np
import pytest
from solved import solved
from two_time_models import complete, linear, population

from dmft.codegen.two_time import compile_two_time, two_time_theory
from dmft.errors import InputError
from dmft.protocol import Protocol, Step
from dmft.solvers.status import Status
from dmft.solvers.two_time_checkpoint import Checkpoint, fingerprint
from dmft.solvers.two_time_grid import growing_times, time_grid
from dmft.solvers.two_time_problem import TwoTimeProblem
from dmft.solvers.two_time_solution import memory_needed, solve_transient
from dmft.solvers.two_time_start import FieldStart, field_starts

SHORT = growing_times(2.0, 0.1, 0.1, 0.3)


@pytest.fixture(scope="module")
def gated():
    return two_time_theory("gated")


def gates(theory, **more):
    return complete(theory, **{"g_h": 3, "alpha_z": 5, "alpha_r": 5} | more)


def short(theory, **options):
    """A small sampled run."""
    given = {"times": SHORT, "paths": 16, "populations": 3, "precision": 0.5, "start": {"h": 0.2}}
    return solve_transient(theory, gates(theory), **given | options)


def test_a_fitted_grid_keeps_its_promise(gated):
    """Without sampling: the error estimate covers the true error, and both the precision."""
    found = solve_transient(
        gated, complete(gated, g_h=3, alpha_r=5), start={"h": 0.15}, until=90.0, precision=0.004
    )
    assert found.status is Status.CONVERGED
    exact = solved("gated", g_h=3.0, alpha_r=5.0, lyapunov=False)
    for name in ("h", "r"):
        off = abs(found.variance(name)[-1] - exact.variance[name])
        assert off < 0.004 * exact.variance[name]
        assert off < found.error[name][-1, -1] + 2e-4 * exact.variance[name]
    lengths = np.diff(found.times)
    assert np.median(lengths[-50:]) > 5 * np.median(lengths[:10])


def test_error_estimate_of_a_known_solution():
    """Coupled linear network: the true error is within the estimate at every pair of times."""
    theory = compile_two_time(linear())
    from test_two_time_linear import bessel

    found = solve_transient(
        theory, complete(theory, v=1.0), start={"x": 1.0}, times=np.linspace(0, 4, 41)
    )
    exact = bessel(1.0, found.times, 1.0)
    apart, error = abs(found.moments["x"] - exact), found.error["x"]
    assert np.max(apart) < 1.5 * np.max(error)
    assert found.errors["sampling"] == found.errors["bias"] == 0.0
    assert np.max(apart) > 0.2 * np.max(error)
    assert found.kurtosis["x"][-1] == pytest.approx(3.0)


def test_the_sampling_error_holds(gated):
    """Twenty seeds scatter as their standard errors say, self-consistency included.

    The variance of 20 values has a relative deviation of sqrt(2/19), the squared errors (3 degrees
    of freedom each) one of sqrt(2/60): their ratio lies within 1 +- 4 * 0.37.
    """
    times = np.linspace(0, 1.2, 5)
    found = [short(gated, times=times, paths=8, populations=4, seed=k) for k in range(20)]
    for name in ("h", "r"):
        for n in (2, -1):
            values = [f.variance(name)[n] for f in found]
            squares = [f.standard_error[name][n, n] ** 2 for f in found]
            assert 0.2 < np.var(values, ddof=1) / np.mean(squares) < 2.5
    for f in found[:3]:
        parts = [f.errors[k] ** 2 for k in ("sampling", "step", "bias")]
        assert f.errors["total"] ** 2 == pytest.approx(sum(parts))


def test_a_grid_fitted_to_moving_gates(gated):
    """From z = 0 all gates open or shut within a time of 1/2 at alpha_z = 20: short steps there."""
    found = solve_transient(
        gated,
        gates(gated, alpha_z=20),
        start={"h": 1.0},
        until=6.0,
        paths=16,
        populations=2,
        precision=0.1,
    )
    assert found.errors["step"] < 0.03
    lengths = np.diff(found.times)
    assert np.mean(lengths[found.times[:-1] > 3]) > 2 * np.mean(lengths[found.times[:-1] < 0.5])


def test_halving_sees_the_step_and_not_chance(gated):
    """The difference between grids is far below the scatter of populations, and falls with the step."""
    coarse = short(gated, times=np.linspace(0, 2, 9), paths=64, populations=6)
    fine = short(gated, times=np.linspace(0, 2, 33), paths=64, populations=6)
    assert fine.errors["step"] < coarse.errors["step"] / 4
    assert fine.errors["step"] < fine.errors["sampling"]


def test_same_seed_same_digits_for_any_number_of_workers(gated):
    one, two, other = short(gated), short(gated, workers=2), short(gated, seed=1)
    for name in one.moments:
        np.testing.assert_array_equal(one.moments[name], two.moments[name])
        np.testing.assert_array_equal(one.error[name], two.error[name])
    assert np.max(abs(one.moments["h"] - other.moments["h"])) > 1e-5


def test_a_stopped_run_goes_on_with_the_same_digits(gated, tmp_path):
    """Stopped after some steps of each stage in turn, it ends where an undisturbed run ends."""
    whole = short(gated)

    stops = 0
    for _ in range(60):
        steps = 0

        def interrupt(share):
            nonlocal steps
            steps += 1
            if steps == 9:
                signal.raise_signal(signal.SIGINT)

        found = short(gated, checkpoint=tmp_path, progress=interrupt)
        if found.status is Status.CONVERGED:
            break
        stops += 1
        assert found.status is Status.INTERRUPTED
        assert "interrupted" in found.message
        assert "call again" in found.message
    assert stops > 5
    for name in whole.moments:
        np.testing.assert_array_equal(found.moments[name], whole.moments[name])
        np.testing.assert_array_equal(found.error[name], whole.error[name])


def test_the_first_stop_shows_how_far_it_came(gated, tmp_path):
    def interrupt(share):
        signal.raise_signal(signal.SIGINT)

    handler = signal.getsignal(signal.SIGINT)
    found = short(gated, checkpoint=tmp_path, progress=interrupt)
    assert signal.getsignal(signal.SIGINT) is handler
    assert found.populations == 0
    assert 1 < found.times.size < SHORT.size
    assert found.variance("h")[0] == pytest.approx(0.2)
    assert np.isnan(found.error["h"]).all()
    assert "one population came to t = " in found.message


def test_a_time_limit(gated):
    found = short(gated, time_limit=0.0)
    assert (found.status, found.populations) == (Status.INTERRUPTED, 0)
    assert "time limit" in found.message
    assert "call again" not in found.message


def test_without_the_main_thread(gated):
    """No handler can be set there; everything else works."""
    results = []
    thread = threading.Thread(target=lambda: results.append(short(gated, populations=2)))
    thread.start()
    thread.join()
    assert results[0].populations == 2


def test_checkpoints_are_not_mixed_up(gated, tmp_path):
    short(gated, populations=2, checkpoint=tmp_path)
    with pytest.raises(InputError, match="other inputs"):
        short(gated, populations=2, checkpoint=tmp_path, seed=5)
    with pytest.raises(InputError, match="other inputs"):
        short(gated, populations=2, checkpoint=tmp_path, start={"h": 0.3})
    (tmp_path / "population-000-fine.npz").write_bytes(b"nothing")
    with pytest.raises(InputError, match="cannot be read"):
        short(gated, populations=2, checkpoint=tmp_path)


def test_checkpoints_hold_no_objects(tmp_path):
    kept = Checkpoint(tmp_path, fingerprint("a", np.arange(3)))
    kept.save("stage", {"x": np.arange(4.0)})
    assert list(kept.load("stage")) == ["x"]
    assert kept.load("other") is None
    np.savez(tmp_path / "bad.npz", inputs=np.array(kept.inputs), x=np.array([{}], dtype=object))
    with pytest.raises(InputError, match="cannot be read"):
        kept.load("bad")
    assert fingerprint(np.arange(3)) != fingerprint(np.arange(3.0))


def test_results_cannot_be_changed(gated):
    found = short(gated, populations=2, paths=4)
    with pytest.raises(ValueError, match="read-only"):
        found.moments["h"][0, 0] = 1.0
    with pytest.raises(TypeError):
        found.moments["h"] = 1.0
    with pytest.raises(dataclasses.FrozenInstanceError):
        found.seed = 3
    # symmetric, and no larger than the equal-time values allow
    for table in found.moments.values():
        np.testing.assert_array_equal(table, table.T)
        size = np.sqrt(np.diagonal(table))
        assert np.all(abs(table) <= np.outer(size, size) * (1 + 1e-12))


def test_a_precision_that_is_missed_names_the_largest_part(gated):
    found = short(gated, precision=1e-4)
    assert found.status is Status.NOT_CONVERGED
    assert "sampling" in found.message
    assert "more populations" in found.message
    rough = solve_transient(
        gated, complete(gated, g_h=3), start={"h": 1.0}, times=[0.0, 2.0, 4.0], precision=1e-3
    )
    assert "a finer grid" in rough.message


def test_memory_is_stated_and_limited(gated):
    with pytest.raises(InputError, match=r"need about .* GB, memory allows"):
        solve_transient(gated, gates(gated), times=np.linspace(0, 1, 20001), paths=256)
    grid = time_grid(Protocol(gates(gated)), np.linspace(0, 1, 101))
    small = memory_needed(TwoTimeProblem(gated, grid), 100)
    assert memory_needed(TwoTimeProblem(gated, grid), 1000) > 5 * small


def test_populations_leave_memory_at_once(gated):
    """Each is large; one that refers to itself would wait for the garbage collector."""
    found = population(gated, {"g_h": 3, "alpha_z": 5}, [0.0, 0.1])
    alive = weakref.ref(found)
    gc.disable()
    try:
        del found
        assert alive() is None
    finally:
        gc.enable()


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"until": 1.0}, "either until"),
        ({"times": None}, "either until"),
        ({"times": None, "until": -1.0}, "until: -1"),
        ({"times": [0.0, 1.0, 0.5]}, "increase"),
        ({"times": [1.0, 2.0]}, "starts at 0"),
        ({"times": [0.0, 1.0]}, "one step from 0 to 1"),
        ({"paths": 6}, "multiple of 4"),
        ({"populations": 1}, "at least 2"),
        ({"precision": 0.0}, "precision: 0"),
        ({"workers": 0}, "workers: 0"),
        ({"start": {"k": 1.0}}, "no field 'k'"),
        ({"start": {"h": -1.0}}, "variance >= 0"),
    ],
)
def test_input_that_is_refused(gated, options, words):
    with pytest.raises(InputError, match=words):
        short(gated, **options)


def test_starts():
    assert field_starts(("h", "z"), None) == (FieldStart(), FieldStart())
    with pytest.raises(InputError, match="distribution 'cauchy'"):
        FieldStart(1.0, 0.0, "cauchy")
    for kind in ("gaussian", "uniform", "binary"):
        start = FieldStart(0.7, -0.2, kind)
        nodes, weights = start.nodes()
        assert weights @ nodes == pytest.approx(-0.2)
        spread = weights @ (nodes + 0.2) ** 2 + start.spread
        assert spread == pytest.approx(0.7, rel=1e-12)
        paths = start.quantiles(np.arange(1000))
        assert np.mean(paths) == pytest.approx(-0.2)
        assert np.var(paths) + start.spread == pytest.approx(0.7, rel=1e-5)


def test_grids():
    protocol = Protocol({"g": 1.0}, (Step("g", 1.0, 2.0),))
    grid = time_grid(protocol, growing_times(5.0, 0.2, 0.1, 1.0, protocol.breakpoints))
    assert np.count_nonzero(grid.times == 1.0) == 2
    twice = int(np.flatnonzero(np.diff(grid.times) == 0)[0])
    assert [grid.parameters[k]["g"] for k in (twice, twice + 1)] == [1.0, 2.0]
    assert grid.ratio(0) == grid.ratio(twice) == grid.ratio(twice + 1) == 0.0
    coarse = grid.at(grid.coarse())
    # every step is two of the fine grid's, but for the jump
    assert len(coarse) == (len(grid) - 2) // 2 + 2
    assert coarse.times[-1] == 5.0
    assert [coarse.parameters[k]["g"] for k in coarse.bends] == [1.0, 1.0, 2.0, 2.0]
