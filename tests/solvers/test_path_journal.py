"""The journal of answered requests: what it keeps, in which pieces, and what it refuses."""

import json

import numpy as np
import pytest

from dmft.errors import InputError
from dmft.solvers.path_blocks import BlockRunner
from dmft.solvers.path_journal import PathJournal
from dmft.solvers.path_moments import PathSums
from dmft.solvers.replica_paths import ReplicaTerm
from dmft.solvers.two_time_checkpoint import Checkpoint

KINDS = {"PathSums": PathSums, "ReplicaTerm": ReplicaTerm}


def runner(folder):
    return BlockRunner(journal=PathJournal(Checkpoint(folder, "inputs"), KINDS))


def work(block):
    """Everything that blocks return: sums, tuples, lists, dictionaries with records as keys."""
    values = np.random.default_rng(block).standard_normal((3, 2))
    sums = PathSums.of(values, values[:1])
    return sums, [{(ReplicaTerm((0, 2), 2), block): values}, float(values[0, 0]), None]


def refused(block):
    raise AssertionError("computed again")


def test_requests_are_answered_in_order_and_to_the_last_digit(tmp_path):
    first = runner(tmp_path)
    known = [first.over(work, range(3)), first.over(work, range(5, 25))]
    # the second request has two pieces: at most sixteen blocks are lost
    assert len(list(tmp_path.iterdir())) == 3
    again = runner(tmp_path)
    for before, blocks in zip(known, (range(3), range(5, 25)), strict=True):
        after = again.over(refused, blocks)
        assert len(after) == len(before)
        for (sums, rest), (same, others), block in zip(before, after, blocks, strict=True):
            assert sums.count == same.count and np.array_equal(sums.products, same.products)
            key = ReplicaTerm((0, 2), 2), block
            assert np.array_equal(rest[0][key], others[0][key]) and rest[1:] == others[1:]
    with pytest.raises(AssertionError, match="computed again"):
        again.over(refused, [0])


def test_a_damaged_piece_is_refused_in_words(tmp_path):
    runner(tmp_path).over(work, [0])
    (path,) = tmp_path.iterdir()
    checkpoint = Checkpoint(tmp_path, "inputs")
    for plan in ("no json", json.dumps([["Foreign", 1]]), json.dumps([["array", 99]])):
        checkpoint.save(path.stem, {"plan": np.array(plan)})
        with pytest.raises(InputError, match="damaged"):
            runner(tmp_path).over(refused, [0])
    checkpoint.save(path.stem, {"other": np.array(1)})
    with pytest.raises(InputError, match="damaged"):
        runner(tmp_path).over(refused, [0])


def test_what_cannot_be_kept_is_no_file(tmp_path):
    with pytest.raises(TypeError, match="set cannot be kept"):
        runner(tmp_path).over(lambda block: {block}, [0])
    assert not list(tmp_path.iterdir())
