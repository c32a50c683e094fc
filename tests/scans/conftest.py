"""Scans are tested with the made-up results of the tests of results, too."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "results"))
