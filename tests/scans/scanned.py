"""What the tests of scans share: records without what differs between runs, and the real command."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

from dmft.results.scan import Scan


def record(scan: Scan) -> dict[str, Any]:
    """The JSON without the command and the seconds."""
    data: dict[str, Any] = json.loads(scan.to_json())
    del data["command"]
    for point in data["points"]:
        del point["seconds"]
    return data


def command(*words: str) -> list[str]:
    """The command line of ``dmft scan`` in this environment."""
    return [sys.executable, "-m", "dmft", "scan", *words]


def run(folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    """Run it to its end."""
    return subprocess.run(
        command(*words), cwd=folder, capture_output=True, text=True, timeout=120, check=False
    )
