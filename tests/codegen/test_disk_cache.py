"""Compiled models on disk: the same results warm and cold, and nothing bad is ever believed."""

import json
import os
import subprocess
import sys

import pytest

from dmft.codegen import cache, compile_network, compiled_theory, load_info, model_names

PROGRAM = """
import sys
from dmft.codegen import compiled_theory, compile_network, load_info
theory, network = compiled_theory("gated"), compile_network("gated")
print(load_info("gated").hash, hash(str(theory.to_json())), hash(str(network.tapes)))
print("sympy" in sys.modules)
"""


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """An empty cache folder, with the memory of this process cleared before and after."""
    monkeypatch.setenv("DMFT_CACHE", str(tmp_path / "cache"))
    cache._shipped.cache_clear()
    yield tmp_path / "cache"
    cache._shipped.cache_clear()


def only_entry(folder):
    (path,) = folder.glob("*.json")
    return path


def test_warm_start_gives_the_same_without_sympy(tmp_path):
    environment = dict(os.environ, DMFT_CACHE=str(tmp_path), PYTHONHASHSEED="0")

    def run():
        done = subprocess.run(
            [sys.executable, "-c", PROGRAM],
            env=environment,
            capture_output=True,
            text=True,
            check=True,
        )
        return done.stdout.splitlines()

    cold, warm = run(), run()
    assert cold[0] == warm[0]
    assert cold[1] == "True"
    assert warm[1] == "False"


def test_warm_objects_equal_cold_ones(folder):
    cold = compiled_theory("vanilla"), compile_network("vanilla"), load_info("vanilla")
    assert only_entry(folder).name.startswith("vanilla-")
    cache._shipped.cache_clear()
    warm = compiled_theory("vanilla"), compile_network("vanilla"), load_info("vanilla")
    assert warm == cold


def _truncated(entry):
    return json.dumps(entry)[:-40]


def _empty(entry):
    return ""


def _binary(entry):
    return b"\xff\xfe\x00rubbish"


def _a_list(entry):
    return "[1, 2, 3]"


def _matrices_are_a_list(entry):
    entry["theory"]["matrices"] = []
    return json.dumps(entry)


def _another_model(entry):
    """A sound entry of the wrong model: here under another name."""
    entry["theory"]["info"]["name"] = "gated"
    return json.dumps(entry)


def _tape_reads_ahead(entry):
    entry["theory"]["functions"][0]["tape"]["code"][0] = ["exp", 5]
    return json.dumps(entry)


def _no_network(entry):
    del entry["network"]["tangent_drift"]
    return json.dumps(entry)


def _null(entry):
    return "null"


@pytest.mark.parametrize(
    "spoil",
    [
        _truncated,
        _empty,
        _binary,
        _a_list,
        _null,
        _matrices_are_a_list,
        _another_model,
        _tape_reads_ahead,
        _no_network,
    ],
)
def test_bad_entries_are_derived_again(folder, spoil):
    good = compiled_theory("vanilla")
    path = only_entry(folder)
    text = path.read_text(encoding="utf-8")
    bad = spoil(json.loads(text))
    path.write_bytes(bad if isinstance(bad, bytes) else bad.encode())
    cache._shipped.cache_clear()
    assert compiled_theory("vanilla") == good
    assert json.loads(path.read_text(encoding="utf-8")) == json.loads(text), "not mended on disk"


def test_an_entry_of_other_sources_is_not_read(folder, monkeypatch):
    """Stale: the key covers sources and versions, so another key is another file."""
    monkeypatch.setattr(cache, "_key", lambda: "0" * 24)
    compiled_theory("vanilla")
    stale = only_entry(folder)
    entry = json.loads(stale.read_text(encoding="utf-8"))
    entry["theory"]["closure_failure"] = "stale"
    stale.write_text(json.dumps(entry), encoding="utf-8")
    monkeypatch.setattr(cache, "_key", lambda: "1" * 24)
    cache._shipped.cache_clear()
    assert compiled_theory("vanilla").closure_failure == ""
    assert len(list(folder.glob("*.json"))) == 2


def test_key_follows_every_source_file(tmp_path, monkeypatch):
    sources = {}
    for package in ("dmft.derivations", "dmft.derivations.models", "dmft.codegen"):
        path = tmp_path / f"{package}.py"
        path.write_text("1", encoding="utf-8")
        sources[package] = [path]
    monkeypatch.setattr(cache, "_sources", lambda package: sources[package])
    keys = set()
    for path in [None, *(paths[0] for paths in sources.values())]:
        if path is not None:
            path.write_text("2", encoding="utf-8")
        cache._key.cache_clear()
        keys.add(cache._key())
    monkeypatch.setattr(cache, "version", lambda name: "0.0")
    cache._key.cache_clear()
    keys.add(cache._key())
    cache._key.cache_clear()
    assert len(keys) == 5


def test_a_folder_that_cannot_be_made_is_done_without(tmp_path, monkeypatch):
    """A file stands where the folder should be."""
    blocked = tmp_path / "file"
    blocked.write_text("", encoding="utf-8")
    monkeypatch.setenv("DMFT_CACHE", str(blocked / "cache"))
    cache._shipped.cache_clear()
    assert compiled_theory("vanilla").info.name == "vanilla"
    cache._shipped.cache_clear()
    assert blocked.read_text(encoding="utf-8") == ""


def test_no_cache_at_all(tmp_path, monkeypatch):
    monkeypatch.setenv("DMFT_CACHE", "")
    monkeypatch.chdir(tmp_path)
    cache._shipped.cache_clear()
    assert compiled_theory("vanilla").info.name == "vanilla"
    cache._shipped.cache_clear()
    assert list(tmp_path.iterdir()) == []


def test_entries_are_written_whole_or_not_at_all(folder, monkeypatch):
    """When the disk is full nothing is left: neither half an entry nor a temporary file."""

    def full(self, target):
        raise OSError("no space left on device")

    monkeypatch.setattr("pathlib.Path.replace", full)
    assert compiled_theory("vanilla").info.name == "vanilla"
    assert list(folder.iterdir()) == []


def test_readers_never_see_half_an_entry(folder, monkeypatch):
    """The text goes to another file of the same folder, which then takes the name in one step."""
    seen = []
    replace = cache.Path.replace

    def watched(self, target):
        seen.append((self.parent, target.exists(), json.loads(self.read_text(encoding="utf-8"))))
        return replace(self, target)

    monkeypatch.setattr("pathlib.Path.replace", watched)
    compiled_theory("vanilla")
    ((parent, existed, entry),) = seen
    assert parent == folder
    assert not existed
    assert json.loads(only_entry(folder).read_text(encoding="utf-8")) == entry


def test_model_names_and_unknown_models():
    assert model_names() == (
        *("adaptation", "gated", "gated-input", "mean-coupling", "vanilla", "vanilla-erf"),
    )
    for load in (load_info, compiled_theory, compile_network):
        with pytest.raises(KeyError):
            load("nonexistent")
