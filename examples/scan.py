"""Where gated networks are chaotic, as a map over the gain and the output gate.

Without an output gate chaos begins where rest loses stability, at g_h = 2. A steep gate brings it to
lower gains, where rest is stable too and a network may be in either state (Krishnamurthy, Can & Schwab
2022).
"""

import dmft
from dmft.scans import scan


def main() -> None:
    """Scan, print one letter per point and keep the numbers."""
    found = scan(
        "gated",
        g_h=dmft.Sweep(1.75, 2.25, 6),
        alpha_r=[0.0, 5.0, 20.0],
        output="map.csv",
        workers=2,
    )
    print("alpha_r   g_h = " + " ".join(f"{gain:.2f}" for gain in found.axes["g_h"]))
    for j, gate in enumerate(found.axes["alpha_r"]):
        states = zip(found.branch[:, j], found.other_branches[:, j], strict=True)
        letters = ["." if here == "zero" else "C" for here, _ in states]
        print(f"{gate:7.1f}         " + "    ".join(letters))
    chaos = found.branch == "chaotic"
    print(f"{chaos.sum()} of {len(found)} states are chaotic (C); at the others the network rests")
    print(f"largest exponent {found.lyapunov.max():.6f}; the numbers are in map.csv")


if __name__ == "__main__":
    main()
