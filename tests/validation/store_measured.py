"""Keep what the networks of a report folder said, cut to what is judged: reference/cases/NAME[-full].json.

    python tests/validation/store_measured.py FOLDER [CASE ...]

Reads FOLDER/measured/*.jsonl as written by `dmft validate --all -o FOLDER` and simulates nothing, as long as
settings, seed and versions are the same; the test beside it judges the stored numbers again.
"""

import json
import re
import sys
from pathlib import Path

from dmft.results.provenance import versions
from dmft.validation.case import get_case
from dmft.validation.journal import Journal
from dmft.validation.watch import Silent

HERE = Path(__file__).parent / "reference" / "cases"


class Kept(Journal):
    """A journal that takes nothing new."""

    def put(self, key, value):
        raise SystemExit(f"not in the journal: {value}")


def rounded(value):
    """Five significant digits: far finer than any error bar."""
    if isinstance(value, float):
        return float(f"{value:.5g}")
    if isinstance(value, dict):
        return {k: rounded(v) for k, v in value.items()}
    return [rounded(v) for v in value] if isinstance(value, list | tuple) else value


def cut(measured):
    """Judged lags only, the leading exponent only, eigenvalues of one moment at the largest size."""
    if "schedule" in measured:
        schedule = measured["schedule"]
        places = [list(schedule["lags"]).index(lag) for lag in schedule["judged_lags"]]
        networks = [
            {**m, "autocorrelation": [m["autocorrelation"][k] for k in places]}
            for m in measured["networks"]
        ]
        return {"schedule": {**schedule, "lags": schedule["judged_lags"]}, "networks": networks}
    if any("schedule" in found for found in measured.values()):
        return {point: cut(found) for point, found in measured.items()}
    return {
        point: [_cut(m, max(other["n"] for other in found)) for m in found]
        for point, found in measured.items()
    }


def _cut(network, largest):
    numbers = dict(network.get("numbers", {}))
    if "exponents" in numbers:
        numbers["exponents"] = numbers["exponents"][:1]
    if "eigenvalues" in numbers:
        first = [[round(v, 2) for v in part] for part in numbers["eigenvalues"][0]]
        numbers["eigenvalues"] = [first] if network["n"] == largest else []
    if "autocorrelation" in network:
        return {**network, "autocorrelation": []}
    return {**network, "numbers": numbers}


def store(folder, name):
    case = get_case(name)
    summary = json.loads((folder / "summary.json").read_text(encoding="utf-8"))
    entry = next(c for c in summary["cases"] if c["name"] == name)
    settings = case.settings[entry["setting"]]
    journal = Kept(folder / "measured" / f"{name}.jsonl")
    theory = case.predict(settings)
    measured = case.measure(theory, settings, entry["seed"], 1, journal, Silent())
    body = {
        "command": re.sub(r"-o \S*/", "-o ", summary["command"]),  # no paths of a machine
        "setting": entry["setting"],
        "settings": dict(settings),
        "seed": entry["seed"],
        "versions": versions(),
        "measured": rounded(cut(measured)),
    }
    HERE.mkdir(parents=True, exist_ok=True)
    text = json.dumps(body, separators=(",", ":"), allow_nan=False)
    stem = name if entry["setting"] == "quick" else f"{name}-{entry['setting']}"
    (HERE / f"{stem}.json").write_text(text + "\n", encoding="utf-8")


if __name__ == "__main__":
    target = Path(sys.argv[1])
    for given in sys.argv[2:] or sorted(p.stem for p in (target / "measured").glob("*.jsonl")):
        store(target, given)
