"""What was measured is kept whole, taken up again, and never taken for something else."""

import json

import pytest

from dmft.errors import InputError
from dmft.validation.journal import Journal, key_of


def test_the_key_covers_the_content_and_nothing_else():
    content = {"model": "m", "parameters": {"g": 2.0, "b": 0.0}, "n": 200}
    turned = {"n": 200, "parameters": {"b": 0.0, "g": 2.0}, "model": "m"}
    assert key_of(content) == key_of(turned)
    for changed in ({**content, "n": 201}, {**content, "parameters": {"g": 2.0, "b": 1e-16}}):
        assert key_of(changed) != key_of(content)


def test_values_survive_to_the_bit(tmp_path):
    path = tmp_path / "folder" / "case.jsonl"
    value = {"lyapunov": 0.1 + 0.2, "list": [1, 2.5e-308], "missing": None}
    Journal(path).put("a", value)
    again = Journal(path)
    assert "a" in again and again["a"] == value
    assert "b" not in again


def test_remember_computes_once(tmp_path):
    calls = []

    def compute():
        calls.append(1)
        return {"value": 3}

    path = tmp_path / "case.jsonl"
    for _ in range(2):
        assert Journal(path).remember({"n": 1}, compute) == {"value": 3}
    assert Journal(path).remember({"n": 2}, compute) == {"value": 3}
    assert len(calls) == 2


@pytest.mark.parametrize("cut", ['{"key": "c", "val', "\x00\x00", "[1]\n", '{"key": "c"}\n'])
def test_a_line_that_is_not_whole_is_ignored_and_overwritten_by_nothing(tmp_path, cut):
    path = tmp_path / "case.jsonl"
    Journal(path).put("a", 1)
    with path.open("a", encoding="utf-8") as file:
        file.write(cut)
    journal = Journal(path)
    assert "a" in journal and "c" not in journal
    journal.put("b", 2)
    again = Journal(path)
    assert (again["a"], again["b"]) == (1, 2)


def test_a_folder_that_cannot_be_made_is_told(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(InputError, match="cannot be written"):
        Journal(tmp_path / "file" / "case.jsonl").put("a", 1)


def test_lines_are_plain_json(tmp_path):
    path = tmp_path / "case.jsonl"
    Journal(path).put("a", [1.5])
    assert [json.loads(line) for line in path.read_text().splitlines()] == [
        {"key": "a", "value": [1.5]}
    ]
