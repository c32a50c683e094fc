"""A scan on a dask cluster: a worker killed in mid-run costs nothing but time."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
from scanned import record

import dmft
from dmft.errors import InputError, MissingExtraError
from dmft.scans import scan

#: Its own process: a cluster needs a main module that can be imported, and speaks on stderr.
PROGRAM = """
import json, os, signal, sys

class Killer:
    def started(self, points, done, where):
        self.where, self.pids = where, set()

    def advanced(self, points):
        with Client(address, set_as_default=False) as client:
            now = set(client.run(os.getpid).values())
        if not self.pids:
            os.kill(min(now), signal.SIGTERM)
        self.pids |= now

    def finished(self):
        pass

if __name__ == "__main__":
    from distributed import Client, LocalCluster
    import dmft
    from dmft.scans import scan

    with LocalCluster(
        n_workers=2, threads_per_worker=1, dashboard_address=None, host="127.0.0.1"
    ) as cluster:
        address, killer = cluster.scheduler_address, Killer()
        scan("vanilla", g=dmft.Sweep(1.5, 2.5, 12), input_x=[0.0], scheduler=address,
             output="scan.json", lyapunov=False, watch=killer)
        print(json.dumps([killer.where, address, len(killer.pids)]))
"""


@pytest.mark.slow
def test_a_killed_worker_costs_no_point(tmp_path: Path) -> None:
    pytest.importorskip("distributed")
    (tmp_path / "program.py").write_text(PROGRAM, encoding="utf-8")
    done = subprocess.run(
        [sys.executable, "-W", "error", "program.py"], cwd=tmp_path,
        capture_output=True, text=True, timeout=120, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    where, address, processes = json.loads(done.stdout)
    assert where == f"on {address}"
    assert processes == 3  # one of two was killed and replaced
    assert not list(tmp_path.glob("*.partial.jsonl"))
    expected = scan("vanilla", g=dmft.Sweep(1.5, 2.5, 12), input_x=[0.0], lyapunov=False, workers=1)
    assert record(dmft.load(tmp_path / "scan.json")) == record(expected)


def test_a_scheduler_that_is_not_there_is_bad_input(monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("distributed")
    monkeypatch.setattr("dmft.scans.cluster._PATIENCE", 0.2)
    for address, text in (("tcp://127.0.0.1:9", "cannot be reached"), ("here", "no address")):
        with pytest.raises(InputError, match=text) as error:
            scan("vanilla", g=[1, 2], scheduler=address)
        assert "tcp://" in str(error.value) and str(error.value).isprintable()


def test_the_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "distributed", None)
    with pytest.raises(MissingExtraError, match=r"pip install 'dmft\[distributed\]'"):
        scan("vanilla", g=[1, 2], scheduler="tcp://127.0.0.1:9")
