"""Theories solved ahead by another process are those solved here, and its death costs only time."""

import os
import time
from functools import partial

import pytest

from dmft.errors import InputError
from dmft.validation.case import get_case
from dmft.validation.theories import Theories, theories_ahead

NAMES = ("vanilla-chaos", "gated-chaos")
SECOND = get_case(NAMES[1])


def exponents(theories):
    """Of every theory and fault; all digits."""
    found = {}
    for case in map(get_case, NAMES):
        found[case.name] = theories.theory(case).lyapunov
        for what, wrong in theories.faults(case).items():
            found[case.name, what] = wrong.lyapunov
    return found


@pytest.fixture(scope="module")
def solved_here():
    return exponents(Theories("quick", 1))


def told(name, what, setting):
    return name, what, setting, os.getpid()


def busy(folder, name, what, setting):
    (folder / str(os.getpid())).touch()
    time.sleep(600)


def refused(name, what, setting):
    raise InputError(f"{name}: not with me")


def dies(name, what, setting):
    os._exit(9)


def test_another_process_finds_the_same(solved_here):
    with theories_ahead(NAMES, "quick", 2) as theories:
        assert exponents(theories) == solved_here


def test_everything_but_the_first_theory_is_solved_ahead(monkeypatch, solved_here):
    monkeypatch.setattr("dmft.validation.theories._ahead", told)
    with theories_ahead(NAMES, "quick", 2) as theories:
        assert theories.theory(get_case(NAMES[0])).lyapunov == solved_here[NAMES[0]]
        first = theories.faults(get_case(NAMES[0]))
        assert first[:3] == (NAMES[0], "faults", "quick")
        assert theories.theory(SECOND)[:3] == (NAMES[1], "theory", "quick")
        assert theories.faults(SECOND) == (NAMES[1], "faults", "quick", first[3])
    assert first[3] != os.getpid()
    assert gone(first[3])


def gone(process):
    """Whether it has ended, within ten seconds."""
    for _ in range(100):
        try:
            os.kill(process, 0)
        except ProcessLookupError:
            return True
        time.sleep(0.1)
    return False


@pytest.mark.parametrize(("setting", "workers"), [("quick", 1), ("full", 2)])
def test_no_other_process(setting, workers, monkeypatch, solved_here):
    monkeypatch.setattr("dmft.validation.theories._ahead", told)
    with theories_ahead(NAMES, setting, workers) as theories:
        assert theories.theory(SECOND).lyapunov == solved_here[NAMES[1]]


def test_a_busy_process_ends_with_the_work(monkeypatch, tmp_path):
    """As after Ctrl-C, when nobody waits for what it is at."""
    monkeypatch.setattr("dmft.validation.theories._ahead", partial(busy, tmp_path))
    with theories_ahead(NAMES, "quick", 2):
        for _ in range(300):
            if list(tmp_path.iterdir()):
                break
            time.sleep(0.1)
    (process,) = (int(path.name) for path in tmp_path.iterdir())
    assert gone(process)


def test_errors_are_those_of_the_theory(monkeypatch):
    monkeypatch.setattr("dmft.validation.theories._ahead", refused)
    with (
        theories_ahead(NAMES, "quick", 2) as theories,
        pytest.raises(InputError, match="gated-chaos: not with me"),
    ):
        theories.theory(SECOND)


def test_what_a_dead_process_had_is_solved_here(monkeypatch, solved_here):
    monkeypatch.setattr("dmft.validation.theories._ahead", dies)
    with theories_ahead(NAMES, "quick", 2) as theories:
        assert exponents(theories) == solved_here
