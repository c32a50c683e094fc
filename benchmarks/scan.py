"""What a scan costs beyond its points, and what a second process gains.

    OMP_NUM_THREADS=1 python benchmarks/scan.py [--points 64] [--repeats 3] [--workers 2]

The same scan is run as a bare loop over `dmft.solve`, as a scan in one process, and as a scan in
several (fresh ones each time, so that their start counts), in turns: other work on the machine meets
all three. The second table has points of rest, which take milliseconds: what is left per point there is
the scan's own work (rows, journal, synchronised writes). The CPU time counts all processes: on a machine
that other work keeps busy it says what the wall time cannot.
"""

from __future__ import annotations

import argparse
import os
import platform
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import dmft
from dmft.scans import scan


def fresh_workers() -> None:
    """End the processes that earlier scans have left for the next."""
    from joblib.externals.loky import get_reusable_executor

    get_reusable_executor().shutdown(wait=True)


def cpu_seconds() -> float:
    """Of this process and of those that it has ended."""
    times = os.times()
    return times.user + times.system + times.children_user + times.children_system


def compare(given: dict[str, Any], workers: int, repeats: int, **options: Any) -> None:
    """One table: seconds and what they are beside the loop."""
    gains = given["g_h"].values()
    slopes = given["alpha_r"].values()
    points = len(gains) * len(slopes)
    with tempfile.TemporaryDirectory() as folder:
        output = Path(folder) / "scan.json"

        def loop() -> None:
            for g_h in gains:
                for alpha_r in slopes:
                    dmft.solve("gated", g_h=g_h, alpha_r=alpha_r, **options)

        def several() -> None:
            scan("gated", given, workers=workers, output=output, **options)
            fresh_workers()

        tasks: dict[str, Callable[[], object]] = {
            "loop over dmft.solve": loop,
            "scan, 1 process": lambda: scan("gated", given, workers=1, output=output, **options),
            f"scan, {workers} processes": several,
        }
        seconds: dict[str, list[float]] = {name: [] for name in tasks}
        work: dict[str, list[float]] = {name: [] for name in tasks}
        for _ in range(repeats):
            for name, task in tasks.items():
                started, used = time.perf_counter(), cpu_seconds()
                task()
                seconds[name].append(time.perf_counter() - started)
                work[name].append(cpu_seconds() - used)
    print(f"\n{points} points\n")
    print("| how | median s | fastest s | ms per point | times the loop's speed | CPU s |")
    print("|---|---|---|---|---|---|")
    reference = min(seconds["loop over dmft.solve"])
    for name, own in seconds.items():
        print(
            f"| {name} | {statistics.median(own):.2f} | {min(own):.2f} | "
            f"{1000 * min(own) / points:.1f} | {reference / min(own):.2f} | {min(work[name]):.2f} |",
            flush=True,
        )


def main() -> None:
    """Print both tables."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--points", type=int, default=64, help="points of a scan (8 lines)")
    parser.add_argument("--repeats", type=int, default=3, help="runs of each kind, in turns")
    parser.add_argument("--workers", type=int, default=2, help="processes of the last row")
    asked = parser.parse_args()
    load = f", load {os.getloadavg()[0]:.1f}" if hasattr(os, "getloadavg") else ""
    print(f"Python {platform.python_version()}, {os.cpu_count()} cores{load}")
    dmft.solve("gated", g_h=3, alpha_r=5)  # compiled, and what is imported late imported
    line = max(2, asked.points // 8)
    chaos = {"g_h": dmft.Sweep(2.2, 4, 8), "alpha_r": dmft.Sweep(0, 10, line)}
    compare(chaos, asked.workers, asked.repeats)
    rest = {"g_h": dmft.Sweep(0.2, 0.9, 8), "alpha_r": dmft.Sweep(0, 10, line)}
    compare(rest, asked.workers, asked.repeats, branch="zero", lyapunov=False)


if __name__ == "__main__":
    main()
