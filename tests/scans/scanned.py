"""What the tests of scans share: records without what differs between runs."""

from __future__ import annotations

import json
from typing import Any

from dmft.results.scan import Scan


def record(scan: Scan) -> dict[str, Any]:
    """The JSON without the command and the seconds."""
    data: dict[str, Any] = json.loads(scan.to_json())
    del data["command"]
    for point in data["points"]:
        del point["seconds"]
    return data
