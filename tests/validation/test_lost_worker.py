"""A worker process that dies: new ones take up what is left, and nothing is computed twice or lost."""

import os
import signal
from functools import partial
from pathlib import Path

import pytest

from dmft.errors import WorkerError
from dmft.solvers.path_blocks import block_runner
from dmft.solvers.two_time_stop import Stop
from dmft.validation.ensemble import run_tasks


def dies_once(folder, n, realization):
    """Network (20, 1) ends its process abruptly, as the system does when memory runs out, once."""
    mark = Path(folder) / "died"
    if (n, realization) == (20, 1) and not mark.exists():
        mark.touch()
        os._exit(9)
    return n, realization


def always_dies(n, realization):
    """Every network ends its process."""
    os._exit(9)


def interrupted_block(block):
    """Ctrl-C reaches the worker in the middle of its work; what it does with one afterwards."""
    os.kill(os.getpid(), signal.SIGINT)
    return signal.getsignal(signal.SIGINT) is signal.SIG_IGN


def dying_block(block):
    """A block of paths that ends its process."""
    os._exit(9)


def test_the_rest_is_done_by_new_processes(tmp_path):
    tasks = [(20, 0), (20, 1), (20, 2), (10, 0), (10, 1)]
    assert sorted(run_tasks(partial(dies_once, tmp_path), tasks, 2)) == sorted(tasks)
    assert (tmp_path / "died").exists()


def test_dying_again_is_an_error_of_one_line(monkeypatch):
    monkeypatch.setattr("dmft.validation.ensemble._ATTEMPTS", 1)  # each start takes seconds
    with pytest.raises(WorkerError, match=r"a worker process died .* fewer workers") as caught:
        list(run_tasks(always_dies, [(20, 0), (20, 1)], 2))
    assert caught.value.exit_code == 3 and "\n" not in str(caught.value)


def test_workers_on_blocks_of_paths():
    """They leave Ctrl-C to the first process, also between blocks; when one dies it is said how to go on."""
    with block_runner(2, Stop()) as runner:
        assert runner.over(interrupted_block, [0, 1, 2]) == [True] * 3
        with pytest.raises(WorkerError, match="checkpoint folder the same call goes on"):
            runner.over(dying_block, [0, 1, 2])
