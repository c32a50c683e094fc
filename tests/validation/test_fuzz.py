"""Random parameter sets end well, and the fuzz run itself notices what does not."""

import dataclasses
import json

import numpy as np
import pytest
from fuzz_jobs import dies_on_large_gains, sleeps_on_large_gains, verified
from gated_by_hand import late_activity, steps_needed

import dmft
from dmft.validation.fuzz import FuzzReport, fuzz, main
from dmft.validation.fuzz_draw import draw
from dmft.validation.fuzz_examine import FAILURES, examine, judge
from dmft.validation.journal import Journal
from dmft.verify_solution import violation

SEED = 0
#: The first sets of the seed that the whole run of 2000 uses, some of which take half a minute.
SETS, CHUNK = 25, 5


@pytest.mark.parametrize("first", range(0, SETS, CHUNK))
def test_random_sets_end_in_a_verified_solution_or_an_explicit_status(first):
    outcomes = {index: examine(draw(SEED, index)) for index in range(first, first + CHUNK)}
    failed = {i: r for i, r in outcomes.items() if r["verdict"] in FAILURES}
    assert not failed, json.dumps(failed, indent=1)
    verdicts = [r["verdict"] for r in outcomes.values()]
    assert verdicts.count("verified") >= CHUNK - 1, verdicts


#: Of the first sets those without noise in which a network is soon where it goes to.
QUICK = [
    index
    for index, p in enumerate(draw(SEED, i) for i in range(20))
    if not p.get("noise_h") and not p.get("noise_r") and steps_needed(p)[0] < 800
]


@pytest.mark.parametrize("index", QUICK)
def test_a_network_goes_to_the_branch_that_auto_returns(index):
    """From a wide start: it rests where a constant state is returned, and moves where chaos is.

    N = 500 and one draw of couplings: <h^2> has a standard error of sqrt(2/N) = 6% from the disorder
    of independent units, and several times that where units are correlated in time.
    """
    parameters = draw(SEED, index)
    solution = dmft.solve("gated", parameters)
    assert solution.status == "converged"
    size, speed = late_activity(parameters, 500, index)
    assert solution.variance["h"] == pytest.approx(size, rel=0.25)
    if solution.branch == "chaotic":
        assert speed > 1e-3
    else:
        assert speed < 1e-9


def test_draws_cover_the_ranges_and_the_special_values():
    sets = [draw(3, index) for index in range(400)]
    values = {name: np.array([s.get(name, 0.0) for s in sets]) for name in sets[0]}
    for name, low, high in (("g_h", 0.1, 20), ("tau_r", 0.05, 20), ("tau_z", 0.05, 20)):
        logs = np.log(values[name] / low) / np.log(high / low)
        assert 0 <= logs.min() < 0.05 and 0.95 < logs.max() <= 1
        assert abs(np.mean(logs) - 0.5) < 4 / np.sqrt(12 * 400)
    assert 0 <= values["alpha_r"].min() < 2 and 48 < values["alpha_r"].max() <= 50
    for name in ("beta_h", "beta_r", "beta_z"):
        assert -4 <= values[name].min() < -3.5 and 3.5 < values[name].max() <= 4
        assert abs(np.mean(values[name] == 0) - 0.3) < 4 * np.sqrt(0.3 * 0.7 / 400)
    for name in ("input_h", "input_r", "input_z"):
        assert values[name].min() == 0 and 9 < values[name].max() <= 10
    noisy = np.mean([s.get("noise_h", 0) + s.get("noise_r", 0) > 0 for s in sets])
    assert 0.08 < noisy < 0.25
    assert all("alpha_z" not in s for s in sets)


def test_the_sets_do_not_depend_on_the_number_of_workers():
    one, two = (fuzz(sets=range(6), seed=9, workers=n, examined=verified) for n in (1, 2))
    assert dict(one.records) == dict(two.records)
    assert [one.records[i]["parameters"] for i in range(6)] == [draw(9, i) for i in range(6)]


@pytest.mark.parametrize("kind", ["constant", "cosine", "spline"])
def test_a_wrong_solution_is_found(kind):
    """C scaled by 1e-5 obeys nothing; the solution itself does, to its error estimate."""
    more = {"constant": {"beta_h": 1.0}, "cosine": {"alpha_r": 5.0}, "spline": {"noise_h": 0.5}}
    solution = dmft.solve("gated", g_h=1.0 if kind == "constant" else 3.0, **more[kind])
    assert judge(solution)[0] == "verified"
    scaled = dataclasses.replace(
        solution,
        autocorrelation={k: v * (1 + 1e-5) for k, v in solution.autocorrelation.items()},
        limit={k: v * (1 + 1e-5) for k, v in solution.limit.items()},
    )
    assert judge(scaled)[0] == "unverified"
    assert violation(scaled).residual == pytest.approx(1e-5, rel=0.9)


def test_a_window_that_is_too_short_is_found():
    """Cut where C has not decayed, as if the solver had stopped looking."""
    solution = dmft.solve("vanilla", g=2)
    half = solution.lag.size // 4
    cut = dataclasses.replace(
        solution,
        lag=solution.lag[:half],
        autocorrelation={k: v[:half] for k, v in solution.autocorrelation.items()},
    )
    assert violation(solution).worst < 1e-10
    assert violation(cut).worst > 1e-6


def test_an_unstable_state_is_no_answer_of_auto():
    """Rest above its instability, and the static solution beside chaos, obey their equations."""
    for branch in ("zero", "fixed-point"):
        solution = dmft.solve("gated", g_h=3, alpha_r=5, branch=branch)
        assert judge(solution)[0] == "wrong-branch"
    chaotic = dmft.solve("gated", g_h=3, alpha_r=5)
    assert judge(chaotic)[0] == "verified"
    assert judge(dataclasses.replace(chaotic, lyapunov=-0.1))[0] == "wrong-branch"


def test_what_is_raised_is_a_crash_of_that_set_only():
    assert examine({"g_h": 2.0, "nonsense": 1.0})["verdict"] == "crash"


def test_a_slow_set_exceeds_the_budget_and_the_worker_is_replaced():
    large = [i for i in range(20) if draw(SEED, i)["g_h"] > 5]
    assert 0 < len(large) < 10
    report = fuzz(sets=range(6), seed=SEED, cap=0.5, examined=sleeps_on_large_gains)
    for index, record in report.records.items():
        slow = draw(SEED, index)["g_h"] > 5
        assert record["verdict"] == ("budget-exceeded" if slow else "verified")
        assert record["seconds"] >= 0.5 if slow else record["seconds"] == 0
    assert not report.passed


def test_a_process_that_dies_is_a_crash_and_replaced():
    report = fuzz(sets=range(6), seed=SEED, examined=dies_on_large_gains)
    for index, record in report.records.items():
        large = draw(SEED, index)["g_h"] > 5
        assert record["verdict"] == ("crash" if large else "verified")
    assert not report.passed


def test_an_interrupted_run_resumes(tmp_path):
    path = tmp_path / "fuzz.jsonl"

    def interrupt(index, record):
        if index == 2:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        fuzz(sets=range(5), journal=Journal(path), told=interrupt, examined=verified)
    heard = []
    report = fuzz(
        sets=range(5),
        journal=Journal(path),
        told=lambda index, record: heard.append(index),
        examined=verified,
    )
    assert heard == [3, 4]
    assert sorted(report.records) == [0, 1, 2, 3, 4]


def test_sets_that_other_code_examined_are_examined_again(tmp_path, monkeypatch):
    path = tmp_path / "fuzz.jsonl"
    heard = []

    def run(mixed):
        return fuzz(
            sets=range(2),
            journal=Journal(path),
            told=lambda index, record: heard.append(index),
            mixed=mixed,
            examined=verified,
        )

    run(False)
    monkeypatch.setattr("dmft.validation.fuzz.code_of_package", lambda: "other")
    run(True)
    assert heard == [0, 1]
    run(False)
    assert heard == [0, 1, 0, 1]


def test_the_report_counts_and_decides():
    def record(index, verdict, seconds):
        return {
            **verified({}),
            "index": index,
            "verdict": verdict,
            "parameters": {"g_h": 2.0},
            "code": "a",
            "seconds": seconds,
            "processor_seconds": seconds / 2,
        }

    good = {i: record(i, "verified", 1.0) for i in range(98)}
    assert FuzzReport(good, 30).passed
    one = good | {98: record(98, "budget-exceeded", 40.0)}
    assert FuzzReport(one, 30).passed
    two = one | {99: record(99, "budget-exceeded", 40.0)}
    assert not FuzzReport(two, 30).passed  # 2% is not below 2%
    rough = good | {98: record(98, "verified", 1.0) | {"violation": {"residual": 3e-5}}}
    assert FuzzReport(rough, 30).passed
    assert "1 verified only to their own error estimates" in FuzzReport(rough, 30).text
    assert "only to their own" not in FuzzReport(good, 30).text
    text = FuzzReport(good | {98: record(98, "unverified", 1.0)}, 30).text
    assert not FuzzReport(good | {98: record(98, "unverified", 1.0)}, 30).passed
    assert "98 unverified: zero converged" in text and "g_h=2" in text


def test_bad_options_end_with_two(capsys, tmp_path):
    assert main(["--sets", "0"]) == 2
    assert main(["--sets", "1", "-o", str(tmp_path)]) == 2
    error = capsys.readouterr().err
    assert error.count("\n") == 2 and "above 0" in error


def test_ctrl_c_is_one_line(monkeypatch, capsys, tmp_path):
    def interrupted(**options):
        raise KeyboardInterrupt

    monkeypatch.setattr("dmft.validation.fuzz.fuzz", interrupted)
    assert main(["--sets", "1", "-o", str(tmp_path / "fuzz.jsonl")]) == 130
    error = capsys.readouterr().err
    assert error.startswith("interrupted: ") and error.count("\n") == 1
