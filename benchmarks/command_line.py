"""What the command line costs beyond the solution itself, with a warm and a cold cache.

    python benchmarks/command_line.py [--repeats 5]

Overhead is the median wall time of whole processes minus the median time of the same solution in
one warm process: imports, the derivation (cold cache) and everything else that a user waits for.
"""

from __future__ import annotations

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

COMMANDS = (
    ("models", ["models"]),
    ("solve vanilla g=2", ["solve", "vanilla", "g=2", "--json"]),
    ("solve gated (3, 5)", ["solve", "gated", "g_h=3", "alpha_r=5", "--json"]),
)


def run(arguments: list[str], cache: str) -> float:
    """Wall time of one process."""
    environment = dict(os.environ, DMFT_CACHE=cache)
    started = time.perf_counter()
    subprocess.run(
        [sys.executable, "-m", "dmft", *arguments],
        env=environment,
        capture_output=True,
        check=True,
    )
    return time.perf_counter() - started


def solve_alone(arguments: list[str], repeats: int) -> float:
    """The same solution in this process, warm: the cost that is not overhead."""
    import dmft

    if arguments[0] != "solve":
        return 0.0
    given = {k: float(v) for k, v in (a.split("=") for a in arguments[2:] if "=" in a)}
    dmft.solve(arguments[1], given)
    times = []
    for _ in range(repeats):
        started = time.perf_counter()
        dmft.solve(arguments[1], given)
        times.append(time.perf_counter() - started)
    return statistics.median(times)


def main() -> None:
    """Print one row per command and state of the cache."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--repeats", type=int, default=5, help="processes per row (median shown)")
    repeats = parser.parse_args().repeats
    print("| command | cache | whole process s | solve alone, warm s | beyond the solve s |")
    print("|---|---|---|---|---|")
    for name, arguments in COMMANDS:
        alone = solve_alone(arguments, repeats)
        for state in ("warm", "cold"):
            walls = []
            with tempfile.TemporaryDirectory() as folder:
                run(arguments, folder)
                for _ in range(repeats):
                    if state == "cold":
                        for entry in Path(folder).iterdir():
                            entry.unlink()
                    walls.append(run(arguments, folder))
            wall = statistics.median(walls)
            print(
                f"| {name} | {state} | {wall:.2f} | {alone:.2f} | {wall - alone:.2f} |", flush=True
            )


if __name__ == "__main__":
    main()
